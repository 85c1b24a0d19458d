"""A page's text layer as labelled regions in reading order. Text is the file's, never OCR's. A layout model finds the boxes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy

from datagen.coarse.answers import BY, PageContent
from datagen.coarse.formula_share import MAX_CHARS, num_in_formulas
from datagen.coarse.page import OpenPage
from datagen.coarse.text_layer import ENGINES, TextLayer, read_layer, region, with_ruby
from datagen.fine import region_markdown
from datagen.fine.drawn_signs import divided_at_drawn_signs, mark_drawn_signs
from datagen.fine.floats import direction_of, with_floats_in_place
from datagen.fine.layer_signals import num_doubts, tag_signals
from datagen.fine.line_looks import Looks
from datagen.fine.page_layout import ENGINES as LAYOUT_ENGINES
from datagen.fine.page_layout import Block, PageLayout, page_layout
from datagen.fine.page_pictures import framed, holds_picture, pictures
from datagen.fine.region_labels import Part, is_prose, label_parts
from datagen.fine.text_layer_tables import table_html
from datagen.fine.whole_paragraphs import whole
from datagen.labels import HEADINGS, TEXTS
from datagen.page.boxes import area, around, shared
from datagen.page.given_order import in_files_order
from datagen.page.line_pieces import Rect
from datagen.page.paragraphs import Paragraph, paragraphs
from datagen.page.raised import by_height
from datagen.record import Region

Owners = Mapping[int, int]
"""The index of the model's block that holds a piece, by the piece's `id`; -1 if no block holds it."""

_WHOLE = frozenset({"table", "image", "equation"})  # a block with such a label is one region, however many paragraphs it has
_LEAST_SHARE = 0.2  # of a line's box: it is as high as the font, but the model's boxes are as high as the glyphs
_PROSE_SHARE = 0.3  # of the characters in a picture: with more of them in prose it is no picture
_FRAME_EM, _CODE_GAP_EM, _FORMULA_GAP_EM = 1.5, 3.0, 1.0
_CAUGHT, _MAX_CAUGHT_CHARS = 0.9, 40  # share of a text's area in the picture or table that includes it; its longest text
_CELLS_SHARE = 0.3  # of a table's lines: a table doesn't take more lines that the model left out


def annotated_layer(view: OpenPage) -> PageContent:
    """The lines of `text_layer`, each in one region. PyMuPDF's layout model divides and labels the regions.

    - Paragraphs are those of `text_layer`. A paragraph in two blocks of the model with different labels is divided. A table, a
      picture and a formula are one region each. Text that the model doesn't see keeps its paragraph and its label. A heading
      between a table's rows divides the table. Small text inside a table belongs to the table, if it is in no block.
    - Labels: see `region_labels`.
    - Order: the order of `text_layer`, unless the places of regions contradict this order (`given_order.in_files_order`). Running
      headers come first and footers last. Pictures and their captions stand where they lie among the other regions.
    - Text is Markdown, see `region_markdown`. `lines` are the lines of `text_layer`. A table's text is HTML; a table without HTML
      is unread. A formula's text is LaTeX; formulas are unread here. A paragraph with formulas in its lines is unread, too,
      because the text layer flattens formulas. A picture's text is the lines inside it, and isn't part of the page's text.

    Signals: those of `text_layer`, with `math_share` for the regions that aren't unread; and `layout_failed` if the layout model
    failed on the page. Else these shares of the lines' characters: `layout_coverage` (in the model's blocks), `unread_share` and
    `picture_text_share`. `layout_agreement` is the share of neighbouring lines of paragraphs that are in one block, if both are
    in blocks. `order_agreement` is the share of neighbouring regions that are in the model's order. The signals of `tag_signals`
    follow if the file is tagged. `code_doubts` is the number of parts that may be code or text.

    Raises `SampleError` (`broken_page`).
    """
    layer = read_layer(view)
    layout = page_layout(view)
    engines = ENGINES | LAYOUT_ENGINES
    owners = _owners(layer, layout.blocks)
    all_paragraphs = whole(list(divided_at_drawn_signs(with_ruby(paragraphs(layer.blocks, layer.rtl)), layout)))
    parts = _whole(list(_divided(all_paragraphs, owners, layout.blocks)), layout)
    parts = _with_pictures(view, parts, layout)
    mark_drawn_signs(parts, layout)
    label_parts(parts, view.page.rect)
    parts = _between_headings(_with_cells(_joined(parts)))
    _frame_tables(parts, layout)
    styles = region_markdown.styles(layer.spans)
    num_math = _num_math(parts, layer)
    flattened = {id(part) for part, num in zip(parts, num_math, strict=True) if num > MAX_CHARS and part.label not in _WHOLE}
    looks = Looks(layer.spans, layout.drawings)
    made = [one for part in parts if (one := _region(view, part, layer, styles, looks, id(part) in flattened)) is not None]
    regions = tuple(_between_heads_and_feet(with_floats_in_place(in_files_order(made), direction_of(layer.blocks, layer.rtl))))
    signals = layer.signals | _signals(regions, parts, owners, all_paragraphs, layout)
    signals["code_doubts"] = float(num_doubts(parts, styles))
    if layer.signals.get("math_share"):
        trusted = sum(num for part, num in zip(parts, num_math, strict=True) if _is_flat(part) and id(part) not in flattened)
        signals["math_share"] = trusted / layer.signals["num_chars"]
    return PageContent(regions, signals | tag_signals(parts, layout.tags), engines)


def _num_math(parts: Sequence[Part], layer: TextLayer) -> list[int]:
    """The number of each part's characters that belong to formulas."""
    if not layer.signals.get("math_share"):
        return [0] * len(parts)
    spans = by_height(layer.spans)
    return [num_in_formulas(part.pieces, spans) for part in parts]


