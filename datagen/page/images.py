"""Decodes images of any format. A damaged or too large image raises `SampleError`."""

import contextlib
import functools
import importlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy
import simplejpeg
from PIL import Image, ImageChops, ImageCms, UnidentifiedImageError

from datagen.inputs.formats import HEIC
from datagen.page.image_metadata import without_metadata
from datagen.record import SampleError

MAX_PIXELS = 100_000_000
"""The most pixels of an image. A0 at 300 dpi has 140 million, A1 has 70 million. Decoding takes three bytes for each."""

_AS_IT_IS = {"JPEG": ("RGB", "L"), "PNG": ("RGB", "L"), "WEBP": ("RGB",)}  # formats and modes that shards take
_PHOTOGRAPHS = ("JPEG", "MPO", "AVIF", "HEIF")  # what is written anew as a JPEG
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")  # one picture, whatever its frames; a TIFF's are pages, and an MPO's are other views
_READ = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "TIFF", "BMP", "DIB", "AVIF", "HEIF", "JPEG2000", "PPM", "ICO")
_NO_IMAGES = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"<head": "an HTML page",
    b"<?xml": "XML",
    b"{": "JSON",
    b"%pdf": "a PDF",
    b"%!ps": "PostScript",
    b"pk\3\4": "a zip",
    b"\x1f\x8b": "a gzip",
    b"version https://git-lfs": "a pointer of Git LFS, which git lfs pull replaces by the file",
}
# Pillow's plugins raise all of these on damaged files.
_DAMAGE = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error),
)
_VISIBLE = 4.0  # levels of 255
_ORIENTATION = 0x0112  # EXIF's tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transpositions that undo a camera's orientation, by EXIF's number."""
_16_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def pixels(image: bytes, mode: Literal["RGB", "L"] = "RGB") -> numpy.ndarray:
    """The pixels of an encoded image: (H, W, 3) bytes for "RGB", (H, W) for "L", which is gray.

    Transparent pixels become white. EXIF's orientation is ignored, since a record's boxes refer to the stored pixels. Raises
    `SampleError`: `damaged_image`, also if the bytes are no image; `image_too_large` above `MAX_PIXELS`.
    """
    if image.startswith(b"\xff\xd8\xff"):
        try:
            return _jpeg(image, mode)
        except ValueError:  # damaged, or a kind of JPEG that only Pillow reads
            pass
    with _opened(image, MAX_PIXELS) as opened:
        return numpy.asarray(_on_paper(_with_polarity(opened)).convert(mode))


def num_frames(image: bytes) -> int:
    """The number of pages of a TIFF. 1 for any other image, since an animation is one picture. 1 also for an image that can't be
    opened: decoding it will raise the reason."""
    try:
        with _opened(image, MAX_PIXELS) as opened:
            return getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
    except SampleError:
        return 1


class Still(NamedTuple):
    """An image as a file that shards take, its (width, height), and the number of frames of its animation; 1 if it isn't
    animated."""

    image: bytes
    size: tuple[int, int]
    num_frames: int = 1


