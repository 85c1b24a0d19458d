"""What is behind the text of a table's cells: their own shading, or that of the table's style, as LibreOffice takes it.

Which parts of a style a cell has, a file says of each row and cell (w:cnfStyle).
"""

import re
from collections.abc import Iterator

from lxml import etree

from datagen.word.file.names import VAL, W, value
from datagen.word.file.styles import Styles

_COLOUR = re.compile("[0-9A-Fa-f]{6}")
_PERCENT = re.compile(r"pct(\d+)")
# The parts of a table's style (w:tblStylePr), by what a row or cell calls them, the one that counts most last.
_PARTS = {
    "evenHBand": "band2Horz",
    "oddHBand": "band1Horz",
    "evenVBand": "band2Vert",
    "oddVBand": "band1Vert",
    "lastColumn": "lastCol",
    "firstColumn": "firstCol",
    "lastRow": "lastRow",
    "firstRow": "firstRow",
    "lastRowFirstColumn": "swCell",
    "lastRowLastColumn": "seCell",
    "firstRowFirstColumn": "nwCell",
    "firstRowLastColumn": "neCell",
}
# The same, by their place among the digits of an older form.
_DIGITS = (
    *("firstRow", "lastRow", "firstColumn", "lastColumn", "oddVBand", "evenVBand", "oddHBand", "evenHBand"),
    *("firstRowLastColumn", "firstRowFirstColumn", "lastRowLastColumn", "lastRowFirstColumn"),
)


class Fills:
    """The fills of a table's cells. `table` is its w:tbl."""

    def __init__(self, styles: Styles, table: etree._Element):
        chain = styles.chain(value(table.find(W + "tblPr"), "tblStyle"), "table")
        self._chain = [style for style in reversed(chain) if next(style.iter(W + "shd"), None) is not None]

    def of(self, cell: etree._Element) -> int | None:
        """The fill of a cell (w:tc), 0xRRGGBB, None for none."""
        shading = cell.find(f"{W}tcPr/{W}shd")
        if shading is None and self._chain:
            row = cell.getparent()
            parts = {*_parts(cell.find(f"{W}tcPr")), *_parts(row.find(f"{W}trPr") if row is not None else None)}
            shading = next(reversed(list(self._of_style(parts))), None)
        return None if shading is None else fill(shading)

    def _of_style(self, parts: set[str]) -> Iterator[etree._Element]:
        """What the style says of such a cell, what counts most last."""
        for style in self._chain:
            yield from style.iterfind(f"{W}tcPr/{W}shd")
            special = {e.get(W + "type"): e for e in style.findall(W + "tblStylePr")}
            for part in (name for name in _PARTS.values() if name in parts and name in special):
                yield from special[part].iterfind(f"{W}tcPr/{W}shd")


def _parts(properties: etree._Element | None) -> Iterator[str]:
    """The parts of a style that a row or a cell with these properties has."""
    conditions = properties.find(W + "cnfStyle") if properties is not None else None
    if conditions is None:
        return
    digits = dict(zip(_DIGITS, conditions.get(VAL, ""), strict=False))
    for name, part in _PARTS.items():
        if conditions.get(W + name, digits.get(name, "0")) in ("1", "true", "on"):
            yield part


def fill(shading: etree._Element) -> int | None:
    """The colour that a w:shd fills with, 0xRRGGBB, None for none."""
    pattern, paper, ink = (shading.get(W + name, "") for name in ("val", "fill", "color"))
    match = _PERCENT.fullmatch(pattern)
    percent = int(match[1]) if match else 100 if pattern == "solid" else 0
    if percent == 0 or pattern == "nil":
        return int(paper, 16) if _COLOUR.fullmatch(paper) and pattern != "nil" else None
    below = int(paper, 16) if _COLOUR.fullmatch(paper) else 0xFFFFFF
    above = int(ink, 16) if _COLOUR.fullmatch(ink) else 0
    mixed = 0
    for shift in (16, 8, 0):
        mixed |= ((above >> shift & 255) * percent + (below >> shift & 255) * (100 - percent)) // 100 << shift
    return mixed
