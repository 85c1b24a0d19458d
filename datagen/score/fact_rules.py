"""The rules of olmOCR-bench's tests: why a test doesn't hold on a page's Markdown. `facts.py` says where our rules differ."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fuzzysearch import find_near_matches
from rapidfuzz import fuzz

from datagen.score import formulas, parts, tables

BASELINE = "baseline"

_BREAK, _SPACE = re.compile("<br ?/?>"), re.compile(r"\s+")
_BOLD = (re.compile(r"\*\*(.*?)\*\*"), re.compile("__(.*?)__"))
_BOLD_TAGS = re.compile("</?[bi]>")
_EMPHASIS = (re.compile(r"(\*\*|__)(.*?)\1"), re.compile(r"(\*|_)(.*?)\1"))
_ALIKE = str.maketrans("‘’‚“”„＿–—‑‒−µ", "'''\"\"\"_-----μ")
_MATH = tuple(re.compile(pattern, re.DOTALL) for pattern in (r"\\\((.+?)\\\)", r"\\\[(.+?)\\\]", r"\$\$(.+?)\$\$", r"\$(.+?)\$"))
_ANY = re.DOTALL | re.IGNORECASE
FORMATS = {
    "heading": (re.compile(r"^#{1,6}\s+(.+?)$", re.MULTILINE), re.compile("<h[1-6][^>]*>(.*?)</h[1-6]>", _ANY)),
    "bold": (
        *(re.compile(pattern, re.DOTALL) for pattern in (r"\*\*(.*?)\*\*", "__(.*?)__")),
        *(re.compile(f"<{tag}[^>]*>(.*?)</{tag}>", _ANY) for tag in ("b", "strong")),
    ),
    "italic": (
        *(re.compile(rf"(?<!{m}){m}(?!{m})(.*?)(?<!{m}){m}(?!{m})", re.DOTALL) for m in (r"\*", "_")),
        *(re.compile(f"<{tag}[^>]*>(.*?)</{tag}>", _ANY) for tag in ("i", "em")),
    ),
}
_PICTURE = re.compile(r"!\[.*?\]\(.*?\)")
_DISALLOWED = re.compile(
    "[\u4e00-\u9fff\u3040-\u309f\u30a0-\u30ff"  # Chinese and Japanese
    "\U0001f600-\U0001f64f\U0001f300-\U0001f5ff\U0001f680-\U0001f6ff\U0001f1e0-\U0001f1ff]"  # emoji
)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_AROUND = 200  # characters before and behind a footnote's marker in which its text is looked for
_SIDES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1), "top_heading": (-1, 0), "left_heading": (0, -1)}


@lru_cache(maxsize=4_000)  # a page is asked about by many tests, one after another
def normalised(text: str) -> str:
    """Text as the tests compare it: without emphasis, one space for any white space, NFC, plain quotes and hyphens."""
    # Rewards ask this of thousands of sentences a second, and few have any of these signs.
    if "<" in text:
        text = _BREAK.sub(" ", text)
    if is_marked := "*" in text or "_" in text:
        for pattern in _BOLD:
            text = pattern.sub(r"\1", text)
    if "<" in text:
        text = _BOLD_TAGS.sub("", text)
    if is_marked:
        for pattern in _EMPHASIS:
            text = pattern.sub(r"\2", text)
    text = _SPACE.sub(" ", text).strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_ALIKE)


def _least(values: Mapping[str, Any], text: str) -> float:
    """How alike, from 0 to 1, something is to `text` if `max_diffs` of its characters differ."""
    return 1.0 - int(values.get("max_diffs") or 0) / max(1, len(text))


def _alike(values: Mapping[str, Any], texts: Sequence[str]) -> tuple[float, float]:
    """How alike the most similar piece of any of these normalised texts is to the wanted text, and how alike it must be."""
    wanted = normalised(str(values["text"]))
    if values.get("case_sensitive") is False:
        wanted, texts = wanted.lower(), [text.lower() for text in texts]
    shortest = len(wanted) - int(values.get("max_diffs") or 0)
    alike = [fuzz.partial_ratio(wanted, text) / 100 for text in texts if len(text) >= max(1, shortest)]
    return max(alike, default=-1.0), _least(values, wanted)


def _not_near(values: Mapping[str, Any], texts: Sequence[str]) -> str:
    likeness, least = _alike(values, texts)
    return "" if likeness >= least else f"the nearest text is alike by {max(0.0, likeness):.2f}, {least:.2f} are needed"


def _page_part(values: Mapping[str, Any], markdown: str) -> str:
    """The page's text, or of it the characters at the beginning and the end that the test asks about."""
    page = normalised(markdown)
    first, last = int(values.get("first_n") or 0), int(values.get("last_n") or 0)
    return page[:first] + (page[-last:] if last else "") if first or last else page


