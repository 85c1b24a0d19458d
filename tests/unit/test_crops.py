"""Lines on their way to training: framed anew, degraded, or set in another typeface; the same for the same seed."""

import numpy
import pytest
import simplejpeg

from datagen.record import Box
from flywheel import typefaces
from flywheel.crops import Crop, degraded
from flywheel.typefaces import typeset

WORDS = "Все люди ґрунт ђак"


def crop(text: str = WORDS) -> Crop:
    pixels, box = typeset(text, numpy.random.default_rng(1))
    jpeg = simplejpeg.encode_jpeg(numpy.ascontiguousarray(pixels)[:, :, None], 90, "GRAY")
    return Crop("k", "ru", "Cyrl", text, jpeg, box)


def test_a_text_is_set_in_many_faces_and_always_inside_its_box():
    seen = set()
    for seed in range(30):
        pixels, box = typeset(WORDS, numpy.random.default_rng(seed))
        ink = pixels < 128
        assert ink.any()
        assert ink[box.y0 : box.y1].sum() > 0.97 * ink.sum()
        assert 24 <= box.y1 - box.y0 <= 52
        seen.add(pixels.tobytes())
    assert len(seen) > 20


@pytest.mark.parametrize("text", ["한국어", "đường", "Ελληνικά ός"])
def test_other_scripts_have_faces_too(text):
    assert typeset(text, numpy.random.default_rng(0)) is not None


def test_no_face_no_line():
    assert typeset("a\U0010ffff", numpy.random.default_rng(0)) is None
    assert len(typefaces.sha256()) == 64


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_degradation_follows_from_the_seed_and_leaves_the_line_legible(share):
    line = crop()
    for seed in range(40):
        first, again = (degraded(line, numpy.random.default_rng(seed), share) for _ in range(2))
        assert numpy.array_equal(first, again)
        assert first.dtype == numpy.uint8
        assert first.shape[0] >= 14
        assert 3 < first.shape[1] / first.shape[0] < 40
        assert int(first.max()) - int(first.min()) > 40
    assert not numpy.array_equal(degraded(line, numpy.random.default_rng(1)), degraded(line, numpy.random.default_rng(2)))


def test_a_line_is_cut_with_its_margin():
    line = crop()
    height = line.box.y1 - line.box.y0
    assert line.line(0.1).shape[0] == pytest.approx(1.2 * height, abs=2)
    assert Crop("k", "ru", "Cyrl", "a", line.image, Box(0, 0, 10, 10)).line(0.5).shape == (15, 15)
