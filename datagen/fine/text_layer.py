"""A page's text layer as labelled regions in reading order. Text is the file's, never OCR's."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy

from datagen.coarse.answers import BY, PageContent
from datagen.coarse.formula_share import MAX_CHARS, num_in_formulas
from datagen.coarse.page import OpenPage
from datagen.coarse.text_layer import ENGINES, TextLayer, read_layer, region
from datagen.engines.light_pymupdf import pymupdf
from datagen.fine import region_markdown
from datagen.fine.line_looks import Looks
from datagen.fine.page_layout import ENGINES as LAYOUT_ENGINES
from datagen.fine.page_layout import PageLayout, page_layout
from datagen.fine.parts import Part
from datagen.fine.text_layer_tables import table_html
from datagen.labels import HEADINGS, TEXTS
from datagen.layouts import labeller
from datagen.layouts.elements import Elements, LineElement, SeenBlock
from datagen.layouts.groups import NAME, Group, groups, structure_score
from datagen.page.boxes import area, around, is_centred_in, lies_in, shared
from datagen.page.line_pieces import Piece, Rect
from datagen.page.paragraphs import Paragraph, paragraphs
from datagen.page.raised import by_height
from datagen.record import Region
from datagen.writing.vertical_lines import is_from_left

_WHOLE = frozenset({"table", "image", "equation"})
_JOINED = frozenset({"text", "list", "footnote", "reference"}) | HEADINGS
"""Labels of regions in which a line goes on in the next one, unless its author ended it."""
_FRAME_EM = 1.5
_INSIDE = 0.5  # of a line's area
_SIGN_EM, _SIGN_GAP_EM, _MIN_SIGNS = 0.9, 2.5, 3  # how wide a sign is, and how far from its item
_MIN_DOTS, _SAME_SIDE_PT = 2, 0.2
_SAME_PT = 1.0  # signs of a list stand below each other
_MIN_AREA, _MAX_AREA = 0.002, 0.9  # of the page's: smaller ones are ornaments, larger ones its background
_RULE_PT = 2.0  # what is thinner is a rule
_NEAR_PT = 4.0  # what is nearer belongs together
_MIN_DRAWINGS = 12  # drawings that make a picture where neither an image nor the model says that there is one
_MAX_DRAWINGS = 1500  # to compare all with all takes too long for more
_BACKGROUND = 0.1  # of its area: what more text than that stands on isn't a picture


class _Breaks(NamedTuple):
    """What the lines of a page say: which line goes on in which next one (True) or was ended by its author (False), by the `id`s
    of both; and the last lines of paragraphs that go on in the next column or on the next page."""

    is_soft: Mapping[tuple[int, int], bool]
    continuing: frozenset[int]


def annotated_layer(view: OpenPage) -> PageContent:
    """The lines of `text_layer`, each in one region.

    - Regions, labels and order: see `datagen.layouts`. PyMuPDF's layout model has a vote.
    - Line ends: see `text_layer`.
    - Text is Markdown, see `region_markdown`. `lines` are the lines of `text_layer`. A table's text is HTML; a table without HTML
      is unread. A formula's text is LaTeX; formulas are unread here. A paragraph with formulas in its lines is unread, too,
      because the text layer flattens formulas. A picture's text is the lines inside it, and isn't part of the page's text.

    Signals: those of `text_layer`, with `math_share` for the regions that aren't unread; `layout_failed` if the layout model
    failed on the page; `structure_score`, the probability that all regions are right.

    Raises `SampleError` (`broken_page`).
    """
    layer = read_layer(view)
    layout = page_layout(view)
    looks = Looks(layer.spans, layout.drawings)
    pieces = [piece for block in layer.blocks for piece in block]
    page = elements(view, layer, layout, looks)
    found = groups(page, labeller.weights())
    breaks = _breaks(paragraphs(layer.blocks, layer.rtl))
    parts = [part for group in found for part in _parts(group, page, pieces, breaks)]
    mark_drawn_signs(parts, layout)
    _frame_tables(parts, layout)
    styles = region_markdown.styles(layer.spans)
    num_math = _num_math(parts, layer)
    flattened = {id(part) for part, num in zip(parts, num_math, strict=True) if num > MAX_CHARS and part.label not in _WHOLE}
    regions = tuple(
        made for part in parts if (made := _region(view, part, layer, styles, looks, id(part) in flattened)) is not None
    )
    measured = layer.signals | ({"layout_failed": 1.0} if layout.failed else {})
    measured["structure_score"] = structure_score(found, labeller.weights())
    if layer.signals.get("math_share"):
        # An equation is unread, and a picture's text isn't the page's.
        flat = [part.label not in ("equation", "image") and id(part) not in flattened for part in parts]
        trusted = sum(num for num, is_flat in zip(num_math, flat, strict=True) if is_flat)
        measured["math_share"] = trusted / layer.signals["num_chars"]
    return PageContent(regions, measured, ENGINES | LAYOUT_ENGINES | labeller.versions())


def elements(view: OpenPage, layer: TextLayer, layout: PageLayout, looks: Looks) -> Elements:
    """What the page consists of, in points."""
    lines = [
        LineElement(p.bbox, p.text, p.size, p.bold_share, p.mono_share or 0.0, looks.of(p), p.vertical, number)
        for number, block in enumerate(layer.blocks)
        for p in block
    ]
    images = [block.box for block in layout.blocks if block.label == "image"]
    outside = [line.box for line in lines if not any(shared(line.box, box) > _INSIDE * area(line.box) for box in images)]
    size = view.page.rect.width, view.page.rect.height
    blocks = [SeenBlock(block.box, block.label) for block in layout.blocks]
    standing = "".join(line.text for line in lines if line.vertical)
    first = "left" if is_from_left(standing) else "right"
    columns_from = first if 2 * len(standing) > sum(len(line.text) for line in lines) else ""
    return Elements(
        size, lines, blocks, pictures(layout, outside, view.page.rect), layout.drawings, layer.rtl, columns_from=columns_from
    )


def _breaks(divided: Sequence[Paragraph]) -> _Breaks:
    is_soft = {(id(a), id(b)): soft for p in divided for (a, b), soft in zip(itertools.pairwise(p.pieces), p.soft, strict=True)}
    return _Breaks(is_soft, frozenset(id(p.pieces[-1]) for p in divided if p.continues))


def _parts(group: Group, page: Elements, pieces: Sequence[Piece], breaks: _Breaks) -> Iterator[Part]:
    """The group as a part. The ruby beside its lines follows as a part of its own."""
    own = tuple(pieces[i] for i in group.lines)
    picture = page.pictures[group.picture] if group.picture >= 0 else None
    joins = group.label in _JOINED
    soft = tuple(breaks.is_soft.get((id(a), id(b)), joins) for a, b in itertools.pairwise(own))
    paragraph = Paragraph(own, soft, group.label, id(own[-1]) in breaks.continuing) if own else None
    yield Part(paragraph, group.label, group.level, picture, structure=group.is_right)
    if ruby := tuple(annotation for piece in own for annotation in piece.ruby):
        yield Part(Paragraph(ruby, (False,) * (len(ruby) - 1)), "text", structure=group.is_right)


def _num_math(parts: Sequence[Part], layer: TextLayer) -> list[int]:
    """The number of each part's characters that belong to formulas."""
    if not layer.signals.get("math_share"):
        return [0] * len(parts)
    spans = by_height(layer.spans)
    return [num_in_formulas(part.pieces, spans) for part in parts]


