"""olmOCR-bench's tests: small facts about a page's Markdown, each of which holds or doesn't.

The form and the rules are those of github.com/allenai/olmocr, olmocr/bench (a JSON line a test: `pdf`, `page`, `id`, `type`,
`max_diffs` and what the type needs), written anew from what they say. One differs: `math` compares normalised LaTeX, where
olmOCR renders both formulas with KaTeX and compares what is where.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from fuzzysearch import find_near_matches
from rapidfuzz import fuzz

from datagen.score import formulas, parts, tables
from datagen.score.pages import PredictedPage
from datagen.score.scores import Mean, interval

_EMPHASIS = re.compile(r"(\*\*|__|\*|_)(.*?)\1")
_TAGS = re.compile(r"</?[bi]>")
_BREAK = re.compile(r"<br ?/?>")
_ALIKE = str.maketrans("‘’‚“”„＿–—‑‒−µ", "'''\"\"\"_-----μ")
_MATH = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
_NEEDS = {
    "present": ("text",),
    "absent": ("text",),
    "order": ("before", "after"),
    "table": ("cell",),
    "math": ("math",),
    "baseline": (),
}
_SIDES = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1), "top_heading": (-1, 0), "left_heading": (0, -1)}


@dataclass(frozen=True)
class Fact:
    """A test of a page. `page` counts from 1, as in the file; `values` is the line as it stands."""

    id: str
    pdf: str
    page: int
    type: str
    values: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """What a prediction of the page may be called: olmOCR-bench's own name first."""
        path = PurePosixPath(self.pdf).with_suffix("")
        stems = tuple(dict.fromkeys((path.as_posix(), path.name)))
        numbered = [f"{stem}_pg{self.page}{suffix}" for stem in stems for suffix in ("_repeat1", "")]
        return (*numbered, *(stems if self.page == 1 else ()), f"{PurePosixPath(self.pdf).name}_{self.page - 1}")


@dataclass(frozen=True)
class Outcome:
    """`why` says what was wrong where the fact doesn't hold; `is_missing` where nobody predicted the page."""

    fact: Fact
    holds: bool
    why: str = ""
    is_missing: bool = False


def facts(path: str) -> list[Fact]:
    """The tests of a .jsonl file. Raises `ValueError`, which names the line, for one that isn't complete or of another type."""
    collected = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"gt={path}: there is no file of UTF-8 text that can be read") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                values = json.loads(line)
            except ValueError:
                values = None
            collected.append(fact(values, f"gt={path}, line {number}"))
    if not collected:
        raise ValueError(f"gt={path}: there is no test in it")
    return collected


def fact(values: Any, where: str = "a test") -> Fact:
    """The test that a line of the file says. Raises `ValueError`, which begins with `where`, if it isn't complete or of another
    type."""
    try:
        made = Fact(str(values["id"]), str(values["pdf"]), int(values["page"]), str(values["type"]), values)
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{where}: a test is a JSON object with pdf, page, id and type") from None
    if made.type not in _NEEDS:
        raise ValueError(f"{where}: type {made.type!r} is none of {', '.join(_NEEDS)}")
    missing = [name for name in _NEEDS[made.type] if not str(values.get(name) or "").strip()]
    if missing:
        raise ValueError(f"{where}: a test of type {made.type} needs {missing[0]}")
    if not isinstance(values.get("max_diffs") or 0, int) or (values.get("max_diffs") or 0) < 0:
        raise ValueError(f"{where}: max_diffs is a whole number, 0 or more")
    return made


def why_not(one: Fact, markdown: str) -> str:
    """Why the test doesn't hold on a page's Markdown; "" if it holds."""
    return _CHECKS[one.type](one.values, markdown)


def check(all_facts: Sequence[Fact], predicted: Sequence[PredictedPage]) -> list[Outcome]:
    """What became of each. A fact of a page that nobody predicted doesn't hold, not even that something is absent. Raises
    `ValueError` if no prediction is of any page."""
    of_name = {name: page for page in predicted for name in page.names}
    outcomes = []
    for one in all_facts:
        page = next((of_name[name] for name in one.names if name in of_name), None)
        if page is None:
            outcomes.append(Outcome(one, False, "no prediction of the page", True))
        else:
            why = why_not(one, page.markdown)
            outcomes.append(Outcome(one, not why, why))
    if all(outcome.is_missing for outcome in outcomes):
        raise ValueError(f"no prediction is of a page of the tests: name them as {all_facts[0].names[0]}.md")
    return outcomes


