"""A picture, and what it may be: both sides of the sandbox know it."""

import hashlib
from typing import NamedTuple

from datagen.page.images import upright
from datagen.pictures.descriptions import Detected
from datagen.record import SampleError


class Bounds(NamedTuple):
    """What an image may be: its shortest side and most pixels, its file's most bytes, and what a longer side is scaled down to
    (0: nothing)."""

    min_side: int
    max_pixels: int
    max_bytes: int
    long_side: int


class Picture(NamedTuple):
    """An image and what is said of it. `sha256` is of the image's file, in hex; `metadata` has the names of `metadata.py`,
    the licence among them; `detected` are the objects that its row of a table has."""

    image: bytes
    size: tuple[int, int]
    sha256: str
    caption: str
    metadata: dict[str, str]
    detected: Detected | None = None


def picture_of(encoded: bytes, frame: int, bounds: Bounds, caption: str, metadata: dict[str, str]) -> Picture:
    """An image's file as a picture. Raises `SampleError`: `image_too_small`, and as `upright` does."""
    still = upright(encoded, frame, bounds.max_pixels, bounds.long_side)
    if min(still.size) < bounds.min_side:
        raise SampleError("image_too_small", f"{still.size[0]} x {still.size[1]}, a side needs {bounds.min_side} at least")
    if still.num_frames > 1:
        metadata = metadata | {"num_frames": str(still.num_frames)}
    return Picture(still.image, still.size, hashlib.sha256(encoded).hexdigest(), caption, metadata)
