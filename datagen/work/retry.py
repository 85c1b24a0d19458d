"""Reading again what dropped for a reason, and nothing else.

What is read again becomes a generation of shards of its own. Old shards keep their names and bytes. Retried drops are deleted
from the old shard's report; the new shard reports the outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen.disk import manifest
from datagen.disk.shards import ShardReport, read_report, shard_name
from datagen.disk.storage import Folder
from datagen.inputs.items import Inputs, Item
from datagen.inputs.stored_items import StoredItems
from datagen.record import Drop, Range
from datagen.work.assignment import Assignment, add_generation, assigned
from datagen.work.item_parts import covered, part_of
from datagen.work.pipeline import DOCUMENT, Pipeline


def retry(pipeline: Pipeline, folder: Folder, items: Iterable[Item], reason: str) -> int:
    """Assign what dropped for `reason` to new shards, durably; returns how many drops that are. `items` are the census of today:
    a file that was put right may have changed.

    Raises `ValueError` if a file has changed of which other parts are in the dataset, if the reason is that of a stage that looks
    at a document's pages together, if what dropped is a sample of another dataset, which is read by shards, or if it dropped
    from parts that gave samples, too.
    """
    read, today = Assignment(assigned(folder)), StoredItems(items)
    todo: list[Item] = []
    num_drops = 0
    for shard in assigned(folder):
        report = read_report(folder, shard_name(pipeline.name, shard.index))
        drops = [drop for drop in report.drops if drop.reason == reason] if report else []
        num_drops += len(drops)
        _refuse_together(pipeline, drops)
        _refuse_beside_samples(folder, report, drops)
        for drop in drops:
            if not any(_tells_of(drop, item) for item in shard.inputs):
                raise ValueError(
                    f"reason={reason}: {drop.stage} dropped samples that {pipeline.name} has from another dataset, of which it "
                    "reads whole shards: start a new output with out=…, or replace this one with overwrite=1"
                )
        for item in shard.inputs:
            of_item = [drop for drop in drops if _tells_of(drop, item)]
            if report and of_item:
                now = today.at(item.uri) or item
                is_retried = any(other.uri == item.uri for other in read.later(shard))
                again = _again(folder, report, item, now, of_item, is_retried)
                if now.etag != item.etag and (any(part.again for part in again) or _has_samples(pipeline, folder, item.uri)):
                    raise ValueError(
                        f"{item.uri} has changed since its other parts were read: start a new output with out=…, or replace "
                        "this one with overwrite=1"
                    )
                todo += again
    if todo:
        add_generation(folder, pipeline.source.split(todo))
        settle(pipeline, folder, Assignment(assigned(folder)))
    return num_drops


def settle(pipeline: Pipeline, folder: Folder, read: Assignment) -> None:
    """Take out of the dataset's reports the drops that a later generation reads again. After a kill, the same once more. `read`
    is what all of the dataset's shards read."""
    for shard in assigned(folder) if read.read_again else ():
        later = read.later(shard)
        report = read_report(folder, shard_name(pipeline.name, shard.index)) if later else None
        if report is None:
            continue
        gone = {drop for drop in report.drops for item in shard.inputs if _is_read_again(drop, item, later)}
        if gone:
            fewer = _without(pipeline, folder, report, shard.inputs, later, gone)
            folder.write(f"shards/{report.shard}.json", fewer.to_json())


def _refuse_together(pipeline: Pipeline, drops: Iterable[Drop]) -> None:
    together = {type(stage).__name__ for stage in pipeline.stages if stage.batch_size == DOCUMENT}
    for drop in drops:
        if drop.stage in together:
            raise ValueError(
                f"reason={drop.reason}: {drop.stage} compares a document's pages, and would keep one that is read alone: "
                "change the stage in the recipe, and start a new output with out=…, or replace this one with overwrite=1"
            )


