"""How many of the accepted labels are right where no text layer says so: lines for a person to transcribe, and what comes of it.

A sample is uniform by language and document: each language gives as many lines, and within it each document, as far as they have
lines. The lines are asked in a random order, so that a part of an audit is a smaller audit. Whoever transcribes sees no reading.

Of each language the pages without a text layer are asked about: scans (`picture_page`) and pages whose text is drawn (`no_text`).
Rounds don't read them, so they are read here, by the round's reader and behind its gate, in the code that labels pages. Documents
that the reader learned from, or that calibrated its gate, are left out. A language without such a page, or none of whose lines
passes, is asked about lines that the round accepted, on pages whose layer is hidden; the result says so.
"""

import hashlib
import itertools
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from datagen import manifest
from datagen.assignment import assigned
from datagen.engines import OPEN
from datagen.engines.compact import normalise
from datagen.engines.lookalikes import mended
from datagen.record import Sample
from datagen.shards import read_records, read_sample
from datagen.stages.language import identify
from datagen.storage import Folder
from flywheel import asked, frozen, gate, lineage, review
from flywheel.asked import AUDIT, AUDITS, Answer, Asked, Sheet
from flywheel.crops import Row
from flywheel.places import PlaceFile
from flywheel.pools import Pools
from flywheel.reading import read_lines
from flywheel.relabel import Gate, ReadPages
from flywheel.step import Flywheel, round_name

log = logging.getLogger(__name__)

NO_LAYER, HIDDEN_LAYER = "no layer", "hidden layer"
_SCANS = frozenset({"picture_page", "no_text"})
_PAGES = 3  # of a document, at a time
_UNKNOWN = 30  # documents whose language a reading is to tell
_SURE = 0.8  # of a character, on average over a page


