"""Pages that contradict their own division, a page a row: of paragraphs, items, listings, headings and tables.

A row has what the page contradicts, and its regions in the order of reading. Rows of one rule stand together.
"""

from dataclasses import replace

import pytest

from datagen.fine.verdict import read_doubts, structure_doubts
from datagen.fine.verdict.torn_regions import glued_in_columns, num_glued, num_torn
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

EM, PITCH, LETTER = 20, 30, 10


def region(
    label: str,
    top: int,
    *texts: str,
    x0: int = 100,
    end: int = 0,
    text: str = "",
    font: str = "Serif",
    height: int = EM,
    pitch: int = PITCH,
) -> Region:
    """A region of lines below each other, ten pixels a letter wide. Those with an `end` run from right to left, from there."""
    lines = []
    for n, said in enumerate(texts):
        left, y = end - LETTER * len(said) if end else x0, top + pitch * n
        box = Box(left, y, left + LETTER * len(said), y + height)
        lines.append(Line(box, said, font, direction="rtl" if end else "ltr"))
    box = Box(min(line.box.x0 for line in lines), top, max(line.box.x1 for line in lines), lines[-1].box.y1)
    return Region(box, label, text or " ".join(texts), None, "pymupdf", lines=tuple(lines))


def text(top: int, *texts: str, **values) -> Region:
    return region("text", top, *texts, **values)


def item(top: int, said: str, **values) -> Region:
    return region("list", top, said, **values)


def code(top: int, *texts: str) -> Region:
    return region("code", top, *texts, font="Courier")


def read(made: Region) -> Region:
    return replace(made, by="ppocr")


def doubts(*regions: Region, script: str = "Latn") -> dict[str, int]:
    whole = "\n\n".join(region.text for region in regions)
    return structure_doubts.doubts(sample(size=(1000, 1400), script=script, regions=regions, text=whole))


def table(html: str, *lines: Line) -> Region:
    return Region(Box(100, 300, 600, 400), "table", f"<table>{html}</table>", None, "pymupdf", lines=lines, format="html")


def row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def line(said: str, x0: int, y0: int) -> Line:
    return Line(Box(x0, y0, x0 + LETTER * len(said), y0 + EM), said)


WHOLE = "a line that is as long as the column is"
ENDED = text(200, WHOLE, "and ends here.")
TORN = text(100, WHOLE, WHOLE), text(160, "and goes on in small letters.")
CUT = text(100, "a plan is published by the summer")
LISTING = ("if (text[j] == mark) {", "count = find(text);", "}", "return count;")
TREE = ("├── 1 Aim", "│   ├── 1.1 Needs", "└── 2 Test")
TITLED = table(row("a", "b") + row("c", "d e"))
HEADED = table('<tr><td colspan="2">Head</td></tr>' + row("a", "b"))
FOUR_ROWS = [line("a word", x, 100 + 30 * n) for n in range(4) for x in range(100, 900, 200)]
HEADS = [item(y, name) for y, name in ((200, "4. References"), (400, "5. Problems met"))]
ABOVE, BETWEEN, BELOW = (text(y, WHOLE, "and ends here.") for y in (100, 240, 440))
ITEMS = [item(100 + 80 * n, f"• item {n} that has another line.") for n in range(3)]
THEIRS = [text(140 + 80 * n, f"The line {n} that belongs to it.") for n in range(2)]
IN_ROWS = [
    line("Name", 100, 100),
    line("System of it", 400, 100),
    line("Ann", 100, 130),
    line("Debian or others", 400, 130),
    line("Ben the second", 100, 160),
    line("Mac", 400, 160),
]

