"""The flywheel's rounds, as sections of the report: how well its readers read, beside Tesseract, and crops to look at."""

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from datagen import manifest
from datagen.record import Box, Drop, Sample
from datagen.shards import read_report, read_reports, read_sample
from datagen.storage import Folder
from flywheel.step import round_metrics
from recipes.report import Section, escape

ACCEPTED, REJECTED = 4, 1  # crops shown, of a language; and of a language and reason
_FULL_SCALE = 0.25  # error rate at the right end of a bar
_CROP_HEIGHT = 40


@dataclass(frozen=True)
class Shown:
    """A crop in the report. `reason` is "" for what was accepted."""

    lang: str
    text: str
    score: float
    reason: str
    image: Image.Image


def flywheel_sections(out: Folder, pages: str, seed: int = 0) -> list[Section]:
    """Sections over the rounds in `out`, which read pages of the dataset `pages`; none if there is no round."""
    rounds = round_metrics(out)
    if not rounds:
        return []
    number, last = len(rounds), rounds[-1]
    return [
        Section("flywheel-error", "flywheel: error by language and round", _errors(rounds)),
        Section("flywheel-labels", f"flywheel: what round {number} labelled", _labels(last) + _crops(out, pages, number, seed)),
    ]


def _errors(rounds: list[dict[str, Any]]) -> str:
    """A row a language: a bar a round with its interval, and a mark where Tesseract stands on the same lines."""
    rows = rounds[-1]["languages"]
    served = [lang for lang, row in rows.items() if row["cer"] is not None]
    parts = [
        '<p class="note">Character error rate on held-out lines, with its 95% interval over resampled lines; the mark is '
        f"Tesseract on the same lines. A bar that fills its track is {100 * _FULL_SCALE:.0f}% or more.</p>",
        '<table class="rounds"><thead><tr><th>language</th><th></th><th>error by round</th><th>Tesseract</th><th>held out</th>'
        "<th>pools</th></tr></thead><tbody>",
    ]
    for lang in sorted(served, key=lambda lang: (rows[lang]["script"], lang)):
        row = rows[lang]
        found = [r["languages"][lang] for r in rounds if r["languages"].get(lang, {}).get("cer") is not None]
        bars = "".join(_bar(of_round, row["tesseract_cer"]) for of_round in found)
        figures = "<br>".join(_figure(of_round) for of_round in found)
        witness = "not installed" if row["tesseract_cer"] is None else f"{100 * row['tesseract_cer']:.2f}%"
        parts.append(
            f'<tr><td><code>{escape(lang)}</code> <span data-lang-name="{escape(lang)}"></span></td>'
            f'<td class="bars">{bars}</td>'
            f'<td class="num">{figures}</td><td class="num">{witness}</td>'
            f'<td class="num">{row["num_lines"]:,} lines, {row["num_chars"]:,} characters</td>'
            f"<td>{_pools(row['pools'])}</td></tr>"
        )
    parts.append("</tbody></table>")
    refused = {lang: row for lang, row in rows.items() if row["not_served"]}
    if refused:
        said = "".join(f"<li><code>{escape(lang)}</code> {escape(row['not_served'])}</li>" for lang, row in refused.items())
        parts.append(f"<h3>Not served <small>{len(refused)}</small></h3><ul>{said}</ul>")
    return "".join(parts)


def _bar(row: dict[str, Any], witness: float | None) -> str:
    def percent(rate: float) -> str:
        return f"{100 * min(1.0, rate / _FULL_SCALE):.2f}%"

    mark = f'<b style="left:{percent(witness)}"></b>' if witness is not None else ""
    low, high = row["cer_low"], row["cer_high"]
    width = f"{100 * min(1.0, high / _FULL_SCALE) - 100 * min(1.0, low / _FULL_SCALE):.2f}%"
    return (
        f'<span class="track"><i style="width:{percent(row["cer"])}"></i>'
        f'<u style="left:{percent(low)};width:{width}"></u>{mark}</span>'
    )


def _figure(row: dict[str, Any]) -> str:
    return f"{100 * row['cer']:.2f}% <small>({100 * row['cer_low']:.2f} to {100 * row['cer_high']:.2f})</small>"


def _pools(pools: dict[str, Any]) -> str:
    counts = ", ".join(f"{pools[name]['pages']} {name}" for name in ("train", "calibration", "test", "unlabelled"))
    return f"{escape(pools['kind'].replace('_', ' '))}; pages: {counts}"