def sample(step: Flywheel, out: Folder, metrics: Mapping[str, Any], count: int) -> tuple[list[Asked], dict[str, str]]:
    """`count` lines that the round with these `metrics` would label, or labelled, in the order in which they are asked; and by
    language whether their pages have no layer, or a hidden one."""
    answered = {answer.image for answer in asked.answers(out.sub(step.name))}
    pools = frozen.read(out.sub(step.name))
    served = {p.lang: p for p in pools.served} if pools else {}
    documents = _scans(step, out, metrics, served)
    accepted = _accepted(step, out, metrics["round"])
    languages = sorted({*documents, *accepted})
    lines, layers = {}, {}
    for lang in languages:
        wanted = -(-count // len(languages))
        found = list(_read(step, out, metrics, served[lang], documents[lang], 2 * wanted)) if lang in documents else []
        layers[lang] = NO_LAYER if found else HIDDEN_LAYER
        lines[lang] = [line for line in found or accepted.get(lang, []) if line.image not in answered]
    chosen = uniform(lines, count)
    return chosen, {lang: layer for lang, layer in layers.items() if any(line.lang == lang for line in chosen)}


def uniform(lines: Mapping[str, Iterable[Asked]], count: int) -> list[Asked]:
    """At most `count` of the lines of each language: as many of each language, and of each of its documents, as there are. In a
    random order."""
    turns = []
    for of_language in lines.values():
        documents: dict[str, list[Asked]] = defaultdict(list)
        for line in sorted(of_language, key=_drawn):
            documents[line.sha256].append(line)
        turns.append(_flat(itertools.zip_longest(*(documents[doc] for doc in sorted(documents)))))
    return sorted(itertools.islice(_flat(itertools.zip_longest(*turns)), count), key=_drawn)


def note(layers: Mapping[str, str]) -> str:
    """How the lines were chosen, for people."""
    parts = ["lines that the gate lets through, as many of each language and document as there are"]
    for layer, what in ((NO_LAYER, "on pages without a text layer"), (HIDDEN_LAYER, "on pages whose text layer is hidden")):
        if languages := sorted(lang for lang, of_lang in layers.items() if of_lang == layer):
            parts.append(f"{', '.join(languages)}: {what}")
    return "; ".join(parts)


def result(sheet: Sheet, answers: Iterable[Answer], layers: Mapping[str, str]) -> dict[str, Any]:
    """The precision of the labels that an audit asked about, by language and of all together, with its 95% interval.

    A line that nobody can read is left out, and counted. A line that is none has a wrong label.
    """
    given = {answer.id: answer for answer in answers if answer.sheet == sheet.name}
    of_language: dict[str, list[Asked]] = defaultdict(list)
    for line in sheet.lines:
        of_language[line.lang].append(line)
    rows = {lang: _precision(lines, given) | {"layer": layers.get(lang, "")} for lang, lines in sorted(of_language.items())}
    people = Counter(given[line.id].by for line in sheet.lines if line.id in given)
    return {"round": sheet.round, "by": dict(people), "all": _precision(sheet.lines, given), "languages": rows}


def results(folder: Folder) -> dict[str, Any]:
    """The result of each audit that somebody answered, by the sheet's name, from the file that `measure` wrote."""
    found: dict[str, Any] = json.loads(folder.read(AUDITS)) if folder.exists(AUDITS) else {}
    return found


def measure(folder: Folder) -> dict[str, Any]:
    """Write the results of all audits of the step's `folder` by the answers that are there, and return them."""
    answers = asked.answers(folder)
    audits = [sheet for sheet in asked.sheets(folder) if sheet.kind == AUDIT]
    found = {sheet.name: result(sheet, answers, sheet.layers) for sheet in audits if any(a.sheet == sheet.name for a in answers)}
    if found:
        folder.write(AUDITS, json.dumps(found, ensure_ascii=False, indent=1).encode())
    else:
        folder.remove(AUDITS)
    return found


def is_same(text: str, reading: str, script: str) -> bool:
    """Whether two texts are drawn alike, letter for letter: letters of another script within a word, which nobody sees, are
    in the word's script."""
    return mended(normalise(text), script) == mended(normalise(reading), script)


def _precision(lines: Sequence[Asked], given: Mapping[str, Answer]) -> dict[str, Any]:
    judged = [(line, given[line.id]) for line in lines if line.id in given]
    counted = [(line, answer) for line, answer in judged if answer.verdict != "skip"]
    right = sum(answer.has_text and is_same(answer.text, line.reading, line.script) for line, answer in counted)
    low, high = gate.interval(right, len(counted))
    share = (right / len(counted), low, high) if counted else (None, None, None)
    names = ("precision", "precision_low", "precision_high")
    rounded = {name: None if value is None else round(value, 4) for name, value in zip(names, share, strict=True)}
    counts = {"num_asked": len(lines), "num_judged": len(counted), "num_skipped": len(judged) - len(counted), "num_right": right}
    return counts | rounded


def _scans(
    step: Flywheel, out: Folder, metrics: Mapping[str, Any], served: Mapping[str, Pools]
) -> dict[str, dict[str, list[Row]]]:
    """The pages without a layer of documents in a served language, by language and document.

    A page's language is its own, or the one that its document is declared to be in, or the one of most of its pages. Where
    nothing says it, a page is read by the reader of each script, and the surest reading tells.
    """
    pages = out.sub(step.pages)
    rows = list(review.page_rows(pages))
    declared = {item.uri: item.lang for shard in assigned(pages) for item in shard.inputs if item.lang}
    of_document: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        of_document[row["sha256"]].update([row["lang"]] if row["lang"] != "und" else [])
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    unknown: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if not _SCANS & {*row["reasons"]}:
            continue
        most = of_document[row["sha256"]].most_common(1)
        lang = row["lang"] if row["lang"] != "und" else declared.get(row["uri"], "") or (most[0][0] if most else "")
        if lang in served:
            found[lang][row["sha256"]].append(row)
        elif not lang:
            unknown[row["sha256"]].append(row)
    drawn = sorted(unknown, key=_digest)[:_UNKNOWN]
    for doc in drawn:
        lang = _language_of(step, out, metrics, served, min(unknown[doc], key=lambda row: _digest(row["key"])))
        if lang:
            found[lang][doc] = unknown[doc]
    if left := len(unknown) - sum(doc in found[lang] for lang in found for doc in drawn):
        log.info("audit: %d documents without a text layer are left out, since nothing tells their language", left)
    return found


def _language_of(step: Flywheel, out: Folder, metrics: Mapping[str, Any], served: Mapping[str, Pools], row: Row) -> str:
    """The served language of a page by its readings; "" if they don't tell."""
    page = read_sample(out.sub(step.pages), row["shard"], row["offset"], row["bytes"])
    folder, best = out.sub(round_name(metrics["round"])).sub("reader").url, (0.0, "", "")
    for script in sorted({p.script for p in served.values()}):
        name = next((name for name in metrics["readers"] if name.split("-")[0] == script), "")
        if name:
            reader = OPEN.get("compact", folder=f"{folder}/{name}", sha256=metrics["readers"][name])
            lines = [line for line in read_lines(page, reader, script) if len(line.text) > 3]
            sure = sum(line.score ** (1 / len(line.text)) for line in lines) / max(1, len(lines))
            best = max(best, (sure, script, " ".join(line.text for line in lines)))
    sure, script, text = best
    languages = [lang for lang, p in served.items() if p.script == script]
    heard = identify(text).lang if sure >= _SURE else ""
    return heard if heard in languages else languages[0] if sure >= _SURE and len(languages) == 1 else ""


def _read(
    step: Flywheel, out: Folder, metrics: Mapping[str, Any], pools: Pools, documents: Mapping[str, Sequence[Row]], wanted: int
) -> Iterator[Asked]:
    """The lines that pass the gate on these pages of a language: at least `wanted`, if there are, from a few pages of each
    document after the other."""
    folder = out.sub(round_name(metrics["round"]))
    learned = lineage.read(folder)
    calibrating = {doc for doc, _ in pools.calibration}
    turns, num_found = [], 0
    for doc, rows in sorted(documents.items()):
        readers = [name for name in metrics["gates"] if name.split("-")[0] == pools.script and doc not in learned[name]]
        if readers and doc not in calibrating:
            turns.append([(row, readers[0]) for row in sorted(rows, key=lambda row: _digest(row["key"]))])
    while any(turns) and num_found < wanted:
        for turn in turns:
            for row, reader in turn[:_PAGES]:
                for line in _page(out.sub(step.pages), folder, metrics, pools, row, reader):
                    num_found += 1
                    yield line
            del turn[:_PAGES]


def _page(pages: Folder, folder: Folder, metrics: Mapping[str, Any], pools: Pools, row: Row, reader: str) -> Iterator[Asked]:
    found = metrics["gates"][reader]
    if found["confidence"] is None or pools.lang not in found["languages"]:
        return
    one = Gate(pools.lang, pools.script, PlaceFile(), reader, metrics["readers"][reader], found["confidence"])
    page = read_sample(pages, row["shard"], row["offset"], row["bytes"])
    for crop in ReadPages(folder.sub("reader").url, metrics["round"], (one,)).lines(page, one):
        if isinstance(crop, Sample):
            yield _line(crop, row["key"])


def _accepted(step: Flywheel, out: Folder, number: int) -> dict[str, list[Asked]]:
    """The lines that a round accepted on pages that are still there, by language."""
    folder = out.sub(round_name(number))
    here = {row["key"] for row in review.page_rows(out.sub(step.pages))}
    lines: dict[str, list[Asked]] = defaultdict(list)
    for record in read_records(folder, manifest.rows(folder)):
        if record.origin.parent in here:
            lines[record.lang].append(_line(record, record.origin.parent))
    return lines


def _line(crop: Sample, page: str) -> Asked:
    o = crop.origin
    score = crop.regions[0].score or 0.0
    return Asked(crop.key, page, o.uri, o.sha256, o.page, o.box, crop.lang, crop.script, crop.text, round(score, 3))


def _flat(turns: Iterable[Iterable[Asked | None]]) -> Iterator[Asked]:
    return (line for line in itertools.chain.from_iterable(turns) if line is not None)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _drawn(line: Asked) -> bytes:
    return _digest(line.id)
