"""Paragraphs from blocks of lines. A paragraph is what a person would type without a break.

MuPDF's blocks sometimes end in mid-paragraph, and sometimes hold several paragraphs, list items, or a heading and its text. So
only the order of the blocks is used.
"""

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datagen.page.line_breaks import PROSE_ROOM, Placed, goes_on_in_mid_sentence, is_cut, is_monospaced, measure_room
from datagen.page.line_pieces import Block, Piece, Rect
from datagen.writing import scripts, signs
from datagen.writing.bidi import num_rtl
from datagen.writing.join_lines import is_cut_literal

# "o" is also a word.
_BULLET = re.compile(rf"[{signs.ITEM_SIGNS}{scripts.PRIVATE}](?:\s|$)|o(?:\s(?=[^a-zà-ÿ])|$)")
_SURE_BULLET = re.compile(f"[{signs.SURE_SIGNS}{scripts.PRIVATE}]")
_NUMBERED = re.compile(
    r"(?:\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})(?:\.[)/]|[.)])|\[\d{1,3}\])(?:\s|$)"
    f"|[①-⑳\u30fb]|\uff08(?:\\d{{1,2}}|[一二三四五六七八九十]{{1,3}})\uff09"
    f"|\\d{{1,2}}(?:\\.\\)|[.)])(?=[{scripts.HAN}{scripts.PHRASED}]|\\d{{4}}年)"
)
SECTION = re.compile(r"\d{1,2}(?:\.\d{1,2}){1,4}\.?\s+[^\W\d_]")  # a section number
_FOOTNOTE = re.compile("[¹²³⁰-⁹]+")
_CIRCLED_OR_REMARK = re.compile("[①-⑳※]")
_WIDE = re.compile(f"[{scripts.HAN}]")
ENTRY = re.compile(r"(?:[.·…‧_] ?){3,} ?[\divxlcIVXLC]+$")  # an entry of contents: leaders and a page number
_SAME_SIZE, _NEAR_SIZE = 0.08, 0.25
_ALIGNED_EM = 0.4
_MAX_HANGING_EM = 6.0
_WIDER_EM = 0.22  # a gap wider than the paragraph's own by so much ends the paragraph
_UNKNOWN_PITCH_EM, _MAX_PITCH_EM = 1.5, 1.9
_MAX_GAP_EM = 3.0
_PROSE = 0.5
_MANY_WITHIN = 3  # a third of the full lines: fewer lines in mid-sentence tell nothing in scripts without case
_MAX_CODE = 12
_DASHES = "\u2013\u2014"
_BOLD, _PLAIN = 0.9, 0.1  # the share of bold characters in a bold line, and in a plain one


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The lines of a paragraph. `soft` tells for each line except the last whether its end is soft (see `line_breaks`)."""

    pieces: tuple[Piece, ...]
    soft: tuple[bool, ...] = ()
    label: str = "text"
    continues: bool = False


def paragraphs(blocks: Sequence[Block], rtl: bool) -> list[Paragraph]:
    """The lines of blocks in reading order, as paragraphs in the same order. `rtl`: the page has right-to-left letters.

    A paragraph ends before a wider gap than its own, an indent, another font or size, or a list's next item. A heading is a
    paragraph, and so is an item. The lines of a verse, an address, a list of words, or code are one paragraph.
    """
    flows = _flows(blocks, rtl)
    frames: dict[str, list[Placed]] = {}
    for frame, flow in flows:
        frames.setdefault(frame, []).extend(flow)
    for frame, flow in flows:
        if len(flow) > 1:
            measure_room(flow, frames[frame])
    pitches = _usual_pitches([flow for _, flow in flows])
    divided = [lines for _, flow in flows for lines in _divided(flow, pitches)]
    last = _last_of_page(divided)
    return [_paragraph(lines, i == last or _goes_on_in_next_column(lines, divided[i + 1 :])) for i, lines in enumerate(divided)]


def _flows(blocks: Sequence[Block], rtl: bool) -> list[tuple[str, list[Placed]]]:
    """Runs of lines that stand below each other in one frame, with the frame's name."""
    flows: list[tuple[str, list[Placed]]] = []
    last: Placed | None = None
    for block in blocks:
        from_right = rtl and (sum(num_rtl(p.text) for p in block) > 0 or _ends_from_right(flows, block))
        for piece in block:
            frame = _frame(piece, from_right)
            line = Placed(piece, *_in_frame(piece.bbox, frame), piece.size)
            if last is None or flows[-1][0] != frame or not _is_below(flows[-1][1], line):
                flows.append((frame, []))
            flows[-1][1].append(line)
            last = line
    return flows


