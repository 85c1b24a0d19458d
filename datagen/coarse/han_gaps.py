"""Gaps between Chinese or Japanese and Latin letters or digits: which are spaces that somebody typed.

Typesetters set such letters a quarter em apart by themselves, in all places of a page. Where others of its places have no gap,
the typesetter sets none, and a gap is a space: also in a file that moves its pen instead of drawing one. So is the file's own
space in a gap wider than a typesetter's.
"""

import itertools
import re
import statistics
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from datagen.writing import scripts

_LETTER = re.compile(f"[{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.BOPOMOFO}]")
_HAN = re.compile(f"[{scripts.HAN}]")
_BEFORE_LATIN, _BEHIND_LATIN = re.compile(r"[0-9A-Za-z&$@#/+(\[{<]"), re.compile(r"[0-9A-Za-z&=%/+)\]}>]")
_GAP_EM, _NO_GAP_EM = 0.15, 0.08  # a gap is at least so wide; what is narrower than the other is none
_FEW, _SHARE = 2, 0.2  # of the places without a gap, where gaps are somebody's
_WIDE_EM = 0.45  # hardly a typesetter's
_MANY = 3  # gaps: so many without a place that has none are a typesetter's; or letters of a line, which tell how it is set

Char = dict[str, Any]
Gap = tuple[Char, Char | None, Char, float]
"""A character, the space behind it if the text has one, the next one, and how far apart they are, in em."""


def write_typed_spaces(lines: Sequence[dict[str, Any]]) -> bool:
    """Make of gaps that somebody typed spaces of the file's own, in the characters of `rawdict` lines; say whether there are any.

    Letters and digits are looked at apart: some typesetters set only one of them off.
    """
    gaps_of = [(line, list(_gaps(line))) for line in lines if line["dir"][0] > 0.99 and not line["wmode"]]
    widths: dict[bool, dict[str, list[float]]] = {}
    for line, gaps in gaps_of:
        fonts = {id(char): span["font"] for span in line["spans"] for char in span["chars"]}
        for a, _, b, gap in gaps:
            kind = _kind(a, b)
            han = a if _LETTER.match(a["c"]) else b
            if kind is not None and _LETTER.match(han["c"]):
                widths.setdefault(kind, {}).setdefault(fonts[id(han)], []).append(gap)
    typed = {kind for kind, of_kind in widths.items() if _are_typed(of_kind.values())}
    if not typed:
        return _write_wide_spaces(gaps_of)
    for line, gaps in gaps_of:
        wide = {id(a): _space(a, b) for a, _, b, gap in gaps if _kind(a, b) in (None, *typed) and gap >= _GAP_EM}
        narrow = {id(space) for a, space, b, gap in gaps if space and gap < _NO_GAP_EM and _kind(a, b) in typed}
        _write(line, wide, narrow)
    return True


def _write_wide_spaces(gaps_of: Sequence[tuple[dict[str, Any], Sequence[Gap]]]) -> bool:
    """Leave the spaces that the file has where a gap is wider than a typesetter's, and no other one behind Latin; say whether
    there are any. Other places of the page have none: of a typesetter that writes a space into each gap nobody can tell."""
    own_spaces = {id(space) for _, gaps in gaps_of for _, space, _, gap in gaps if space and _is_own(space) and gap >= _WIDE_EM}
    if not own_spaces or all(space and _is_own(space) for _, gaps in gaps_of for _, space, _, _ in gaps):
        return False
    for line, gaps in gaps_of:
        narrow = {id(space) for _, space, b, _ in gaps if space and (_HAN.match(b["c"]) or not _is_own(space))}
        _write(line, {}, narrow - own_spaces)
    return True


def _is_own(space: Char) -> bool:
    return not space.get("synthetic", False)


def _are_typed(widths_of_fonts: Collection[Sequence[float]]) -> bool:
    """Whether a font has gaps and places without one, and no other font has gaps alone, as its typesetter makes them."""
    is_typed = False
    for widths in widths_of_fonts:
        gaps, num_none = [width for width in widths if width >= _GAP_EM], sum(width < _NO_GAP_EM for width in widths)
        if gaps and num_none >= (1 if min(gaps) > _WIDE_EM else max(_FEW, _SHARE * len(widths))):
            is_typed = True
        elif len(gaps) >= _MANY and num_none < _SHARE * len(widths):
            return False
    return is_typed


def _kind(a: Char, b: Char) -> bool | None:
    """Whether the Latin one of two characters is a digit; None if it is a sign."""
    latin = b["c"] if _HAN.match(a["c"]) else a["c"]
    return bool(latin.isdigit()) if latin.isalnum() else None


def _gaps(line: dict[str, Any]) -> Iterator[Gap]:
    """The places of a line where Chinese and Latin meet. Gaps are those beyond the ones between its Chinese letters."""
    chars = [(char, span["size"]) for span in line["spans"] for char in span["chars"]]
    drawn = [(char, size) for char, size in chars if char["c"] != " "]
    apart = [_gap(a, b) for a, b in itertools.pairwise(drawn) if _LETTER.match(a[0]["c"]) and _LETTER.match(b[0]["c"])]
    usual = max(0.0, statistics.median(apart)) if len(apart) >= _MANY else 0.0
    last: tuple[Char, float] | None = None
    spaces: list[Char] = []
    for char, size in chars:
        if char["c"] == " ":
            spaces.append(char)
            continue
        if last is not None and len(spaces) < 2 and _meet(last[0]["c"], char["c"]):
            yield last[0], spaces[0] if spaces else None, char, _gap(last, (char, size)) - usual
        last, spaces = (char, size), []


def _meet(a: str, b: str) -> bool:
    return bool((_LETTER.match(a) and _BEFORE_LATIN.match(b)) or (_BEHIND_LATIN.match(a) and _HAN.match(b)))


def _gap(a: tuple[Char, float], b: tuple[Char, float]) -> float:
    return float((b[0]["bbox"][0] - a[0]["bbox"][2]) / max(a[1], b[1], 0.01))


def _space(a: Char, b: Char) -> Char:
    _, y0, x0, y1 = a["bbox"]
    return a | {"c": " ", "bbox": (x0, y0, b["bbox"][0], y1), "synthetic": False}


def _write(line: dict[str, Any], behind: dict[int, Char], narrow: set[int]) -> None:
    """Put spaces behind some characters of a line, by their identity, in place of those that are there, and take some out."""
    due: Char | None = None
    for span in line["spans"]:
        chars: list[Char] = []
        for char in span["chars"]:
            if due is not None:
                chars.append(due)
            if char["c"] != " " or (due is None and id(char) not in narrow):
                chars.append(char)
            due = behind.get(id(char))
        span["chars"] = chars
