"""Source -> stages -> shard: the types of a data step, and `run_shard`, the unit of work anywhere.

census ── split ──> inputs ── source.read ──> samples ── stage ── stage ──> shard + manifest part + report
                                    └── drops ──────────────────────────────────────────────┘
"""

import dataclasses
import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from datagen import manifest
from datagen.census import Assigned, Census, Document, Inputs
from datagen.record import Drop, Sample, SampleError, clean_text
from datagen.shards import ShardReport, ShardWriter, read_report, shard_name
from datagen.storage import Folder
from datagen.tombstones import NOTHING, Forgotten
from datagen.weights import Weights

log = logging.getLogger(__name__)

DOCUMENT = 0
"""The `batch_size` of a stage that takes a document's samples together."""


class Estimate(NamedTuple):
    """`cpu_s` is seconds of one core, `num_bytes` the size in shards."""

    num_samples: int
    num_bytes: int
    cpu_s: float


class Source(Protocol):
    """Reads documents. A frozen dataclass: its fields are its configuration and part of the fingerprint, and so is its `version`,
    which goes up whenever its code gives other samples."""

    version: ClassVar[int]

    def split(self, documents: Sequence[Document]) -> list[Inputs]:
        """The inputs of each shard, in order."""
        ...

    def read(self, document: Document) -> Iterator[Sample | Drop]:
        """The samples and drops of one document, or of the part of it that `first_page` and `stop_page` mark.

        At least one, unless it is a later part. Raises `SampleError` where the whole document is bad.
        """
        ...

    def estimate(self, inputs: Inputs) -> Estimate:
        """What reading `inputs` will give and cost, about."""
        ...

    def probe(self, document: Document) -> Document:
        """`document` with pages, sha256 and language, by looking inside; unchanged if it can't be read."""
        ...

    def engines(self) -> dict[str, str]:
        """Name to version, or to the sha256 of weights, of everything that decides the output's bytes."""
        ...


