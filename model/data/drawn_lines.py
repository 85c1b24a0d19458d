"""Lines that are drawn when they are read: a curriculum's, in order, and unseen ones that are held out."""

import functools
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from datagen.drawing.line_curriculum import HEIGHT, Curriculum, Lines, unseen
from datagen.target import Prompt, neutralise
from model.data.rows import Asked, Columns, Example, Part
from model.data.split import NAMED
from model.data.tokens import num_tokens, pieces
from model.net.tokenizer import TextTokenizer

LANG = "en"


class Place(NamedTuple):
    """A line of the curriculum by its number and its longest text; or with `text` an unseen one."""

    number: int
    longest: int
    text: str = ""


@dataclass(frozen=True)
class DrawnReader:
    name: str
    lines: Lines
    tells: bool = False

    def read(self, place: Place, prompt: int) -> Example:
        """Draws the line. None is bad."""
        if place.text:
            line = self.lines.drawn(place.text, _look(self.lines, place.number))
        else:
            line = self.lines.line(place.number, place.longest)
        edges = (line.look.left, *line.ends()) if self.tells else ()
        return Example(_parts(line.text), (line.image,), f"line-{place.number}", self.name, LANG, edges=edges)


class Drawn:
    """The first `count` lines of a curriculum, drawn in its order, and behind them `held_out` unseen ones.

    Those are of `shortest` to `longest` characters, and are the same whatever the curriculum's seed. A training that takes more
    than `count` lines begins again with the first, so `count` should be as many as it takes. Where it `tells`, each has its
    characters' edges.
    """

    def __init__(
        self,
        curriculum: Curriculum,
        count: int,
        held_out: int = 300,
        shortest: int = 8,
        longest: int = 12,
        name: str = "lines",
        tells: bool = False,
    ):
        if min(count, held_out) < 0 or not 1 <= shortest <= longest:
            values = f"count={count} held_out={held_out} shortest={shortest} longest={longest}"
            raise ValueError(f"{name}: {values}: none may be under 0, and shortest is from 1 to longest")
        curriculum.lines.paths()
        self.name, self.curriculum, self.count = name, curriculum, count
        self.prompts = (Asked(Prompt.FREE.value, 1.0),)
        self.reader = DrawnReader(name, curriculum.lines, tells)
        self._unseen = (held_out, shortest, longest)

    @functools.cached_property
    def unseen(self) -> list[str]:
        return unseen(*self._unseen)

    @functools.cached_property
    def digest(self) -> str:
        values = [repr(self.curriculum), self.count, self._unseen, self.curriculum.lines.engines(), self.prompts]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        lines = self.curriculum.lines
        planned = [lines.planned(number, self.curriculum.longest(number)) for number in range(self.count)]
        planned += [(text, lines.width(text, _look(lines, number))) for number, text in enumerate(self.unseen)]
        group_N = np.full(len(planned), np.iinfo(np.uint64).max, np.uint64)
        group_N[self.count :] = NAMED
        return Columns(
            width_N=np.array([width for _, width in planned], np.uint16),
            height_N=np.full(len(planned), HEIGHT, np.uint16),
            answer_NP=_lengths([text for text, _ in planned], tokenizer)[:, None],
            lang_N=np.zeros(len(planned), np.int16),
            group_N=group_N,
            langs=(LANG,),
            in_order=True,
        )

    def place(self, row: int) -> Place:
        if row < self.count:
            return Place(row, self.curriculum.longest(row))
        return Place(row - self.count, 0, self.unseen[row - self.count])


def _parts(text: str) -> tuple[Part, ...]:
    return Part(Prompt.FREE.value, False), Part(neutralise(text), True)


def _look(lines: Lines, number: int) -> random.Random:
    return random.Random(f"{lines.version} unseen {number}")


def _lengths(texts: Sequence[str], tokenizer: TextTokenizer) -> np.ndarray:
    parts = _parts("")
    *asked, _ = tokenizer.lengths(pieces(parts))
    return np.array([num_tokens(parts, [*asked, n]) for n in tokenizer.lengths([neutralise(text) for text in texts])], np.int32)