def _present(values: Mapping[str, Any], markdown: str) -> str:
    return _not_near(values, [_page_part(values, markdown)])


def _absent(values: Mapping[str, Any], markdown: str) -> str:
    if not any(map(str.isalnum, markdown)):
        return "there is no letter or digit"
    likeness, least = _alike(values, [_page_part(values, markdown)])
    return "" if likeness < least else f"there is a text that is alike by {likeness:.2f}"


def _format(values: Mapping[str, Any], markdown: str) -> str:
    return _not_near(values, [normalised(text) for pattern in FORMATS[values["format"]] for text in pattern.findall(markdown)])


def _footnote(values: Mapping[str, Any], markdown: str) -> str:
    marker = str(values["marker"])
    written = [rf"\[\^{re.escape(marker)}\](?!:)", rf"(?i:<sup[^>]*>{re.escape(marker)}</sup>)"]
    if all(char in "0123456789" for char in marker):
        written.append(re.escape(marker.translate(_RAISED)))
    places = [match.span() for pattern in written for match in re.finditer(pattern, markdown)]
    if not places:
        return f"the marker {marker!r} isn't there"
    before, after = values.get("appears_before_marker"), values.get("appears_after_marker")
    if before and not any(_ends(values, before, markdown[max(0, at - _AROUND) : at], True) for at, _ in places):
        return "the text before the marker isn't there"
    if after and not any(_ends(values, after, markdown[at : at + _AROUND], False) for _, at in places):
        return "the text behind the marker isn't there"
    return ""


def _ends(values: Mapping[str, Any], wanted: str, text: str, at_end: bool) -> bool:
    """Whether a text ends, or begins, with about the letters that are wanted."""
    wanted = normalised(wanted)
    letters, around = _letters(wanted), _letters(text)
    length = min(len(around), 2 * len(letters))
    near = (around[-length:] if length else around) if at_end else around[:length]
    return bool(around) and fuzz.partial_ratio(letters, near) / 100 >= _least(values, wanted)


def _letters(text: str) -> str:
    return "".join(char for char in normalised(text) if char.isalnum()).lower()