PAGES = [
    # A page that is divided as a reader would divide it.
    ({}, text(100, WHOLE, "and ends here."), text(160, WHOLE, "and so on.")),
    # A sentence that goes on in the next region.
    ({"torn": 1}, *TORN),
    ({"torn": 1}, text(100, "日本語の文の一行は長い", "日本語の文の一行は長い"), text(160, "。次の文")),
    ({"torn": 1}, text(100, WHOLE, WHOLE), text(160, "DHCP and so on.", x0=120)),
    ({"torn": 1}, CUT, text(100, "*28.", x0=CUT.box.x1 + 2), text(130, "As a measure, this is so.")),
    # An item's sign within a region, and lines side by side.
    ({"glued": 1}, region("list", 100, "• one item", "• another item")),
    # Listings: items in one, bits of one, and in a typeface that is none for code.
    ({"code": 1}, code(100, "• --one says this")),
    ({"code": 2}, code(100, "\\begin{it}"), text(130, "29"), code(160, "}")),
    ({}, read(text(100, "The command make runs", "what a file says (see there)."))),
    ({"code": 1}, *(text(100 + PITCH * n, said, x0=100 + n) for n, said in enumerate(LISTING))),
    ({"code": 1}, *(text(100 + PITCH * n, said) for n, said in enumerate(TREE))),
    ({"code": 1}, text(100, "# Adds one to it", "def add(self, number):", "return number + one;")),
    # Large, bold and numbered lines that are no headings; headings that hold another one; two titles.
    ({"heading": 1}, text(100, "Of large letters", height=40), ENDED),
    ({"heading": 1}, item(100, "3.2.1 In bold", text="**3.2.1 In bold**"), ENDED),
    ({"heading": 1}, text(100, "What follows:", text="**What follows:**"), ENDED),
    ({"heading": 1}, region("toc", 100, "1 First .... 3"), region("sub_title", 200, "2 Second 7")),
    (
        {"heading": 1},
        text(100, "A Conference", "On Mathematics", "In the Summer", font="Serif-Bold", height=28),
        text(300, WHOLE, WHOLE, "and ends."),
    ),
    ({"heading": 1}, ABOVE, HEADS[0], BETWEEN, HEADS[1], BELOW),
    # Tables: rows that are lines of a cell, heads within and above, several rows in one, and such as nobody saw.
    ({}, TITLED),
    ({"tables": 1}, table(row("a", "b") + row("", "e"))),
    ({"tables": 1}, region("sub_title", 200, "Another head"), TITLED, HEADED),
    ({}, table(4 * row(*"abcd"), *FOUR_ROWS)),
    ({"tables": 1}, table(row("Name", "System of it") + row("Ann Ben the second", "Debian or others Mac"), *IN_ROWS)),
    # Lines that are read behind what stands above and below them, but not those of the next column.
    ({"order": 2}, *ITEMS, *THEIRS),
]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_contradicts_its_division(page):
    expected, *regions = page
    assert doubts(*regions) == expected


KOREAN = "우리는 오늘 학교", "에서 배운 것을 다시", "살펴본다."
SPACES = [
    # Korean lines may end within a word, unless the page has it whole.
    ({"korean_spaces": 1}, "Kore", text(100, *KOREAN, text="우리는 오늘 학교에서 배운 것을 다시 살펴본다.")),
    # Persian verbs have half-spaces.
    ({"half_spaces": 2}, "Arab", text(100, "این کار میشود و نمیتواند بماند")),
]


@pytest.mark.parametrize(("expected", "script", "made"), SPACES)
def test_spaces_that_nothing_tells_are_doubted(expected, script, made):
    assert doubts(made, script=script) == expected


FULL = "a line that is as long as the column of its page is"
THAI = "ความพึงพอใจในภาพรวมของระบบ"
THAI_BODY, THAI_REST = text(100, *3 * [3 * THAI]), text(330, THAI)
INDENTED = [
    replace(one, lines=(replace(one.lines[0], box=one.lines[0].box._replace(x0=140)), one.lines[1]))
    for one in (text(top, FULL, FULL) for top in (100, 200))
]
WITH_INDENT = text(300, FULL[:-5] + ".", x0=140), text(330, "It goes on below without an indent, as all do", "and ends here.")
FORMULA = Region(Box(100, 100, 300, 122), "equation", "", None, "pymupdf", format="latex", is_unread=True)
HEBREW_BODY = text(400, "א" * 50, "ב" * 50, end=600)
HEBREW, HEBREW_REST = text(100, "א" * 38, end=600), text(125, "ב" * 12 + " ג", end=600)


