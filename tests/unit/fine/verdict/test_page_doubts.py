"""Signs that a page's labels are in doubt, in the forms that real pages have them."""

import itertools
import random
from dataclasses import replace

import pytest

from datagen.fine.verdict import page_doubts
from datagen.record import Box, Line, Quality, Region
from tests.inputs.samples import sample
from tests.unit.fine.structure.test_looks import BOLD, TEXT, region

SMALL = "9 #777777"


def doubts(*regions: Region, lang: str = "en", **signals: float) -> dict[str, int]:
    page = sample("a-000000", size=(1000, 1400), lang=lang, regions=regions, quality=Quality("trusted", (), signals))
    return dict(page_doubts.doubts(page))


def placed(*lines: tuple[str, int, int, int], label: str = "text", direction: str = "ltr", text: str = "") -> Region:
    """A region of lines, each with its beginning, its end and its top in pixels."""
    made = tuple(Line(Box(x0, y, x1, y + 25), row, "Sans", direction, look="12 #000000") for row, x0, x1, y in lines)
    box = Box(min(x[1] for x in lines), lines[0][3], max(x[2] for x in lines), lines[-1][3] + 25)
    return Region(box, label, text or " ".join(x[0] for x in lines), None, "pymupdf", lines=made)


def picture(x0: int, y0: int, x1: int, y1: int, *lines: Line) -> Region:
    return Region(Box(x0, y0, x1, y1), "image", "", None, "pymupdf", lines=lines)


def table(html: str, *lines: tuple[str, int, int, int]) -> Region:
    return replace(placed(*lines, label="table"), text=html, format="html")


def test_a_page_as_most_right_ones_are_has_no_doubts():
    head, foot = region("A report", 20, SMALL, "header"), region("7", 1350, SMALL, "page_number")
    heading, items = (
        region("## 1 Aims", 60, BOLD, "sub_title"),
        [region(f"• item {n}", 300 + 40 * n, label="list") for n in (1, 2)],
    )
    note = replace(region("1 A note.", 1250, SMALL, "footnote"), text="<sup>1</sup> A note.")
    caption = region("Fig. 1: A map", 810, label="image_caption")
    cells = table("<table><tr><td>a</td><td>b</td></tr></table>", ("a", 100, 200, 900), ("b", 300, 400, 900))
    contents = replace(region("One ..... 1\nTwo ..... 2", 1000, label="toc"), text="One ..... 1\nTwo ..... 2")
    body = (region(TEXT, 100), *items, region(TEXT, 500), picture(100, 600, 500, 800), caption, cells, contents)
    assert doubts(head, heading, *body, note, foot, layout_agreement=1.0) == {}
    assert doubts() == {}


def test_lines_that_the_layout_engine_parts_or_joins_are_a_doubt():
    assert doubts(region(TEXT, 100), layout_agreement=0.98) == {"agreement": 1}


@pytest.mark.parametrize(
    ("line", "num"),
    [
        ("ΚΟΜΜΑΤΙΑ ΤΗΣ ΕΦΑΡΜΟΓΗΣ ΠΟΥ ΔΕΝ ΥΛΟΠΟΙΗΘΗΚΑΝ", 1),
        ("Beam search", 1),
        ("A sentence that ends.", 0),
        ("as in these:", 0),
        ("Dear Sir,", 0),
        ("2024", 0),
    ],
)
def test_a_line_alone_that_ends_no_sentence_may_be_a_heading(line: str, num: int):
    assert doubts(region(TEXT, 100), region(line, 200), region(TEXT, 300)).get("lone_lines", 0) == num
    assert "lone_lines" not in doubts(region(TEXT, 100), region(line, 200))


def test_an_item_a_head_or_a_text_in_the_look_of_headings_may_be_one():
    grey = "12 #666666 italic"
    heading, item = region("## 8. Prawa do kodu", 400, grey, "sub_title"), region("7. Ocena, nagrody", 200, grey, "list")
    assert doubts(region(TEXT, 100), item, region(TEXT, 300), heading, region(TEXT, 500)) == {"looks": 1}
    head = region("טיפול בחריגים", 20, grey, "header")
    assert doubts(head, region(TEXT, 100), heading, region(TEXT, 500)) == {"looks": 1}
    plain = region("## 8. Prawa do kodu", 400, label="sub_title")
    assert doubts(region(TEXT, 100), region("7. Ocena", 200, label="list"), region(TEXT, 300), plain, region(TEXT, 500)) == {}


def test_a_head_that_stands_out_from_the_text_may_be_a_heading():
    assert doubts(region("Απαιτήσεις Εφαρμογής", 20, "15 #000000", "header"), region(TEXT, 100)) == {"running_looks": 1}
    assert doubts(region("Απαιτήσεις Εφαρμογής", 20, SMALL, "header"), region(TEXT, 100)) == {}


