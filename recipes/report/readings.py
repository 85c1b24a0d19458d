"""What the last round's readings are worth, by the text layer that its readers never saw; and what audits say of its labels.

A curve and a list of confusions for each language: how often a line of some confidence is right, how many characters a gate
would let through at which precision, and which characters are taken for which. Pages beyond `_PAGES`, drawn by a seed, aren't
looked at.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from datagen import manifest
from datagen.engines.compact import normalise
from datagen.record import Box, Sample
from datagen.shards import read_records, read_reports
from datagen.storage import Folder
from flywheel import score
from recipes.report import Section, asset, fill
from recipes.report.pages import seeded

_PAGES = 400
_CONFUSIONS = 8  # shown, of a language
_FEWEST = 20  # lines that a precision is told of
_BINS = 10
_LARGEST_ERROR = 0.4  # of a line's characters: what differs more isn't the same text, but another line's
_LEAST_PRECISION = 0.8  # at the foot of a curve
_WIDTH, _HEIGHT = 180, 110


@dataclass(frozen=True)
class Judged:
    """A reading, what the layer has in its place ("" where it has nothing), and whether the gate decided by its confidence
    alone."""

    lang: str
    text: str
    truth: str
    score: float
    is_right: bool
    is_accepted: bool
    by_confidence: bool


def readings_sections(
    name: str, number: int, labels: Folder, pages: Folder, audits: dict[str, Any], precision: float, seed: int = 0
) -> list[Section]:
    """The section on the readings of the round `number`, whose accepted lines are the dataset `labels`, on pages of the dataset
    `pages`, with the `precision` that gates promise; and a section on `audits`, if there are any."""
    css = asset("readings.css")
    lines = list(judged(labels, pages, seed))
    sections = []
    if lines:
        rows = [_row(lang, of_lang, precision) for lang, of_lang in _by_language(lines).items()]
        size = {"width": _WIDTH, "height": _HEIGHT, "foot": _LEAST_PRECISION, "precision": precision}
        html = fill("readings.html", rows=rows, **size)
        sections.append(Section(f"{name}-readings", f"{name}: what confidence is worth, round {number}", html, css))
    if audits:
        tables = [(sheet, found, {"all": found["all"]} | found["languages"]) for sheet, found in audits.items()]
        sections.append(Section(f"{name}-audits", f"{name}: audits", fill("audits.html", audits=tables), css))
    return sections


def judged(labels: Folder, pages: Folder, seed: int) -> Iterator[Judged]:
    """The readings of a round, accepted and refused, on pages that are still there."""
    by_place: dict[tuple[str, int], list[tuple[str, Box, str, float, str]]] = defaultdict(list)
    for record in read_records(labels, manifest.rows(labels)):
        o, region = record.origin, record.regions[0]
        by_place[o.uri, o.page].append((record.lang, o.box, record.text, region.score or 0.0, ""))
    for drop in (drop for report in read_reports(labels) for drop in report.drops if drop.part):
        for reading in drop.readings:
            if reading.text.strip():
                line = (reading.lang, reading.box, reading.text, reading.score, drop.reason)
                by_place[drop.uri, drop.part.first].append(line)  # type: ignore[union-attr]
    drawn = frozenset(sorted(by_place, key=lambda place: seeded(seed, f"{place[0]}/{place[1]}"))[:_PAGES])
    rows = manifest.rows(pages, lambda row: (row["uri"], row["page"]) in drawn) if drawn else ()
    for page in read_records(pages, rows):
        if page.quality.words_hold:
            for line in by_place[page.origin.uri, page.origin.page]:
                yield _judged(page, *line)


def confusions(lines: Iterable[Judged]) -> list[tuple[str, str, int]]:
    """The commonest wrong characters: what stands there ("" for nothing), what was read, and how often."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        text, truth = normalise(line.text), line.truth
        # A box may cover a part of a row, and a detector finds no leaders: what is missing there wasn't misread.
        is_whole = bool(truth) and abs(len(text) - len(truth)) <= max(2, 0.1 * len(truth)) and not score.LEADER.search(truth)
        edits = list(Levenshtein.editops(truth, text)) if is_whole and not line.is_right else []
        if len(edits) <= _LARGEST_ERROR * len(truth):
            for edit in edits:
                stands = "" if edit.tag == "insert" else truth[edit.src_pos]
                read = "" if edit.tag == "delete" else text[edit.dest_pos]
                found[stands, read] += 1
    common = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_CONFUSIONS]
    return [(_visible(stands), _visible(read), count) for (stands, read), count in common]


