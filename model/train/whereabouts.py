"""The activity of each rank of a training, for people who ask why nothing moves: its step, and its part of the step.

A rank overwrites a line of its own, in a file that `model.train.launch` names in the environment. Without that nothing is
written.
"""

import contextlib
import os
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

PLACE = "PAGEWHEEL_WHEREABOUTS"
FILES = "at-*"
WAITS = "waits"
_BYTES = 64  # of a line, written in one call


class Whereabouts:
    """This rank's activity. `step` counts from 1; 0 is before the first step."""

    def __init__(self) -> None:
        path = os.environ.get(PLACE)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644) if path else None
        self.step = 0

    def note(self, does: str) -> None:
        """Record that the rank begins to do something, or `WAITS` for the others."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # nothing depends on it
                os.pwrite(self._file, f"{self.step} {time.time():.0f} {does}".ljust(_BYTES).encode()[:_BYTES], 0)


class _At(NamedTuple):
    step: int
    since: float
    does: str


def hung(folder: Path, now: float) -> str:
    """The ranks for which others waited at the time `now`, in seconds since 1970, and these ranks' activities, by the files in
    `folder`. If all ranks wait within one part of a step, the activity of each; "" if nothing is known."""
    places = {}
    for path in folder.glob(FILES):
        step, _, rest = path.read_text().strip().partition(" ")
        since, _, does = rest.partition(" ")
        if does:
            places[int(path.name.partition("-")[2])] = _At(int(step), float(since), does)
    at_work = {rank: at for rank, at in places.items() if at.does != WAITS}
    late = at_work or {rank: at for rank, at in places.items() if at.step < max(one.step for one in places.values())}
    if not late or len(late) == len(places):
        what = (
            f"in step {at.step} " + ("wait for each other" if at.does == WAITS else f"at {at.does}") for at in places.values()
        )
        counts = Counter(what)
        return "; ".join(f"{num} ranks {what}" for what, num in counts.items()) + ": none went on" if places else ""
    first = min(at.step for at in late.values())
    those = [
        f"rank {rank}, in step {at.step} at {at.does} for {_minutes(now - at.since)}"
        for rank, at in sorted(late.items())
        if at.step == first
    ]
    return f"{'; '.join(those)}: the others waited for it"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
