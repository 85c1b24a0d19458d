"""One event loop for all that this process asks, on a thread of its own: connections outlive the call that opened them."""

import asyncio
import functools
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def begin(work: Coroutine[Any, Any, T]) -> "Future[T]":
    """Starts `work` on the loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop())


def on_loop(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises, on the loop. If this thread is interrupted, `work` is called off."""
    future = begin(work)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="asking", daemon=True).start()
    return loop


os.register_at_fork(after_in_child=_loop.cache_clear)  # a process that is forked has the loop, and not its thread