def _is_flat(part: Part) -> bool:
    """Whether the text of the part flattens formulas. An equation is unread, and a picture's text isn't the page's."""
    return part.label not in ("equation", "image")


def _owners(layer: TextLayer, blocks: Sequence[Block]) -> Owners:
    """The block of each line: the one whose boxes share the largest area with the line."""
    pieces = [piece for block in layer.blocks for line in block for piece in (line, *line.ruby)]
    if not blocks:
        return dict.fromkeys(map(id, pieces), -1)
    boxes = numpy.array([part for block in blocks for part in block.parts or (block.box,)])
    of_block = numpy.array([i for i, block in enumerate(blocks) for _ in block.parts or (block.box,)])
    return {id(piece): _owner(piece.bbox, boxes, of_block) for piece in pieces}


def _owner(box: Rect, boxes: numpy.ndarray, of_block: numpy.ndarray) -> int:
    x0, y0, x1, y1 = box
    wide = numpy.minimum(boxes[:, 2], x1) - numpy.maximum(boxes[:, 0], x0)
    high = numpy.minimum(boxes[:, 3], y1) - numpy.maximum(boxes[:, 1], y0)
    areas = numpy.bincount(of_block, numpy.maximum(wide, 0) * numpy.maximum(high, 0))
    best = int(areas.argmax())
    return best if areas[best] > _LEAST_SHARE * (x1 - x0) * (y1 - y0) else -1


def _divided(paragraphs: Sequence[Paragraph], owners: Owners, blocks: Sequence[Block]) -> Iterator[Part]:
    """The paragraphs, divided between blocks with different labels. A line in no block goes with the line before it. If it is the
    first line, it goes with the next line that is in a block."""
    for paragraph in paragraphs:
        of_lines = [owners[id(piece)] for piece in paragraph.pieces]
        known = [i for i in of_lines if i >= 0]
        last = known[0] if known else -1
        runs: list[tuple[int, int]] = []  # where a run begins, and its block
        for n, owner in enumerate(of_lines):
            owner = owner if owner >= 0 else last
            if not runs or (owner != last and _parts(blocks[owner], blocks[last])):
                runs.append((n, owner))
            last = owner
        ends = [n for n, _ in runs[1:]] + [len(of_lines)]
        for (start, owner), end in zip(runs, ends, strict=True):
            yield Part(
                replace(
                    paragraph,
                    label="text" if start and paragraph.label == "list" else paragraph.label,
                    pieces=paragraph.pieces[start:end],
                    soft=paragraph.soft[start : end - 1],
                    continues=paragraph.continues and end == len(of_lines),
                ),
                None if owner < 0 else blocks[owner],
            )


def _parts(a: Block, b: Block) -> bool:
    return a.label != b.label or a.label in _WHOLE


def _whole(parts: Sequence[Part], layout: PageLayout) -> list[Part]:
    """The parts, with all parts of one table, picture or formula joined at the place of the first. Prose or code in a picture
    isn't joined: the text stands in a drawn box, and the model takes the box for a picture."""
    result: list[Part] = []
    wholes: dict[int, Part] = {}
    false = _false(parts, layout)
    for part in parts:
        block = part.block
        if block is None or block.label not in _WHOLE:
            result.append(part)
        elif _is_none_of_it(part, block, false):
            result.append(Part(part.paragraph, None))
        elif id(block) in wholes:
            wholes[id(block)].others.extend(part.paragraphs)
        else:
            wholes[id(block)] = part
            result.append(part)
    return result


