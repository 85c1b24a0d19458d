"""The direction of lines, by their letters and by where they stand."""

from dataclasses import replace

import pymupdf
import pytest

from datagen.coarse.lines_by_glyphs import draw_persian_digits, read
from datagen.coarse.page import rendered
from datagen.page.line_pieces import Piece

HEBREW = "םולש"  # as it stands from left to right


def piece(text: str, x0: float, y: float) -> Piece:
    glyphs = [(char, x0 + 5.0 * i, x0 + 5.0 * i + 5.0) for i, char in enumerate(text)]
    box = (x0, y, glyphs[-1][2], y + 12)
    return Piece(box, text, "F", 10.0, glyphs=glyphs, baseline=y + 10)


def test_a_line_of_much_latin_goes_with_the_lines_around_it():
    """In two columns no line of the left one stands at the page's right."""
    body = [piece(f"{HEBREW} {HEBREW} {HEBREW}", 30.0, 20.0 * i) for i in range(3)]
    body += [piece(f"{HEBREW} " * 3 + HEBREW, 200.0, 20.0 * i) for i in range(3)]
    near, far = piece(f".Relational Mapping {HEBREW}", -20.0, 55.0), piece(f"Relational Mapping {HEBREW}", -15.0, 95.0)
    read(None, [body, [near], [far]], True, True, {})
    assert near.text == f"{HEBREW[::-1]} Relational Mapping."
    assert far.text == f"Relational Mapping {HEBREW[::-1]}"


def test_code_says_nothing_of_the_direction_that_a_heading_of_commands_has():
    body = [piece(f"{HEBREW} {HEBREW} {HEBREW}", 100.0, 20.0 * i) for i in range(3)]
    code = [replace(piece("\\put(1,0){\\line(0,1)}" * 3, 20.0, 200.0 + 20 * i), mono_share=1.0) for i in range(9)]
    heading, number = piece(f"\\line {HEBREW[0]} \\put", 130.0, 80.0), piece("6.2", 190.0, 80.0)
    read(None, [body, code, [heading, number]], True, True, {})
    assert heading.text == f"\\put {HEBREW[0]} \\line" and heading.from_right


def test_a_page_whose_only_paragraph_has_more_code_than_words_has_no_margins():
    words, code = piece(f"{HEBREW} {HEBREW}", 130.0, 20.0), replace(piece("\\put(1,0)" * 9, 20.0, 40.0), mono_share=1.0)
    read(None, [[words, code]], True, True, {})
    assert (words.text, code.text) == (f"{HEBREW[::-1]} {HEBREW[::-1]}", "\\put(1,0)" * 9)


def test_some_fonts_draw_persian_digits_for_others():
    line = {"spans": [{"font": font, "chars": [{"c": "5"}, {"c": "-"}]} for font in ("BNazaninBold", "Calibri", "BNazca")]}
    draw_persian_digits(line)
    assert ["".join(c["c"] for c in span["chars"]) for span in line["spans"]] == ["\u06f5-", "5-", "5-"]


@pytest.mark.parametrize("font", ["helv", "cour"])
def test_the_image_says_which_way_a_bracket_opens(font):
    with pymupdf.open() as doc:
        page = doc.new_page(width=300, height=300)
        page.insert_text((30, 50), "( ) [ ] { } x I", fontname=font, fontsize=10)
        view = rendered(doc, 0, 700, 1000)
        boxes = [(c["c"], c["bbox"]) for b in page.get_text("rawdict")["blocks"] for c in b["lines"][0]["spans"][0]["chars"]]
        looks = {char: view.opens((box[0], 41, box[2], 53)) for char, box in boxes if char != " "}
        far = view.opens((-20.0, 0.0, -10.0, 20.0)), view.opens((200.0, 200.0, 210.0, 220.0))
    assert looks == {"(": 1, ")": -1, "[": 1, "]": -1, "{": 1, "}": -1, "x": 0, "I": 0}
    assert far == (0, 0)


def test_brackets_are_written_as_the_image_has_them():
    """PowerPoint's fonts of one name: the file says of both glyphs of `(V10)` the same."""
    line = piece(f"(V10( {HEBREW}", 30.0, 40.0)
    with pymupdf.open() as doc:
        page = doc.new_page(width=300, height=300)
        for char, x in (("(", 30.0), (")", 50.0)):
            page.insert_text((x, 50), char, fontname="cour", fontsize=8)
        read(rendered(doc, 0, 700, 1000), [[line]], True, True, {})
    assert line.text == f"{HEBREW[::-1]} (V10)"