def _frame_tables(parts: Sequence[Part], layout: PageLayout) -> None:
    """Give tables their frames."""
    for part in parts:
        if part.label == "table":
            others = [piece.bbox for other in parts if other is not part for piece in other.pieces]
            part.frame = framed(part.box, layout, _FRAME_EM * part.size, others)


def _region(
    view: OpenPage, part: Part, layer: TextLayer, styles: region_markdown.Styles, looks: Looks, is_flattened: bool
) -> Region | None:
    """The part as a region, in pixels. It is unread if `is_flattened`. None if the part is off the page."""
    box = view.pixels(part.box)
    if box is None:
        return None
    if part.paragraph is None:
        return Region(box, part.label, "", None, BY, detected_by=NAME, structure=part.structure)
    plain = region(view, part.paragraph, layer.words)
    lines = tuple(replace(line, look=looks.of(piece)) for line, piece in zip(plain.lines, part.pieces, strict=True))
    if part.label == "list":
        lines = (region_markdown.with_markdowns_sign(lines[0]), *lines[1:])
    whole, structure = around([box, plain.box]), part.structure
    made = replace(plain, box=whole, label=part.label, lines=lines, detected_by=NAME, structure=structure)
    match part.label:
        case "image":
            return replace(made, text="\n".join(line.text for line in made.lines), continues=False)
        case "equation":
            return replace(made, text="", format="latex", is_unread=True, continues=False)
        case "table":
            html = table_html(view, made.box, made.lines, styles.scripts, layer.words)
            return replace(made, text=html or "", format="html", is_unread=html is None, continues=False)
    if is_flattened:
        return replace(made, text="", is_unread=True, continues=False)
    return replace(made, text=region_markdown.markdown(part, plain.text, styles))


