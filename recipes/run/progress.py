"""Progress that people read: bars on a terminal, plain lines elsewhere."""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.work.progress import OnState, State, read

log = logging.getLogger(__name__)

console = Console(stderr=True, highlight=False)
_LINE_EVERY_S = 5.0
_LOOK_EVERY_S = 10.0
_TELLING = 0.03  # of all samples: from this share on, finished samples tell the time of the rest
Result = TypeVar("Result")
Show = Callable[[str, State], None]
"""Shows the state of the named work."""


@contextlib.contextmanager
def shown(name: str) -> Iterator[OnState]:
    """Shows the states that the work called `name` reports, while the block runs."""
    with _display() as show:
        yield partial(show, name)


def counted(name: str, unit: str, total: int, results: Iterable[Result]) -> Iterator[Result]:
    """Passes the results on, and shows how many of `total` there are."""
    started = time.monotonic()
    with shown(name) as show:
        for done, result in enumerate(results, 1):
            yield result
            show(State(done, total, unit, left_s=(time.monotonic() - started) / done * (total - done)))


@contextlib.contextmanager
def watched(name: str, folders: Mapping[str, Folder]) -> Iterator[None]:
    """Shows, while the block runs, the states that parts of the work called `name` write in their folders, on any machine."""

    def watch(show: Show) -> None:
        for part, folder in folders.items():
            if state := read(folder):
                show(f"{name}: {part}", state)

    with _display() as show, looking(partial(watch, show)) if folders else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Shows work without a known end: a spinner on a terminal, nothing elsewhere."""
    with console.status(what) if console.is_terminal else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def looking(look: Callable[[], None]) -> Iterator[None]:
    """Calls `look` every few seconds while the block runs, in another thread."""
    over = threading.Event()

    def looks() -> None:
        while not over.wait(_LOOK_EVERY_S):
            with contextlib.suppress(OSError):  # the files' server may come back
                look()

    thread = threading.Thread(target=looks, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Shards:
    """Counts the shards of a run. `expected` samples are a guess, which finished shards replace."""

    def __init__(self, num_shards: int, expected: int, noun: str = "pages"):
        self.num_shards, self.expected, self.noun = num_shards, expected, noun
        self.shards = self.samples = self.drops = 0
        self.started = time.monotonic()

    def add(self, report: ShardReport) -> State:
        """The state after one more shard."""
        self.shards += 1
        self.samples += report.num_samples
        self.drops += len(report.drops)
        return self.state()

    def state(self, under_way: Mapping[str, int] = MappingProxyType({})) -> State:
        """The state, with the numbers of samples in shards that are `under_way`."""
        elapsed, total = time.monotonic() - self.started, self.total()
        samples = self.samples + sum(under_way.values())
        dropped = f", {self.drops} dropped" if self.drops else ""
        rate = f", {samples / elapsed:.1f} {self.noun}/s" if samples and elapsed else ""
        note = f"{samples} of about {max(samples, total)} {self.noun}{dropped}{rate}"
        left_s = elapsed / self.shards * (self.num_shards - self.shards) if self.shards else -1.0
        if under_way and samples:
            left_s = elapsed / samples * (total - samples) if total * _TELLING < samples < total else -1.0
        return State(self.shards, self.num_shards, "shards", note, left_s)

    def total(self) -> int:
        """The number of all samples: finished ones, and the guess for the remaining shards, corrected by its error so far."""
        guessed_so_far = self.expected * self.shards / self.num_shards
        factor = self.samples / guessed_so_far if guessed_so_far else 1.0
        return self.samples + round((self.expected - guessed_so_far) * factor)


def _left(state: State) -> str:
    return f", {state.left_s:.0f} s left" if state.left_s >= 0 else ""


@contextlib.contextmanager
def _display() -> Iterator[Show]:
    if not console.is_terminal:
        yield _lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, state: State) -> None:
            if not state.total:
                log.info("%s: %s", name, state.note)
                return
            if name not in tasks:
                tasks[name] = bars.add_task(name, text="")
            bars.update(tasks[name], completed=state.done, total=state.total, text=state.text() + _left(state))

        yield show


def _lines() -> Show:
    """A line for each piece of work every few seconds, and when it ends or counts nothing."""
    lasts: dict[str, float] = {}
    started = time.monotonic()

    def show(name: str, state: State) -> None:
        if not state.total:
            log.info("%s: %s", name, state.note)
        elif state.done == state.total or time.monotonic() - lasts.get(name, started) >= _LINE_EVERY_S:
            lasts[name] = time.monotonic()
            print(f"{name}: {state.text()}{_left(state)}", file=sys.stderr, flush=True)

    return show
