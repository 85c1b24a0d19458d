"""Encoded images as an index sees them: how large they are, and what tells one from another, without decoding them."""

from typing import BinaryIO

import xxhash
from PIL import Image

from datagen.record import SampleError
from model.data.tokens import IMAGE_ERRORS

ENDS = 4096
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)


def upright_size(source: BinaryIO, name: str) -> tuple[int, int]:
    """(width, height) of an encoded image, turned as its EXIF says. Raises `SampleError`."""
    try:
        with Image.open(source) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TURNED
    except IMAGE_ERRORS as error:
        raise SampleError("bad_image", f"{name}: {type(error).__name__}: {error}") from error
    return (height, width) if turned else (width, height)


def identity(num_bytes: int, first: bytes, last: bytes) -> int:
    """64 bits that are the same for copies of an image, wherever they lie: of its length, and its first and last `ENDS` bytes.
    Never 0."""
    return xxhash.xxh3_64_intdigest(first[:ENDS] + last[-ENDS:], seed=num_bytes) or 1
