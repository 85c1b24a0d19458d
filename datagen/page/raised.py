"""Superscripts and subscripts of running text, told by their size and their baseline: marks of notes, units, ordinals."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from datagen.page.line_pieces import Rect

_SMALLER = 0.88  # of the size of what it belongs to, at most
_SMALLEST = 0.4  # a word beside a drop capital is smaller than that
_RAISED_EM, _LOWERED_EM = (0.25, 0.7), (0.09, 0.45)  # of the size of what it belongs to
_GAP_EM = 0.35  # between both
_MAX_CHARS = 16
_CONTENT = re.compile(r"[\w*†‡§¶#][\w*†‡§¶#+−–\-,.()/ :=]*|[+−–\-(][\w+−–\-,.()]*")
_SIGNS = re.compile(r"\w|[*†‡§¶#+−]")
_OWN = re.compile("([\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+)|[\u2080-\u2089]+")
_STEP_PT = 50.0
_CONTEXT = 6  # characters beside a script that are compared

Span = Mapping[str, Any]


class Raised(NamedTuple):
    """A script: its box in points, its text, `sup` or `sub`, and what the file has before and behind it."""

    box: Rect
    text: str
    tag: str
    before: str
    behind: str


class TagRun(NamedTuple):
    """Characters `start` to `end` of a text that are `sup` or `sub`."""

    start: int
    end: int
    tag: str


Scripts = Mapping[int, Sequence[Raised]]
"""By their height on the page, in steps."""


def scripts(spans: Sequence[Span]) -> Scripts:
    """Which spans of a page are scripts of what stands right beside them: smaller, and higher or lower.

    The bar of letters and drop capitals are none: their size or their baseline is that of the text. Neither is the A of LaTeX.
    """
    filled = [span for span in spans if span["text"].strip()]
    at_heights = by_height(filled)
    result: dict[int, list[Raised]] = defaultdict(list)
    for i, span in enumerate(filled):
        text = span["text"].strip()
        if len(text) > _MAX_CHARS or not _CONTENT.fullmatch(text) or not _SIGNS.search(text):
            continue
        step = step_of(span["bbox"][1])
        near = [other for at in (step - 1, step, step + 1) for other in at_heights.get(at, ()) if other is not span]
        if tag := _tag(span, near):
            before, behind = (filled[i - 1]["text"] if i else ""), (filled[i + 1]["text"] if i + 1 < len(filled) else "")
            result[step].append(Raised(tuple(span["bbox"]), text, tag, before, behind))
    return result


def by_height(spans: Sequence[Span]) -> Mapping[int, Sequence[Span]]:
    """Spans by their height on the page, in steps."""
    result: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        result[step_of(span["bbox"][1])].append(span)
    return result


def step_of(y: float) -> int:
    return int(y // _STEP_PT)


def _tag(span: Span, near: Sequence[Span]) -> str:
    """`sup` or `sub` by the nearest larger span beside it, the left one before the right one; "" if it is neither."""
    beside = [other for other in near if _stands_beside(span, other)]
    for base in sorted(beside, key=lambda other: (other["bbox"][0] > span["bbox"][0], abs(_gap(span, other)))):
        rise = (base["origin"][1] - span["origin"][1]) / base["size"]
        if _RAISED_EM[0] <= rise <= _RAISED_EM[1]:
            return "sup"
        if _LOWERED_EM[0] <= -rise <= _LOWERED_EM[1]:
            return "sub"
        if abs(rise) < _LOWERED_EM[0]:
            return ""
    return ""


def _gap(a: Span, b: Span) -> float:
    left: float = max(a["bbox"][0], b["bbox"][0])
    return left - min(a["bbox"][2], b["bbox"][2])


def _stands_beside(span: Span, base: Span) -> bool:
    if not _SMALLEST * base["size"] <= span["size"] <= _SMALLER * base["size"]:
        return False
    return abs(_gap(span, base)) <= _GAP_EM * base["size"] and any(map(str.isalnum, base["text"]))


def runs(text: str, box: Rect, found: Scripts, is_rtl: bool) -> Iterator[TagRun]:
    """Where the scripts in a line's box stand in its text. One of which that isn't plain stays as it is. Digits that the file has
    as superscripts or subscripts are some, too."""
    yield from own_runs(text)
    taken: set[int] = set()
    for script in _within(box, found):
        at = _place(text, box, script, is_rtl, taken)
        if at >= 0:
            taken.update(range(at, at + len(script.text)))
            yield TagRun(at, at + len(script.text), script.tag)


def own_runs(text: str) -> Iterator[TagRun]:
    """Where a text has raised or lowered digits as characters of their own."""
    for own in _OWN.finditer(text):
        yield TagRun(own.start(), own.end(), "sup" if own[1] else "sub")


def _within(box: Rect, found: Scripts) -> list[Raised]:
    x0, y0, x1, y1 = box
    inside = [
        script
        for step in range(step_of(y0) - 1, step_of(y1) + 1)
        for script in found.get(step, ())
        if x0 - 1 <= (script.box[0] + script.box[2]) / 2 <= x1 + 1 and y0 - 1 <= (script.box[1] + script.box[3]) / 2 <= y1 + 1
    ]
    return sorted(inside)


def _place(text: str, box: Rect, script: Raised, is_rtl: bool, taken: set[int]) -> int:
    """Of the places that say the same, the one whose neighbours are the script's in the file; -1 if none has any of them."""
    share = (script.box[0] - box[0]) / max(0.01, box[2] - box[0])
    expected = (1 - share if is_rtl else share) * len(text)
    best = (0, 0.0, -1)
    for match in re.finditer(f"(?={re.escape(script.text)})", text):
        at, end = match.start(), match.start() + len(script.text)
        if taken.intersection(range(at, end)):
            continue
        before, behind = text[:at], text[end:]
        alike = _common(before[::-1], script.before[::-1]) + _common(behind, script.behind)
        if is_rtl:
            alike = max(alike, _common(before[::-1], script.behind[::-1]), _common(behind, script.before))
        if alike:
            best = max(best, (alike, -abs(at - expected), at))
    return best[2]


def _common(a: str, b: str) -> int:
    """How many characters both begin with, but for spaces."""
    num = 0
    for x, y in zip("".join(a.split())[:_CONTEXT], "".join(unicodedata.normalize("NFKC", b).split()), strict=False):
        if x != y:
            break
        num += 1
    return num


def moved(found: Scripts, place: Callable[[Rect], Any]) -> Scripts:
    """The scripts at the boxes that `place` gives for theirs: in pixels, say. One without a place is left out."""
    result: dict[int, list[Raised]] = defaultdict(list)
    for script in (script for of_step in found.values() for script in of_step):
        if at := place(script.box):
            result[step_of(at.y0)].append(script._replace(box=(at.x0, at.y0, at.x1, at.y1)))
    return result


def written(text: str, box: Rect, found: Scripts, is_rtl: bool) -> str:
    """The text of a line at `box` with tags around its scripts."""
    for run in sorted(runs(text, box, found, is_rtl), reverse=True):
        text = text[: run.start] + tagged(text[run.start : run.end], run.tag) + text[run.end :]
    return text


def tagged(text: str, tag: str) -> str:
    """The text as HTML writes scripts, in plain characters."""
    return f"<{tag}>{unicodedata.normalize('NFKC', text).strip()}</{tag}>"
