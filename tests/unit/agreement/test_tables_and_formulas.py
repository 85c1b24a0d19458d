"""Tables are decided cell by cell, formulas by what they draw."""

import io
import json

import pytest
from PIL import Image

from datagen.agreement.agree_page import DECISIONS
from datagen.agreement.formulas import same_formula
from datagen.formulas.render import draw
from datagen.record import Box, Line, Region
from datagen.tables.cells import Cell, Table, to_html
from tests.inputs.agreement import SIZE, agreed, page

ROWS = (("Paper", "1948", "30.5"), ("Ink", "207", "12.8"), ("Thread", "63", "4.75"))
TABLE = Box(30, 30, 520, 200)


def html(rows=ROWS) -> str:
    return to_html(Table(tuple(Cell(r, c, text) for r, row in enumerate(rows) for c, text in enumerate(row))))


def table(text: str, by: str = "model-a") -> Region:
    return Region(TABLE, "table", text, None, by, format="html")


def cell_lines(by: str, rows=ROWS) -> list[Region]:
    """Each cell's text where it stands, as readers of lines have it."""
    found = []
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            box = Box(40 + 170 * c, 40 + 55 * r, 40 + 170 * c + 12 * len(text), 66 + 55 * r)
            found.append(Region(box, "text", text, 0.9, by, lines=(Line(box, text, score=0.9),)))
    return found


def swapped(rows=ROWS):
    return ((*rows[0][:2], rows[1][2]), (*rows[1][:2], rows[0][2]), rows[2])


def outcome(sample, number: int = 0) -> tuple[str, str]:
    entry = json.loads(sample.metadata[DECISIONS])[number]
    return entry["outcome"], entry["why"]


def blank(regions, **values):
    file = io.BytesIO()
    Image.new("L", SIZE, 255).save(file, "PNG")
    return page(regions, image=file.getvalue(), **values)


def test_cells_are_laid_beside_the_lines_in_their_places():
    readers = [blank(cell_lines(by), stage="fine") for by in ("ppocr", "tesseract")]
    assert outcome(agreed(blank([table(html())]), *readers)) == ("kept", "another_agrees")
    mended = agreed(blank([table(html(swapped()))]), *readers)
    assert outcome(mended)[0] == "replaced"
    assert mended.regions[0].text == html()


def test_a_digit_of_a_cell_is_replaced_where_two_tables_agree():
    wrong = html().replace("1948", "1943")
    made = agreed(blank([table(wrong)]), blank([table(html(), "model-b")]), blank(cell_lines("tesseract")))
    assert outcome(made) == ("replaced", "two_agree_against_it")
    assert made.regions[0].text == html()


def test_other_rows_are_taken_where_two_tables_have_them():
    made = agreed(blank([table(html(ROWS[:2]))]), blank([table(html(), "model-b")]), blank([table(html(), "model-c")]))
    assert outcome(made) == ("replaced", "two_have_other_rows")
    assert made.regions[0].text == html()


def test_one_table_of_other_rows_says_nothing_of_the_cells():
    made = agreed(blank([table(html())]), blank([table(html(ROWS[:2]), "model-b")]))
    assert outcome(made)[0] == "alone"


def test_what_is_no_table_is_open():
    made = agreed(blank([table("words without a table")]), blank([table(html(), "model-b")]))
    assert outcome(made) == ("unread", "no_table")


def test_lines_of_other_cells_do_not_fit_and_change_nothing():
    others = [blank([r for r in cell_lines(by) if "." not in r.text], stage="fine") for by in ("ppocr", "tesseract")]
    assert agreed(blank([table(html())]), *others).regions[0].text == html()


LATEX = r"x_{1}^{2}+3y=\frac{a}{b}"


def formula(text: str, by: str = "model-a") -> Region:
    return Region(Box(40, 40, 460, 190), "equation", text, None, by, format="latex")


def formula_page(regions, latex: str = LATEX):
    ink = Image.fromarray(255 - draw(latex).ink)
    image = Image.new("L", SIZE, 255)
    image.paste(ink.resize((round(ink.width * 0.9), round(ink.height * 0.9))), (60, 60))
    file = io.BytesIO()
    image.save(file, "PNG")
    return page(regions, image=file.getvalue())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(r"a^2", r"a^{2}", True), (r"\frac12", r"\dfrac{1}{2}", True), (r"a\,+b", "a+b", True), ("a^2", "a_2", False)],
)
def test_formulas_are_the_same_by_tokens_or_by_their_drawing(one, other, expected):
    assert same_formula(one, other) is expected


def test_formulas_are_kept_replaced_or_drawn():
    wrong = LATEX.replace("3y", "8y")
    kept = agreed(formula_page([formula(LATEX)]), formula_page([formula(LATEX.replace("x_{1}^{2}", "x^2_1"), "model-b")]))
    assert outcome(kept) == ("kept", "another_agrees")
    right = [formula_page([formula(LATEX, by)]) for by in ("model-b", "model-c")]
    replaced = agreed(formula_page([formula(wrong)]), *right)
    assert (outcome(replaced)[0], replaced.regions[0].text) == ("replaced", LATEX)
    drawn = agreed(formula_page([formula(wrong)]), right[0])
    assert (outcome(drawn), drawn.regions[0].text) == (("drawn", "ink_is_like_another"), LATEX)
    false = [formula_page([formula(wrong, by)]) for by in ("model-b", "model-c")]
    assert outcome(agreed(formula_page([formula(LATEX)]), *false)) == ("drawn", "ink_against_two")


def test_a_formula_of_which_label_and_readers_have_a_wrong_sign_each_is_open():
    own, shared = LATEX.replace("3y", "88w"), LATEX.replace("{a}", "{w}")
    made = agreed(formula_page([formula(own)]), *(formula_page([formula(shared, by)]) for by in ("model-b", "model-c")))
    assert outcome(made) == ("unread", "ink_is_between_them")


def test_latex_that_cannot_be_drawn_is_open():
    made = agreed(formula_page([formula(r"\undefined{x")]), formula_page([formula(r"\alsoundefined", "model-b")]))
    assert outcome(made) == ("unread", "not_drawn")
