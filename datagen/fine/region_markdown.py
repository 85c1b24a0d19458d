"""The text of a region as Markdown: headings, lists, code, and emphasis where the font says so.

What a page shows is not escaped: a reader of pages writes `*` for a star, too.
"""

import itertools
import re
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from datagen.coarse.clean_line import as_it_looks
from datagen.coarse.formula_share import is_for_formulas
from datagen.fine.line_looks import STEP_PT, near
from datagen.fine.parts import Part
from datagen.page import raised
from datagen.page.boldness import is_bold_span
from datagen.page.boxes import is_centred_in
from datagen.page.line_breaks import is_monospaced
from datagen.page.line_pieces import Piece, Rect
from datagen.page.wording import ITALIC
from datagen.record import Line
from datagen.writing import scripts, signs
from datagen.writing.join_lines import as_drawn

_ITALIC_FLAG = 2  # of MuPDF's spans
_USUAL = 0.6  # a style in which more of the page is set emphasises nothing
_BULLET = re.compile(rf"(?:[{signs.BULLETS}{signs.CHECKS}{signs.DOTS}{scripts.PRIVATE}]\s*|[{signs.DASHES}o]\s+)(?=\S)")
_AS_HYPHEN, _MARKDOWNS_SIGNS = "–—+", "•-*"
_NUMBER = re.compile(r"\d{1,3}(?:\./|[.)])\s+(?=\S)")
_LETTERS = re.compile(r"[^\W\d_]")
_TAGS = ("sup", "sub")
_STAR = {"bold": "**", "italic": "*", "both": "***"}
_EMPHASISED = frozenset({"text", "list", "footnote", "image_caption", "table_caption", "reference"})
_ADVANCE_EM = (0.4, 0.75)  # of letters of one width
_PITCH = 1.7  # lines of code that are farther apart have an empty one between them

Styled = tuple[Rect, str, str]


class Styles(NamedTuple):
    """What the fonts of a page's spans say. `styled` are those that stand out: box in points, text, `bold`, `italic` or `both`;
    by their height on the page, in steps of `STEP_PT`. `spaces` is how many a line begins with, by its start and baseline.
    `scripts` are sub- and superscripts."""

    styled: Mapping[int, Sequence[Styled]]
    spaces: Mapping[tuple[int, int], int]
    scripts: raised.Scripts