def _refuse_beside_samples(folder: Folder, report: ShardReport | None, drops: Sequence[Drop]) -> None:
    """Raise `ValueError` if something dropped from a part that gave samples, too: read again, the part would give these a second
    time."""
    if report is None or not drops:
        return
    rows = manifest.read_part(folder, report.shard).select(["uri", "page"]).to_pylist()
    gave = {(row["uri"], row["page"]) for row in rows}
    for drop in drops:
        first, stop = drop.part or (0, 0)
        if any((drop.uri, page) in gave for page in range(first, stop)):
            raise ValueError(
                f"reason={drop.reason}: {drop.uri} lost this on pages that gave samples, too, which would come twice: start a "
                "new output with out=…, or replace this one with overwrite=1"
            )


def _tells_of(drop: Drop, item: Item) -> bool:
    """Whether the drop is of the container's range that `item` is. A drop without a part is of all of an item that is whole."""
    if drop.uri != item.uri:
        return False
    return not item.is_part if drop.part is None else covered(drop.part, [item.part])


def _is_read_again(drop: Drop, item: Item, later: Inputs) -> bool:
    again = [other.part for other in later if other.uri == item.uri]
    return _tells_of(drop, item) and covered(part_of(drop, item), again)


def _again(folder: Folder, report: ShardReport, item: Item, now: Item, drops: Sequence[Drop], is_retried: bool) -> list[Item]:
    """What to read again of `item`, of which today's census says `now`: all of it if it gave nothing and everything dropped for
    this reason, else the ranges that dropped. `is_retried`: some of it was read again before."""
    rows = manifest.read_part(folder, report.shard).select(["uri", "page"]).to_pylist()
    gave_samples = any(row["uri"] == item.uri and item.has(row["page"]) for row in rows)
    of_item = [drop for drop in report.drops if _tells_of(drop, item)]
    has_whole = any(part_of(drop, item) == item.part for drop in drops)
    if has_whole or (not gave_samples and not is_retried and len(of_item) == len(drops)):
        return [replace(now, first=item.first, stop=item.stop, again=item.again)]
    return [replace(item, first=part.first, stop=part.stop, again=True) for part in _joined(d.part for d in drops if d.part)]


def _joined(parts: Iterable[Range]) -> list[Range]:
    """The ranges in order, neighbours made one. A range that goes to the end stays apart, since nobody knows how long it is."""
    joined: list[Range] = []
    for part in sorted(set(parts)):
        if joined and joined[-1].stop == part.first and part.stop >= 0:
            joined[-1] = Range(joined[-1].first, part.stop)
        else:
            joined.append(part)
    return joined


def _without(
    pipeline: Pipeline, folder: Folder, report: ShardReport, inputs: Inputs, later: Inputs, gone: set[Drop]
) -> ShardReport:
    """The report without the drops that are `gone`. Containers whose beginning a `later` shard reads no longer count in it."""
    left = tuple(drop for drop in report.drops if drop not in gone)
    # What a stage dropped had been read, unless the stage is there to read it.
    gave = set(manifest.read_part(folder, report.shard)["uri"].to_pylist())
    gave |= {drop.uri for drop in report.drops if drop.stage not in pipeline.readers}
    begun = {item.uri for item in inputs if item.begins} & {drop.uri for drop in gone}
    elsewhere = begun & {item.uri for item in later if item.begins}
    mended = begun - elsewhere - {drop.uri for drop in left}
    return replace(
        report,
        drops=left,
        num_documents=report.num_documents - len(elsewhere),
        num_barren=max(0, report.num_barren - len((elsewhere | mended) - gave)),
    )


def _has_samples(pipeline: Pipeline, folder: Folder, uri: str) -> bool:
    """Whether a shard that reads a range of the container, and is made, holds a sample of it."""
    names = [shard_name(pipeline.name, s.index) for s in assigned(folder) if any(i.uri == uri and i.is_part for i in s.inputs)]
    made = [name for name in names if folder.exists(f"shards/{name}.json")]
    return any(uri in manifest.read_part(folder, name)["uri"].to_pylist() for name in made)
