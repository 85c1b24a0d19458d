"""Encoded images to pixels: JPEG, PNG, WebP, TIFF, in one place. What is damaged, or too large to hold, is a `SampleError`."""

import io
import struct
import warnings
from typing import Literal

import numpy
import simplejpeg
from PIL import Image

from datagen.record import SampleError

MAX_PIXELS = 100_000_000
"""The most pixels that an image may have: A0 at 300 dpi has 140 million, A1 70. Three bytes each are what decoding takes."""

_16_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def pixels(image: bytes, mode: Literal["RGB", "L"] = "RGB") -> numpy.ndarray:
    """The pixels of an encoded image: (H, W, 3) bytes for "RGB", (H, W) for "L", which is gray.

    What is transparent shows white paper. A turn that EXIF asks for is not made, since a record's boxes are of the pixels as they
    are stored. Raises `SampleError`: `damaged_image`, also for what is no image, and `image_too_large` for one of more than
    `MAX_PIXELS`.
    """
    if image.startswith(b"\xff\xd8\xff"):
        try:
            return _jpeg(image, mode)
        except ValueError:  # of a kind that only Pillow reads, or damaged
            pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image)) as opened:
                _check_size(*opened.size)
                return numpy.asarray(_on_paper(opened).convert(mode))
    except Image.DecompressionBombError as error:
        raise SampleError("image_too_large", str(error)) from None
    # Pillow's plugins raise all of these on damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error) as error:
        raise SampleError("damaged_image", str(error)) from None


def _jpeg(image: bytes, mode: str) -> numpy.ndarray:
    """By libjpeg-turbo alone, which takes half the time that Pillow takes for colour."""
    height, width, *_ = simplejpeg.decode_jpeg_header(image)
    _check_size(width, height)
    decoded: numpy.ndarray = simplejpeg.decode_jpeg(image, colorspace="GRAY" if mode == "L" else "RGB")
    return decoded[:, :, 0] if mode == "L" else decoded


def _on_paper(image: Image.Image) -> Image.Image:
    """The image without transparency, and with 8 bits a channel."""
    if image.mode in _16_BIT:  # Pillow cuts off what is over 255
        values = numpy.asarray(image).astype(numpy.int64)
        return Image.fromarray((values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255).astype(numpy.uint8))
    if not image.has_transparency_data:
        return image
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise SampleError("image_too_large", f"{width} x {height} pixels, over {MAX_PIXELS:,}")
