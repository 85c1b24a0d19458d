"""TEDS of tables that are typeset here, by style and by who reads them, and seconds a table.

    python -m tests.bench.fine.tables [--tables 40]

So many tables of each of two seeds, as images read by PP-OCRv6, and as born-digital pages. Rules were written while looking at
tables of seed 0 and some of 1 and 2; nobody has looked at those of seed 7. PubTabNet's own tables would prove nothing: SLANet
learned from them.
"""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from statistics import fmean

import pymupdf

from datagen.coarse.page import rendered
from datagen.coarse.text_layer import text_layer
from datagen.engines import OPEN
from datagen.engines.tables import Reading, TableReader
from datagen.fine.text_layer_tables import table_html
from datagen.reading.line_readers import LineReaders
from datagen.reading.page_lines import read_lines
from datagen.record import Line
from datagen.score.tables import normalised, score
from datagen.tables.cells import to_html
from datagen.tables.line_cuts import parted
from tests.bench.bars import at_least
from tests.bench.measuring import options
from tests.inputs.typeset_tables import STYLES, TypesetTable, typeset_tables

DIGITAL = "the text layer"
LEAST = 0.88  # of the default engine


def lines_of(table: TypesetTable) -> tuple[Line, ...]:
    """The table's lines as PP-OCRv6 finds and reads them."""
    (found,) = OPEN.get("ppocr-detector").detect([table.image])
    script = "Hans" if table.lang == "zh" else "Latn"
    return read_lines(table.image, [quad for quad, _ in found], table.lang, script, LineReaders(OPEN)).lines


def readings(table: TypesetTable, reader: TableReader) -> Iterator[tuple[str, str | None, float]]:
    """Who read it, the HTML (None for no table), and the seconds, but those of PP-OCR."""
    lines = lines_of(table)
    whole = parted(table.image, lines)

    def html(read: Callable[..., Reading | None]) -> str | None:
        reading = read(table.image, whole)
        return None if reading is None else to_html(reading.table)

    ways: dict[str, Callable[[], str | None]] = {
        "rules and gaps": lambda: html(reader.by_rules),
        "SLANet-1M": lambda: html(reader.by_slanet),
        "PyMuPDF's grid": lambda: html(reader.by_grid),
        "all by vote": lambda: reader.read([table.image], [lines])[0][0],
    }
    for name, read in ways.items():
        start = time.perf_counter()
        text = read()
        yield name, text, time.perf_counter() - start
    yield (DIGITAL, *digital(table))


def digital(table: TypesetTable) -> tuple[str | None, float]:
    """The HTML of the table from its page's text layer, and the seconds that it took, but those of the layer itself."""
    with pymupdf.open(stream=table.pdf, filetype="pdf") as doc:
        view = rendered(doc, 0, 1920, math.inf)
        lines = [line for region in text_layer(view).regions for line in region.lines]
        start = time.perf_counter()
        html = table_html(view, table.pixels(view.zoom), lines)
        return html, time.perf_counter() - start


def main() -> None:
    args = options(__doc__, tables=40).parse_args()
    reader = TableReader()
    for seed in (0, 7):
        teds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        seconds: dict[str, list[float]] = defaultdict(list)
        num_none: dict[str, int] = defaultdict(int)
        for table in typeset_tables(args.tables, seed):
            truth = normalised(table.html)
            assert truth is not None
            for name, html, took in readings(table, reader):
                teds[name][table.style].append(score(truth, normalised(html) if html else None).teds)
                seconds[name].append(took)
                num_none[name] += not html
        styles = "".join(f"{style:>12}" for style in (*STYLES, "all"))
        print(f"TEDS of {args.tables} tables, seed {seed:<4}{styles}   none   s a table")
        for name, of_style in teds.items():
            means = "".join(f"{fmean(of_style[style]):12.3f}" if of_style[style] else " " * 12 for style in STYLES)
            mean = fmean([one for of in of_style.values() for one in of])
            least = f"  ({at_least(mean, LEAST)})" if name == "all by vote" else ""
            print(f"  {name:<25}{means}{mean:12.3f}{num_none[name]:7}{fmean(seconds[name]):12.3f}{least}")


if __name__ == "__main__":
    main()