def mark_drawn_signs(parts: Sequence[Part], layout: PageLayout) -> None:
    """Make items of texts with a small drawing where a list's sign would be, if several have one in the same place, or two have a
    dot there. Set `has_drawn_sign` of all items with such a drawing."""
    signs: list[tuple[Part, Rect]] = []
    for part in parts:
        if part.pieces and part.label in TEXTS:
            first = part.pieces[0]
            if sign := _sign(first.bbox, first.size, layout):
                signs.append((part, sign))
    for part, sign in signs:
        num = sum(abs(sign[0] - other[0]) < _SAME_PT for _, other in signs)
        least = _MIN_DOTS if all(_is_dot(sign, other) for _, other in signs if abs(sign[0] - other[0]) < _SAME_PT) else _MIN_SIGNS
        part.has_drawn_sign = num >= least or part.label == "list"
        part.label = "list" if part.has_drawn_sign else part.label


def _is_dot(a: Rect, b: Rect) -> bool:
    """Whether a sign is as wide as high, and another one of its size."""
    sides = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    return max(sides) - min(sides) < _SAME_SIDE_PT


def _sign(line: Rect, size: float, layout: PageLayout) -> Rect | None:
    """The box of a small drawing in front of a line, from left to right, of letters of `size`; all in points."""
    for box in (*layout.drawings, *layout.pictures):
        middle = (box[1] + box[3]) / 2
        is_small = box[2] - box[0] < _SIGN_EM * size and box[3] - box[1] < 2 * _SIGN_EM * size
        if is_small and line[1] < middle < line[3] and 0 <= line[0] - box[2] + 1 < _SIGN_GAP_EM * size:
            return box
    return None


