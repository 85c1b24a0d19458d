"""Paragraphs of a page's text layer, in which what the lines alone don't tell is put right: by the columns of the whole page."""

import re
from collections.abc import Iterator, Sequence

from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import ENTRY, Paragraph
from datagen.writing import signs
from datagen.writing.bidi import num_rtl

_WORD_O = re.compile(r"o\s+\S")
_FULL_EM, _ALIGNED_EM, _MAX_PITCH_EM = 1.2, 0.6, 2.2
_SAME_SIZE, _LARGER = 0.08, 1.15


def whole(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """The paragraphs, in their order:

    - An item of one full line, in mid-sentence, goes on in the lines below that begin at the page's left edge: where the first
      lines of paragraphs have an indent, items begin there, too.
    - A line that begins with the word "o" goes on with a full line above: the sign of an item is in a typeface for code.
    - The head above a table of contents, in larger type, is a paragraph of its own."""
    result: list[Paragraph] = []
    for paragraph in (part for p in paragraphs for part in _without_head(p)):
        if result and _goes_on(result[-1], paragraph, paragraphs):
            last = result[-1]
            pieces, soft = last.pieces + paragraph.pieces, (*last.soft, True, *paragraph.soft)
            result[-1] = Paragraph(pieces, soft, last.label, paragraph.continues)
        else:
            result.append(paragraph)
    return result


def _without_head(paragraph: Paragraph) -> Iterator[Paragraph]:
    first, *others = paragraph.pieces
    is_contents = bool(others) and not ENTRY.search(first.text) and all(ENTRY.search(piece.text) for piece in others)
    if is_contents and first.size > _LARGER * max(piece.size for piece in others):
        yield Paragraph((first,))
        yield Paragraph(tuple(others), paragraph.soft[1:], paragraph.label, paragraph.continues)
    else:
        yield paragraph


def _goes_on(a: Paragraph, b: Paragraph, paragraphs: Sequence[Paragraph]) -> bool:
    last, first = a.pieces[-1], b.pieces[0]
    em = last.size
    if (
        not (last.upright and first.upright)
        or num_rtl(last.text + first.text) > 0
        or a.label == "code"
        or signs.is_closed(last.text)
    ):
        return False
    pitch = first.baseline - last.baseline
    if not 0.5 * em < pitch < _MAX_PITCH_EM * em or abs(first.size - em) > _SAME_SIZE * em or not _is_full(last, paragraphs):
        return False
    if b.label == "list":
        return bool(_WORD_O.match(first.text)) and first.mono_share == 0.0 and last.font == first.font
    is_item = a.label == "list" and len(a.pieces) == 1 and b.label == "text" and last.font == first.font
    usual = [q.baseline - p.baseline for one in paragraphs for p, q in zip(one.pieces, one.pieces[1:], strict=False)]
    is_near = bool(usual) and abs(pitch - min(usual, key=lambda other: abs(other - pitch))) < _ALIGNED_EM * em / 2
    return is_item and is_near and first.bbox[0] < last.bbox[0] - em and _is_at_edge(first, paragraphs)


def _is_full(line: Piece, paragraphs: Sequence[Paragraph]) -> bool:
    """Whether a line ends where those of longer paragraphs in its column end."""
    ends = [max(piece.bbox[2] for piece in p.pieces) for p in paragraphs if len(p.pieces) > 1 and _is_in_column(line, p)]
    return line.bbox[2] > max(ends, default=float("inf")) - _FULL_EM * line.size


def _is_at_edge(line: Piece, paragraphs: Sequence[Paragraph]) -> bool:
    """Whether a line begins where the second lines of two other paragraphs do, at least, and hardly any line begins before."""
    starts = [p.pieces[1].bbox[0] for p in paragraphs if len(p.pieces) > 1 and _is_in_column(line, p)]
    return sum(abs(start - line.bbox[0]) < _ALIGNED_EM * line.size for start in starts) > 1


def _is_in_column(line: Piece, paragraph: Paragraph) -> bool:
    return any(min(piece.bbox[2], line.bbox[2]) > max(piece.bbox[0], line.bbox[0]) for piece in paragraph.pieces)