def test_a_head_that_no_other_page_has_is_a_doubt():
    assert doubts(region("Banjarmasin, 3 Mei", 20, SMALL, "header"), region(TEXT, 100), lone_running=1.0) == {"lone_running": 1}
    assert doubts(region("Banjarmasin, 3 Mei", 20, SMALL, "header"), region(TEXT, 100), lone_running=0.0) == {}


def test_what_is_read_behind_something_below_it_is_in_the_next_column_or_a_doubt():
    left, right = placed(("One column.", 100, 450, 300)), placed(("The other one.", 550, 900, 100))
    assert doubts(left, right) == {}
    assert doubts(right, left) == {}
    assert doubts(left, placed(("Above both.", 100, 900, 100))) == {"upwards": 1}
    rtl = [placed(("עמודה אחת.", 550, 900, 300), direction="rtl"), placed(("העמודה השנייה.", 100, 450, 100), direction="rtl")]
    assert doubts(*rtl) == {}
    assert doubts(placed(("למטה.", 100, 450, 300), direction="rtl"), placed(("למעלה.", 550, 900, 100), direction="rtl")) == {
        "upwards": 1
    }


def test_short_regions_side_by_side_may_be_one_line_or_cells():
    blank, end = placed(("Executed on", 100, 250, 500)), placed((", California.", 700, 900, 500))
    assert doubts(region(TEXT, 100), blank, end)["level"] == 1
    assert (
        doubts(placed(*((f"A column {n}.", 100, 450, 100 + 30 * n) for n in range(3))), placed((", one.", 700, 900, 100))) == {}
    )


@pytest.mark.parametrize(
    ("text", "num"),
    [
        ("■ 회의록", 1),
        ("◦ ਇੱਕ ਹੋਰ", 1),
        ("i- restando o direito", 1),
        ("3./ A tábor", 1),
        ("a) one", 1),
        ("① one", 1),
        ("第三条 会费", 1),
        ("一、项目", 1),
        ("2024 was a year", 0),
        ("e-mail is sent", 0),
        ("1.5 metres", 0),
        ("A text", 0),
    ],
)
def test_a_text_that_begins_as_items_do_may_be_one(text: str, num: int):
    assert doubts(region(f"{text} of it\nthat goes on.", 100)).get("signs", 0) == num


def test_a_short_line_within_a_text_may_end_a_paragraph():
    two = (("One paragraph that ends.", 100, 400, 100), ("Another one that is as wide as the page", 100, 900, 130))
    assert doubts(placed(*two)) == {"short_lines": 1}
    assert doubts(placed(*two, text="One paragraph that ends.\nAnother one that is as wide as the page")) == {}
    assert doubts(placed(*reversed(two))) == {}
    rtl = (("פסקה אחת.", 600, 900, 100), ("ועוד אחת שרחבה כדף.", 100, 900, 130))
    assert doubts(placed(*rtl, direction="rtl")) == {"short_lines": 1}


def test_a_footnote_has_a_mark():
    assert doubts(region(TEXT, 100), region("(Czytelny podpis)", 1200, label="footnote")) == {"notes": 1}
    assert doubts(region(TEXT, 100), region("1 See there", 1200, label="footnote")) == {}


def test_a_line_of_contents_is_one_entry():
    row = "3.3 Chia chuỗi ..... 30 3.3.1 Chia nhỏ ..... 31"
    assert doubts(replace(region(row, 100, label="toc"), text=row)) == {"entries": 1}


def test_pictures_side_by_side_or_torn_may_be_one():
    assert doubts(picture(100, 100, 400, 300), picture(410, 100, 700, 300)) == {"near_pictures": 1}
    assert doubts(picture(100, 100, 700, 140), picture(100, 150, 700, 500)) == {"near_pictures": 1}
    assert doubts(picture(100, 100, 400, 300), picture(100, 400, 400, 600)) == {}


def test_a_line_within_a_picture_may_be_the_pages():
    (line,) = region("(a) Pirmais attēls", 250).lines
    assert doubts(picture(100, 100, 500, 300, line)) == {"pictured_lines": 1}
    assert doubts(picture(100, 100, 500, 300, replace(line, text="x = 0.5"))) == {}


def test_merged_cells_are_a_doubt_and_so_is_a_table_that_is_none():
    rows = (("a", 100, 200, 100),)
    assert doubts(table('<table><tr><td colspan="2">表1</td></tr><tr><td>a</td><td>b</td></tr></table>', *rows)) == {"spans": 1}
    assert doubts(table('<table><tr><td colspan="2000000">a</td></tr></table>', *rows)) == {"spans": 1}


@pytest.mark.parametrize(
    ("above", "below", "num"),
    [
        ("as java.util.", "functional has it", 1),
        ("see https://www.example.org/a", "or another one", 1),
        ("S0164-1212(96)/", "00118-5 there", 1),
        ("the time (// ", "hour) is short", 1),
        ("It ends here.", "And goes on", 0),
        ("either way", "and/or another", 0),
    ],
)
def test_a_name_or_an_address_may_go_on_in_the_next_line(above: str, below: str, num: int):
    assert doubts(region(f"{above}\n{below}.", 100)).get("names_cut", 0) == num


