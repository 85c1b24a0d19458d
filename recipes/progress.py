"""Progress that people read: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from datagen.dataset import Progress as OnReport
from datagen.shards import ShardReport

console = Console(stderr=True, highlight=False)
_LINE_EVERY_S = 5.0


@contextmanager
def progress(name: str, num_shards: int, expected: int, noun: str = "pages") -> Iterator[OnReport]:
    """A callback to tell of every shard. `expected` samples are a guess, replaced shard by shard by what came out."""
    count = Count(num_shards, expected, noun)
    if not num_shards or not console.is_terminal:
        with _lines(name, count) as tell:
            yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(name, total=num_shards, said=count.said())

        def tell(report: ShardReport) -> None:
            count.add(report)
            bar.update(task, completed=count.shards, said=count.said())

        yield tell


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say that something goes on whose end can't be told: a spinner on a terminal, nothing elsewhere."""
    with console.status(what) if console.is_terminal else nullcontext():
        yield


class Count:
    def __init__(self, num_shards: int, expected: int, noun: str = "pages"):
        self.num_shards, self.expected, self.noun = num_shards, expected, noun
        self.shards = self.samples = self.drops = 0
        self.started = time.monotonic()

    def add(self, report: ShardReport) -> None:
        self.shards += 1
        self.samples += report.num_samples
        self.drops += len(report.drops)

    def said(self) -> str:
        elapsed = time.monotonic() - self.started
        rate = f"{self.samples / elapsed:.1f} {self.noun}/s" if self.samples else "starting"
        dropped = f", {self.drops} dropped" if self.drops else ""
        return f"{self.shards}/{self.num_shards} shards, {self.samples} of about {self.total()} {self.noun}{dropped}, {rate}"

    def total(self) -> int:
        """Pages in all: those made, and for the shards left the guess, corrected by how it has fared so far."""
        guessed_so_far = self.expected * self.shards / self.num_shards
        factor = self.samples / guessed_so_far if self.shards else 1.0
        return self.samples + round((self.expected - guessed_so_far) * factor)

    def left_s(self) -> float:
        return (time.monotonic() - self.started) / self.shards * (self.num_shards - self.shards)


@contextmanager
def _lines(name: str, count: Count) -> Iterator[OnReport]:
    last = time.monotonic()

    def tell(report: ShardReport) -> None:
        nonlocal last
        count.add(report)
        if time.monotonic() - last >= _LINE_EVERY_S or count.shards == count.num_shards:
            last = time.monotonic()
            print(f"{name}: {count.said()}, {count.left_s():.0f} s left", file=sys.stderr, flush=True)

    yield tell
