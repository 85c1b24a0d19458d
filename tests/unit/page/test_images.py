"""Encoded images to pixels, whatever their format."""

import io

import numpy
import pytest
from PIL import Image

from datagen.page import images
from datagen.page.images import pixels, upright
from datagen.record import SampleError
from tests.inputs.samples import encoded


def drawn(mode: str = "RGB") -> Image.Image:
    """Red on the left, white on the right, in bands that no format blurs much."""
    image = Image.new("RGB", (64, 32), "white")
    image.paste((200, 0, 0), (0, 0, 32, 32))
    return image.convert(mode)


@pytest.mark.parametrize(
    ("format", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "1"),
                         ("WEBP", "RGB"), ("TIFF", "RGB"), ("TIFF", "L"), ("TIFF", "CMYK")],
)  # fmt: skip
def test_an_image_of_any_format_is_decoded_to_colour_and_to_gray(format, mode):
    data = encoded(drawn(mode), format)
    colour, gray = pixels(data), pixels(data, "L")
    assert (colour.shape, gray.shape) == ((32, 64, 3), (32, 64))
    assert (colour.dtype, gray.dtype) == (numpy.uint8, numpy.uint8)
    assert gray[:, :24].mean() + 60 < gray[:, 40:].mean()
    assert colour[:, 40:].min() > 240


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF"])
def test_a_damaged_image_is_a_bad_sample(format):
    noise = Image.fromarray(numpy.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=numpy.uint8))
    data = encoded(noise, format)
    for damaged in (data[: len(data) // 2], data[:20], b"", b"no image at all"):
        with pytest.raises(SampleError, match="damaged_image"):
            pixels(damaged)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_a_bomb_is_refused_before_it_is_decoded(format, monkeypatch):
    data = encoded(Image.new("L", (4000, 4000)), format)
    assert len(data) < 20_000_000
    monkeypatch.setattr(images, "MAX_PIXELS", 10_000_000)
    monkeypatch.setattr(images, "_on_paper", None)
    monkeypatch.setattr(images.simplejpeg, "decode_jpeg", None)
    with pytest.raises(SampleError, match="image_too_large: 4000 x 4000 pixels"):
        pixels(data)


@pytest.mark.parametrize(
    ("format", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "1"), ("PNG", "I;16"), ("TIFF", "L")]
)
def test_a_large_image_is_scaled_down_to_its_longer_side_and_a_small_one_is_not_scaled_up(format, mode):
    large = drawn("L").convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else drawn(mode)
    data = encoded(large.resize((1600, 800)), format)
    image, size, _ = upright(data, long_side=200)
    assert size == Image.open(io.BytesIO(image)).size == (200, 100)
    gray = pixels(image, "L")
    assert gray[:, :90].mean() + 60 < gray[:, 110:].mean()
    assert upright(data, long_side=1600)[1] == upright(data)[1] == (1600, 800)
