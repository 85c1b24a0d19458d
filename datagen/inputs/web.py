"""A web server's errors about a file. fsspec says "not found" of a missing file, of a refusal and of a lost server alike."""

import time
from collections.abc import Callable
from typing import TypeVar

import aiohttp

from datagen.record import SampleError

T = TypeVar("T")

_PAUSES_S = (1.0, 4.0)  # before the second and the third try
_GONE = (404, 410)
_NOT_ABOUT_THE_FILE = (407, 408, 421, 425, 429)  # the 4xx about the client, its time and its number of requests


def called(call: Callable[[], T]) -> T:
    """The result of `call`, a call of fsspec's, which is repeated if the server or the network fails. Raises `SampleError`
    (`not_found`, `unreadable`, `bad_uri`) for the server's errors about the file, else `OSError`."""
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