def shares(outcomes: Sequence[Outcome]) -> dict[str, Mean]:
    """The share of facts that hold, of each type and of all, drawn by page for their intervals."""
    collected = {}
    for kind in (*(name for name in _NEEDS if any(o.fact.type == name for o in outcomes)), "all"):
        by_page: dict[tuple[str, int], list[bool]] = {}
        for outcome in outcomes:
            if kind in ("all", outcome.fact.type):
                by_page.setdefault((outcome.fact.pdf, outcome.fact.page), []).append(outcome.holds)
        pages = list(by_page.values())

        def share(chosen: Sequence[int], pages: list[list[bool]] = pages) -> float:
            return sum(sum(pages[n]) for n in chosen) / sum(len(pages[n]) for n in chosen)

        low, high = interval(share, len(pages))
        collected[kind] = Mean(share(range(len(pages))), low, high, len(pages))
    return collected


@lru_cache(maxsize=64)  # a page is asked about by many tests, one after another
def normalised(text: str) -> str:
    """Text as the tests compare it: without emphasis, one space for any, NFC, plain quotes and hyphens."""
    # Rewards ask this of thousands of sentences a second, and few have any of these signs.
    if "<" in text:
        text = _TAGS.sub("", _BREAK.sub(" ", text))
    if "*" in text or "_" in text:
        text = _EMPHASIS.sub(r"\2", _EMPHASIS.sub(r"\2", text))
    text = " ".join(text.split())
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_ALIKE)


def _least(values: Mapping[str, Any], text: str) -> float:
    """How alike, from 0 to 1, something is to `text` if `max_diffs` of its characters differ."""
    return 1.0 - int(values.get("max_diffs") or 0) / max(1, len(text))


def _likeness(values: Mapping[str, Any], markdown: str) -> tuple[float, float]:
    """How alike the page's most similar piece is to the text, and how alike it must be."""
    wanted, page = normalised(str(values["text"])), normalised(markdown)
    if values.get("case_sensitive") is False:
        wanted, page = wanted.lower(), page.lower()
    first, last = int(values.get("first_n") or 0), int(values.get("last_n") or 0)
    if first or last:
        page = page[:first] + (page[-last:] if last else "")
    if len(page) < len(wanted) - int(values.get("max_diffs") or 0):
        return 0.0, _least(values, wanted)
    return fuzz.partial_ratio(wanted, page) / 100, _least(values, wanted)


def _present(values: Mapping[str, Any], markdown: str) -> str:
    likeness, least = _likeness(values, markdown)
    return "" if likeness >= least else f"the nearest text is alike by {likeness:.2f}, {least:.2f} are needed"


def _absent(values: Mapping[str, Any], markdown: str) -> str:
    likeness, least = _likeness(values, markdown)
    return "" if likeness < least else f"there is a text that is alike by {likeness:.2f}"


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
    written = [next(group for group in match.groups() if group is not None) for match in _MATH.finditer(markdown)]
    return "" if any(wanted in formulas.normalised(latex) for latex in written) else "no formula of the page has that LaTeX"


def _baseline(values: Mapping[str, Any], markdown: str) -> str:
    num = sum(char.isalnum() for char in markdown)
    most = values.get("max_length")
    if most is not None:
        return "" if num <= int(most) else f"there are {num} letters on a page that should be blank"
    if not num:
        return "there is no letter or digit"
    repeats = repeats_at_end(markdown.rstrip())
    return "" if repeats <= int(values.get("max_repeats") or 30) else f"its end repeats itself {repeats} times"


def repeats_at_end(text: str) -> int:
    """How often the text's last characters, one to five of them, stand there in a row."""
    most = 0
    for size in range(1, min(5, len(text)) + 1):
        num = 1
        while len(text) >= size * (num + 1) and text[len(text) - size * (num + 1) : len(text) - size * num] == text[-size:]:
            num += 1
        most = max(most, num)
    return most


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "present": _present, "absent": _absent, "order": _order, "table": _table, "math": _math, "baseline": _baseline,
}  # fmt: skip
