"""Typeset pages that calibrate: held-out text in typefaces that only test, with boxes that hold after degradation."""

import io
import json

import numpy
import pytest
from PIL import Image, ImageDraw

from datagen.disk.storage import Folder
from datagen.record import Drop, Sample
from flywheel.labels.typeset_pages import FrozenTexts, TypesetPages, UnsetLines
from flywheel.pools import texts
from flywheel.pools.texts import TextFile, Texts
from tests.inputs.udhr import UDHR


def gathered(script: str, lang: str = "", num_lines: int = 120) -> Texts:
    known, text = UDHR[script]
    words = text.split()
    paragraphs = [" ".join([*words[i:], *words[:i]]) for i in range(len(words))]
    made = texts.gather(lang or known, script, paragraphs, (), 60, 0)
    assert made is not None
    lines = tuple(f"{' '.join(words[i % len(words) :][: 2 + i % 9])} {i}" for i in range(num_lines))
    return Texts(made.lang, script, made.train, lines, {"udhr": 9, "given": 2}, made.families)


def pages(folder, made: Texts, num_lines: int = 600, **values) -> list[Sample]:
    file = TextFile.write(Folder(str(folder)), made)
    (item,) = FrozenTexts((file,)).items()
    return list(TypesetPages(((made.lang, num_lines),), **values).read(item))


def dark(page: Sample) -> numpy.ndarray:
    gray = numpy.asarray(Image.open(io.BytesIO(page.image)).convert("L")).astype(float)
    return gray < numpy.percentile(gray, 50) - 40


@pytest.fixture(scope="module")
def hebrew(tmp_path_factory):
    made = gathered("Hebr", num_lines=240)
    return made, pages(tmp_path_factory.mktemp("text"), made, scans=0.5, long_side=1200)


def test_pages_are_samples_like_those_of_documents(hebrew):
    made, of_lang = hebrew
    assert len({page.key for page in of_lang}) == len(of_lang) >= 2
    for number, page in enumerate(of_lang):
        assert (page.task, page.lang, page.script, page.quality.words_hold) == ("page", "he", "Hebr", True)
        assert page.origin.page == number and page.origin.licence == "public-domain" and page.origin.engines["pango"]
        assert max(page.size) == 1200 == max(Image.open(io.BytesIO(page.image)).size)
        assert page.metadata["typeface"] in made.families.test
        assert page.text and all(region.lines and region.by == "typeset" for region in page.regions)
        json.loads(page.to_json())


def test_only_text_that_tests_is_set_and_all_of_it(hebrew):
    made, of_lang = hebrew
    words = {word for line in made.held_out for word in line.split()}
    numbers = [word for page in of_lang for region in page.regions for word in region.text.split() if word.isdigit()]
    assert {word for page in of_lang for word in page.text.split()} <= words
    assert len(set(numbers)) == len(numbers) > 100


def test_boxes_hold_the_ink_of_renders_and_of_scans(hebrew):
    _, of_lang = hebrew
    assert {page.metadata["look"] for page in of_lang} == {"render", "scan"}
    for page in of_lang:
        mask = Image.new("1", page.size)
        for line in (line for region in page.regions for line in region.lines):
            ImageDraw.Draw(mask).polygon(line.corners, fill=1)
            assert bool(line.polygon) == (page.metadata["look"] == "scan")
            xs, ys = zip(*line.corners, strict=True)
            assert abs(min(xs) - line.box.x0) <= 1 and abs(max(ys) - line.box.y1) <= 1
        ink, inside = dark(page), numpy.asarray(mask)
        assert ink[inside].mean() > 0.03
        assert ink[~inside].mean() < 0.1 * ink[inside].mean()


def test_the_same_text_gives_the_same_pages_and_fewer_lines_fewer_pages(tmp_path, hebrew):
    made, of_lang = hebrew
    again = pages(tmp_path, made, scans=0.5, long_side=1200)
    assert [page.image for page in again] == [page.image for page in of_lang]
    few = pages(tmp_path, made, num_lines=10, long_side=600)
    assert len(few) == 1


def test_text_without_a_line_to_test_is_a_drop(tmp_path):
    (drop,) = pages(tmp_path, gathered("Hebr", num_lines=0))
    assert isinstance(drop, Drop) and drop.reason == "no_text"


def test_a_line_waits_for_a_typeface_that_has_its_letters():
    lines = [("• short", ("A",)), ("a line that is long enough for a paragraph of text", ("B",)), ("other", ("A", "B"))]
    text = UnsetLines("en", lines, "B")
    assert text.heading(34) == "other"
    assert text.paragraph(80) == "a line that is long enough for a paragraph of text"
    assert text.paragraph(80) == text.item() == "" and text.has("A") and not text.has("B")
