"""A visual line is one line, whatever its gaps; what stands beside it in another column or cell is not in its region."""

import itertools

import pymupdf
import pytest

from datagen.drawing.typefaces import files
from datagen.page.visual_lines import leaders_as_one
from tests.opened import read
from tests.pipeline.page.test_right_to_left import drawn, placed, texts

LOOKS = [("helv", 8.0), ("tiro", 12.0)]
WORDS = (
    "river table number letter window garden market bridge summer winter yellow orange silver copper forest island harbour "
    "valley village station captain doctor teacher student painter sailor farmer soldier basket bottle button candle carpet"
).split()


def regions(pdf: bytes) -> list[list[str]]:
    return [[line.text for line in region.lines] for region in read(pdf).regions]


def length(text: str, font: str, size: float) -> float:
    return pymupdf.Font(font).text_length(text, size)


def justified(first: int, x: float, y: float, width: float, font: str, size: float) -> list[tuple[float, float, str]]:
    """As many of the words as fill a line, each at its place: the gaps between them are equal."""
    words = WORDS[first : first + 2]
    while length(" ".join([*words, WORDS[first + len(words)]]), font, size) < width:
        words.append(WORDS[first + len(words)])
    lengths = [length(word, font, size) for word in words]
    gap = (width - sum(lengths)) / (len(words) - 1)
    return [(x + sum(lengths[:k]) + k * gap, y, word) for k, word in enumerate(words)]


@pytest.mark.parametrize("pitch", [1.0, 1.13])
@pytest.mark.parametrize("width", [13, 19])
@pytest.mark.parametrize(("font", "size"), LOOKS)
def test_justified_lines_are_whole_and_their_columns_apart_whether_or_not_they_share_baselines(font, size, width, pitch):
    """Also in narrow columns, whose spaces are wide."""
    pieces, columns = [], []
    for column in range(2):
        x, leading = 80 + column * (width + 2.5) * size, 1.25 * size * (pitch if column else 1)
        rows = [justified((5 * column + 3 * i) % 20, x, 100 + i * leading, width * size, font, size) for i in range(20)]
        columns.append([" ".join(word for _, _, word in row) for row in rows])
        pieces += [piece for row in rows for piece in row]
    lines_of_regions = regions(placed(*pieces, font=font, size=size))
    assert [line for region in lines_of_regions for line in region] == [*columns[0], *columns[1]]
    assert len(columns[0]) in itertools.accumulate(map(len, lines_of_regions))


@pytest.mark.parametrize("sign", ["\u2022", "-", "*", "1.", "1)", "(a)", "[1]"])
@pytest.mark.parametrize("gap", [0.9, 2.5])
@pytest.mark.parametrize(("font", "size"), LOOKS)
def test_an_item_is_one_line_with_its_sign_however_wide_the_gap(font, size, gap, sign):
    pieces, lines = [], []
    for i in range(5):
        own, x, y = sign.replace("1", str(i + 1)).replace("a", "abcde"[i]), 72 + (1.2 + gap) * size, 100 + 2.6 * size * i
        first, second = " ".join(WORDS[5 * i : 5 * i + 5]), " ".join(WORDS[5 * i + 5 : 5 * i + 7])
        pieces += [(72, y, own), (x, y, first), (x, y + 1.3 * size, second)]
        lines += [f"{own} {first}", second]
    assert texts(placed(*pieces, font=font, size=size)) == lines


@pytest.mark.parametrize("leader", [". ", ".", "\u00b7 ", " . "])
@pytest.mark.parametrize(("font", "size"), LOOKS)
def test_an_entry_of_contents_is_one_line_with_its_leaders_and_page(font, size, leader):
    pieces, lines = [], []
    for i in range(16):
        is_chapter = i % 6 == 0  # without leaders
        label, title, page = f"{i // 6 + 1}.{i % 6}"[: 1 if is_chapter else 3], " ".join(WORDS[i : i + 1 + i % 4]), str(9 + 7 * i)
        y, start = 90 + 1.5 * size * i, 72 + 3.3 * size
        after = start + length(title, font, size) + 0.9 * size
        dots = (leader * int((500 - after) / length(leader, font, size))).strip()
        last = 520 - length(page, font, size)
        at = last - size - length(dots, font, size)
        pieces += [(last, y, page), (72, y, label), (start, y, title), *([] if is_chapter else [(at, y, dots)])]
        lines.append(f"{label} {title} {page}" if is_chapter else f"{label} {title} ..... {page}")
    assert texts(placed(*pieces, font=font, size=size)) == lines


