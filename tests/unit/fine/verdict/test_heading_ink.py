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


@pytest.mark.parametrize(
    ("lang", "texts"),
    [
        ("en", ("Testing", "Topology", "Paging", "A sea")),
        ("cs", ("Přehled a ukázky", "Užití", "Říp leží blízko", "Závěr")),
        ("ru", ("Обучение с учителем", "Ёлки и Тополя", "Выводы", "Список задач")),
    ],
)
@pytest.mark.parametrize("face", ["tiro", "tibo", "helv", "hebo"])
def test_letters_of_one_size_are_as_high_whatever_they_are_and_however_loose_their_boxes(lang, texts, face):
    made, gray = page(*(("sub_title", text, size, face) for size in (12.0, 15.0) for text in texts))
    heights = [letter_height(region.lines[0], gray, lang) for region in made.regions]
    small, large = heights[: len(texts)], heights[len(texts) :]
    assert max(small) < 1.08 * min(small)
    assert max(large) < 1.08 * min(large)
    assert min(large) > 1.08 * max(small)


def test_headings_in_smaller_letters_are_deeper():
    lines = ("sub_title", "Testing", 14, "tibo"), text(), ("sub_title", "Network topology", 12, "tibo"), text()
    assert heads(*lines, ("sub_title", "Conclusions", 14, "tibo"), text()) == [
        "## Testing",
        "### Network topology",
        "## Conclusions",
    ]


def test_numbers_tell_depth_and_larger_headings_without_one_are_above_them():
    section = ("sub_title", "6.1. Aims", 12, "tibo")
    assert heads(("sub_title", "Conclusions", 16, "tibo"), section, text()) == ["## Conclusions", "### 6.1. Aims"]
    assert heads(section, text(), ("sub_title", "6.1.2 Ways", 12, "tibo"), text()) == ["### 6.1. Aims", "#### 6.1.2 Ways"]
    one = ("sub_title", "1. Why curves", 12, "tibo")
    assert heads(("sub_title", "Elliptic curves", 17, "tibo"), text(), one) == ["## Elliptic curves", "### 1. Why curves"]


def test_sections_with_roman_numbers_are_above_those_with_letters_whatever_their_size():
    first, second = ("sub_title", "A. The first study", 12, "tiit"), ("sub_title", "III. RESULTS", 10, "tiro")
    assert heads(first, text(), second, text()) == ["### A. The first study", "## III. RESULTS"]
    assert heads(("sub_title", "C. The third study", 10, "tibo"), text()) == ["## C. The third study"]
    ninth = [("sub_title", f"{letter}. The study of it", 12, "tiit") for letter in "HI"]
    assert heads(("sub_title", "II. RESULTS", 12, "tiro"), text(), *ninth) == [
        "## II. RESULTS",
        "### H. The study of it",
        "### I. The study of it",
    ]


def test_a_chapters_number_is_of_its_names_rank_whatever_their_sizes():
    name, section = ("sub_title", "Elliptic curves", 20, "tibo"), ("sub_title", "5.1 Why curves", 12, "tibo")
    for first in (("sub_title", "Chapter 5", 16, "tiro"), ("sub_title", "5", 40, "tiro")):
        assert heads(first, name, section, text()) == [f"## {first[1]}", "## Elliptic curves", "### 5.1 Why curves"]


def test_a_chapter_that_has_its_name_lends_its_rank_to_no_other_heading():
    overview, examples = ("sub_title", "Overview", 12, "tibo"), ("sub_title", "Examples", 12, "tibo")
    lines = ("sub_title", "Chapter 5 Elliptic curves", 20, "tibo"), overview, text(), examples, text()
    assert heads(*lines) == ["## Chapter 5 Elliptic curves", "### Overview", "### Examples"]
    chapter, first, second = (
        ("sub_title", name, size, "china-s") for name, size in (("第一章 总则", 20), ("第一节 规定", 14), ("第二节 其他", 14))
    )
    assert heads(chapter, first, text(), second, lang="zh") == ["## 第一章 总则", "### 第一节 规定", "### 第二节 其他"]


def test_a_chapters_number_takes_no_title_its_rank():
    for first in (("sub_title", "5", 40, "tiro"), ("sub_title", "Chapter 5", 12, "tiro")):
        assert heads(first, ("title", "Elliptic curves", 20, "tibo"), text())[1] == "# Elliptic curves"


