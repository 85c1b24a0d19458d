"""olmOCR-bench by its own rules (`olmocr/bench/` at `COMMIT` of github.com/allenai/olmocr), and corrected.

A test holds on a page or doesn't; of a page read several times, on more than half of its readings. The score is the mean over
files of tests of the share that hold, `baseline` being a file of its own: one test for each PDF that has none. Formulas that
aren't the same LaTeX are compared as a browser draws them (`olmocr_drawn`); where there is none the official figure of `math`
is the least that it can be.

Corrected: `math` compares normalised LaTeX, nothing is absent from a page without a letter, tests known wrong are left out.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from fuzzysearch import find_near_matches
from rapidfuzz import fuzz

from datagen.score import facts
from datagen.score.official import olmocr_tables
from datagen.score.official.olmocr_drawn import Formulas, formulas
from datagen.score.official.report import Excluded, Report
from datagen.score.pages import PredictedPage

COMMIT = "f7cfe4c22098b154c76b6ec950d1c0a464eecf8d"

_BASELINE, _MATH_TEST, _PDFS = "baseline", "math", "pdfs"
_READING = re.compile(r"(.+)_pg(\d+)_repeat(\d+)")
_OF_DATASET = re.compile(rf".*/{_PDFS}/(.+)\.pdf_(\d+)")
_BREAK, _SPACE = re.compile("<br/?>"), re.compile(r"\s+")
_BOLD = (re.compile(r"\*\*(.*?)\*\*"), re.compile("__(.*?)__"))
_BOLD_TAGS = re.compile("</?b>"), re.compile("</?i>")
_EMPHASIS = (re.compile(r"(\*\*|__)(.*?)\1"), re.compile(r"(\*|_)(.*?)\1"))
_ALIKE = str.maketrans("‘’‚“”„＿–—‑‒−µ", "'''\"\"\"_-----μ")
_ANY = re.DOTALL | re.IGNORECASE
_FORMATS = {
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
_SIDES = ("up", "down", "left", "right", "left_heading", "top_heading")
_PICTURE = re.compile(r"!\[.*?\]\(.*?\)")
_DISALLOWED = re.compile(
    "[\u4e00-\u9fff\u3040-\u309f\u30a0-\u30ff\U0001f600-\U0001f64f\U0001f300-\U0001f5ff\U0001f680-\U0001f6ff\U0001f1e0-\U0001f1ff]"
)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_AROUND = 200
_NUM_DRAWS = 1000
_DIFFERS = (
    "official: formulas as they are drawn, so that x_2 may pass for x^2; corrected: as normalised LaTeX, nothing is absent from "
    "a page without a letter, missing pages fail, tests of the list without= don't count"
)


class Line(NamedTuple):
    """A test, as it stands in its file."""

    file: str
    values: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.values["type"])

    @property
    def page(self) -> tuple[str, int]:
        return str(self.values["pdf"]), int(self.values["page"])


@lru_cache(maxsize=4_000)
def normalised(text: str) -> str:
    """Text as tests compare it: without bold and italics, one space for any white space, NFC, plain quotes and hyphens."""
    if "<" in text:
        text = _BREAK.sub(" ", text)
    if is_marked := "*" in text or "_" in text:
        for pattern in _BOLD:
            text = pattern.sub(r"\1", text)
    if "<" in text:
        for pattern in _BOLD_TAGS:
            text = pattern.sub("", text)
    if is_marked:
        for pattern in _EMPHASIS:
            text = pattern.sub(r"\2", text)
    return unicodedata.normalize("NFC", _SPACE.sub(" ", text)).translate(_ALIKE)


def holds(values: Mapping[str, Any], markdown: str, drawn: Formulas | None = None) -> bool:
    """Whether a test holds on a page's Markdown, by the official rules; formulas by their LaTeX alone if they aren't `drawn`.
    Raises `IndexError` where the official code stops at a table: it counts that as failed."""
    if values["type"] == _MATH_TEST:
        return _math(values, markdown, drawn)
    return _CHECKS[str(values["type"])](values, markdown)


def _least(values: Mapping[str, Any], text: str) -> float:
    return 1.0 - int(values.get("max_diffs") or 0) / max(1, len(text))


def _present(values: Mapping[str, Any], markdown: str) -> bool:
    wanted, page = normalised(values["text"]), normalised(markdown)
    if not values.get("case_sensitive", True):
        wanted, page = wanted.lower(), page.lower()
    first, last = values.get("first_n"), values.get("last_n")
    if first or last:
        page = (page[:first] if first else "") + (page[-last:] if last else "")
    return fuzz.partial_ratio(wanted, page) / 100.0 >= _least(values, wanted)


def _order(values: Mapping[str, Any], markdown: str) -> bool:
    page, most = normalised(markdown), int(values.get("max_diffs") or 0)
    before, after = (
        [match.start for match in find_near_matches(normalised(values[name]), page, max_l_dist=most)]
        for name in ("before", "after")
    )
    return bool(before) and bool(after) and min(before) < max(after)


def _format(values: Mapping[str, Any], markdown: str) -> bool:
    wanted = normalised(values["text"])
    formatted = [normalised(text) for pattern in _FORMATS[values["format"]] for text in pattern.findall(markdown)]
    if not values.get("case_sensitive", True):
        wanted, formatted = wanted.lower(), [text.lower() for text in formatted]
    return any(fuzz.partial_ratio(wanted, text) / 100.0 >= _least(values, wanted) for text in formatted)


def _table(values: Mapping[str, Any], markdown: str) -> bool:
    wanted = normalised(values["cell"])
    asked = {side: text for side in _SIDES if (text := normalised(values.get(side) or ""))}
    return any(
        _is_cell(values, wanted, text)
        and all(any(_is_cell(values, asked[side], table.texts[other]) for other in table.on(side, place)) for side in asked)
        for table in _tables(markdown, not values.get("ignore_markdown_tables"))
        for place, text in table.texts.items()
    )


@lru_cache(maxsize=8)  # a page is asked about by many tests, one after another
def _tables(markdown: str, with_bars: bool) -> list[olmocr_tables.Table]:
    in_html = olmocr_tables.of_html(markdown) if "<table" in markdown.lower() else []
    return (olmocr_tables.of_markdown(markdown) if with_bars and "|" in markdown else []) + in_html


def _is_cell(values: Mapping[str, Any], wanted: str, text: str) -> bool:
    return fuzz.ratio(wanted, normalised(text)) / 100.0 >= max(0.5, _least(values, wanted))


def _baseline(values: Mapping[str, Any], markdown: str) -> bool:
    most = values.get("max_length")
    if most is not None:
        text = _PICTURE.sub("", markdown) if values.get("max_length_skips_image_alt_tags") else markdown
        return sum(char.isalnum() for char in text) <= most
    if not any(char.isalnum() for char in markdown):
        return False
    text = _SPACE.sub(" ", markdown)
    if facts.repeats_at_end(text) > values.get("max_repeats", 30):
        return False
    return not (values.get("check_disallowed_characters", True) and _DISALLOWED.search(markdown))


def _math(values: Mapping[str, Any], markdown: str, drawn: Formulas | None) -> bool:
    written, wanted = formulas(values, markdown), values["math"]
    return wanted in written or (drawn is not None and any(drawn.same(wanted, latex) for latex in written))


def _drawn(tests: Sequence[Line], texts: Callable[[Line], Sequence[str]]) -> tuple[Formulas | None, str]:
    """The formulas that aren't the same LaTeX, as a browser draws them; or why they aren't."""
    wanted: list[str] = []
    for test in tests:
        for text in texts(test) if test.kind == _MATH_TEST else ():
            written = formulas(test.values, text)
            if written and test.values["math"] not in written:
                wanted += [test.values["math"], *written]
    try:
        drawn = Formulas() if wanted else None
    except ValueError as error:
        return None, f"formulas are compared by their LaTeX alone, which is the least that math can be: {error}"
    if drawn is not None:
        drawn.draw(wanted)
    return drawn, ""


def _footnote(values: Mapping[str, Any], markdown: str) -> bool:
    marker = str(values["marker"])
    written = [rf"\[\^{re.escape(marker)}\](?!:)", rf"(?i:<sup[^>]*>{re.escape(marker)}</sup>)"]
    if all(char in "0123456789" for char in marker):
        written.append(re.escape(marker.translate(_RAISED)))
    places = [match.span() for pattern in written for match in re.finditer(pattern, markdown)]
    if not places:
        return False
    before, after = values.get("appears_before_marker"), values.get("appears_after_marker")
    is_before = not before or any(_ends(values, before, markdown[max(0, at - _AROUND) : at], True) for at, _ in places)
    return is_before and (not after or any(_ends(values, after, markdown[at : at + _AROUND], False) for _, at in places))


def _ends(values: Mapping[str, Any], wanted: str, text: str, at_end: bool) -> bool:
    wanted = normalised(wanted)
    letters, around = _letters(wanted), _letters(text)
    length = min(len(around), 2 * len(letters))
    around = (around[-length:] if length else around) if at_end else around[:length]
    return bool(_letters(text)) and fuzz.partial_ratio(letters, around) / 100.0 >= _least(values, wanted)


def _letters(text: str) -> str:
    return "".join(char for char in normalised(text) if char.isalnum()).lower()


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], str], bool]] = {
    "present": _present, "absent": lambda values, markdown: not _present(values, markdown), "order": _order, "table": _table,
    "format": _format, "footnote": _footnote, "baseline": _baseline,
}  # fmt: skip
_NEEDS = {
    "present": "text",
    "absent": "text",
    "order": "before after",
    "table": "cell",
    _MATH_TEST: "math",
    "format": "text format",
    "footnote": "marker",
}


def _files(folder: str, where: str) -> tuple[list[Path], Path, list[str]]:
    """The files of tests; the folder of PDFs, and their names in it. Raises `ValueError`, which begins with `where`."""
    root = Path(folder).expanduser()
    root = root / "bench_data" if (root / "bench_data").is_dir() else root
    files, of_pdfs = sorted(root.glob("*.jsonl")), root / _PDFS
    names = sorted(path.relative_to(of_pdfs).as_posix() for path in of_pdfs.rglob("*.pdf"))
    if not files or not names:
        raise ValueError(
            f"{where}: olmOCR-bench's folder of .jsonl files and {_PDFS}/ is needed; {len(files)} and {len(names)} are there"
        )
    return files, of_pdfs, names


def pdfs(folder: str, word: str) -> list[Path]:
    """The PDFs of the benchmark. Raises `ValueError`, one sentence that begins with the `word` that names the folder."""
    _, root, names = _files(folder, f"{word}=olmocr:{folder}")
    return [root / name for name in names]


def read(folder: str) -> list[Line]:
    """The tests of olmOCR-bench as it is downloaded. Raises `ValueError`, one sentence, for another folder."""
    where = f"gt=olmocr:{folder}"
    files, _, names = _files(folder, where)
    tests = []
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{where}: {file.name} can't be read: {error}") from None
        for number, line in enumerate(lines, 1):
            if line.strip():
                tests.append(Line(file.name, _values(line, f"{where}, {file.name}, line {number}")))
    with_baseline = {test.page[0] for test in tests if test.kind == _BASELINE}
    return tests + [
        Line(_BASELINE, {"id": f"{pdf}_baseline", "pdf": pdf, "page": 1, "type": _BASELINE})
        for pdf in names
        if pdf not in with_baseline
    ]


def _values(line: str, where: str) -> Mapping[str, Any]:
    try:
        values: Mapping[str, Any] = json.loads(line)
        kind = values["type"]
        missing = [name for name in ("pdf", "page", "id", *_NEEDS.get(kind, "").split()) if not values[name]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{where}: it isn't a test as olmOCR-bench writes it ({type(error).__name__}: {error})") from None
    if kind not in (*_CHECKS, _MATH_TEST) or missing or (kind == "format" and values["format"] not in _FORMATS):
        raise ValueError(f"{where}: {missing[0] if missing else 'type'} isn't as a test of olmOCR-bench has it")
    return values


def report(folder: str, predicted: Sequence[PredictedPage], excluded: Excluded) -> Report:
    """Raises `ValueError`, one sentence, where `folder` isn't olmOCR-bench or no prediction is of a page of it."""
    tests = read(folder)
    readings: dict[tuple[str, int], list[PredictedPage]] = {}
    unused = []
    known = {test.page[0] for test in tests}
    for page in predicted:
        if (place := _place(page.names)) and place[0] in known:
            readings.setdefault(place, []).append(page)
        else:
            unused.append(page.names[0])
    if not readings:
        raise ValueError(
            f"no prediction is of a page of olmOCR-bench: name each as {tests[0].page[0].removesuffix('.pdf')}_pg1_repeat1.md"
        )
    drawn, undrawn = _drawn(tests, lambda test: [page.markdown for page in readings.get(test.page, ())])
    of_tests: list[dict[str, Any]] = []
    for test in tests:
        texts = [page.markdown for page in readings.get(test.page, ())]
        sides = {
            "official": [_official(test.values, text, drawn) for text in texts],
            "corrected": [_corrected(test.values, text) for text in texts],
        }
        passed = {side: bool(held) and sum(held) / len(held) > 0.5 for side, held in sides.items()}
        left_out = str(test.values["id"]) in excluded.get(test.page[0], ())
        of_tests.append({"id": test.values["id"], "file": test.file, "type": test.kind, **passed, "without": left_out})
    missing = tuple(dict.fromkeys(f"{pdf} {page}" for pdf, page in (test.page for test in tests) if (pdf, page) not in readings))
    rows: list[tuple[str, float | None, float | None, str]] = []
    for group, key in _groups(tests):
        of_group = [test for test in of_tests if key is None or test[key] == group]
        official = mean(of_group, "official", key is None)
        corrected = mean([test for test in of_group if not test["without"]], "corrected", key is None)
        rows.append(
            (group, official, corrected, "mean over files of tests" if key is None else f"share of {len(of_group)} tests")
        )
    low, high = interval(of_tests)
    notes = [f"official 95% interval, by bootstrap within each file: {low:.4f} to {high:.4f}"]
    notes += [undrawn] if undrawn else []
    if missing:
        notes.append("the official code gives no score where a page is missing: its column counts such tests as failed")
    return Report(
        f"olmOCR-bench, {len(tests)} tests, rules of {COMMIT[:7]}",
        tuple(rows),
        _DIFFERS,
        tuple(notes),
        missing,
        tuple(unused),
        tuple(of_tests),
    )