def _false(parts: Sequence[Part], layout: PageLayout) -> set[int]:
    """The ids of blocks that the model labels pictures wrongly: nothing is drawn in them, or running text fills them."""
    num_chars: dict[int, list[int]] = {}
    for part in parts:
        if part.block is not None and part.block.label == "image":
            counts = num_chars.setdefault(id(part.block), [0, 0])
            counts[is_prose(part.paragraph)] += len(part.text)
    return {
        id(block)
        for block in layout.blocks
        if id(block) in num_chars
        and (num_chars[id(block)][1] > _PROSE_SHARE * sum(num_chars[id(block)]) or not holds_picture(block.box, layout))
    }


def _is_none_of_it(part: Part, block: Block, false: set[int]) -> bool:
    """Whether a part lies in a block that the model labels a picture, table or formula, but doesn't belong to it."""
    if block.label == "image":
        return is_prose(part.paragraph) or part.is_code or id(block) in false
    return part.is_vertical  # the model was hardly trained on vertical text


def _with_pictures(view: OpenPage, parts: Sequence[Part], layout: PageLayout) -> list[Part]:
    """The parts and the page's pictures. A picture includes the text inside it, unless the text is prose."""
    texts = [piece.bbox for part in parts if not part.is_in_picture for piece in part.pieces]
    result = list(parts)
    for box in pictures(layout, texts, view.page.rect):
        block = Block(box, "image", ())
        inside = [part for part in result if _is_caught(part, box)]
        paragraphs = [p for part in inside for p in part.paragraphs]
        picture = Part(paragraphs[0] if paragraphs else None, block, paragraphs[1:])
        if inside:
            result[result.index(inside[0])] = picture
            result = [part for part in result if not any(part is other for other in inside)]
        else:
            result.append(picture)
    return result


def _is_caught(part: Part, box: Rect) -> bool:
    """Whether a picture with this box includes the part."""
    if part.paragraph is None or shared(part.box, box) < _CAUGHT * area(part.box):
        return False
    return part.is_in_picture or (part.is_plain and len(part.text) < _MAX_CAUGHT_CHARS)


def _with_cells(parts: Sequence[Part]) -> list[Part]:
    """The parts, with small text inside a table joined to the table if it is in no block, such as a dash in a cell. A table with
    much such text stays as it is."""
    result = list(parts)
    for table in [part for part in parts if part.label == "table"]:
        inside = [part for part in result if _is_cell(part) and _stands_in(part, table)]
        if inside and sum(len(part.lines) for part in inside) <= _CELLS_SHARE * len(table.lines):
            table.others += [paragraph for part in inside for paragraph in part.paragraphs]
            result = [part for part in result if not any(part is other for other in inside)]
    return result


def _is_cell(part: Part) -> bool:
    return part.block is None and part.label in TEXTS and len(part.text) < _MAX_CAUGHT_CHARS


def _stands_in(part: Part, table: Part) -> bool:
    return part.paragraph is not None and shared(part.box, table.box) >= _CAUGHT * area(part.box)


def _between_headings(parts: Sequence[Part]) -> list[Part]:
    """The parts, with each table that surrounds a heading divided into a table above and a table below the heading. A heading
    divides once: the letters of a line below may reach above it."""
    result: list[Part] = []
    remaining, headings = list(parts), [part for part in parts if part.label in HEADINGS]
    while remaining:
        part = remaining.pop(0)
        heading = next((one for one in headings if part.label == "table" and _stands_across(one, part)), None)
        if heading is None or (halves := _above_and_below(part, heading)) is None:
            result.append(part)
            continue
        headings.remove(heading)
        result = [other for other in result if other is not heading]
        remaining = [other for other in remaining if other is not heading]
        above, below = halves
        result += ([above] if above else []) + [heading]
        remaining[:0] = [below] if below else []
    return result


def _stands_across(heading: Part, table: Part) -> bool:
    """Whether a heading lies in a table, or between its top and bottom while reaching out of it to the left or right."""
    (x0, y0, x1, y1), (left, top, right, bottom) = heading.box, table.box
    return _stands_in(heading, table) or (top < y0 and y1 < bottom and left < x1 and x0 < right)


def _above_and_below(table: Part, heading: Part) -> tuple[Part | None, Part | None] | None:
    """The parts of a table above and below a heading in it; None if a paragraph of the table stands beside the heading."""
    x0, y0, x1, y1 = table.box
    top, bottom = heading.box[1], heading.box[3]
    halves = []
    num_paragraphs = 0
    for box, lies in (((x0, y0, x1, top), lambda middle: middle < top), ((x0, bottom, x1, y1), lambda middle: middle > bottom)):
        of_half = [p for p in table.paragraphs if all(lies((piece.bbox[1] + piece.bbox[3]) / 2) for piece in p.pieces)]
        num_paragraphs += len(of_half)
        halves.append(Part(of_half[0], Block(box, "table", ()), of_half[1:], "table") if of_half else None)
    return (halves[0], halves[1]) if num_paragraphs == len(table.paragraphs) else None


