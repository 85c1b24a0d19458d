"""What a web server says of a file. fsspec says "not found" of a file that is gone, of a refusal and of a server that is lost."""

import time
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from datagen.record import SampleError

T = TypeVar("T")

_PAUSES_S = (1.0, 4.0)  # before the second and the third try
_GONE = (404, 410)
_NOT_ABOUT_THE_FILE = (407, 408, 421, 425, 429)  # of 4xx: about who asks, when, and how often


def called(call: Callable[[], T]) -> T:
    """What `call`, a call of fsspec's, returns; called again where the server fails, or the way to it.

    Raises `SampleError` (`not_found`, `unreadable`, `bad_uri`) for what the server says of the file, else `OSError`.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            return call()
        except (aiohttp.ClientError, TimeoutError, FileNotFoundError) as error:
            failure = error.__cause__ if isinstance(error, FileNotFoundError) else error
            if failure is None:
                raise SampleError("not_found", "404") from None
            _raise_about_the_file(failure)
            if pause_s is None:
                raise OSError(f"{type(failure).__name__}: {failure}") from None
        time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


def _raise_about_the_file(failure: BaseException) -> None:
    if isinstance(failure, aiohttp.InvalidURL):
        raise SampleError("bad_uri", str(failure)) from None
    if isinstance(failure, aiohttp.ClientResponseError):
        detail = f"{failure.status} {failure.message}"
        if failure.status in _GONE:
            raise SampleError("not_found", detail) from None
        if 300 <= failure.status < 500 and failure.status not in _NOT_ABOUT_THE_FILE:
            raise SampleError("unreadable", detail) from None
