"""A dataset folder made by a pipeline: what is left to do, doing it, and the files that sum it up.

census/    which shard reads what, a part a generation      written before the first shard
shards/    tars, and the report beside each                 written by workers
manifest/  a Parquet part a shard                           written by workers
marks/     rows about samples that later steps add
patches/   what people corrected                           kept by `make patch`
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
import numpy
import xxhash

from datagen.disk import manifest
from datagen.disk.card import content_digest, dataset_card
from datagen.disk.shards import ShardReport, read_report, read_reports, verify_shard
from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.inputs.language_weights import weigh
from datagen.inputs.selection import choose
from datagen.patching import form
from datagen.record import SCHEMA, another_schema
from datagen.work import patched
from datagen.work.assignment import Assigned, add_generation, assigned, new_items, numbered
from datagen.work.joined_rows import with_joined
from datagen.work.pipeline import Pipeline, ShardTask, run_shard, shard_fingerprint, shard_task
from datagen.work.progress import UNDER_WAY
from datagen.work.retry import read_later, settle
from datagen.work.runner import Runner
from datagen.work.specification import differences, fingerprint
from datagen.work.tombstones import NOTHING, Forgotten

log = logging.getLogger(__name__)

MEASURED = "measured.md"
"""What a later step measured of the dataset, as Markdown. The dataset card has it."""

AUDITS = "audits.json"
"""What people found who typed what stands there, without a label (`make patch`)."""

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
    """What a pipeline would do to its dataset: `made` are the reports of committed shards, `todo` the shards to make."""

    made: list[ShardReport]
    todo: list[ShardTask]
    description: dict[str, Any]

    @property
    def num_documents(self) -> int:
        return len({item.uri for task in self.todo for item in task.inputs})


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the reports of all committed shards, and the errors of those that failed."""

    reports: list[ShardReport]
    failed: dict[str, BaseException]

    @property
    def drop_share(self) -> float:
        """The share of documents that gave no page."""
        total = sum(r.num_documents for r in self.reports)
        return sum(r.num_barren for r in self.reports) / total if total else 0.0


@contextlib.contextmanager
def lock(folder: Folder) -> Iterator[None]:
    """One run at a time on a local output. The kernel lets go of it when the run dies, however it dies."""
    if folder.local is None:
        yield
        return
    try:
        folder.local.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"out={folder.url}: a file is in the way of that folder") from None
    file_lock = filelock.FileLock(folder.local / ".lock")
    try:
        file_lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(f"another run is writing to {folder.url}: wait for it, or choose another out=…") from None
    try:
        yield
    finally:
        file_lock.release()


