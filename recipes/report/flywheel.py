"""The flywheel's rounds, as sections of the report: how well its readers read, beside Tesseract, and crops to look at."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from markupsafe import Markup
from PIL import Image

from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_sample
from datagen.disk.storage import Folder
from datagen.record import Drop
from flywheel.rounds import card
from recipes.report import Section, asset, fill
from recipes.report.pages import seeded
from recipes.report.pictures import data_uri, decode

T = TypeVar("T")

ACCEPTED, REJECTED = 4, 1  # crops shown, of a language; and of a language and reason
_FULL_SCALE = 0.25  # error rate at the right end of a bar
_CROP_SIZE = (1600, 40)
_POOLS = ("train", "held_out", "fold_a", "fold_b")


@dataclass(frozen=True)
class Crop:
    """A crop in the report. `reason` is "" if it was accepted, `image` a data URI."""

    lang: str
    text: str
    score: float
    reason: str
    image: str


def flywheel_sections(
    name: str, rounds: list[dict[str, Any]], asides: list[str], last: Folder, pages: Folder, seed: int = 0
) -> list[Section]:
    """Sections over `rounds`, the metrics of each; none if there is no round.

    `name` is the step's, `last` the folder of the last round, and `pages` the dataset whose pages it read. `asides` are sentences
    about the rounds that are set aside.
    """
    if not rounds:
        return []
    css = asset("flywheel.css")
    crops = sorted([*_accepted(last, seed), *_rejected(last, pages, seed)], key=lambda crop: crop.lang)
    return [
        Section(f"{name}-error", f"{name}: error by language and round", _errors(rounds, asides), css),
        Section(f"{name}-labels", f"{name}: labels of round {rounds[-1]['round']}", _labels(rounds[-1], crops), css),
    ]


def _errors(rounds: list[dict[str, Any]], asides: list[str]) -> Markup:
    """A row for each language: a bar for each round with its interval, and a mark for Tesseract on the same lines."""
    languages = rounds[-1]["languages"]
    rows = []
    for lang, row in sorted(languages.items(), key=lambda item: (item[1]["script"], item[0])):
        if row["cer"] is None:
            continue
        of_rounds = [(r["round"], r["languages"].get(lang, {})) for r in rounds]
        measured = [{**r, "number": number} for number, r in of_rounds if r.get("cer") is not None]
        bars = [{**r, "at": _place(r["cer"]), "low_at": _place(r["cer_low"]), "high_at": _place(r["cer_high"])} for r in measured]
        counts = ", ".join(f"{row['pools'][pool]['pages']} {pool.replace('_', ' ')}" for pool in _POOLS)
        if num_lines := row["pools"].get("text", {}).get("lines", 0):
            counts += f", {num_lines:,} lines of text"
        if row.get("tested_on") == "typeset":
            counts += "; tested on typeset lines"
        tesseract_at = None if row["tesseract_cer"] is None else _place(row["tesseract_cer"])
        rows.append(
            {"existing_is_better": False, **row, "lang": lang, "rounds": bars, "tesseract_at": tesseract_at, "pools": counts}
        )
    refused = [(lang, row["not_served"]) for lang, row in languages.items() if row["not_served"]]
    return fill("rounds.html", rows=rows, refused=refused, asides=asides, full_scale=_FULL_SCALE)


def _place(rate: float) -> float:
    """The share of a bar that the error rate fills."""
    return min(1.0, rate / _FULL_SCALE)


def _labels(metrics: dict[str, Any], crops: list[Crop]) -> Markup:
    """What became of the lines on unlabelled pages, by language."""
    rows = [(lang, row) for lang, row in metrics["languages"].items() if row["num_accepted"] or row["rejected"]]
    reasons = sorted({reason for _, row in rows for reason in row["rejected"]})
    strata = metrics["gates"].items() if rows else ()
    gates = [(f"{name}, {stratum}", gate) for name, of_reader in strata for stratum, gate in of_reader.items()]
    detected = card.detected(metrics.get("detection", {}))
    pages = card.pages(metrics["pages"]) if metrics.get("pages", {}).get("num_read") else ""
    values = {"rows": rows, "labels": metrics["labels"], "pages": pages, "detected": detected}
    return fill("labels.html", **values, gates=gates, reasons=reasons, crops=crops)


def _accepted(folder: Folder, seed: int) -> Iterator[Crop]:
    rows = manifest.read(folder, [report.shard for report in read_reports(folder)]).to_pylist()
    for row in _few(rows, lambda row: (row["lang"],), lambda row: row["key"], ACCEPTED, seed):
        sample = read_sample(folder, row["shard"], row["offset"], row["bytes"])
        if image := decode(sample.image):
            yield Crop(sample.lang, sample.text, sample.regions[0].score or 0.0, "", _line(image))


def _rejected(folder: Folder, pages: Folder, seed: int) -> Iterator[Crop]:
    """Rejected lines, cut anew from their pages."""
    drops = [drop for report in read_reports(folder) for drop in report.drops if drop.readings]
    chosen = list(_few(drops, _lang_and_reason, lambda drop: drop.key, REJECTED, seed))
    wanted = {(drop.uri, drop.part.first) for drop in chosen if drop.part}
    rows = {}
    for part in manifest.parts(pages, [report.shard for report in read_reports(pages)] if wanted else []):
        for row in part.select(["uri", "page", "shard", "offset", "bytes"]).to_pylist():
            if (row["uri"], row["page"]) in wanted:
                rows[row["uri"], row["page"]] = row
    for drop in chosen:
        if drop.part and (row := rows.get((drop.uri, drop.part.first))):
            (reading,) = drop.readings
            if image := decode(read_sample(pages, row["shard"], row["offset"], row["bytes"]).image):
                yield Crop(reading.lang, reading.text, reading.score, drop.reason, _line(image.crop(reading.box)))


def _lang_and_reason(drop: Drop) -> tuple[str, ...]:
    return drop.readings[0].lang, drop.reason


def _few(items: Iterable[T], group: Callable[[T], tuple[str, ...]], key: Callable[[T], str], most: int, seed: int) -> Iterator[T]:
    """At most `most` items of each group, drawn by their keys."""
    groups: dict[tuple[str, ...], list[T]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    for _, members in sorted(groups.items()):
        yield from sorted(members, key=lambda item: seeded(seed, key(item)))[:most]


def _line(image: Image.Image) -> str:
    return data_uri(image.convert("L").convert("RGB"), _CROP_SIZE, 80)
