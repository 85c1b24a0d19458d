"""Columns laid down: turned for Mongolian, cut into characters and set side by side for Chinese and Japanese."""

from dataclasses import replace

import numpy
import pytest
import simplejpeg

from datagen.drawing.line_by_pango import line
from datagen.engines import OPEN
from datagen.record import Box
from datagen.writing.vertical_lines import along, cells, laid, stands
from flywheel.labels import detected_lines, line_readings
from tests.inputs.samples import page_sample

MONGOLIAN = "ᠬᠦᠮᠦᠨ ᠪᠦᠷ ᠲᠥᠷᠥᠵᠦ ᠮᠡᠨᠳᠡᠯᠡᠬᠦ ᠡᠷᠬᠡ"
SIZE = 32


def mongolian(text: str = MONGOLIAN, margin: int = 12) -> tuple[numpy.ndarray, Box]:
    return line(text, "Noto Sans Mongolian", "mn-Mong", SIZE, margin)


def column(text: str, pitch: int, width: int = 36) -> tuple[numpy.ndarray, int]:
    """Each character in its cell of `pitch` rows, one below the other, with a little paper at both ends, as detectors
    leave; and how many rows are missing above."""
    drawn = numpy.full((pitch * len(text), width), 255, numpy.uint8)
    for number, char in enumerate(text):
        glyph, _ = line(f"言{char}", "Noto Serif CJK JP", "ja", SIZE, 0, of_column=True)  # both stand in one height
        glyph = glyph[:, SIZE:]
        top, left = pitch * number + max(0, (pitch - glyph.shape[0]) // 2), (width - glyph.shape[1]) // 2
        drawn[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph[: len(drawn) - top]
    rows = numpy.flatnonzero((drawn < 128).any(axis=1))
    return numpy.pad(drawn[rows[0] : rows[-1] + 1], ((3, 3), (0, 0)), constant_values=255), int(rows[0]) - 3


def test_columns_are_of_scripts_that_have_some_and_much_higher_than_wide():
    tall = Box(0, 0, 20, 300)
    assert stands(tall, "Mong") and stands(tall, "Jpan")
    assert not stands(tall, "Cyrl") and not stands(tall, "Kore") and not stands(Box(0, 0, 300, 20), "Mong")
    assert along(Box(1, 20, 3, 40)) == Box(20, 1, 40, 3)


def test_a_mongolian_column_is_turned_so_that_it_begins_on_the_left():
    drawn, box = mongolian()
    height = drawn.shape[0]
    standing = numpy.rot90(drawn, -1)
    gray, inner = laid(standing, Box(height - box.y1, box.x0, height - box.y0, box.x1), "Mong")
    assert numpy.array_equal(gray, drawn) and inner == box


@pytest.mark.parametrize("pitch", [33, 46])
@pytest.mark.parametrize("text", ["諸国間の友好関係の発展を", "よって、ここに、国連総会は、"])
def test_characters_that_stand_upright_are_cut_where_one_ends(text, pitch):
    drawn, above = column(text, pitch)
    cut = cells(drawn)
    assert len(cut) == len(text) + 1
    middles = [pitch * number - above for number in range(1, len(text))]  # between two cells
    assert max(abs(row - middle) for row, middle in zip(cut[1:-1], middles, strict=True)) <= pitch / 4


def test_they_are_set_side_by_side_with_paper_around_them():
    standing = numpy.pad(255 - column("言語文字", 34)[0], 6)  # white on black
    height, width = standing.shape
    gray, inner = laid(standing, Box(6, 6, width - 6, height - 6), "Hans")
    assert (inner.x0, inner.y0, inner.x1 - inner.x0) == (6, 6, 4 * (width - 12))
    assert gray.shape == (inner.y1 + 6, inner.x1 + 6)
    assert gray[:6].max() == gray[:, :6].max() == 0  # black paper
    assert gray.astype(int).sum() == pytest.approx(standing.astype(int).sum(), rel=0.01)


@pytest.mark.parametrize("text", ["自由、正義及び平和。基礎", "もって、ちょっとつくった。"])
def test_commas_and_stops_stand_where_a_line_has_them_and_small_kana_stay(text):
    standing, _ = column(text, 34)
    gray, inner = laid(standing, Box(0, 0, standing.shape[1], standing.shape[0]), "Jpan")
    width = (inner.x1 - inner.x0) // len(text)
    for number, char in enumerate(text):
        cell = gray[inner.y0 : inner.y1, inner.x0 + number * width : inner.x0 + (number + 1) * width] < 128
        rows, columns = numpy.flatnonzero(cell.any(axis=1)), numpy.flatnonzero(cell.any(axis=0))
        if char in "、。":
            assert rows.min() > 0.4 * cell.shape[0] and columns.max() < 0.6 * width
        elif char in "っょ":
            assert columns.max() > 0.6 * width
    ((read, _),) = OPEN.get("ppocr").read([gray])
    assert read == text


def vertical_page() -> tuple[numpy.ndarray, list[Box]]:
    """A page with three columns, and their boxes."""
    page, boxes = numpy.full((700, 500), 255, numpy.uint8), []
    for number, text in enumerate((MONGOLIAN, "ᠠᠳᠠᠯᠢᠬᠠᠨ ᠨᠡᠷᠡ ᠲᠥᠷᠥ ᠲᠡᠢ", "ᠤᠬᠠᠭᠠᠨ ᠨᠠᠨᠳᠢᠨ ᠴᠢᠨᠠᠷ")):
        standing = numpy.rot90(mongolian(text, 0)[0], -1)
        height, width = standing.shape
        x0 = 100 + 90 * number
        page[60 : 60 + height, x0 : x0 + width] = standing
        boxes.append(Box(x0, 60, x0 + width, 60 + height))
    return page, boxes


def test_columns_of_a_page_go_to_the_readers_laid_down():
    gray, boxes = vertical_page()
    page = replace(
        page_sample("a", "", lang="mn-Mong", script="Mong"),
        image=simplejpeg.encode_jpeg(gray[:, :, None], colorspace="GRAY"),
        size=(500, 700),
    )
    samples = list(detected_lines.DetectLines()([page], OPEN))
    lines = sorted((detected_lines.line_of(sample) for sample in samples), key=lambda of: of.box.x0)
    assert len(lines) == 3 and all(of.stands for of in lines)
    for of, box in zip(lines, boxes, strict=True):
        assert max(abs(a - b) for a, b in zip(of.box, box, strict=True)) < 12
        seen = of.view(line_readings.FRAMES[0].margin)
        assert seen.shape[1] > 4 * seen.shape[0]
        assert line_readings.unfit(of.inner, "ᠬᠦᠮᠦᠨ") == "" and line_readings.unfit(of.box, "ᠬᠦᠮᠦᠨ") == "turned"
        # It begins on the left: the ink of the view's first third is that of the column's first third.
        third = (box.y1 - box.y0) // 3
        assert (seen[:, : seen.shape[1] // 3] < 128).sum() == pytest.approx(
            (gray[box.y0 : box.y0 + third, box.x0 : box.x1] < 128).sum(), rel=0.3
        )
