"""Pages without a text layer: scans (`picture_page`), and pages with drawn text (`no_text`).

Rounds don't read them. They are read only for a person, by the last round's readers and behind their gates, in the code that
labels pages. Accepted lines can be audited, and refused lines corrected.
"""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datagen.disk import manifest
from datagen.disk.shards import read_sample
from datagen.disk.storage import Folder
from datagen.engines import OPEN
from datagen.reading.language import identify
from datagen.record import Sample
from datagen.risk import bounds
from datagen.work.assignment import assigned
from flywheel.labels.calibrated_scores import Worth
from flywheel.labels.detected_lines import DetectLines
from flywheel.labels.line_readings import read_lines
from flywheel.labels.reading_pieces import STRATA
from flywheel.labels.relabel import Gate, LinesOf, ReadLines
from flywheel.lines.crops import Row
from flywheel.people import review
from flywheel.pools import lineage, pools_file
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Pools
from flywheel.pools.questions import Asked
from flywheel.readers import kinds
from flywheel.step import Flywheel, reader_name, round_name

log = logging.getLogger(__name__)

_REASONS = frozenset({"picture_page", "no_text"})
_PAGES = 3  # of a document, at a time
_UNKNOWN = 30  # documents whose language is found by reading
_SURE = 0.8  # of a character, on average over a page
_CHOICE = 3  # refused lines that are read for each line to ask