def reliability(lines: Sequence[Judged]) -> list[tuple[float, float, int]]:
    """By steps of confidence: the mean confidence of its lines, the share that is right, and how many lines there are."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for line in lines:
        bins[min(_BINS - 1, int(line.score * _BINS))].append(line)
    found = []
    for _, of_bin in sorted(bins.items()):
        count = len(of_bin)
        found.append((sum(line.score for line in of_bin) / count, sum(line.is_right for line in of_bin) / count, count))
    return found


def yields(lines: Sequence[Judged]) -> list[tuple[float, float]]:
    """What gates at ever lower confidence would let through: the share of all characters, and the share of lines that is
    right."""
    total = sum(len(line.text) for line in lines)
    num_chars = num_right = 0
    points = []
    for count, line in enumerate(sorted(lines, key=lambda line: -line.score), 1):
        num_chars += len(line.text)
        num_right += line.is_right
        if count >= _FEWEST:
            points.append((num_chars / total, num_right / count))
    return points


def _judged(page: Sample, lang: str, box: Box, text: str, confidence: float, reason: str) -> Judged:
    truth, is_right = score.truth(page, box), score.is_right(page, box, text)
    return Judged(lang, text, truth, confidence, is_right, not reason, reason in ("", "low_confidence"))


def _by_language(lines: Iterable[Judged]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = defaultdict(list)
    for line in lines:
        found[line.lang].append(line)
    return dict(sorted(found.items()))


def _row(lang: str, lines: Sequence[Judged], precision: float) -> dict[str, Any]:
    candidates = [line for line in lines if line.by_confidence]
    points = yields(candidates)
    total = sum(len(line.text) for line in candidates)
    most = max((share for share, of_lines in points if of_lines >= precision), default=0.0)
    return {
        "lang": lang,
        "num_lines": len(candidates),
        "num_others": len(lines) - len(candidates),
        "reliability": [(_x(mean), _y(share), 1.5 + min(4.0, count**0.5 / 6)) for mean, share, count in reliability(candidates)],
        "curve": " ".join(
            f"{_x(share)},{_y_of_precision(of_lines)}" for share, of_lines in _thinned(points) if of_lines >= _LEAST_PRECISION
        ),
        "at_precision": most,
        "accepted": sum(len(line.text) for line in candidates if line.is_accepted) / total if total else 0.0,
        "accepted_at": _x(sum(len(line.text) for line in candidates if line.is_accepted) / total) if total else 0.0,
        "promise_at": _y_of_precision(precision),
        "confusions": confusions(lines),
    }


def _thinned(points: Sequence[tuple[float, float]], most: int = 120) -> Sequence[tuple[float, float]]:
    step = max(1, len(points) // most)
    return [*points[::step], points[-1]] if points else []


def _x(share: float) -> float:
    return round(share * _WIDTH, 1)


def _y(share: float) -> float:
    return round((1 - share) * _HEIGHT, 1)


def _y_of_precision(share: float) -> float:
    return round(min(1.0, (1 - share) / (1 - _LEAST_PRECISION)) * _HEIGHT, 1)


def _visible(char: str) -> str:
    if not char:
        return "∅"
    if char.isspace():
        return "␣"
    return f"◌{char}" if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Mc") else char
