"""Readings of one page, built by hand: a drawn page, and what readers say of it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from datagen.agreement.agree_page import Agreement
from datagen.agreement.blocks import Page
from datagen.drawing.typefaces import reference_faces
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from tests.inputs.samples import encoded
from tests.outputs import write_dataset

SIZE = (700, 420)
TOP, PITCH, HEIGHT, LEFT = 30, 50, 38, 40
LINES = (
    "The printing house was founded in 1948 by",
    "two sisters who had learned their trade in",
    "a small town near the northern border.",
)

TEXT = " ".join(LINES)
WRONG = TEXT.replace("1948", "1943")
NUM_PAGES = 4


def drawn(lines: Sequence[str] = LINES, size: tuple[int, int] = SIZE) -> bytes:
    """A page with these lines below each other, as PNG."""
    image = Image.new("L", size, 255)
    font = ImageFont.truetype(reference_faces("Latn")[-1], 24)
    for n, line in enumerate(lines):
        ImageDraw.Draw(image).text((LEFT, TOP + n * PITCH), line, 0, font)
    return encoded(image, "PNG")


def box(first: int, last: int | None = None) -> Box:
    """Where lines stand, from one to another."""
    return Box(LEFT - 4, TOP + first * PITCH - 2, SIZE[0] - 60, TOP + (first if last is None else last) * PITCH + HEIGHT + 4)


def region(text: str, first: int = 0, last: int | None = None, by: str = "model-a", **values: Any) -> Region:
    return replace(Region(box(first, last), "text", text, None, by), **values)


def lines(texts: Sequence[str], by: str, first: int = 0) -> tuple[Region, ...]:
    """A region for each line, as readers of lines have them."""
    return tuple(
        Region(box(first + n), "text", text, 0.9, by, lines=(Line(box(first + n), text, score=0.9),))
        for n, text in enumerate(texts)
    )


def page(regions: Sequence[Region], key: str = "ab-000000", number: int = 0, **values: Any) -> Sample:
    text = "\n\n".join(r.text for r in regions)
    origin = Origin("/in/a.pdf", "ab" * 32, number, engines={r.by: "1" for r in regions})
    made = Sample(key, "page", drawn(), SIZE, "en", "Latn", text, tuple(regions), Quality("trusted"), origin, "label")
    return replace(made, **values)


def agreement(label: Sample, *others: Sample) -> Agreement:
    return Agreement(Page("label", label), [Page(f"reader-{n}", other) for n, other in enumerate(others)])


def agreed(label: Sample, *others: Sample) -> Sample:
    return agreement(label, *others).sample()


def key(number: int) -> str:
    return f"{'ab' * 8}-{'cd' * 4}-{number:06d}"


def made(folder: Path, scale: int = 1) -> str:
    """Three datasets, as data= names them: a label of four pages, of which the second is wrong in a digit, and two readings; the
    label has a fifth page alone, the last reader a sixth, whose image is its own."""
    size = (700 * scale, 420 * scale)
    label = [page([region(WRONG if n == 1 else TEXT, 0, 2)], key(n), n) for n in range(NUM_PAGES)]
    label.append(page([region(LINES[1], 1)], key(NUM_PAGES), NUM_PAGES, image=drawn(LINES[1:])))
    one = [page(lines(LINES, "ppocr"), key(n), n, stage="fine") for n in range(NUM_PAGES)]
    two = [page(lines(LINES, "tesseract"), key(n), n, stage="fine") for n in range(NUM_PAGES)]
    other = {"origin": Origin("/in/b.pdf", "ff" * 32, 0), "image": drawn(LINES[:1])}
    two.append(page(lines(LINES[:1], "tesseract"), "ff" * 8 + "-000000", 0, **other))
    if scale > 1:
        one = [scaled(sample, size, scale) for sample in one]
    for name, samples in (("label", label), ("one", one), ("two", two)):
        write_dataset(folder / name, samples, name)
    return ",".join(str(folder / name) for name in ("label", "one", "two"))


def scaled(sample: Sample, size: tuple[int, int], scale: int) -> Sample:
    regions = tuple(
        replace(
            r,
            box=Box(*(v * scale for v in r.box)),
            lines=tuple(replace(line, box=Box(*(v * scale for v in line.box))) for line in r.lines),
        )
        for r in sample.regions
    )
    return replace(sample, size=size, image=drawn(LINES, size), regions=regions)
