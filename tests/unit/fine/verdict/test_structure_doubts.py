"""Pages that contradict their own division, as regions of lines."""

from dataclasses import replace

import pytest

from datagen.fine.verdict.structure_doubts import doubts
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

HEIGHT, PITCH, EM = 20, 30, 10


def region(label: str, top: int, *texts: str, x0: int = 100, text: str = "", font: str = "Serif", height: int = HEIGHT) -> Region:
    """A region of lines below each other, ten pixels a letter wide."""
    lines = [
        Line(Box(x0, top + PITCH * n, x0 + EM * len(said), top + PITCH * n + height), said, font=font)
        for n, said in enumerate(texts)
    ]
    box = Box(x0, top, max(line.box.x1 for line in lines), lines[-1].box.y1)
    return Region(box, label, text or " ".join(texts), None, "pymupdf", lines=tuple(lines))


def page(*regions: Region, script: str = "Latn"):
    return sample(size=(1000, 1400), script=script, regions=regions, text="\n\n".join(r.text for r in regions))


WHOLE = "a line that is as long as the column is"
AGREE = [
    (region("text", 100, WHOLE, "and ends here."), region("text", 160, WHOLE, "and so on.")),
    (region("list", 100, "• one item"), region("list", 130, "• another item")),
    (region("text", 100, WHOLE, WHOLE, "as follows"), region("code", 190, "make", font="Courier")),
    (region("sub_title", 100, "3.1 A heading", height=26), region("text", 140, WHOLE, "and ends.")),
    (region("text", 100, WHOLE, WHOLE), region("text", 500, "goes on far away from there.")),
]


@pytest.mark.parametrize("regions", AGREE)
def test_a_page_that_is_divided_as_a_reader_would_contradicts_nothing(regions):
    assert doubts(page(*regions)) == {}


def test_a_sentence_that_goes_on_in_the_next_region_is_torn():
    torn = region("text", 100, WHOLE, WHOLE), region("text", 160, "and goes on in small letters.")
    assert doubts(page(*torn)) == {"torn": 1}
    assert doubts(page(replace(torn[0], continues=True), torn[1])) == {}
    assert doubts(
        page(region("text", 100, "日本語の文の一行は長い", "日本語の文の一行は長い"), region("text", 160, "。次の文"))
    ) == {"torn": 1}


def test_an_items_sign_within_a_region_and_lines_side_by_side_are_glued():
    assert doubts(page(region("list", 100, "• one item", "• another item"))) == {"glued": 1}
    beside = region("text", 100, WHOLE, "and ends here.")
    margin = Line(Box(10, 100, 60, 120), "name", font="Serif")
    assert doubts(page(replace(beside, lines=(margin, *beside.lines)))) == {"glued": 1}


def test_items_in_a_listing_and_bits_of_a_listing():
    assert doubts(page(region("code", 100, "• --one says this", font="Courier"))) == {"code": 1}
    parts = (
        region("code", 100, "\\begin{it}", font="Courier"),
        region("text", 130, "29"),
        region("code", 160, "}", font="Courier"),
    )
    assert doubts(page(*parts)) == {"code": 2}


def test_large_letters_that_are_no_heading():
    text = region("text", 200, WHOLE, "and ends here.")
    assert doubts(page(region("text", 100, "Of large letters", height=40), text)) == {"heading": 1}
    assert doubts(page(region("list", 100, "3.2.1 In bold", text="**3.2.1 In bold**"), text)) == {"heading": 1}


def test_a_line_in_bold_alone_and_two_headings_in_one():
    body = region("text", 200, WHOLE, "and ends here.")
    assert doubts(page(region("text", 100, "What follows:", text="**What follows:**"), body)) == {"heading": 1}
    assert doubts(page(region("text", 100, "In bold and not.", text="**In bold** and not."), body)) == {}
    assert doubts(page(region("text", 100, "What follows:", font="Serif-Bold"), body)) == {"heading": 1}
    assert doubts(page(region("sub_title", 100, "1 GENERAL", "1.1 Names"), body)) == {"heading": 1}


def test_korean_lines_may_end_within_a_word_unless_the_page_has_it_whole():
    first = region(
        "text", 100, "우리는 오늘 학교", "에서 배운 것을 다시", "살펴본다.", text="우리는 오늘 학교에서 배운 것을 다시 살펴본다."
    )
    assert doubts(page(first, script="Kore")) == {"korean_spaces": 1}
    assert doubts(page(region("text", 100, "우리는 오늘 살펴본다."), script="Kore")) == {}


