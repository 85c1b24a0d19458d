"""Encoded images to pixels: JPEG, PNG, WebP, TIFF, in one place. What is damaged, or too large to hold, is a `SampleError`."""

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from typing import Literal

import numpy
import simplejpeg
from PIL import Image, ImageOps

from datagen.record import SampleError

MAX_PIXELS = 100_000_000
"""The most pixels that an image may have: A0 at 300 dpi has 140 million, A1 70. Three bytes each are what decoding takes."""

_AS_IT_IS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "WEBP": ("RGB",)}  # formats and modes that shards take
_ORIENTATION = 0x0112  # EXIF's tag
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
    with _opened(image, MAX_PIXELS) as opened:
        return numpy.asarray(_on_paper(opened).convert(mode))


def num_frames(image: bytes) -> int:
    """The pages of a TIFF. 1 for any other image, since an animation is one picture, and for what can't be opened: decoding it
    will say why."""
    try:
        with _opened(image, MAX_PIXELS) as opened:
            return getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
    except SampleError:
        return 1


def upright(image: bytes, frame: int = 0, max_pixels: int = MAX_PIXELS, long_side: int = 0) -> tuple[bytes, tuple[int, int]]:
    """An image as a file that shards take, and its (width, height): the bytes themselves, if they are an upright and opaque JPEG,
    PNG or WebP in gray or RGB, else one of its frames written anew. So is one whose longer side has more than `long_side` pixels
    (0: it may have any number), with as many. Raises `SampleError` as `pixels`."""
    with _opened(image, max_pixels) as opened:
        is_turned = opened.getexif().get(_ORIENTATION, 1) != 1
        is_large = 0 < long_side < max(opened.size)
        as_it_is = opened.mode in _AS_IT_IS.get(opened.format or "", ()) and not (is_turned or opened.has_transparency_data)
        if as_it_is and not is_large:
            opened.load()  # a file that is cut short raises here, and not in a training
            return image, opened.size
        opened.seek(frame)
        if is_large and opened.format == "JPEG":
            opened.draft(opened.mode, (long_side, long_side))  # decodes at an eighth, a quarter or half of the size
        still = ImageOps.exif_transpose(_on_paper(opened)) if is_turned else _on_paper(opened)
        still = still.convert("L" if still.mode in ("1", "L") else "RGB")
        if is_large:
            still.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
        file = io.BytesIO()
        still.save(file, *(("JPEG",) if opened.format == "JPEG" else ("PNG",)), quality=95)
        return file.getvalue(), still.size


@contextlib.contextmanager
def _opened(image: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """An image that Pillow reads in this block, where what it raises of damaged files is a `SampleError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(image)) as opened:
                _check_size(*opened.size, max_pixels)
                yield opened
    except Image.DecompressionBombError as error:
        raise SampleError("image_too_large", str(error)) from None
    # Pillow's plugins raise all of these on damaged files.
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error) as error:
        raise SampleError("damaged_image", str(error)) from None


def _jpeg(image: bytes, mode: str) -> numpy.ndarray:
    """By libjpeg-turbo alone, which takes half the time that Pillow takes for colour."""
    height, width, *_ = simplejpeg.decode_jpeg_header(image)
    _check_size(width, height, MAX_PIXELS)
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


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise SampleError("image_too_large", f"{width} x {height} pixels, over {max_pixels:,}")
