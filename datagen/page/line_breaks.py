"""Soft line ends, at the end of the column, and hard line ends, at the end of a paragraph, an entry or a verse.

A typesetter adds the next word to a line if it fits. So a line's end is soft if the next line's first word would not have fitted
into the rest of the column. Else the end is hard. Places are in points, in the frame in which the text is read: `start` to `end`
along the lines, `top` to `bottom` across them.
"""

import functools
import itertools
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.page.line_pieces import Piece
from datagen.writing import scripts, signs

_HAN = re.compile(f"[{scripts.HAN}]")
_PHRASED = re.compile(f"[{scripts.PHRASED}{scripts.YI}]")
_MONOSPACED = re.compile(
    r"Mono(?!type)|Courier|ERKurier|Consol|Typewriter|CM(?:SL|I|V|TC)?TT|SF(?:TT|ST|IT|TC)\d|SFTT|ECTT|Menlo|Monaco|Inconsolata"
    r"|Fixed|Letter ?Gothic|NimbusMon|Lucida Console|TeXGyreCursor|Cousine|(?:Source|Fira) ?Code|JetBrains|Cascadia|Iosevka"
    r"|Andale|(?:t1x|tx|px|lm|cm|ec)b?tt(?:sl|it|sc|o)?\d*$",
    re.IGNORECASE,
)
_CODE_SHARE = 0.75  # a line of code has such a share of its characters in a monospaced font, at least
# A Latin word with the full stop of its right-to-left sentence.
_CLOSED_WORD = re.compile(r"[.!?:;]\s?[A-Za-z0-9]\w*")
_LEADS_ON = ":;"
_HYPHENS = "-\u2010\u00ad\u058a"
_FULL = 1.25  # widths of words are estimates
_SPACE_EM = 0.25
_HAN_EM = 2.5  # a character and punctuation that may not begin a line
_PHRASE_EM = 5.0  # the assumed length of a word in a script without spaces
_SAME_EM = 0.12  # flush line ends differ less
_FLUSH_EM = 8.0  # a line shorter than this shows no edge
_NUM_FLUSH = 3
_GUTTER_EM = 0.8  # the gap between two columns, at least
_MIN_JUSTIFIED, _JUSTIFIED, _SHORT_EM = 4, 0.9, 0.5
PROSE_ROOM = 2.0
"""The most room that a line of prose leaves, in widths of the next word. Widths of words are estimates."""
_OVERFULL = 6  # one of so many lines of a flush column may stick out
_NARROW, _WIDE = re.compile(r"[iljtfrI.,;:'!|()\[\] ]"), re.compile("[mwMW@%\u2014]")


@dataclass(slots=True, eq=False)
class Placed:
    """A line in the frame in which it is read. `room` is the rest of its column, in widths of the next line's first word."""

    piece: Piece
    start: float
    top: float
    end: float
    bottom: float
    size: float
    room: float = 0.0

    @property
    def is_full(self) -> bool:
        return self.room < _FULL

    @property
    def text(self) -> str:
        return self.piece.text

    @property
    def is_closed(self) -> bool:
        """Whether the line ends like a sentence."""
        return bool(signs.is_closed(self.piece.text) or _CLOSED_WORD.fullmatch(self.piece.text))


def is_monospaced(piece: Piece) -> bool:
    """Whether nearly all of a line is monospaced; if `mono_share` is unknown, whether the line's font is."""
    return has_one_width(piece.font) if piece.mono_share is None else piece.mono_share >= _CODE_SHARE


@functools.lru_cache(maxsize=1024)
def has_one_width(font: str) -> bool:
    """Whether a font of this name is monospaced."""
    return bool(_MONOSPACED.search(font))


def mono_share(spans: Sequence[Mapping[str, Any]]) -> float:
    """The share of a line's characters in monospaced fonts, by the fonts' names. Fonts' flags don't help: Han fonts have them,
    too."""
    nums = [len(span["text"]) - span["text"].count(" ") for span in spans]
    mono = [num for num, span in zip(nums, spans, strict=True) if has_one_width(span["font"])]
    return sum(mono) / max(1, sum(nums))


def goes_on_in_mid_sentence(a: Placed, b: Placed) -> bool:
    """Whether `b` continues the sentence of `a`: `b` begins in lower case, and `a` doesn't end like a sentence."""
    return b.text[0].islower() and not a.is_closed


def is_cut(a: Placed, b: Placed) -> bool:
    """Whether `a` ends with a hyphen within a word that `b` continues."""
    text = a.text
    return text[-1] in _HYPHENS and text[-2:-1].isalpha() and (b.text[0].islower() or text[-1] == "\u00ad")