def test_what_an_engine_read_as_text_and_looks_like_a_listing():
    listing = replace(region("text", 100, "# apt-get install make", "$ make --jobs 2", "int main() {"), by="ppocr")
    prose = replace(region("text", 100, "The command make runs", "what a file says (see there)."), by="ppocr")
    item = replace(region("list", 100, "• the desktop GNOME 3.22;"), by="ppocr")
    assert (doubts(page(listing)), doubts(page(prose)), doubts(page(item))) == ({"code": 1}, {}, {})


def test_a_listing_in_a_typeface_that_is_none_for_code():
    lines = ("if (text[j] == mark) {", "count = find(text);", "}", "return count;")
    assert doubts(page(*(region("text", 100 + PITCH * n, line, x0=100 + n) for n, line in enumerate(lines)))) == {"code": 1}
    items = ("• the width (of a page);", "• the height (of a page);", "• the depth, if there is one;", "• and so on.")
    assert doubts(page(*(region("list", 100 + PITCH * n, item) for n, item in enumerate(items)))) == {}


def test_two_titles_and_an_entry_of_the_contents_as_a_heading():
    assert doubts(page(region("title", 100, "One title"), region("title", 200, "Another one"))) == {"heading": 1}
    entries = region("toc", 100, "1 First .... 3"), region("sub_title", 200, "2 Second 7")
    assert doubts(page(*entries)) == {"heading": 1}


CELLS = (("Tea", "a hot drink."), ("Milk", "a cold one."), ("Sugar", "no drink."))


def test_rows_of_a_table_that_are_lines_of_a_cell_and_heads_within_and_above():
    def table(html: str) -> Region:
        return Region(Box(100, 300, 400, 400), "table", html, None, "pymupdf", format="html")

    whole = table("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d e</td></tr></table>")
    cut = table("<table><tr><td>a</td><td>b</td></tr><tr><td></td><td>e</td></tr></table>")
    headed = table('<table><tr><td colspan="2">Head</td></tr><tr><td>a</td><td>b</td></tr></table>')
    assert (doubts(page(whole)), doubts(page(cut)), doubts(page(headed))) == ({}, {"tables": 1}, {})
    assert doubts(page(region("sub_title", 200, "Another head"), whole, headed)) == {"tables": 1}
    apart = table("<table><tr><td>a</td><td>b</td></tr><tr><td></td><td></td></tr><tr><td>c</td><td>d</td></tr></table>")
    assert doubts(page(apart)) == {"tables": 1}


def test_short_regions_in_rows_and_columns_are_a_table_that_nobody_saw():
    rows = [
        (region("text", 100 + 40 * n, name), region("text", 100 + 40 * n, said, x0=500)) for n, (name, said) in enumerate(CELLS)
    ]
    assert doubts(page(*(cell for row in rows for cell in row))) == {"tables": 1}
    assert doubts(page(*(cell for column in zip(*rows, strict=True) for cell in column))) == {}  # two columns of names
    assert doubts(page(*rows[0], *rows[1])) == {}


def test_a_full_line_without_a_stop_goes_on_whatever_its_next_word_is():
    cut = region("text", 100, WHOLE, WHOLE), region("text", 160, "DHCP and so on.", x0=120)
    assert doubts(page(*cut)) == {"torn": 1}


def test_a_mark_that_is_a_region_of_its_own_cuts_its_line_and_branches_of_a_tree_are_no_text():
    cut = region("text", 100, "a plan is published by the summer")
    parts = (cut, region("text", 100, "*28.", x0=cut.box.x1 + 2), region("text", 130, "As a measure, this is so."))
    assert doubts(page(*parts)) == {"torn": 1}
    assert doubts(page(cut, region("text", 100, "another column.", x0=cut.box.x1 + 3 * HEIGHT))) == {}
    tree = ("├── 1 Aim", "│   ├── 1.1 Needs", "└── 2 Test")
    assert doubts(page(*(region("text", 100 + PITCH * n, line) for n, line in enumerate(tree)))) == {"code": 1}


def test_rows_between_two_rules_as_one_row_and_many_lines_in_large_bold_letters():
    cells = [
        replace(line, box=Box(x, 100 + 30 * n, x + 90, 120 + 30 * n))
        for n in range(4)
        for x in range(100, 900, 200)
        for line in WORD
    ]
    head, row = (
        "<tr><td>a</td><td>b</td><td>c</td><td>d</td></tr>",
        "<tr><td>e h k</td><td>f i l</td><td>g j m</td><td>n o p</td></tr>",
    )
    table = replace(region("table", 100, "a"), lines=tuple(cells), text=f"<table>{head}{row}</table>", format="html")
    assert doubts(page(table)) == {"tables": 1}
    assert doubts(page(replace(table, text=f"<table>{head * 4}</table>"))) == {}
    name = region("text", 100, "A Conference", "On Mathematics", "In the Summer", font="Serif-Bold", height=28)
    assert doubts(page(name, region("text", 300, WHOLE, WHOLE, "and ends."))) == {"heading": 1}


