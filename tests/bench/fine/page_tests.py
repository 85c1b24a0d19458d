"""Tests of pages with text layers, of the kinds of olmOCR-bench: what is absent, present, in order, and in its structure.

    python -m tests.bench.fine.page_tests

Pages of Debian's documents, whose tests in page_tests.jsonl somebody wrote from their images; and pages that are set here, in one
and two columns, with running heads, footnotes, tables and formulas. A page is read with the ones before and behind it, since a
document tells its running heads together. `absent`, `present`, `order` and `formula_order`, an order around a formula, are of
the page's Markdown, as in olmOCR-bench. The others are labels, each with how a region with it begins.
"""

import functools
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pymupdf

from datagen.coarse.page import open_document, rendered
from datagen.engines import OPEN
from datagen.fine.structure.level_headings import LevelHeadings
from datagen.fine.text_layer import annotated_layer
from datagen.fine.verdict.mark_formulas import MarkFormulas
from datagen.markdown import markdown
from datagen.record import Origin, Sample
from datagen.samples.documents import DebianSamples
from tests.bench.bars import at_least
from tests.bench.measuring import options
from tests.inputs.samples import sample

LEAST = 0.95
LISTED = Path(__file__).with_suffix(".jsonl")
_SIDE, _MAX_PT = 1920, 5000.0
_WORDS = "rights reason dignity brothers spirit freedom nation person property country language religion opinion birth".split()


def pages(path: Path, numbers: Sequence[int]) -> list[Sample]:
    """These pages of a document, annotated, as the recipe `fine` settles them before engines read what has no text."""
    made = []
    with open_document(str(path)) as doc:
        for number in numbers:
            if 0 <= number < len(doc):
                view = rendered(doc, number, _SIDE, _MAX_PT)
                content = annotated_layer(view)
                origin = Origin(str(path), "ab" * 32, number)
                text = markdown(content.regions)
                made.append(sample(f"a-{number:06d}", size=view.size, regions=content.regions, text=text, origin=origin))
    for stage in (MarkFormulas(), LevelHeadings()):
        made = [page for page in stage(made, OPEN) if isinstance(page, Sample)]
    return made


def passes(page: Sample, kind: str, asked: Any) -> bool:
    """Whether a page passes a test: see the head."""
    text = page.text
    match kind:
        case "absent":
            return asked not in f"\n{text}\n"
        case "present":
            return asked in text
        case "order" | "formula_order":
            places = [text.find(part) for part in asked]
            return min(places) > -1 and places == sorted(places)
        case "cells":
            return any("".join(f"<td>{cell}</td>" for cell in asked) in r.text for r in page.regions if r.label == "table")
    return any(region.label == kind and region.text.startswith(str(asked)) for region in page.regions)


def typeset(folder: Path) -> Iterator[tuple[Path, int, dict[str, list]]]:
    """Documents of three pages that are set here, with the number of a page and its tests."""
    for number, (columns, foot) in enumerate(itertools.product((1, 2), ("7", "Page 7 of 9", "- 7 -"))):
        path = folder / f"set-{number}.pdf"
        with pymupdf.open() as doc:
            for n in (6, 7, 8):
                _set_page(doc.new_page(width=595, height=842), columns, foot.replace("7", str(n)), n)
            doc.save(path)
        tests: dict[str, list] = {
            "absent": ["The Journal of Reason", f"\n{foot}\n"],
            "present": ["first7 " + " ".join(_WORDS), "area of 12 km<sup>2</sup> and"],
            "order": [["7 The", "first7"], ["first7", "second7"], ["second7", "note7"]],
            "formula_order": [["first7", "u = v + 7", "second7"]],
            "cells": [["north", "12", "40"]],
            "page_number": [foot],
            "sub_title": ["## 7 The"],
            "footnote": ["<sup>1</sup> note7"],
        }
        yield path, 1, tests


def _set_page(page: pymupdf.Page, columns: int, foot: str, n: int) -> None:
    put = functools.partial(page.insert_text, fontname="tiro")
    put((72, 40), "The Journal of Reason", fontsize=9)
    put((280, 815), foot, fontsize=9)
    put((72, 80), f"{n} The {_WORDS[n]} of {_WORDS[n + 3]}", fontname="tibo", fontsize=16)
    width = 451 if columns == 1 else 210
    for column, (left, name) in enumerate(((72, "first"), (72 if columns == 1 else 313, "second"))):
        y = 110.0 + (0 if columns == 2 or not column else 220)
        y = _paragraph(
            page, f"{name}{n} {' '.join(_WORDS)}, {' '.join(reversed(_WORDS))} and {' '.join(_WORDS)}.", left, y, width
        )
        if not column:
            put((left + 60, y + 16), f"u = v + {n}  ≤  w", fontsize=11)
            y += 42
            put((left, y), "It has an area of 12 km", fontsize=10)
            wide = pymupdf.get_text_length("It has an area of 12 km", "tiro", 10)
            put((left + wide, y - 3.6), "2", fontsize=7)
            put((left + wide + 4, y), " and more of it.", fontsize=10)
    _table(page, 590)
    put((72, 765.4), "1", fontsize=5.5)
    put((75, 768), f" note{n} says: {' '.join(_WORDS[n - 6 : n])}, in smaller type.", fontsize=8)


def _paragraph(page: pymupdf.Page, text: str, left: float, y: float, width: float) -> float:
    line = ""
    for word in [*text.split(), ""]:
        if not word or pymupdf.get_text_length(f"{line} {word}", "tiro", 10) > width:
            page.insert_text((left, y), line, fontname="tiro", fontsize=10)
            y, line = y + 12.5, word
        else:
            line = f"{line} {word}".strip()
    return y


def _table(page: pymupdf.Page, top: float) -> None:
    rows = (("region", "towns", "people"), ("north", "12", "40"), ("south", "31", "77"), ("west", "8", "15"))
    for i in range(len(rows) + 1):
        page.draw_line((72, top + 20 * i), (523, top + 20 * i))
    for x in (72, 222, 372, 523):
        page.draw_line((x, top), (x, top + 20 * len(rows)))
    for i, row in enumerate(rows):
        for x, cell in zip((80, 230, 380), row, strict=True):
            page.insert_text((x, top + 14 + 20 * i), cell, fontname="tiro", fontsize=10)


def main() -> None:
    options(__doc__).parse_args()
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()

    def count(page: Sample, tests: Mapping[str, Sequence]) -> None:
        for kind, asked in tests.items():
            total[kind] += len(asked)
            passed[kind] += sum(passes(page, kind, one) for one in asked)

    with tempfile.TemporaryDirectory() as folder:
        for path, number, tests in typeset(Path(folder)):
            count(pages(path, (0, 1, 2))[number], tests)
    files = {Path(item.uri).name: Path(item.uri) for item in DebianSamples().items()}
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        tests = json.loads(line)
        name, number = tests.pop("document"), tests.pop("page")
        around = pages(files[name], range(number - 1, number + 2))
        count(next(page for page in around if page.origin.page == number), tests)
    for kind in total:
        print(f"{kind:14} {passed[kind]:3} of {total[kind]:3}")
    share = passed.total() / total.total()
    print(f"{'all':14} {passed.total():3} of {total.total():3}, {share:.1%} ({at_least(100 * share, 100 * LEAST, '%')})")


if __name__ == "__main__":
    main()