def _order(values: Mapping[str, Any], markdown: str) -> str:
    page, most = normalised(markdown), int(values.get("max_diffs") or 0)
    places = {}
    for name in ("before", "after"):
        text = normalised(str(values[name]))
        places[name] = [match.start for match in find_near_matches(text, page, max_l_dist=min(most, len(text) // 2))]
        if not places[name]:
            return f"the text of {name!r} isn't there"
    return "" if min(places["before"]) < max(places["after"]) else "the second text stands before the first"


def _table(values: Mapping[str, Any], markdown: str) -> str:
    if values.get("ignore_markdown_tables"):
        markdown = parts.PIPES.sub("", markdown)
    grids = [_grid(part.text) for part in parts.parts(markdown) if part.kind == parts.TABLE]
    wanted = normalised(str(values["cell"]))
    asked = {side: text for side in _SIDES if (text := normalised(str(values.get(side) or "")))}
    why = "no table has the cell" if any(grids) else "there is no table"
    for grid in grids:
        for place, square in grid.items():
            if not _same_cell(values, wanted, square.text):
                continue
            beside = {side: _beside(grid, place, side) for side in asked}
            wrong = [side for side in asked if not any(_same_cell(values, asked[side], other) for other in beside[side])]
            if not wrong:
                return ""
            why = f"the cell is there, and what is {wrong[0]} of it differs"
    return why


def _same_cell(values: Mapping[str, Any], wanted: str, text: str) -> bool:
    return fuzz.ratio(wanted, text) / 100 >= max(0.5, _least(values, wanted))


class Square(NamedTuple):
    """One row's and column's piece of a table: the text of the cell that covers it, and which cell that is."""

    text: str
    is_heading: bool
    cell: int


Grid = dict[tuple[int, int], Square]


def _grid(table: str) -> Grid:
    """The squares of a table, by row and column."""
    grid: Grid = {}
    number = 0
    for y, row in enumerate(tables.cells(table)):
        x = 0
        for cell in row:
            while (y, x) in grid:
                x += 1
            square = Square(normalised(cell.text), cell.is_heading, number)
            grid |= {(y + dy, x + dx): square for dy in range(cell.rowspan) for dx in range(cell.colspan)}
            x, number = x + cell.colspan, number + 1
    return grid


def _beside(grid: Grid, place: tuple[int, int], side: str) -> list[str]:
    """The texts on a side of the cell at `place`: of the next cell; or, as its headings, of the heads up to the edge, and where
    there are none, of the cell at the edge."""
    dy, dx = _SIDES[side]
    line, (y, x) = [], place
    while (square := grid.get((y, x))) is not None:
        line += [square] if square.cell != grid[place].cell else []
        y, x = y + dy, x + dx
    if not side.endswith("heading"):
        return [square.text for square in line[:1]]
    return [square.text for square in line if square.is_heading] or [square.text for square in line[-1:]]


def _math(values: Mapping[str, Any], markdown: str) -> str:
    wanted = formulas.normalised(str(values["math"]))
    for pattern in _MATH[:2] if values.get("ignore_dollar_delimited") else _MATH:
        if any(wanted in formulas.normalised(latex) for latex in pattern.findall(markdown)):
            return ""
        markdown = pattern.sub("", markdown)  # what is in one kind of brackets isn't looked for in the next
    return "no formula of the page has that LaTeX"


def _baseline(values: Mapping[str, Any], markdown: str) -> str:
    most = values.get("max_length")
    if most is not None:
        text = _PICTURE.sub("", markdown) if values.get("max_length_skips_image_alt_tags") else markdown
        num = sum(map(str.isalnum, text))
        return "" if num <= int(most) else f"there are {num} letters on a page that should be blank"
    if not any(map(str.isalnum, markdown)):
        return "there is no letter or digit"
    repeats = repeats_at_end(_SPACE.sub(" ", markdown))
    if repeats > int(values.get("max_repeats") or 30):
        return f"its end repeats itself {repeats} times"
    is_disallowed = values.get("check_disallowed_characters", True) and _DISALLOWED.search(markdown)
    return "there are Chinese or Japanese letters, or emoji" if is_disallowed else ""


def repeats_at_end(text: str) -> int:
    """How often the text's last characters, one to five of them, stand there in a row."""
    most = 0
    for size in range(1, min(5, len(text)) + 1):
        num = 1
        while len(text) >= size * (num + 1) and text[len(text) - size * (num + 1) : len(text) - size * num] == text[-size:]:
            num += 1
        most = max(most, num)
    return most


RULES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "present": _present, "absent": _absent, "order": _order, "table": _table, "math": _math, "format": _format,
    "footnote": _footnote, BASELINE: _baseline,
}  # fmt: skip