def pictures(layout: PageLayout, texts: Sequence[Rect], page: pymupdf.Rect) -> list[Rect]:
    """Boxes of the pictures in points, none inside another, from the top. `texts` are the boxes of text that is in no picture;
    what much of it stands on is a background, such as a box around a paragraph or a cell's shade."""
    whole = page.width * page.height
    written = numpy.array(texts).reshape(-1, 4)
    labelled = [block.box for block in layout.blocks if block.label == "image" and block.parts]
    guessed = [block.box for block in layout.blocks if block.label == "image" and not block.parts]
    seeds = [box for box in (_cut(box, page) for box in [*layout.pictures, *labelled]) if not _is_background(box, written, whole)]
    guesses = [box for box in (_cut(box, page) for box in guessed) if not _is_background(box, written, whole)]
    drawn = [box for box in (_cut(box, page) for box in layout.drawings) if _is_drawing(box, written, whole)]
    if len(drawn) > _MAX_DRAWINGS:
        drawn = []
    result: list[Rect] = []
    boxes = [*seeds, *drawn, *guesses]
    for group in _groups(boxes):
        sure = [boxes[i] for i in group if i < len(seeds)]
        known = [boxes[i] for i in group if i < len(seeds) + len(drawn)]
        if not sure and len(known) == len(group) < _MIN_DRAWINGS:
            continue
        # The model sees a picture's ink, no edge: where there are boxes that are drawn, these count.
        extent = around(known or [boxes[i] for i in group])
        if _holds_text(extent, written):
            result += sure
        else:
            result.append(extent)
    large = sorted((box for box in result if area(box) >= _MIN_AREA * whole), key=lambda b: -area(b))
    outer: list[Rect] = []
    for box in large:
        if not any(is_centred_in(box, other) for other in outer):
            outer.append(box)
    return sorted(outer, key=lambda b: (b[1], b[0]))


def framed(box: Rect, layout: PageLayout, margin: float, others: Sequence[Rect]) -> Rect:
    """A table's box with the rules and the frame that are drawn around its text, no farther than `margin` points from it. What
    has other text in it, or between it and the table, is another's: text with the boxes `others`, outside of the table's."""
    written = numpy.array([other for other in others if not _holds_text(box, numpy.array([other]))]).reshape(-1, 4)
    x0, y0, x1, y1 = box
    limit = (x0 - margin, y0 - margin, x1 + margin, y1 + margin)
    rules = (drawn for drawn in layout.drawings if lies_in(drawn, limit))
    return around([box, *(drawn for drawn in rules if not _holds_text(around([box, drawn]), written))])


def _is_drawing(box: Rect, written: numpy.ndarray, whole: float) -> bool:
    thin = min(box[2] - box[0], box[3] - box[1]) <= _RULE_PT
    return not thin and not _holds_text(box, written) and not _is_background(box, written, whole)


def _holds_text(box: Rect, written: numpy.ndarray) -> bool:
    x, y = (written[:, 0] + written[:, 2]) / 2, (written[:, 1] + written[:, 3]) / 2
    return bool(((box[0] <= x) & (x <= box[2]) & (box[1] <= y) & (y <= box[3])).any())


def _is_background(box: Rect, written: numpy.ndarray, whole: float) -> bool:
    if box[0] >= box[2] or box[1] >= box[3] or area(box) > _MAX_AREA * whole:
        return True
    wide = numpy.minimum(written[:, 2], box[2]) - numpy.maximum(written[:, 0], box[0])
    high = numpy.minimum(written[:, 3], box[3]) - numpy.maximum(written[:, 1], box[1])
    return float((numpy.maximum(wide, 0) * numpy.maximum(high, 0)).sum()) > _BACKGROUND * area(box)


def _groups(boxes: Sequence[Rect]) -> list[list[int]]:
    """The places of boxes that touch each other, directly or through others."""
    if not boxes:
        return []
    x0, y0, x1, y1 = numpy.array(boxes).T
    group = numpy.full(len(boxes), -1)
    for first in range(len(boxes)):
        if group[first] >= 0:
            continue
        group[first], reached = first, [first]
        while reached:
            i = reached.pop()
            near = (x0 < x1[i] + _NEAR_PT) & (x1 > x0[i] - _NEAR_PT) & (y0 < y1[i] + _NEAR_PT) & (y1 > y0[i] - _NEAR_PT)
            new = numpy.flatnonzero(near & (group < 0))
            group[new] = first
            reached += new.tolist()
    return [numpy.flatnonzero(group == first).tolist() for first in numpy.unique(group)]


def _cut(box: Rect, page: pymupdf.Rect) -> Rect:
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], page.width), min(box[3], page.height)