def test_letters_apart_are_words_set_wide_or_none():
    assert doubts(region("Р О З Д І Л другий, in which\nit is so.", 100)) == {"spaced_letters": 1}
    assert doubts(region("as a, b, c or d are\nthere.", 100)) == {}


def test_a_number_right_before_a_word_may_have_lost_its_gap():
    caption = region("表2.2システム", 310, label="image_caption")
    assert doubts(picture(100, 100, 500, 300), caption, region(TEXT, 400)) == {"numbers_at_words": 1}
    spaced = region("表2.2 システム", 310, label="image_caption")
    assert doubts(picture(100, 100, 500, 300), spaced, region(TEXT, 400)) == {}
    assert doubts(picture(100, 100, 500, 300), region("表1：一", 310, label="image_caption"), region(TEXT, 400)) == {}


def test_persian_has_its_own_ye_and_kaf():
    assert doubts(region("آن‌ها مي‌گيرند\nيك.", 100), lang="fa") == {"arabic_letters": 4}
    assert doubts(region("آن‌ها می‌گیرند\nیک.", 100), lang="fa") == {}
    assert doubts(region("في الكتاب\nي.", 100), lang="ar") == {}


def test_the_end_of_a_word_below_its_beginning_in_a_cell_may_be_cut_off():
    cut = (("Divis", 100, 160, 100), ("ion", 100, 140, 130))
    assert doubts(table("<table><tr><td>Divis ion</td><td>a</td></tr></table>", *cut)) == {"cut_words": 1}
    two = (("Total", 100, 160, 100), ("Income", 100, 170, 130))
    assert doubts(table("<table><tr><td>Total Income</td><td>a</td></tr></table>", *two)) == {}


@pytest.mark.parametrize("blank", ["____", "..........", "…………"])
def test_blanks_to_be_filled_in_are_a_doubt(blank: str):
    assert doubts(region(f"I, {blank}, agree\nto this.", 100)) == {"blanks": 1}


@pytest.mark.parametrize(
    ("text", "num"),
    [("אלגוריתם A* טוב", 1), ("اجبار login_required@ اجبار", 1), ("YOLOv8 2.3.4 المستخدم", 1), ("גרסה של Word", 0)],
)
def test_signs_and_numbers_beside_latin_in_lines_from_the_right_are_a_doubt(text: str, num: int):
    assert doubts(placed((text, 100, 900, 100), direction="rtl")).get("signs_at_latin", 0) == num


def test_pairs_are_those_that_comparing_each_with_each_finds():
    """Of random boxes, many of which begin or end at the same height."""
    draw = random.Random(1)
    counts = []
    for _ in range(60):
        boxes = [(draw.randrange(40), draw.randrange(60)) for _ in range(30)]
        boxes = [Box(x, y, x + draw.randrange(1, 15), y + draw.randrange(1, 9)) for x, y in boxes]
        texts = [draw.choice(("Div", "is", "a", "ab", "Abc", "ion", "sixsix", "B7")) for _ in boxes]
        lines = [Line(box, text, "Sans", "ltr") for box, text in zip(boxes, texts, strict=True)]
        page = sample("a-000000", regions=tuple(Region(line.box, "text", line.text, None, "x", lines=(line,)) for line in lines))
        cells = Region(boxes[0], "table", " ".join(draw.choices(texts, k=40)), "html", "x", lines=tuple(lines))
        found = page_doubts._level(page), page_doubts._cut_words(replace(page, regions=(cells,)))
        pairs = list(itertools.permutations(lines, 2))
        assert found == (sum(are_level(a.box, b.box) for a, b in pairs), sum(is_cut(a, b, cells.text) for a, b in pairs))
        counts.append(found)
    assert min(sum(column) for column in zip(*counts, strict=True)) > 100


def are_level(a: Box, b: Box) -> bool:
    return a.x1 <= b.x0 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.6 * min(a.y1 - a.y0, b.y1 - b.y0)


def is_cut(a: Line, b: Line, text: str) -> bool:
    is_below = 0 < b.box.y0 - a.box.y0 < 1.8 * (a.box.y1 - a.box.y0) and min(a.box.x1, b.box.x1) > max(a.box.x0, b.box.x0)
    is_end = a.text[-1].isalpha() and b.text[:1].islower() and len(b.text) <= 5
    return is_below and is_end and f"{a.text} {b.text}" in text


def test_many_lines_on_a_page_take_no_product_of_them(monkeypatch):
    """All of them at one height are compared in arrays: no pair is looked at by itself."""

    def never(*given):
        raise AssertionError("each with each")

    monkeypatch.setattr(itertools, "permutations", never)
    row = [placed((f"word{n}", 10 * n, 10 * n + 8, 50)) for n in range(300)]
    assert doubts(*row)["level"] == 300 * 299 // 2
