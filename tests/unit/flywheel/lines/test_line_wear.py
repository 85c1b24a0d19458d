"""What happens to a line on paper: it follows from the seed, keeps the image's size, and leaves the line legible."""

import numpy
import pytest

from datagen.drawing.line_by_pango import line
from flywheel.lines import line_wear
from flywheel.lines.line_wear import _STEPS

STEPS = [step for step, _ in _STEPS]


def clean() -> numpy.ndarray:
    return line("Все люди рождаются", "DejaVu Sans", "ru", 30, 6)[0]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_follows_from_the_seed_and_leaves_the_line_there(step):
    gray = clean()
    before = gray.copy()
    made = [step(gray, numpy.random.default_rng(seed)) for seed in range(20)]
    again = [step(gray, numpy.random.default_rng(seed)) for seed in range(20)]
    assert numpy.array_equal(gray, before)
    assert all(numpy.array_equal(a, b) for a, b in zip(made, again, strict=True))
    assert len({image.tobytes() for image in made}) > 10
    for image in made:
        assert image.shape == gray.shape and image.dtype == numpy.uint8
        assert numpy.corrcoef(image.ravel(), gray.ravel())[0, 1] > (0.3 if step is line_wear.skewed else 0.6)
        assert int(image.max()) - int(image.min()) > 45


def test_neighbours_stand_at_the_edge_and_gaps_within_the_strokes():
    gray = clean()
    added = gray.astype(int) - line_wear.neighbours(gray, numpy.random.default_rng(0))
    edge = round(0.13 * len(gray))
    assert (added > 60).any() and not added[edge:-edge].any()
    gone = line_wear.broken(gray, numpy.random.default_rng(0)).astype(int) - gray
    assert gone.min() >= -1 and 0.03 < (gone > 100).sum() / (gray < 100).sum() < 0.5


def test_the_other_side_is_fainter_than_the_line():
    gray = numpy.full((40, 200), 255, numpy.uint8)
    gray[10:30, 20:40] = 0
    through = line_wear.bleed_through(gray, numpy.random.default_rng(3))
    assert numpy.array_equal(through[gray == 0], gray[gray == 0])
    assert 100 < through[gray == 255].min() < 250


def test_an_image_without_ink_or_a_tiny_one_stays_an_image():
    for shape in ((40, 200), (6, 5), (14, 3)):
        for step in STEPS:
            assert step(numpy.full(shape, 255, numpy.uint8), numpy.random.default_rng(1)).shape == shape


def test_on_a_page_distances_hang_on_its_lines():
    page = numpy.vstack([clean()] * 30)
    height = len(clean())
    for step in (line_wear.broken, line_wear.bleed_through):
        fine, coarse = (step(page, numpy.random.default_rng(1), line_height) for line_height in (height, 0))
        assert not numpy.array_equal(fine, coarse)
        assert numpy.array_equal(coarse, step(page, numpy.random.default_rng(1), len(page)))
