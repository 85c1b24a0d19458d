"""A block of a laid out document: its text, where each stretch of it is drawn, and on which page."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from datagen.markup.layout import Node, Rect

FORMULA = "\ufffc"
_OVERLAP, _SPACE = 0.4, 0.2  # of a line's thickness
_NEAR = 8  # boxes, among which is the one beside or below another


class Style(NamedTuple):
    is_bold: bool = False
    is_italic: bool = False
    raised: int = 0
    latex: str = ""


class Box(NamedTuple):
    """The characters `start` to `stop` of a block's text, and where they are drawn."""

    start: int
    stop: int
    rect: Rect


@dataclass(slots=True)
class Line:
    """The characters `start` to `stop` of a block's text, drawn side by side. `is_hyphenated`: a hyphen is drawn at its end that
    the text hasn't got."""

    start: int
    stop: int
    rect: Rect
    page: int
    is_hyphenated: bool = False


@dataclass(slots=True)
class Block:
    """A block as a whole. `depth` counts the lists around an item's own, `level` is a heading's. `initial` is the length of a
    drop cap at the text's beginning."""

    element: Node
    label: str
    level: int = 0
    depth: int = 0
    initial: int = 0
    text: str = ""
    boxes: list[Box] = field(default_factory=list)
    styles: list[tuple[int, int, Style]] = field(default_factory=list)
    hyphens: list[bool] = field(default_factory=list)

    def add(self, text: str, boxes: Sequence[Box], style: Style, has_hyphens: bool) -> None:
        """Boxes count from the start of `text`."""
        may_part = len(self.text) != self.initial and _needs_space(self.text[-1:], text[:1])
        if self.boxes and boxes and may_part and self._stands_apart(boxes[0].rect):
            self.text += " "  # drawn by a margin, and not by a letter
            self.styles.append((len(self.text) - 1, len(self.text), self.styles[-1][2]))
        start = len(self.text)
        self.text += text
        self.styles.append((start, len(self.text), style))
        self.boxes += [Box(start + box.start, start + box.stop, box.rect) for box in boxes]
        self.hyphens += [has_hyphens] * len(boxes)

    def _stands_apart(self, rect: Rect) -> bool:
        """Whether there is a space between a box and those before it: the last one may be far where directions are mixed."""
        last = self.boxes[-1].rect
        nearest = min(gap(box.rect, rect) for box in self.boxes[-_NEAR:] if box.rect is last or is_beside(box.rect, rect))
        return is_beside(last, rect) and nearest > _SPACE * min(last.y1 - last.y0, rect.y1 - rect.y0)

    def decorate(self, rects: Iterable[Rect]) -> None:
        """Has the boxes of the text hold its ruby, which is no text of the block: each the nearest one."""
        for rect in rects:
            near = range(max(0, len(self.boxes) - _NEAR), len(self.boxes))
            if near:
                at = min(near, key=lambda number: _distance(self.boxes[number].rect, rect))
                self.boxes[at] = self.boxes[at]._replace(rect=self.boxes[at].rect.joined(rect))

    @property
    def is_code(self) -> bool:
        return self.label == "code"

    @property
    def formula(self) -> str:
        """The LaTeX of a block that is a formula alone, else ""."""
        latex = [style.latex for start, stop, style in self.styles if style.latex]
        return latex[0] if len(latex) == 1 and self.text.strip() == FORMULA else ""


def _distance(one: Rect, other: Rect) -> float:
    return abs(one.x0 + one.x1 - other.x0 - other.x1) + abs(one.y0 + one.y1 - other.y0 - other.y1)


def _needs_space(left: str, right: str) -> bool:
    """Whether a gap between two characters is a space, as it isn't between Han characters of a justified line."""
    is_wide = all(unicodedata.east_asian_width(char) in "WF" for char in (left or " ", right or " "))
    return not left.isspace() and not right.isspace() and not is_wide


def is_beside(left: Rect, right: Rect) -> bool:
    """Whether two boxes stand in one line, its direction along x."""
    overlap = min(left.y1, right.y1) - max(left.y0, right.y0)
    return overlap > _OVERLAP * min(left.y1 - left.y0, right.y1 - right.y0)


def gap(left: Rect, right: Rect) -> float:
    return max(left.x0, right.x0) - min(left.x1, right.x1)


class Picture(NamedTuple):
    element: Node
    rect: Rect


class Frame(NamedTuple):
    """How pages follow each other on the canvas: each has `width` and `height` in CSS pixels. Those of vertical writing lie below
    each other, others side by side."""

    width: float
    height: float
    writing_mode: str = "horizontal-tb"

    @property
    def is_vertical(self) -> bool:
        return self.writing_mode != "horizontal-tb"

    def page(self, rect: Rect) -> int:
        middle = (rect.y0 + rect.y1) / 2 / self.height if self.is_vertical else (rect.x0 + rect.x1) / 2 / self.width
        return int(middle // 1)

    def crossed(self, rect: Rect) -> range:
        """The pages that a rectangle reaches into, if they are several."""
        ends = [Rect(*corner, *corner) for corner in (rect[:2], rect[2:])]
        first, last = map(self.page, ends)
        return range(first, last + 1 if last > first else first)

    def origin(self, page: int) -> tuple[float, float]:
        """The top left corner of a page on the canvas."""
        return (0.0, page * self.height) if self.is_vertical else (page * self.width, 0.0)

    def flowing(self, rect: Rect) -> Rect:
        """The rectangle with its x along lines, and its y from line to line."""
        x0, y0, x1, y1 = rect
        if self.writing_mode == "vertical-rl":
            return Rect(y0, -x1, y1, -x0)
        return Rect(y0, x0, y1, x1) if self.is_vertical else rect
