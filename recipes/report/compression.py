"""The table of compression as a section of the report, with the pages that came out worst."""

from collections.abc import Sequence
from typing import Any

from datagen.score.compression import BINS, PageReading
from recipes.report import Section, asset, cut, fill

_SHOWN, _CHARS = 4, 700


def compression_section(name: str, rows: Sequence[dict[str, Any]], readings: Sequence[PageReading]) -> Section:
    """The table, and of each mode the pages whose text came back least, beside what stands there."""
    modes = list(dict.fromkeys(mode for row in rows for mode in row["modes"]))
    worst = [
        (mode, sorted((one for one in readings if one.mode == mode and one.bin), key=lambda one: one.likeness)[:_SHOWN])
        for mode in modes
    ]
    shown = [(mode, [(one, cut(one.truth, _CHARS), cut(one.answer, _CHARS)) for one in of]) for mode, of in worst]
    html = fill("compression.html", rows=rows, modes=modes, width=BINS.step, worst=shown)
    return Section(f"{name}-table", f"{name}: text out of few tokens", html, asset("label.css"))
