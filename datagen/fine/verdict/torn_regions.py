"""Signs that a page's lines were divided into paragraphs and items wrongly: a paragraph is torn, or two are glued together."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import regex

from datagen.coarse.answers import BY
from datagen.fine.structure.heading_levels import NUMBERED
from datagen.labels import TEXTS
from datagen.page.boxes import line_height
from datagen.page.line_breaks import has_one_width
from datagen.page.paragraphs import SECTION
from datagen.record import Box, Line, Region
from datagen.writing import scripts, signs

BULLET = re.compile(rf"[{signs.SURE_SIGNS}{signs.DOTS}]\s*\S")
CLOSED = regex.compile(rf"[{signs.STOPS}{signs.COLONS}{signs.SEMICOLONS}][)\]\"'’”»）」』】*<>/a-z]*$")
"""How a sentence ends."""
_ENDED = regex.compile(rf"[{signs.STOPS}{signs.COLONS}]{signs.CLOSING}$")
_BODY = frozenset({"text", "list", "code"})
_GO_ON = {"text": _BODY, "list": _BODY, "code": _BODY, "reference": {"reference"}, "image_caption": {"text"}}
"""The labels in which a sentence may continue, by the label in which the sentence begins."""
_BOUND = re.compile(r"[,.;:!?)\]}、。，．）」』】・ー％%»”’]")  # signs that no line begins with
_UNSPACED = re.compile(f"[{scripts.HAN}]")
_PHRASED = re.compile(f"[{scripts.HAN}{scripts.PHRASED}]")
_BEHIND_EM = (-0.3, 0.6)  # the gap between a line and a text right behind it
_FULL_EM, _ALIGNED_EM, _PITCH = 1.2, 0.6, 1.25
_LONG_EM, _EDGE_EM = 20.0, 10.0  # a single line counts as full if longer than the first; or than the second, at the column's end
_INDENT_EM = (0.5, 6.0)
_MIN_INDENTED = 2
_MIN_STACKED, _MAX_PITCH_EM, _SAME_PITCH_EM = 3, 2.2, 0.15
_MIN_JUSTIFIED, _EVEN_EM = 2, 0.1  # lines that end in mid-sentence at one edge, and how near to it
_MIN_FLUSH, _FLUSH_SHARE, _EVEN_READ_EM = 4, 0.85, 0.35  # the same for a column that an engine read, whose boxes vary
_ROOM = 1.5  # of the width of the next word
_MIN_LEAD = 3  # letters: longer words in bold may begin paragraphs
_LAID_OVER = 0.5  # of a line's area
_MAX_FORMULA_EM = 2.0  # the height of a formula within a line, at most


class _Column(NamedTuple):
    """The left and right edges, in pixels, of the column that a line is in."""

    left: float
    right: float


def num_torn(regions: Sequence[Region]) -> int:
    """How often a paragraph or an item continues in another region: below, on the same line, or beside a formula in the line."""
    num = sum(_is_torn(a, b, regions) for a, b in _followers(regions))
    return num + _num_beside(regions) + _num_stacked(regions) + _num_beside_formulas(regions)


def num_glued(region: Region) -> int:
    """How often a new paragraph or item begins within a region. The evidence is an item's sign, a section number, or lines side
    by side. So is a line that starts anew although the line above ends a sentence and has room for the next word."""
    lines = [line for line in region.lines if line.direction != "ttb"]
    if region.label not in TEXTS or region.is_unread or len(lines) < 2:
        return 0
    pairs = list(itertools.pairwise(lines))
    num = int(any(BULLET.match(line.text) for line in lines[1:]) or any(_are_apart(a.box, b.box) for a, b in pairs))
    num += sum(bool(SECTION.match(b.text)) and abs(a.box.x0 - b.box.x0) > _ALIGNED_EM * line_height(b) for a, b in pairs)
    return num + _num_ended(region, lines)


def glued_in_columns(regions: Sequence[Region]) -> list[int]:
    """The indices of regions in which a new paragraph begins after a line that ends before the column's flush edge. The edge is
    found from all regions of the column, because one region has too few lines. Only left-to-right text that engines read."""
    read = [i for i, region in enumerate(regions) if region.by != BY and region.label in TEXTS and not region.is_unread]
    ltr = [i for i in read if regions[i].lines and all(line.direction == "ltr" for line in regions[i].lines)]
    glued = []
    for i in ltr:
        edge = _edge(regions, i, [regions[j] for j in ltr]) if len(regions[i].lines) > 1 else None
        if edge is not None and _num_ended(regions[i], regions[i].lines, edge):
            glued.append(i)
    return glued


def _num_ended(region: Region, lines: Sequence[Line], flush: float | None = None) -> int:
    is_rtl = lines[0].direction == "rtl"
    start, end = (2, 0) if is_rtl else (0, 2)
    edge: float = min(line.box.x0 for line in lines) if is_rtl else max(line.box.x1 for line in lines)
    open_ends = [line.box[end] for line in lines[:-1] if not _ENDED.search(line.text)]
    is_justified = len(open_ends) >= _MIN_JUSTIFIED and all(abs(x - edge) < _EVEN_EM * line_height(lines[0]) for x in open_ends)
    if flush is not None:
        edge, is_justified = flush, True
    num = 0
    for a, b in itertools.pairwise(lines):
        em, word = line_height(a), b.text.split(maxsplit=1)[0] if b.text.strip() else ""
        is_flush = abs(a.box[start] - b.box[start]) < _ALIGNED_EM * em
        if not word or not is_flush or not _ENDED.search(a.text) or not a.text.split():
            continue
        gap = "" if _UNSPACED.match(word) else " "
        word = word if gap else word[0]
        needed = (len(word) + 1) * (b.box.x1 - b.box.x0) / max(1, len(b.text))
        is_joined = f"{a.text.split()[-1]}{gap}{word}" in region.text.replace("*", "")
        begins_alike = len(word) > _MIN_LEAD and region.text.startswith(f"**{word}") and f" **{word}" in region.text
        most = em if is_justified else _ROOM * needed / 2 if _UNSPACED.match(word) else _ROOM * needed + em
        is_short = abs(edge - a.box[end]) > most
        num += is_joined and (begins_alike or is_short)
    return num


def _edge(regions: Sequence[Region], i: int, read: Sequence[Region]) -> float | None:
    """The x at which a column's lines end flush. The column is all `read` regions that begin at the left edge of region `i`, and
    only lines that end in mid-sentence count. None if these lines are few or don't end flush. None also if something stands to
    the right of the region before this x: then the x belongs to another column."""
    region = regions[i]
    left, em = min(line.box.x0 for line in region.lines), line_height(region.lines[0])
    beside = [other for other in read if abs(min(line.box.x0 for line in other.lines) - left) < em]
    ends = [line.box.x1 for other in beside for line in other.lines[:-1] if not _ENDED.search(line.text)]
    edge = max(ends, default=0)
    num_flush = sum(edge - end < _EVEN_READ_EM * em for end in ends)
    if num_flush < _MIN_FLUSH or num_flush < _FLUSH_SHARE * len(ends):
        return None
    box = region.box
    stands_beside = (o.box.x0 < edge and o.box.x0 >= box.x1 and o.box.y0 < box.y1 and o.box.y1 > box.y0 for o in regions)
    return None if any(stands_beside) else edge


def _followers(regions: Sequence[Region]) -> Iterator[tuple[Region, Region]]:
    """Each region, with the next region in its column."""
    for i, a in enumerate(regions):
        near = regions[i + 1 : i + 4]
        b = next((b for b in near if min(a.box.x1, b.box.x1) > max(a.box.x0, b.box.x0)), near[0] if near else None)
        if b is not None:
            yield a, b


def _is_torn(a: Region, b: Region, regions: Sequence[Region]) -> bool:
    """Whether region `b`, right below region `a`, continues the last sentence of `a`."""
    if b.label not in _GO_ON.get(a.label, ()) or a.continues or a.is_unread or b.is_unread:
        return False
    if not a.lines or not b.lines or a.format != "markdown" or b.format != "markdown":
        return False
    last, first = a.lines[-1], b.lines[0]
    if "ttb" in (last.direction, first.direction) or last.direction != first.direction:
        return False
    em = line_height(last)
    is_alike = last.look == first.look != ""  # boxes of lines in letters of several scripts differ in height
    if (abs(em - line_height(first)) > 0.15 * em and not is_alike) or not -0.6 * em < first.box.y0 - last.box.y1 < (
        _PITCH - 0.2
    ) * em:
        return False
    if BULLET.match(first.text) or (a.label == "code" and b.label == "code"):
        return False
    is_same, is_full = last.font == first.font, _is_full(a, last, regions, first)
    if is_full and _begins_above(a, b, regions):
        return True
    if CLOSED.search(last.text):
        return False
    if b.label != "code" and _BOUND.match(first.text):
        return True
    code = [has_one_width(line.font) for line in (last, first)]
    if any(code) and a.label == "code":
        return False
    if first.text[:1].islower() or last.text[-1] in f"{signs.COMMAS}-":
        return is_full and (is_same or first.text[:1].islower())
    if not any(map(str.isalnum, last.text[-1:])):
        return is_same and _is_centred(a, b)
    if is_same and _is_centred(a, b):
        return True
    if is_full and len(a.lines) > 1 and is_same and a.label != "code" and not NUMBERED.match(first.text):
        return first.text[:1].isalpha() and any(map(str.islower, last.text))
    has_no_case = not any(c.isupper() or c.islower() for c in first.text[:8])
    starts_lower = first.box.x0 > a.lines[-1].box.x0 + _ALIGNED_EM * em if first.direction == "ltr" else False
    return has_no_case and is_full and is_same and not starts_lower and len(last.text) > 12


def _is_centred(a: Region, b: Region) -> bool:
    """Whether the lines of `a` and `b` are all centred, and `b` follows at the pitch of the lines of `a`."""
    if len(a.lines) < 2 or a.label != "text" or b.label != "text":
        return False
    lines = [*a.lines, *b.lines]
    em = line_height(lines[0])
    middles = [(line.box.x0 + line.box.x1) / 2 for line in lines]
    starts = [line.box.x0 for line in lines]
    pitches = [below.box.y0 - above.box.y0 for above, below in itertools.pairwise(lines)]
    is_centred = max(middles) - min(middles) < _ALIGNED_EM * em < max(starts) - min(starts)
    return is_centred and pitches[len(a.lines) - 1] < min(pitches[: len(a.lines) - 1]) + _SAME_PITCH_EM * em


def _begins_above(a: Region, b: Region, regions: Sequence[Region]) -> bool:
    """Whether `a` is the indented first line of a paragraph, `b` is the rest, and most paragraphs of the page begin so."""
    if len(a.lines) != 1 or len(b.lines) < 2 or b.label != "text":
        return False
    of_lines = [
        _indent(region.lines[0], region.lines[1]) for region in regions if region.label == "text" and len(region.lines) > 1
    ]
    num = sum(map(_is_indent, of_lines))
    own = _indent(a.lines[0], b.lines[0])
    return _is_indent(own) and not _is_indent(_indent(*b.lines[:2])) and num >= max(_MIN_INDENTED, len(of_lines) / 2)


def _indent(a: Line, b: Line) -> float:
    """The indent of line `a` against the next line `b`, in heights of `a`."""
    return (b.box.x1 - a.box.x1 if a.direction == "rtl" else a.box.x0 - b.box.x0) / max(1.0, line_height(a))


def _is_indent(ems: float) -> bool:
    return _INDENT_EM[0] < ems < _INDENT_EM[1]


def _num_stacked(regions: Sequence[Region]) -> int:
    """The number of one-line regions that follow each other in mid-sentence, with one edge, one pitch and one font."""
    lone = [r.lines[0] if r.label == "text" and len(r.lines) == 1 and not r.is_unread else None for r in regions]
    num, run = 0, 1
    last_pitch = 0.0
    for a, b in itertools.pairwise([*lone, None]):
        pitch = b.box.y0 - a.box.y0 if a is not None and b is not None else 0.0
        if a is not None and b is not None and _stands_below(a, b, pitch, last_pitch if run > 1 else pitch):
            run += 1
        else:
            num += run if run >= _MIN_STACKED else 0
            run = 1
        last_pitch = pitch
    return num


def _stands_below(a: Line, b: Line, pitch: float, usual: float) -> bool:
    em, side = line_height(a), 2 if a.direction == "rtl" else 0
    is_alike = a.font == b.font and a.direction == b.direction != "ttb" and abs(line_height(b) - em) < 0.15 * em
    is_near = 0.8 * em < pitch < _MAX_PITCH_EM * em and abs(pitch - usual) < _SAME_PITCH_EM * em
    goes_on = not CLOSED.search(a.text) and b.text[:1].isalnum() and not b.text[:1].isupper()
    return is_alike and is_near and goes_on and abs(a.box[side] - b.box[side]) < _ALIGNED_EM * em


def _num_beside(regions: Sequence[Region]) -> int:
    """The number of pairs of lines of two regions that are one line: one follows right behind the other, or overlaps it."""
    lines = [
        (line, i)
        for i, region in enumerate(regions)
        if region.label in _BODY and not region.is_unread and region.format == "markdown"
        for line in region.lines
        if line.direction != "ttb" and line.text
    ]
    lines.sort(key=lambda entry: entry[0].box.y0)
    num = 0
    for n, (a, i) in enumerate(lines):
        em = line_height(a)
        for b, j in lines[n + 1 :]:
            if b.box.y0 > a.box.y0 + 0.5 * em:
                break
            common = min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0)
            gap = max(a.box.x0, b.box.x0) - min(a.box.x1, b.box.x1)
            is_behind = _BEHIND_EM[0] * em < gap < _BEHIND_EM[1] * em
            is_over = -gap > _LAID_OVER * min(a.box.x1 - a.box.x0, b.box.x1 - b.box.x0)
            num += i != j and common > 0.7 * min(em, line_height(b)) and (is_behind or is_over)
    return num


def _num_beside_formulas(regions: Sequence[Region]) -> int:
    """The number of one-line texts right beside a formula that is as high as a line, and so belongs to the line."""
    lines = [region.lines[0] for region in regions if region.label in TEXTS and len(region.lines) == 1]
    num = 0
    for box in (region.box for region in regions if region.label == "equation"):
        for line in lines:
            em, gap = line_height(line), max(line.box.x0 - box.x1, box.x0 - line.box.x1)
            common = min(line.box.y1, box.y1) - max(line.box.y0, box.y0)
            is_low = line.direction != "ttb" and box.y1 - box.y0 < _MAX_FORMULA_EM * em
            num += is_low and common > 0.7 * em and -_BEHIND_EM[1] * em < gap < _BEHIND_EM[1] * em
    return num


def _is_full(region: Region, last: Line, regions: Sequence[Region], below: Line) -> bool:
    """Whether a region's last line is as long as its other lines. A single line counts as full if it is long, ends where its
    column ends, or leaves no room for the first word of the line below."""
    em, is_rtl = line_height(last), last.direction == "rtl"
    if len(region.lines) == 1:
        width, column = last.box.x1 - last.box.x0, _column(last, regions)
        room = last.box.x0 - column.left if is_rtl else column.right - last.box.x1
        word = "" if _PHRASED.match(below.text) or not below.text.split() else below.text.split()[0]
        needed = (len(word) + 1) * (below.box.x1 - below.box.x0) / max(1, len(below.text)) if word else 0.0
        return width > _LONG_EM * em or (width > _EDGE_EM * em and room < max(_FULL_EM * em, needed))
    if is_rtl:
        return last.box.x0 < min(line.box.x0 for line in region.lines[:-1]) + _FULL_EM * em
    return last.box.x1 > max(line.box.x1 for line in region.lines[:-1]) - _FULL_EM * em


def _column(line: Line, regions: Sequence[Region]) -> _Column:
    others = [region.box for region in regions if region.label in TEXTS and len(region.lines) > 1]
    beside = [box for box in others if min(box.x1, line.box.x1) > max(box.x0, line.box.x0)]
    return _Column(min((box.x0 for box in beside), default=-float("inf")), max((box.x1 for box in beside), default=float("inf")))


def _are_apart(a: Box, b: Box) -> bool:
    """Whether two boxes stand side by side with a wide gap."""
    common = min(a.y1, b.y1) - max(a.y0, b.y0)
    em = min(a.y1 - a.y0, b.y1 - b.y0)
    return common > 0.7 * em and max(a.x0, b.x0) - min(a.x1, b.x1) > em
