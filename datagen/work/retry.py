"""Reads items again that dropped for a reason, and nothing else.

They become a generation of shards of its own. Old shards keep their names and bytes. Retried drops are deleted from the old
shard's report; the new shard reports the outcome.
"""

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
    """Assign the items that dropped for `reason` to new shards, durably; returns the number of these drops. `items` are today's
    census, since a file may have been mended.

    Raises `ValueError` if a file has changed and the dataset has other parts of it, if the reason is of a stage that compares a
    document's pages, if a dropped sample comes from another dataset, which is read by shards, or if a part that dropped gave
    samples, too.
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
    """Remove drops from the dataset's reports that a later generation reads again. After a kill, call it again. `read` is the
    assignment of all shards."""
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
    """Raise `ValueError` for a drop from a part that also gave samples: a second reading would give these samples twice."""
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
    """Whether the drop is of the item's range. A drop without a part is of the whole item, if the item is a whole container."""
    if drop.uri != item.uri:
        return False
    return not item.is_part if drop.part is None else covered(drop.part, [item.part])


def _is_read_again(drop: Drop, item: Item, later: Inputs) -> bool:
    again = [other.part for other in later if other.uri == item.uri]
    return _tells_of(drop, item) and covered(part_of(drop, item), again)


def _again(folder: Folder, report: ShardReport, item: Item, now: Item, drops: Sequence[Drop], is_retried: bool) -> list[Item]:
    """The parts of `item` to read again: all of it, in its state `now`, if it gave nothing and dropped only for this reason, else
    the ranges that dropped. `is_retried`: some of it was read again before."""
    rows = manifest.read_part(folder, report.shard).select(["uri", "page"]).to_pylist()
    gave_samples = any(row["uri"] == item.uri and item.has(row["page"]) for row in rows)
    of_item = [drop for drop in report.drops if _tells_of(drop, item)]
    has_whole = any(part_of(drop, item) == item.part for drop in drops)
    if has_whole or (not gave_samples and not is_retried and len(of_item) == len(drops)):
        return [replace(now, first=item.first, stop=item.stop, again=item.again)]
    return [replace(item, first=part.first, stop=part.stop, again=True) for part in _joined(d.part for d in drops if d.part)]


def _joined(parts: Iterable[Range]) -> list[Range]:
    """The ranges in order, neighbours joined. A range to the container's end stays apart, since its length is unknown."""
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
    """The report without the drops `gone`. A container doesn't count any more if a `later` shard reads its beginning."""
    left = tuple(drop for drop in report.drops if drop not in gone)
    # If a stage dropped a sample, the source had read it, unless the stage is there to read it.
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
    """Whether a finished shard that reads a range of the container has a sample of it."""
    names = [shard_name(pipeline.name, s.index) for s in assigned(folder) if any(i.uri == uri and i.is_part for i in s.inputs)]
    made = [name for name in names if folder.exists(f"shards/{name}.json")]
    return any(uri in manifest.read_part(folder, name)["uri"].to_pylist() for name in made)
