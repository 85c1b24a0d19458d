"""Pages drawn to pixels: lines stand where they are said to, in the order in which they are read."""

import numpy
import pytest

from datagen.drawing.sheet import Block, draw
from datagen.drawing.typeset import Style
from tests.inputs.udhr import UDHR

STYLE = Style(family="FreeSerif", columns=2)


def page(script: str, blocks: int = 40, family: str = "FreeSerif", **style):
    lang, text = UDHR[script]
    set_blocks = [
        Block(" ".join(text.split()[:4]), "title", 20, 700),
        *(Block(text, "text", 10, indent_pt=8, gap_pt=4) for _ in range(blocks)),
    ]
    is_rtl = script in ("Arab", "Hebr")
    return draw(set_blocks, lang, Style(**{"family": family, "columns": 2, "justify": True} | style), 1200, is_rtl)


@pytest.mark.parametrize("script", ["Grek", "Hebr", "Deva"])
def test_all_ink_stands_in_the_lines_and_all_lines_have_ink(script):
    sheet = page(script, family="FreeSerif" if script != "Deva" else "Noto Serif Devanagari")
    dark = sheet.gray < 128
    for block in sheet.blocks:
        for line in block.lines:
            at = dark[line.box.y0 : line.box.y1, line.box.x0 : line.box.x1]
            columns = numpy.flatnonzero(at.any(axis=0))
            assert len(columns) and columns[0] < 12 and columns[-1] > at.shape[1] - 12, line
            assert line.direction == ("rtl" if script == "Hebr" else "ltr")
    for block in sheet.blocks:
        for line in block.lines:
            dark[max(0, line.box.y0 - 1) : line.box.y1 + 1, max(0, line.box.x0 - 1) : line.box.x1 + 1] = False
    assert not dark.any()


def test_a_full_page_ends_where_there_is_no_room_and_asks_for_no_more():
    lang, text = UDHR["Grek"]
    asked = []

    def blocks():
        for number in range(500):
            asked.append(number)
            yield Block(text, "text", 10)

    sheet = draw(blocks(), lang, STYLE, 1200, False)
    assert 10 < len(asked) < 60
    assert max(line.box.y1 for block in sheet.blocks for line in block.lines) <= 1200 * (1 - 56 / 842) + 2


def test_columns_fill_from_the_side_where_lines_begin_below_the_title():
    for script, first in (("Grek", 0), ("Hebr", 1)):
        sheet = page(script)
        title, *others = sheet.blocks
        middle = sheet.gray.shape[1] / 2
        columns = [int(line.box.x0 + line.box.x1 > 2 * middle) for block in others for line in block.lines]
        assert columns[0] == first and columns[-1] == 1 - first and sorted(columns, reverse=bool(first)) == columns
        assert all(line.box.y0 >= title.lines[0].box.y1 for block in others for line in block.lines)
        cut = [block for block in sheet.blocks if block.continues]
        assert all(block.block is sheet.blocks[sheet.blocks.index(block) + 1].block for block in cut)


def test_right_to_left_lines_end_paragraphs_on_the_right_even_if_they_begin_with_latin():
    text = "Debian " + 2 * UDHR["Hebr"][1]
    sheet = draw([Block(text, "text", 14)], "he", Style(family="FreeSerif"), 1200, True)
    rights = {line.box.x1 for line in sheet.blocks[0].lines}
    assert len(sheet.blocks[0].lines) > 2 and max(rights) - min(rights) < 8
    assert sheet.blocks[0].lines[0].text.startswith("Debian")


def test_text_that_no_font_has_is_refused():
    with pytest.raises(ValueError, match="no installed font"):
        draw([Block("a\U0010ffff", "text", 10)], "en", STYLE, 600, False)


def test_pictures_have_room_between_blocks_and_none_where_there_is_no_room():
    lang, text = UDHR["Grek"]
    words = Block(text, "text", 10, gap_pt=4)
    room, too_high = Block("", "chart", 0, gap_pt=6, space_pt=200), Block("", "chart", 0, space_pt=3000)
    sheet = draw([words, room, words, too_high, *[words] * 30], lang, Style(family="FreeSerif", columns=2), 1200, False)
    assert [block.block.label for block in sheet.blocks[:4]] == ["text", "chart", "text", "text"]
    assert all((block.room is None) == bool(block.lines) for block in sheet.blocks)
    (x0, y0, x1, y1), zoom = sheet.blocks[1].room, 1200 / STYLE.height_pt
    assert abs((y1 - y0) - 200 * zoom) <= 2 and abs((x1 - x0) - STYLE.column_width_pt * zoom) <= 2
    assert (sheet.gray[y0:y1, x0:x1] == 255).all()
    assert not any(block.block is too_high for block in sheet.blocks) and sheet.num_lines > 60