@pytest.mark.parametrize("is_ruled", [True, False])
@pytest.mark.parametrize("align", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("font", "size"), LOOKS)
def test_cells_are_apart_wherever_they_stand_in_their_columns(font, size, align, is_ruled):
    rows = [[" ".join(WORDS[(5 * i + 11 * k) % 30 :][: 1 + (i + k) % 3]) for k in range(3)] for i in range(8)]
    pitch, lefts = 1.7 * size, [60 + 14 * size * k for k in range(4)]
    pieces = [
        (lefts[k] + align * (12 * size - length(cell, font, size)), 100 + pitch * i, cell)
        for i, row in enumerate(rows)
        for k, cell in enumerate(row)
    ]
    top, bottom = 100 - size, 100 - size + 8 * pitch
    rules = [((x - size, top), (x - size, bottom)) for x in lefts]
    rules += [((lefts[0] - size, top + i * pitch), (lefts[3] - size, top + i * pitch)) for i in range(9)]
    lines_of_regions = regions(placed(*pieces, font=font, size=size, rules=tuple(rules) if is_ruled else ()))
    assert lines_of_regions == [[cell] for row in rows for cell in row]


@pytest.mark.parametrize("size", [8.0, 11.0])
def test_lines_of_code_are_whole_however_far_their_words_stand_apart(size):
    rows = [WORDS[4 * i : 4 * i + 4] for i in range(8)]
    stops = [72 + 0.6 * size * stop for stop in (0, 14, 26, 38)]
    pieces = [(x, 100 + 1.2 * size * i, word) for i, row in enumerate(rows) for x, word in zip(stops, row, strict=True)]
    assert texts(placed(*pieces, font="cour", size=size)) == [" ".join(row) for row in rows]


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_line_from_top_to_bottom_is_whole_across_gaps_of_characters(gap):
    columns = ["".join(chr(0x4E10 + 40 * k + 3 * i) for i in range(12)) for k in range(6)]

    def draw(page):
        writer = pymupdf.TextWriter(page.rect)
        for k, column in enumerate(columns):
            for i, char in enumerate(column):
                place = 480 - 18 * k, 100 + 10 * (i + gap * (i > 1 + 3 * k % 8))
                writer.append(place, char, font=pymupdf.Font("cjk"), fontsize=10)
        writer.write_text(page)

    assert [text.replace(" ", "") for text in texts(drawn(draw))] == columns


@pytest.mark.parametrize("kind", ["contents", "items", "columns"])
def test_right_to_left_lines_are_whole_and_columns_apart(kind):
    font, em = pymupdf.Font(fontfile=files()["DejaVuSans.ttf"]), 10
    words = "אבגד הוזח טיכל מנסע פצקר שתלב נרדג בהוז גחטי דכלמ הנסע ופצק זקרש חשתל".split()
    pieces, expected = [], []
    for i in range(12):
        y, text, other = 100 + 1.5 * em * i, f"{words[i]} {words[i + 1]}", f"{words[i + 2]} {words[(i + 5) % 14]}"
        left = 500 - font.text_length(text, em)
        if kind == "contents":
            page = str(10 + 3 * i)
            dots = (". " * int((left - em - 110) / font.text_length(". ", em))).strip()
            pieces += [(left, y, text), (110, y, dots), (80, y, page)]
            expected.append([f"{text} ..... {page}"])
        elif kind == "items":
            pieces += [(500, y, "\u2022"), (left - 1.2 * em, y, text)]
            expected.append([f"\u2022 {text}"])
        else:
            pieces += [(left, y, text), (270 - font.text_length(other, em), y, other)]
            expected.append([text, other])

    def draw(page):
        writer = pymupdf.TextWriter(page.rect)
        for x, y, text in pieces:
            writer.append((x, y), text[::-1] if text[0] > "\u0590" and text[0] != "\u2022" else text, font=font, fontsize=em)
        writer.write_text(page)

    lines_of_regions = regions(drawn(draw))
    assert sorted(line for region in lines_of_regions for line in region) == sorted(line for row in expected for line in row)
    assert kind != "columns" or not any(set(row) <= set(region) for row in expected for region in lines_of_regions)


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("Index ........................ 9", "Index ..... 9"),
        ("Index. . . . . . . . . . . . .9", "Index ..... 9"),
        ("A long title of an entry . . 9", "A long title of an entry ..... 9"),
        ("Name: ______________ Date: _____", "Name: _____ Date: _____"),
        ("CNP…………, seria ……, nr………", "CNP ....., seria ....., nr ....."),
        ("Well…… no", "Well…… no"),
        ("我………你", "我………你"),
        ("\u4ed6\u8bf4\u2026\u2026\u597d", "\u4ed6\u8bf4\u2026\u2026\u597d"),
        ("a . . . b . . . .", "a . . . b . . . ."),
    ],
)
def test_leaders_take_one_form(written, one):
    assert leaders_as_one(written).strip() == one


