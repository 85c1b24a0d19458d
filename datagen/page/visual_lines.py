"""The pieces of each visual line as one: a line is what a person would type as one, whatever the gaps in it."""

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from datagen.page.columns import Gap, gaps, with_leaders
from datagen.page.line_pieces import Block, Piece, Rect, joined
from datagen.page.rows import TOUCHING_EM, Row, reads_from_right, rows_by_direction
from datagen.writing import scripts

_SPACE_EM = 0.15
_CAPITAL_EM = 1.7  # how much larger than its line a drop capital is, at least
_CAPITAL_GAP_EM = 1.2
_CAPITAL_HEIGHT_EM = 0.8
_DOTS = f"[{scripts.LEADER_DOTS}]"
_LEADER = re.compile(f"\\s*{_DOTS}(?:\\s*{_DOTS}){{4,}}\\s*|\\s+\\.(?:\\s+\\.)+\\s+(?=\\w+\\s*$)")
_CAPITAL = re.compile(r"[^\w\s]?[^\W\d_]{1,2}")
_HAS_LEADER = re.compile(f"{_DOTS}\\s*{_DOTS}|_\\s?_\\s?_")
_ELLIPSES, _TWO = re.compile("\\s*…{3,}\\s*"), re.compile("\\s*……\\s*")  # two are a blank beside other blanks
_EAST_ASIAN = re.compile(f"[{scripts.HAN}{scripts.HANGUL}]")
_BEFORE_STOP = re.compile(r"(?<= \.{5}| _{5}) (?=[,;:])")
_ENDS_BLANK, _STARTS_BLANK = re.compile(r"(?:\.{5}|_{3})\s*$"), re.compile(r"\s*(?:\.{5}|_{3})")
_BLANKS_EM, _BETWEEN_BLANKS = 2.0, "\u2063"  # so far apart rows of dots are two blanks; what is put between them
_BLANK_TO_FILL = re.compile(r"\s*_(?:\s?_){4,}\s*")


def visual_lines(blocks: Sequence[Block], is_rtl: bool, is_clear: Callable[[Rect], bool]) -> list[Block]:
    """The blocks, with the pieces of each visual line as one, and nothing in one block with what stands beside it.

    A gap parts columns or cells if something is drawn in it, or if it goes on through the lines above and below it, whose edges
    are aligned along it. A gap beside leaders, behind a bullet, a number or a label, in a listing of letters of one width, or
    between words that are all as far apart, parts nothing. A line takes the place of the piece of it that comes first in the
    file.

    Leaders take one form, whatever their number: ` ..... ` of dots, ` _____ ` of underscores; two blanks far apart are two. A
    capital as high as several lines is the first letter of the first of them. That line's box begins where the capital does, and
    is no higher for it.
    """
    blocks = _with_capitals(blocks)
    first = {id(p): n for n, p in enumerate(p for block in blocks for p in block)}
    instead: dict[int, Piece | None] = {}
    shared: dict[int, int] = {}
    for page in rows_by_direction(blocks, is_rtl, is_clear):
        entries = with_leaders(page) if any(len(row) > 1 for row in page) else []
        for at, row in enumerate(page):
            if len(row) == len(row[0].pieces) == 1:
                continue
            lines = list(_lines(page, at, is_rtl, entries, is_clear))
            for line in lines:
                whole = joined(line, _text(line)) if len(line) > 1 else line[0]
                instead |= dict.fromkeys(map(id, line))
                instead[min(map(id, line), key=lambda i: first[i])] = whole
                if len(lines) > 1:
                    shared[id(whole)] = id(row)
    result = [part for block in _replaced(blocks, instead) for part in _parted(block, shared)]
    for block in result:
        for piece in block:
            parts = map(leaders_as_one, piece.text.split(_BETWEEN_BLANKS))
            piece.text = " ".join(map(str.strip, parts)) if _BETWEEN_BLANKS in piece.text else next(parts)
    return result


def leaders_as_one(text: str) -> str:
    """The text with each row of leaders in its one form, close to commas."""
    if text.isascii() and text.count(".") < 2 and "_" not in text:  # nearly all, at a tenth of the cost
        return text
    if not _HAS_LEADER.search(text):
        return text
    text = _LEADER.sub(" ..... ", text)
    if "……" in text and not _EAST_ASIAN.search(text):  # where two are one sign
        text = _ELLIPSES.sub(" ..... ", text)
        text = _TWO.sub(" ..... ", text) if " ..... " in text else text
    return _BEFORE_STOP.sub("", _BLANK_TO_FILL.sub(" _____ ", text))


