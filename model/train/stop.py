"""SIGTERM, with which clusters take a machine back: a training ends its step, writes a checkpoint, and exits."""

import contextlib
import signal
import threading
from collections.abc import Iterator

STOPPED = 128 + signal.SIGTERM  # the exit code, as a shell reports the signal


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