def _labels(metrics: dict[str, Any]) -> str:
    """What became of the lines on unlabelled pages, by language."""
    read = {lang: row for lang, row in metrics["languages"].items() if row["num_accepted"] or row["rejected"]}
    if not read:
        return '<p class="note">There was no page to read.</p>'
    reasons = sorted({reason for row in read.values() for reason in row["rejected"]})
    head = "".join(f"<th>{escape(reason.replace('_', ' '))}</th>" for reason in reasons)
    parts = [
        '<p class="note">Pages read as images: lines found by PaddleOCR, read by this round’s reader. Precision is the share of '
        "accepted lines that the text layer, hidden from the reader, has letter for letter.</p>",
        '<table class="rounds"><thead><tr><th>language</th><th>accepted</th><th>precision</th><th>threshold</th>'
        f"{head}</tr></thead>",
    ]
    for lang, row in read.items():
        precision = "" if row["precision"] is None else f"{100 * row['precision']:.1f}%"
        limit = "none fits" if row["threshold"] is None else f"{row['threshold']:.3f}"
        cells = "".join(f'<td class="num">{row["rejected"].get(reason, 0):,}</td>' for reason in reasons)
        parts.append(
            f'<tr><td><code>{escape(lang)}</code></td><td class="num">{row["num_accepted"]:,}</td>'
            f'<td class="num">{precision}</td><td class="num">{limit}</td>{cells}</tr>'
        )
    return "".join([*parts, "</table>"])


def _crops(out: Folder, pages: str, number: int, seed: int) -> str:
    shown = sorted([*_accepted(out.sub(f"round-{number}"), seed), *_rejected(out, pages, number, seed)], key=lambda s: s.lang)
    parts = ['<h3>Crops</h3><table class="crops"><tbody>']
    for crop in shown:
        said = (
            f'<span class="accepted">accepted</span> {crop.score:.3f}'
            if not crop.reason
            else f"{escape(crop.reason)} {crop.score:.3f}"
        )
        parts.append(
            f'<tr><td><code>{escape(crop.lang)}</code></td><td><img alt="" src="{_data_uri(crop.image)}"><br>'
            f'<span dir="auto">{escape(crop.text, 300)}</span></td><td>{said}</td></tr>'
        )
    return "".join([*parts, "</tbody></table>"]) if shown else ""


def _accepted(folder: Folder, seed: int) -> Iterator[Shown]:
    rows = manifest.read(folder, [r.shard for r in read_reports(folder)]).to_pylist()
    for row in _few(rows, lambda row: (row["lang"],), lambda row: row["key"], ACCEPTED, seed):
        sample = read_sample(folder, row["shard"], row["offset"], row["bytes"])
        score = sample.regions[0].score
        yield Shown(sample.lang, sample.text, score or 0.0, "", _open(sample))


def _rejected(out: Folder, pages: str, number: int, seed: int) -> Iterator[Shown]:
    """Rejected lines, cut anew from their pages."""
    drops = [d for r in read_reports(out.sub(f"round-{number}")) for d in r.drops if d.key]
    chosen = list(_few(drops, _lang_and_reason, lambda d: d.key, REJECTED, seed))
    wanted = {(d.uri, d.page) for d in chosen}
    folder = out.sub(pages)
    found = {}
    for report in read_reports(folder):
        part = manifest.read_part(folder, report.shard)
        for row in part.select(["uri", "page", "shard", "offset", "bytes"]).to_pylist():
            if (row["uri"], row["page"]) in wanted:
                found[row["uri"], row["page"]] = row
    for drop in chosen:
        place = found.get((drop.uri, drop.page))
        if place is not None and read_report(folder, place["shard"]):
            detail = json.loads(drop.detail)
            box = Box(*detail["box"])
            image = _open(read_sample(folder, place["shard"], place["offset"], place["bytes"])).crop(box)
            yield Shown(detail["lang"], detail["text"], detail["score"], drop.reason, image)


def _lang_and_reason(drop: Drop) -> tuple[str, ...]:
    return json.loads(drop.detail)["lang"], drop.reason


def _few(items: Iterable[Any], group: Any, key: Any, most: int, seed: int) -> Iterator[Any]:
    """At most `most` items of each group, drawn by their keys."""
    groups: dict[tuple[str, ...], list[Any]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    for _, found in sorted(groups.items()):
        yield from sorted(found, key=lambda item: hashlib.sha256(f"{seed}/{key(item)}".encode()).digest())[:most]


def _open(sample: Sample) -> Image.Image:
    assert sample.image is not None
    return Image.open(io.BytesIO(sample.image))


def _data_uri(image: Image.Image) -> str:
    image = image.convert("L")
    if image.height > _CROP_HEIGHT:
        image = image.resize((max(1, image.width * _CROP_HEIGHT // image.height), _CROP_HEIGHT))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
