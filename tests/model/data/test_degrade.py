"""Scans and photos of pages: the same for a seed, of the same size, and still legible to the eye of a correlation."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from model.data.degrade import Degradations
from tests.model.lines import LONG

SCAN, CAMERA = Degradations(1, 0), Degradations(0, 1)


def page():
    image = Image.new("RGB", (900, 1200), "white")
    font = ImageFont.truetype("DejaVuSans.ttf", 24)
    for n in range(12):
        ImageDraw.Draw(image).text((60, 80 + 85 * n), LONG[n:], fill="black", font=font)
    return image


def dark(image):
    pixels = np.asarray(image.convert("L"), float)
    return pixels - pixels.mean()


@pytest.mark.parametrize("kind", [SCAN, CAMERA])
def test_a_seed_gives_the_same_image_of_the_same_size(kind):
    image = page()
    first, again, other = (kind(image, seed, True) for seed in (5, 5, 6))
    assert first.size == image.size and first.mode == "RGB"
    assert np.array_equal(first, again) and not np.array_equal(first, other) and not np.array_equal(first, image)


@pytest.mark.parametrize("kind", [SCAN, CAMERA])
def test_what_must_not_move_stays_in_its_place(kind):
    image = page()
    for seed in range(8):
        found = dark(kind(image, seed, False))
        likeness = (found * dark(image)).sum() / np.sqrt((found**2).sum() * (dark(image) ** 2).sum())
        assert likeness > 0.35, seed
        # The ink's own rows and columns are where they were: no shift is a better fit.
        shifted = [(np.roll(found, by, axis) * dark(image)).sum() for by in (-6, 6) for axis in (0, 1)]
        assert (found * dark(image)).sum() > max(shifted)


def test_shares_hold():
    image = Image.new("RGB", (64, 64), "white")
    changed = sum(Degradations(0.3, 0.2)(image, seed, True) is not image for seed in range(400))
    assert 150 < changed < 250
    assert Degradations(0, 0)(image, 1, True) is image
    with pytest.raises(ValueError, match=r"scan is 0.8, camera 0.3"):
        Degradations(0.8, 0.3)


@pytest.mark.parametrize("kind", [SCAN, CAMERA])
@pytest.mark.parametrize("size", [(33_000, 4), (4, 33_000)])
def test_an_image_that_is_longer_than_opencv_takes_stays_as_it_is(kind, size):
    image = Image.new("RGB", size, "white")
    assert all(kind(image, seed, True).size == size for seed in range(4))