WORD = region("text", 100, "a word").lines


def test_numbered_lines_between_wide_gaps_far_from_each_other_may_be_headings():
    def text(y: int) -> Region:
        return region("text", y, WHOLE, "and ends here.")

    heads = [region("list", y, name) for y, name in ((200, "4. References"), (400, "5. Problems met"))]
    assert doubts(page(text(100), heads[0], text(240), heads[1], text(440))) == {"heading": 1}
    assert doubts(page(text(100), heads[0], replace(text(240), label="image", lines=()), heads[1], text(440))) == {}
    assert (
        doubts(page(text(100), heads[0], region("list", 240, "5. Problems"), region("list", 280, "6. Thanks"), text(440))) == {}
    )


def test_persian_verbs_without_half_spaces_are_doubted():
    glued, whole = "این کار میشود و نمیتواند بماند", "این کار می\u200cشود و در میان میدان است"
    assert doubts(page(region("text", 100, glued), script="Arab")) == {"half_spaces": 2}
    assert doubts(page(region("text", 100, whole), script="Arab")) == {}


def test_lines_across_the_cells_of_a_row_are_rows_of_their_own():
    head, row = "<tr><td>word</td><td>sense</td></tr>", "<tr><td>first last after</td><td>one end behind</td></tr>"
    lines = [Line(Box(100, 100 + PITCH * n, 300, 120 + PITCH * n), t) for n, t in enumerate(("word sense", "first one", "end"))]
    table = replace(region("table", 100, "a"), lines=tuple(lines), text=f"<table>{head}{row}</table>", format="html")
    assert doubts(page(table)) == {}
    more = Line(Box(100, 160, 300, 180), "last behind")
    assert doubts(page(replace(table, lines=(*lines, more)))) == {"tables": 1}


def test_lines_that_are_read_behind_what_stands_above_and_below_them_are_out_of_order():
    items = [region("list", 100 + 80 * n, f"• item {n} that has another line.") for n in range(3)]
    others = [region("text", 140 + 80 * n, f"The line {n} that belongs to it.") for n in range(2)]
    assert doubts(page(*items, *others)) == {"order": 2}
    assert doubts(page(items[0], others[0], items[1], others[1], items[2])) == {}
    aside = [replace(one, box=Box(600, one.box.y0, 800, one.box.y1)) for one in others]
    assert doubts(page(*items, *aside)) == {}


def test_a_line_in_italics_or_with_a_sections_number_that_ends_no_sentence_may_be_a_heading():
    body = region("text", 200, WHOLE, WHOLE, "and ends here.")
    assert doubts(page(region("text", 100, "The content of it", font="Serif-Italic"), body)) == {"heading": 1}
    assert doubts(page(region("text", 100, "2.5.3 What it does"), body)) == {"heading": 1}
    assert doubts(page(region("text", 100, "The content of it."), body)) == {}
    lead = region("text", 100, "Author: Anna Smith", text="**Author**: Anna Smith", font="Serif-Bold")
    assert doubts(page(lead, body)) == {}


def test_a_text_most_of_which_are_statements_is_code():
    assert doubts(page(region("text", 100, "# Adds one to it", "def add(self, number):", "return number + one;"))) == {"code": 1}


def test_a_row_whose_cells_have_lines_side_by_side_with_room_behind_holds_two():
    def line(text: str, x0: int, y0: int) -> Line:
        return Line(Box(x0, y0, x0 + EM * len(text), y0 + HEIGHT), text)

    lines = (line("Name", 100, 100), line("System of it", 400, 100))
    rows = (line("Ann", 100, 130), line("Debian or others", 400, 130), line("Ben the second", 100, 160), line("Mac", 400, 160))
    glued = "<tr><td>Ann Ben the second</td><td>Debian or others Mac</td></tr>"
    parted = "<tr><td>Ann</td><td>Debian or others</td></tr><tr><td>Ben the second</td><td>Mac</td></tr>"
    for body, found in ((glued, {"tables": 1}), (parted, {})):
        html = f"<table><tr><td>Name</td><td>System of it</td></tr>{body}</table>"
        table = Region(Box(100, 100, 600, 180), "table", html, None, "pymupdf", lines=lines + rows, format="html")
        assert doubts(page(table)) == found
