"""What every kind of dataset has in common: rows that are known by numbers alone until a worker reads one.

    N rows · P prompts

A row's image and text lie where the dataset keeps them. The columns hold a few bytes a row, as numpy arrays, so that a hundred
million rows fit into the memory of a machine.
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
    """A prompt, and the share of a dataset's rows that are asked it, among the prompts that a row can answer."""

    prompt: str
    weight: float


class Part(NamedTuple):
    """A piece of a sample's text. What a user says has an `<image>` for each image and is not learned. What is learned is an
    answer, and an end-of-sentence token follows it."""

    text: str
    learned: bool


class Example(NamedTuple):
    """A sample as it was read: a conversation of one turn or several, with encoded images in the order of their `<image>`s. Of a
    text alone, `span` says which of its tokens are meant (first, stop); None: all. Of a drawn line, `edges` are the left edge of
    its text and the right ones of its characters, in pixels; (): nobody asked for them."""

    parts: tuple[Part, ...]
    images: tuple[bytes, ...]
    key: str
    source: str
    lang: str
    span: tuple[int, int] | None = None
    edges: tuple[float, ...] = ()


class Several(NamedTuple):
    """The images of rows that have more than one: of the row `rows_S[s]`, in order, those from `starts[s]` to `starts[s + 1]` in
    `sizes_I2`, (width, height)."""

    rows_S: np.ndarray
    starts: np.ndarray
    sizes_I2: np.ndarray

    def of(self, row: int) -> tuple[tuple[int, int], ...]:
        """The sizes of the row's images; none if it has no more than one."""
        at = int(np.searchsorted(self.rows_S, row))
        if at == len(self.rows_S) or self.rows_S[at] != row:
            return ()
        return tuple((width, height) for width, height in self.sizes_I2[self.starts[at] : self.starts[at + 1]].tolist())


NO_SEVERAL = Several(np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros((0, 2), np.int32))


@dataclass(frozen=True)
class Columns:
    """The numbers that order, mixing and packing need of a dataset's rows.

    width_N, height_N   of the row's image in pixels, upright, uint16. 0 where there is none
    answer_NP           the row's tokens under each prompt, without placeholders of images, int32. `NO_ANSWER` where the row can't
                        be asked that prompt
    lang_N              a number in `langs`, int16
    group_N             a hash of what a split goes by, uint64. 0 is held out whatever the share
    several             the sizes of all images of the rows that have more than one
    features            what else a mixture may ask for, by its name: `DIFFICULTY` in thousandths, int16, -1000 where nobody
                        measured it; numbers of sources or layouts, uint64
    skipped             how many rows were left out, by the reason
    in_order            whether the rows are drawn as they stand, not shuffled, as lines are that are drawn
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
        """What a training's steps follow from, beside the groups, which say which rows are held out."""
        return self.width_N, self.height_N, self.answer_NP, self.lang_N, *self.several


class Features(dict[str, np.ndarray]):
    """What is known of rows by these `names`: each is read when it is first asked for. So what a training began with can be asked
    for when it goes on, whatever its recipe says by then."""

    def __init__(self, names: Sequence[str] = (), read: Callable[[str], np.ndarray] | None = None, **known: np.ndarray):
        super().__init__(known)
        self.names, self._read = frozenset((*names, *known)), read

    def __missing__(self, name: str) -> np.ndarray:
        if self._read is None or name not in self.names:
            raise KeyError(name)
        self[name] = self._read(name)
        return self[name]


def tell_skipped(name: str, skipped: Mapping[str, int], num_rows: int) -> None:
    """Say at a start how many of a dataset's rows are left out, and why."""
    if num := sum(skipped.values()):
        kinds = ", ".join(f"{n} {reason}" for reason, n in Counter(skipped).most_common())
        log.warning("%s: %d of %d rows are left out: %s", name, num, num_rows, kinds)


class Reader(Protocol):
    """Reads one row in a worker process. It is pickled, and holds no index: `place` says all that it needs to know of a row."""

    def read(self, place: Any, prompt: int) -> Example:
        """The row at `place` under the prompt of that number. Raises `SampleError` if the row is bad, and `OSError` if what holds
        it can't be read: it is then passed over, counted and named. Any other exception is a bug, and ends the training."""
        ...


class Dataset(Protocol):
    """Rows of one kind from one place, in an order of their own. `digest` changes when a row, its order or its text would."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    @property
    def prompts(self) -> tuple[Asked, ...]:
        """The usual one first. A dataset whose rows bring their own prompts has one, which is ""."""
        ...

    @property
    def reader(self) -> Reader: ...

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` for a dataset that can't be used: files that are missing, or not what the manifest says."""
        ...

    def place(self, row: int) -> Any:
        """Where the row lies: small, and picklable."""
        ...


class Draw(NamedTuple):
    """One sample of a training: all that a worker needs to make it, beside the row's place. `number` counts all draws of the
    training. `mode` is the image mode that was drawn for it, "" without images. `length` is in tokens."""

    number: int
    dataset: int
    row: int
    prompt: int
    mode: str
    length: int
    seed: int
