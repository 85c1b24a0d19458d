"""LibreOffice's operators on a page: the place of each mark, and the file's own colours in the marks' place.

LibreOffice's streams are regular. Each stretch of text is marked content with the name of the text's style, and each fill of a
cell is an artifact with one path. So one pattern reads a stream. Then the stream is written anew in two ways: to be shown, with
the file's own colours, and to be read, with each letter in the colour of its mark.
"""

import bisect
import functools
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from datagen.page.boxes import distance
from datagen.word.file.copy_marks import STYLE, CopyMarks
from datagen.word.file.document import Document, Paragraph, Text
from datagen.word.pages.page_letters import Rect, colour_of_mark, is_light
from datagen.word.pages.paragraph_parts import paragraphs_of

_NUMBER = rb"-?\d*\.?\d+"
_OPERATOR = re.compile(
    rb"\s(?:/(?P<tag>[^\s<(/]+)\s*(?:<<(?:[^<>]|<[^<>]*>)*>>)?\s*(?:BDC|BMC)|(?P<end>EMC)|(?P<save>q)|(?P<restore>Q)|"
    rb"(?P<colour>[\d.]+ [\d.]+ [\d.]+ rg)|(?P<path>(?:%s %s %s %s re\s+)+)(?P<fill>f\*?))(?=\s)" % ((_NUMBER,) * 4)
)
_RECT = re.compile(rb"(%s) (%s) (%s) (%s) re" % ((_NUMBER,) * 4))
_STYLE = re.compile(rf"{STYLE}(\d+)(?:b\d+)?".encode())
_LABEL, _LINK, _ARTIFACT, _DRAWN = -1, -2, -3, -4  # instead of a mark, until it is known
_TAGS = {b"Lbl": _LABEL, b"Link": _LINK, b"Artifact": _ARTIFACT, b"Formula": _DRAWN, b"Figure": _DRAWN}
_TAGS |= {b"H%d" % level: _LABEL for level in range(1, 11)}
_LEAST_PT = 1.0  # the least sides of a cell
_SAME_CELL_PT = 0.5


@dataclass(frozen=True)
class PageStream:
    """A page's stream: `shown` looks like the file; in `read` a letter's colour is its mark (`colour_of_mark`). `cells` are the
    places of the drawn cells by mark, in order."""

    shown: bytes
    read: bytes
    cells: Mapping[int, Sequence[Rect]]


class PageStreams:
    """Reads the streams of a document's pages, in order."""

    def __init__(self, document: Document):
        self._copy = document.marks
        paragraphs = list(paragraphs_of(document.blocks))
        texts = [[x for x in paragraph.pieces if isinstance(x, Text)] for paragraph in paragraphs]
        self._markers = [
            paragraph.marker_mark or _note_number(paragraph, of_paragraph)
            for paragraph, of_paragraph in zip(paragraphs, texts, strict=True)
        ]
        self._notes = {n for n, paragraph in enumerate(paragraphs) if paragraph.where in ("footnote", "endnote")}
        self._have_text = [any(text.text.strip() for text in of_paragraph) for of_paragraph in texts]
        self._owners = {text.mark: n for n, of_paragraph in enumerate(texts) for text in of_paragraph}
        self._in_body = {mark for mark, n in self._owners.items() if paragraphs[n].where in ("body", "textbox")}
        self._anchors = sorted(
            x.mark for x in itertools.chain(*texts) if x.is_generated and not x.text and x.mark in self._in_body
        )
        self._before = 0  # the last mark of the body that was drawn

    def page(self, stream: bytes, height_pt: float) -> PageStream:
        reading = _Reading(self._copy, stream, height_pt)
        marks = self._all_marks(reading.marks)
        read: list[bytes] = []
        at = 0
        for start, stop, stretch, light in reading.colours:
            read += [stream[at:start], _operands(colour_of_mark(marks[stretch], light))]
            at = stop
        shown: list[bytes] = []
        done = 0
        for start, stop, other in reading.changes:
            shown += [stream[done:start], other]
            done = stop
        return PageStream(b"".join([*shown, stream[done:]]), b"".join([*read, stream[at:]]), dict(reading.cells))

    def _all_marks(self, marks: Sequence[int]) -> list[int]:
        """The marks of a page's stretches of text, also of stretches without a style of their own."""
        result = list(marks)
        last = 0
        between: list[int] = []
        for n, mark in enumerate([*marks, 0]):
            owner = self._owners.get(mark)
            if mark <= 0 and n < len(marks):
                between.append(n)
            elif owner is not None or n == len(marks):
                labels = [k for k in between if marks[k] == _LABEL]
                if owner in self._notes and marks[n - 1] == _LINK and not labels:
                    labels = [between.pop()]  # the number before a note
                if owner is None:
                    self._label(result, labels, range(self._owners.get(last, -1) + 1, len(self._markers)), -1)
                elif self._owners.get(last) != owner:
                    self._label(result, labels[::-1], range(owner, -1, -1), owner)
                else:
                    for k in between:
                        result[k] = last if marks[k] == _ARTIFACT else result[k]
                kind = _LINK if any(marks[k] == _LINK for k in between) else 0
                for k in between:
                    if marks[k] == kind and (anchor := self._anchor(mark)):
                        result[k] = self._before = anchor
                between, last = [], mark
                self._before = mark if mark in self._in_body else self._before
        return [max(0, mark) for mark in result]

    def _label(self, marks: list[int], labels: Sequence[int], paragraphs: Iterable[int], owner: int) -> None:
        """Give labels (numbers and bullets) the markers of the next `paragraphs` that have one. All but `owner` must lack text,
        since a label stands before its paragraph's text. The marker of `owner` may be several stretches."""
        if not labels:
            return
        near = itertools.takewhile(lambda n: n == owner or not self._have_text[n], paragraphs)
        markers = list(itertools.islice((self._markers[n] for n in near if self._markers[n]), len(labels)))
        if owner >= 0 and self._markers[owner] and len(markers) < len(labels):
            markers = [self._markers[owner]] * len(labels)
        for label, marker in zip(labels, markers, strict=False):
            marks[label] = marker

    def _anchor(self, behind: int) -> int:
        """The mark of the next sign of a note, or of the next field without a result in the file, if it is before the mark
        `behind` of the body; else 0."""
        at = bisect.bisect_right(self._anchors, self._before)
        anchor = self._anchors[at] if at < len(self._anchors) else 0
        return 0 if behind in self._in_body and self._before < behind < anchor else anchor


