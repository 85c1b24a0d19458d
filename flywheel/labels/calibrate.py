"""The pieces that calibrate a reader's gate.

Calibration lines are found and read like the lines to label: the detector cuts them from page images, and the reader reads them.
The text layer, which the reader doesn't see, says which readings are right. A worker's task is one reader and one shard of lines.
A task names its pages by a file, and returns numbers and texts only.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from datagen.disk import manifest
from datagen.disk.shards import read_records, read_samples
from datagen.disk.storage import Folder
from datagen.risk import bounds
from datagen.writing.line_text import normalise
from flywheel.labels import score_readings as score
from flywheel.labels.calibrated_scores import Worth
from flywheel.labels.detected_lines import line_of
from flywheel.labels.reading_pieces import AGREED, STRATA, read_parts
from flywheel.labels.relabel import box_of
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Place, Pools
from flywheel.readers import kinds
from flywheel.step import GOLD_IMAGE_LINES, LINES, TYPESET, TYPESET_LINES, Flywheel

_FEW_DOCUMENTS = 8


@dataclass(frozen=True)
class JudgedPart:
    """A part of a line, `num_chars` characters long. `truth` is the text layer's text in the line's row; "" if there is none. A
    part without a `stratum` is no piece. It counts as read text, and calibrates nothing.

    `pages` is the dataset of its page: one of documents, `TYPESET` or `GOLD_IMAGES`. Parts of one `document` are right or wrong
    alike. `sha256` is that of the page's file.
    """

    lang: str
    key: str
    stratum: str
    score: float
    text: str
    truth: str
    is_right: bool
    document: str = ""
    pages: str = ""
    sha256: str = ""

    @property
    def num_chars(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class CalibrateTask:
    """One reader's task: the lines of a shard of the dataset `lines` that lie on the `pages`. The reader `name` is in the folder
    `readers`, and its weights have the `sha256`. The pages are samples of the dataset `dataset`, in its shards `page_shards`. The
    reader reads on the `device`, as in `Pretrained`."""

    name: str
    script: str
    sha256: str
    readers: str
    pages: PlaceFile
    lines: str
    shard: str
    dataset: str
    page_shards: tuple[str, ...]
    device: str = ""


def run_calibrate(task: CalibrateTask) -> list[JudgedPart]:
    reader = kinds.reader(f"{task.readers}/{task.name}", task.sha256, device=task.device)
    languages, lines, pages = task.pages.keys(), Folder(task.lines), Folder(task.dataset)
    rows = [row for row in manifest.read_part(lines, task.shard).to_pylist() if row["parent"] in languages]
    rows = [row for row in rows if row["script"] == task.script]
    parents = {row["parent"] for row in rows}
    page_rows = [row for part in manifest.parts(pages, task.page_shards) for row in part.to_pylist() if row["key"] in parents]
    layers = {page.key: page for page in read_records(pages, page_rows)}
    rows = [row for row in rows if row["parent"] in layers]
    judged, dataset = [], pages.url.rpartition("/")[2]
    for key, of_page in groupby(read_samples(lines, rows), key=lambda line: line.origin.parent):
        samples, page = list(of_page), layers[key]
        # The pages of a typeset text look different, and count as documents.
        document = page.key if dataset == TYPESET else page.split_group
        readings = read_parts([line_of(s) for s in samples], reader, task.script)
        for sample, reading in zip(samples, readings, strict=True):
            truth = score.truth(page, sample.origin.box)
            for number, part in enumerate(reading.parts):
                box = sample.origin.box if len(reading.parts) == 1 else box_of(reading, part)
                is_right = bool(part.stratum) and score.is_right(page, box, part.text)
                name = f"{sample.key}p{number}"
                about = part.stratum, part.score, part.text, truth, is_right
                judged.append(JudgedPart(languages[key], name, *about, document, dataset, page.origin.sha256))
    return judged


def pages(served: Iterable[Pools], most: int) -> dict[Place, str]:
    """The pages that calibrate gates, with their languages: at most `most` pages of a language, drawn by hashes. A script without
    a page to read has none, since it needs no gate."""
    served = list(served)
    scripts = {p.script for p in served if p.unlabelled}
    chosen: dict[Place, str] = {}
    for p in served:
        if p.script in scripts:
            drawn = sorted(p.calibration, key=lambda place: hashlib.sha256(f"{place[0]}/{place[1]}".encode()).digest())[:most]
            chosen |= dict.fromkeys(drawn, p.lang)
    return chosen


def outlook(step: Flywheel, out: Folder, served: Sequence[Pools]) -> list[str]:
    """For each script with pages to read, the lines that will calibrate its gate, for people; and how many lines of people are
    missing if the gate can't open. Lines must be found already. A line gives about one piece."""
    chosen = pages(served, step.max_calibration_pages)
    kinds_of: dict[str, Counter[str]] = {p.script: Counter() for p in served if p.unlabelled}
    names = {LINES: "lines of documents", TYPESET_LINES: "typeset lines", GOLD_IMAGE_LINES: "lines of people"}
    for dataset, name in names.items():
        for row in manifest.rows(out.sub(dataset)):
            if row["script"] in kinds_of and (dataset != LINES or (row["sha256"], row["page"]) in chosen):
                kinds_of[row["script"]][name] += 1
    sentences, least = [], bounds.least_lines(step.precision, bounds.RISK)
    for script, counts in sorted(kinds_of.items()):
        by = " and ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing"
        lacking = 2 * (least - counts.total())  # half of people's lines calibrate
        shut = f", and stays shut: {lacking} more lines of people would do (gold=FOLDER)" if lacking > 0 else ""
        sentences.append(f"the gate of {script} is calibrated by {by}{shut}")
    return sentences


