"""Reading again what dropped for a reason, and nothing else.

It becomes a generation of shards of its own, of whole documents and of ranges of pages; old shards keep their names and bytes.
The drops leave the reports that told of them, since the new shards tell what became of them.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from datagen import census, manifest
from datagen.census import Assigned, Document
from datagen.pipeline import Pipeline
from datagen.record import Drop
from datagen.shards import ShardReport, read_report, shard_name
from datagen.storage import Folder


def retry(pipeline: Pipeline, folder: Folder, documents: Iterable[Document], reason: str) -> int:
    """Assign what dropped for `reason` to new shards, durably; returns how many drops that are. `documents` are the census of
    today: a file that was put right may have changed.

    Raises `ValueError` if one has changed of which other pages are in the dataset.
    """
    assigned = census.assigned(folder)
    now = {d.uri: d for d in documents}
    parts: list[Document] = []
    num_drops = 0
    for shard in assigned:
        report = read_report(folder, shard_name(pipeline.name, shard.index))
        drops = [d for d in report.drops if d.reason == reason] if report else []
        num_drops += len(drops)
        for read in shard.inputs:
            mine = [d for d in drops if d.uri == read.uri and _is_of(d, read)]
            if report and mine:
                parts += _parts(folder, report, read, now.get(read.uri, read), mine)
    if parts:
        census.add_generation(folder, pipeline.source.split(parts), assigned)
        settle(folder, pipeline.name, census.assigned(folder))
    return num_drops


def settle(folder: Folder, name: str, assigned: Sequence[Assigned]) -> None:
    """Take out of the reports of the dataset `name` the drops that a later generation reads again. After a kill, the same once
    more."""
    later: dict[str, list[tuple[int, Document]]] = {}
    for shard in sorted(assigned, key=lambda s: -s.generation):
        read_again = [
            (part, document) for document in shard.inputs for g, part in later.get(document.uri, ()) if g > shard.generation
        ]
        for document in shard.inputs:
            later.setdefault(document.uri, []).append((shard.generation, document))
        report = read_report(folder, shard_name(name, shard.index)) if read_again else None
        if report is None:
            continue
        gone = [d for d in report.drops if any(_reads(part, d, document) for part, document in read_again)]
        # A document that is read as a whole again is counted where it is.
        whole = sum(d.page < 0 and any(part.begins and part.uri == d.uri for part, _ in read_again) for d in gone)
        if gone:
            fewer = replace(
                report,
                drops=tuple(d for d in report.drops if d not in gone),
                num_documents=report.num_documents - whole,
                num_barren=max(0, report.num_barren - whole),
            )
            folder.write(f"shards/{report.shard}.json", fewer.to_json())


def _parts(folder: Folder, report: ShardReport, read: Document, now: Document, drops: Sequence[Drop]) -> list[Document]:
    """What to read again of `read`, which is `now` so."""
    rows = manifest.read_part(folder, report.shard).select(["uri", "page"]).to_pylist()
    known = {row["page"] for row in rows if row["uri"] == read.uri}
    known |= {d.page for d in report.drops if d.uri == read.uri and d.page >= 0}
    if not known:
        return [replace(now, first_page=read.first_page, stop_page=read.stop_page, again=read.again)]
    if now.etag != read.etag:
        raise ValueError(
            f"{read.uri} has changed since its other pages were read: start a new output with out=…, or replace this one with "
            "overwrite=1"
        )
    pages = sorted({d.page for d in drops if d.page >= 0})
    runs = [list(run) for _, run in itertools.groupby(pages, key=lambda page: page - pages.index(page))]
    parts = [replace(read, first_page=run[0], stop_page=run[-1] + 1, again=True) for run in runs]
    if any(d.page < 0 for d in drops):  # of the pages after the last that was tried
        parts.append(replace(read, first_page=max(known) + 1, again=True))
    return parts


def _is_of(drop: Drop, document: Document) -> bool:
    """Whether a drop of a document's is of the part that `document` is."""
    return drop.page < 0 or document.first_page <= drop.page < (document.stop_page if document.stop_page >= 0 else drop.page + 1)


def _reads(part: Document, drop: Drop, before: Document) -> bool:
    """Whether `part` reads again what dropped of `before`."""
    if part.uri != drop.uri:
        return False
    return _is_of(drop, part) if drop.page >= 0 else not part.again or part.stop_page == before.stop_page
