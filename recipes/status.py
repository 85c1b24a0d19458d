"""What there is in an output: read from its shards' reports alone, so it is true during a run, after it, and after a kill."""

import json
from collections import Counter
from pathlib import Path

from datagen import census, dataset, marks, tombstones
from datagen.shards import ShardReport, read_reports
from datagen.storage import Folder
from flywheel.step import round_metrics


def datasets(out: str) -> list[Folder]:
    """The dataset folders of an output, or the one that `out` itself is. Raises `ValueError` if there is none."""
    folder = Folder(out)
    if folder.exists("census"):
        return [folder]
    found = [f for f in (folder.sub(name) for name in _folders(folder)) if f.exists("census")]
    if not found:
        raise ValueError(f"out={out}: no output of pagewheel there")
    return found


def status(out: str) -> str:
    """A paragraph a step: done, left, pages/s, dropped by reason."""
    lines = [_status(folder) for folder in datasets(out)]
    lines += _rounds(Folder(out)) + _training(Folder(out)) + _forgotten(Folder(out))
    report = Folder(out).sub("report")
    if report.exists("index.html"):
        lines.append(f"report: {report.path('index.html')}")
    return "\n".join(lines)


def verify(out: str) -> tuple[str, bool]:
    """A line for everything that differs, and whether nothing does."""
    lines: list[str] = []
    clean = True
    for folder in datasets(out):
        num_shards = num_faults = 0
        for shard, faults in dataset.verify(folder):
            num_shards += bool(shard)
            num_faults += len(faults)
            lines.extend(f"{Path(folder.url).name}: {fault}" for fault in faults)
        lines.append(f"{Path(folder.url).name}: {num_shards} shards read, {num_faults} faults")
        clean = clean and not num_faults
    return "\n".join(lines), clean


def _status(folder: Folder) -> str:
    reports = read_reports(folder)
    num_shards = len(census.assigned(folder))
    samples, num_bytes = sum(r.num_samples for r in reports), sum(r.num_bytes for r in reports)
    lines = [
        f"{Path(folder.url).name}: {len(reports)} of {num_shards} shards done, {num_shards - len(reports)} left; "
        f"{samples:,} samples, {num_bytes / 1e6:,.1f} MB, {rate(reports):.1f} pages/s"
    ]
    drops = Counter(d.reason for r in reports for d in r.drops)
    lines += [f"  dropped {n:,} {reason}" for reason, n in drops.most_common()]
    marked = Counter(marks.read(folder)["mark"].to_pylist())
    lines += [f"  marked {n:,} {mark}" for mark, n in marked.most_common()]
    return "\n".join(lines)


def _rounds(out: Folder) -> list[str]:
    """A line a round: error by language."""
    lines = []
    for metrics in round_metrics(out):
        rows = metrics["languages"]
        errors = [f"{lang} {100 * row['cer']:.2f}%" for lang, row in rows.items() if row["cer"] is not None]
        accepted = sum(row["num_accepted"] for row in rows.values())
        lines.append(f"round-{metrics['round']}: character error {', '.join(errors)}; {accepted:,} lines labelled")
    return lines


def _training(out: Folder) -> list[str]:
    if not out.exists("train/metrics.json"):
        return []
    metrics = json.loads(out.read("train/metrics.json"))
    first, last = metrics["held_out_loss_first"], metrics["held_out_loss_last"]
    return [f"train: {metrics['step']} steps, held-out loss {first:.2f} -> {last:.2f} nats a token"]


def _forgotten(out: Folder) -> list[str]:
    """A line a source that was taken out."""
    lines = []
    for tombstone in tombstones.read(out):
        what = f"uri={tombstone.uri}" if tombstone.uri else f"sha256={tombstone.sha256}"
        learned = f"; had learned from it: {', '.join(tombstone.trained)}" if tombstone.trained else ""
        lines.append(f"forgotten: {what}{'' if tombstone.done else ' (under way: run again)'}{learned}")
    return lines


def rate(reports: list[ShardReport]) -> float:
    """Samples a second over the time in which any shard was being made: pauses between runs don't count."""
    busy, until = 0.0, 0.0
    for started, finished in sorted((r.started, r.finished) for r in reports):
        busy += max(0.0, finished - max(started, until))
        until = max(until, finished)
    return sum(r.num_samples for r in reports) / busy if busy else 0.0


def _folders(folder: Folder) -> list[str]:
    try:
        return sorted(
            f["name"].rsplit("/", 1)[-1] for f in folder.fs.ls(folder.path(""), detail=True) if f["type"] == "directory"
        )
    except (FileNotFoundError, NotADirectoryError):
        return []
