"""TEDS: how alike two tables are, as trees of rows and cells (Zhong et al., arXiv 1911.10683). The measure itself is that of
table-recognition-metric, which is PubTabNet's."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import Any, NamedTuple

from lxml import etree, html
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

_MOST_SPANNED = 1000  # HTML's own bound for colspan


class Score(NamedTuple):
    """`teds` and `structure` (cells without their text) are from 0 to 1; `is_broken` where the prediction is no table."""

    teds: float
    structure: float
    is_broken: bool = False


MISSING = Score(0.0, 0.0)


def scores(truths: Sequence[str], predicted: Sequence[str]) -> list[Score]:
    """How well each true table was read, given the page's tables, all as HTML. Each predicted table counts for one true table at
    most: those go together that are most alike. Raises `ValueError` if a truth is no table."""
    true_tables = [_whole(table) for table in truths]
    tables = [normalised(table) for table in predicted]
    if not tables or not true_tables:
        return [MISSING] * len(true_tables)
    costs = cdist(true_tables, [table or "" for table in tables], scorer=Levenshtein.normalized_distance)
    results = [MISSING] * len(true_tables)
    for number, chosen in zip(*linear_sum_assignment(costs), strict=True):
        results[number] = score(true_tables[number], tables[chosen])
    return results


def score(truth: str, table: str | None) -> Score:
    """TEDS of two `normalised` tables; 0 where there is none."""
    if table is None:
        return Score(0.0, 0.0, True)
    with_text, structure = _teds()
    return Score(max(0.0, with_text(table, truth)), max(0.0, structure(table, truth)))


class Cell(NamedTuple):
    """`text` has one space for any run of white space, and is in NFKC form."""

    text: str
    colspan: int = 1
    rowspan: int = 1
    is_heading: bool = False


def cells(text: str) -> list[list[Cell]]:
    """The rows of the first table in a piece of HTML, however broken, that have cells; none where there is no such row. Groups of
    rows, and markup within cells, are passed over."""
    try:
        root = html.fragment_fromstring(text, create_parent="div")
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return []
    table = next(root.iter("table"), None)
    if table is None:
        return []
    rows = [row for row in table.iter("tr") if next(row.iterancestors("table"), None) is table]
    filled = [[_cell(cell) for cell in row.xpath("./td|./th")] for row in rows]
    return [row for row in filled if row]


def normalised(text: str) -> str | None:
    """The table's `cells` as HTML with rows, cells and spans alone; None where there are none."""
    lines = ["<tr>" + "".join(map(_html, row)) + "</tr>" for row in cells(text)]
    return f"<html><body><table>{''.join(lines)}</table></body></html>" if lines else None


def _cell(cell: html.HtmlElement) -> Cell:
    text = " ".join(unicodedata.normalize("NFKC", cell.text_content()).split())
    return Cell(text, _span(cell.get("colspan")), _span(cell.get("rowspan")), cell.tag == "th")


def _html(cell: Cell) -> str:
    spans = "".join(f' {name}="{n}"' for name, n in (("colspan", cell.colspan), ("rowspan", cell.rowspan)) if n > 1)
    return f"<td{spans}>{escape(cell.text, quote=False)}</td>"


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return min(max(1, int(digits)), _MOST_SPANNED) if digits.isascii() and digits.isdigit() else 1


def _whole(truth: str) -> str:
    table = normalised(truth)
    if table is None:
        raise ValueError(f"a table of the ground truth has no cells: {truth[:60]!r}")
    return table


@cache
def _teds() -> tuple[Any, Any]:
    from table_recognition_metric import TEDS

    return TEDS(structure_only=False), TEDS(structure_only=True)
