"""What benchmarks share: the options of their command lines, and what time and processor time something takes."""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil


def options(head: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """A command line with an option `--NAME` for each of `defaults`, of its default's type; one that is False is a switch.
    `--help` prints the benchmark's `head`, its docstring."""
    parser = argparse.ArgumentParser(description=head, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in defaults.items():
        kind: dict[str, Any] = {"action": "store_true"} if default is False else {"type": type(default), "default": default}
        parser.add_argument(f"--{name.replace('_', '-')}", **kind)
    return parser


def spent_s() -> float:
    """Processor seconds of this process and of all that it started."""
    this = psutil.Process()
    times = [process.cpu_times() for process in (this, *this.children(recursive=True))]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def seconds(work: Callable[[], object]) -> float:
    """By the clock, once a CUDA device has done what it was given before, until it has done this."""
    started = _done_at()
    work()
    return _done_at() - started


def best(work: Callable[[], object], turns: int) -> float:
    """The fewest seconds of so many turns."""
    return min(seconds(work) for _ in range(turns))


def _done_at() -> float:
    torch = sys.modules.get("torch")  # where it isn't loaded, no device has anything to do
    if torch is not None and torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()
