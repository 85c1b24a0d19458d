"""Tests of a page out of its record, in the form of olmOCR-bench: small facts that a right reading has (`datagen.score.facts`).

    present   a sentence stands in the text
    absent    a running head, a foot or a page number doesn't
    order     one paragraph's beginning stands before another's
    table     a cell's text, and the cells right of it and below it
    math      a displayed formula's LaTeX, which KaTeX can parse: olmOCR-bench opens no file with another in it
    baseline  there is text, and it doesn't end in a loop; a blank page has none

Each test is tried on the record's own Markdown, and left out where it doesn't hold there, as where a page number also stands in
the text. Texts are compared sign by sign (`max_diffs` 0): a wrong digit fails a sentence.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from random import Random
from typing import Any

import regex

from datagen.formulas import katex
from datagen.labels import PICTURES, RUNNING
from datagen.markdown import bare_latex, content, markdown
from datagen.record import Box, Region, Sample
from datagen.score import tables
from datagen.score.fact_rules import RULES, normalised
from datagen.score.facts import fact, why_not
from datagen.writing import signs

MOST = 24
"""Tests of a page, at most: drawn by the page's key, as many of each type as of the others, as far as there are."""

_SENTENCE = regex.compile(rf"[^{signs.STOPS}\n]{{2,}}[{signs.STOPS}]*")
_SHORTEST, _LONGEST = 12, 160  # letters of a sentence, Chinese ones counted twice, and its characters
_WIDE = "\u2e80"  # the first of the characters that count twice
_BEGINNING = 48  # characters of a paragraph that tell it from others
_TELLING = 4  # letters or digits from which on a running head is one wherever it stands
_EDGE = 24  # characters at the text's beginning or end in which a page number would be one
_PLAIN = frozenset({"text", "list", "footnote", "reference", "title", "sub_title", "image_caption", "table_caption"})
_ALONE = {"table": ("table", "html"), "formula": ("equation", "latex")}  # what a sample of the task is as a region
# What the tests' own comparison takes out, or what isn't written alike by everybody.
_MARKED = re.compile(r"[*_$\\<>`|\[\]#]")


def why_none(sample: Sample) -> str:
    """Why nothing can be asked about a sample: its `task` isn't to read, its `verdict` isn't trusted, or a region is `unread`;
    "" otherwise."""
    if sample.task in ("caption", "text"):
        return "task"
    if sample.quality.verdict != "trusted":
        return "verdict"
    return "unread" if any(region.is_unread for region in sample.regions) else ""


def own_markdown(sample: Sample) -> str:
    """What a right reading of the sample says, in Markdown: of a formula, its LaTeX as a displayed one."""
    return markdown(_regions(sample)) or sample.text


def page_tests(sample: Sample, most: int = MOST) -> list[dict[str, Any]]:
    """The tests of a page, or of what was cut out of one, a JSON object each, that hold on its `own_markdown`: `pdf` is the name
    of the file, `page` counts from 1, and `id` begins with the sample's key. None of a sample that has a `why_none`."""
    if why_none(sample):
        return []
    whole = own_markdown(sample)
    path = PurePosixPath(sample.origin.uri.replace("::", "/"))
    common = {"pdf": path.name or sample.key, "page": sample.origin.page + 1}
    by_type: dict[str, list[dict[str, Any]]] = {}
    for number, values in enumerate(_all(sample, whole)):
        test = {**common, "id": f"{sample.key}_{values['type']}_{number:03}", "max_diffs": 0, **values}
        if _holds(test, whole):
            by_type.setdefault(values["type"], []).append(test)
    source = Random(sample.key)
    for tests in by_type.values():
        source.shuffle(tests)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*by_type.values()))
    return sorted((test for test in itertools.islice((t for t in turns if t), most)), key=lambda test: test["id"])


def _holds(test: dict[str, Any], whole: str) -> bool:
    try:
        return not why_not(fact(test), whole) and (test["type"] != "math" or bool(katex.mathml(test["math"])))
    except ValueError:  # nothing is asked for; LaTeX that KaTeX refuses
        return False


