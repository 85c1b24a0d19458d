"""How a page's lines look beyond the names of their fonts: the size and the colour of their letters, and what marks them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from datagen.page.line_pieces import Piece, Rect
from datagen.page.wording import ITALIC

T = TypeVar("T")

_ITALIC_FLAG = 2  # of MuPDF's spans
_MOSTLY = 0.9  # of a line's signs
_COVERED = 0.8  # of a line's width
STEP_PT = 50.0
_LINE_EM, _BELOW_EM = 0.15, (-0.4, 0.15)  # how thick a line under letters is, and how far below their box
_MARKER_EM, _MARGIN_EM = (0.8, 2.0), 2.0  # how high what highlights letters is, and how far it reaches beyond them


class Looks:
    """Of a page's lines, by MuPDF's spans and the boxes, in points, of what is drawn on the page."""

    def __init__(self, spans: Iterable[Mapping[str, Any]], drawings: Iterable[Rect]):
        self._spans: dict[int, list[tuple[Rect, int, int, bool]]] = defaultdict(list)
        for span in spans:
            num = len(span["text"]) - span["text"].count(" ")
            is_italic = bool(span["flags"] & _ITALIC_FLAG or ITALIC.search(span["font"]))
            x0, y0, x1, y1 = map(float, span["bbox"])
            self._spans[int(y0 // STEP_PT)].append(((x0, y0, x1, y1), num, span["color"], is_italic))
        self._drawings: dict[int, list[Rect]] = defaultdict(list)
        for box in drawings:
            self._drawings[int(box[1] // STEP_PT)].append(box)

    def of(self, piece: Piece) -> str:
        """A line's look, such as "13 #2f5496 bold underlined": the size of its font in points, the colour of its letters, and
        those of bold, italic, underlined and highlighted that hold for all of it. "" where nine of ten letters have no colour in
        common, and where it doesn't run across the page."""
        if not piece.upright:
            return ""
        colours: Counter[int] = Counter()
        num_italic = 0
        for box, num, colour, is_italic in near(self._spans, piece.bbox):
            middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            if piece.bbox[0] <= middle[0] <= piece.bbox[2] and piece.bbox[1] <= middle[1] <= piece.bbox[3]:
                colours[colour] += num
                num_italic += num * is_italic
        colour, num = max(colours.items(), key=lambda entry: entry[1], default=(0, 0))
        if num < _MOSTLY * colours.total() or not num:
            return ""
        beside = near(self._drawings, piece.bbox)
        marks = {
            "bold": piece.bold_share >= _MOSTLY,
            "italic": num_italic >= _MOSTLY * colours.total(),
            "underlined": _cover(piece, [box for box in beside if _is_under(box, piece)]),
            "highlighted": _cover(piece, [box for box in beside if _is_behind(box, piece)]),
        }
        return " ".join((f"{round(2 * piece.size) / 2:g}", f"#{colour:06x}", *(mark for mark, holds in marks.items() if holds)))


def near(by_height: Mapping[int, Sequence[T]], box: Rect) -> list[T]:
    """What begins at the height of a box, or up to `STEP_PT` above, of what is kept by its upper edge in such steps."""
    return [one for step in range(int(box[1] // STEP_PT) - 1, int(box[3] // STEP_PT) + 1) for one in by_height.get(step, ())]


def _is_under(box: Rect, piece: Piece) -> bool:
    low, high = (piece.bbox[3] + em * piece.size for em in _BELOW_EM)
    return box[3] - box[1] < _LINE_EM * piece.size and low < (box[1] + box[3]) / 2 < high and _is_no_wider(box, piece, 0.5)


def _is_behind(box: Rect, piece: Piece) -> bool:
    low, high = (em * piece.size for em in _MARKER_EM)
    is_level = piece.bbox[1] < (box[1] + box[3]) / 2 < piece.bbox[3]
    return low < box[3] - box[1] < high and is_level and _is_no_wider(box, piece, _MARGIN_EM)


def _is_no_wider(box: Rect, piece: Piece, margin_em: float) -> bool:
    margin = margin_em * piece.size
    return piece.bbox[0] - margin < box[0] and box[2] < piece.bbox[2] + margin


def _cover(piece: Piece, boxes: Sequence[Rect]) -> bool:
    """Whether boxes, which may lie over each other, are as wide together as most of a line."""
    covered, end = 0.0, piece.bbox[0]
    for box in sorted(boxes):
        covered += max(0.0, min(box[2], piece.bbox[2]) - max(box[0], end))
        end = max(end, box[2])
    return covered > _COVERED * (piece.bbox[2] - piece.bbox[0])
