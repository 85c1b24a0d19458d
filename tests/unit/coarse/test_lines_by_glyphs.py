"""The direction of lines, by their letters and by where they stand."""

from datagen.coarse.lines_by_glyphs import draw_persian_digits, read
from datagen.page.line_pieces import Piece

HEBREW = "םולש"  # as it stands from left to right


def piece(text: str, x0: float, y: float) -> Piece:
    glyphs = [(char, x0 + 5.0 * i, x0 + 5.0 * i + 5.0) for i, char in enumerate(text)]
    box = (x0, y, glyphs[-1][2], y + 12)
    return Piece(box, text, "F", 10.0, glyphs=glyphs, baseline=y + 10)


def test_a_line_of_much_latin_at_the_right_margin_has_the_pages_direction():
    body = [piece(f"{HEBREW} {HEBREW} {HEBREW}", 130.0, 20.0 * i) for i in range(3)]
    right, left = piece(f"learning rate - {HEBREW}", 100.0, 80.0), piece(f"learning rate - {HEBREW}", 20.0, 100.0)
    body.append(piece(f"{HEBREW} " * 9 + HEBREW, 20.0, 120.0))
    read(None, [body, [right], [left]], True, True, {})
    assert right.text == f"{HEBREW[::-1]} - learning rate"
    assert left.text == f"learning rate - {HEBREW[::-1]}"


def test_some_fonts_draw_persian_digits_for_others():
    line = {"spans": [{"font": font, "chars": [{"c": "5"}, {"c": "-"}]} for font in ("BNazaninBold", "Calibri", "BNazca")]}
    draw_persian_digits(line)
    assert ["".join(c["c"] for c in span["chars"]) for span in line["spans"]] == ["\u06f5-", "5-", "5-"]
