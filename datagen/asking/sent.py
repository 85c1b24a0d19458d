"""Images as they are sent to a model: a page's file as it is, where it is small enough, else made smaller; a region's crop."""

import io

import numpy
import simplejpeg
from PIL import Image

from datagen.page.images import pixels
from datagen.page.views import smaller
from datagen.record import SampleError

_QUALITY = 92
_SMALLEST, _SLENDER = 32, 50
"""Pixels: vision networks refuse images that are smaller than two of their patches; how many times as long as wide they may
be."""


def page(image: bytes, long_side: int, quarters: int = 0) -> bytes:
    """The page's image with at most `long_side` pixels along its longer side, turned anticlockwise by so many quarters. Raises
    `SampleError` for a damaged image."""
    if not quarters and max(size(image)) <= long_side:
        return image
    return jpeg(numpy.rot90(pixels(image), quarters), long_side)


def jpeg(image: numpy.ndarray, long_side: int) -> bytes:
    """An image, (H, W, 3) RGB bytes, with at most so many pixels along its longer side, as a JPEG."""
    return simplejpeg.encode_jpeg(numpy.ascontiguousarray(smaller(image, long_side)), _QUALITY, "RGB", "444", fastdct=False)


def squeezed(image: numpy.ndarray, size: tuple[int, int]) -> bytes:
    """An image of exactly this (width, height), as a PNG."""
    return _png(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def crop(image: numpy.ndarray) -> bytes:
    """A crop, (H, W) or (H, W, 3) bytes, as a PNG; on white paper if it is smaller than networks take, or more slender."""
    cut = Image.fromarray(numpy.ascontiguousarray(image)).convert("RGB")
    least = max(_SMALLEST, -(-max(cut.size) // _SLENDER))
    if min(cut.size) < least:
        paper = Image.new("RGB", (max(least, cut.width), max(least, cut.height)), "white")
        paper.paste(cut)
        cut = paper
    return _png(cut)


def size(image: bytes) -> tuple[int, int]:
    """The (width, height) of an encoded image, by its head alone. Raises `SampleError` for what is none."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            width, height = opened.size
            return width, height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SampleError("damaged_image", str(error)) from None


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()
