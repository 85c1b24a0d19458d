"""Signals about a text layer's labels: parts that may be code or text, and agreement with a tagged PDF's structure tree."""

import re
from collections.abc import Sequence

from datagen.fine.page_layout import Tag
from datagen.fine.region_labels import Part
from datagen.fine.region_markdown import Styles, begun_by
from datagen.page.line_pieces import Piece, Rect

_TEXTS = frozenset({"text", "list", "sub_title", "footnote", "equation"})
_WHOLE, _PARTLY = 0.9, 0.4  # of a line's signs in letters of one width
_LOST = 0.8  # of a letter's width
_MIN_CHARS = 4
# What the standard types say of a line inside. Of nested ones the smallest counts; others, such as P and Span, say nothing.
_SAYS = {"H": "heading", "L": "list", "LI": "list", "Lbl": "list", "LBody": "list", "Table": "table", "TR": "table"}
_SAYS |= {"TD": "table", "TH": "table", "Formula": "equation", "Caption": "caption", "Code": "code", "TOC": "toc", "TOCI": "toc"}
_HEADING = re.compile(r"H[1-6]?|Title")
_KINDS = {"title": "heading", "sub_title": "heading", "image_caption": "caption", "table_caption": "caption"}


def num_doubts(parts: Sequence[Part], styles: Styles) -> int:
    """The number of parts that may be code or text: single lines that are partly monospaced, and code with a line that is partly
    monospaced or wider than its characters."""
    return sum(_is_in_doubt(part, styles) for part in parts if part.paragraph is not None)


def _is_in_doubt(part: Part, styles: Styles) -> bool:
    pieces = part.pieces
    shares = [piece.mono_share or 0.0 for piece in pieces]
    if part.label == "code":
        return min(shares) < _WHOLE or _has_lost_spaces(pieces, styles)
    return part.label in _TEXTS and len(pieces) == 1 and shares[0] >= _PARTLY


def _has_lost_spaces(pieces: Sequence[Piece], styles: Styles) -> bool:
    lines = [(piece, begun_by(piece, styles.spaces) + len(piece.text)) for piece in pieces if piece.upright]
    widths = [(piece.bbox[2] - piece.bbox[0]) / num for piece, num in lines if num >= _MIN_CHARS]
    advance = min(widths, default=0.0)
    return any((piece.bbox[2] - piece.bbox[0]) - num * advance > _LOST * advance for piece, num in lines if num >= _MIN_CHARS)


def tag_signals(parts: Sequence[Part], tags: Sequence[Tag]) -> dict[str, float]:
    """`tagged`, if the page has tags; and `tag_agreement`, the share of parts whose tag and label agree. Counted are the parts
    that are a heading, a list, a table, a formula, a caption, code or contents by their tag or label; without such parts it is
    absent."""
    if not tags:
        return {}
    verdicts = []
    for part in parts:
        if part.paragraph is None:
            continue
        says, labelled = _said(part.box, tags), _KINDS.get(part.label, part.label)
        labelled = labelled if labelled in {*_SAYS.values()} else ""
        if says or labelled:
            verdicts.append(says == labelled)
    return {"tagged": 1.0} | ({"tag_agreement": sum(verdicts) / len(verdicts)} if verdicts else {})


def _said(box: Rect, tags: Sequence[Tag]) -> str:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    around = [tag for tag in tags if tag.box[0] <= x <= tag.box[2] and tag.box[1] <= y <= tag.box[3] and _says(tag.kind)]
    return _says(min(around, key=lambda t: (t.box[2] - t.box[0]) * (t.box[3] - t.box[1])).kind) if around else ""


def _says(kind: str) -> str:
    return "heading" if _HEADING.fullmatch(kind) else _SAYS.get(kind, "")
