"""Lines that were found on an image, as paragraphs in reading order: what is done with the lines of a text layer, without the
fonts that a layer knows."""

import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from datagen.page.boxes import around, lies_in, rows_of
from datagen.page.line_order import reading_order
from datagen.page.line_pieces import Piece, Rect
from datagen.page.paragraphs import paragraphs
from datagen.page.visual_lines import visual_lines
from datagen.record import Box, Line, Region
from datagen.writing import scripts
from datagen.writing.join_lines import joined, words_of

_EM = 0.8  # of a detected line's height
_SAME_SIZE = 1.3  # times as high, at most, are lines of one size: the box of one without tall letters is lower


@dataclass(frozen=True)
class FoundLine:
    """A line at `box`, and what of it has text, in the order in which it is read. What lies between is unknown."""

    box: Box
    runs: tuple[Line, ...]

    @property
    def text(self) -> str:
        return " ".join(run.text for run in self.runs)


def regions_of(
    lines: Sequence[FoundLine], script: str, by: str, detected_by: str, is_clear: Callable[[Rect], bool]
) -> tuple[Region, ...]:
    """The paragraphs of a page in `script` as regions, in reading order; none is empty.

    Order and paragraphs come from where lines lie and how their texts begin and end, as with a text layer. Parts of a line that
    the detector found apart are one again, unless they are columns or cells, or `is_clear` says that something is drawn between
    them. A region's box is around what has text. Its score is the mean of its lines' by character.
    """
    rtl = script in scripts.RTL
    sizes = _sizes([line.box.y1 - line.box.y0 for line in lines])
    ordered = [line for row in rows_of(lines, lambda line: line.box, rtl=rtl) for line in row]
    blocks = visual_lines([[_piece(line, sizes)] for line in ordered], rtl, is_clear)
    rows = [piece for block in blocks for piece in block]
    words = words_of([piece.text for piece in rows])
    regions = []
    divided = paragraphs([b for b in reading_order([rows], rtl) if b], rtl)
    alone = {piece.bbox for paragraph in divided for piece in paragraph.pieces} & {_rect(line.box) for line in ordered}
    unused = list(ordered)
    for paragraph in divided:
        texts = [piece.text for piece in paragraph.pieces]
        runs: tuple[Line, ...] = ()
        for n, piece in enumerate(paragraph.pieces):
            within = _within(piece, unused, alone)
            unused = [line for line in unused if not any(line is other for other in within)]
            of_piece = [run for line in within for run in line.runs]
            if of_piece and _letters(texts[n]) != _letters("".join(run.text for run in of_piece)):
                texts[n] = " ".join(run.text for run in of_piece)  # a sign at the end of one went to its neighbour
            runs += tuple(of_piece)
        if not runs:
            continue
        text = texts[0] if len(texts) == 1 else joined(texts, paragraph.soft, words)
        box = around(run.box for run in runs)
        score = sum((run.score or 0.0) * len(run.text) for run in runs) / sum(len(run.text) for run in runs)
        regions.append(
            Region(box, paragraph.label, text, score, by, (), runs, detected_by=detected_by, continues=paragraph.continues)
        )
    return tuple(regions)


def _piece(line: FoundLine, sizes: dict[int, float]) -> Piece:
    x0, y0, x1, y1 = _rect(line.box)
    return Piece((x0, y0, x1, y1), line.text, "", _EM * sizes[line.box.y1 - line.box.y0], baseline=(y0 + y1) / 2)


def _within(piece: Piece, lines: Sequence[FoundLine], alone: Collection[Rect]) -> list[FoundLine]:
    """The lines that a piece is made of, in order. Those that are `alone` a piece are no part of another one. Of two at the same
    place it is the one with the piece's text."""
    if piece.bbox in alone:
        there = [line for line in lines if _rect(line.box) == piece.bbox]
        return [next((line for line in there if line.text == piece.text), there[0])] if there else []
    return [line for line in lines if lies_in(line.box, piece.bbox) and _rect(line.box) not in alone]


def _letters(text: str) -> str:
    return "".join(c for c in text if not c.isspace())


def _rect(box: Box) -> Rect:
    x0, y0, x1, y1 = map(float, box)
    return x0, y0, x1, y1


def _sizes(heights: Sequence[int]) -> dict[int, float]:
    """The size that each height stands for: lines of one font have boxes of several heights."""
    sizes: dict[int, float] = {}
    left = sorted(heights)
    while left:
        size = statistics.median_low(left)
        sizes |= {height: float(size) for height in left if size / _SAME_SIZE <= height <= size * _SAME_SIZE}
        left = [height for height in left if height not in sizes]
    return sizes