def _ends_from_right(flows: Sequence[tuple[str, Sequence[Placed]]], block: Block) -> bool:
    """Whether a single line without right-to-left letters belongs to the right-to-left lines above, because it starts where they
    do."""
    if not flows or flows[-1][0] != "left" or len(block) > 1:
        return False
    last, line = flows[-1][1], Placed(block[0], *_in_frame(block[0].bbox, "left"), block[0].size)
    near = _ALIGNED_EM * line.size
    return abs(line.start - last[-1].start) < near and line.end < max(a.end for a in last) - near and _is_below(last, line)


def _frame(piece: Piece, from_right: bool) -> str:
    if piece.vertical:
        return "down from left" if piece.from_left else "down"
    along, across = piece.direction
    if along > 0.9:
        return "left" if from_right else "right"
    return "down" if across > 0.9 else "up" if across < -0.9 else "turned"


def _in_frame(box: Rect, frame: str) -> Rect:
    x0, y0, x1, y1 = box
    match frame:
        case "left":
            return -x1, y0, -x0, y1
        case "down":
            return y0, -x1, y1, -x0
        case "down from left":
            return y0, x0, y1, x1
        case "up":
            return -y1, x0, -y0, x1
    return box


def _is_below(flow: Sequence[Placed], b: Placed) -> bool:
    a = flow[-1]
    if b.top - a.bottom > _MAX_GAP_EM * max(a.size, b.size) or b.top < a.top + 0.3 * min(a.size, b.size):
        return False
    if min(a.end, b.end) > max(a.start, b.start):
        return True
    # A bracket that closes code may stand to the left of all the code within.
    return is_monospaced(b.piece) and any(
        abs(line.start - b.start) < 1 and is_monospaced(line.piece) for line in flow[-_MAX_CODE:]
    )


def _usual_pitches(flows: Sequence[Sequence[Placed]]) -> dict[int, float]:
    """The usual distance of lines within paragraphs, by font size in half points.

    The distance is the median for full lines in mid-sentence, or for all full lines if the former are few. Without full lines,
    as in code, it is the least distance of lines on the page.
    """
    within: dict[int, list[float]] = {}
    full: dict[int, list[float]] = {}
    others: dict[int, list[float]] = {}
    for flow in flows:
        for a, b in itertools.pairwise(flow):
            if a.size == b.size:
                is_full = a.is_full and abs(a.start - b.start) < _ALIGNED_EM * a.size
                is_within = goes_on_in_mid_sentence(a, b) and not is_monospaced(a.piece)
                of_kind = others if not is_full else within if is_within else full
                of_kind.setdefault(round(2 * a.size), []).append(_pitch(a, b))
    least = {size: min(pitches) for size, pitches in others.items() if min(pitches) < _MAX_PITCH_EM * size / 2}
    for size, pitches in within.items():
        others_of_size = full.get(size, [])
        full[size] = pitches if _MANY_WITHIN * len(pitches) >= len(others_of_size) else pitches + others_of_size
    return least | {size: statistics.median_low(pitches) for size, pitches in full.items()}


def _pitch(a: Placed, b: Placed) -> float:
    """The distance of two lines: of their baselines if both are upright, because boxes of several fonts differ in height."""
    if a.piece.upright and b.piece.upright:
        return abs(b.piece.baseline - a.piece.baseline)
    return min(abs(b.top - a.top), abs(b.bottom - a.bottom))


def _divided(flow: Sequence[Placed], pitches: dict[int, float]) -> Iterator[list[Placed]]:
    paragraph: list[Placed] = []
    left = _left_edge(flow)
    for i, line in enumerate(flow):
        following = flow[i + 1] if i + 1 < len(flow) else None
        if paragraph and (not _goes_on(paragraph, line, following, pitches) or _are_indented(paragraph, line, following, left)):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _left_edge(flow: Sequence[Placed]) -> float | None:
    """The place where most lines after a full line begin. None if there are no full lines."""
    starts = [round(b.start) for a, b in itertools.pairwise(flow) if a.is_full]
    return statistics.mode(starts) if starts else None


def _are_indented(paragraph: Sequence[Placed], b: Placed, following: Placed | None, left: float | None) -> bool:
    """Whether `b` is the first line of a paragraph after a one-line paragraph, both indented. `following` is the line below
    `b`."""
    a, near = paragraph[-1], _ALIGNED_EM * b.size
    if left is None or len(paragraph) > 1 or not a.is_closed:
        return False
    if not (near < a.start - left < _MAX_HANGING_EM * b.size and abs(a.start - b.start) < near):
        return False
    # Lines of a quotation are indented, too, but no unindented line follows a full line of a quotation.
    goes_on_flush = b.is_full and following is not None and abs(following.start - left) < near
    return not a.is_full or goes_on_flush or (b.is_closed and not b.is_full)