def plan(
    pipeline: Pipeline,
    folder: Folder,
    items: list[Item],
    runner: Runner,
    commit: bool,
    forgotten: Forgotten = NOTHING,
    afresh: bool = False,
) -> Plan:
    """What there is to do about `items`, the census of this run. With `commit`, new ones are assigned to shards, durably. What is
    `forgotten` is never new, and no shard will read it. `afresh`: as if the folder were empty, which `clear` will make it.

    Raises `ValueError` if the folder isn't a dataset's, or has shards of another recipe or of inputs that changed.
    """
    description = pipeline.description()
    assert not (commit and afresh)
    if not afresh:
        _refuse_another(folder, description)
    shards = [] if afresh else assigned(folder)
    items = [item for item in items if not forgotten.holds(item)]
    new = _chosen(pipeline, items, new_items(items, shards, forgotten.emptied), shards, runner, forgotten)
    if commit:
        settle(pipeline, folder, shards)
    if new:
        inputs = pipeline.source.split(new)
        if commit:
            _write_run(folder, description, {})
            shards += add_generation(folder, inputs, shards)
        else:
            shards += numbered(inputs, shards)
    later = read_later(shards)
    tasks = [
        patched.task(pipeline.name, folder, shard, description, forgotten)
        or shard_task(pipeline, folder.url, shard, description, forgotten, later.get(shard.index, ()))
        for shard in shards
    ]
    reports = {} if afresh else _whole(folder)
    expected = {task.shard: task.fingerprint for task in tasks}
    strange = [shard for shard, report in reports.items() if expected.get(shard) != report.fingerprint]
    if strange:
        raise ValueError(
            f"{folder.url}: {strange[0]} comes from another recipe or other inputs than its census says: "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    return Plan(list(reports.values()), [t for t in tasks if t.shard not in reports], description)


def _chosen(
    pipeline: Pipeline, items: list[Item], new: list[Item], shards: list[Assigned], runner: Runner, forgotten: Forgotten
) -> list[Item]:
    """Those of the `new` items that the pipeline's weights and limit take, beside what `shards` read already."""
    if pipeline.deep:
        new = _probed(pipeline, new, runner)
    known = {item.uri: item for shard in shards for item in shard.inputs if not patched.is_patch(item)}
    if pipeline.weights:
        read = [item for shard in shards for item in shard.inputs if not item.again and not forgotten.holds(item)]
        read = [item for item in read if item.uri not in forgotten.emptied]
        ranges = {(item.uri, item.first): item for item in read}  # once each, also where `retry` reads one anew
        new = weigh(new, list(ranges.values()), pipeline.weights, lambda item: pipeline.source.estimate((item,)).num_samples)
    if pipeline.limit:
        for item in new:  # in the place of one that is forgotten
            known.pop(item.uri, None)
        everything = known | {item.uri: item for item in new}
        chosen = choose([everything[i.uri] for i in items if i.uri in everything], pipeline.limit, pipeline.seed)
        room = pipeline.limit - len(known)
        new = choose([item for item in chosen if item.uri not in known], room, pipeline.seed) if room > 0 else []
    return new


def build(
    pipeline: Pipeline, folder: Folder, todo: Plan, runner: Runner, run: dict[str, Any], on_shard: OnShard = lambda report: None
) -> Outcome:
    """Make the shards of `todo`. One that fails is reported and the others finish, unless it fails with
    `NothingAnswers`, which would be theirs, too. `run` is what run.json says of this run."""
    started = time.time()
    new: list[ShardReport] = []
    failed: dict[str, BaseException] = {}
    for task, report, error in runner.map(run_shard, with_joined(todo.todo), needs=pipeline.needs) if todo.todo else ():
        if report is not None:
            new.append(report)
            on_shard(report)
        else:
            from datagen.asking.answers import NothingAnswers  # loads what asks models, where most runs ask none

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
    reports = sorted([*todo.made, *new], key=lambda r: r.shard)
    summarise(folder, pipeline.name, reports)
    if todo.todo:
        times = {"started": round(started, 3), "finished": round(time.time(), 3)}
        _write_run(folder, todo.description, run | times | {"shards": len(new), "failed": sorted(failed)})
    return Outcome(reports, failed)


def summarise(folder: Folder, name: str, reports: list[ShardReport]) -> None:
    """Rebuild what the reports and manifest parts say together, drops.jsonl and the dataset card, unless it is there already."""
    measured = folder.read(MEASURED).decode() if folder.exists(MEASURED) else ""
    made = folder.exists("drops.jsonl") and folder.exists("README.md")
    if made and content_digest(reports) in (card := folder.read("README.md").decode()) and measured in card:
        return
    with folder.create("drops.jsonl") as file:
        for drop in (drop for report in reports for drop in report.drops):
            file.write(f"{json.dumps(drop.to_dict(), ensure_ascii=False)}\n".encode())
    tally = manifest.Tally()
    for part in manifest.parts(folder, [r.shard for r in reports]):
        tally.add(part)
    folder.write("README.md", dataset_card(name, tally, reports, measured).encode())


def clear(folder: Folder) -> None:
    """Delete a dataset that a pipeline made here, and nothing else that lies in the folder. Raises `ValueError` if none did.

    Killed on the way, it leaves a dataset with shards to make: reports go first, the census last.
    """
    _refuse_foreign(folder)
    if patches := form.digests(folder):
        log.warning("%s: %d patches of people stay in %s/: make patch takes them in again", folder.url, len(patches), form.FOLDER)
    for name in folder.sub("shards").names(".json"):
        folder.remove(f"shards/{name}")
    for name in reversed(CONTENTS):
        folder.remove(name)


def verify(folder: Folder) -> Iterator[tuple[str, list[str]]]:
    """Each committed shard with what differs from its report, its census and its manifest part; then "" with what is no single
    shard's."""
    shards = {f"{shard.index:06d}": shard for shard in assigned(folder)}  # by number: the folder may have another name
    description = read_run(folder).get("description", {})
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
        known = shards.get(shard.rsplit("-", 1)[-1])
        if known is None or report.fingerprint != shard_fingerprint(description, known.inputs):
            faults.append(f"shards/{shard}.json: its inputs or its recipe are not those of census/ and run.json")
        yield shard, faults
    missing = len(shards.keys() - {shard.rsplit("-", 1)[-1] for shard in names})
    faults = [f"{missing} shards of the census are not made yet (run again)"] if missing else []
    yield "", faults + _verify_keys(folder)


def _verify_keys(folder: Folder) -> list[str]:
    """The keys that more than one shard has, by the manifest. 8 bytes a sample: names are looked at where digests meet."""
    names = [name for name in folder.sub("manifest").names(".parquet") if folder.exists(f"shards/{name[:-8]}.json")]

    def keys() -> Iterator[tuple[str, list[str]]]:
        for name in names:
            with contextlib.suppress(OSError, ValueError):  # its shard reports it
                yield name.removesuffix(".parquet"), folder.read_table(f"manifest/{name}")["key"].to_pylist()

    digests = [numpy.array([xxhash.xxh3_64_intdigest(key.encode()) for key in of_shard], numpy.uint64) for _, of_shard in keys()]
    values, counts = numpy.unique(numpy.concatenate([numpy.zeros(0, numpy.uint64), *digests]), return_counts=True)
    twice = set(values[counts > 1].tolist())
    shards_of: dict[str, list[str]] = {}
    for shard, of_shard in keys() if twice else ():
        for key in of_shard:
            if xxhash.xxh3_64_intdigest(key.encode()) in twice:
                shards_of.setdefault(key, []).append(shard)
    return [f"key {key} is in {' and '.join(shards)}" for key, shards in shards_of.items() if len(shards) > 1]


def _verify_manifest(folder: Folder, report: ShardReport) -> list[str]:
    name = f"manifest/{report.shard}.parquet"
    try:
        rows = manifest.read_part(folder, report.shard).num_rows
    except (OSError, ValueError) as error:  # pyarrow's errors are of these
        return [f"{name}: {error}"]
    return [] if rows == report.num_samples else [f"{name}: {rows} rows, the shard's report says {report.num_samples}"]


def _whole(folder: Folder) -> dict[str, ShardReport]:
    """The reports by shard, but for those whose tar or manifest part somebody took away: these are to be made again."""
    there = {*folder.sub("shards").names(".tar"), *folder.sub("manifest").names(".parquet")}
    return {r.shard: r for r in read_reports(folder) if {f"{r.shard}.tar", f"{r.shard}.parquet"} <= there}


def _probed(pipeline: Pipeline, items: list[Item], runner: Runner) -> list[Item]:
    """`items` with what looking inside tells, in their order."""
    probed_items = {}
    for item, probed, error in runner.map(pipeline.source.probe, items):
        if error is not None:
            raise error
        probed_items[item.uri] = probed or item
    return [probed_items[item.uri] for item in items]


def _refuse_another(folder: Folder, description: dict[str, Any]) -> None:
    """Raise `ValueError`, naming what differs, if the folder's shards come from another recipe or other engines."""
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
    """Raise `ValueError` if the folder holds somebody else's files under the names that a dataset uses."""
    if folder.exists("run.json") or folder.exists("census"):
        return
    taken = [name for name in CONTENTS if folder.exists(name)]
    if taken:
        raise ValueError(f"{folder.url} holds {taken[0]}, and no dataset of pagewheel: choose another out=…")


def read_run(folder: Folder) -> dict[str, Any]:
    """The contents of run.json; empty if there is none. Raises `ValueError` if it is damaged, or another version's."""
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
    """Record what makes this dataset's bytes, and append a run to the list of those that worked on it."""
    runs = read_run(folder).get("runs", [])
    if run:
        runs.append(run)
    record = {"schema": SCHEMA, "fingerprint": fingerprint(description), "description": description, "runs": runs}
    folder.write("run.json", json.dumps(record, ensure_ascii=False, indent=1).encode())
