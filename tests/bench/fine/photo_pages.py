"""The pages of `fine_photos`: what is set in which language and layout, and how a camera sees it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy

from datagen.drawing.camera import Points, Pose, photographed
from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Column, Flow, Sheet, columns
from datagen.samples.declarations import declaration
from tests.typeset import layouts

_DPI = 150
_VERTICAL: dict[str, Any] = {"size_pt": (842, 595), "vertical": True}
_RTL: dict[str, Any] = {"rtl": True}
_SPREAD: dict[str, Any] = {"size_pt": (1190, 842)}


def vertical_newspaper(sheet: Sheet) -> None:
    """Articles in tiers of vertical text, a headline down beside each, one across two tiers, a picture with its caption."""
    width, height = sheet.size_pt  # down the paper, and from its right edge to the left
    sheet.text("title", sheet.prose.heading(12), 40, 30, 400, 24, weight=700)
    first = Flow(sheet, columns(40, 74, width - 80, 270, 3, 18))
    layouts.body(first, 9.5, 80, leading=1.5)
    sheet.rule(40, 282, width - 40, 282)
    sheet.text("title", sheet.prose.heading(14), 40, 292, 330, 17, weight=700)
    second = Flow(sheet, columns(40, 322, width * 0.62 - 40, height - 40, 2, 18))
    layouts.body(second, 9.5, 80, leading=1.5)
    sheet.picture(width * 0.62 + 16, 300, width * 0.38 - 56, 90)
    sheet.text("figure_caption", sheet.prose.heading(18), width * 0.62 + 16, 396, width * 0.38 - 56, 8)
    third = Flow(sheet, [Column(width * 0.62 + 16, 420, width * 0.38 - 56, height - 40)])
    layouts.body(third, 9.5, 80, leading=1.5)


def spread(sheet: Sheet) -> None:
    """Two pages of a book side by side, each with its number; of a script that runs from the right, the right one is first."""
    half = sheet.size_pt[0] / 2
    short = sheet.prose.lang[:2] in ("zh", "ja", "ko", "th")
    for number, x in enumerate((half, 0) if sheet.rtl else (0, half)):
        flow = Flow(sheet, [Column(x + 70, 70, half - 130, 770)])
        if not number:
            flow.text("title", sheet.prose.heading(16 if short else 40), 17, weight=700, gap=10)
        layouts.body(flow, 11.5, 120 if short else 320)
        sheet.text("page_number", str(14 + number), x + 70, 800, half - 130, 9, ordered=False, align="center")


def form(sheet: Sheet) -> None:
    """Fields with names, rules to write on, and notes below."""
    short = sheet.prose.lang[:2] in ("zh", "ja", "ko", "th")
    flow = Flow(sheet, [Column(60, 60, 475, 800)])
    flow.text("title", sheet.prose.heading(14 if short else 36), 17, weight=700, gap=14)
    layouts.body(flow, 10.5, 100 if short else 240, 1)
    for number in range(9):
        top = flow.y
        flow.text("text_block", f"{number + 1}. {sheet.prose.heading(10 if short else 30)}", 10.5, gap=12)
        sheet.rule(300, flow.y - 10, 535, flow.y - 10)
        assert flow.y > top
    layouts.body(flow, 9, 100 if short else 240, 3)


# By script: the declaration's code, how its sheet differs, its layouts.
_PLAIN = (layouts.plain, layouts.two_columns, layouts.newspaper, layouts.footnotes, form, spread)
SCRIPTS: dict[str, tuple[str, dict[str, Any], tuple[Callable[[Sheet], None], ...]]] = {
    "Latn": ("eng", {}, (layouts.newspaper, layouts.magazine, layouts.paper, layouts.exam, spread, form)),
    "Latn-es": ("spa", {}, (layouts.magazine, layouts.newspaper, layouts.lists, layouts.plain)),
    "Latn-vi": ("vie", {}, (layouts.two_columns, layouts.plain, layouts.newspaper)),
    "Hans": ("cmn_hans", {}, (layouts.newspaper, layouts.figures, layouts.exam, form, spread)),
    "Hant-ttb": ("cmn_hant", _VERTICAL, (layouts.upright, vertical_newspaper, layouts.tiers)),
    "Jpan": ("jpn", {}, (layouts.two_columns, layouts.plain, layouts.newspaper)),
    "Jpan-ttb": ("jpn", _VERTICAL, (vertical_newspaper, layouts.tiers, layouts.upright)),
    "Kore": ("kor", {"serif": False}, _PLAIN),
    "Cyrl": ("rus", {}, (layouts.newspaper, layouts.footnotes, layouts.two_columns, spread)),
    "Grek": ("ell_monotonic", {}, _PLAIN),
    "Arab": ("arb", _RTL, (layouts.newspaper, layouts.two_columns, layouts.plain, spread)),
    "Hebr": ("heb", _RTL, (layouts.two_columns, layouts.newspaper, spread)),
    "Deva": ("hin", {}, (layouts.plain, layouts.newspaper, layouts.two_columns, form)),
    "Beng": ("ben", {}, _PLAIN),
    "Taml": ("tam", {}, _PLAIN),
    "Telu": ("tel", {}, _PLAIN),
    "Thai": ("tha", {}, (layouts.plain, layouts.two_columns, layouts.footnotes)),
    "Geor": ("kat", {}, _PLAIN),
    "Armn": ("hye", {}, _PLAIN),
}
CONDITIONS = ("quarter", "askew", "bent", "creased", "shadow", "dark", "half")


def pose(condition: str, draw: random.Random) -> Pose:
    """How a camera sees a page of that condition: always a little from one side."""
    leaning = Pose(pitch=draw.uniform(-6, 6), yaw=draw.uniform(-6, 6), degrees=draw.uniform(-2, 2))
    match condition:
        case "quarter":
            return replace(leaning, quarters=draw.choice((1, 3)))
        case "half":
            return replace(leaning, quarters=2)
        case "askew":
            return replace(leaning, degrees=draw.choice((-1, 1)) * draw.uniform(4, 14))
        case "bent":
            return replace(leaning, bend=draw.uniform(0.06, 0.16), bend_along=draw.randrange(4) // 3)
        case "creased":
            return replace(leaning, crease=draw.uniform(12, 28))
        case "shadow":
            return replace(leaning, shadow=draw.uniform(0.3, 0.6))
    return replace(leaning, dark=draw.uniform(0.45, 0.7), shadow=draw.uniform(0, 0.3))


@dataclass(frozen=True)
class Page:
    """A set page, or a picture of it: (H, W, 3) RGB bytes; its text in reading order, and all that is read on it; where its
    points lie in the picture."""

    name: str
    script: str
    lang: str
    condition: str
    pixels: numpy.ndarray
    text: str
    everything: str
    regions: tuple[tuple[str, tuple[float, float, float, float]], ...]
    points: Points | None = None


def pages(num: int, seed: int = 0) -> Iterator[Page]:
    """So many pages, half of them clean, the others photographed: the scripts in turn, and each one's layouts in turn."""
    for number in range(num):
        script = [*SCRIPTS][number % len(SCRIPTS)]
        code, how, of_script = SCRIPTS[script]
        turn = number // len(SCRIPTS)
        layout = of_script[turn % len(of_script)]
        is_clean = (number + turn) % 2 == 0
        draw = random.Random(f"{seed} {number}")
        text = declaration(code)
        sheet = Sheet(Prose(text.lang, text.paragraphs, draw), **how | (_SPREAD if layout is spread else {}))
        layout(sheet)
        pixels = sheet.pixels(_DPI / 72)
        ordered = sorted((r for r in sheet.regions if r.order and r.text), key=lambda r: r.order or 0)
        plain = "\n".join(region.text for region in ordered)
        everything = "\n".join(region.text for region in sheet.regions if region.text)
        zoom = _DPI / 72
        boxes = tuple((r.text, tuple(value * zoom for value in r.box)) for r in sheet.regions if r.text)
        condition, points = "clean", None
        if not is_clean:
            condition = CONDITIONS[(number // 2 + turn) % len(CONDITIONS)]
            pixels, points = photographed(pixels, pose(condition, draw), numpy.random.default_rng([seed, number]))
        name = f"{number:03d}-{script}-{layout.__name__}-{condition}"
        yield Page(name, script, text.lang, condition, pixels, plain, everything, boxes, points)  # type: ignore[arg-type]