TORN_PAGES = [
    # An item of one full line goes on at the left edge.
    (1, THAI_BODY, item(300, "4) " + 2 * THAI, x0=100 + 10 * (len(THAI) - 3)), THAI_REST),
    # A first line with an indent, and lines without.
    (1, *INDENTED, *WITH_INDENT),
    # Lines beside a picture, each a region; a line over another one.
    (3, *(text(100 + PITCH * n, said, end=800) for n, said in enumerate(("לא מושפע", "דרסטי מהגדלת", "מספר")))),
    (0, *(text(100 + PITCH * n, said) for n, said in enumerate(("Anna Smith", "Bert Jones", "Carl Young")))),
    (1, item(100, "2. E tutto il resto del Network. E"), text(100, "E tutto il resto del Network.", x0=130)),
    # A caption and a reference go on in what is of their kind.
    (1, region("image_caption", 100, FULL, FULL), text(160, "and goes on in small letters.")),
    # A bit of text right beside a formula as high as a line.
    (1, FORMULA, item(100, "2)。", x0=304)),
    # A line alone with no room for the next word goes on in lines of its look.
    (1, HEBREW, HEBREW_REST, HEBREW_BODY),
]


@pytest.mark.parametrize("page", TORN_PAGES)
def test_paragraphs_and_items_are_torn(page):
    num, *regions = page
    assert num_torn(regions) == num


TASKS = ("Task 1: Load the files that are here, all of them.", "Task 2: Read them and say what is in these files of all.")
JUSTIFIED = [
    "a line of a paragraph that goes on to the right edge",
    "and here it ends so near to the very same edge.",
    "Representatives of it decide on that, and on others,",
    "a line of a paragraph that goes on to the right edge",
]


GLUED = [
    # A short line that ends a sentence ends a paragraph.
    (1, text(100, FULL, "and it ends here.", "Link to it all: it is below", FULL)),
    # A word in bold that begins a text begins another one within.
    (1, text(100, *TASKS, text=f"**Task 1:** {TASKS[0][8:]} **Task 2:** {TASKS[1][8:]}")),
    # Short of a justified edge, and of wide signs: there is room for the next sign, and for half of one more.
    (1, text(100, *JUSTIFIED, "the end")),
    (0, text(100, *(said[: len(said) - 2 * n] for n, said in enumerate(JUSTIFIED)), "the end")),
]


@pytest.mark.parametrize(("num", "made"), GLUED)
def test_paragraphs_are_glued(num, made):
    assert num_glued(made) == num


TWO = read(text(400, FULL[:-8] + ".", "Incomprehensibilities go on"))
COLUMN = [read(text(top, FULL, FULL, FULL)) for top in (100, 250)]
HALF = read(text(400, "A half of that width.", "Incomprehensibilities"))
IN_COLUMNS = [
    # Of two lines alone nothing tells that the first ends a paragraph; of the page's others it does, if they end flush.
    ([2], *COLUMN, TWO),
    # Text across two columns tells nothing of where the first one ends, nor does text in another direction.
    ([2], *COLUMN, HALF),
    ([], *COLUMN, HALF, read(text(400, "the other half", x0=350))),
]


@pytest.mark.parametrize("page", IN_COLUMNS)
def test_a_short_line_of_a_column_that_an_engine_read_flush_ends_a_paragraph(page):
    glued, *regions = page
    assert num_glued(TWO) == 0 and glued_in_columns(regions) == glued


def far(label: str, top: int, *texts: str, text: str = "") -> Region:
    """What an engine read, in lines far apart, as in a thesis."""
    return read(region(label, top, *texts, text=text, pitch=60))


PRIOR_ART, INVOLVED = far("list", 100, "• Next we present the prior art"), far("list", 160, "involved with slack techniques.")
READ_PAGES = [
    # An item that goes on far below.
    ({"torn": 1}, PRIOR_ART, INVOLVED),
    # Headings of one level are alike, and begin a text.
    ({"heading": 1}, far("sub_title", 100, "• Boosting"), far("text", 160, "Then it is.")),
    # A number alone is no text.
    ({"items": 1}, far("text", 100, "89.26")),
]


@pytest.mark.parametrize("page", READ_PAGES)
def test_what_engines_read_contradicts_its_division(page):
    expected, *regions = page
    assert read_doubts.doubts(regions) == expected