ABOVE, BELOW = (
    "A line of text above that is long enough to show one column",
    "And a line of text below, which also goes across the gap",
)
FORM = (("Name:", "Anna Berg"), ("City:", "Oslo"), ("Profession:", "Sailor"), ("Born:", "1948"), ("Signed:", "_" * 12))
PAGES = (("Preface", "3"), ("Hardware", "7"), ("Installation", "12"), ("Network", "40"), ("Index", "55"))
ITEMS_LEFT = [(72, 100, "From the top down"), (80, 120, "\u2022 It begins with the whole and di-"), (88, 133, "vides it")]
ITEMS_RIGHT = [(262, 100, "From the bottom up"), (270, 120, "\u2022 It begins with the small-"), (278, 133, "est part")]


def same(*pieces: tuple[float, float, str]) -> tuple[list, list[str]]:
    """A page whose pieces are lines as they are, in their order in the file."""
    return list(pieces), [text for _, _, text in pieces]


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        # Two rows of dots far apart are two blanks.
        ([(72, 100, "." * 30), (300, 100, "." * 30)], ["..... ....."]),
        ([(72, 100, "." * 30), (160, 100, "." * 30)], ["....."]),
        same(*ITEMS_LEFT, *ITEMS_RIGHT),
        ([(72, 100, "\u2022 one"), (110, 100, "and two")], ["\u2022 one and two"]),
        ([(72, 100, "\u2022"), (100, 100, "Red"), (72, 114, "1."), (100, 114, "A pear")], ["\u2022 Red", "1. A pear"]),
        (
            [(x, 100 + 20 * i, text) for i, row in enumerate(FORM) for x, text in zip((72, 180), row, strict=True)],
            ["Name: Anna Berg", "City: Oslo", "Profession: Sailor", "Born: 1948", "Signed: _____"],
        ),
        # Titles and the numbers of their pages, which go up.
        (
            [(x, 100 + 14 * i, text) for i, row in enumerate(PAGES) for x, text in zip((72, 300), row, strict=True)],
            [" ".join(row) for row in PAGES],
        ),
        # A tab stop parts no line, nor does the order in the file.
        ([(72, 100, ABOVE), (72, 114, "Phone"), (180, 114, "555 0100"), (72, 128, BELOW)], [ABOVE, "Phone 555 0100", BELOW]),
        ([(200, 100, "third"), (72, 100, "first"), (130, 100, "second")], ["first second third"]),
    ],
)
def test_a_line_is_whole_and_apart_from_what_stands_beside_it(pieces, lines):
    assert texts(placed(*pieces)) == lines


@pytest.mark.parametrize(
    ("rows", "width"),
    [
        ([("Name", "Size", "Owner"), ("readme", "12", "root"), ("licence", "7", "nobody"), ("notes", "404", "root")], 80),
        # A dash in a cell is no bullet, and numbers that go up are none of pages.
        ([("Name", "Size", "Owner"), ("readme", "-", "root"), ("licence", "-", "nobody"), ("notes", "404", "root")], 60),
        ([("apples", "10", "red"), ("pears", "12", "green"), ("plums", "30", "blue"), ("quinces", "45", "yellow")], 60),
    ],
)
def test_cells_of_a_table_without_rules_are_apart(rows, width):
    pieces = [(72 + width * k, 100 + 14 * i, cell) for i, row in enumerate(rows) for k, cell in enumerate(row)]
    assert regions(placed(*pieces)) == [[cell] for row in rows for cell in row]


def test_a_drop_capital_is_the_first_letter_of_its_line():
    pdf = placed(
        (100, 103, "ver the past three decades the free"),
        (100, 116, "software of the world has grown and"),
        (72, 129, "grown more"),
    )
    with pymupdf.open(stream=pdf, filetype="pdf") as doc:
        writer = pymupdf.TextWriter(doc[0].rect)
        writer.append((72, 116), "O", font=pymupdf.Font("helv"), fontsize=33)
        writer.write_text(doc[0])
        content = read(doc.tobytes())
    first, second, third = (line for region in content.regions for line in region.lines)
    assert [line.text for line in (first, second, third)] == [
        *("Over the past three decades the free", "software of the world has grown and", "grown more")
    ]
    assert first.box.x0 < second.box.x0 - 40
    assert first.box.y1 - first.box.y0 == second.box.y1 - second.box.y0
