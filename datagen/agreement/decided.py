"""What becomes of a block, and the votes on it."""

from dataclasses import dataclass
from typing import NamedTuple

from datagen.record import Line

KEPT, REPLACED, DRAWN, UNREAD, ALONE = OUTCOMES = ("kept", "replaced", "drawn", "unread", "alone")
FOR, AGAINST, ABSTAINS = "for", "against", "abstains"


class Vote(NamedTuple):
    """What a voter had to say: `vote` is for or against the label; `distance` is how far its letters and digits are from the
    label's, from 0 to 1."""

    voter: str
    datasets: tuple[str, ...]
    text: str
    vote: str
    distance: float


class Edit(NamedTuple):
    """In the place of the label's text from `start` to `stop` stands `text`, which `voter` read in `lines`."""

    start: int
    stop: int
    text: str
    voter: str
    lines: tuple[Line, ...] = ()


@dataclass
class Decided:
    """What became of a block: its text, unless it is open; how, and why; who read it so; the votes, and what was changed."""

    text: str
    outcome: str
    why: str
    chosen: str = ""
    votes: tuple[Vote, ...] = ()
    edits: tuple[Edit, ...] = ()
    score: float | None = None


@dataclass
class Fate:
    """The fate of a stretch: `edit` is what stands in its place, None where the label stays."""

    outcome: str
    why: str
    edit: Edit | None = None
