"""Lines that are drawn when they are read: those of a seed, in order, and unseen ones that are held out."""

import functools
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from datagen.drawing.endless_lines import HEIGHT, Lines
from datagen.target import Prompt, neutralise
from model.data.rows import Asked, Columns, Example, Part
from model.data.split import NAMED
from model.data.tokens import num_tokens, pieces
from model.net.tokenizer import TextTokenizer


class Place(NamedTuple):
    """A line by its number; with `text`, an unseen line."""

    number: int
    text: str = ""


@dataclass(frozen=True)
class DrawnReader:
    name: str
    lines: Lines
    tells: bool = False

    def read(self, place: Place, prompt: int) -> Example:
        """Draws the line. No line is bad."""
        number, text = place
        line = self.lines.drawn(text, _look(self.lines, number)) if text else self.lines.line(number)
        edges = (line.look.left, *line.ends()) if self.tells else ()
        return Example(_parts(line.text), (line.image,), f"line-{number}", self.name, self.lines.lang, edges=edges)


class Drawn:
    """The first `count` of `lines`, in the order of drawing, and behind them `held_out` unseen ones. Unseen lines have `shortest`
    to `longest` characters, and don't depend on the seed of `lines`. A training that takes more than `count` lines begins again
    with the first, so `count` should be large enough. If it `tells`, each line has its characters' edges."""

    def __init__(
        self,
        lines: Lines,
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
        lines.paths()
        self.name, self.lines, self.count = name, lines, count
        self.prompts = (Asked(Prompt.FREE.value, 1.0),)
        self.reader = DrawnReader(name, lines, tells)
        self._unseen = (held_out, shortest, longest)

    @functools.cached_property
    def unseen(self) -> list[str]:
        return self.lines.unseen(*self._unseen)

    @functools.cached_property
    def digest(self) -> str:
        values = [repr(self.lines), self.count, self._unseen, self.lines.engines(), self.prompts]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        planned = [self.lines.planned(number) for number in range(self.count)]
        planned += [(text, self.lines.width(text, _look(self.lines, number))) for number, text in enumerate(self.unseen)]
        group_N = np.full(len(planned), np.iinfo(np.uint64).max, np.uint64)
        group_N[self.count :] = NAMED
        return Columns(
            width_N=np.array([width for _, width in planned], np.uint16),
            height_N=np.full(len(planned), HEIGHT, np.uint16),
            answer_NP=_lengths([text for text, _ in planned], tokenizer)[:, None],
            lang_N=np.zeros(len(planned), np.int16),
            group_N=group_N,
            langs=(self.lines.lang,),
            in_order=True,
        )

    def place(self, row: int) -> Place:
        if row < self.count:
            return Place(row)
        return Place(row - self.count, self.unseen[row - self.count])


def _parts(text: str) -> tuple[Part, ...]:
    return Part(Prompt.FREE.value, False), Part(neutralise(text), True)


def _look(lines: Lines, number: int) -> random.Random:
    return random.Random(f"{lines.version} unseen {number}")


def _lengths(texts: Sequence[str], tokenizer: TextTokenizer) -> np.ndarray:
    parts = _parts("")
    *asked, _ = tokenizer.lengths(pieces(parts))
    return np.array([num_tokens(parts, [*asked, n]) for n in tokenizer.lengths([neutralise(text) for text in texts])], np.int32)
