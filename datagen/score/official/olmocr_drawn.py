"""Formulas as olmOCR-bench compares them: laid out by KaTeX in a browser (`olmocr/bench/katex/render.py` at `olmocr.COMMIT`).

A formula is another one if its MathML is a part of the other's, or if each of its characters stands beside the same characters,
on all four sides. One that KaTeX refuses is like any other: where it is the truth every page with a formula passes. The
official code takes KaTeX 0.16.21 without its fonts, and so does this: the package is fetched from npm, once.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from datagen.samples import npm
from datagen.samples.documents import cache_folder

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_KATEX = "katex@0.16.21"
_INTEGRITY = "sha512-XvqR7FgOHtWupfMiigNzmh+MgUVmDGU2kXZm899ZkPfcuoPuFxyHmXsgATDpFZDAXCI8tvinaVcDo8PIIJSo4A=="
_FONTS = re.compile(r"@font-face\{[^}]*\}")
_TOLERANCE = 5  # pixels by which centres may differ that are in a line
_MOST_TRIES = 1_000_000  # of ways to pair characters: formulas that need more count as different
_AT_ONCE, _SECONDS = 400, 120  # formulas that a browser lays out, and how long that may take
_BRACKETS = tuple(
    re.compile(pattern, re.DOTALL) for pattern in (r"\\\((.+?)\\\)", r"\\\[(.+?)\\\]", r"\$\$(.+?)\$\$", r"\$(.+?)\$")
)
_SPACES = re.compile("[\\s\u200a-\u200d\u2060\ufeff]+")
_SEMANTICS = re.compile(r"<semantics>(.*?)<annotation", re.DOTALL)
_FLAGS = (
    "--headless=new --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--disable-extensions --window-size=800,400"
).split()
_PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><style>
body { display: flex; justify-content: center; align-items: center; height: 100vh; margin: 0; }
#equation-container { padding: 0; font-size: 24px; }
%s</style></head><body><div id="equation-container"></div><script>%s</script><script>
const container = document.getElementById("equation-container");
const laidOut = %s.map((latex) => {
    try {
        katex.render(latex, container, {displayMode: true, throwOnError: true});
    } catch (error) {
        return null;
    }
    const spans = [...container.querySelectorAll("span")].filter((s) => !s.children.length && /\\S/.test(s.textContent));
    const boxes = spans.map((span) => {
        const box = span.getBoundingClientRect();
        return [span.textContent.trim(), box.x, box.y, box.width, box.height];
    });
    return [container.querySelector(".katex-mathml math").outerHTML, boxes];
});
document.title = "laid out:" + encodeURIComponent(JSON.stringify(laidOut)) + ":";
</script></body></html>"""
_RESULT = re.compile(r"<title>laid out:(.*?):</title>")

Neighbours = list[tuple[int, int, int, int]]
"""Of each character the next one above, below, on the left and on the right; -1 where there is none."""


class Layout(NamedTuple):
    """A formula as KaTeX draws it: its MathML without spaces, and its characters with their neighbours."""

    mathml: str
    characters: str
    neighbours: Neighbours


def formulas(values: Mapping[str, Any], markdown: str) -> list[str]:
    """The LaTeX of a page's formulas, by their kinds of brackets; what is in one isn't looked for in the next."""
    latex_of_page: list[str] = []
    for pattern in _BRACKETS[:2] if values.get("ignore_dollar_delimited") else _BRACKETS:
        latex_of_page += [latex.strip() for latex in pattern.findall(markdown)]
        markdown = pattern.sub("", markdown)
    return latex_of_page


