"""A training in the report: its measurements, its loss curve, and samples read back."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from datagen.disk.storage import Folder
from model.train.lines import read_lines
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.curve import Points, chart
from recipes.report.pictures import data_uri, decode

IMAGES_BYTES = 400_000
TEXT_LIMIT = 8_000
DATASET = "dataset "  # before a dataset's name in the keys of readings
_RATES = (
    "A character error rate is Levenshtein’s distance over the length of the truth. Edit distance is over that of the longer "
    "text: 0 is exact, 1 is all wrong."
)
_LINES = (
    ("each", "each training step"),
    ("smooth", "their running mean"),
    ("held-out", "documents not learned from"),
    ("not-own", "the same with another’s image"),
)
SHOWN = 24  # samples of a dataset: an ablation's trainings keep all readings


def train_sections(name: str, folder: Folder) -> list[Section]:
    """The sections of the training in `folder`, the folder of the step called `name`; none before its first step. A running
    training is shown up to its present step. Images take at most `IMAGES_BYTES`."""
    metrics = json.loads(folder.read("metrics.json")) if folder.exists("metrics.json") else None
    if metrics is not None and "read" not in metrics:  # an earlier version trained it
        return []
    lines = list(read_lines(folder, "loss.jsonl"))
    if metrics is None and not any(line.get("loss") is not None for line in lines):
        return []
    rows = json.loads(folder.read("readback.json")) if folder.exists("readback.json") else []
    measurements = _so_far(lines) if metrics is None else _measurements(metrics, lines)
    return [
        Section(f"{name}-metrics", f"{name}: measurements", measurements),
        Section(f"{name}-readback", f"{name}: samples read back", _readback(rows)),
    ]


def _readback(rows: Sequence[dict]) -> Markup:
    if not rows:
        return blocks.note("No sample was read back.")
    cards = []
    for row, image in with_images(_first(rows)):
        facts = (Cell(row["lang"], "code", row["mode"]), Cell(f"distance {row['edit_distance']:.3f}", "num", row["prompt"]))
        cards.append(Card(image, facts, [(name, cut(row[name], TEXT_LIMIT)) for name in ("truth", "reading")]))
    note = "The network did not learn from these documents. Its readings stand here as they came, right or wrong."
    return joined(blocks.note(note), blocks.cards(cards))


def _so_far(lines: Sequence[dict]) -> Markup:
    """The last step's line of a running training, and the last line with measurements."""
    measured = [line for line in lines if "held_out_loss" in line]
    meanwhile = [(line["step"], line["read"]) for line in lines if "read" in line]
    read = meanwhile[-1][1] if meanwhile else {}
    figures = [
        (f"{lines[-1]['step']:,}", "steps so far"),
        (_short(lines[-1]["num_tokens"]), "tokens of text learned from"),
    ]
    if measured:
        first, last = measured[0]["held_out_loss"], measured[-1]["held_out_loss"]
        label = f"loss on documents not learned from, nats a token, at step {measured[-1]['step']:,}"
        figures.append((f"{first:.2f} → {last:.2f}", label))
    looks = next((line for line in reversed(measured) if "looks" in line), {"looks": None})
    figures += _errors(read)
    note = "It is still training, or has been stopped: this is what there was when the report was made."
    return joined(blocks.tiles(figures), blocks.note(f"{note} {_RATES}"), _read(looks, read, meanwhile), _curve(lines))


def _errors(read: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{of['character_error_rate']:.1%}", f"character errors, {of['num']:,} of {kind.removeprefix(DATASET)}")
        for kind, of in read.items()
        if kind.startswith(DATASET)
    ]


