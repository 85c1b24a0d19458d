"""What a training learned, as sections of the report: its measurements, its loss curve, and held-out samples read back.

Their styles are in `train.css`, beside `report.css`.
"""

import base64
import io
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from datagen.record import Sample
from datagen.storage import Folder
from recipes.report import Section, escape

NAME = "train"
IMAGES_BYTES = 400_000
TEXT_LIMIT = 600
# The curve's own units; the page scales it.
_WIDTH, _HEIGHT = 900, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34


def train_sections(folder: Folder, load: Callable[[dict], Sample]) -> list[Section]:
    """The sections of the training in `folder` (`out/train`); none if it isn't finished.

    `load(row)` returns the sample of a row that has dataset, shard, offset and bytes. Images take at most `IMAGES_BYTES`.
    """
    if not folder.exists("metrics.json"):
        return []
    metrics = json.loads(folder.read("metrics.json"))
    lines = [json.loads(line) for line in folder.read("loss.jsonl").splitlines()]
    rows = json.loads(folder.read("readback.json"))
    return [
        Section(f"{NAME}-metrics", f"{NAME}: what was learned", _tiles(metrics) + _conditions(metrics) + _curve(lines)),
        Section(f"{NAME}-readback", f"{NAME}: held-out samples read back", _readback(rows, load)),
    ]


def _tiles(metrics: dict[str, Any]) -> str:
    distance, num_read = metrics["edit_distance"], metrics["num_read"]
    first, last = metrics["held_out_loss_first"], metrics["held_out_loss_last"]
    tiles = [
        (_short(metrics["num_parameters"]), f"parameters, {_short(metrics['num_active_parameters'])} active a token"),
        (f"{metrics['step']:,}", "steps"),
        (_short(metrics["num_tokens"]), "tokens of text learned from"),
        (f"{first:.2f} → {last:.2f}", "held-out loss, nats a token"),
        *[(f"{distance[kind]:.3f}", f"edit distance, {num_read[kind]:,} held-out {kind}s") for kind in distance if kind != "all"],
        (f"{metrics['seconds']:,.0f} s", f"{metrics['threads']} threads, {metrics['precision']}"),
    ]
    return f'<ul class="tiles">{"".join(f"<li><b>{escape(value)}</b> {escape(label)}</li>" for value, label in tiles)}</ul>'


def _conditions(metrics: dict[str, Any]) -> str:
    train, held_out = metrics["num_train"], metrics["num_held_out"]
    split = ", ".join(f"{train[kind]:,} {kind}s to learn from and {held_out[kind]:,} held out" for kind in train)
    skipped = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in metrics["num_skipped"].items())
    said = (
        f"{split}; a document is on one side only. {f'Passed over: {skipped}. ' if skipped else ''}"
        f"Of {metrics['num_samples']:,} samples seen, {metrics['num_truncated']:,} had an answer longer than the sequence, which "
        f"was cut without an end mark, and {metrics['num_upsampled']:,} an image smaller than its mode. Edit distance is "
        "Levenshtein’s over the longer text: 0 is exact, 1 nothing right; a page’s truth is its whole text, however short the "
        "reading is kept."
    )
    return f'<p class="note">{escape(said)}</p>'


