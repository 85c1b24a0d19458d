"""How far a piece of work is: the one thing that shards, trainings and readers report, and that recipes/run/progress.py shows.

Work on another machine writes its state to a file in its own folder, and whoever shows it reads the file.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

from datagen.disk.storage import Folder

NAME = "progress.json"


class State(NamedTuple):
    """`done` of `total` units, a `note` for people, and about how many seconds are left (-1: nobody knows). A `total` of 0 means
    that nothing is counted, and the note is all."""

    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""
    left_s: float = -1.0

    def text(self) -> str:
        """For people, without the time left."""
        return ", ".join(part for part in (f"{self.done}/{self.total} {self.unit}" if self.total else "", self.note) if part)


OnState = Callable[[State], None]


def ignore(state: State) -> None:
    """For work that nobody watches."""


def write(folder: Folder, state: State) -> None:
    folder.write(NAME, json.dumps(state).encode())


def read(folder: Folder) -> State | None:
    """The last state that work in `folder` wrote; None if there is none, or it was cut off."""
    try:
        return State(*json.loads(folder.read(NAME)))
    except (OSError, ValueError, TypeError):
        return None
