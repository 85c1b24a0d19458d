"""The flywheel's rounds in the report: the errors of their readers, beside Tesseract's, and crops to look at."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from markupsafe import Markup
from PIL import Image

from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_sample
from datagen.disk.storage import Folder
from flywheel.rounds import card
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.pages import seeded
from recipes.report.pictures import data_uri, decode
from recipes.report.readings import precision_of

T = TypeVar("T")

ACCEPTED, REJECTED = 4, 1  # shown crops of a language; and of a language and reason
_FULL_SCALE = 0.25  # error rate at the right end of a bar
_CROP_SIZE = (1600, 40)
_POOLS = ("train", "held_out", "fold_a", "fold_b")
_ERRORS = (
    "Character error rate on lines of documents that no reader learned from, with its 95% interval over resampled lines. The "
    f"mark is Tesseract on the same lines. A full bar is an error rate of {_FULL_SCALE:.0%} or more."
)
_LABELS = (
    "This round’s readers read these pages as images, line by line; PaddleOCR drew the lines’ boxes. Precision is the share of "
    "accepted pieces that agree letter for letter with the page’s text layer, which no reader sees, with its 95% interval."
)
_FOUND = "A line is found if boxes at its height cover 80% of its width."
_FIRST = 5  # accepted lines, and refused ones, that the report begins with
_SOURCES = {"typeset": "of typeset pages", "gold-images": "of people's lines"}
_GATES = ("gate", "opens at", "calibration pieces", "at or above, right", "bound, or why it stays shut")


class Crop(NamedTuple):
    """A read line. `reason` is "" if it was accepted, `image` a data URI."""

    lang: str
    text: str
    score: float
    reason: str
    image: str

    def card(self) -> Card:
        facts = (Cell(self.lang, "lang"), Cell(self.reason or "accepted", note=f"{self.score:.3f}"))
        return Card(self.image, facts, (("reading", cut(self.text, 300)),))


def flywheel_sections(
    name: str, rounds: list[dict[str, Any]], asides: list[str], last: Folder, pages: Folder, seed: int = 0
) -> list[Section]:
    """Sections over `rounds`, the metrics of each; none if there is no round. `name` is the step's, `last` the folder of the last
    round, and `pages` the dataset whose pages it read. `asides` are sentences about the rounds that are set aside."""
    if not rounds:
        return []
    accepted, refused = list(_accepted(last, seed)), list(_rejected(last, pages, seed))
    crops = sorted([*accepted, *refused], key=lambda crop: crop.lang)
    first = [*_in_turn(accepted), *_in_turn(refused)]
    return [
        Section(f"{name}-error", f"{name}: error by language and round", _errors(rounds, asides, first)),
        Section(f"{name}-labels", f"{name}: labels of round {rounds[-1]['round']}", _labels(rounds[-1], crops)),
    ]


def _in_turn(crops: Iterable[Crop]) -> list[Crop]:
    """At most `_FIRST` crops, one of each language in turn."""
    of_language: dict[str, int] = {}
    ranked = []
    for crop in crops:
        of_language[crop.lang] = of_language.get(crop.lang, 0) + 1
        ranked.append((of_language[crop.lang], crop))
    return [crop for _, crop in sorted(ranked, key=lambda one: one[0])][:_FIRST]


def _errors(rounds: list[dict[str, Any]], asides: list[str], crops: list[Crop]) -> Markup:
    """A row for each language: a bar for each round with its interval, and a mark for Tesseract on the same lines. Then some of
    the last round's lines."""
    languages = rounds[-1]["languages"]
    rows = []
    for lang, row in sorted(languages.items(), key=lambda item: (item[1]["script"], item[0])):
        if row["cer"] is None:
            continue
        of_rounds = [(r["round"], r["languages"].get(lang, {})) for r in rounds]
        measured = [(number, of) for number, of in of_rounds if of.get("cer") is not None]
        mark = None if row["tesseract_cer"] is None else _place(row["tesseract_cer"])
        bars = [blocks.rate("cer", _place(of["cer"]), _place(of["cer_low"]), _place(of["cer_high"]), mark) for _, of in measured]
        errors = [
            Cell(f"{number}: {of['cer']:.2%}", "num", f"({100 * of['cer_low']:.2f} to {100 * of['cer_high']:.2f})")
            for number, of in measured
        ]
        still = "still better" if row.get("existing_is_better") else ""
        rows.append(
            (
                Cell(lang, "lang"),
                Markup("").join(bars),
                Markup("<br>").join(map(blocks.show, errors)),
                Cell("not installed" if mark is None else f"{row['tesseract_cer']:.2%}", "num", still),
                Cell(f"{row['repetition_rate']:.2%}" if "repetition_rate" in row else "-", "num"),
                Cell(f"{row['num_lines']:,} lines, {row['num_chars']:,} characters", "num"),
                _learned(row),
            )
        )
    head = ("language", "", "error by round", "Tesseract", "repetition rate", "test lines", "pages")
    parts = [blocks.note(_ERRORS), blocks.table(head, rows), *map(blocks.note, asides)]
    if refused := [(Cell(lang, "code"), row["not_served"]) for lang, row in languages.items() if row["not_served"]]:
        parts += [blocks.heading("Not served", f"{len(refused)}"), blocks.table((), refused)]
    if crops:
        parts.insert(2, blocks.cards([crop.card() for crop in crops]))
        parts.insert(2, blocks.heading("Lines of the last round, accepted and refused"))
    return joined(*parts)