def test_a_heading_of_several_lines_is_as_high_as_most_of_them():
    made, gray = page(
        ("sub_title", "Network topology", 12, "tibo"), ("sub_title", "I", 12, "tibo"), ("sub_title", "Aims", 16, "tibo"), text()
    )
    first, rest, *others = made.regions
    two = replace(first, text="Network topology I", lines=(*first.lines, *rest.lines))
    levels = with_heading_levels(replace(made, regions=(two, *others)), gray)[0]
    assert [region.text for region in levels.regions[:2]] == ["### Network topology I", "## Aims"]


def test_a_page_in_which_the_depth_of_a_heading_is_not_plain_is_not_trusted():
    second = ("sub_title", "Network topology", 13.2, "tibo")
    for size, is_plain in ((16, True), (14, False)):
        made, gray = page(("sub_title", "Testing the ways", size, "tibo"), text(), second, text())
        (result,) = WeighLabels()([replace(made, image=cv2.imencode(".png", gray)[1].tobytes())], OPEN)
        assert ("contradiction_heading" in result.quality.signals) is not is_plain
        assert ("## Testing the ways\n" in result.text and "### Network topology\n" in result.text) is is_plain


def test_a_title_no_larger_than_a_heading_is_one_too():
    lines = ("title", "1. Introduction", 14, "tibo"), text(), ("sub_title", "2. Ways", 14, "tibo"), text()
    assert heads(*lines) == ["## 1. Introduction", "## 2. Ways"]
    assert heads(("title", "On ways", 20, "tibo"), *lines[1:])[0] == "# On ways"


@pytest.mark.parametrize(
    "other",
    [
        ("sub_title", "Network topology", 13.2, "tibo"),  # in nearly the same size
        ("sub_title", "Network topology", 14, "tiro"),  # in the same size, not in bold
    ],
)
def test_headings_of_which_the_rank_is_not_plain_are_in_doubt(other):
    assert sum(head.endswith("?") for head in heads(("sub_title", "Testing the ways", 14, "tibo"), text(), other, text())) == 2
    numbered = ("sub_title", "2. Testing the ways", 14, "tibo"), text(), (other[0], f"2.1 {other[1]}", *other[2:]), text()
    assert not any(head.endswith("?") for head in heads(*numbered))


def test_a_short_text_in_larger_letters_may_be_a_heading():
    lines = text(), text(), text(), ("text", "Network topology", 13, "tiro"), text()
    assert heads(*lines) == ["Network topology?"]
    assert heads(*lines[:3], ("text", "Network topology", 10, "tiro")) == []
    assert heads(*lines[:2], lines[3]) == []  # too little to compare with
    assert heads(*lines[:3], ("header", "Rule changes", 16, "tibo")) == ["Rule changes?"]
    assert heads(*lines[:3], ("header", "Rule changes", 11, "tibo")) == ["Rule changes"]


@pytest.mark.parametrize(
    ("heading", "is_plain"),
    [("Der Vorstand", True), ("2. Der Vorstand", True), ("2.1 Der Vorstand", False), ("DER VORSTAND", False)],
)
def test_a_heading_in_the_very_type_of_the_text_may_be_none(heading, is_plain):
    lines = text(), text(), text(), ("sub_title", heading, 10, "tiro"), text()
    assert heads(*lines)[0].endswith("?") is is_plain
    for size, face in ((10, "tibo"), (12, "tiro")):
        assert not heads(*lines[:3], ("sub_title", heading, size, face))[0].endswith("?")


def test_what_cannot_be_measured_and_what_the_file_says_stays():
    made, gray = page(("sub_title", "Testing", 14, "tibo"), text(), ("sub_title", "Network topology", 12, "tibo"))
    of_file = replace(made, regions=tuple(replace(region, by="pymupdf") for region in made.regions))
    assert with_heading_levels(of_file, gray) == (of_file, [])
    assert with_heading_levels(made, numpy.full_like(gray, 255)) == (made, [])  # no ink
    flat = Line(Box(0, 10, 300, 11), "Testing", direction="ltr")
    assert letter_height(flat, gray, "en") == letter_height(replace(flat, box=Box(0, 0, 0, 0)), gray, "en") == 0
