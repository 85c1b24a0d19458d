"""How far a piece of work is: what shards, trainings and readers report, and what recipes/run/progress.py shows.

Work on another machine writes its state to a file in its own folder, and recipes/run/progress.py reads the file. A worker writes
such a file for each shard that it makes.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from datagen.disk.storage import Folder
from datagen.record import Drop, Sample

NAME = "progress.json"
UNDER_WAY = "under_way"
"""A dataset's folder of files that say how far a shard is. A file goes when its shard is done."""
EVERY_S = 5.0


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


def counted(outcomes: Iterable[Sample | Drop], dataset: Folder, shard: str) -> Iterator[Sample | Drop]:
    """The outcomes of a shard; every few seconds a file says how many samples there were so far."""
    name, written, num_samples = f"{UNDER_WAY}/{shard}.json", time.monotonic(), 0
    try:
        for outcome in outcomes:
            yield outcome
            num_samples += isinstance(outcome, Sample)
            if time.monotonic() - written >= EVERY_S:
                with contextlib.suppress(OSError):  # a full disk ends the shard, and not this
                    dataset.write(name, json.dumps(num_samples).encode())
                written = time.monotonic()
    finally:
        with contextlib.suppress(OSError):
            dataset.remove(name)  # a worker that died may have left it


def under_way(dataset: Folder) -> dict[str, int]:
    """By the shards that are being made, and have been for a while, how many samples each has."""
    folder = dataset.sub(UNDER_WAY)
    names = folder.names(".json")
    contents = folder.read_each(names)
    return {
        name.removesuffix(".json"): int(content)
        for name, content in zip(names, contents, strict=True)
        if content is not None and content.isdigit()
    }
