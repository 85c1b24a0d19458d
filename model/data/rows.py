"""The common part of all kinds of datasets: rows known by numbers alone until a worker reads one.

    N rows · P prompts

A row's image and text stay where the dataset keeps them. The columns have a few bytes a row, as numpy arrays, so a hundred
million rows fit into a machine's memory.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

NO_ANSWER = -1
DIFFICULTY = "difficulty"


class Asked(NamedTuple):
    """A prompt and its weight among the prompts that a row can answer."""

    prompt: str
    weight: float


class Part(NamedTuple):
    """A piece of a sample's text. A user's text has an `<image>` for each image and isn't learned. An answer is learned, with an
    end-of-sentence token behind it."""

    text: str
    learned: bool


class Example(NamedTuple):
    """A sample as it was read: a conversation of one turn or more, with encoded images in the order of their `<image>`s. For a
    text alone, `span` is the range of its tokens to learn (first, stop); None: all. For a drawn line, `edges` are the left edge
    of its text and the right edges of its characters, in pixels; (): not needed."""

    parts: tuple[Part, ...]
    images: tuple[bytes, ...]
    key: str
    source: str
    lang: str
    span: tuple[int, int] | None = None
    edges: tuple[float, ...] = ()


class Several(NamedTuple):
    """The images of rows with more than one. Row `rows_S[s]` has the sizes `starts[s]` to `starts[s + 1]` in `sizes_I2`, (width,
    height)."""

    rows_S: np.ndarray
    starts: np.ndarray
    sizes_I2: np.ndarray

    def of(self, row: int) -> tuple[tuple[int, int], ...]:
        """The sizes of the row's images; none if it has at most one."""
        at = int(np.searchsorted(self.rows_S, row))
        if at == len(self.rows_S) or self.rows_S[at] != row:
            return ()
        return tuple((width, height) for width, height in self.sizes_I2[self.starts[at] : self.starts[at + 1]].tolist())


NO_SEVERAL = Several(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 2), np.int32))


@dataclass(frozen=True)
class Columns:
    """The numbers of a dataset's rows that order, mixing and packing need.

    width_N, height_N   of the row's image in pixels, upright, uint16. 0 without an image
    answer_NP           the row's tokens under each prompt, without placeholders of images, int32. `NO_ANSWER` if it can't answer
                        that prompt
    lang_N              a number in `langs`, int16
    group_N             a hash of the group for the split, uint64. 0 is held out whatever the share
    several             the sizes of all images of the rows that have more than one
    features            other columns for a mixture, by name: `DIFFICULTY` in thousandths, int16, -1000 if it wasn't measured;
                        numbers of sources or layouts, uint64
    skipped             the numbers of rows that were left out, by reason
    in_order            whether the rows are drawn in their order, not shuffled, as drawn lines are
    """

    width_N: np.ndarray
    height_N: np.ndarray
    answer_NP: np.ndarray
    lang_N: np.ndarray
    group_N: np.ndarray
    langs: tuple[str, ...]
    several: Several = field(default_factory=lambda: NO_SEVERAL)
    features: "Features" = field(default_factory=lambda: Features())
    skipped: dict[str, int] = field(default_factory=dict)
    in_order: bool = False

    def __len__(self) -> int:
        return len(self.width_N)

    def sizes(self, row: int) -> tuple[tuple[int, int], ...]:
        """(width, height) of each of the row's images."""
        if sizes := self.several.of(row):
            return sizes
        return ((int(self.width_N[row]), int(self.height_N[row])),) if self.width_N[row] else ()

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The arrays on which a training's steps depend, beside the groups, which decide the held-out rows."""
        return self.width_N, self.height_N, self.answer_NP, self.lang_N, *self.several


class Features(dict[str, np.ndarray]):
    """The features of rows by these `names`, each read at its first use. So a training that goes on can use the features with
    which it began, whatever its recipe says by then."""

    def __init__(self, names: Sequence[str] = (), read: Callable[[str], np.ndarray] | None = None, **known: np.ndarray):
        super().__init__(known)
        self.names, self._read = frozenset((*names, *known)), read

    def __missing__(self, name: str) -> np.ndarray:
        if self._read is None or name not in self.names:
            raise KeyError(name)
        self[name] = self._read(name)
        return self[name]


def tell_skipped(name: str, skipped: Mapping[str, int], num_rows: int) -> None:
    """Log at a start how many of a dataset's rows are left out, by reason."""
    if num := sum(skipped.values()):
        kinds = ", ".join(f"{n} {reason}" for reason, n in Counter(skipped).most_common())
        log.warning("%s: %d of %d rows are left out: %s", name, num, num_rows, kinds)


class Reader(Protocol):
    """Reads one row in a worker process. It is pickled, and has no index: `place` has all that it needs about a row."""

    def read(self, place: Any, prompt: int) -> Example:
        """The row at `place` under the prompt of that number. Raises `SampleError` for a bad row, and `OSError` if its storage
        can't be read: the row is then left out, counted and named. Any other exception is a bug, and ends the training."""
        ...


class Dataset(Protocol):
    """Rows of one kind from one place, in an order of their own. `digest` changes with any row, its order or its text."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def prompts(self) -> tuple[Asked, ...]:
        """The prompts, the usual one first. A dataset whose rows bring their own prompts has one, which is ""."""
        ...

    @property
    def reader(self) -> Reader: ...

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` for an unusable dataset: files that are missing, or differ from the manifest."""
        ...

    def place(self, row: int) -> Any:
        """The row's place: small, and picklable."""
        ...


class Draw(NamedTuple):
    """One sample of a training, for a worker, beside the row's place. `number` counts all draws of the training. `mode` is the
    drawn image mode, "" without images. `length` is in tokens."""

    number: int
    dataset: int
    row: int
    prompt: int
    mode: str
    length: int
    seed: int
