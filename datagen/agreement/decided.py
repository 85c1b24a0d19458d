"""What becomes of a block, and the votes on it."""

from dataclasses import dataclass
from typing import NamedTuple

from datagen.record import Line

KEPT, REPLACED, DRAWN, UNREAD, ALONE = ("kept", "replaced", "drawn", "unread", "alone")
FOR, AGAINST, ABSTAINS = "for", "against", "abstains"


class Vote(NamedTuple):
    """What a voter says of a block. `vote` is "for" the label, "against" it, or "abstains". `distance` compares the letters and
    digits of the voter's text and of the label's, from 0 (the same) to 1."""

    voter: str
    datasets: tuple[str, ...]
    text: str
    vote: str
    distance: float


class Edit(NamedTuple):
    """Replaces the label's text from `start` to `stop` by `text`, which `voter` read in `lines`."""

    start: int
    stop: int
    text: str
    voter: str
    lines: tuple[Line, ...] = ()


@dataclass
class Decided:
    """What became of a block. `text` is "" for an open block. `outcome` and `why` say how the block was decided; `chosen` is the
    voter whose reading won. `edits` are the changes to the label."""

    text: str
    outcome: str
    why: str
    chosen: str = ""
    votes: tuple[Vote, ...] = ()
    edits: tuple[Edit, ...] = ()
    score: float | None = None


@dataclass
class Fate:
    """What became of a stretch of words. `edit` is None where the label stays."""

    outcome: str
    why: str
    edit: Edit | None = None
