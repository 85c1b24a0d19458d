"""Composed scenes: what a polygon cuts out is what its line says, in every shape, and in the order that people read in."""

import random
import shutil
from pathlib import Path

import cv2
import matplotlib
import numpy
import pytest
from rapidfuzz.distance import Levenshtein

from datagen.drawing.typefaces import text_faces
from datagen.engines import Engines, tesseract
from datagen.page.images import pixels
from datagen.record import SampleError
from datagen.scene import maker
from datagen.scene.maker import Scenes

pytestmark = pytest.mark.skipif(not text_faces(), reason="no typefaces here")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder with the one photograph that a package of PyPI here carries. Nobody looks for text on it."""
    folder = tmp_path_factory.mktemp("photographs")
    shutil.copy(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maker, "has_text", lambda path: False)
        yield str(folder)


def drawings(photographs, count, lang, *kinds):
    maker, made = Scenes(photographs, (lang,), kinds), []
    for number in range(4 * count):
        try:
            made.append(maker.draw(random.Random(f"{lang} {number}")))
        except SampleError as error:
            assert error.reason == "nothing_legible"
        if len(made) == count:
            return made
    raise AssertionError(f"of {4 * count} draws {len(made)} came out")


def cut_out(image, polygon, height=48):
    """What a polygon holds, upright."""
    half = len(polygon) // 2
    above, below = numpy.float32(polygon[:half]), numpy.float32(polygon[half:][::-1])
    length = numpy.hypot(*numpy.diff(above, axis=0).T).sum()
    width = max(8, round(height * length / numpy.hypot(*(above - below).T).mean()))
    places = numpy.linspace(0, half - 1, width)
    top, bottom = (numpy.stack([numpy.interp(places, range(half), edge[:, i]) for i in (0, 1)], 1) for edge in (above, below))
    rows = numpy.linspace(0, 1, height)[:, None, None]
    at = (top[None] * (1 - rows) + bottom[None] * rows).astype(numpy.float32)
    straight = cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(straight, 8, 8, 8, 8, cv2.BORDER_REPLICATE)


@pytest.mark.skipif(
    not tesseract.language("ru"), reason="Tesseract with Russian is not installed: apt-get install tesseract-ocr-rus"
)
def test_a_polygon_cuts_out_what_its_line_says(photographs):
    crops, said = [], []
    for kinds in (("shop", "list"), ("arc", "wave")):
        for drawing in drawings(photographs, 4, "ru", *kinds):
            image = pixels(drawing.image, "L")
            for line in (line for region in drawing.regions for line in region.lines):
                crop = cut_out(image, line.polygon)
                crops.append(crop if numpy.median(crop) > crop.mean() else 255 - crop)  # dark on light
                said.append(line.text)
    with Engines() as engines:
        readings = [text for text, _ in engines.get("tesseract").read(crops, "ru")]
    pairs = [["".join(text.split()).casefold() for text in pair] for pair in zip(readings, said, strict=True)]
    distance = sum(Levenshtein.distance(*pair) for pair in pairs)
    letters = sum(map(len, said))
    assert letters > 100 and distance / letters < 0.2


def test_everything_is_in_the_picture_and_boxes_hold_their_lines(photographs):
    kinds_of = {"en": ("poster", "name"), "he": ("list", "columns"), "ja": ("vertical",), "de": ("arc", "wave")}
    for lang, kinds in kinds_of.items():
        for drawing in drawings(photographs, 2, lang, *kinds):
            width, height = drawing.size
            assert drawing.text == "\n\n".join(region.text for region in drawing.regions)
            for region in drawing.regions:
                assert region.text == "\n".join(line.text for line in region.lines)
                for line in region.lines:
                    assert len(line.polygon) % 2 == 0 and (lang != "de" or len(line.polygon) >= 18)  # where they are bent
                    xs, ys = zip(*line.polygon, strict=True)
                    assert 0 <= min(xs) <= max(xs) <= width and 0 <= min(ys) <= max(ys) <= height
                    assert line.box.x0 <= min(xs) and max(xs) <= line.box.x1 and region.box.x0 <= line.box.x0
                    assert line.box.y0 <= min(ys) and max(ys) <= line.box.y1 and line.box.y1 <= region.box.y1


def test_the_same_chance_draws_the_same_bytes(photographs):
    maker = Scenes(photographs, ("en",), ("shop",))
    assert maker.draw(random.Random("7")) == maker.draw(random.Random("7"))
    assert maker.draw(random.Random("7")).image != maker.draw(random.Random("8")).image


@pytest.mark.parametrize(("word", "values"), [("languages", ("tlh",)), ("kinds", ("neon",)), ("texts", ("novels",))])
def test_what_there_is_not_is_refused(word, values):
    with pytest.raises(ValueError, match=f"{word}={values[0]}: allowed are"):
        Scenes(**{word: values})


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a folder of photographs without text is needed"):
        Scenes(str(tmp_path)).draw(random.Random(0))