def styles(spans: Sequence[Mapping[str, Any]]) -> Styles:
    """The spans of a page in another style than most of its text."""
    num_chars: dict[str, int] = defaultdict(int)
    styled = []
    spaces = {}
    for span in spans:
        if span["text"][:1] == " ":
            spaces[_start(span["bbox"], span["origin"][1])] = len(span["text"]) - len(span["text"].lstrip(" "))
        style, text = _style(span), as_it_looks(span["text"].strip())
        num_chars[style] += len(text)
        if style and _LETTERS.search(text):
            styled.append((tuple(span["bbox"]), text, style))
    total = sum(num_chars.values())
    usual = {style for style, num in num_chars.items() if num > _USUAL * total}
    by_height: dict[int, list[Styled]] = defaultdict(list)
    for box, text, style in styled:
        if style not in usual:
            by_height[int(box[1] // STEP_PT)].append((box, text, style))
    return Styles(by_height, spaces, raised.scripts(spans))


def _start(box: Rect, baseline: float) -> tuple[int, int]:
    return round(box[0]), round(baseline)


def _style(span: Mapping[str, Any]) -> str:
    font = span["font"]
    if is_for_formulas(font):
        return ""
    bold, italic = is_bold_span(span), span["flags"] & _ITALIC_FLAG or ITALIC.search(font)
    return "both" if bold and italic else "bold" if bold else "italic" if italic else ""


def markdown(part: Part, plain: str, styled: Styles) -> str:
    """The part's text, which is `plain`, as Markdown."""
    match part.label:
        case "title" | "sub_title":
            text = _emphasised(plain, part.pieces, styled, 0, stars=False)
            return f"{'#' * part.level} {' '.join(text.split())}"
        case "code":
            return _code(part.pieces, styled.spaces)
    if part.label not in _EMPHASISED:
        return plain
    marker, replaced = list_marker(plain) if part.label == "list" else ("", "")
    if part.label == "list" and not marker and (sign := lone_sign(plain)):
        return sign
    text = _emphasised(plain, part.pieces, styled, len(marker))
    if part.label == "list" and part.has_drawn_sign and not marker:
        replaced = "- "
    return replaced + text[len(marker) :]


def list_marker(text: str) -> tuple[str, str]:
    """What a list's item begins with, and how Markdown writes it."""
    if bullet := _BULLET.match(text):
        return bullet[0], "- "
    if number := _NUMBER.match(text):
        return number[0], f"{number[0].strip()} "
    return "", ""


def lone_sign(text: str) -> str:
    """What Markdown has for an item's sign that is all of a text; "" if it isn't."""
    marker, replaced = list_marker(f"{text} x")
    return replaced.strip() if marker.strip() == text.strip() else ""


def with_markdowns_sign(line: Line) -> Line:
    """An item's first line with one of the signs that Markdown has for its own, so that a region has the letters of its lines: a
    bullet for bullets of other shapes and for those that a font of symbols draws, a hyphen for dashes."""
    marker, replaced = list_marker(line.text + " x")  # a sign may be a line of its own
    sign = marker.strip()
    if replaced != "- " or sign in _MARKDOWNS_SIGNS:
        return line
    plain = "-" if sign in _AS_HYPHEN else "•"
    return replace(line, text=line.text.replace(sign, plain, 1))


def begun_by(piece: Piece, spaces: Mapping[tuple[int, int], int]) -> int:
    """The number of spaces that a line begins with, which its text hasn't and its box has."""
    return spaces.get(_start(piece.bbox, piece.baseline), 0)


def _code(pieces: Sequence[Piece], spaces: Mapping[tuple[int, int], int]) -> str:
    """Lines of code with the indents and the empty lines that the page shows."""
    begun = [begun_by(p, spaces) for p in pieces]
    widths = [
        (p.bbox[2] - p.bbox[0]) / (num + len(p.text))
        for p, num in zip(pieces, begun, strict=True)
        if len(p.text) > 3 and p.upright
    ]
    advance = min(widths, default=0.0)
    size = statistics.median(p.size for p in pieces)
    pitch = statistics.median([b.baseline - a.baseline for a, b in itertools.pairwise(pieces)] or [0.0])
    if not _ADVANCE_EM[0] * size < advance < _ADVANCE_EM[1] * size:
        return "\n".join(as_drawn(p.text) for p in pieces)
    starts = [p.bbox[0] + advance * num for p, num in zip(pieces, begun, strict=True)]
    lines = []
    for i, (piece, start) in enumerate(zip(pieces, starts, strict=True)):
        if i and pitch > 0 and piece.baseline - pieces[i - 1].baseline > _PITCH * pitch:
            lines.append("")
        lines.append(" " * max(0, round((start - min(starts)) / advance)) + as_drawn(piece.text))
    return "\n".join(lines)


@dataclass(slots=True)
class _Run:
    start: int
    end: int
    style: str


def _emphasised(text: str, pieces: Sequence[Piece], styled: Styles, first: int, stars: bool = True) -> str:
    """The text with `stars` around what stands out in its lines, and tags around scripts, behind `first` characters. A span stays
    as it is where its place isn't plain."""
    runs: list[_Run] = []
    at = 0
    for piece in pieces:
        core = piece.text.rstrip("-\u00ad\u2010\u2060\u2063 ")
        start = text.find(core, at, at + len(core) + 2) if core else -1
        if start < 0:
            return text
        at = start + len(core)
        own = list(raised.runs(core, piece.bbox, styled.scripts, _is_rtl(piece, core))) if piece.upright else []
        runs += [_Run(max(first, start + run.start), start + run.end, run.tag) for run in own]
        for box, span, style in near(styled.styled, piece.bbox) if stars and not is_monospaced(piece) else ():
            place = _find(piece, core, box, span) if is_centred_in(box, piece.bbox) else -1
            if place >= 0:
                begin, end = max(first, start + place), start + place + min(len(span), len(core) - place)
                if begin < end and not any(run.start < end - start and begin - start < run.end for run in own):
                    runs.append(_Run(begin, end, style))
    for run in reversed(_merged(runs, text)):
        inside = text[run.start : run.end]
        if run.style in _TAGS:
            inside = raised.tagged(inside, run.style)
        elif _LETTERS.search(inside) and not {"*", "_"} & set(inside):
            inside = starred(inside, _STAR[run.style])
        text = text[: run.start] + inside + text[run.end :]
    return text


def _merged(runs: Sequence[_Run], text: str) -> list[_Run]:
    """The runs from the first one, those of one style as one where nothing but a space is between them."""
    merged: list[_Run] = []
    for run in sorted(runs, key=lambda r: r.start):
        last = merged[-1] if merged else None
        if run.start >= run.end or (last is not None and run.start < last.end):
            continue
        between = "" if last is None else text[last.end : run.start].strip("" if run.style in _TAGS else " \n-")
        if last is not None and last.style == run.style and not between:
            last.end = run.end
        else:
            merged.append(run)
    return merged


def _find(piece: Piece, text: str, box: Rect, span: str) -> int:
    """Where a span stands in the text of its line: of the places that say the same, the one that is nearest to its box."""
    span = span.rstrip("-\u00ad\u2010") or span
    axis = 1 if piece.vertical else 0
    length = piece.bbox[axis + 2] - piece.bbox[axis]
    share = (box[axis] - piece.bbox[axis]) / length if length > 0 else 0.0
    if _is_rtl(piece, text):
        share = (piece.bbox[2] - box[2]) / length
    places = [m.start() for m in re.finditer(re.escape(span), text)]
    return min(places, key=lambda place: abs(place - share * len(text)), default=-1)


def _is_rtl(piece: Piece, text: str) -> bool:
    return piece.upright and bool(piece.glyphs) and any("\u0590" <= c <= "\u08ff" for c in text)


def enclosed(text: str, before: str, behind: str) -> str:
    """The text with signs around it. White space at its ends stays outside, and is all of a text without any."""
    core = text.strip()
    return text.replace(core, f"{before}{core}{behind}", 1) if core else text


def starred(text: str, stars: str) -> str:
    return enclosed(text, stars, stars)
