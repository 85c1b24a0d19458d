"""A page's text layer as labelled regions in reading order. Text is the file's, never OCR's."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from datagen.coarse.answers import BY, PageContent
from datagen.coarse.formula_share import MAX_CHARS, num_in_formulas
from datagen.coarse.page import OpenPage
from datagen.coarse.text_layer import ENGINES, TextLayer, read_layer, region
from datagen.fine import region_markdown
from datagen.fine.drawn_signs import mark_drawn_signs
from datagen.fine.line_looks import Looks
from datagen.fine.page_layout import ENGINES as LAYOUT_ENGINES
from datagen.fine.page_layout import PageLayout, page_layout
from datagen.fine.page_pictures import framed, pictures
from datagen.fine.parts import Part
from datagen.fine.text_layer_tables import table_html
from datagen.labels import HEADINGS
from datagen.layouts import labeller
from datagen.layouts.elements import Elements, LineElement, SeenBlock
from datagen.layouts.groups import NAME, Group, groups, structure_score
from datagen.page.boxes import area, around, shared
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph, paragraphs
from datagen.page.raised import by_height
from datagen.record import Region
from datagen.writing.vertical_lines import is_from_left

_WHOLE = frozenset({"table", "image", "equation"})
_JOINED = frozenset({"text", "list", "footnote", "reference"}) | HEADINGS
"""Labels of regions in which a line goes on in the next one, unless its author ended it."""
_FRAME_EM = 1.5
_INSIDE = 0.5  # of a line's area


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
        trusted = sum(num for part, num in zip(parts, num_math, strict=True) if _is_flat(part) and id(part) not in flattened)
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
    yield Part(paragraph, group.label, group.level, picture)
    if ruby := tuple(annotation for piece in own for annotation in piece.ruby):
        yield Part(Paragraph(ruby, (False,) * (len(ruby) - 1)), "text")


def _num_math(parts: Sequence[Part], layer: TextLayer) -> list[int]:
    """The number of each part's characters that belong to formulas."""
    if not layer.signals.get("math_share"):
        return [0] * len(parts)
    spans = by_height(layer.spans)
    return [num_in_formulas(part.pieces, spans) for part in parts]


def _is_flat(part: Part) -> bool:
    """Whether the text of the part flattens formulas. An equation is unread, and a picture's text isn't the page's."""
    return part.label not in ("equation", "image")


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
        return Region(box, part.label, "", None, BY, detected_by=NAME)
    plain = region(view, part.paragraph, layer.words)
    lines = tuple(replace(line, look=looks.of(piece)) for line, piece in zip(plain.lines, part.pieces, strict=True))
    if part.label == "list":
        lines = (region_markdown.with_markdowns_sign(lines[0]), *lines[1:])
    made = replace(plain, box=around([box, plain.box]), label=part.label, lines=lines, detected_by=NAME)
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