def _learned(row: dict[str, Any]) -> str:
    """A language's numbers of pages and lines."""
    counts = [f"{row['pools'][pool]['pages']} {pool.replace('_', ' ')}" for pool in _POOLS]
    if num_lines := row["pools"].get("text", {}).get("lines", 0):
        counts.append(f"{num_lines:,} lines of text")
    tested_on = {"typeset": "; tested on typeset lines", "gold": "; tested on people's lines"}
    return ", ".join(counts) + tested_on.get(row.get("tested_on", ""), "")


def _place(rate: float) -> float:
    """The share of a bar that the error rate fills."""
    return min(1.0, rate / _FULL_SCALE)


def _labels(metrics: dict[str, Any], crops: list[Crop]) -> Markup:
    """The results for lines on unlabelled pages, by language."""
    rows = [(lang, row) for lang, row in metrics["languages"].items() if row["num_accepted"] or row["rejected"]]
    parts = []
    if not rows:
        parts = [blocks.note("There was no page to read.")]
    else:
        labels, together = metrics["labels"], "No piece was accepted."
        num_judged = labels.get("num_judged", labels["num_accepted"])
        if num_judged:
            share = precision_of(labels)
            right = f"{labels['num_right']:,} of {num_judged:,} are right, {share.text} {share.note}"
            together = f"All languages together: {right}."
        detection = [f"{sentence.strip()} {_FOUND}" for sentence in card.detected(metrics.get("detection", {}))]
        pages = [card.pages(metrics["pages"])] if metrics.get("pages", {}).get("num_read") else []
        gates = [
            _gate(f"{name}, {stratum}", gate)
            for name, of_reader in metrics["gates"].items()
            for stratum, gate in of_reader.items()
        ]
        reasons = sorted({reason for _, row in rows for reason in row["rejected"]})
        head = ("language", "accepted", "precision", "characters let through", *(reason.replace("_", " ") for reason in reasons))
        of_langs = [_accepted_of(lang, row, reasons) for lang, row in rows]
        parts = [blocks.note(f"{_LABELS} {together}"), *map(blocks.note, pages), *map(blocks.note, detection)]
        parts += [blocks.table(_GATES, gates), blocks.table(head, of_langs)]
    if crops:
        parts += [blocks.heading("Crops"), blocks.cards([crop.card() for crop in crops])]
    return joined(*parts)


def _gate(name: str, gate: dict[str, Any]) -> tuple[Any, ...]:
    opens = "never" if gate["confidence"] is None else f"{gate['confidence']:.3f}"
    right = f"{gate['num_right']:,} of {gate['num_above']:,}" if gate["num_above"] else ""
    counts = [f"{count:,} {_SOURCES.get(name, 'of documents')}" for name, count in gate.get("sources", {}).items()]
    bound = (gate["reason"] or f"{gate['bound']:.1%}") + (f"; pieces: {', '.join(counts)}" if counts else "")
    return Cell(name, "code", ", ".join(gate["languages"])), Cell(opens, "num"), gate["num_lines"], Cell(right, "num"), bound


def _accepted_of(lang: str, row: dict[str, Any], reasons: list[str]) -> tuple[Any, ...]:
    passed = Cell("")
    if row.get("chars_read"):
        passed = Cell(f"{row['chars_accepted'] / row['chars_read']:.0%}", "num", f"of {row['chars_read']:,}")
    rejected = (row["rejected"].get(reason, 0) for reason in reasons)
    return Cell(lang, "code"), row["num_accepted"], precision_of(row), passed, *rejected


def _accepted(folder: Folder, seed: int) -> Iterator[Crop]:
    rows = manifest.read(folder, [report.shard for report in read_reports(folder)]).to_pylist()
    for row in _few(rows, lambda row: (row["lang"],), lambda row: row["key"], ACCEPTED, seed):
        sample = read_sample(folder, row["shard"], row["offset"], row["bytes"])
        if image := decode(sample.image):
            yield Crop(sample.lang, sample.text, sample.regions[0].score or 0.0, "", _line(image))


def _rejected(folder: Folder, pages: Folder, seed: int) -> Iterator[Crop]:
    """Rejected lines, cut from their pages again."""
    drops = [drop for report in read_reports(folder) for drop in report.drops if drop.readings]
    chosen = list(_few(drops, lambda drop: (drop.readings[0].lang, drop.reason), lambda drop: drop.key, REJECTED, seed))
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


def _few(items: Iterable[T], group: Callable[[T], tuple[str, ...]], key: Callable[[T], str], most: int, seed: int) -> Iterator[T]:
    """At most `most` items of each group, drawn by their keys."""
    groups: dict[tuple[str, ...], list[T]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    for _, members in sorted(groups.items()):
        yield from sorted(members, key=lambda item: seeded(seed, key(item)))[:most]


def _line(image: Image.Image) -> str:
    return data_uri(image.convert("L").convert("RGB"), _CROP_SIZE, 80)