def _lines(page: list[Row], at: int, is_rtl: bool, entries: Row, is_clear: Callable[[Rect], bool]) -> Iterator[list[Piece]]:
    """The lines of a row, each as its pieces in the order in which they are read."""
    row = page[at]
    rtl = is_rtl and reads_from_right(row)
    kinds = gaps(page, at, rtl, entries, is_clear) if len(row) > 1 else []
    runs = [run.pieces[:: -1 if rtl else 1] for run in (reversed(row) if rtl else row)]
    line = runs[0]
    for run, kind in zip(runs[1:], kinds, strict=True):
        if kind is Gap.JOINS:
            line = [*line, *run]
        else:
            yield line
            line = run
    yield line


def _text(line: Sequence[Piece]) -> str:
    text = line[0].text
    for a, b in itertools.pairwise(line):
        apart = max(max(a.bbox[i], b.bbox[i]) - min(a.bbox[i + 2], b.bbox[i + 2]) for i in (0, 1))
        if apart > _BLANKS_EM * a.size and _ENDS_BLANK.search(text) and _STARTS_BLANK.match(b.text):
            text += _BETWEEN_BLANKS
        elif apart > _SPACE_EM * min(a.size, b.size) and not (text.endswith(" ") or b.text.startswith(" ")):
            text += " "
        text += b.text
    return text


def _parted(block: Block, rows: Mapping[int, int]) -> Iterator[Block]:
    """The block, cut where a line stands beside one of the block, or beside the column of the line before. `rows`: the rows of
    lines that share one, by `id`."""
    part: Block = []
    for piece in block:
        row = rows.get(id(piece))
        if part and (_is_away(part[-1], piece) or (row is not None and any(rows.get(id(p)) == row for p in part))):
            yield part
            part = []
        part.append(piece)
    if part:
        yield part


def _with_capitals(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with each drop capital in front of the first of the lines that stand beside it."""
    instead: dict[int, Piece | None] = {}
    pieces = sorted((p for block in blocks for p in block), key=_left)
    least = _CAPITAL_EM * min((p.size for p in pieces), default=0.0)
    for capital in (p for p in pieces if p.size > least and len(p.text) < 6 and _CAPITAL.fullmatch(p.text.strip()) and p.upright):
        # A page may be nothing but single letters, so only those near enough are looked at.
        x, em = capital.bbox[2], capital.size / _CAPITAL_EM
        first_near, stop = (bisect_left(pieces, x + gap * em, key=_left) for gap in (-TOUCHING_EM, _CAPITAL_GAP_EM))
        beside = [p for p in pieces[first_near:stop] if _stands_beside(capital, p)]
        if len(beside) > 1:
            first = min(beside, key=lambda p: p.bbox[1])
            instead[id(capital)] = None
            box = (capital.bbox[0], *first.bbox[1:])
            instead[id(first)] = replace(
                first, bbox=box, text=capital.text.lstrip() + first.text, num_joined=first.num_joined + 1
            )
    return _replaced(blocks, instead) if instead else list(blocks)


def _left(piece: Piece) -> float:
    return piece.bbox[0]


def _replaced(blocks: Sequence[Block], instead: Mapping[int, Piece | None]) -> list[Block]:
    """The blocks, with other pieces, or none, instead of those with these ids."""
    return [[new for p in block if (new := instead.get(id(p), p)) is not None] for block in blocks]


def _stands_beside(capital: Piece, line: Piece) -> bool:
    """Whether a line in much smaller type stands right of a capital, between its top and its baseline."""
    gap = line.bbox[0] - capital.bbox[2]
    middle = (line.bbox[1] + line.bbox[3]) / 2
    near = -TOUCHING_EM * line.size < gap < _CAPITAL_GAP_EM * line.size and capital.size > _CAPITAL_EM * line.size
    return near and line.upright and capital.baseline - _CAPITAL_HEIGHT_EM * capital.size < middle < capital.baseline


def _is_away(a: Piece, b: Piece) -> bool:
    along = 1 if b.vertical or abs(b.direction[1]) > 0.5 else 0
    apart = max(a.bbox[along], b.bbox[along]) - min(a.bbox[along + 2], b.bbox[along + 2])
    return apart > TOUCHING_EM * min(a.size, b.size)
