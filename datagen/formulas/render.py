"""Formulas drawn from their LaTeX without TeX: ziamath sets them in STIX Two Math.

Of 551 commands and environments that formulas are written with, eight weren't known to it. latex2mathml, which it parses LaTeX
with, sets as text what it doesn't know, and ziamath passes over what it can't draw. Such a formula isn't drawn here.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from xml.etree import ElementTree

import cairocffi
import numpy
import ziamath
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.cairoPen import CairoPen
from fontTools.svgLib.path import parse_path
from ziamath import tex
from ziamath.drawable import Drawable, Glyph, HLine, VLine
from ziamath.nodes import Mnode

from datagen.formulas.drawing import EM, RULE, Drawing, NotDrawn, Symbol
from datagen.markdown import bare_latex

_MAX_CHARS = 8000
_MAX_PIXELS, _MAX_SIDE = 50_000_000, 30_000  # Cairo's own bound is 32,767
_BARS = re.compile(r"\\([vV])ert(?![A-Za-z])")  # not known behind \big
_FULL_WIDTH = re.compile("[\u3000\uff01-\uff5e]")
_TEXT = re.compile(r"\\(?:hbox|mbox|text|textrm)\s*\{")
_SHOWS_NOTHING = re.compile(
    r"\\(?:label|tag\*?|vspace\*?)\s*\{[^{}]*\}|\\eqno\s*(?:\([^()]*\))?"
    r"|\\(?:nonumber|notag|nolimits|hfill|allowbreak|null|relax|protect|break|noindent|smallskip|ensuremath)(?![A-Za-z])"
)
_ENVIRONMENTS = [
    (re.compile(r"\\begin\s*\{eqnarray\*?\}"), r"\\begin{array}{rcl}"),
    (re.compile(r"\\end\s*\{eqnarray\*?\}"), r"\\end{array}"),
    (re.compile(r"\\begin\s*\{alignedat\}\s*\{[^{}]*\}"), r"\\begin{aligned}"),
    (re.compile(r"\\end\s*\{alignedat\}"), r"\\end{aligned}"),
]
_MAX_LAYOUTS = 20_000  # about a second


def draw(latex: str) -> Drawing:
    """The formula as a displayed one, `EM` pixels an em. Raises `NotDrawn`."""
    node, num_signs = _node(latex)
    placed = list(_leaves(node, 0.0, 0.0))
    if len(placed) < num_signs:
        raise NotDrawn("signs_lost", f"{num_signs - len(placed)} of {num_signs}")
    boxes = [box for leaf, x, y in placed if (box := _box(leaf, x, y))]
    if not boxes:
        raise NotDrawn("empty")
    left, top = math.floor(min(box.x0 for box in boxes)), math.floor(min(box.y0 for box in boxes))
    right, bottom = math.ceil(max(box.x1 for box in boxes)), math.ceil(max(box.y1 for box in boxes))
    if (right - left) * (bottom - top) > _MAX_PIXELS or max(right - left, bottom - top) > _MAX_SIDE:
        raise NotDrawn("too_large", f"{right - left} x {bottom - top} pixels")
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_A8, right - left, bottom - top)
    context = cairocffi.Context(surface)
    context.translate(-left, -top)
    for leaf, x, y in placed:
        _paint(context, leaf, x, y)
    surface.flush()
    ink = numpy.frombuffer(surface.get_data(), numpy.uint8).reshape(bottom - top, surface.get_stride())
    symbols = tuple(Symbol(s.name, s.x0 - left, s.y0 - top, s.x1 - left, s.y1 - top) for s in boxes)
    return Drawing(ink[:, : right - left].copy(), symbols)


def _node(latex: str) -> tuple[Drawable, int]:
    """What ziamath makes of the LaTeX, and how many characters it has to show."""
    if len(latex) > _MAX_CHARS:
        raise NotDrawn("too_long", f"{len(latex)} characters")
    text = "".join(_texts_outside(bare_latex(_FULL_WIDTH.sub(lambda match: unicodedata.normalize("NFKC", match[0]), latex))))
    text = _BARS.sub(lambda bar: "|" if bar[1] == "v" else r"\|", _SHOWS_NOTHING.sub(" ", text))
    for written, known in _ENVIRONMENTS:
        text = written.sub(known, text)
    if not text.strip():
        raise NotDrawn("empty")
    try:
        mathml = tex.tex2mml(text)
        if "\\" in mathml:
            raise NotDrawn("unknown_command", mathml[mathml.index("\\") :].split("<")[0])
        root = _flat(ElementTree.fromstring(mathml))
        if _num_layouts(root) > _MAX_LAYOUTS:
            raise NotDrawn("too_nested")
        num_signs = _num_signs(root)  # ziamath changes what it is given
        return ziamath.Math(root, size=EM).node, num_signs
    except NotDrawn:
        raise
    except Exception as error:  # both packages raise what they happen to: their own errors, IndexError, AssertionError
        raise NotDrawn("not_parsed", type(error).__name__) from None


def _texts_outside(latex: str) -> Iterator[str]:
    """The LaTeX, in which formulas within a text stand outside of it: `\\text{if $x$}` as `\\text{if }x\\text{}`."""
    at = 0
    for opening in _TEXT.finditer(latex):
        if opening.start() < at:
            continue
        end = _closing(latex, opening.end())
        parts = latex[opening.end() : end].split("$")
        if len(parts) < 3 or len(parts) % 2 == 0:
            continue
        yield latex[at : opening.start()]
        yield from (rf"\text{{{part}}}" if i % 2 == 0 else part for i, part in enumerate(parts))
        at = end + 1
    yield latex[at:]


def _closing(latex: str, start: int) -> int:
    """Where the group ends that was opened before `start`."""
    depth = 1
    for i in range(start, len(latex)):
        if latex[i] in "{}" and latex[i - 1] != "\\":
            depth += 1 if latex[i] == "{" else -1
            if not depth:
                return i
    return len(latex)


def _flat(element: ElementTree.Element) -> ElementTree.Element:
    """The MathML without rows of one row, since engines write `{{{x}}}`, and without rows in an operator (`\\mathop{x}`), which
    ziamath passes over."""
    for i, inner in enumerate(element):
        inner = _flat(inner)
        if _name(inner) in ("mi", "mo") and len(inner):
            inner.tag = inner.tag.removesuffix(_name(inner)) + "mrow"
        while _name(inner) == "mrow" and len(inner) == 1 and _name(inner[0]) == "mrow" and not inner.attrib:
            inner = inner[0]
        element[i] = inner
    return element


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _num_signs(element: ElementTree.Element) -> int:
    """How many characters the MathML shows."""
    if _name(element) == "mphantom":
        return 0
    text = element.text or "" if _name(element) in ("mi", "mo", "mn", "mtext") else ""
    return sum(not (c.isspace() or unicodedata.category(c) == "Cf") for c in text) + sum(map(_num_signs, element))


def _num_layouts(element: ElementTree.Element) -> int:
    """How often ziamath lays something out: what is in a row twice, once to see how high what stretches must be."""
    again = 2 if _name(element) in ("mrow", "math", "mtd", "mstyle", "msqrt") else 1
    return 1 + again * sum(map(_num_layouts, element))


def _leaves(node: Drawable, x: float, y: float) -> Iterator[tuple[Drawable, float, float]]:
    """What is drawn of a node, and where."""
    if isinstance(node, Mnode):
        for (dx, dy), inner in zip(node.nodexy, node.nodes, strict=False):
            yield from _leaves(inner, x + dx, y + dy)
    elif isinstance(node, Glyph | HLine | VLine) and not node.phantom:
        yield node, x, y


def _box(leaf: Drawable, x: float, y: float) -> Symbol | None:
    """What a leaf covers; None if it shows nothing."""
    if isinstance(leaf, HLine):
        return Symbol(RULE, x, y, x + leaf.length, y + leaf.lw)
    if isinstance(leaf, VLine):
        return Symbol(RULE, x - leaf.lw / 2, y, x + leaf.lw / 2, y + leaf.height)
    assert isinstance(leaf, Glyph)
    if leaf.glyph.index == 0:
        raise NotDrawn("unknown_character", leaf.char)
    pen = BoundsPen(None)
    for path in _paths(leaf, x, y):
        parse_path(path, pen)
    return Symbol(leaf.char, *pen.bounds) if pen.bounds else None


def _paint(context: cairocffi.Context, leaf: Drawable, x: float, y: float) -> None:
    if isinstance(leaf, Glyph):
        pen = CairoPen(None, context)
        for path in _paths(leaf, x, y):
            parse_path(path, pen)
            context.fill()
    elif (box := _box(leaf, x, y)) is not None:
        context.rectangle(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)
        context.fill()


def _paths(leaf: Glyph, x: float, y: float) -> Iterator[str]:
    """The outlines of a glyph, of each of its pieces if it is put together of some, as SVG has paths."""
    drawn = leaf.glyph.svgpath(x0=x, y0=y, scale_factor=leaf.size / leaf.glyph.DFLT_SIZE_PT)
    for element in drawn.iter("path") if drawn is not None else ():
        yield element.get("d", "")