def _frame_tables(parts: Sequence[Part], layout: PageLayout) -> None:
    """Give tables their frames."""
    for part in parts:
        if part.label == "table":
            others = [piece.bbox for other in parts if other is not part for piece in other.pieces]
            part.frame = framed(part.box, layout, _FRAME_EM * part.size, others)


def _joined(parts: Sequence[Part]) -> list[Part]:
    """The parts, with neighbouring lines of code joined, also across empty lines, and with the pieces of each formula joined."""
    result: list[Part] = []
    for part in parts:
        last = result[-1] if result else None
        if last is not None and _goes_on_as_code(last, part):
            last.others += part.paragraphs
            last.label = "code"
        else:
            result.append(part)
    return _with_whole_formulas(result)


def _with_whole_formulas(parts: list[Part]) -> list[Part]:
    """The parts, with each formula joined with the parts near it that may be pieces of a formula."""
    remaining = list(parts)
    for seed in parts:
        if seed.label != "equation" or not any(seed is other for other in remaining):
            continue
        while near := [p for p in remaining if p is not seed and p.may_be_formula and _is_near(seed, p)]:
            seed.others += [paragraph for p in near for paragraph in p.paragraphs]
            seed.block = None
            remaining = [p for p in remaining if not any(p is other for other in near)]
    return remaining


def _is_near(a: Part, b: Part) -> bool:
    apart = max(max(a.box[i], b.box[i]) - min(a.box[i + 2], b.box[i + 2]) for i in (0, 1))
    return apart < _FORMULA_GAP_EM * max(a.size, b.size)


def _goes_on_as_code(a: Part, b: Part) -> bool:
    if not (a.is_code and b.is_code and {"code"} <= {a.label, b.label} <= {"code", "text"}):
        return False
    return -b.size < b.box[1] - a.box[3] < _CODE_GAP_EM * b.size


def _between_heads_and_feet(regions: Sequence[Region]) -> list[Region]:
    """The regions, with running headers first, and footers and page numbers last."""
    feet = ("footer", "page_number")
    heads = [region for region in regions if region.label == "header"]
    return [
        *heads,
        *(region for region in regions if region.label not in ("header", *feet)),
        *(region for region in regions if region.label in feet),
    ]


def _region(
    view: OpenPage, part: Part, layer: TextLayer, styles: region_markdown.Styles, looks: Looks, is_flattened: bool
) -> Region | None:
    """The part as a region, in pixels. It is unread if `is_flattened`. None if the part is off the page."""
    box = view.pixels(part.box)
    if box is None:
        return None
    if part.paragraph is None:
        return Region(box, part.label, "", None, BY, detected_by="pymupdf-layout")
    plain = region(view, part.paragraph, layer.words)
    lines = plain.lines + tuple(line for other in part.others for line in region(view, other, layer.words).lines)
    lines = tuple(replace(line, look=looks.of(piece)) for line, piece in zip(lines, part.pieces, strict=True))
    if part.label == "list" and lines:
        lines = (region_markdown.with_markdowns_sign(lines[0]), *lines[1:])
    detected_by = "pymupdf-layout" if part.block is not None else ""
    made = replace(
        plain, box=around([box, *(line.box for line in lines)]), label=part.label, lines=lines, detected_by=detected_by
    )
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
    others = [region(view, other, layer.words).text for other in part.others]
    text = region_markdown.markdown(part, plain.text, others, styles)
    return replace(made, box=plain.box if not part.others else made.box, text=text)


def _signals(
    regions: Sequence[Region], parts: Sequence[Part], owners: Owners, paragraphs: Sequence[Paragraph], layout: PageLayout
) -> dict[str, float]:
    if layout.failed:
        return {"layout_failed": 1.0}
    total = sum(len(piece.text) for p in paragraphs for piece in p.pieces)
    if not total:
        return {}
    seen = sum(len(piece.text) for p in paragraphs for piece in p.pieces if owners[id(piece)] >= 0)
    follow = [(owners[id(a)], owners[id(b)]) for p in paragraphs for a, b in itertools.pairwise(p.pieces)]
    pairs = [a == b for a, b in follow if a >= 0 and b >= 0]
    rank = {id(block): i for i, block in enumerate(layout.blocks)}
    ranks = [rank[id(part.block)] for part in parts if part.block is not None and id(part.block) in rank]
    steps = [a <= b for a, b in itertools.pairwise(ranks)]
    return {
        "layout_coverage": seen / total,
        "unread_share": sum(len(line.text) for r in regions if r.is_unread for line in r.lines) / total,
        "picture_text_share": sum(len(line.text) for r in regions if r.label == "image" for line in r.lines) / total,
        "layout_agreement": sum(pairs) / len(pairs) if pairs else 1.0,
        "order_agreement": sum(steps) / len(steps) if steps else 1.0,
    }