def _goes_on(paragraph: Sequence[Placed], b: Placed, following: Placed | None, pitches: dict[int, float]) -> bool:
    """Whether `b` is a line of the paragraph above it. `following` is the line below `b`."""
    a, em = paragraph[-1], max(paragraph[-1].size, b.size)
    pitch = _pitch(a, b)
    usual = pitches.get(round(2 * a.size), _UNKNOWN_PITCH_EM * em)
    if len(paragraph) > 1:
        usual = max(_pitch(paragraph[-2], a), 0.8 * em)
    in_sentence = a.is_full and (is_cut(a, b) or goes_on_in_mid_sentence(a, b))
    if pitch > (1.5 if in_sentence else 1.0) * usual + _WIDER_EM * em:
        return False
    differs = abs(a.size - b.size) / em
    if differs > (_NEAR_SIZE if in_sentence else _SAME_SIZE):
        return False
    if ENTRY.search(a.text) and ENTRY.search(b.text):
        return True
    code = is_monospaced(a.piece), is_monospaced(b.piece)
    if all(code) and not (_SURE_BULLET.match(b.text) and _SURE_BULLET.match(paragraph[0].text)):
        return True
    if _begins_item(paragraph, b):
        return False
    if in_sentence:
        return True
    if _changes_weight(paragraph, b):
        return False
    if not a.is_full and ((a.piece.font != b.piece.font and not _introduces(a, b)) or any(code)):
        return False
    if not _is_aligned(paragraph, b, following):
        return False
    is_prose = len(paragraph) > 1 and paragraph[-2].is_full
    is_prose |= following is not None and b.is_full and goes_on_in_mid_sentence(b, following)
    return a.is_full or not (is_prose and a.is_closed)


def _introduces(a: Placed, b: Placed) -> bool:
    """Whether Chinese line `a` ends with a colon and introduces Latin line `b`, such as an address. Their fonts differ anyway."""
    return a.text[-1] in ":\uff1a" and bool(_WIDE.search(a.text)) and not _WIDE.search(b.text)


def _changes_weight(paragraph: Sequence[Placed], b: Placed) -> bool:
    """Whether the paragraph is bold and `b` is plain, as below a heading; or the paragraph is plain, and `b` is bold and begins a
    sentence."""
    shares, share = [line.piece.bold_share for line in paragraph], b.piece.bold_share
    begins = paragraph[-1].is_closed or b.text[0].isupper()
    return min(shares) > _BOLD > _PLAIN > share or (max(shares) < _PLAIN < _BOLD < share and begins)


def _begins_item(paragraph: Sequence[Placed], b: Placed) -> bool:
    """Whether `b` is the first line of a list item or a section. A number or a dash may also begin a line by chance."""
    text = b.text
    if _SURE_BULLET.match(text) or _FOOTNOTE.match(text) or (SECTION.match(text) and not paragraph[-1].is_full):
        return True
    if _CIRCLED_OR_REMARK.match(text) and (paragraph[-1].is_closed or not paragraph[-1].is_full):
        return True
    if not (_BULLET.match(text) or _NUMBERED.match(text)):
        return False
    a, first = paragraph[-1], paragraph[0]
    if text.startswith("o ") and a.is_full and not (a.is_closed or first.text.startswith("o ")):
        return False  # the word "o" of many languages, within a sentence
    same_list = abs(first.start - b.start) < _ALIGNED_EM * b.size and _is_item(first)
    return same_list or not a.is_full or abs(b.start - a.start) > _ALIGNED_EM * b.size


def _is_item(line: Placed) -> bool:
    return bool(_BULLET.match(line.text) or _NUMBERED.match(line.text))


def _is_speech(lines: Sequence[Placed]) -> bool:
    """Whether a dash begins direct speech, as an indented first line. In an item, no line begins in front of the sign."""
    return lines[0].text[0] in _DASHES and all(line.start < lines[0].start - _ALIGNED_EM * line.size for line in lines[1:])


