"""Tables are decided cell by cell, formulas by what they draw."""

import io
import json

import pytest
from PIL import Image

from datagen.agreement.agree_page import DECISIONS
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


READERS = [blank(cell_lines(by), stage="fine") for by in ("ppocr", "tesseract")]
OTHERS_CELLS = [blank([r for r in cell_lines(by) if "." not in r.text], stage="fine") for by in ("ppocr", "tesseract")]
DIGIT = html().replace("1948", "1943")


@pytest.mark.parametrize(
    ("own", "readings", "expected"),
    [
        (html(), READERS, ("kept", "another_agrees")),
        (html(swapped()), READERS, ("replaced", "two_agree_against_it")),
        (DIGIT, [blank([table(html(), "model-b")]), READERS[1]], ("replaced", "two_agree_against_it")),
        (html(), OTHERS_CELLS, ("alone", "readers_have_no_cells")),  # lines of other cells don't fit
    ],
)
def test_cells_are_laid_beside_tables_and_lines_and_kept_or_mended(own, readings, expected):
    made = agreed(blank([table(own)]), *readings)
    assert (outcome(made), made.regions[0].text) == (expected, html())


def test_what_is_no_table_is_open():
    made = agreed(blank([table("words without a table")]), blank([table(html(), "model-b")]))
    assert outcome(made) == ("unread", "no_table")


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


WRONG, ALIKE = LATEX.replace("3y", "8y"), LATEX.replace("x_{1}^{2}", "x^2_1")


@pytest.mark.parametrize(
    ("own", "others", "expected", "text"),
    [
        (LATEX, [ALIKE], ("kept", "another_agrees"), LATEX),
        (WRONG, [LATEX, LATEX], ("replaced", "two_agree_against_it"), LATEX),
        (WRONG, [LATEX], ("drawn", "ink_is_like_another"), LATEX),
        # The label and the readers have a wrong sign each.
        (LATEX.replace("3y", "88w"), [LATEX.replace("{a}", "{w}")] * 2, ("unread", "ink_is_between_them"), ""),
        (r"\undefined{x", [r"\alsoundefined"], ("unread", "not_drawn"), ""),
    ],
)
def test_formulas_are_kept_replaced_drawn_or_open(own, others, expected, text):
    readings = [formula_page([formula(other, by)]) for other, by in zip(others, ("model-b", "model-c"), strict=False)]
    made = agreed(formula_page([formula(own)]), *readings)
    assert (outcome(made), made.regions[0].text) == (expected, text)
