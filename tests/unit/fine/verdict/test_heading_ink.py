"""How deep headings are by the size of their letters: pages set in real typefaces, whose boxes of lines are loose."""

from dataclasses import replace

import cv2
import numpy
import pymupdf
import pytest

from datagen.engines import OPEN
from datagen.fine.verdict.heading_ink import letter_height, with_heading_levels
from datagen.fine.verdict.judge_page import WeighLabels
from datagen.record import Box, Line, Region, Sample
from tests.inputs.samples import sample

DPI = 150
ZOOM = DPI / 72
BODY = "A line of text that is as long as its column, and as high as the others."
Set = tuple[str, str, float, str]
"""A line's label, its text, its size in points and its typeface."""


def page(*lines: Set, lang: str = "en") -> tuple[Sample, numpy.ndarray]:
    """A page of lines that an engine read, with its picture. Boxes are higher than the letters by a third, or by as much as a
    half, by turns."""
    document = pymupdf.open()
    sheet = document.new_page(width=600, height=40 * len(lines) + 200)
    regions = []
    for n, (label, text, size, face) in enumerate(lines):
        font, writer, y = pymupdf.Font(face), pymupdf.TextWriter(sheet.rect), 60.0 + 40 * n
        writer.append((40, y), text, font=font, fontsize=size)
        writer.write_text(sheet)
        loose = 0.1 + 0.25 * (n % 2)
        top, bottom = y - (0.75 + loose) * size, y + (0.25 + loose) * size
        box = Box(*(round(side * ZOOM) for side in (38, top, 42 + font.text_length(text, size), bottom)))
        regions.append(Region(box, label, text, 0.9, "ppocr", lines=(Line(box, text, direction="ltr"),)))
    pixmap = sheet.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
    gray = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width)
    return sample(size=(pixmap.width, pixmap.height), lang=lang, script="Latn", text="", regions=tuple(regions)), gray


def heads(*lines: Set, lang: str = "en") -> list[str]:
    """The Markdown of the headings; that of those in doubt ends in a question mark."""
    made, unsure = with_heading_levels(*page(*lines, lang=lang))
    return [region.text + "?" * (i in unsure) for i, region in enumerate(made.regions) if region.label != "text" or i in unsure]


def text(size: float = 10) -> Set:
    return "text", BODY, size, "tiro"


def head(said: str, size: float = 12, face: str = "tibo") -> Set:
    return "sub_title", said, size, face


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        ("en", ("Testing", "Topology", "Paging", "A sea")),
        ("ru", ("Обучение с учителем", "Ёлки и Тополя", "Выводы", "Список задач")),
    ],
)
@pytest.mark.parametrize("face", ["tiro", "hebo"])
def test_letters_of_one_size_are_as_high_whatever_they_are_and_however_loose_their_boxes(lang, texts, face):
    made, gray = page(*(head(text, size, face) for size in (12.0, 15.0) for text in texts))
    heights = [letter_height(region.lines[0], gray, lang) for region in made.regions]
    small, large = heights[: len(texts)], heights[len(texts) :]
    assert max(small) < 1.08 * min(small)
    assert max(large) < 1.08 * min(large)
    assert min(large) > 1.08 * max(small)


SECTION, CURVES = head("6.1. Aims"), head("Elliptic curves", 20)
CHAPTERS = head("Chapter 5", 16, "tiro"), head("5", 40, "tiro"), head("Chapter 5", 12, "tiro")


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        # Headings in smaller letters are deeper.
        (
            [head("Testing", 14), text(), head("Network topology"), text(), head("Conclusions", 14), text()],
            ["## Testing", "### Network topology", "## Conclusions"],
        ),
        # Numbers tell depth, and larger headings without one are above them.
        ([head("Conclusions", 16), SECTION, text()], ["## Conclusions", "### 6.1. Aims"]),
        # Sections with Roman numbers are above those with letters, whatever their size.
        (
            [head("A. The first study", face="tiit"), text(), head("III. RESULTS", 10, "tiro"), text()],
            ["### A. The first study", "## III. RESULTS"],
        ),
        # A chapter's number is of its name's rank, whatever their sizes; it takes no title its rank.
        *(
            ([of, CURVES, head("5.1 Why curves"), text()], [f"## {of[1]}", "## Elliptic curves", "### 5.1 Why curves"])
            for of in CHAPTERS[:2]
        ),
        *(([of, ("title", *CURVES[1:]), text()], [f"## {of[1]}", "# Elliptic curves"]) for of in CHAPTERS[1:]),
        # A chapter that has its name lends its rank to no other heading.
        (
            [head("Chapter 5 Elliptic curves", 20), head("Overview"), text(), head("Examples"), text()],
            ["## Chapter 5 Elliptic curves", "### Overview", "### Examples"],
        ),
        # A title no larger than a heading is one, too.
        ([("title", "1. Introduction", 14, "tibo"), text(), head("2. Ways", 14), text()], ["## 1. Introduction", "## 2. Ways"]),
        # A short text in larger letters may be a heading, where there is text to compare it with.
        ([*3 * [text()], ("text", "Network topology", 13, "tiro"), text()], ["Network topology?"]),
        ([*2 * [text()], ("text", "Network topology", 13, "tiro")], []),
        ([*3 * [text()], ("header", "Rule changes", 16, "tibo")], ["Rule changes?"]),
    ],
)
def test_headings_have_their_rank_by_size_and_number(lines, texts):
    assert heads(*lines) == texts


def test_chapters_in_chinese_are_above_their_sections():
    lines = [head(name, size, "china-s") for name, size in (("第一章 总则", 20), ("第一节 规定", 14), ("第二节 其他", 14))]
    made = heads(*lines[:2], text(), lines[2], lang="zh")
    assert made == ["## 第一章 总则", "### 第一节 规定", "### 第二节 其他"]


def test_a_page_in_which_the_depth_of_a_heading_is_not_plain_is_not_trusted():
    for size, is_plain in ((16, True), (14, False)):
        made, gray = page(head("Testing the ways", size), text(), head("Network topology", 13.2), text())
        (result,) = WeighLabels()([replace(made, image=cv2.imencode(".png", gray)[1].tobytes())], OPEN)
        assert ("contradiction_heading" in result.quality.signals) is not is_plain
        assert ("## Testing the ways\n" in result.text and "### Network topology\n" in result.text) is is_plain


def test_what_cannot_be_measured_and_what_the_file_says_stays():
    made, gray = page(head("Testing", 14), text(), head("Network topology"))
    of_file = replace(made, regions=tuple(replace(region, by="pymupdf") for region in made.regions))
    assert with_heading_levels(of_file, gray) == (of_file, [])
    assert with_heading_levels(made, numpy.full_like(gray, 255)) == (made, [])  # no ink
    flat = Line(Box(0, 10, 300, 11), "Testing", direction="ltr")
    assert letter_height(flat, gray, "en") == letter_height(replace(flat, box=Box(0, 0, 0, 0)), gray, "en") == 0