def _is_aligned(paragraph: Sequence[Placed], b: Placed, following: Placed | None) -> bool:
    """Whether `b` starts at a place where a line of the paragraph may start."""
    first, a, near = paragraph[0], paragraph[-1], _ALIGNED_EM * b.size
    indent = b.start - (paragraph[1].start if len(paragraph) > 1 else first.start)
    if abs(indent) <= near:
        return True
    if (
        abs(a.start + a.end - b.start - b.end) < near
        and abs(a.start - b.start) > near
        and (len(paragraph) < 2 or abs(paragraph[-2].start - paragraph[-1].start) >= _ALIGNED_EM * paragraph[-1].size)
    ):
        return True  # centred
    if len(paragraph) > 1:
        return False
    if indent < 0:  # behind a first line with an indent
        return a.is_full and indent > -_MAX_HANGING_EM * b.size
    if indent > _MAX_HANGING_EM * b.size:
        return False
    hangs = following is not None and abs(following.start - b.start) <= near
    return _is_item(first) or (a.is_full and hangs)


def _last_of_page(divided: Sequence[Sequence[Placed]]) -> int | None:
    """The index of the paragraph that plainly continues on the next page, or None. It is the last paragraph of running text, and
    must end in a full line in mid-sentence. Only smaller footnotes and a one-line footer may follow it.
    """
    letters: dict[int, int] = {}
    for lines in divided:
        size = round(2 * lines[0].size)
        letters[size] = letters.get(size, 0) + sum(len(line.text) for line in lines)
    most = max(letters, key=lambda size: (letters[size], size), default=0)
    for i in range(len(divided) - 1, -1, -1):
        if len(divided[i]) > 1 and round(2 * divided[i][0].size) == most:
            return i if _ends_open(divided[i]) else None
        if (len(divided[i]) == 1 and i < len(divided) - 1) or round(2 * divided[i][0].size) > most:
            return None
    return None


def _goes_on_in_next_column(lines: Sequence[Placed], behind: Sequence[Sequence[Placed]]) -> bool:
    if len(lines) < 2 or not behind:
        return False
    a, b = lines[-1], behind[0][0]
    if b.top > a.top - a.size or abs(a.size - b.size) > _SAME_SIZE * a.size or a.piece.font != b.piece.font:
        return False
    return is_cut(a, b) or goes_on_in_mid_sentence(a, b) or (_ends_open(lines) and not b.text[0].isupper())


def _ends_open(lines: Sequence[Placed]) -> bool:
    """Whether the last line is as long as the other lines and ends in mid-sentence."""
    last = lines[-1]
    is_long = last.end > max(line.end for line in lines) - _ALIGNED_EM * last.size
    return (
        is_long
        and (last.text[-1].isalpha() or last.text[-1] in ",-\u00ad\u2060\u2063\u060c\u3001\uff0c")
        and not is_monospaced(last.piece)
    )


def _paragraph(lines: Sequence[Placed], continues: bool) -> Paragraph:
    if len(lines) == 1:
        return Paragraph((lines[0].piece,), (), "list" if _is_item(lines[0]) else "text")
    soft = _soft(lines)
    is_code = not any(soft) and all(is_monospaced(line.piece) for line in lines)
    label = "code" if is_code else "list" if _is_item(lines[0]) and not _is_speech(lines) else "text"
    return Paragraph(tuple(line.piece for line in lines), tuple(soft), label, continues)


def _soft(lines: Sequence[Placed]) -> list[bool]:
    """For each line except the last, whether its end is soft. The majority decides unclear ends: mostly soft ends show prose."""
    soft = [line.is_full and not ENTRY.search(line.text) for line in lines[:-1]]
    pairs = list(itertools.pairwise(lines))
    if all(is_monospaced(line.piece) for line in lines):
        if all(soft) and _is_prose(lines):
            return soft
        return [is_soft and is_cut_literal(a.text, b.text) for is_soft, (a, b) in zip(soft, pairs, strict=True)]
    num_soft = sum(soft)
    if num_soft == len(soft):
        return soft
    if num_soft >= _PROSE * len(soft):
        return [
            is_soft or a.room < PROSE_ROOM or goes_on_in_mid_sentence(a, b) for is_soft, (a, b) in zip(soft, pairs, strict=True)
        ]
    if len(soft) > 2:
        return [is_soft and (is_cut(a, b) or goes_on_in_mid_sentence(a, b)) for is_soft, (a, b) in zip(soft, pairs, strict=True)]
    return soft


def _is_prose(lines: Sequence[Placed]) -> bool:
    """Whether monospaced lines are a typescript: flush on the left, and nearly all letters and spaces, unlike code."""
    num_letters = sum(c.isalpha() or c == " " for line in lines for c in line.text)
    flush = all(abs(a.start - b.start) < 1 for a, b in itertools.pairwise(lines))
    return flush and num_letters > 0.9 * sum(len(line.text) for line in lines)
