"""Taking a source out of a dataset that is already made. The one thing that rewrites a shard.

A shard's tar is replaced first, its report second, its manifest part last: a shard is done if the manifest has no row of the
source. Killed in between, the same again rewrites it to the same bytes, which are those of a shard made without the source.
"""

import dataclasses

import pyarrow as pa

from datagen import census, manifest, signatures
from datagen.dataset import summarise
from datagen.record import content_key
from datagen.shards import ShardReport, ShardWriter, read_reports, read_shard
from datagen.storage import Folder
from datagen.tombstones import Forgotten


def sources(folder: Folder, uri: str = "", sha256: str = "") -> set[tuple[str, str]]:
    """(uri, sha256) of the dataset's sources that are `uri`, or have the content `sha256`. A document that gave nothing
    has "" for its sha256."""
    found: set[tuple[str, str]] = set()
    for report in read_reports(folder):
        for row in _sources(manifest.read_part(folder, report.shard)):
            if row[0] == uri or row[1] == sha256:
                found.add(row)
        found |= {(d.uri, sha256) for d in report.drops if sha256 and d.key.startswith(content_key(sha256))}
    for shard in census.assigned(folder):
        found |= {(d.uri, d.sha256) for d in shard.inputs if d.uri == uri or (sha256 and d.sha256 == sha256)}
    known = {u for u, s in found if s}
    return {(u, s) for u, s in found if s or u not in known}


def forget(folder: Folder, forgotten: Forgotten) -> int:
    """Take what is forgotten out of the dataset's shards, reports, manifest, drops and card; returns how many samples went.

    What an interrupted run left under construction goes as a whole. Raises as `read_report` and `read_shard` do.
    """
    shards = folder.sub("shards")
    committed = {name.removesuffix(".json") for name in shards.names(".json")}
    for name in shards.names(".tar"):
        if name.removesuffix(".tar") not in committed:
            shards.remove(name)
    num_removed, reports = 0, []
    for report in read_reports(folder):
        if folder.exists(f"shards/{report.shard}.tar"):
            fewer = _forget_in_shard(folder, report, forgotten)
            num_removed += report.num_samples - fewer.num_samples
            reports.append(fewer)
    if reports:
        summarise(folder, reports[0].shard.rpartition("-")[0], reports)
    return num_removed


def _forget_in_shard(folder: Folder, report: ShardReport, forgotten: Forgotten) -> ShardReport:
    table = manifest.read_part(folder, report.shard)
    gone = {uri for uri, sha256 in _sources(table) if forgotten.origin(uri, sha256)}
    gone |= {drop.uri for drop in report.drops if forgotten.item(drop)}
    if not gone:
        return report
    kept: dict[str, tuple[int, int]] = {}
    name = f"shards/{report.shard}.tar"
    with folder.open(name) as old, folder.open(name) as raw, folder.create(name) as new:
        writer = ShardWriter(new)
        for sample, start, num_bytes in read_shard(old):
            if not forgotten.item(sample):
                raw.seek(start)
                kept[sample.key] = writer.copy(sample.key, raw.read(num_bytes))
        sha256 = writer.close()
    fewer = dataclasses.replace(
        report,
        sha256=sha256,
        identity=report.identity or report.sha256,
        num_bytes=writer.num_bytes,
        num_samples=writer.num_samples,
        drops=tuple(d for d in report.drops if not forgotten.item(d) and (d.key or d.uri not in gone)),
    )
    folder.write(f"shards/{report.shard}.json", fewer.to_json())
    signatures.forget(folder, report.shard)
    rows = [
        row | dict(zip(("offset", "bytes"), kept[row["key"]], strict=True)) for row in table.to_pylist() if row["key"] in kept
    ]
    manifest.write_part(folder, report.shard, rows)
    return fewer


def _sources(table: pa.Table) -> set[tuple[str, str]]:
    return set(zip(table["uri"].to_pylist(), table["sha256"].to_pylist(), strict=True))
