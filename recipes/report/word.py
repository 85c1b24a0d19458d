"""The results for Word documents in the report: figures, and a gallery of formulas and tables, each cut beside its label in a
browser's drawing.

A label comes from a stranger's file. KaTeX makes a formula's MathML when the report is made, and only elements and attributes
that draw are kept; a table is parsed and written anew. So the page needs no script for them, and no network.
"""

import html
import posixpath
import re
from typing import Any

from lxml import etree
from markupsafe import Markup

from datagen.disk.shards import read_sample
from datagen.disk.storage import Folder
from datagen.formulas import katex
from datagen.markdown import bare_latex
from datagen.record import Sample
from datagen.tables import cells
from datagen.word.source import entity_of
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.pictures import data_uri, decode
from recipes.steps.word_tally import lines

_LARGEST = {"formula": (900, 300), "table": (1000, 1000)}
_QUALITY = 60
_TALLY = (
    "A formula or table came out if it is a sample of its own, or in the label of a page that is kept, and trusted. What didn’t "
    "is among the drops, with its reason."
)
_GALLERY = (
    "Each image stands beside its label as your browser draws it, the worst first by what was measured, the others drawn by "
    "their keys."
)
_MOST_CHARS = 20_000  # of a label
_INLINE = re.compile(r"\\\((.*?)\\\)", re.DOTALL)
_MATHML = "http://www.w3.org/1998/Math/MathML"
_ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts mprescripts none "
    "mtable mtr mtd mstyle mpadded mphantom menclose".split()
)
_ATTRIBUTES = frozenset(
    "display displaystyle scriptlevel mathvariant stretchy fence separator symmetric form accent accentunder movablelimits "
    "largeop minsize maxsize lspace rspace linethickness columnalign columnspacing rowspacing rowalign columnlines rowlines "
    "notation width height depth voffset".split()
)


def word_sections(name: str, summary: dict[str, Any], dataset: Folder, max_bytes: int) -> list[Section]:
    """Two sections for the dataset called `name`: the figures of `summary`, and the part of its gallery that fits into
    `max_bytes`."""
    figures = [(what, Cell(figure, "num")) for what, figure in lines(summary)]
    tally = joined(blocks.note(_TALLY), blocks.table((), figures))
    parts, left = [blocks.note(_GALLERY)], max_bytes
    for kind, title in (("table", "Tables"), ("formula", "Formulas")):
        cards = []
        for place in summary["gallery"][kind]:
            card = _card(read_sample(dataset, place["shard"], place["offset"], place["bytes"]))
            left -= len(blocks.cards([card]).encode())
            if left < 0:
                break
            cards.append(card)
        parts += [blocks.heading(title, f"{len(cards):,}"), blocks.cards(cards)]
    return [
        Section(f"{name}-tally", f"{name}: what came out", tally),
        Section(f"{name}-gallery", f"{name}: tables and formulas", joined(*parts)),
    ]


def _card(sample: Sample) -> Card:
    entity, signals = entity_of(sample.key), sample.quality.signals
    image = decode(sample.image)
    label = cut(sample.regions[0].text if sample.regions else sample.text, _MOST_CHARS)
    place = f"page {sample.origin.page + 1}, {sample.task} {entity.number + 1 if entity else 0}"
    facts: list[Cell | str] = [Cell(cut(posixpath.basename(sample.origin.uri), 80), note=place)]
    names = ("formula_agreement",) if sample.task == "formula" else ("structure_equal", "text_distance")
    facts += [Cell(f"{name.replace('_', ' ')} {signals[name]:.3f}", "num") for name in names if name in signals]
    if undrawn := [name.removeprefix("undrawn_").replace("_", " ") for name in signals if name.startswith("undrawn_")]:
        facts.append(f"not compared: {', '.join(undrawn)}")
    html = drawn(label, sample.task)
    uri = data_uri(image, _LARGEST[sample.task], _QUALITY) if image is not None else ""
    return Card(
        uri, facts, (("label", label),), blocks.note("This label can’t be drawn here.") if html is None else html, sample.task
    )


def drawn(label: str, task: str) -> Markup | None:
    """A label as HTML that a browser lays out: bare LaTeX as MathML, a table as a table; None if that fails."""
    try:
        return mathml(label) if task == "formula" else _table(label)
    except ValueError:
        return None


def mathml(latex: str) -> Markup:
    """The formula as MathML with only elements that draw. Raises `ValueError` if KaTeX can't parse it."""
    root = etree.fromstring(katex.mathml(bare_latex(latex)), etree.XMLParser(resolve_entities=False, no_network=True))
    return Markup(etree.tostring(_safe(root), encoding="unicode"))


def _safe(element: etree._Element) -> etree._Element:
    """A copy of the element with only known elements and attributes. The first child of `semantics` replaces it."""
    name = etree.QName(element).localname
    if name == "semantics" and len(element):
        return _safe(element[0])
    copy = etree.Element(f"{{{_MATHML}}}{name if name in _ELEMENTS else 'mrow'}", nsmap={None: _MATHML})
    for key, value in element.attrib.items():
        if key in _ATTRIBUTES:
            copy.set(key, value)
    copy.text = element.text
    for child in element:
        if isinstance(child.tag, str) and etree.QName(child).localname not in ("annotation", "annotation-xml"):
            copy.append(_safe(child))
    return copy


def _table(label: str) -> Markup:
    """A table's HTML, parsed and written anew, with its formulas as MathML."""
    return Markup(_INLINE.sub(_formula, cells.to_html(cells.parse(label))))


def _formula(match: re.Match[str]) -> str:
    try:
        return str(mathml(html.unescape(match[1].replace("<br>", " "))))
    except ValueError:
        return match[0]
