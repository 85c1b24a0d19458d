"""True regions of real pages, as lines of `datagen/layouts/annotated_pages.tsv`: the labeller drafts, somebody corrects.

    python -m tests.bench.fine.annotate draft IN OUT [N]   drafts N pages of each PDF in IN, drawn by the file's hash
    python -m tests.bench.fine.annotate table IN OUT       prints the table's lines for the pages that OUT/done.tsv names

IN has a file sources.tsv: of each PDF its name and its uri. A draft is NAME.png with numbered regions, NAME-plain.png, NAME.txt
with the text of each line, and NAME.ans, which is to be corrected: a region a line, in reading order, as "text: 4-9 12 p0", where
numbers are lines and p0 a picture. `annotating.md` says what a region is. done.tsv has a page's name a line; what is behind a tab
is ignored.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy
import pymupdf
from PIL import Image, ImageDraw

from datagen.fine.training_pages import pdf_elements
from datagen.layouts.annotated_pages import LABELS, UNIT, AnnotatedPage, written
from datagen.layouts.elements import Elements
from datagen.layouts.groups import groups
from datagen.layouts.labeller import weights
from datagen.layouts.truth import answer
from datagen.page.boxes import around
from datagen.record import Box, Region, SampleError

_SIDE, _FEWEST_CHARS, _MOST_LINES, _MOST_LOST, _TRIES = 1500, 150, 220, 0.03, 40
Answer = list[tuple[str, list[str]]]
"""Regions: a label, and names of lines and pictures, as "4" and "p0"."""


def draft(folder: str, out: str, num: str = "1") -> None:
    Path(out).mkdir(exist_ok=True)
    for path in sorted(Path(folder).glob("*.pdf")):
        made = 0
        with pymupdf.open(path) as file:
            numbers = range(file.page_count)
            for number in Random(hashlib.sha256(path.read_bytes()).hexdigest()).sample(numbers, min(len(numbers), _TRIES)):
                if made < int(num) and len(file[number].get_text().strip()) >= _FEWEST_CHARS:
                    made += _drafted(path, number, file[number], Path(out, f"{path.stem}-{number:03d}"))
        print(f"{path.name}: {made} pages", flush=True)


def _drafted(path: Path, number: int, page: pymupdf.Page, target: Path) -> bool:
    try:
        shown = pdf_elements(str(path), number)
    except SampleError:
        return False
    if not 0 < len(shown.lines) <= _MOST_LINES:
        return False
    regions = [
        (group.label, [*map(str, group.lines), *([f"p{group.picture}"] if group.picture >= 0 else [])])
        for group in groups(shown, weights())
    ]
    seen = {name for _, names in regions for name in names}
    regions += [("none", [f"p{n}"]) for n in range(len(shown.pictures)) if f"p{n}" not in seen]
    zoom = _SIDE / max(page.rect.width, page.rect.height)
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False)
    image = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
    image.save(f"{target}-plain.png")
    pen = ImageDraw.Draw(image)
    for n, (label, names) in enumerate(regions, 1):
        scale = (image.width / shown.size[0], image.height / shown.size[1]) * 2
        sides = zip(around(_box(shown, name) for name in names), scale, strict=True)
        x0, y0, x1, y1 = (side * by for side, by in sides)
        pen.rectangle((x0, y0, x1, y1), outline=("red", "blue")[n % 2], width=2)
        pen.text((max(0, x0 - 70), y0 - 2), f"{n} {label[:10]}", ("red", "blue")[n % 2], font_size=13)
    image.save(f"{target}.png")
    lines = (f"[{n}] {label}\n" + "".join(_line(shown, name) for name in names) for n, (label, names) in enumerate(regions, 1))
    Path(f"{target}.txt").write_text("".join(lines), encoding="utf-8")
    Path(f"{target}.ans").write_text("".join(f"{label}: {' '.join(names)}\n" for label, names in regions), encoding="utf-8")
    return True


def _line(page: Elements, name: str) -> str:
    return f"    {name:>4}| {'(picture)' if name.startswith('p') else page.lines[int(name)].text}\n"


def _box(page: Elements, name: str) -> tuple[float, float, float, float]:
    return page.pictures[int(name[1:])] if name.startswith("p") else page.lines[int(name)].box


def parsed(text: str, page: Elements) -> Answer:
    """An answer. Raises `ValueError` for an unknown label, and for lines or pictures that are missing or stand twice."""
    result: Answer = []
    for row in filter(str.strip, text.splitlines()):
        label, _, names = row.partition(":")
        if label.strip() not in LABELS:
            raise ValueError(f"{label!r} is none of {', '.join(LABELS)}")
        result.append((label.strip(), [one for name in names.split() for one in _expanded(name)]))
    found = sorted(name for _, names in result for name in names)
    wanted = sorted([*map(str, range(len(page.lines))), *(f"p{n}" for n in range(len(page.pictures)))])
    if found != wanted:
        raise ValueError(f"missing {sorted({*wanted} - {*found})}, unknown {sorted({*found} - {*wanted})}, or some stand twice")
    return result


def _expanded(name: str) -> Iterator[str]:
    first, dash, last = name.partition("-")
    yield from map(str, range(int(first), int(last) + 1)) if dash else [name]


def table(folder: str, out: str) -> None:
    sources = dict(line.split("\t")[:2] for line in Path(folder, "sources.tsv").read_text(encoding="utf-8").splitlines())
    for name in sorted({line.split("\t")[0] for line in Path(out, "done.tsv").read_text(encoding="utf-8").splitlines()}):
        stem, _, number = name.rpartition("-")
        path = Path(folder, f"{stem}.pdf")
        page = pdf_elements(str(path), int(number))
        try:
            regions = parsed(Path(out, f"{name}.ans").read_text(encoding="utf-8"), page)
            print(written(_annotated(page, regions, AnnotatedPage(sources[path.name], _sha256(path), int(number), ()))))
        except ValueError as error:
            print(f"{name}: {error}", file=sys.stderr)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _annotated(page: Elements, regions: Answer, made: AnnotatedPage) -> AnnotatedPage:
    """The page with the regions' boxes. Raises `ValueError` if boxes don't tell which lines are whose."""
    made_regions, of_line = [], numpy.zeros(len(page.lines), int)
    for n, (label, names) in enumerate(regions):
        is_bare = label == "image" and not any(name.startswith("p") for name in names)
        scale = (UNIT / page.size[0], UNIT / page.size[1]) * 2
        sides = zip(around(_box(page, name) for name in names), scale, strict=True)
        box = Box(*(min(UNIT, max(0, round(side * by))) for side, by in sides))
        made_regions.append(Region(box, "unsure" if is_bare else label, "", None, "annotated"))
        of_line[[int(name) for name in names if not name.startswith("p")]] = n
    told = answer(page, made_regions, (UNIT, UNIT)).region[: len(page.lines)]
    if ((told != of_line) & (told >= 0)).sum() > max(1, _MOST_LOST * len(page.lines)):
        raise ValueError("regions lie within each other: their boxes don't tell which lines are whose")
    return made._replace(regions=tuple(made_regions))


if __name__ == "__main__":
    {"draft": draft, "table": table}[sys.argv[1]](*sys.argv[2:])
