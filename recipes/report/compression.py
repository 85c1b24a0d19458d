"""The table of compression as a section of the report, with the worst pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from datagen.score.compression import BINS, PageReading
from recipes.report import Card, Cell, Section, blocks, cut, joined

_SHOWN, _CHARS = 4, 700
_NOTE = (
    "The paper’s table 2 (section 4.1). Text tokens are those of the model’s own tokenizer. “By words” is what Fox’s code calls "
    "precision: the share of a page’s different words that the answer has. “By edits” is 1 − the edit distance over the longer "
    "text, which knows of order, of what was invented and of what is missing. Intervals are of 95%, by bootstrap over pages."
)


def compression_section(name: str, rows: Sequence[Mapping[str, Any]], readings: Sequence[PageReading]) -> Section:
    """The table, and for each mode the pages with the worst readings, beside their texts."""
    modes = list(dict.fromkeys(mode for row in rows for mode in row["modes"]))
    head = ["text tokens", "pages"]
    for mode in modes:
        head += [f"{mode}: by words", "by edits", "compression"]
    parts = [blocks.note(_NOTE), blocks.table(head, [_row(row, modes) for row in rows])]
    for mode in modes:
        worst = sorted((one for one in readings if one.mode == mode and one.bin), key=lambda one: one.likeness)[:_SHOWN]
        parts += [blocks.heading(f"{mode}: what came back least"), blocks.cards([_card(one) for one in worst])]
    return Section(f"{name}-table", f"{name}: text out of few tokens", joined(*parts))


def _row(row: Mapping[str, Any], modes: Sequence[str]) -> list[str | int | Cell]:
    cells: list[str | int | Cell] = [f"{row['bin']}–{row['bin'] + BINS.step}" if row["bin"] else "all", row["num_pages"]]
    for mode in modes:
        if (cell := row["modes"].get(mode)) is None:
            cells += ["", "", ""]
        else:
            cells += [_share(cell, "precision"), _share(cell, "likeness"), Cell(f"{cell['compression']:.1f}×", "num")]
    return cells


def _share(cell: Mapping[str, float], measure: str) -> Cell:
    low, high = cell[f"{measure}_low"], cell[f"{measure}_high"]
    return Cell(f"{cell[measure]:.1%}", "num", f"{100 * low:.1f} to {100 * high:.1f}")


def _card(page: PageReading) -> Card:
    texts = [("what stands there", cut(page.truth, _CHARS)), ("what was read", cut(page.answer, _CHARS))]
    return Card(None, (Cell(page.page, "code", f"{page.likeness:.1%} by edits"),), texts)
