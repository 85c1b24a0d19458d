"""Taking a source out of a dataset that is already made. The one thing that rewrites a shard.

A shard's tar is replaced first, its report second, its manifest part last: a shard is done if the manifest has no row of the
source. Killed in between, the same again rewrites it to the same bytes, which are those of a shard made without the source.
"""

import dataclasses

import pyarrow as pa

from datagen.curation import signatures
from datagen.disk import manifest
from datagen.disk.shards import ShardReport, ShardWriter, read_reports, read_shard
from datagen.disk.storage import Folder
from datagen.record import content_key
from datagen.work import take_patch
from datagen.work.assignment import assigned
from datagen.work.dataset import summarise
from datagen.work.tombstones import Forgotten


def sources(folder: Folder, uri: str = "", sha256: str = "") -> set[tuple[str, str]]:
    """(uri, sha256) of the dataset's sources that are `uri`, or have the content `sha256`. A container that gave nothing has ""
    for its sha256."""
    matches: set[tuple[str, str]] = set()
    for report in read_reports(folder):
        matches |= {row for row in _sources(manifest.read_part(folder, report.shard)) if row[0] == uri or row[1] == sha256}
        matches |= {(d.uri, sha256) for d in report.drops if sha256 and d.key.startswith(content_key(sha256))}
    for shard in assigned(folder):
        matches |= {(i.uri, i.sha256) for i in shard.inputs if i.uri == uri or (sha256 and i.sha256 == sha256)}
    known = {u for u, s in matches if s}
    return {(u, s) for u, s in matches if s or u not in known}


def forget(folder: Folder, forgotten: Forgotten) -> int:
    """Take what is forgotten out of the dataset's shards, reports, manifest, patches, drops and card; returns how many samples
    went.

    What an interrupted run left under construction goes as a whole. Raises as `read_report` and `read_shard` do.
    """
    shards = folder.sub("shards")
    committed = {name.removesuffix(".json") for name in shards.names(".json")}
    for name in shards.names(".tar"):
        if name.removesuffix(".tar") not in committed:
            shards.remove(name)
    num_removed, made = 0, []
    for report in read_reports(folder):
        if folder.exists(f"shards/{report.shard}.tar"):
            fewer = _forget_in_shard(folder, report, forgotten)
            num_removed += report.num_samples - fewer.num_samples
            made.append(fewer.shard)
    take_patch.forget(folder, forgotten)
    if made:
        summarise(folder, made[0].rpartition("-")[0], made)
    return num_removed


def _forget_in_shard(folder: Folder, report: ShardReport, forgotten: Forgotten) -> ShardReport:
    gone = {u for u, sha256 in _sources(manifest.read_part(folder, report.shard)) if forgotten.origin(u, sha256)}
    gone |= {drop.uri for drop in report.drops if forgotten.holds_outcome(drop)}
    if not gone:
        return report
    part = manifest.PartBuilder(report.shard)
    name = f"shards/{report.shard}.tar"
    with folder.open(name) as old, folder.open(name) as raw, folder.create(name) as new:
        writer = ShardWriter(new)
        for sample, place in read_shard(old):
            if not forgotten.holds_outcome(sample):
                raw.seek(place.offset)
                part.add(sample, writer.copy(sample.key, raw.read(place.num_bytes), place))
        sha256 = writer.close()
    fewer = dataclasses.replace(
        report,
        sha256=sha256,
        identity=report.identity or report.sha256,
        num_bytes=writer.num_bytes,
        num_samples=writer.num_samples,
        drops=tuple(d for d in report.drops if not forgotten.holds_outcome(d) and (d.key or d.uri not in gone)),
    )
    folder.write(f"shards/{report.shard}.json", fewer.to_json())
    signatures.forget(folder, report.shard)
    part.write(folder)
    return fewer


def _sources(table: pa.Table) -> set[tuple[str, str]]:
    return set(zip(table["uri"].to_pylist(), table["sha256"].to_pylist(), strict=True))
