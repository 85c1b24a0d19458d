"""A dataset folder made by a pipeline: what is left to do, doing it, and the files that sum it up.

census/    which shard reads what, a part a generation      written before the first shard
shards/    tars, and the report beside each                 written by workers
manifest/  a Parquet part a shard                           written by workers
marks/     rows about samples that later steps add
drops.jsonl  README.md  run.json                            rebuilt from the above when something ran
"""

import contextlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import filelock

from datagen import census, manifest
from datagen.card import dataset_card
from datagen.census import Assigned, Document
from datagen.pipeline import Pipeline, fingerprint, run_shard, shard_task
from datagen.runner import Runner
from datagen.shards import ShardReport, read_reports, shard_name, verify_shard
from datagen.storage import Folder

log = logging.getLogger(__name__)

CONTENTS = ("census", "shards", "manifest", "marks", "drops.jsonl", "README.md", "run.json")
Progress = Callable[[ShardReport], None]


@dataclass(frozen=True)
class Plan:
    """What a pipeline would do to its dataset: all shards, those that are committed (`held`), and those to make."""

    shards: list[Assigned]
    held: list[ShardReport]
    todo: list[Assigned]
    description: dict[str, Any]

    @property
    def num_documents(self) -> int:
        return len({d.uri for shard in self.todo for d in shard.inputs})


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the reports of all committed shards, the errors of those that failed, and the share of documents that gave
    no sample."""

    reports: list[ShardReport]
    failed: dict[str, BaseException]
    drop_share: float


@contextlib.contextmanager
def lock(folder: Folder) -> Iterator[None]:
    """One run at a time on a local output. The kernel lets go of it when the run dies, however it dies."""
    if folder.local is None:
        yield
        return
    folder.local.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(folder.local / ".lock")
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(f"another run is writing to {folder.url}: wait for it, or choose another out=…") from None
    with held:
        yield


def plan(pipeline: Pipeline, folder: Folder, runner: Runner, commit: bool) -> Plan:
    """What there is to do. Lists the census; with `commit`, assigns new documents to shards durably.

    Raises `ValueError` if there is nothing to read, or the folder holds shards of another recipe or of inputs that changed.
    """
    description = pipeline.description()
    _refuse_another(folder, description)
    assigned = census.assigned(folder)
    held = {d.uri: d for shard in assigned for d in shard.inputs}
    documents = pipeline.census.documents()
    new = census.new_documents(documents, assigned)
    if pipeline.deep:
        new = _probed(pipeline, new, runner)
    if pipeline.limit:
        known = held | {d.uri: d for d in new}
        chosen = census.choose([known[d.uri] for d in documents], pipeline.limit, pipeline.seed)
        new = [d for d in chosen if d.uri not in held][: max(0, pipeline.limit - len(held))]
    if new:
        shards = pipeline.source.split(new)
        if commit:
            _write_run(folder, description, {})
            assigned += census.add_generation(folder, shards, assigned)
        else:
            assigned += census.numbered(shards, assigned)
    reports = {r.shard: r for r in read_reports(folder)}
    todo = [s for s in assigned if shard_name(pipeline.name, s.index) not in reports]
    return Plan(assigned, list(reports.values()), todo, description)


def build(
    pipeline: Pipeline,
    folder: Folder,
    todo: Plan,
    runner: Runner,
    run: dict[str, Any],
    progress: Progress = lambda r: None,
) -> Outcome:
    """Make the shards of `todo`. One that fails is reported and the others finish. `run` is what run.json says of this run."""
    started = time.time()
    tasks = (shard_task(pipeline, folder.url, assigned, todo.description) for assigned in todo.todo)
    new: list[ShardReport] = []
    failed: dict[str, BaseException] = {}
    for task, report, error in runner.map(run_shard, tasks, needs=pipeline.needs) if todo.todo else ():
        if report is not None:
            new.append(report)
            progress(report)
        else:
            assert error is not None
            failed[task.shard] = error
            log.error("%s failed: %s: %s", task.shard, type(error).__name__, error, exc_info=error)
    reports = sorted([*todo.held, *new], key=lambda r: r.shard)
    documents = {d.uri for shard in todo.shards if shard_name(pipeline.name, shard.index) not in failed for d in shard.inputs}
    fruitful = summarise(folder, pipeline.name, reports)
    if todo.todo:
        times = {
            "started": round(started, 3),
            "finished": round(time.time(), 3),
            "shards": len(new),
            "failed": len(failed),
        }
        _write_run(folder, todo.description, run | times)
    return Outcome(reports, failed, len(documents - fruitful) / len(documents) if documents else 0.0)


def summarise(folder: Folder, name: str, reports: list[ShardReport]) -> set[str]:
    """Rebuild what the shards' reports and manifest parts say together, drops.jsonl and the dataset card, where it isn't what is
    there; returns the uris that gave samples."""
    drops = [json.dumps(d.to_dict(), ensure_ascii=False) for r in reports for d in r.drops]
    folder.write("drops.jsonl", "".join(f"{line}\n" for line in drops).encode())
    table = manifest.read(folder, [r.shard for r in reports])
    folder.write("README.md", dataset_card(name, table, reports).encode())
    return set(table["uri"].unique().to_pylist())


def clear(folder: Folder) -> None:
    """Delete a dataset that a pipeline made here, and nothing else that lies in the folder."""
    for name in CONTENTS:
        folder.remove(name)


def verify(folder: Folder) -> Iterator[tuple[str, list[str]]]:
    """Each committed shard with what differs from its report and its manifest part; then "" with what belongs to no shard."""
    reports = read_reports(folder)
    for report in reports:
        faults = verify_shard(folder, report)
        try:
            rows = manifest.read_part(folder, report.shard).num_rows
            if rows != report.num_samples:
                faults.append(f"manifest/{report.shard}.parquet: {rows} rows, the shard's report says {report.num_samples}")
        except Exception as error:  # pyarrow's own types, for whatever the bytes may be
            faults.append(f"manifest/{report.shard}.parquet: {type(error).__name__}: {error}")
        yield report.shard, faults
    committed = {r.shard for r in reports}
    assigned = {s.index for s in census.assigned(folder)}
    extra = [n for n in folder.sub("shards").names(".tar") if n.removesuffix(".tar") not in committed]
    extra = [f"shards/{n}: no report commits it (an interrupted run; run again)" for n in extra]
    missing = len(assigned) - len(reports)
    yield "", extra + ([f"{missing} shards of the census are not made yet (run again)"] if missing > 0 else [])


def _probed(pipeline: Pipeline, documents: list[Document], runner: Runner) -> list[Document]:
    """`documents` with what looking inside tells, in their order."""
    found = {}
    for document, probed, error in runner.map(pipeline.source.probe, documents):
        if error is not None:
            raise error
        found[document.uri] = probed or document
    return [found[d.uri] for d in documents]


def _refuse_another(folder: Folder, description: dict[str, Any]) -> None:
    """Raise `ValueError`, naming what differs, if the folder's shards come from another recipe or other engines."""
    if not folder.exists("run.json"):
        return
    held = json.loads(folder.read("run.json"))
    if held["fingerprint"] == fingerprint(description):
        return
    theirs, ours = _flat(held["description"]), _flat(description)
    differing = [name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)]
    said = ", ".join(f"{name} {theirs.get(name)} -> {ours.get(name)}" for name in differing[:3])
    raise ValueError(
        f"{folder.url} was made differently ({said}{', …' if len(differing) > 3 else ''}): "
        "start a new output with out=…, or replace this one with overwrite=1"
    )


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        items = {str(v.get("type", i) if isinstance(v, dict) else i): v for i, v in enumerate(value)}.items()
    else:
        return {name: value}
    return {k: v for key, item in items for k, v in _flat(item, f"{name}.{key}".lstrip(".")).items()}


def _write_run(folder: Folder, description: dict[str, Any], run: dict[str, Any]) -> None:
    """Record what makes this dataset's bytes, and append a run to the list of those that worked on it."""
    runs = json.loads(folder.read("run.json"))["runs"] if folder.exists("run.json") else []
    if run:
        runs.append(run)
    record = {"fingerprint": fingerprint(description), "description": description, "runs": runs}
    folder.write("run.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
