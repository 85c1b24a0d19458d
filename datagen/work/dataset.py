"""The folder of a dataset that a pipeline makes: plan the shards, build them, and write the files that summarise them.

census/    the items that each shard reads, a part for each generation    written before the first shard
shards/    a tar and a report for each shard                              written by workers
manifest/  a Parquet part for each shard                                  written by workers
marks/     rows about samples                                             added by later steps
patches/   people's corrections                                           kept by `make patch`
drops.jsonl  README.md  run.json                                          rebuilt from the above after each run
"""

import contextlib
import itertools
import json
import logging
import operator
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import filelock

from datagen.disk import manifest
from datagen.disk.card import dataset_card
from datagen.disk.shards import ShardReport, Totals, each_report, read_report, verify_shard
from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.inputs.language_weights import weigh
from datagen.inputs.selection import choose
from datagen.inputs.stored_items import StoredItems, database, in_order, last_of_each
from datagen.patching import form
from datagen.record import SCHEMA, another_schema
from datagen.work import patched
from datagen.work.assignment import Assignment, add_generation, assigned, new_items, numbered
from datagen.work.joined_rows import with_joined
from datagen.work.pipeline import Estimate, Pipeline, ShardTask, run_shard, shard_fingerprint, shard_task
from datagen.work.progress import UNDER_WAY
from datagen.work.retry import settle
from datagen.work.runner import Runner
from datagen.work.specification import differences, fingerprint
from datagen.work.tombstones import NOTHING, Forgotten

log = logging.getLogger(__name__)

MEASURED = "measured.md"
"""A later step's measurements of the dataset, as Markdown. The dataset card includes them."""

AUDITS = "audits.json"
"""The results of audits: people typed what they saw, and didn't see the label (`make patch`)."""

CONTENTS = (
    "census",
    "shards",
    "manifest",
    "marks",
    "lengths",
    "drops.jsonl",
    MEASURED,
    AUDITS,
    "README.md",
    "run.json",
    UNDER_WAY,
)
OnShard = Callable[[ShardReport], None]


@dataclass(frozen=True)
class Plan:
    """A pipeline's plan for its dataset. `made` names the committed shards. `todo` iterates over the tasks of the other shards.
    It makes the tasks anew with each call, since memory may not hold all of them. `num_shards`, `num_documents` and `estimate`
    are those of the shards to make."""

    made: frozenset[str]
    todo: Callable[[], Iterator[ShardTask]]
    num_shards: int
    num_documents: int
    estimate: Estimate
    description: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The result of a run: totals over the reports of all committed shards, and the errors of failed shards by name."""

    totals: Totals
    failed: dict[str, BaseException]

    @property
    def drop_share(self) -> float:
        """The share of documents that gave no sample."""
        return self.totals.num_barren / self.totals.num_documents if self.totals.num_documents else 0.0


@contextlib.contextmanager
def lock(folder: Folder) -> Iterator[None]:
    """Allow one run at a time on a local output. The kernel releases the lock when the run ends or is killed. Raises `ValueError`
    if another run has the lock, or if a file is in the folder's place."""
    if folder.local is None:
        yield
        return
    try:
        folder.local.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"out={folder.url}: a file is in the way of that folder") from None
    file_lock = filelock.FileLock(folder.local / ".lock")
    try:
        file_lock.acquire(timeout=1)  # a killed run's children may hold it for a moment
    except filelock.Timeout:
        raise ValueError(f"another run is writing to {folder.url}: wait for it, or choose another out=…") from None
    try:
        yield
    finally:
        file_lock.release()


