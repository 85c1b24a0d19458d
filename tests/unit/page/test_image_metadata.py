"""What a shard's image says beside its pixels: neither a place nor a name. The bytes of its pixels stay."""

import io
import struct
import zlib

import numpy
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from datagen.page.image_metadata import without_metadata
from datagen.page.images import upright
from tests.inputs.samples import encoded

GPS, NAME = 0x8825, 0x013B
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>52.5163 N</x:xmpmeta>"
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0cJane Doe, 52"
SECRET = (b"Jane Doe", b"52.5163", b"GPSLatitude", b"Exif\0\0")


def drawn() -> Image.Image:
    return Image.fromarray(numpy.arange(40 * 60 * 3).reshape(40, 60, 3).astype(numpy.uint8))


def exif(turn: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[NAME], data[0x0112] = "Jane Doe", turn
    data[GPS] = {1: "N", 2: (52.0, 30.0, 59.0), 3: "E", 4: (13.0, 22.0, 39.0)}
    return data


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg(**values) -> bytes:
    """A progressive JPEG with all that cameras and programs write, with filling between, and a second picture behind its end."""
    data = encoded(drawn(), "JPEG", exif=exif(), comment=b"Jane Doe", progressive=True, **values)
    return data[:2] + segment(0xE1, XMP) + b"\xff" + segment(0xED, IPTC) + segment(0xE2, b"MPF\0....") + data[2:] + b"Jane Doe"


def png() -> bytes:
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    info.add_text("Author", "Jane Doe")
    info.add_itxt("XML:com.adobe.xmp", "52.5163 N", zip=True)
    drawn().save(file, "PNG", exif=exif(), pnginfo=info)
    return file.getvalue() + b"Jane Doe"


def webp(**values) -> bytes:
    return encoded(drawn(), "WEBP", exif=exif(), xmp=XMP, lossless=True, **values)


@pytest.mark.parametrize("make", [jpeg, png, webp])
def test_no_place_and_no_name_is_written_and_no_pixel_changes(make):
    before = make()
    image, size, _ = upright(before)
    assert size == (60, 40) and len(image) < len(before) and not any(secret in image for secret in SECRET)
    with Image.open(io.BytesIO(image)) as after, Image.open(io.BytesIO(before)) as original:
        assert after.format == original.format and not after.getexif() and not after.info.get("comment")
        assert not {"exif", "xmp", "Author", "photoshop", "XML:com.adobe.xmp"} & set(after.info)
        assert (numpy.asarray(after) == numpy.asarray(original)).all()
    assert upright(image).image == image  # there is nothing more to take out


def test_what_decoding_needs_stays():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image in (without_metadata(jpeg(icc_profile=profile)), without_metadata(webp(icc_profile=profile))):
        with Image.open(io.BytesIO(image)) as opened:
            assert opened.info["icc_profile"] == profile
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01")
    assert adobe in without_metadata(b"\xff\xd8" + adobe + jpeg()[2:])


def test_a_file_that_is_not_built_as_its_format_says_is_written_anew_or_refused():
    whole = jpeg()
    for damaged in (whole[:2] + b"junk" + whole[2:], whole[:30], png()[:50], b"GIF89a", b"\xff\xd8"):
        with pytest.raises(ValueError, match=r"."):
            without_metadata(damaged)
    # Bytes between a JPEG's segments: decoders pass over them.
    start = whole.index(b"\xff\xdb")
    image, size, _ = upright(whole[:start] + b"Jane Doe" + whole[start:])
    assert size == (60, 40) and not any(secret in image for secret in SECRET)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 9) + b"IDAT" + b"short" + struct.pack(">I", zlib.crc32(b""))
    with pytest.raises(ValueError, match="longer than the file"):
        without_metadata(data[:-1])
