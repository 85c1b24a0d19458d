"""Reading again what dropped for a reason, and nothing else.

It becomes a generation of shards of its own, of whole documents and of ranges of pages; old shards keep their names and bytes.
The drops leave the reports that told of them, since the new shards tell what became of them.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen import census, manifest
from datagen.census import Assigned, Document, Inputs
from datagen.pipeline import DOCUMENT, Pipeline
from datagen.record import Drop
from datagen.shards import ShardReport, read_report, shard_name
from datagen.storage import Folder


def retry(pipeline: Pipeline, folder: Folder, documents: Iterable[Document], reason: str) -> int:
    """Assign what dropped for `reason` to new shards, durably; returns how many drops that are. `documents` are the census of
    today: a file that was put right may have changed.

    Raises `ValueError` if one has changed of which other pages are in the dataset, or if the reason is that of a stage that looks
    at a document's pages together.
    """
    assigned = census.assigned(folder)
    now, later = {d.uri: d for d in documents}, read_later(assigned)
    shards_of = _shards_of_parts(pipeline.name, assigned)
    parts: list[Document] = []
    num_drops = 0
    for shard in assigned:
        report = read_report(folder, shard_name(pipeline.name, shard.index))
        drops = [d for d in report.drops if d.reason == reason] if report else []
        num_drops += len(drops)
        _refuse_together(pipeline, drops)
        for read in shard.inputs:
            mine = [d for d in drops if d.uri == read.uri and _is_of(d, read)]
            if report and mine:
                today, again = now.get(read.uri, read), any(part.uri == read.uri for part in later.get(shard.index, ()))
                found = _parts(folder, report, read, today, mine, again)
                keeps_others = any(part.again for part in found) or _has_pages(folder, shards_of.get(read.uri, ()), read.uri)
                if today.etag != read.etag and keeps_others:
                    raise ValueError(
                        f"{read.uri} has changed since its other pages were read: start a new output with out=…, or replace "
                        "this one with overwrite=1"
                    )
                parts += found
    if parts:
        census.add_generation(folder, pipeline.source.split(parts), assigned)
        settle(pipeline, folder, census.assigned(folder))
    return num_drops


def _refuse_together(pipeline: Pipeline, drops: Iterable[Drop]) -> None:
    together = {type(stage).__name__ for stage in pipeline.stages if stage.batch_size == DOCUMENT}
    for drop in drops:
        if drop.stage in together:
            raise ValueError(
                f"reason={drop.reason}: {drop.stage} compares a document's pages, and would keep one that is read alone: "
                "change the stage in the recipe, and start a new output with out=…, or replace this one with overwrite=1"
            )


def settle(pipeline: Pipeline, folder: Folder, assigned: Sequence[Assigned]) -> None:
    """Take out of the dataset's reports the drops that a later generation reads again. After a kill, the same once more."""
    later = read_later(assigned)
    for shard in assigned:
        report = read_report(folder, shard_name(pipeline.name, shard.index)) if shard.index in later else None
        if report is None:
            continue
        again = [(part, document) for part in later[shard.index] for document in shard.inputs if document.uri == part.uri]
        gone = {d for d in report.drops if any(d.uri == part.uri and _reads(part, d, before) for part, before in again)}
        if gone:
            fewer = _without(pipeline, folder, report, shard.inputs, later[shard.index], gone)
            folder.write(f"shards/{report.shard}.json", fewer.to_json())


def read_later(assigned: Sequence[Assigned]) -> dict[int, Inputs]:
    """By a shard's number, what later generations read again of its documents; of those shards of which they do."""
    newer: dict[str, list[tuple[int, Document]]] = {}
    for shard in assigned:
        for document in shard.inputs if shard.generation else ():
            newer.setdefault(document.uri, []).append((shard.generation, document))
    found = {}
    for shard in assigned:
        uris = dict.fromkeys(document.uri for document in shard.inputs)
        parts = tuple(part for uri in uris for generation, part in newer.get(uri, ()) if generation > shard.generation)
        if parts:
            found[shard.index] = parts
    return found


def _without(
    pipeline: Pipeline, folder: Folder, report: ShardReport, inputs: Inputs, later: Inputs, gone: set[Drop]
) -> ShardReport:
    """A report without the drops that are `gone`, and without their documents' fate."""
    left = tuple(d for d in report.drops if d not in gone)
    rows = set(manifest.read_part(folder, report.shard)["uri"].to_pylist())
    # What a stage dropped its source had read.
    gave = rows | {d.uri for d in report.drops if d.stage != type(pipeline.source).__name__}
    told = {document.uri for document in inputs if document.begins} & {d.uri for d in gone}
    elsewhere = told & {part.uri for part in later if part.begins}
    mended = told - elsewhere - {d.uri for d in left}
    return replace(
        report,
        drops=left,
        num_documents=report.num_documents - len(elsewhere),
        num_barren=max(0, report.num_barren - len((elsewhere | mended) - gave)),
    )


def _parts(
    folder: Folder, report: ShardReport, read: Document, now: Document, drops: Sequence[Drop], again: bool
) -> list[Document]:
    """What to read again of `read`, which is `now` so: all of it if it gave nothing and all that dropped of it did so for this
    reason, else the pages that did. `again`: some of it was tried again before."""
    rows = manifest.read_part(folder, report.shard).select(["uri", "page"]).to_pylist()
    given = {row["page"] for row in rows if row["uri"] == read.uri and read.has(row["page"])}
    told = [d for d in report.drops if d.uri == read.uri and _is_of(d, read)]
    known = given | {d.page for d in told if d.key}
    if not known or (not given and not again and len(told) == len(drops)):
        return [replace(now, first_page=read.first_page, stop_page=read.stop_page, again=read.again)]
    pages = sorted({d.page for d in drops if d.key})
    runs = [list(run) for _, run in itertools.groupby(pages, key=lambda page: page - pages.index(page))]
    parts = [replace(read, first_page=run[0], stop_page=run[-1] + 1, again=True) for run in runs]
    if any(not d.key for d in drops):  # of the pages after the last that was tried
        parts.append(replace(read, first_page=max(known) + 1, again=True))
    return parts


def _reads(part: Document, drop: Drop, before: Document) -> bool:
    """Whether `part`, of a later generation, reads what dropped of `before`, a part of the same document."""
    if drop.key:
        return part.has(drop.page) and before.has(drop.page)
    return _is_of(drop, before) and part.stop_page == before.stop_page and part.first_page >= before.first_page


def _is_of(drop: Drop, document: Document) -> bool:
    """Whether a drop of a document's is of the part that `document` is."""
    if drop.key:
        return document.has(drop.page)
    return drop.page < 0 or drop.page == document.first_page


def _shards_of_parts(name: str, assigned: Sequence[Assigned]) -> dict[str, list[str]]:
    """The shards that read documents in parts, by their uris."""
    found: dict[str, list[str]] = {}
    for shard in assigned:
        for document in shard.inputs:
            if document.is_part:
                found.setdefault(document.uri, []).append(shard_name(name, shard.index))
    return found


def _has_pages(folder: Folder, shards: Iterable[str], uri: str) -> bool:
    """Whether one of the shards, as far as they are made, holds a page of the document."""
    made = (shard for shard in dict.fromkeys(shards) if folder.exists(f"shards/{shard}.json"))
    return any(uri in manifest.read_part(folder, shard)["uri"].to_pylist() for shard in made)
