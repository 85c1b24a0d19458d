"""What `text_layer` promises of a label, on pages whose text is known before they are typeset."""

import math
import random
import unicodedata
from pathlib import Path

import pymupdf
import pytest
from rapidfuzz.distance import Levenshtein

from datagen.page import glyphs as pdf_glyphs
from datagen.page import line_pieces
from datagen.page.line_order import reading_order
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import paragraphs
from datagen.page.visual_lines import visual_lines
from tests.inputs.pdfs import LATIN, assemble, one_page
from tests.inputs.typeset import typeset
from tests.inputs.udhr import UDHR
from tests.opened import read

# Drawn, but not there for a reader: what chooses a form of a letter, or allows a break.
UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u180e"))


def texts(pdf: bytes | Path) -> list[str]:
    return [line.text for region in read(pdf).regions for line in region.lines]


def drawn(draw) -> bytes:
    """A page on which `draw` has drawn, as a PDF."""
    with pymupdf.open() as doc:
        draw(doc.new_page(width=595, height=842))
        return doc.tobytes()


def placed(
    *words: tuple[float, float, str], font: str = "helv", size: float = 10, spacing: float = 0, rules: tuple = ()
) -> bytes:
    """Text at places, each a text object of its own; `spacing` is between characters, in points. Rules go from point to point."""

    def draw(page):
        f = pymupdf.Font(font)
        for x, y, text in words:
            writer = pymupdf.TextWriter(page.rect)
            for char in text if spacing else [text]:
                writer.append((x, y), char, font=f, fontsize=size)
                x += f.text_length(char, size) + spacing
            writer.write_text(page)
        for start, end in rules:
            page.draw_line(start, end, width=0.7)

    return drawn(draw)


# Bounds in percent of characters, where MuPDF tells less than what is in the file: of /ActualText, only a part of a cluster.
WRONG = {"Deva": 1.6, "Gran": 2.5}


@pytest.mark.parametrize("script", UDHR)
def test_every_script_comes_out_as_it_went_in(script):
    lang, text = UDHR[script]
    document = typeset([text], lang)
    truth = [plain(line.text) for line in document.pages[0].lines]
    found = [plain(line) for line in texts(document.pdf)]
    if script in WRONG:
        error = 100 * Levenshtein.normalized_distance("\n".join(truth), "\n".join(found))
        assert error <= WRONG[script]
    else:
        assert found == truth


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).translate(UNSEEN).split())


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("ar", "صدر الإصدار 18 من Debian Linux (12.5) في عام 2024، والإصدار ١٩ بعده."),
        ("ar", "بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ ٱلرَّحِيمِ"),
        ("he", "גרסה 18 של Debian Linux (12.5) יצאה בשנת 2024, ב-10:30 (שעון ישראל) [א]."),
        ("fa", "می‌خواهم ۵۰٪ از آن را «به‌زودی» بخوانم."),
    ],
)
def test_right_to_left_text_is_in_logical_order(lang, text):
    (line,) = read(typeset([text], lang).pdf).regions[0].lines
    assert plain(line.text) == plain(text)
    assert line.direction == "rtl"


BOTTOM_UP = [(60.0, 100.0 + 14 * i, f"{i} all human beings are born free and equal") for i in range(12)]


@pytest.mark.parametrize(
    ("words", "values", "lines"),
    [
        ([(72, 100, "THE QUICK BROWN FOX")], {"spacing": 2}, ["THE QUICK BROWN FOX"]),
        ([(72, 100, "one  two\u00a0three   four")], {}, ["one two three four"]),
        (BOTTOM_UP[::-1], {}, [text for *_, text in BOTTOM_UP]),
        # A space that is a text object of its own, as many files write them: where words stand close, nothing else tells of it.
        ([(72, 100, "close"), (94.5, 100, " "), (95.5, 100, "words")], {}, ["close words"]),
        ([(72, 100, "close"), (95.5, 100, "words")], {}, ["closewords"]),
        # The last line of a right-to-left paragraph may be Latin alone.
        ([(72, 100, "שלום"), (72, 300, ".WPF")], {}, ["םולש", "WPF."]),
        ([(72, 100, "close"), (72, 300, ".WPF")], {}, ["close", ".WPF"]),
    ],
)
def test_words_and_lines_are_told_by_their_places(words, values, lines):
    assert texts(placed(*words, **values)) == lines


