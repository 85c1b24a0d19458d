"""Sheets, and pages in a look that is drawn: lines stand where they are said to, in the order in which they are read."""

import random

import numpy
import pymupdf
import pytest

from datagen.drawing import page_looks
from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Flow, Sheet, columns
from datagen.drawing.typeset import Style
from tests.inputs.udhr import UDHR

FAMILIES = {"Grek": "FreeSerif", "Hebr": "FreeSerif", "Deva": "Noto Serif Devanagari"}
TWO_COLUMNS = Style(family="FreeSerif", columns=2, justify=True)


def prose(script: str, seed: int = 0) -> Prose:
    lang, text = UDHR[script]
    return Prose(lang, [text, text[:60] + text], random.Random(seed))


def page(script: str, seed: int = 0, **how) -> Sheet:
    look = page_looks.style(FAMILIES[script], script, random.Random(seed))
    return page_looks.page(prose(script, seed), script, look, **how)


@pytest.mark.parametrize("script", FAMILIES)
def test_all_ink_stands_in_the_lines_and_all_lines_have_ink(script):
    sheet = page(script)
    dark, regions = sheet.pixels(1.5).min(2) < 160, sheet.in_pixels(1.5, "test")
    assert dark.shape == tuple(round(1.5 * side) for side in sheet.paper_pt[::-1])
    lines = [line for region in regions for line in region.lines]
    assert len(lines) == sheet.num_lines > 20
    for line in lines:
        at = dark[line.box.y0 : line.box.y1, line.box.x0 : line.box.x1]
        inked = numpy.flatnonzero(at.any(axis=0))
        assert len(inked) and inked[0] < 12 and inked[-1] > at.shape[1] - 12, line
        assert (line.direction, line.font) == ("rtl" if script == "Hebr" else "ltr", FAMILIES[script])
    for line in lines:
        dark[max(0, line.box.y0 - 1) : line.box.y1 + 1, max(0, line.box.x0 - 1) : line.box.x1 + 1] = False
    assert not dark.any()


@pytest.mark.parametrize("vertical", [False, True])
def test_a_pdf_and_pixels_show_the_same(vertical):
    sheet = Sheet(prose("Jpan"), (842, 595), vertical=vertical)
    flow = Flow(sheet, columns(60, 50, 722, 545, 2, 28))
    flow.text("title", sheet.prose.heading(14), 18, weight=700, gap=14)
    while not flow.is_full:
        flow.text("text_block", sheet.prose.paragraph(110), 11, leading=1.6)
    assert all(line.direction == ("ttb" if vertical else "ltr") for region in sheet.regions for line in region.lines)
    with pymupdf.open("pdf", sheet.pdf()) as document:
        pixmap = document[0].get_pixmap(dpi=144)
    of_pdf = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width, 3)
    pixels = sheet.pixels(2)
    assert pixels.shape == of_pdf.shape and numpy.corrcoef(pixels.ravel(), of_pdf.ravel())[0, 1] > 0.9
    for region in sheet.in_pixels(2, "test"):
        assert all((pixels[y0:y1, x0:x1] < 128).any() for x0, y0, x1, y1 in (line.box for line in region.lines))


@pytest.mark.parametrize(("script", "first"), [("Grek", 0), ("Hebr", 1)])
def test_columns_fill_from_the_side_where_lines_begin_below_the_title(script, first):
    (sheet,) = [
        sheet
        for seed in range(30)
        if (sheet := page_looks.page(prose(script, seed), script, TWO_COLUMNS)).regions[0].label == "title"
    ][:1]
    title, *others = sheet.regions
    of_lines = [int(line.box[0] + line.box[2] > sheet.size_pt[0]) for region in others for line in region.lines]
    assert of_lines[0] == first and of_lines[-1] == 1 - first and sorted(of_lines, reverse=bool(first)) == of_lines
    assert all(region.box[1] >= title.box[3] for region in others)
    cut = [number for number, region in enumerate(sheet.regions) if region.continues]
    assert all(sheet.regions[number].label == sheet.regions[number + 1].label for number in cut)


def test_right_to_left_lines_end_paragraphs_on_the_right_even_if_they_begin_with_latin():
    sheet = Sheet(prose("Hebr"), family="FreeSerif", rtl=True)
    sheet.text("text", "Debian " + 2 * UDHR["Hebr"][1], 56, 56, 480, 14)
    (region,) = sheet.regions
    rights = [line.box[2] for line in region.lines]
    assert len(region.lines) > 2 and max(rights) - min(rights) < 8
    assert region.lines[0].text.startswith("Debian")


def test_room_is_in_the_next_column_where_this_one_has_none_and_nowhere_once_all_are_full():
    flow = Flow(Sheet(prose("Grek"), family="FreeSerif"), columns(50, 50, 500, 450, 2, 20))
    assert flow.room(300) == (50, 50, 290, 350)
    assert flow.room(300) == (310, 50, 550, 350)
    assert flow.room(101) is None and flow.room(100) == (310, 350, 550, 450)