def measure_room(flow: Sequence[Placed], page: Sequence[Placed]) -> None:
    """Set the `room` of the lines of a flow, which stand below each other, by the edge of their column.

    The edge is where several lines of the flow end. If there is no such place, it is where the longest line of the column ends
    on the page. `page` has all lines in the same frame. In justified text, a line that ends a sentence before the edge also ends
    a paragraph.
    """
    edge = _edge(flow, page)
    narrower = _narrower(flow, edge)
    flush = [_ends_flush(a, b) for a, b in itertools.pairwise(flow)]
    is_justified = _is_justified(flow, edge)
    for i, (a, b) in enumerate(itertools.pairwise(flow)):
        room = edge - narrower.get(round(a.start), 0.0) - a.end
        if room > _SPACE_EM * a.size and not (flush[i] or (i > 0 and flush[i - 1]) or is_cut(a, b)):
            a.room = room / needed_pt(a, b)
            if is_justified and room > _SHORT_EM * a.size and _ends_sentence(a, b):
                a.room = max(a.room, PROSE_ROOM)


def _ends_sentence(a: Placed, b: Placed) -> bool:
    return a.is_closed and a.text[-1] not in _LEADS_ON and not b.text[0].islower()


def _is_justified(flow: Sequence[Placed], edge: float) -> bool:
    """Whether nearly all lines that end in mid-sentence end at the edge, so that a shorter line ends a paragraph."""
    ends = [a.end for a, b in itertools.pairwise(flow) if goes_on_in_mid_sentence(a, b)]
    return len(ends) >= _MIN_JUSTIFIED and sum(edge - end < _SAME_EM * flow[0].size for end in ends) >= _JUSTIFIED * len(ends)


def needed_pt(a: Placed, b: Placed) -> float:
    """The width, in points, that the first word of `b` and a space would take at the end of `a`."""
    text = b.text
    if not text.isascii():
        if _HAN.match(text):
            return _HAN_EM * b.size
        if _PHRASED.match(text):
            return min(_width_of(b, text.partition(" ")[0]), _PHRASE_EM * b.size)
    first, _, behind = text.partition(" ")
    word = behind.partition(" ")[0] if first in ".!?:;" else first
    host = word.find("://") + 3
    for sign in "/\u2014":  # lines may end behind one of these, but hardly behind a word's own hyphen
        part = word.find(sign, max(1, host)) + 1
        if 1 < part < len(word):
            word = word[:part]
    return _width_of(b, word) + _SPACE_EM * a.size


def _width_of(line: Placed, word: str) -> float:
    return (line.end - line.start) * _weight(word) / max(_weight(line.text), 0.1)


def _weight(text: str) -> float:
    """The approximate width of a text, in widths of a common letter."""
    return len(text) - 0.5 * len(_NARROW.findall(text)) + 0.4 * len(_WIDE.findall(text))


def _ends_flush(a: Placed, b: Placed) -> bool:
    """Whether two lines end at the same place, such as lines of a quotation that is narrower than its column."""
    return (
        abs(a.end - b.end) < _SAME_EM * a.size
        and a.size == b.size
        and a.end - a.start > _FLUSH_EM * a.size
        and " " in a.text
        and not is_monospaced(a.piece)
    )


def _narrower(flow: Sequence[Placed], edge: float) -> dict[int, float]:
    """For indented lines, by their start, how much narrower the column is at its end.

    A quotation is indented equally on both sides. So its lines stay as far from the edge as they start from the left.
    """
    ends: dict[int, list[float]] = {}
    for line in flow:
        ends.setdefault(round(line.start), []).append(line.end)
    left = min(ends)
    return {
        start: start - left
        for start, at in ends.items()
        if len(at) >= _NUM_FLUSH and start - left > flow[0].size and max(at) < edge - (start - left) + 1
    }


def _edge(flow: Sequence[Placed], page: Sequence[Placed]) -> float:
    size = statistics.median(line.size for line in flow)
    ends = sorted((line.end for line in flow[:-1] if not is_monospaced(line.piece)), reverse=True)
    for i in range(min(len(ends) - _NUM_FLUSH, len(ends) // _OVERFULL) + 1):
        if ends[i] - ends[i + _NUM_FLUSH - 1] < _SAME_EM * size:
            return ends[i]
    top, bottom = flow[0].top, max(line.bottom for line in flow)
    start, end = min(line.start for line in flow), max(line.end for line in flow)
    beside = [line.start for line in page if line.start > end and line.top < bottom and line.bottom > top]
    limit = min(beside, default=float("inf")) - _GUTTER_EM * size  # a note across two columns may happen to end in the gutter
    of_column = (line.end for line in page if line.start < end and start < line.end <= limit)
    return max((end, *of_column))
