"""Audits: a person transcribes lines without a text layer, and so measures the share of right labels.

A sample is uniform by language and document: each language gives the same number of lines, and within it each document, as far as
they have lines. Lines are asked in a random order, so a part of an audit is a smaller audit. The person sees no reading.

The lines that a language's round accepted on pages without a valid text layer are asked. If there are none, those on pages whose
text layer is hidden are asked, and the result says so.
"""

import hashlib
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datagen.disk import manifest
from datagen.disk.shards import read_records
from datagen.disk.storage import Folder
from datagen.risk import bounds
from datagen.score.audit import is_same
from flywheel.pools import pools_file, questions
from flywheel.pools.questions import AUDIT, AUDITS, Answer, Asked, Sheet
from flywheel.step import Flywheel, round_name

NO_LAYER, HIDDEN_LAYER = "no layer", "hidden layer"


def sample(step: Flywheel, out: Folder, metrics: Mapping[str, Any], count: int) -> tuple[list[Asked], dict[str, str]]:
    """`count` lines that the round with these `metrics` labelled, in the order of asking; and whether each language's pages have
    no layer or a hidden one."""
    answered = {answer.image for answer in questions.answers(out.sub(step.name))}
    pools = pools_file.read(out.sub(step.name))
    scans = {place for p in pools.pools for place in p.scans} if pools else set()
    lines, layers = {}, {}
    for lang, accepted in sorted(_accepted(step, out, metrics["round"]).items()):
        without_layer = [line for line in accepted if (line.sha256, line.number) in scans]
        layers[lang] = NO_LAYER if without_layer else HIDDEN_LAYER
        lines[lang] = [line for line in without_layer or accepted if line.image not in answered]
    chosen = uniform(lines, count)
    return chosen, {lang: layer for lang, layer in layers.items() if any(line.lang == lang for line in chosen)}


def uniform(lines: Mapping[str, Iterable[Asked]], count: int) -> list[Asked]:
    """At most `count` of the lines of each language, evenly over languages and documents, in a random order."""
    turns = []
    for of_language in lines.values():
        documents: dict[str, list[Asked]] = defaultdict(list)
        for line in sorted(of_language, key=_drawn):
            documents[line.sha256].append(line)
        turns.append(_flat(itertools.zip_longest(*(documents[doc] for doc in sorted(documents)))))
    return sorted(itertools.islice(_flat(itertools.zip_longest(*turns)), count), key=_drawn)


def note(layers: Mapping[str, str]) -> str:
    """How the lines were chosen, in words."""
    parts = ["lines that the gate lets through, as many of each language and document as there are"]
    for layer, what in ((NO_LAYER, "on pages without a text layer"), (HIDDEN_LAYER, "on pages whose text layer is hidden")):
        if languages := sorted(lang for lang, of_lang in layers.items() if of_lang == layer):
            parts.append(f"{', '.join(languages)}: {what}")
    return "; ".join(parts)


def result(sheet: Sheet, answers: Iterable[Answer], layers: Mapping[str, str]) -> dict[str, Any]:
    """The precision of the labels in an audit, by language and of all together, with its 95% interval. A line that nobody can
    read is left out, and counted. If there is no line, its label is wrong."""
    given = {answer.id: answer for answer in answers if answer.sheet.startswith(AUDIT)}  # audits may share lines
    of_language: dict[str, list[Asked]] = defaultdict(list)
    for line in sheet.lines:
        of_language[line.lang].append(line)
    rows = {lang: _precision(lines, given) | {"layer": layers.get(lang, "")} for lang, lines in sorted(of_language.items())}
    people = Counter(given[line.id].by for line in sheet.lines if line.id in given)
    return {"round": sheet.round, "by": dict(people), "all": _precision(sheet.lines, given), "languages": rows}


def results(folder: Folder) -> dict[str, Any]:
    """The result of each answered audit, by the sheet's name, from the file that `measure` wrote."""
    by_sheet: dict[str, Any] = json.loads(folder.read(AUDITS)) if folder.exists(AUDITS) else {}
    return by_sheet


def measure(folder: Folder) -> dict[str, Any]:
    """Compute the results of all audits in the step's `folder` from the present answers; write and return them."""
    answers = questions.answers(folder)
    audits = [sheet for sheet in questions.sheets(folder) if sheet.kind == AUDIT]
    results = {sheet.name: result(sheet, answers, sheet.layers) for sheet in audits}
    answered = {name: of_sheet for name, of_sheet in results.items() if of_sheet["by"]}
    if answered:
        folder.write(AUDITS, json.dumps(answered, ensure_ascii=False, indent=1).encode())
    else:
        folder.remove(AUDITS)
    return answered


def _precision(lines: Sequence[Asked], given: Mapping[str, Answer]) -> dict[str, Any]:
    judged = [(line, given[line.id]) for line in lines if line.id in given]
    counted = [(line, answer) for line, answer in judged if answer.verdict != "skip"]
    right = sum(answer.has_text and is_same(answer.text, line.reading, line.script) for line, answer in counted)
    counts = {"num_asked": len(lines), "num_judged": len(counted), "num_skipped": len(judged) - len(counted)}
    return counts | bounds.share(right, len(counted), "num_judged")


def _accepted(step: Flywheel, out: Folder, number: int) -> dict[str, list[Asked]]:
    """The lines that a round accepted on pages that still exist, by language."""
    folder = out.sub(round_name(number))
    here = {row["key"] for row in manifest.rows(out.sub(step.pages))}
    lines: dict[str, list[Asked]] = defaultdict(list)
    for record in read_records(folder, manifest.rows(folder)):
        if record.origin.parent in here:
            o, score = record.origin, record.regions[0].score or 0.0
            place = (o.parent, o.uri, o.sha256, o.page or 0, o.box)
            lines[record.lang].append(Asked(record.key, *place, record.lang, record.script, record.text, round(score, 3)))
    return lines


def _flat(turns: Iterable[Iterable[Asked | None]]) -> Iterator[Asked]:
    return (line for line in itertools.chain.from_iterable(turns) if line is not None)


def _drawn(line: Asked) -> bytes:
    return hashlib.sha256(line.id.encode()).digest()
