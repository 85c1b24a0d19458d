"""What happens to an image on paper and before a camera: it follows from the seed, keeps its size, and leaves it legible."""

import numpy
import pytest

from datagen.drawing import wear
from datagen.drawing.line_by_pango import line
from datagen.drawing.worn_pages import Wear, moved, worn
from datagen.record import Box, Line, Region

ON_PAPER = (wear.neighbours, wear.rules, wear.gaps, wear.bleed_through, wear.spread, wear.ground)
SEEN = (wear.light, wear.tone, wear.blur, wear.shake, wear.grain, wear.jpeg, *wear.MOVES)


def clean() -> numpy.ndarray:
    return line("Все люди рождаются", "DejaVu Sans", "ru", 30, 6)[0]


def after(step: wear.Step, pixels: numpy.ndarray, seed: int) -> numpy.ndarray:
    return wear.worn(pixels, numpy.random.default_rng(seed), ((1, step),), 0)[0]


@pytest.mark.parametrize("step", ON_PAPER + SEEN, ids=lambda step: step.__name__)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_step_follows_from_the_seed_and_leaves_the_line_there(step, depth):
    gray = clean() if depth == 1 else numpy.repeat(clean()[:, :, None], 3, 2)
    before = gray.copy()
    made = [after(step, gray, seed) for seed in range(20)]
    assert all(numpy.array_equal(image, after(step, gray, seed)) for seed, image in enumerate(made))
    assert numpy.array_equal(gray, before)
    assert len({image.tobytes() for image in made}) > 10
    for image in made:
        assert image.shape == gray.shape and image.dtype == numpy.uint8
        assert numpy.corrcoef(image.ravel(), gray.ravel())[0, 1] > (0.25 if step in wear.MOVES else 0.6)
        assert int(image.max()) - int(image.min()) > 45


def test_an_image_without_ink_or_a_tiny_one_stays_an_image():
    for shape in ((40, 200), (6, 5), (14, 3), (40, 200, 3), (1, 1, 3)):
        for step in ON_PAPER + SEEN:
            assert after(step, numpy.full(shape, 255, numpy.uint8), 1).shape == shape


def test_each_step_happens_to_its_share_and_none_moves_what_must_stay():
    gray, steps = clean(), ((0.3, wear.invert), (1, wear.tilt))
    made = [wear.worn(gray, numpy.random.default_rng(seed), steps, may_move=False) for seed in range(200)]
    assert 40 < sum(not numpy.array_equal(image, gray) for image, _ in made) < 80
    assert all(numpy.array_equal(matrix, numpy.eye(3)) for _, matrix in made)


def test_a_tilted_image_stays_in_the_picture():
    """A frame along the edge moves inward, so that no text leaves the image."""
    frame = numpy.full((800, 600), 255, numpy.uint8)
    frame[6:-6, 6:-6] = 0
    frame[10:-10, 10:-10] = 255
    for seed in range(20):
        dark = after(wear.tilt, frame, seed) < 128
        assert not dark[0].any() and not dark[-1].any() and not dark[:, 0].any() and not dark[:, -1].any()
        assert dark.sum() / (frame < 128).sum() > 0.8


def test_the_matrix_says_where_each_point_went():
    pixels = numpy.full((800, 600, 3), 255, numpy.uint8)
    marks = [(100, 100), (480, 90), (110, 700), (470, 690)]
    for x, y in marks:
        pixels[y - 6 : y + 7, x - 6 : x + 7] = 0
    steps = ((1, wear.turn), (1, wear.tilt), (1, wear.blur), (1, wear.grain))
    furthest = 0
    for seed in range(6):
        image, matrix = wear.worn(pixels, numpy.random.default_rng(seed), steps, 20)
        for x, y in marks:
            at_x, at_y = (matrix @ (x, y, 1))[:2] / (matrix @ (x, y, 1))[2]
            furthest = max(furthest, abs(at_x - x), abs(at_y - y))
            near = image[round(at_y) - 20 : round(at_y) + 21, round(at_x) - 20 : round(at_x) + 21].mean(2)
            ys, xs = numpy.nonzero(near < (near.min() + numpy.median(near)) / 2)
            assert abs(xs.mean() - 20) < 1.5 and abs(ys.mean() - 20) < 1.5
    assert furthest > 3


def test_worn_pages_have_their_letters_in_their_boxes():
    pixels = numpy.full((900, 700, 3), 255, numpy.uint8)
    box = Box(100, 300, 500, 330)
    pixels[box.y0 : box.y1, box.x0 : box.x1] = 0
    region = Region(box, "text", "a", None, "markup", lines=(Line(box, "a"),))
    seen = set()
    for seed in range(60):
        random = numpy.random.default_rng(seed)
        kind = Wear(0.5, 0.5).drawn(random)
        picture, (after,) = worn(kind, pixels, [region], random, 30)
        seen.add(kind)
        (line,) = after.lines
        middle = picture[(line.box.y0 + line.box.y1) // 2, (line.box.x0 + line.box.x1) // 2].mean()
        outside = picture[line.box.y0 - 25, (line.box.x0 + line.box.x1) // 2].mean()
        assert outside > middle + 30 and len(line.polygon) == 4, (seed, kind)
    assert seen == {"scan", "photograph", "bent photograph"}


def test_moved_boxes_are_around_their_corners():
    region = Region(Box(10, 10, 30, 20), "image", "", None, "markup")
    (after,) = moved([region], lambda places: places[:, ::-1] * 2, (100, 100))
    assert after.box == (20, 20, 40, 60) and after.polygon == ((20, 20), (20, 60), (40, 60), (40, 20))
