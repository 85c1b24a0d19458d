"""Pictures as cameras, printers and web sites leave them, made into files that shards take: compared by their pixels."""

import io
import struct

import numpy
import pytest
from PIL import Image, ImageCms, ImageOps

from datagen.page.images import Still, pixels, upright
from datagen.record import SampleError
from tests.inputs.samples import encoded

SIZE = (192, 120)


def quarters(mode: str = "RGB") -> Image.Image:
    """Four colours that tell every turn and mirroring apart."""
    image = Image.new("RGB", SIZE, (200, 30, 40))
    for box, colour in {
        (96, 0, 192, 60): (20, 160, 60),
        (0, 60, 96, 120): (30, 60, 200),
        (96, 60, 192, 120): (230, 220, 40),
    }.items():
        image.paste(colour, box)
    return image.convert(mode)


def distance(still: Still, image: Image.Image) -> float:
    """How far a file's pixels are from an image's on average, in levels of 255; sizes must agree."""
    decoded = pixels(still.image)
    assert still.size == image.size == (decoded.shape[1], decoded.shape[0])
    assert Image.open(io.BytesIO(still.image)).getexif().get(0x0112, 1) == 1
    return float(numpy.abs(decoded.astype(int) - numpy.asarray(image.convert("RGB")).astype(int)).mean())


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("JPEG", "RGB"), ("PNG", "RGBA"), ("TIFF", "RGB")],
)
def test_all_eight_ways_in_which_a_camera_is_held_stand_upright(kind, mode):
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        data = encoded(quarters(mode), kind, exif=exif, quality=95, **({"lossless": True} if kind == "WEBP" else {}))
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        assert (expected.size == SIZE) is (turn < 5)
        assert distance(upright(data), expected) < 2, turn


def test_cmyk_is_not_turned_into_its_negative_with_adobes_marker_and_without():
    data = encoded(quarters("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in data
    plain = quarters("CMYK").convert("RGB")
    assert distance(upright(data), plain) < 5
    inverted = encoded(Image.eval(quarters("CMYK"), lambda value: 255 - value), "JPEG", quality=95)
    start = inverted.index(b"\xff\xee")
    (length,) = struct.unpack(">H", inverted[start + 2 : start + 4])
    without = inverted[:start] + inverted[start + 2 + length :]
    assert b"Adobe" not in without
    assert distance(upright(without), plain) < 5
    assert abs(pixels(without).astype(int) - numpy.asarray(plain)).mean() < 5


def profile(primaries: dict[bytes, tuple[float, float, float]], gamma: float) -> bytes:
    """littlecms' sRGB profile with other primaries (XYZ, D50) and a plain gamma."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", data[128:132])
    for number in range(count):
        name, offset, _ = struct.unpack(">4sII", data[132 + 12 * number : 144 + 12 * number])
        if name in primaries:
            data[offset + 8 : offset + 20] = struct.pack(">3i", *(round(value * 65536) for value in primaries[name]))
        if name in (b"rTRC", b"gTRC", b"bTRC"):  # a parametric curve; of type 0 it is a gamma
            data[offset : offset + 16] = b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(gamma * 65536))
    return bytes(data)


ADOBE_RGB = profile(
    {b"rXYZ": (0.60974, 0.31111, 0.01947), b"gXYZ": (0.20528, 0.62567, 0.06087), b"bXYZ": (0.14919, 0.06322, 0.74457)}, 2.2
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colours_of_a_wide_gamut_are_made_srgb_and_those_of_srgb_stay():
    to_adobe = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(ADOBE_RGB)), "RGB", "RGB"
    )
    as_adobe = ImageCms.applyTransform(quarters(), to_adobe)
    for kind in ("JPEG", "PNG", "WEBP"):
        data = encoded(as_adobe, kind, icc_profile=ADOBE_RGB, quality=95)
        assert distance(Still(data, SIZE), quarters()) > 10, "ignoring the profile shows other colours"
        still = upright(data)
        assert distance(still, quarters()) < 5
        assert "icc_profile" not in Image.open(io.BytesIO(still.image)).info
        data = encoded(quarters(), kind, icc_profile=SRGB, quality=95)
        assert upright(data).image == data
    damaged = encoded(quarters(), "JPEG", icc_profile=ADOBE_RGB[:200])
    assert upright(damaged).image == damaged


def test_whatever_holds_the_pixels_shows_the_same_picture():
    clear = quarters("RGBA")
    clear.putalpha(Image.new("L", SIZE, 128))
    on_white = Image.blend(Image.new("RGB", SIZE, "white"), quarters(), 128 / 255)
    gray = quarters("L")
    indexed = quarters().quantize(4)
    indexed.info["transparency"] = 0
    deep = Image.fromarray(numpy.asarray(gray).astype(numpy.uint16) * 257)
    real = Image.fromarray(numpy.asarray(gray).astype(numpy.float32) / 255)
    holes = numpy.asarray(indexed) == 0
    with_holes = numpy.where(holes[..., None], 255, numpy.asarray(quarters()))
    cases = {
        "alpha": (encoded(clear, "PNG"), on_white),
        "alpha in WebP": (encoded(clear, "WEBP", lossless=True), on_white),
        "gray and alpha": (encoded(clear.convert("LA"), "PNG"), on_white.convert("L")),
        "palette": (encoded(quarters().quantize(4), "PNG"), quarters()),
        "palette with a clear colour": (encoded(indexed, "PNG"), Image.fromarray(with_holes.astype(numpy.uint8))),
        "two colours": (encoded(gray.point(lambda v: 255 * (v > 90)).convert("1"), "PNG"), gray.point(lambda v: 255 * (v > 90))),
        "16 bits": (encoded(deep, "PNG"), gray),
        "floats": (encoded(real, "TIFF"), gray),
        "YCbCr": (encoded(quarters("YCbCr"), "TIFF"), quarters()),
        "JPEG 2000": (encoded(quarters(), "JPEG2000"), quarters()),
    }
    for name, (data, expected) in cases.items():
        assert distance(upright(data), expected) < 3, name


def test_what_is_no_picture_says_what_it_is_and_what_to_do():
    cases = {
        b"<!DOCTYPE html><html><body>404</body></html>": ("other_format", "an HTML page"),
        b"\n <html>": ("other_format", "an HTML page"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n": ("other_format", "PostScript"),
        b'{"error": 403}': ("other_format", "JSON"),
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>': ("unsupported_image", "render it"),
        b"\0\0\0\x18ftypheic" + bytes(40): ("unsupported_image", "pip install pillow-heif"),
        b"\xff\x0a" + bytes(40): ("unsupported_image", "JPEG XL"),
    }
    for data, (reason, words) in cases.items():
        with pytest.raises(SampleError) as error:
            upright(data)
        assert error.value.reason == reason and words in error.value.detail