def columns(lines: int = 8, title: bool = False) -> list[tuple[float, float, str]]:
    """Two columns of prose, drawn row by row."""
    words = LATIN.split()
    rows: list[tuple[float, float, str]] = (
        [(60, 60, "A title that goes right across both of the columns of this page")] if title else []
    )
    for i in range(lines):
        for column, x in enumerate((60, 320)):
            rows.append((x, 100 + 14 * i, f"{'LR'[column]}{i} " + " ".join(words[k % len(words)] for k in range(i, i + 7))[:42]))
    return rows


def test_columns_drawn_row_by_row_are_read_one_after_the_other():
    found = texts(placed(*columns(title=True)))
    assert found[0].startswith("A title")
    assert [line[:2] for line in found[1:]] == [f"{c}{i}" for c in "LR" for i in range(8)]


def test_columns_in_the_right_order_stay_and_so_do_tables():
    right = sorted(columns(), key=lambda row: row[0])
    assert [line[:2] for line in texts(placed(*right))] == [f"{c}{i}" for c in "LR" for i in range(8)]
    cells = [(60 + 150 * k, 100 + 14 * i, f"cell {i} {k}") for i in range(8) for k in range(3)]
    assert texts(placed(*cells)) == [text for *_, text in cells]
    terms = [
        (x, 100 + 14 * i, t) for i in range(8) for x, t in ((60, f"term {i}"), (160, f"{i} explains what this term means here"))
    ]
    assert texts(placed(*terms)) == [text for *_, text in terms]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_rotated_page_and_lines_at_an_angle_keep_text_and_boxes(rotation):
    def draw(page):
        page.insert_text((100, 400), "upward it goes", rotate=90)
        page.insert_text((200, 200), "downward it goes", rotate=270)
        page.insert_text((300, 300), "on its head", rotate=180)
        page.insert_text((300, 500), "at a slant", morph=(pymupdf.Point(300, 500), pymupdf.Matrix(30)))
        page.insert_text((100, 700), "level")
        page.set_rotation(rotation)

    pdf = drawn(draw)
    assert sorted(texts(pdf)) == sorted(["upward it goes", "downward it goes", "on its head", "at a slant", "level"])
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        page = doc[0]
        zoom = 1920 / max(page.rect.width, page.rect.height)
        dark = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csGRAY)
        boxes = [line.box for region in read(pdf).regions for line in region.lines]
        for box in boxes:
            assert any(dark.pixel(x, y)[0] < 128 for x in range(box.x0, box.x1) for y in range(box.y0, box.y1))


def test_vertical_text_is_read_from_the_right_and_ruby_apart():
    font = pymupdf.Font("japan")
    lines = "すべての人間は生まれながらにして自由", "であり尊厳と権利とについて平等である"
    ruby = "にんげん", "そんげん"

    def draw(page):
        for x, y, column, size in (
            *((400, 100, lines[0], 12), (412, 142, ruby[0], 6)),
            *((378, 100, lines[1], 12), (390, 118, ruby[1], 6)),
        ):
            writer = pymupdf.TextWriter(page.rect)
            for number, char in enumerate(column):
                writer.append((x, y + number * size), char, font=font, fontsize=size)
            writer.write_text(page)

    text, annotating = read(drawn(draw)).regions
    assert {line.direction for line in (*text.lines, *annotating.lines)} == {"ttb"}
    assert [tuple(line.text for line in region.lines) for region in (text, annotating)] == [lines, ruby]


