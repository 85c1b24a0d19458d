"""olmOCR-bench's tests: small facts about a page's Markdown, each of which holds or doesn't.

The form and the rules are those of github.com/allenai/olmocr, olmocr/bench (a JSON line a test: `pdf`, `page`, `id`, `type`,
`max_diffs` and what the type needs), written anew from what they say. Three differ: `math` compares normalised LaTeX, where
olmOCR draws both formulas with KaTeX and compares what is where; nothing is absent from a page without a letter; and a text isn't
present in a shorter one. Of a page that was read several times, a fact holds if it holds on more than half of the readings."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import fmean
from typing import Any

from datagen.score.benchmarks import Excluded, lines_of, olmocr_files
from datagen.score.fact_rules import BASELINE, FORMATS, RULES
from datagen.score.pages import PredictedPage
from datagen.score.scores import Mean, interval

ALL = "all"

_NEEDS = {
    "present": ("text",),
    "absent": ("text",),
    "order": ("before", "after"),
    "table": ("cell",),
    "math": ("math",),
    "format": ("text", "format"),
    "footnote": ("marker",),
    BASELINE: (),
}
_REPEAT = re.compile(r"(.*_pg\d+)_repeat\d+")


@dataclass(frozen=True)
class Fact:
    """A test of a page. `page` counts from 1, as in the file; `values` is the line as it stands, of `file`."""

    id: str
    pdf: str
    page: int
    type: str
    values: Mapping[str, Any]
    file: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a prediction of the page may be called, without a reading's number: olmOCR-bench's own name first."""
        path = PurePosixPath(self.pdf).with_suffix("")
        stems = tuple(dict.fromkeys((path.as_posix(), path.name)))
        numbered = [f"{stem}_pg{self.page}" for stem in stems]
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
    collected = _tests(Path(path), f"gt={path}")
    if not collected:
        raise ValueError(f"gt={path}: there is no test in it")
    return collected


def benchmark(folder: str, excluded: Excluded) -> list[Fact]:
    """The tests of olmOCR-bench as it is downloaded, but for the `excluded` ones: those of its files, and a baseline of each PDF
    that has none. Raises `ValueError`, one sentence, for another folder."""
    files = olmocr_files(folder)
    tests = [test for file in files.files for test in _tests(file, f"gt=olmocr:{folder}, {file.name}")]
    with_baseline = {test.pdf for test in tests if test.type == BASELINE}
    for pdf in files.names:
        if pdf not in with_baseline:
            values = {"id": f"{pdf}_{BASELINE}", "pdf": pdf, "page": 1, "type": BASELINE}
            tests.append(fact(values, file=BASELINE))
    return [test for test in tests if test.id not in excluded.get(test.pdf, ())]


def _tests(file: Path, where: str) -> list[Fact]:
    collected = []
    for number, line in enumerate(lines_of(file, where), 1):
        if line.strip():
            try:
                values = json.loads(line)
            except ValueError:
                values = None
            collected.append(fact(values, f"{where}, line {number}", file.name))
    return collected


def fact(values: Any, where: str = "a test", file: str = "") -> Fact:
    """The test that a line of the `file` says. Raises `ValueError`, which begins with `where`, if it isn't complete or of another
    type."""
    try:
        made = Fact(str(values["id"]), str(values["pdf"]), int(values["page"]), str(values["type"]), values, file)
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{where}: a test is a JSON object with pdf, page, id and type") from None
    if made.type not in _NEEDS:
        raise ValueError(f"{where}: type {made.type!r} is none of {', '.join(_NEEDS)}")
    missing = [name for name in _NEEDS[made.type] if not str(values.get(name) or "").strip()]
    if missing:
        raise ValueError(f"{where}: a test of type {made.type} needs {missing[0]}")
    if made.type == "format" and values["format"] not in FORMATS:
        raise ValueError(f"{where}: format is one of {', '.join(FORMATS)}")
    if not isinstance(values.get("max_diffs") or 0, int) or (values.get("max_diffs") or 0) < 0:
        raise ValueError(f"{where}: max_diffs is a whole number, 0 or more")
    return made


def why_not(one: Fact, markdown: str) -> str:
    """Why the test doesn't hold on a page's Markdown; "" if it holds."""
    return RULES[one.type](one.values, markdown)


def readings(all_facts: Sequence[Fact], predicted: Sequence[PredictedPage]) -> dict[tuple[str, int], list[PredictedPage]]:
    """The predictions of each page that a test is of, by the PDF and the page's number from 1. Raises `ValueError` if none is of
    any page."""
    of_name: dict[str, list[PredictedPage]] = {}
    for prediction in predicted:
        repeats = (match[1] for name in prediction.names if (match := _REPEAT.fullmatch(name)))
        for name in dict.fromkeys((*prediction.names, *repeats)):
            of_name.setdefault(name, []).append(prediction)
    of_page: dict[tuple[str, int], list[PredictedPage]] = {}
    for one in all_facts:
        if (name := next((name for name in one.names if name in of_name), None)) is not None:
            of_page[one.pdf, one.page] = of_name[name]
    if not of_page:
        raise ValueError(f"no prediction is of a page of the tests: name them as {all_facts[0].names[0]}.md")
    return of_page


def check(all_facts: Sequence[Fact], predicted: Sequence[PredictedPage]) -> list[Outcome]:
    """What became of each. A fact of a page that nobody predicted doesn't hold, not even that something is absent. Raises
    `ValueError` as `readings` does."""
    of_page = readings(all_facts, predicted)
    outcomes = []
    for one in all_facts:
        pages = of_page.get((one.pdf, one.page), ())
        reasons = [why for page in pages if (why := why_not(one, page.markdown))]
        holds = 2 * len(reasons) < len(pages)
        why = "" if holds else reasons[0] if reasons else "no prediction of the page"
        outcomes.append(Outcome(one, holds, why, not pages))
    return outcomes


def shares(outcomes: Sequence[Outcome]) -> dict[str, Mean]:
    """The share of facts that hold, of each type and of all, drawn by page for their intervals. Where the tests are of several
    files, also the mean over the files, as olmOCR-bench's score is, and the share of each file."""
    of_types = {kind: [outcome for outcome in outcomes if outcome.fact.type == kind] for kind in _NEEDS}
    collected = {kind: _share(of_type) for kind, of_type in of_types.items() if of_type}
    collected[ALL] = _share(outcomes)
    of_files: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        of_files.setdefault(outcome.fact.file, []).append(outcome)
    if len(of_files) > 1:
        collected["overall"] = _share(outcomes, by_file=True)
        collected |= {file: _share(of_file) for file, of_file in of_files.items() if file != BASELINE}
    return collected


def _share(outcomes: Sequence[Outcome], by_file: bool = False) -> Mean:
    """The share of facts that hold, or the mean of the shares of their files."""
    by_page: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in outcomes:
        by_page.setdefault((outcome.fact.pdf, outcome.fact.page), []).append(outcome)
    pages = list(by_page.values())

    def share(chosen: Sequence[int]) -> float:
        counts: dict[str, list[bool]] = {}
        for outcome in (outcome for number in chosen for outcome in pages[number]):
            counts.setdefault(outcome.fact.file if by_file else "", []).append(outcome.holds)
        return fmean(fmean(holds) for holds in counts.values())

    low, high = interval(share, len(pages))
    return Mean(share(range(len(pages))), low, high, len(pages))
