"""Listings that a page's fonts don't tell from text, and lines of theirs whose spaces the text layer hasn't kept."""

from collections.abc import Sequence

from datagen.fine.region_labels import Part
from datagen.fine.region_markdown import Styles, begun_by
from datagen.page.line_pieces import Piece

_TEXTS = frozenset({"text", "list", "sub_title", "footnote", "equation"})
_WHOLE, _PARTLY = 0.9, 0.4  # of a line's signs in letters of one width
_LOST = 0.8  # of a letter's width
_MIN_CHARS = 4


def num_doubts(parts: Sequence[Part], styles: Styles) -> int:
    """How many parts may be code and may be text: a line by itself that is partly in letters of one width, and a listing of which
    a line is, or is wider than its letters."""
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