def test_vertical_fonts_say_that_they_are(tmp_path):
    content = b"BT /F 20 Tf 300 700 Td <4E0080054EBA> Tj ET BT /F 20 Tf 260 700 Td <4EBA4E008005> Tj ET"
    fonts = [
        b"<</Type/Font/Subtype/Type0/BaseFont/HeiseiMin-W3/Encoding/UniJIS-UCS2-V/DescendantFonts[6 0 R]>>",
        b"<</Type/Font/Subtype/CIDFontType0/BaseFont/HeiseiMin-W3/CIDSystemInfo<</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>"
        b"/FontDescriptor 7 0 R>>",
        b"<</Type/FontDescriptor/FontName/HeiseiMin-W3/Flags 4/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 880/Descent -120"
        b"/CapHeight 700/StemV 80>>",
    ]
    lines = [
        line
        for region in read(assemble(tmp_path / "a.pdf", one_page(content, "/Font<</F 5 0 R>>", *fonts))).regions
        for line in region.lines
    ]
    assert [(line.text, line.direction) for line in lines] == [("一者人", "ttb"), ("人一者", "ttb")]


def test_text_drawn_twice_for_boldness_stands_once():
    pdf = placed((72, 100, "Bold heading"), (72.3, 100, "Bold heading"), (72, 120, "Bold heading"))
    assert texts(pdf) == ["Bold heading", "Bold heading"]
    assert read(pdf).signals["doubled_share"] == pytest.approx(1 / 3)


def test_hostile_places_raise_nothing(tmp_path):
    content = (
        b"BT /T 12 Tf 1e38 0 0 1e38 0 0 Tm (huge) Tj ET BT /T 12 Tf 0 0 0 0 72 700 Tm (none) Tj ET "
        b"BT /T 0 Tf 72 600 Td (\\350\\351 x) Tj ET BT /T 12 Tf 1 0 0 1 72 500 Tm 9e30 Tc (far apart) Tj ET "
        b"BT /T 12 Tf 0 0 3 1 72 400 Tm (QZQZ) Tj ET"
    )
    pdf = assemble(tmp_path / "a.pdf", one_page(content, "/Font<</T 5 0 R>>", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"))
    assert not set("QZ") & set("".join(texts(pdf)))


def test_no_place_or_size_of_a_glyph_raises_anything():
    draw = random.Random(0)
    letters = "ab שלم لاً́ 一か  ກາ க்ொ \u00ad(1)."
    numbers = (0.0, 1.0, 5.0, 5.0, 12.0, -3.0, 1e-30, 1e30)
    for _ in range(300):
        size = draw.choice((0.0, 1e-30, 10.0, 1e30))
        blocks = []
        for _ in range(3):
            pieces = []
            for _ in range(draw.randint(1, 12)):
                x0, y0, x1, y1 = (draw.choice(numbers) * draw.random() for _ in range(4))
                text = "".join(draw.choices(letters, k=draw.randint(1, 9))).strip("\u00ad") or "a"
                glyphs = [(c, *draw.choices((*numbers, math.inf, math.nan), k=2)) for c in text]
                direction = draw.choice([(1.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
                baseline = draw.choice((*numbers, math.inf, math.nan))
                is_vertical = draw.random() < 0.2
                pieces.append(Piece((x0, y0, x1, y1), text, "", size, direction, is_vertical, 0, glyphs, baseline))
            blocks.append(pieces)
        for piece in blocks[0]:
            pdf_glyphs.spaced(piece.glyphs, size)
            pdf_glyphs.read_rtl(pdf_glyphs.clusters_by_place(piece.glyphs, size), True)
        blocks, _ = line_pieces.without_doubles(blocks)
        blocks = line_pieces.whole_clusters(line_pieces.joined_rows(blocks, lambda box: True), lambda box, width: True)
        blocks = line_pieces.with_ruby_apart(line_pieces.stacked(blocks))
        blocks = reading_order(visual_lines(blocks, True, lambda box: True), False)
        if size:  # text without any is left out before
            paragraphs(blocks, True)