def refused(step: Flywheel, out: Folder, metrics: Mapping[str, Any], count: int) -> list[Asked]:
    """Lines of such pages that the round with these `metrics` refuses, of all languages: enough to choose `count` lines from."""
    pools = pools_file.read(out.sub(step.name))
    held_out = {doc for p in pools.pools for doc, _ in p.held_out} if pools else set()  # corrections there train nobody
    served = served_pools(step, out)
    documents = pages(step, out, metrics, served)
    correctable: list[Asked] = []
    for lang in sorted(documents):
        wanted = _CHOICE * -(-count // len(documents))
        free = {doc: rows for doc, rows in documents[lang].items() if doc not in held_out}
        lines = read(step, out, metrics, served[lang], free, wanted, False)
        correctable += [line for line in lines if review.is_correctable(line)]
    return correctable


def served_pools(step: Flywheel, out: Folder) -> dict[str, Pools]:
    """The pools of languages with readers, by language."""
    pools = pools_file.read(out.sub(step.name))
    return {p.lang: p for p in pools.served} if pools else {}


def pages(
    step: Flywheel, out: Folder, metrics: Mapping[str, Any], served: Mapping[str, Pools]
) -> dict[str, dict[str, list[Row]]]:
    """The pages without a layer of documents in a served language, by language and document. A page's language is its own, or the
    declared one of its document, or the one of most of the document's pages. If none is known, the reader of each script reads
    the page, and the surest reading decides."""
    rows = list(manifest.rows(out.sub(step.pages)))
    declared = {item.uri: item.lang for shard in assigned(out.sub(step.pages)) for item in shard.inputs if item.lang}
    of_document: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        of_document[row["sha256"]].update([row["lang"]] if row["lang"] != "und" else [])
    by_language: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    unknown: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not _REASONS & {*row["reasons"]}:
            continue
        most = of_document[row["sha256"]].most_common(1)
        lang = row["lang"] if row["lang"] != "und" else declared.get(row["uri"], "") or (most[0][0] if most else "")
        if lang in served:
            by_language[lang][row["sha256"]].append(row)
        elif not lang:
            unknown[row["sha256"]].append(row)
    drawn = sorted(unknown, key=digest)[:_UNKNOWN]
    for doc in drawn:
        lang = _language_of(step, out, metrics, served, min(unknown[doc], key=lambda row: digest(row["key"])))
        if lang:
            by_language[lang][doc] = unknown[doc]
    if left := len(unknown) - sum(doc in by_language[lang] for lang in by_language for doc in drawn):
        log.info("%d documents without a text layer are left out, since nothing tells their language", left)
    return by_language


def read(
    step: Flywheel,
    out: Folder,
    metrics: Mapping[str, Any],
    pools: Pools,
    documents: Mapping[str, Sequence[Row]],
    wanted: int,
    accepted: bool,
) -> Iterator[Asked]:
    """Lines on these pages of a language that pass the gate, or that it refuses: at least `wanted` if there are so many, from a
    few pages of each document in turn. For lines that pass, the reader didn't learn from their document, and the document didn't
    calibrate its gate."""
    folder = out.sub(round_name(metrics["round"]))
    learned = lineage.read(folder)
    calibrating = {doc for doc, _ in pools.calibration} if accepted else frozenset()
    turns, num_found = [], 0
    for doc, rows in sorted(documents.items()):
        readers = [name for name in metrics["gates"] if name.split("-")[0] == pools.script]
        readers = sorted(readers, key=lambda name: doc in learned[name])
        if readers and doc not in calibrating and not (accepted and doc in learned[readers[0]]):
            turns.append([(row, readers[0]) for row in sorted(rows, key=lambda row: digest(row["key"]))])
    while any(turns) and num_found < wanted:
        for turn in turns:
            for row, reader in turn[:_PAGES]:
                for line in _lines(out.sub(step.pages), folder, metrics, pools, row, reader):
                    if accepted != bool(line.reason):
                        num_found += 1
                        yield line
            del turn[:_PAGES]


def digest(text: str) -> bytes:
    """A sort key for draws."""
    return hashlib.sha256(text.encode()).digest()


def _lines(pages: Folder, folder: Folder, metrics: Mapping[str, Any], pools: Pools, row: Row, reader: str) -> Iterator[Asked]:
    agreed, alone = (_threshold(metrics["gates"][reader][stratum], pools.lang) for stratum in STRATA)
    worth = tuple(Worth(tuple((c, s) for c, s in metrics["gates"][reader][stratum].get("worth", ()))) for stratum in STRATA)
    one = Gate(pools.lang, pools.script, PlaceFile(), reader, metrics["readers"][reader], agreed, alone, worth)
    page = read_sample(pages, row["shard"], row["offset"], row["bytes"])
    outcomes = DetectLines()([replace(page, lang=pools.lang, script=pools.script)], OPEN)
    of_round, kind = LinesOf(round=metrics["round"]), kinds.kind_of(folder.sub(reader_name(reader)))
    lines = [of_round.given(line) for line in outcomes if isinstance(line, Sample)]
    for outcome in ReadLines(folder.sub("reader").url, metrics["round"], kind=kind).outcomes(lines, one):
        if isinstance(outcome, Sample):
            yield accepted_line(outcome, row["key"])
        else:
            for reading in outcome.readings:
                place = (row["key"], row["uri"], row["sha256"], row["page"], reading.box)
                yield Asked(outcome.key, *place, pools.lang, pools.script, reading.text, reading.score, outcome.reason)


def _threshold(of_gate: Mapping[str, Any], lang: str) -> float:
    """The confidence that pieces of a language need in a stratum. `of_gate` is the gate in metrics.json."""
    is_open = of_gate["confidence"] is not None and lang in of_gate["languages"]
    return float(of_gate["confidence"]) if is_open else bounds.NOBODY


def accepted_line(crop: Sample, page: str) -> Asked:
    """The line of an accepted crop, on the page whose key is `page`."""
    o, score = crop.origin, crop.regions[0].score or 0.0
    return Asked(crop.key, page, o.uri, o.sha256, o.page, o.box, crop.lang, crop.script, crop.text, round(score, 3))


def _language_of(step: Flywheel, out: Folder, metrics: Mapping[str, Any], served: Mapping[str, Pools], row: Row) -> str:
    """The served language of a page by its readings; "" if they don't tell."""
    page = read_sample(out.sub(step.pages), row["shard"], row["offset"], row["bytes"])
    folder, best = out.sub(round_name(metrics["round"])).sub("reader").url, (0.0, "", "")
    for script in sorted({p.script for p in served.values()}):
        name = next((name for name in metrics["readers"] if name.split("-")[0] == script), "")
        if name:
            reader = kinds.reader(f"{folder}/{name}", metrics["readers"][name])
            lines = [line for line in read_lines(page, reader, script) if len(line.text) > 3]
            sure = sum(line.score ** (1 / len(line.text)) for line in lines) / max(1, len(lines))
            best = max(best, (sure, script, " ".join(line.text for line in lines)))
    sure, script, text = best
    languages = [lang for lang, p in served.items() if p.script == script]
    heard = identify(text).lang if sure >= _SURE else ""
    return heard if heard in languages else languages[0] if sure >= _SURE and len(languages) == 1 else ""
