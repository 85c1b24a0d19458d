"""Encoded images as an index sees them: place, size and identity."""

import base64
import contextlib
import io
import os
import posixpath
import stat
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import xxhash
from PIL import Image

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data.tokens import IMAGE_ERRORS

ENDS = 4096
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_DATA = "data:"


class Look(NamedTuple):
    """An index's facts about an image. `key` is its `identity`, `stamp` its `stamp`."""

    width: int
    height: int
    key: int
    stamp: int


class Unusable(OSError):
    """The storage of an address can't be used: its client or the credentials are missing."""


def is_inline(reference: str) -> bool:
    """Whether an image is a data URL, in the row itself."""
    return reference.startswith(_DATA)


def read_image(folder: Folder, reference: str) -> bytes:
    """The encoded image that a row names: a path in `folder`, an address, or a data URL. Raises `SampleError` if it isn't there,
    and `Unusable`."""
    with _reached(reference):
        if is_inline(reference):
            return base64.b64decode(reference.partition(",")[2], validate=True)
        parent, name = _place(folder, reference)
        return parent.read(name)


def look(folder: Folder, reference: str) -> Look:
    """The facts about an image. Of a file on a local disk only its ends are read. Raises as `read_image`, and `SampleError` if it
    isn't an image."""
    name = reference[:200]
    with _reached(reference):
        path = None if is_inline(reference) else _local(folder, reference)
        if path is not None:
            about = os.stat(path)
            if not stat.S_ISREG(about.st_mode):
                raise SampleError("image_missing", f"{name}: it is no file")
            with open(path, "rb") as file:
                return _look(file, name, about.st_size, _stamp(about))
    data = read_image(folder, reference)
    return _look(io.BytesIO(data), name, len(data), 0)


def stamp(folder: Folder, reference: str) -> int:
    """64 bits that change when a local file is written anew; 0 for other images, and if there is no file."""
    with contextlib.suppress(OSError, ValueError, ImportError):
        if (path := _local(folder, reference)) is not None:
            return _stamp(os.stat(path))
    return 0


def upright_size(source: BinaryIO, name: str) -> tuple[int, int]:
    """(width, height) of an encoded image, turned by its EXIF. Raises `SampleError`."""
    try:
        with Image.open(source) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
    except IMAGE_ERRORS as error:
        raise SampleError("bad_image", f"{name}: {type(error).__name__}: {error}") from error
    return (height, width) if turned else (width, height)


def identity(num_bytes: int, first: bytes, last: bytes) -> int:
    """64 bits that are equal for copies of an image, wherever they are: of its length, and its first and last `ENDS` bytes. Never
    0."""
    return xxhash.xxh3_64_intdigest(first[:ENDS] + last[-ENDS:], seed=num_bytes) or 1


def _look(file: BinaryIO, name: str, num_bytes: int, stamped: int) -> Look:
    width, height = upright_size(file, name)
    file.seek(0)
    first = file.read(ENDS)
    file.seek(max(0, num_bytes - ENDS))
    return Look(width, height, identity(num_bytes, first, file.read(ENDS)), stamped)


def _stamp(about: os.stat_result) -> int:
    return xxhash.xxh3_64_intdigest(f"{about.st_size} {about.st_mtime_ns}".encode()) or 1


def _place(folder: Folder, reference: str) -> tuple[Folder, str]:
    if "://" in reference or os.path.isabs(reference):
        parent, name = posixpath.split(reference)
        return Folder(parent), name
    return folder, reference


def _local(folder: Folder, reference: str) -> str | None:
    parent, name = _place(folder, reference)
    return None if parent.local is None else os.path.join(parent.local, name)


@contextlib.contextmanager
def _reached(reference: str) -> Iterator[None]:
    name = reference[:200]
    try:
        yield
    except (SampleError, Unusable):
        raise
    except (OSError, ValueError) as error:
        what = "" if isinstance(error, OSError) else f": {error}"  # an OSError would repeat the path
        raise SampleError("image_missing", f"{name}: {type(error).__name__}{what[:200]}") from error
    except Exception as error:  # clients of object storage have own exceptions, as for missing credentials
        raise Unusable(f"{name} can't be read: {type(error).__name__}: {error}") from error