def _measurements(metrics: dict[str, Any], lines: Sequence[dict]) -> Markup:
    read, counts = metrics["read"], metrics["counts"]
    first, last = metrics["held_out_loss_first"], metrics["held_out_loss_last"]
    figures = [
        (_short(metrics["num_parameters"]), f"parameters, {_short(metrics['num_active_parameters'])} active a token"),
        (f"{metrics['step']:,}", "steps"),
        (_short(metrics["num_tokens"]), "tokens of text learned from"),
        (f"{first:.2f} → {last:.2f}", "loss on documents not learned from, nats a token"),
        *_errors(read),
        (
            f"{metrics['tokens_per_s']:,.0f}",
            f"positions a second, {metrics['speed']['data_wait']:.1%} of the time waiting for data",
        ),
        (f"{metrics['seconds']:,.0f} s", f"{metrics['threads']} threads, {metrics['precision']}"),
    ]
    left_out = metrics["num_skipped"]
    skipped = [(f"{name}: {reason}", left_out[name][reason]) for name in left_out for reason in left_out[name]]
    skipped += [(name, count) for name, count in counts.items() if name.startswith(("too_long ", "skipped "))]
    not_read = sorted(metrics.get("not_read", {}).items())
    sentences = [
        *(
            f"From {name} the network learned {count:,} samples and is measured on {metrics['num_held_out'][name]:,}."
            for name, count in metrics["num_train"].items()
        ),
        "No document is on both sides.",
        f"These samples were left out: {_counted(skipped)}." if skipped else "",
        f"Of the held-out samples to be read, {_counted(not_read)} could not be." if not_read else "",
        f"The network saw {counts['samples']:,} samples, in rows that were full to {metrics['fill']:.0%}.",
        f"The images of {counts.get('upsampled', 0):,} were smaller than their mode.",
        _RATES,
        "A page is compared with its whole text, even where the reading is cut short.",
    ]
    meanwhile = [(0, metrics["read_before"])] if metrics.get("read_before") else []
    meanwhile += [(line["step"], line["read"]) for line in lines if "read" in line]
    meanwhile += [(metrics["step"], read)] if meanwhile else []
    note = blocks.note(" ".join(filter(None, sentences)))
    return joined(blocks.tiles(figures), note, _read({"looks": None} | metrics, read, meanwhile), _curve(lines))


def _counted(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts)


def _read(looks: dict[str, Any], read: dict[str, Any], meanwhile: Sequence[tuple[int, dict[str, Any]]]) -> Markup:
    """Whether the network looks at the image, and its errors on held-out samples, at the end and before."""
    parts = []
    if looks["looks"] is not None:
        losses = (
            f"the loss is {looks['own_image_loss']:.3f} with a sample’s own image and {looks['other_image_loss']:.3f} "
            "with another’s"
        )
        blind = (f"The {losses[4:]}: what it says doesn’t follow from what it sees.", "It doesn’t look.")
        parts.append(blocks.note(f"It looks: {losses}.") if looks["looks"] else blocks.note(*blind))
    errors = [
        (kind, of["num"], _rate(of), Cell(f"{of['edit_distance']:.3f}", "num"), Cell(f"{of['loops']:.0%}", "num"))
        for kind, of in read.items()
    ]
    parts.append(blocks.table(("read", "samples", "character errors", "edit distance", "repetition rate"), errors))
    if meanwhile:
        kinds = [kind for kind in read if kind.startswith(DATASET)]
        by_step = [(step, *(_rate(of[kind]) if kind in of else "" for kind in kinds)) for step, of in meanwhile]
        parts.append(blocks.table(("character errors by step", *(kind.removeprefix(DATASET) for kind in kinds)), by_step))
    return joined(*parts)


def _rate(of: dict[str, Any]) -> Cell:
    return Cell(f"{of['character_error_rate']:.1%}", "num")


def _curve(lines: Sequence[dict]) -> Markup:
    """The loss over steps: each step's, its running mean, and that on other documents."""
    each = [(line["step"], line["loss"]) for line in lines if line.get("loss") is not None]
    others = [(line["step"], line["held_out_loss"]) for line in lines if "held_out_loss" in line]
    not_own = [(line["step"], line["other_image_loss"]) for line in lines if "other_image_loss" in line]
    drawn = each and chart([("each", each), ("smooth", _smooth(each)), ("not-own", not_own), ("held-out", others)], others)
    if not drawn:
        return blocks.note("There is no loss curve, since no step was measured.")
    return blocks.curve(drawn, "Loss", "nats a token of text, by step", _LINES)


def _smooth(points: Points) -> Points:
    """The running mean: pages and lines take turns, and their losses differ."""
    mean, smooth = points[0][1], []
    for number, (step, value) in enumerate(points):
        mean += (value - mean) / min(number + 1, 20)
        smooth.append((step, mean))
    return smooth


def _first(rows: Sequence[dict]) -> list[dict]:
    before: Counter[str] = Counter()
    shown = []
    for row in rows:
        before[row.get("dataset", "")] += 1
        if before[row.get("dataset", "")] <= SHOWN:
            shown.append(row)
    return shown


def with_images(rows: Sequence[dict]) -> Iterator[tuple[dict, str]]:
    """Each row with its sample's image as a data URI, "" if there is none within its share of the bytes."""
    for row in rows:
        image = decode(base64.b64decode(row["image"]))
        sizes = ((640, 75), (480, 60), (320, 50), (200, 40)) if image else ()
        uris = (data_uri(image, (side, side), quality) for side, quality in sizes if image)
        yield row, next((uri for uri in uris if len(uri) <= IMAGES_BYTES // len(rows)), "")


def _short(number: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:,}"
