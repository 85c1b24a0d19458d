"""How many labels of a dataset are right: what people typed who saw none, against what the records say.

A label is right if it is drawn as what was typed: text letter for letter, without what only lays it out (Markdown's signs, where
lines end, the way in which characters are encoded); a formula if both are the same once normalised (`datagen.score.formulas`); a
table if all of its cells are, in their places. Cells are counted beside that, one by one.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from datagen.markdown import bare_latex
from datagen.patching.form import Answer, PatchedSample
from datagen.record import Region, Sample
from datagen.score import formulas
from datagen.tables import cells
from datagen.tables.cells import Cell
from datagen.tables.markup import unfenced
from datagen.writing.join_lines import joined
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import mended

ALL, CELLS = "all", "table cells"
_LONGEST_FORMULA = 5_000  # in characters
_TAGS = re.compile(r"</?(?:su[bp]|b|i|u|s|em|strong|br|center)\b[^<>]*>")
_SIGNS = re.compile(
    r"^[ \t]*(?:#{1,6}|[-+]|•)[ \t]+|\\(?=[-\\`*_{}\[\]()#+.!|>~$])|[*`]+|(?<!\w)_+|(?<!_)_++(?!\w)", re.MULTILINE
)
# No formula within a line is longer: labels may have thousands of openings, and none that is closed.
_INLINE = re.compile(r"\\\((.{1,500}?)\\\)|(?<![\\$])\$(?!\$)(.{1,500}?)(?<!\\)\$", re.DOTALL)
_BAR, _RULE = re.compile(r"(?<!\\)\|"), re.compile(r"[\s|:-]+")


@dataclass
class Counts:
    """Labels that were `judged`, how many of them are `wrong`, and how many the person skipped."""

    judged: int = 0
    wrong: int = 0
    skipped: int = 0

    def add(self, is_wrong: bool | None) -> None:
        """One label more; None if the person skipped it."""
        self.skipped += is_wrong is None
        self.judged += is_wrong is not None
        self.wrong += bool(is_wrong)


def count(audited: Iterable[tuple[PatchedSample, Sample]]) -> dict[str, Counts]:
    """What the answers come to, of all labels and by the label of their regions, or by a record's task where it was asked as a
    whole. Regions without a label to judge, which are unread, are passed over."""
    counts: dict[str, Counts] = defaultdict(Counts)
    for given, sample in audited:
        for answer in given.answers:
            region = sample.regions[answer.region] if answer.region >= 0 else None
            text = region.text if region else sample.caption if sample.task == "caption" else sample.text
            if region and region.is_unread:
                continue
            is_wrong = None if answer.verdict == "skip" else not _is_right(answer, text, region, sample.script)
            counts[ALL].add(is_wrong)
            counts[region.label if region else sample.task].add(is_wrong)
            if region and region.format == "html" and answer.verdict == "typed":
                for of_cell in _cells_right(text, answer.text, sample.script):
                    counts[CELLS].add(not of_cell)
    return dict(counts)


def is_same(text: str, reading: str, script: str) -> bool:
    """Whether two texts are drawn alike, letter for letter: letters of another script within a word, which nobody sees, are
    in the word's script."""
    return mended(normalise(text), script) == mended(normalise(reading), script)


def is_same_text(typed: str, label: str, script: str) -> bool:
    """As `is_same`, of Markdown of several lines."""
    return is_same(_shown(typed), _shown(label), script)


def _is_right(answer: Answer, label: str, region: Region | None, script: str) -> bool:
    if answer.verdict == "nothing":
        return not label.strip()
    kind = region.format if region else "markdown"
    if kind == "latex":
        return _formula(bare_latex(unfenced(answer.text))) == _formula(bare_latex(label))
    if kind == "html":
        return all(_cells_right(label, answer.text, script))
    return is_same_text(answer.text, label, script)


def _cells_right(label: str, typed: str, script: str) -> list[bool]:
    """Of each cell that either table has, whether the other has the same one in its place. Where the typed one isn't HTML, and so
    says nothing of cells over several rows or columns, cells are where they begin, and empty ones don't count."""
    ours, theirs, is_html = _table(label), _table(typed), "<table" in typed.lower()
    one, other = ({_place(cell, is_html): cell.text for cell in table if is_html or cell.text} for table in (ours, theirs))
    return [
        place in one and place in other and is_same_text(other[place], one[place], script)
        for place in sorted(one.keys() | other.keys())
    ]


def _place(cell: Cell, with_spans: bool) -> tuple[int, ...]:
    return (cell.row, cell.column, cell.rows, cell.columns) if with_spans else (cell.row, cell.column)


def _table(text: str) -> tuple[Cell, ...]:
    """The cells of a table: in HTML, in Markdown's pipes, or in lines, with a tab between two cells of a row."""
    text = unfenced(text)
    if "<table" not in text.lower():
        lines = [line for line in text.split("\n") if line.strip()]
        rows = [line.split("\t") for line in lines]
        if lines and all("|" in line for line in lines):
            rows = [_BAR.split(line.strip().strip("|")) for line in lines if not _RULE.fullmatch(line)]
        return tuple(Cell(r, c, cell.strip().replace("\\|", "|")) for r, row in enumerate(rows) for c, cell in enumerate(row))
    try:
        return cells.parse(text).compact().cells
    except ValueError:
        return (Cell(0, 0, text),)


def _formula(latex: str) -> str:
    """The formula as it is compared. What is too long or too deep for one that somebody wrote stays as it is, but for spaces."""
    try:
        return formulas.normalised(latex) if len(latex) <= _LONGEST_FORMULA else "".join(latex.split())
    except RecursionError:
        return "".join(latex.split())


def _shown(text: str) -> str:
    """Markdown as it is drawn, in one line; formulas within it as normalised LaTeX."""
    text = _INLINE.sub(lambda found: _formula(found[1] or found[2]), unfenced(text))
    text = _SIGNS.sub("", html.unescape(_TAGS.sub("", text)))
    return joined([line for line in map(str.strip, text.split("\n")) if line])
