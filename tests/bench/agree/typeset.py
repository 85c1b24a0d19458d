"""Pages of which everything is known: two columns of paragraphs with numbers in them, two tables, formulas, in ten scripts."""

import io
import random
from dataclasses import replace
from typing import NamedTuple

from PIL import Image

from datagen.drawing.prose import Prose
from datagen.drawing.sheet import Flow, SetRegion, Sheet, columns
from datagen.record import Origin, Quality, Region, Sample
from datagen.samples.declarations import declaration
from datagen.tables.cells import Cell, Table
from tests.inputs.typeset_tables import set_table

SCRIPTS = (
    ("Latn", "eng"),
    ("Cyrl", "rus"),
    ("Grek", "ell_monotonic"),
    ("Arab", "arb"),
    ("Hebr", "heb"),
    ("Deva", "hin"),
    ("Thai", "tha"),
    ("Geor", "kat"),
    ("Hans", "cmn_hans"),
    ("Jpan", "jpn"),
)
"""Each script with a text of the Universal Declaration of Human Rights."""
ZOOM = 150 / 72
_RTL, _DENSE = frozenset({"Arab", "Hebr"}), frozenset({"Hans", "Jpan", "Thai"})
_NUMBER_EVERY = 9  # words, in scripts without spaces every so many of 20 characters


class Known(NamedTuple):
    """A page with its truth: `page` has the image and no label, `truth` its regions in order, with the lines of paragraphs."""

    page: Sample
    truth: tuple[Region, ...]


def typeset(seed: int, script: str, code: str) -> Known:
    text, draw = declaration(code), random.Random(f"agree {seed} {code}")
    prose = Prose(text.lang, text.paragraphs, draw)
    sheet = Sheet(prose, serif=draw.random() < 0.5, rtl=script in _RTL)
    size = draw.choice((9.0, 9.5, 10.0))
    cols = columns(48, 56, 499, 800, 2, 24)
    cols = cols[::-1] if script in _RTL else cols
    flow = Flow(sheet, cols)
    for number in range(40):
        if flow.is_full:
            break
        if number in (2, 8):
            _table(flow, size)
        elif number in (4, 5, 10, 11):
            _formula(flow, draw)
        else:
            _paragraph(flow, script, size, draw)
    image = sheet.pixels(ZOOM)
    regions = tuple(map(_region, sheet.in_pixels(ZOOM, "truth"), sheet.regions))
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    name = f"agree-{seed}-{code.replace('_', '-')}"
    page = Sample(
        name,
        "page",
        file.getvalue(),
        image.shape[1::-1],
        text.lang,
        script,
        "",
        (),
        Quality(),
        Origin(f"{name}.png", name, 0),
        "truth",
    )
    return Known(page, regions)


def _region(region: Region, set_region: SetRegion) -> Region:
    values = set_region.values
    label = {"text_block": "text", "table": "table", "equation_isolated": "equation"}[set_region.label]
    if "html" in values:
        return replace(region, label=label, text=values["html"], format="html", lines=(), continues=False)
    if "latex" in values:
        return replace(region, label=label, text=values["latex"], format="latex", lines=(), continues=False)
    return replace(region, label=label, continues=False)


def _paragraph(flow: Flow, script: str, size: float, draw: random.Random) -> None:
    """Three lines or more, with numbers among its words. It isn't cut by a column's end."""
    is_dense = script in _DENSE
    text = flow.sheet.prose.paragraph(40 if is_dense else 110)
    if is_dense and script != "Thai":
        parts = [text[i : i + 20] for i in range(0, min(len(text), 110), 20)]
        text = "".join(f"{part}{_number(draw)}" if draw.random() < 0.5 else part for part in parts)
    else:
        words = text.split()[: 9 if script == "Thai" else 36]
        for at in range(len(words) - 1, 2, -_NUMBER_EVERY):
            words.insert(at, _number(draw))
        text = " ".join(words)
    flow.text("text_block", text, size, gap=0.8 * size, together=1.0)


def _number(draw: random.Random) -> str:
    return draw.choice(
        (str(draw.randint(1900, 2099)), str(draw.randint(10, 999)), f"{draw.randint(1, 99)}.{draw.randint(0, 99):02}")
    )


def _table(flow: Flow, size: float) -> None:
    """Five rows of a word and three numbers."""
    prose, draw = flow.sheet.prose, flow.sheet.prose.random
    rows = [
        [prose.heading(9 if prose.lang[:2] in ("zh", "ja", "th") else 14) or "-", *(_number(draw) for _ in range(3))]
        for _ in range(5)
    ]
    table = Table(tuple(Cell(r, c, text, is_header=r == 0) for r, row in enumerate(rows) for c, text in enumerate(row)))
    room = flow.room(110)
    if room is None:
        return
    width = flow.column.width - 6
    below = set_table(
        flow.sheet,
        table,
        flow.column.x,
        room[1],
        (0.4 * width, *([0.2 * width] * 3)),
        size,
        draw.choice(("ruled", "three-line")),
        has_heads=False,
    )
    flow.y = below + 10


def _formula(flow: Flow, draw: random.Random) -> None:
    """A sum of products of letters with scripts, in the typeface of the text."""
    markup, latex = [], []
    for n in range(draw.randint(3, 5)):
        letter, factor = draw.choice("abcdxyzwuv"), draw.randint(2, 99)
        up, down = str(draw.randint(2, 9)), draw.choice("ijkn123")
        if n:
            sign = draw.choice("+−=" if "=" not in latex else "+−")
            markup.append(f" {sign} ")
            latex.append("-" if sign == "−" else sign)
        way = draw.randrange(3)
        markup.append(f"{factor}<i>{letter}</i>" + (f"<sup>{up}</sup>", f"<sub>{down}</sub>", "")[way])
        latex.append(f"{factor}{letter}" + (f"^{{{up}}}", f"_{{{down}}}", "")[way])
    flow.text(
        "equation_isolated",
        "x",
        12,
        markup="".join(markup),
        family="DejaVu Serif",
        align="center",
        gap=8,
        together=1.0,
        values={"latex": "".join(latex)},
    )