def _note_number(paragraph: Paragraph, texts: Sequence[Text]) -> int:
    """The mark of the number before a note; 0 unless this is a note's first paragraph."""
    is_first = paragraph.where in ("footnote", "endnote") and texts and texts[0].is_generated
    return texts[0].mark if is_first else 0


class _Reading:
    """A page's stream, read once. `marks` are the marks of its stretches of text, in order. `colours` are the operators that set
    a colour: from, to, stretch, and whether it is light. `changes` are the replacements for the shown page."""

    def __init__(self, copy: CopyMarks, stream: bytes, height_pt: float):
        self.marks: list[int] = [0]
        self.colours: list[tuple[int, int, int, bool]] = []
        self.changes: list[tuple[int, int, bytes]] = []
        self.cells: dict[int, list[Rect]] = defaultdict(list)
        fill: int = 0
        saved: list[int] = []
        contents: list[int] = [0]  # the open stretches
        for match in _OPERATOR.finditer(stream):
            kind = match.lastgroup
            if kind == "colour":
                fill, place = _colour(match["colour"]), match.span("colour")
                original = copy.fills.get(fill) or copy.letters.get(fill)
                stretch, shown = contents[-1], fill
                if original is not None:
                    shown = shown if original.colour is None else original.colour
                    self.changes.append((*place, _operands(shown)))
                    if fill in copy.letters:
                        stretch = len(self.marks)
                        self.marks.append(original.mark)
                self.colours.append((*place, stretch, is_light(shown)))
            elif kind == "save":
                saved.append(fill)
            elif kind == "restore":
                fill = saved.pop() if saved else 0
            elif kind == "end":
                if len(contents) > 1:
                    contents.pop()
            elif kind == "tag":
                mark = _mark(match["tag"])
                if mark:
                    self.marks.append(mark)
                contents.append(len(self.marks) - 1 if mark else contents[-1])
            elif (original := copy.fills.get(fill)) is not None:
                if original.colour is None:
                    self.changes.append((*match.span("fill"), b"n"))
                for rect in _rects(match["path"], height_pt):
                    _add(self.cells[original.mark], rect)


def _mark(tag: bytes) -> int:
    style = _STYLE.fullmatch(tag)
    return int(style[1]) if style else _TAGS.get(tag, 0)


@functools.lru_cache(maxsize=1 << 14)
def _colour(operator: bytes) -> int:
    red, green, blue = (round(255 * float(part)) for part in operator.split()[:3])
    return red << 16 | green << 8 | blue


@functools.lru_cache(maxsize=1 << 14)
def _operands(colour: int) -> bytes:
    return b"%.6f %.6f %.6f rg" % tuple((colour >> shift & 255) / 255 for shift in (16, 8, 0))


def _rects(path: bytes, height_pt: float) -> Iterator[Rect]:
    for match in _RECT.finditer(path):
        x, y, width, height = map(float, match.groups())
        (x0, x1), (y0, y1) = sorted((x, x + width)), sorted((height_pt - y, height_pt - y - height))
        if x1 - x0 >= _LEAST_PT and y1 - y0 >= _LEAST_PT:
            yield x0, y0, x1, y1


def _add(rects: list[Rect], rect: Rect) -> None:
    """Add a rectangle. One that touches the cell's last rectangle is joined to it: LibreOffice draws some cells twice."""
    if rects and distance(rects[-1], rect) < _SAME_CELL_PT:
        x0s, y0s, x1s, y1s = zip(rects[-1], rect, strict=True)
        rects[-1] = min(x0s), min(y0s), max(x1s), max(y1s)
    else:
        rects.append(rect)