class Formulas:
    """Formulas as a browser draws them. Raises `ValueError`, which says what to install, where none can."""

    def __init__(self) -> None:
        browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if browser is None:
            raise ValueError("no browser is installed that draws them: apt-get install chromium")
        self._browser, self._katex = browser, _katex()
        self._layouts: dict[str, Layout | None] = {}  # None: KaTeX refuses it
        self.draw("x")
        if not self._layouts:
            raise ValueError(f"{browser} draws nothing")

    def draw(self, formulas: Iterable[str]) -> None:
        """Lay these out, those of many pages at once."""
        new = [latex for latex in dict.fromkeys(formulas) if latex not in self._layouts]
        for at in range(0, len(new), _AT_ONCE):
            self._draw(new[at : at + _AT_ONCE])

    def same(self, truth: str, other: str) -> bool:
        """Whether one that was drawn is `truth`, by the official rules. What ended the browser is like nothing."""
        if truth not in self._layouts or other not in self._layouts:
            return False
        wanted, read = self._layouts[truth], self._layouts[other]
        return wanted is None or (read is not None and is_same(wanted, read))

    def _draw(self, formulas: Sequence[str]) -> None:
        laid_out = _laid_out(self._browser, self._katex, formulas)
        if laid_out is None and len(formulas) > 1:  # one of them ends the browser, or keeps it
            self._draw(formulas[: len(formulas) // 2])
            self._draw(formulas[len(formulas) // 2 :])
            return
        for latex, one in zip(formulas, laid_out or (), strict=laid_out is not None):
            self._layouts[latex] = None if one is None else _layout(*one)


def is_same(truth: Layout, read: Layout) -> bool:
    """Whether `truth` is within `read`, or each of its characters has the same ones beside it there."""
    return truth.mathml in read.mathml or _is_within(truth, read)


def _is_within(truth: Layout, read: Layout) -> bool:
    places: dict[str, list[int]] = {}
    for place, char in enumerate(read.characters):
        places.setdefault(char, []).append(place)
    candidates = [places.get(char, []) for char in truth.characters]
    if not all(candidates):
        return False
    chosen: list[int] = []
    used = [False] * len(read.characters)
    ways = [iter(candidates[0])] if candidates else []
    tries = 0
    while len(chosen) < len(candidates):
        place = next((one for one in ways[-1] if not used[one]), -1)
        tries += 1
        if place < 0 or tries > _MOST_TRIES:
            ways.pop()
            if not ways or tries > _MOST_TRIES:
                return False
            used[chosen.pop()] = False
        elif _fits(truth, read, chosen, place):
            chosen.append(place)
            used[place] = True
            ways.append(iter(candidates[len(chosen)]) if len(chosen) < len(candidates) else iter(()))
    return True


def _fits(truth: Layout, read: Layout, chosen: Sequence[int], place: int) -> bool:
    """Whether the next character of `truth` may be at this place of `read`: those beside it are the ones chosen for its
    neighbours, or, where none is yet, of the same kind."""
    for wanted, there in zip(truth.neighbours[len(chosen)], read.neighbours[place], strict=True):
        if wanted < 0:
            continue
        if there < 0:
            return False
        if wanted < len(chosen):
            if chosen[wanted] != there:
                return False
        elif read.characters[there] != truth.characters[wanted]:
            return False
    return True


def _layout(mathml: str, boxes: Sequence[tuple[str, float, float, float, float]]) -> Layout:
    inner = _SEMANTICS.search(mathml)
    characters, centres = [], []
    for text, x, y, width, height in boxes:
        text = _SPACES.sub("", text)
        for number, char in enumerate(text):
            characters.append(char)
            centres.append((x + width * number / len(text) + width / len(text) / 2, y + height / 2))
    markup = (inner[1] if inner else mathml).replace("&nbsp;", "")
    return Layout(_SPACES.sub("", markup), "".join(characters), _neighbours(numpy.array(centres).reshape(-1, 2)))


def _neighbours(centres: numpy.ndarray) -> Neighbours:
    if not len(centres):
        return []
    x, y = centres.T
    right, down = x[None] - x[:, None], y[None] - y[:, None]  # from each to each other
    in_column, in_row = abs(right) <= _TOLERANCE, abs(down) <= _TOLERANCE
    sides = []
    for far, in_line in ((-down, in_column), (down, in_column), (-right, in_row), (right, in_row)):
        distances = numpy.where(in_line & (far > 0), far, numpy.inf)
        nearest = distances.argmin(axis=1)
        sides.append(numpy.where(numpy.isfinite(distances[numpy.arange(len(x)), nearest]), nearest, -1).tolist())
    return list(zip(*sides, strict=True))


def _laid_out(browser: str, katex: Path, formulas: Sequence[str]) -> list[Any] | None:
    """What the browser says of each; None if it says nothing of them."""
    styles = _FONTS.sub("", (katex / "katex.min.css").read_text(encoding="utf-8"))
    embedded = json.dumps(list(formulas)).replace("<", "\\u003c")
    with tempfile.TemporaryDirectory(prefix="pagewheel-formulas-") as tmp:
        page = Path(tmp) / "formulas.html"
        page.write_text(_PAGE % (styles, (katex / "katex.min.js").read_text(encoding="utf-8"), embedded), encoding="utf-8")
        flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={tmp}/profile", "--dump-dom"]
        with subprocess.Popen(
            [browser, *flags, page.as_uri()], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            try:
                html = process.communicate(timeout=_SECONDS)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return None
    result = _RESULT.search(html)
    return json.loads(urllib.parse.unquote(result[1])) if result else None


def _katex() -> Path:
    return npm.kept(_KATEX, _INTEGRITY, cache_folder().with_name(_KATEX)) / "dist"