class Stage(Protocol):
    """A verb over samples. A frozen dataclass, like a source; heavy state is loaded once a process, not held in it.

    `batch_size` samples at a time go in, or, if it is `DOCUMENT`, all of a document's that the shard has; a `SampleError` for a
    batch makes it run again one by one, so that one bad sample drops alone. Every sample that goes in comes out, under its key
    or as keys that start with it, or is dropped.
    """

    version: ClassVar[int]

    @property
    def batch_size(self) -> int: ...

    def __call__(self, batch: Sequence[Sample]) -> Iterator[Sample | Drop]: ...

    def engines(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Pipeline:
    """A step that makes the dataset `name`.

    Documents are chosen by `weights` of languages, if there are any, and at most `limit` of them (0: all) by `seed`; `deep` looks
    inside every document before that. `needs` says what a worker must have. The run fails if more than `max_drop` of its
    documents yield nothing. None of these changes a shard's bytes.
    """

    runs: ClassVar[str] = "recipes.steps.pipeline:PipelineRunner"

    name: str
    census: Census
    source: Source
    stages: tuple[Stage, ...]
    weights: Weights | None = None
    limit: int = 0
    seed: int = 0
    deep: bool = False
    needs: Literal["cpu", "gpu"] = "cpu"
    max_drop: float = 0.5

    def process(
        self, inputs: Inputs, barren: list[Document], forgotten: Forgotten = NOTHING, later: Inputs = ()
    ) -> Iterator[Sample | Drop]:
        """The samples of `inputs` after every stage, and all drops on the way. Documents without a page are added to `barren`; of
        what is `forgotten`, or read again by `later` shards, nothing comes."""
        stream = _read(self.source, inputs, barren, forgotten, later)
        for stage in self.stages:
            stream = _apply(stage, stream)
        return stream

    def description(self) -> dict[str, Any]:
        """What decides the bytes of its shards: values, versions and engines of source and stages."""
        return {"source": describe(self.source), "stages": [describe(stage) for stage in self.stages]}


@dataclass(frozen=True)
class ShardTask:
    """Everything a worker needs for one shard of the dataset in the folder `url`. Small, and picklable. `later` is what shards of
    later generations read again of its documents."""

    pipeline: Pipeline
    url: str
    shard: str
    generation: int
    inputs: Inputs
    fingerprint: str
    forgotten: Forgotten = NOTHING
    later: Inputs = ()

    def counts(self, document: Document) -> bool:
        """Whether the document is one of those that this shard tells the fate of."""
        elsewhere = any(part.begins and part.uri == document.uri for part in self.later)
        return document.begins and not elsewhere and not self.forgotten.document(document)


def shard_task(
    pipeline: Pipeline,
    url: str,
    assigned: Assigned,
    description: dict[str, Any],
    forgotten: Forgotten = NOTHING,
    later: Inputs = (),
) -> ShardTask:
    return ShardTask(
        pipeline,
        url,
        shard_name(pipeline.name, assigned.index),
        assigned.generation,
        assigned.inputs,
        shard_fingerprint(description, assigned.inputs),
        forgotten,
        later,
    )


def shard_fingerprint(description: dict[str, Any], inputs: Inputs) -> str:
    return fingerprint([description, [(d.uri, d.etag, d.first_page, d.stop_page) for d in inputs]])


def run_shard(task: ShardTask) -> ShardReport:
    """Make one shard, commit it, and return its `ShardReport`. Does nothing if the same task was committed before.

    Raises what a source or stage raises that is not a `SampleError`: a bug, or a full disk. Nothing partial is left then.
    """
    folder = Folder(task.url)
    held = read_report(folder, task.shard)
    if held is not None and held.fingerprint == task.fingerprint and folder.exists(f"shards/{task.shard}.tar"):
        return held
    folder.remove(f"shards/{task.shard}.json")  # first, so that a report never stands beside a tar that isn't its own
    started = time.time()
    rows: list[dict[str, Any]] = []
    drops: list[Drop] = []
    barren: list[Document] = []
    with folder.create(f"shards/{task.shard}.tar") as file:
        writer = ShardWriter(file)
        for item in task.pipeline.process(task.inputs, barren, task.forgotten, task.later):
            if isinstance(item, Drop):
                drops.append(item)
            else:
                rows.append(manifest.row(item, task.shard, *writer.write(item)))
        sha256 = writer.close()
    manifest.write_part(folder, task.shard, rows)
    report = ShardReport(
        shard=task.shard,
        generation=task.generation,
        fingerprint=task.fingerprint,
        sha256=sha256,
        num_bytes=writer.num_bytes,
        num_samples=writer.num_samples,
        num_documents=sum(map(task.counts, task.inputs)),
        num_barren=len(barren),
        drops=tuple(drops),
        started=round(started, 3),
        finished=round(time.time(), 3),
        identity=held.identity if held is not None and held.fingerprint == task.fingerprint else "",
    )
    folder.write(f"shards/{task.shard}.json", report.to_json())
    log.info("%s: %d samples, %d drops", task.shard, report.num_samples, len(drops))
    return report


def _read(source: Source, inputs: Inputs, barren: list[Document], forgotten: Forgotten, later: Inputs) -> Iterator[Sample | Drop]:
    """What `source` gives of `inputs`. Whether a document is barren is told once, by the part that begins it; every part that
    can't be read at all is a drop."""
    for document in inputs:
        parts = [part for part in later if part.uri == document.uri]
        if forgotten.document(document) or _cover(parts, document.first_page, document.stop_page):
            continue
        num_samples = num_drops = num_passed = 0
        gone = False
        rest = document.first_page  # what the part tells of itself as a whole is about the pages from here on
        for item in _items(source, document):
            page = item.origin.page if isinstance(item, Sample) else item.page if item.key else None
            rest = rest if page is None else page + 1
            again = _cover(parts, rest, document.stop_page) if page is None else any(part.has(page) for part in parts)
            gone = forgotten.item(item) or (gone and page is None)  # what tells of no page has no content to be known by
            if again or gone:
                num_passed += 1
                continue
            num_samples += isinstance(item, Sample)
            num_drops += isinstance(item, Drop)
            yield item
        if document.begins and not num_samples and not num_passed:
            if not num_drops:
                raise RuntimeError(f"{type(source).__name__} gives neither sample nor drop of {document.uri}")
            barren.append(document)


def _items(source: Source, document: Document) -> Iterator[Sample | Drop]:
    """What `source` gives of a part. What it tells of the part as a whole names the page that this begins with, so that the parts
    of a document stay apart."""
    try:
        for item in source.read(document):
            yield _placed(item, document)
    except SampleError as error:
        detail = clean_text(": ".join(filter(None, (document.span, error.detail))))
        yield _placed(Drop("", clean_text(document.uri), -1, type(source).__name__, error.reason, detail), document)


def _placed(item: Sample | Drop, document: Document) -> Sample | Drop:
    if isinstance(item, Drop) and not item.key and not document.begins:
        return dataclasses.replace(item, page=document.first_page)
    return item


def _cover(parts: Sequence[Document], first: int, stop: int) -> bool:
    """Whether the parts together read the pages from `first` to `stop` (exclusive, -1 for the end)."""
    for part in sorted(parts, key=lambda p: p.first_page):
        if part.first_page <= first and part.stop_page < 0:
            return True
        first = max(first, part.stop_page) if part.first_page <= first else first
    return 0 <= stop <= first


def _apply(stage: Stage, stream: Iterable[Sample | Drop]) -> Iterator[Sample | Drop]:
    """`stage` over the samples of `stream`, in batches that never cross a shard; drops pass by."""
    batch: list[Sample] = []
    for item in stream:
        if isinstance(item, Drop):
            yield item
            continue
        if stage.batch_size == DOCUMENT and batch and batch[0].origin.uri != item.origin.uri:
            yield from _call(stage, batch)
            batch = []
        batch.append(item)
        if len(batch) == stage.batch_size:
            yield from _call(stage, batch)
            batch = []
    if batch:
        yield from _call(stage, batch)


def _call(stage: Stage, batch: list[Sample]) -> list[Sample | Drop]:
    name = type(stage).__name__
    try:
        out = list(stage(batch))
    except SampleError as error:
        if len(batch) > 1:
            return [item for sample in batch for item in _call(stage, [sample])]
        return [batch[0].drop(error.reason, name, error.detail)]
    keys = {item.key for item in out}
    for sample in batch:
        if sample.key not in keys and not any(key.startswith(sample.key) for key in keys):
            raise RuntimeError(f"{name} gives neither sample nor drop of {sample.key}")
    return out


def describe(value: Any) -> Any:
    """A dataclass, however nested, as plain JSON values that name its type, and its version and engines where it has them. Fields
    that are secret, by their metadata, are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        described = {"type": type(value).__name__}
        if hasattr(value, "version"):
            described["version"] = value.version
        fields = (f for f in dataclasses.fields(value) if not f.metadata.get("secret"))
        described |= {f.name: describe(getattr(value, f.name)) for f in fields}
        return described | ({"engines": value.engines()} if hasattr(value, "engines") else {})
    if isinstance(value, (tuple, list)):
        return [describe(v) for v in value]
    return value


def fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
