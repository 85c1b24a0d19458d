"""What a training learned, as sections of the report: its measurements, its loss curve, and samples read back."""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from datagen.disk.storage import Folder
from model.train.lines import read_lines
from recipes.report import Section, asset, fill
from recipes.report.curve import Points, chart
from recipes.report.pictures import data_uri, decode

IMAGES_BYTES = 400_000
TEXT_LIMIT = 8_000
SHOWN = 24  # samples of a dataset: an ablation's trainings keep all that they read


def train_sections(name: str, folder: Folder) -> list[Section]:
    """The sections of the training in `folder`, the folder of the step called `name`; none if it has done no step. One that goes
    on is shown as far as it has come.

    Images take at most `IMAGES_BYTES`.
    """
    metrics = json.loads(folder.read("metrics.json")) if folder.exists("metrics.json") else None
    if metrics is not None and "read" not in metrics:  # it was trained by an earlier version
        return []
    lines = list(read_lines(folder, "loss.jsonl"))
    if metrics is None and not any(line.get("loss") is not None for line in lines):
        return []
    rows = json.loads(folder.read("readback.json")) if folder.exists("readback.json") else []
    css = asset("train.css")
    readback = fill("readback.html", rows=list(with_images(_first(rows))), text_limit=TEXT_LIMIT)
    measurements = _so_far(lines) if metrics is None else _measurements(metrics, lines)
    return [
        Section(f"{name}-metrics", f"{name}: measurements", measurements, css),
        Section(f"{name}-readback", f"{name}: samples read back", readback, css),
    ]


def _so_far(lines: Sequence[dict]) -> Markup:
    """Of a training that goes on: its line of the last step, and of the last one that was measured."""
    measured = [line for line in lines if "held_out_loss" in line]
    meanwhile = [(line["step"], line["read"]) for line in lines if "read" in line]
    read = meanwhile[-1][1] if meanwhile else {}
    figures = [
        (f"{lines[-1]['step']:,}", "steps so far"),
        (_short(lines[-1]["num_tokens"]), "tokens of text learned from"),
    ]
    if measured:
        first, last = measured[0]["held_out_loss"], measured[-1]["held_out_loss"]
        said = f"loss on documents not learned from, nats a token, at step {measured[-1]['step']:,}"
        figures.append((f"{first:.2f} → {last:.2f}", said))
    looks = next((line for line in reversed(measured) if "looks" in line), {"looks": None})
    figures += _errors(read)
    return fill("training_now.html", figures=figures, looks=looks, read=read, meanwhile=meanwhile, curve=_curve(lines))


def _errors(read: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (f"{of['character_error_rate']:.1%}", f"character errors, {of['num']:,} of {kind.removeprefix('dataset ')}")
        for kind, of in read.items()
        if kind.startswith("dataset ")
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
    split = [(dataset, count, metrics["num_held_out"][dataset]) for dataset, count in metrics["num_train"].items()]
    left_out = metrics["num_skipped"]
    skipped = [(f"{name}: {reason}", left_out[name][reason]) for name in left_out for reason in left_out[name]]
    skipped += [(name, count) for name, count in counts.items() if name.startswith(("too_long ", "skipped "))]
    meanwhile = [(0, metrics["read_before"])] if metrics.get("read_before") else []
    meanwhile += [(line["step"], line["read"]) for line in lines if "read" in line]
    return fill(
        "training.html",
        figures=figures,
        metrics=metrics,
        looks={"looks": None} | metrics,
        not_read=sorted(metrics.get("not_read", {}).items()),
        split=split,
        skipped=skipped,
        read=read,
        meanwhile=[*meanwhile, (metrics["step"], read)] if meanwhile else [],
        curve=_curve(lines),
    )


def _curve(lines: Sequence[dict]) -> dict[str, Any]:
    """The loss over steps: each step's, its running mean, and that on other documents. Empty without any."""
    each = [(line["step"], line["loss"]) for line in lines if line.get("loss") is not None]
    others = [(line["step"], line["held_out_loss"]) for line in lines if "held_out_loss" in line]
    not_own = [(line["step"], line["other_image_loss"]) for line in lines if "other_image_loss" in line]
    if not each:
        return {}
    return chart([("each", each), ("smooth", _smooth(each)), ("not-own", not_own), ("held-out", others)], others)


def _smooth(points: Points) -> Points:
    """The running mean: pages and lines take turns, and their losses lie apart."""
    mean, smooth = points[0][1], []
    for number, (step, value) in enumerate(points):
        mean += (value - mean) / min(number + 1, 20)
        smooth.append((step, mean))
    return smooth


def _first(rows: Sequence[dict]) -> list[dict]:
    """The first rows of each dataset."""
    before: Counter[str] = Counter()
    shown = []
    for row in rows:
        name = row.get("dataset", "")
        before[name] += 1
        if before[name] <= SHOWN:
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