def upright(image: bytes, frame: int = 0, max_pixels: int = MAX_PIXELS, long_side: int = 0) -> Still:
    """An image as a file that shards take. The data stays as it is if the image is an upright, opaque and unanimated JPEG, PNG or
    WebP in gray or sRGB. Else the frame `frame` is encoded again. An image whose longer side has more than `long_side` pixels is
    reduced to so many (0: no limit). In both cases metadata such as place, time and author are removed (`without_metadata`).

    Images are encoded as JPEG of quality 95 if they came in a photograph's format, else as PNG. A colour profile is applied if it
    changes colours visibly (`_to_srgb`), since training uses only pixels. CMYK without a profile is converted by Pillow. Raises
    `SampleError` like `pixels`.
    """
    with _opened(image, max_pixels) as opened:
        if opened.format == "TIFF":  # Pillow turns it where it is decoded, and no other
            opened.seek(frame)
            opened.load()
        turn = opened.getexif().get(_ORIENTATION, 1)
        turn = turn if turn in _TURNS else 1
        num_frames = getattr(opened, "n_frames", 1) if opened.format in _MOVING else 1
        is_large = 0 < long_side < max(opened.size)
        to_srgb = _to_srgb(opened.info.get("icc_profile") or b"", "CMYK" if opened.mode == "CMYK" else "RGB")
        if opened.mode == "L" or num_frames > 1:  # a profile of gray, or of a palette that was none
            to_srgb = None
        is_plain = opened.mode in _AS_IT_IS.get(opened.format or "", ()) and not opened.has_transparency_data
        if is_plain and turn == 1 and not is_large and num_frames == 1 and to_srgb is None:
            opened.load()  # a file that is cut short raises here, and not in a training
            with contextlib.suppress(ValueError):  # a file with bytes in between is written anew
                return Still(without_metadata(image), opened.size)
        if is_large and opened.format in _PHOTOGRAPHS:
            opened.draft(opened.mode, (long_side, long_side))  # a JPEG is decoded at an eighth, a quarter or half of the size
        still = _on_paper(_with_polarity(opened))
        if still.mode != "CMYK" or to_srgb is None:
            still = still.convert("L" if still.mode in ("1", "L") else "RGB")
        if is_large:
            still.thumbnail((long_side, long_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
        if to_srgb is not None and still.mode != "L":
            still = ImageCms.applyTransform(still, to_srgb) or still
        if turn != 1:
            still = still.transpose(_TURNS[turn])
        file = io.BytesIO()
        kind = "JPEG" if opened.format in _PHOTOGRAPHS else "PNG"
        still.save(file, kind, quality=95, icc_profile=None, comment=b"")
        return Still(file.getvalue(), still.size, num_frames)


@contextlib.contextmanager
def _opened(image: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """An image that Pillow reads in this block, where what it raises of damaged files is a `SampleError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs, of EXIF that is damaged, of formats that didn't match
            with Image.open(io.BytesIO(image), formats=_formats()) as opened:
                _check_size(*opened.size, max_pixels)
                yield opened
    except Image.DecompressionBombError as error:
        raise SampleError("image_too_large", str(error)) from None
    except UnidentifiedImageError:
        raise _no_image(image[:1024]) from None
    except _DAMAGE as error:
        raise SampleError("damaged_image", str(error)) from None


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats that are read: pictures', and none of Pillow's others, of which some start programs, as PostScript does."""
    with contextlib.suppress(ImportError):
        importlib.import_module("pillow_heif").register_heif_opener()  # it need not be there
    Image.init()
    return tuple(name for name in _READ if name in Image.OPEN)


def _no_image(head: bytes) -> SampleError:
    """Why a file that begins so isn't read."""
    brand = head[8:12] if head[4:8] == b"ftyp" else b""
    if brand in (b"avif", b"avis") and "AVIF" not in _formats():
        return SampleError("unsupported_image", "AVIF, which this build of Pillow doesn't read: pip install -U pillow")
    if brand in HEIC and "HEIF" not in _formats():
        return SampleError("unsupported_image", "HEIC: it is read where pillow-heif is installed (pip install pillow-heif)")
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL ")):
        return SampleError("unsupported_image", "JPEG XL: convert it to PNG or JPEG first")
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return SampleError("unsupported_image", "SVG: render it to PNG first")
    for sign, what in _NO_IMAGES.items():
        if start.startswith(sign):
            return SampleError("other_format", f"{what}, whatever it is called")
    return SampleError("damaged_image", "no image that is known here")


def _with_polarity(image: Image.Image) -> Image.Image:
    """A JPEG in CMYK the right way round. Adobe writes the ink inverted, and a marker; Pillow takes all for Adobe's."""
    if image.mode == "CMYK" and image.format in ("JPEG", "MPO") and "adobe" not in image.info:
        return ImageChops.invert(image)
    return image


@functools.lru_cache(maxsize=64)
def _to_srgb(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform | None":
    """The transform from a colour profile to sRGB, for pixels of `mode`. None if there is no profile, or if it is damaged or for
    another mode. None also if RGB changes by less than four of 255 levels on average over all colours, as with sRGB's own
    profiles."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != mode:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode == "RGB":
            levels = numpy.linspace(0, 255, 6).astype(numpy.uint8)
            colours = numpy.stack(numpy.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
            changed = numpy.asarray(ImageCms.applyTransform(Image.fromarray(colours), transform))
            if numpy.abs(changed.astype(int) - colours).mean() < _VISIBLE:
                return None
        return transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None


def _jpeg(image: bytes, mode: str) -> numpy.ndarray:
    """By libjpeg-turbo alone, which takes half the time that Pillow takes for colour."""
    height, width, colours, _ = simplejpeg.decode_jpeg_header(image)
    _check_size(width, height, MAX_PIXELS)
    if colours in ("CMYK", "YCCK"):
        raise ValueError("it shows these as black")
    decoded: numpy.ndarray = simplejpeg.decode_jpeg(image, colorspace="GRAY" if mode == "L" else "RGB")
    return decoded[:, :, 0] if mode == "L" else decoded


def _on_paper(image: Image.Image) -> Image.Image:
    """The image without transparency, and with 8 bits a channel."""
    if image.mode == "F":  # between 0 and 1, or as far as it goes
        values = numpy.nan_to_num(numpy.asarray(image)).clip(0)
        return Image.fromarray((values * (255 / max(1.0, float(values.max(initial=0))))).astype(numpy.uint8))
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
