import io

import numpy
import pytest
from PIL import Image

from datagen.word.small_pictures import small_pictures


def picture(kind: str, size: tuple[int, int]) -> bytes:
    noise = numpy.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), numpy.uint8)
    written = io.BytesIO()
    Image.fromarray(noise).save(written, kind)
    return written.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF"])
def test_pictures_become_small_ones_of_their_own_kind_and_shape(kind: str) -> None:
    small = small_pictures({"word/media/image1.any": picture(kind, (800, 200))})

    with Image.open(io.BytesIO(small["word/media/image1.any"])) as made:
        assert (made.format, made.size) == (kind, (8, 2))


def test_what_is_no_picture_of_pixels_or_is_small_already_stays() -> None:
    parts = {
        "word/document.xml": b"<a/>" * 10_000,
        "word/embeddings/object.bin": b"\xd0\xcf\x11\xe0" * 10_000,
        "word/media/image1.emf": b"\x01\x00\x00\x00" * 10_000,
        "word/media/image2.png": picture("PNG", (10, 10)),
        "word/media/image3.png": picture("PNG", (200, 200))[:20] + b"\0" * 20_000,
    }

    assert set(small_pictures(parts)) <= {"word/media/image3.png"}


def test_a_picture_as_thin_as_a_line_keeps_a_pixel() -> None:
    small = small_pictures({"a.png": picture("PNG", (5000, 1))})

    with Image.open(io.BytesIO(small["a.png"])) as made:
        assert made.size == (8, 1)