def plan(
    pipeline: Pipeline,
    folder: Folder,
    items: Iterable[Item],
    runner: Runner,
    commit: bool,
    forgotten: Forgotten = NOTHING,
    afresh: bool = False,
) -> Plan:
    """The plan for `items`, the census of this run. `items` are iterated more than once.

    With `commit`, new items are assigned to shards, and the assignment is written. Items that are `forgotten` are never new, and
    no shard reads them. With `afresh`, the plan is made as if the folder were empty; `clear` empties it later.

    Raises `ValueError` if the folder isn't a dataset's, or has shards of another recipe, or of inputs that changed.
    """
    description = pipeline.description()
    assert not (commit and afresh)
    if not afresh:
        _refuse_another(folder, description)
    read = Assignment(() if afresh else assigned(folder))
    num_shards, generation = read.num_shards, read.num_generations
    new = _chosen(pipeline, items, read, runner, forgotten)
    if commit:
        settle(pipeline, folder, read)
    if new and commit:
        _write_run(folder, description, {})
        add_generation(folder, pipeline.source.split(new))
    if new and read.num_shards:
        read.add(numbered(pipeline.source.split(new), num_shards, generation))
    made = {} if afresh else _whole(folder)

    def tasks() -> Iterator[ShardTask]:
        shards = () if afresh else assigned(folder)
        pending = () if commit else numbered(pipeline.source.split(new), num_shards, generation)
        for shard in itertools.chain(shards, pending):
            yield patched.task(pipeline.name, folder, shard, description, forgotten) or shard_task(
                pipeline, folder.url, shard, description, forgotten, read.later(shard)
            )

    def todo() -> Iterator[ShardTask]:
        return (task for task in tasks() if task.shard not in made)

    strange, num_todo, num_documents, last_uri = dict(made), 0, 0, ""
    estimate = Estimate(0, 0, 0.0)
    for task in tasks():
        if task.shard not in made:
            num_todo += 1
            for item in task.inputs:
                num_documents += item.uri != last_uri  # ranges of one document are neighbours
                last_uri = item.uri
            estimate = Estimate(*map(operator.add, estimate, task.pipeline.source.estimate(task.inputs)))
        elif made[task.shard] == task.fingerprint:
            del strange[task.shard]
    if strange:
        raise ValueError(
            f"{folder.url}: {next(iter(strange))} comes from another recipe or other inputs than its census says: "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    return Plan(frozenset(made), todo, num_todo, num_documents, estimate, description)


def _chosen(pipeline: Pipeline, items: Iterable[Item], read: Assignment, runner: Runner, forgotten: Forgotten) -> StoredItems:
    """The new items that the pipeline's weights and limit choose, given the items that are `read` already."""

    def remembered() -> Iterator[Item]:
        return (item for item in items if not forgotten.holds(item))

    new = StoredItems(new_items(remembered(), read, forgotten.emptied))
    if pipeline.deep:
        new = _probed(pipeline, new, runner)
    if pipeline.weights:
        counted = (item for item in read.by_uri() if not (item.again or patched.is_patch(item) or forgotten.holds(item)))
        once = last_of_each(counted, "uri", "first")  # `retry` may have assigned an item twice
        there = (item for item in once if item.uri not in forgotten.emptied)
        new = StoredItems(
            weigh(new, there, pipeline.weights, lambda item: pipeline.source.estimate((item,)).num_samples),
        )
    if pipeline.limit:
        documents = (item for item in last_of_each(read.by_uri(), "uri") if not patched.is_patch(item))
        room = pipeline.limit - sum(not new.at(item.uri) for item in documents)  # a new item replaces its document
        known_or_new = (new.at(item.uri) or next(reversed(read.at(item.uri)), None) for item in remembered())
        chosen = choose(filter(None, known_or_new), pipeline.limit, pipeline.seed)
        new = StoredItems(choose((item for item in chosen if new.at(item.uri)), max(0, room), pipeline.seed))
    return new


def build(
    pipeline: Pipeline, folder: Folder, todo: Plan, runner: Runner, run: dict[str, Any], on_shard: OnShard = lambda report: None
) -> Outcome:
    """Make the shards of `todo`. If a shard fails, its error is logged, and the other shards are made. `NothingAnswers` ends the
    run, since the other shards would fail alike. `run` is run.json's entry for this run."""
    started = time.time()
    new: set[str] = set()
    failed: dict[str, BaseException] = {}
    tasks = with_joined(pipeline.source, todo.todo)
    for task, report, error in runner.map(run_shard, tasks, needs=pipeline.needs) if todo.num_shards else ():
        if report is not None:
            new.add(report.shard)
            on_shard(report)
        else:
            from datagen.asking.answers import NothingAnswers  # slow to load, and most runs ask no model

            assert error is not None
            failed[task.shard] = error
            log.error(
                "%s failed: %s: %s",
                task.shard,
                type(error).__name__,
                error,
                exc_info=None if isinstance(error, OSError) else error,
            )
            if isinstance(error, NothingAnswers):
                break
    totals = summarise(folder, pipeline.name, todo.made | new)
    if todo.num_shards:
        times = {"started": round(started, 3), "finished": round(time.time(), 3)}
        _write_run(folder, todo.description, run | times | {"shards": len(new), "failed": sorted(failed)})
    return Outcome(totals, failed)


def summarise(folder: Folder, name: str, shards: Iterable[str]) -> Totals:
    """Rebuild drops.jsonl and the dataset card from the reports and manifest parts of `shards`, unless both are up to date.
    Returns the reports' totals."""
    shards = sorted(shards)
    totals = Totals.of(each_report(folder, shards))
    measured = folder.read(MEASURED).decode() if folder.exists(MEASURED) else ""
    made = folder.exists("drops.jsonl") and folder.exists("README.md")
    if made and totals.digest in (card := folder.read("README.md").decode()) and measured in card:
        return totals
    with folder.create("drops.jsonl") as file:
        for drop in (drop for report in each_report(folder, shards) for drop in report.drops):
            file.write(f"{json.dumps(drop.to_dict(), ensure_ascii=False)}\n".encode())
    tally = manifest.Tally()
    for part in manifest.parts(folder, shards):
        tally.add(part)
    folder.write("README.md", dataset_card(name, tally, totals, measured).encode())
    return totals


def clear(folder: Folder) -> None:
    """Delete the dataset in the folder, and no other file there. Raises `ValueError` if the files aren't of a pipeline's dataset.
    Reports are deleted first, the census last. So after a kill the folder is a dataset with shards to make."""
    _refuse_foreign(folder)
    if patches := form.digests(folder):
        log.warning("%s: %d patches of people stay in %s/: make patch takes them in again", folder.url, len(patches), form.FOLDER)
    for name in folder.sub("shards").names(".json"):
        folder.remove(f"shards/{name}")
    for name in reversed(CONTENTS):
        folder.remove(name)


def verify(folder: Folder) -> Iterator[tuple[str, list[str]]]:
    """Each shard with its faults: differences from its report, its census and its manifest part. At last "" with the faults of
    the whole dataset."""
    description = read_run(folder).get("description", {})
    # By number, since the folder may have been renamed.
    fingerprints = {f"{shard.index:06d}": shard_fingerprint(description, shard.inputs) for shard in assigned(folder)}
    names = {name.rsplit(".", 1)[0] for name in folder.sub("shards").names()}
    for shard in sorted(names):
        try:
            report = read_report(folder, shard)
        except ValueError as error:
            yield shard, [str(error)]
            continue
        if report is None:
            yield shard, [f"shards/{shard}.tar: no report commits it (an interrupted run; run again)"]
            continue
        faults = verify_shard(folder, report) + _verify_manifest(folder, report)
        if report.fingerprint != fingerprints.get(shard.rsplit("-", 1)[-1]):
            faults.append(f"shards/{shard}.json: its inputs or its recipe are not those of census/ and run.json")
        yield shard, faults
    missing = len(fingerprints.keys() - {shard.rsplit("-", 1)[-1] for shard in names})
    faults = [f"{missing} shards of the census are not made yet (run again)"] if missing else []
    yield "", faults + _verify_keys(folder)


def _verify_keys(folder: Folder) -> list[str]:
    """A fault for each key that more than one shard has, by the manifest."""
    keys = database()
    keys.execute("CREATE TABLE key (key, shard)")
    for shard in (name.removesuffix(".parquet") for name in folder.sub("manifest").names(".parquet")):
        if folder.exists(f"shards/{shard}.json"):
            with contextlib.suppress(OSError, ValueError):  # `_verify_manifest` reports it
                of_shard = manifest.read_part(folder, shard)["key"].to_pylist()
                keys.executemany("INSERT INTO key VALUES (?, ?)", ((key, shard) for key in of_shard))
    ordered = "SELECT * FROM key ORDER BY key, shard"
    twice = f"SELECT key, group_concat(shard, ' and ') FROM ({ordered}) GROUP BY key HAVING count(*) > 1"
    return [f"key {key} is in {shards}" for key, shards in keys.execute(twice)]


def _verify_manifest(folder: Folder, report: ShardReport) -> list[str]:
    name = f"manifest/{report.shard}.parquet"
    try:
        rows = manifest.read_part(folder, report.shard).num_rows
    except (OSError, ValueError) as error:  # pyarrow's errors are of these
        return [f"{name}: {error}"]
    return [] if rows == report.num_samples else [f"{name}: {rows} rows, the shard's report says {report.num_samples}"]


def _whole(folder: Folder) -> dict[str, str]:
    """The fingerprints of committed shards. A shard whose tar or manifest part is missing is left out, so that it is made
    again."""
    there = {*folder.sub("shards").names(".tar"), *folder.sub("manifest").names(".parquet")}
    return {r.shard: r.fingerprint for r in each_report(folder) if {f"{r.shard}.tar", f"{r.shard}.parquet"} <= there}


def _probed(pipeline: Pipeline, items: Iterable[Item], runner: Runner) -> StoredItems:
    """The `items`, each replaced by its `probe`, in their order, whichever is probed first."""

    def probed_items() -> Iterator[Item]:
        for item, probed, error in runner.map(pipeline.source.probe, items):
            if error is not None:
                raise error
            yield probed or item

    return StoredItems(in_order(((item.uri, item.first), item) for item in probed_items()))


def _refuse_another(folder: Folder, description: dict[str, Any]) -> None:
    """Raise `ValueError`, naming the differences, if the folder's shards come from another recipe or other engines."""
    _refuse_foreign(folder)
    run = read_run(folder)
    if not run or run["fingerprint"] == fingerprint(description):
        return
    differing = differences(run["description"], description)
    changes = ", ".join(f"{name} {theirs} -> {ours}" for name, (theirs, ours) in list(differing.items())[:3])
    raise ValueError(
        f"{folder.url} was made differently ({changes}{', …' if len(differing) > 3 else ''}): "
        "start a new output with out=…, or replace this one with overwrite=1"
    )


def _refuse_foreign(folder: Folder) -> None:
    """Raise `ValueError` if the folder is no dataset, and has files under the names that a dataset uses."""
    if folder.exists("run.json") or folder.exists("census"):
        return
    taken = [name for name in CONTENTS if folder.exists(name)]
    if taken:
        raise ValueError(f"{folder.url} holds {taken[0]}, and no dataset of pagewheel: choose another out=…")


def read_run(folder: Folder) -> dict[str, Any]:
    """The contents of run.json; empty if there is none. Raises `ValueError` if the file is damaged, or of another version."""
    if not folder.exists("run.json"):
        return {}
    try:
        run = json.loads(folder.read("run.json"))
        schema = run.get("schema", 1)
        contents = {"fingerprint": run["fingerprint"], "description": run["description"], "runs": list(run["runs"])}
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{folder.path('run.json')} is damaged: delete it to go on, or replace all with overwrite=1") from None
    if schema != SCHEMA:
        raise ValueError(f"{folder.url}: {another_schema(schema)}")
    return contents


def _write_run(folder: Folder, description: dict[str, Any], run: dict[str, Any]) -> None:
    """Write run.json: the description that decides the dataset's bytes, and the list of runs, with `run` appended if it isn't
    empty."""
    runs = read_run(folder).get("runs", [])
    if run:
        runs.append(run)
    record = {"schema": SCHEMA, "fingerprint": fingerprint(description), "description": description, "runs": runs}
    folder.write("run.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