def _regions(sample: Sample) -> tuple[Region, ...]:
    """The regions that tests are made of: of a figure, its charts, as the tables that they are read as; a sample without any is
    one."""
    if sample.task == "figure":
        return tuple(replace(region, label="table") for region in sample.regions if region.format == "html")
    label, form = _ALONE.get(sample.task, ("text", "markdown"))
    return sample.regions or (Region(Box(0, 0, *sample.size), label, sample.text, None, "", format=form),)


def _all(sample: Sample, whole: str) -> Iterator[dict[str, Any]]:
    if not any(map(str.isalnum, whole)):
        yield {"type": "baseline", "max_length": 0}
        return
    baseline: dict[str, Any] = {"type": "baseline"}  # olmOCR-bench's fails Chinese letters, unless told to leave them
    yield baseline if not RULES["baseline"](baseline, whole) else baseline | {"check_disallowed_characters": False}
    regions = _regions(sample)
    plain = [region for region in regions if region.label in _PLAIN and region.format == "markdown"]
    flat = normalised(whole)
    for region in plain:
        for sentence in _sentences(content(region)):
            if flat.count(sentence) == 1:
                yield {"type": "present", "text": sentence}
    beginnings = [beginning for region in plain if (beginning := _beginning(region)) and flat.count(beginning) == 1]
    for before, after in itertools.pairwise(beginnings):
        yield {"type": "order", "before": before, "after": after}
    for region in regions:
        if region.label in RUNNING and region.text.strip():
            yield _absent(region, sample.size[1])
        elif region.format == "latex" and region.label not in PICTURES:
            yield {"type": "math", "math": bare_latex(region.text)}
        elif region.format == "html" and region.label == "table":
            yield from _cells(region)


def _absent(region: Region, height: int) -> dict[str, Any]:
    """What stands on every page isn't in the text; of a mere number, it isn't where the text begins or ends."""
    text = normalised(region.text)
    if sum(map(str.isalnum, text)) >= _TELLING:
        return {"type": "absent", "text": text}
    is_below = region.box.y0 + region.box.y1 > height
    return {"type": "absent", "text": text, "last_n" if is_below else "first_n": _EDGE}


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a region that hold nothing but letters, digits and what stands between them."""
    for match in _SENTENCE.finditer(normalised(text.lstrip("#-* "))):
        sentence = match[0].strip()
        if not _MARKED.search(sentence) and _letters(sentence) >= _SHORTEST and len(sentence) <= _LONGEST:
            yield sentence


def _beginning(region: Region) -> str:
    text = normalised(content(region).lstrip("#-* "))
    cut = text[:_BEGINNING].rsplit(" ", 1)[0] if len(text) > _BEGINNING and " " in text[:_BEGINNING] else text[:_BEGINNING]
    return "" if _MARKED.search(cut) or _letters(cut) < _SHORTEST else cut


def _letters(text: str) -> int:
    return sum(1 + (char >= _WIDE) for char in text if char.isalnum())


def _cells(region: Region) -> Iterator[dict[str, Any]]:
    """Cells that no other one of the table is like, with those beside them; of tables without spans, whose cells' places nobody
    can tell in two ways."""
    rows = tables.cells(region.text)
    if len({len(row) for row in rows}) != 1 or any(cell.rowspan > 1 or cell.colspan > 1 for row in rows for cell in row):
        return
    texts = [[normalised(cell.text) for cell in row] for row in rows]
    flat = list(itertools.chain.from_iterable(texts))
    for y, row in enumerate(texts):
        for x, text in enumerate(row):
            if not text or flat.count(text) > 1 or _MARKED.search(text):
                continue
            beside = {"right": row[x + 1] if x + 1 < len(row) else "", "down": texts[y + 1][x] if y + 1 < len(texts) else ""}
            sides = {side: other for side, other in beside.items() if other and not _MARKED.search(other)}
            if sides:
                yield {"type": "table", "cell": text, **sides}
