"""How good one answer about a page is, from 0 to 1: for reinforcement learning, best-of-n, and picking samples.

    tests    share of olmOCR-bench's kinds of tests that hold on the answer; those that nearly any text passes (`absent`,
             `baseline`) are counted by themselves, and their share multiplies that of the others
    edit     1 - edit distance of the whole Markdown, over the longer one's length, runs of white space as one space
    teds     TEDS of tables; a table too many counts as much as one too few
    formula  1 - edit distance of normalised LaTeX, formula by formula, displayed or in the text; the same
    parses   share of the answer's tables and formulas, and of its marks of places, that are whole
    repetition  0 for a loop (`datagen.asking.loops`), else 1
    length   1 up to a tenth more letters than the truth has, then the truth's letters over the answer's; 0 of an empty answer

The first four are averaged by weight, as far as the truth or the answer has such things; the last three multiply the average. So
an answer that says everything, says it twice, or says nothing gains less than one that says what it read. Where only tests are
known, `num_letters` says how much the page holds: without it nothing tells a page from a page with a dictionary behind it.
"""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from datagen.asking.loops import is_loop
from datagen.score import formulas, parts, tables
from datagen.score.facts import Fact, why_not
from datagen.score.pages import as_prediction

WEIGHTS: Mapping[str, float] = {"tests": 1.0, "edit": 1.0, "teds": 1.0, "formula": 1.0}

_SLACK = 1.1  # letters of an answer over the truth's that cost nothing: Markdown may be written in several ways
_NEGATIVE = frozenset({"absent", "baseline"})
_MATH = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<![\\$])\$(?!\s)([^$\n]+?)(?<![\s\\])\$", re.DOTALL)
_OPENINGS = (("\\[", "\\]"), ("\\(", "\\)"), ("<|ref|>", "<|/ref|>"), ("<|det|>", "<|/det|>"))
_TABLE, _TABLE_END = re.compile(r"<table\b", re.I), re.compile(r"</table\s*>", re.I)
_TAGS = re.compile(r"<(/?)(tr|td|th)\b[^>]*>", re.I)


@dataclass(frozen=True)
class Wanted:
    """What a right answer is: its `truth`, Markdown or a grounded answer; `tests` that hold on it; or both.

    `num_letters` are the letters and digits of the page, where there are tests alone; -1 where nobody knows."""

    truth: str | None = None
    tests: tuple[Fact, ...] = ()
    num_letters: int = -1

    def __post_init__(self) -> None:
        if self.truth is None and not self.tests:
            raise ValueError("a reward needs a truth, or tests")


class Reward(NamedTuple):
    """`total` is from 0 to 1. The parts are None where neither the truth nor the answer has such things."""

    total: float
    tests: float | None
    edit: float | None
    teds: float | None
    formula: float | None
    parses: float
    repetition: float
    length: float


class _Page(NamedTuple):
    text: str
    tables: tuple[str, ...]
    formulas: tuple[str, ...]
    num_letters: int


def reward(answer: str, wanted: Wanted, is_cut: bool = False, weights: Mapping[str, float] = WEIGHTS) -> Reward:
    """The reward of an answer. `is_cut`: it came to no end, so that its end may be a loop that has only begun. A weight that is
    missing is 0. Raises `ValueError` where no weight is over 0 of what there is to judge."""
    markdown = as_markdown(answer)
    page = _read(markdown)
    values: dict[str, float | None] = dict.fromkeys(WEIGHTS)
    num_letters = wanted.num_letters
    if wanted.tests:
        values["tests"] = _tests(wanted.tests, markdown)
    if wanted.truth is not None:
        true = _truth(wanted.truth)
        num_letters = true.num_letters
        values["edit"] = Levenshtein.normalized_similarity(true.text, page.text)
        if true.tables or page.tables:
            scored = tables.scores(true.tables, page.tables)
            values["teds"] = sum(score.teds for score in scored) / max(len(true.tables), len(page.tables))
        if true.formulas or page.formulas:
            values["formula"] = _formulas(true.formulas, page.formulas)
    judged = [(weights.get(name, 0.0), value) for name, value in values.items() if value is not None]
    total_weight = sum(weight for weight, _ in judged)
    if total_weight <= 0:
        raise ValueError(f"weights={dict(weights)}: nothing that this page can be judged by has a weight over 0")
    gates = parses(answer), 0.0 if is_loop(answer, is_cut) else 1.0, _length(num_letters, page.num_letters)
    mean = sum(weight * value for weight, value in judged) / total_weight
    judged_parts = values["tests"], values["edit"], values["teds"], values["formula"]
    return Reward(mean * math.prod(gates), *judged_parts, *gates)


def as_markdown(answer: str) -> str:
    """A grounded answer's blocks without their places and without what stands on every page; other Markdown as it is."""
    return as_prediction((), answer).markdown


def parses(answer: str) -> float:
    """The share of the answer's tables, displayed formulas and marks of places that are whole; 1 where there are none. A table
    is whole if it ends, and each row and cell lies in one."""
    whole = total = 0
    for opening, closing in _OPENINGS:
        num = answer.count(opening), answer.count(closing)
        whole, total = whole + min(num), total + max(num)
    if dollars := answer.count("$$"):
        whole, total = whole + dollars // 2, total + (dollars + 1) // 2
    starts = [match.start() for match in _TABLE.finditer(answer)]
    num_ends = len(_TABLE_END.findall(answer))
    total += max(len(starts), num_ends)
    for start, stop in itertools.pairwise([*starts, len(answer)]):
        end = _TABLE_END.search(answer, start, stop)
        whole += bool(end) and _is_nested(answer[start : end.start()] if end else "")
    return whole / total if total else 1.0


def _is_nested(table: str) -> bool:
    depth = {"tr": 0, "td": 0, "th": 0}
    for tag in _TAGS.finditer(table):
        name = tag[2].lower()
        depth[name] += -1 if tag[1] else 1
        if depth[name] not in (0, 1) or (name != "tr" and depth["tr"] != 1):
            return False
    return not any(depth.values())


def _tests(tests: Sequence[Fact], markdown: str) -> float:
    holds = [(test.type in _NEGATIVE, not why_not(test, markdown)) for test in tests]
    shares = [fmean(ok for is_negative, ok in holds if is_negative is kind) for kind in {kind for kind, _ in holds}]
    return math.prod(shares)


def _length(num_true: int, num_letters: int) -> float:
    if num_true < 0:
        return 1.0 if num_letters else 0.0
    if not num_letters:
        return 1.0 if not num_true else 0.0
    return min(1.0, _SLACK * num_true / num_letters)


@lru_cache(maxsize=256)  # a group's answers have one truth
def _truth(truth: str) -> _Page:
    return _read(as_markdown(truth))


def _read(markdown: str) -> _Page:
    has_tables = _TABLE.search(markdown) or "|" in markdown
    whole = parts.parts(markdown) if has_tables else ()
    displayed = _MATH.finditer(markdown) if "$" in markdown or "\\" in markdown else ()
    latex = (next(group for group in match.groups() if group) for match in displayed)
    return _Page(
        " ".join(markdown.split()),
        tuple(table for part in whole if part.kind == parts.TABLE and (table := tables.normalised(part.text))),
        tuple(formulas.normalised(one) for one in latex),
        sum(map(str.isalnum, markdown)),
    )


def _formulas(truths: Sequence[str], predicted: Sequence[str]) -> float:
    if not truths or not predicted:
        return 0.0
    alike = cdist(truths, predicted, scorer=Levenshtein.normalized_similarity)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    return float(alike[rows, columns].sum()) / max(len(truths), len(predicted))