def accepted_texts(rounds: Iterable[Folder]) -> frozenset[str]:
    """The texts of the lines that these rounds accepted, normalised as readers learn them."""
    return frozenset(normalise(record.text) for folder in rounds for record in read_records(folder, manifest.rows(folder)))


def counted(parts: Iterable[JudgedPart], learned: frozenset[str]) -> list[JudgedPart]:
    """The pieces that calibrate. A piece is left out if readers `learned` its text, or the text of its row. Each text of a row
    counts once, since repeated lines aren't independent."""
    by_row: dict[tuple[str, str], JudgedPart] = {}
    for part in sorted(parts, key=lambda part: part.key):
        if part.stratum and part.truth not in learned and normalise(part.text) not in learned:
            by_row.setdefault((part.truth or part.key, part.text), part)
    return list(by_row.values())


@dataclass(frozen=True)
class ReaderGate:
    """A reader's gate by stratum: the cutoff, the languages of the calibration pieces, the share of right pieces at each
    confidence (`worth`), and the number of pieces by their dataset of pages (`sources`)."""

    cutoffs: Mapping[str, bounds.Cutoff]
    languages: Mapping[str, frozenset[str]]
    worth: Mapping[str, Worth]
    sources: Mapping[str, Mapping[str, int]]

    def threshold(self, stratum: str, lang: str) -> float:
        """The confidence that pieces of a language need. No piece passes in a language without a calibration piece."""
        return self.cutoffs[stratum].confidence if lang in self.languages[stratum] else bounds.NOBODY

    def to_dict(self) -> dict[str, Any]:
        return {
            stratum: cutoff.to_dict()
            | {
                "languages": sorted(self.languages[stratum]),
                "worth": self.worth[stratum].points,
                "sources": dict(self.sources[stratum]),
            }
            for stratum, cutoff in self.cutoffs.items()
        }


def design_effects(pieces: Mapping[str, Sequence[JudgedPart]]) -> dict[str, float]:
    """How alike each reader's pieces of one document are right or wrong. If a reader has pieces of under `_FEW_DOCUMENTS`
    documents, which hardly tell, it is the largest of any reader."""
    documents = {name: [piece.document for piece in of_reader] for name, of_reader in pieces.items()}
    effects = {
        name: bounds.design_effect(documents[name], [piece.is_right for piece in of_reader]) for name, of_reader in pieces.items()
    }
    largest = max(effects.values(), default=1.0)
    return {name: one if len({*documents[name]}) >= _FEW_DOCUMENTS else largest for name, one in effects.items()}


def reader_gate(pieces: Sequence[JudgedPart], precision: float, effect: float = 1.0) -> ReaderGate:
    """The gate of a reader, calibrated on pieces from `counted` with this design `effect`. A piece is wrong if the text layer has
    no text there. The strata share the risk `bounds.RISK`, so both together keep the promised precision. A stratum with too few
    pieces to open takes no share of the risk. Typeset pages are easier than scans, so pieces of real pages alone must not
    contradict the gate."""
    parts = {stratum: [piece for piece in pieces if piece.stratum == stratum] for stratum in STRATA}
    least = effect * bounds.least_lines(precision, bounds.RISK)
    num_tested = sum(len(of_stratum) >= least for of_stratum in parts.values())
    cutoffs, languages, worth = {}, {}, {}
    for stratum, of_stratum in parts.items():
        scores, right = [piece.score for piece in of_stratum], [piece.is_right for piece in of_stratum]
        real = [piece.pages != TYPESET for piece in of_stratum]
        cutoffs[stratum] = bounds.cutoff(scores, right, precision, bounds.RISK / max(1, num_tested), effect, real)
        languages[stratum] = frozenset(piece.lang for piece in of_stratum)
        worth[stratum] = Worth.of(scores, right)
    sources = {stratum: Counter(piece.pages for piece in of_stratum) for stratum, of_stratum in parts.items()}
    return ReaderGate(cutoffs, languages, worth, sources)


def agreement(parts: Iterable[JudgedPart]) -> dict[str, dict[str, Any]]:
    """The quality of agreed pieces by language: the share of right ones with its 95% interval, and their share of all characters
    that were read. Scores have no influence."""
    by_language: dict[str, list[JudgedPart]] = defaultdict(list)
    for part in parts:
        by_language[part.lang].append(part)
    shares = {}
    for lang, of_lang in sorted(by_language.items()):
        agreed = [part for part in of_lang if part.stratum == AGREED]
        num_right, num_chars = sum(part.is_right for part in agreed), sum(part.num_chars for part in of_lang)
        share = sum(part.num_chars for part in agreed) / max(1, num_chars)
        shares[lang] = bounds.share(num_right, len(agreed), "num_pieces") | {"share_of_chars": round(share, 4)}
    return shares
