"""SIGTERM, with which clusters take a machine back: a training ends its step, writes a checkpoint, and exits."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

STOPPED = 128 + signal.SIGTERM  # the exit code, as a shell reports the signal

# Called again and again within what takes long. It raises `Stopped` once the training has been told to stop.
GoesOn = Callable[[], None]


class Stopped(Exception):
    """A measurement was given up, because the training has been told to stop."""


def always() -> None:
    """Never raises."""


@contextlib.contextmanager
def terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, where this is the process's main thread."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


def until(asked: threading.Event) -> GoesOn:
    """What goes on until the event is set."""

    def goes_on() -> None:
        if asked.is_set():
            raise Stopped

    return goes_on
