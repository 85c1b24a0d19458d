"""The progress of work: shards, trainings and readers report it, and recipes/run/progress.py shows it.

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
"""A dataset's folder with a file for the progress of each unfinished shard."""
EVERY_S = 5.0


class State(NamedTuple):
    """`done` of `total` units, a `note` for people, and the estimated seconds that are left (-1: unknown). If `total` is 0,
    nothing is counted, and the note is all."""

    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""
    left_s: float = -1.0

    def text(self) -> str:
        """The state for people, without the time left."""
        return ", ".join(part for part in (f"{self.done}/{self.total} {self.unit}" if self.total else "", self.note) if part)


OnState = Callable[[State], None]


def ignore(state: State) -> None:
    """The handler of states that nobody watches."""


def write(folder: Folder, state: State) -> None:
    folder.write(NAME, json.dumps(state).encode())


def read(folder: Folder) -> State | None:
    """The last state that work in `folder` wrote; None if there is none or it was cut off."""
    try:
        return State(*json.loads(folder.read(NAME)))
    except (OSError, ValueError, TypeError):
        return None


def counted(outcomes: Iterable[Sample | Drop], dataset: Folder, shard: str) -> Iterator[Sample | Drop]:
    """The outcomes of a shard. Every few seconds a file gets the number of samples so far."""
    name, written, num_samples = f"{UNDER_WAY}/{shard}.json", time.monotonic(), 0
    try:
        for outcome in outcomes:
            yield outcome
            num_samples += isinstance(outcome, Sample)
            if time.monotonic() - written >= EVERY_S:
                with contextlib.suppress(OSError):  # on a full disk the shard itself fails
                    dataset.write(name, json.dumps(num_samples).encode())
                written = time.monotonic()
    finally:
        with contextlib.suppress(OSError):
            dataset.remove(name)  # a dead worker may have left it


def under_way(dataset: Folder) -> dict[str, int]:
    """The number of samples so far of each shard that has been under way for a while."""
    folder = dataset.sub(UNDER_WAY)
    names = folder.names(".json")
    contents = folder.read_each(names)
    return {
        name.removesuffix(".json"): int(content)
        for name, content in zip(names, contents, strict=True)
        if content is not None and content.isdigit()
    }