def _place(names: Sequence[str]) -> tuple[str, int] | None:
    """The PDF and the page, from 1, that a prediction is of: a reading's file, or a page of a dataset."""
    if name := _READING.fullmatch(names[0]):
        return f"{name[1]}.pdf", int(name[2])
    name = _OF_DATASET.fullmatch(names[-1])
    return (f"{name[1]}.pdf", int(name[2]) + 1) if name else None


def _groups(tests: Sequence[Line]) -> list[tuple[str, str | None]]:
    """What there is a figure of: all, types of tests, and files."""
    kinds, files = sorted({test.kind for test in tests}), sorted({test.file for test in tests} - {_BASELINE})
    return [("overall", None), *((kind, "type") for kind in kinds), *((file, "file") for file in files)]


def _official(values: Mapping[str, Any], markdown: str, drawn: Formulas | None = None) -> bool:
    try:
        return holds(values, markdown, drawn)
    except IndexError:
        return False


def _corrected(values: Mapping[str, Any], markdown: str) -> bool:
    if values["type"] == _MATH_TEST:
        return not facts.why_not(facts.fact(values), markdown)
    if values["type"] == "absent" and not any(map(str.isalnum, markdown)):
        return False
    return _official(values, markdown)


def mean(tests: Sequence[Mapping[str, Any]], side: str, over_files: bool) -> float | None:
    """The share of tests that hold, or the mean of the shares of their files."""
    files = _held(tests, side) if over_files else [[test[side] for test in tests]] if tests else []
    return sum(sum(held) / len(held) for held in files) / len(files) if files else None


def interval(tests: Sequence[Mapping[str, Any]], seed: int = 0) -> tuple[float, float]:
    """The official 95% interval: tests drawn within each file, 1,000 times. The official code's draws have no seed."""
    draw = numpy.random.default_rng(seed)
    means = [draw.choice(numpy.array(held, float), (_NUM_DRAWS, len(held))).mean(axis=1) for held in _held(tests, "official")]
    low, high = numpy.percentile(numpy.mean(means, axis=0), (2.5, 97.5))
    return float(low), float(high)


def _held(tests: Sequence[Mapping[str, Any]], side: str) -> list[list[bool]]:
    """Of each file, whether its tests hold."""
    files: dict[str, list[bool]] = {}
    for test in tests:
        files.setdefault(test["file"], []).append(test[side])
    return list(files.values())