def _curve(lines: Sequence[dict]) -> str:
    """The loss over steps as SVG: every step's, its running mean, and the held-out samples'."""
    each = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    held_out = [(line["step"], line["held_out_loss"]) for line in lines if "held_out_loss" in line]
    values = [value for _, value in each + held_out]
    if not each or not all(map(math.isfinite, values)):
        return '<p class="note">No loss curve: no step was measured.</p>'
    last_step = max(step for step, _ in each + held_out)
    unit = _unit((max(values) - min(values)) / 5)
    low, high = math.floor(min(values) / unit) * unit, math.ceil(max(values) / unit) * unit
    high = max(high, low + unit)

    def x(step: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(1, last_step)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    def path(points: Sequence[tuple[int, float]], kind: str) -> str:
        return f'<polyline class="{kind}" points="{" ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in points)}"/>'

    out = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Loss by step" stroke="currentColor" fill="currentColor">'
    ]
    for n in range(round((high - low) / unit) + 1):
        at = y(low + n * unit)
        out.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(f'<text stroke="none" text-anchor="end" x="{_LEFT - 8}" y="{at + 4:.1f}">{low + n * unit:.4g}</text>')
    step_unit = max(1, round(_unit(last_step / 8)))
    for step in range(0, last_step + 1, step_unit):
        out.append(f'<text stroke="none" text-anchor="middle" x="{x(step):.1f}" y="{_HEIGHT - _BOTTOM + 18}">{step:,}</text>')
    out += [path(each, "each"), path(_smooth(each), "smooth"), path(held_out, "held-out")]
    out += [
        f'<circle stroke="none" cx="{x(s):.1f}" cy="{y(v):.1f}" r="3"><title>step {s:,}: {v:.3f}</title></circle>'
        for s, v in held_out
    ]
    out.append("</svg>")
    legend = (("each", "each training step"), ("smooth", "their running mean"), ("held-out", "held-out documents"))
    marks = "".join(f'<span><i class="{kind}"></i>{label}</span>' for kind, label in legend)
    head = f'<h3>Loss <small>nats a token of text, by step</small></h3><p class="legend">{marks}</p>'
    return f'<div class="curve">{head}{"".join(out)}</div>'


def _smooth(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """The running mean: pages and lines take turns, and their losses lie apart."""
    mean, out = points[0][1], []
    for number, (step, value) in enumerate(points):
        mean += (value - mean) / min(number + 1, 20)
        out.append((step, mean))
    return out


def _unit(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-6)))
    return next(unit * power for unit in (1, 2, 5, 10) if unit * power >= least * (1 - 1e-9))


def _readback(rows: Sequence[dict], load: Callable[[dict], Sample]) -> str:
    if not rows:
        return '<p class="note">No held-out sample was read back.</p>'
    budget = IMAGES_BYTES // len(rows)
    out = [
        '<p class="note">The network never saw these documents. What it says stands here as it came, right or wrong.</p>',
        '<table class="readback"><colgroup><col><col class="narrow"><col><col></colgroup>',
        "<thead><tr><th>image</th><th>prompt</th><th>truth</th><th>reading</th></tr></thead><tbody>",
    ]
    for row in rows:
        picture = _picture(load(row), budget)
        out.append(
            f"<tr><td>{picture}</td>"
            f"<td><code>{escape(row['lang'])}</code> {escape(row['task'])}<br><small>{escape(row['prompt'])}</small><br>"
            f'<span class="num">distance {row["edit_distance"]:.3f}</span></td>'
            f'<td class="text">{escape(row["truth"], TEXT_LIMIT)}</td>'
            f'<td class="text">{escape(row["reading"], TEXT_LIMIT)}</td></tr>'
        )
    return "".join([*out, "</tbody></table>"])


def _picture(sample: Sample, max_bytes: int) -> str:
    """The sample's image as an `img` whose data takes at most `max_bytes`; none if that can't be had."""
    with Image.open(io.BytesIO(sample.image or b"")) as opened:
        image = opened.convert("RGB")
    for side, quality in ((640, 75), (480, 60), (320, 50), (200, 40)):
        small = image.copy()
        small.thumbnail((side, side))
        file = io.BytesIO()
        small.save(file, "JPEG", quality=quality)
        data = base64.b64encode(file.getvalue())
        if len(data) <= max_bytes:
            w, h = small.size
            return f'<img width="{w}" height="{h}" alt="" loading="lazy" src="data:image/jpeg;base64,{data.decode()}">'
    return '<span class="note">The image is too large to show.</span>'


def _short(n: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:,}"
