"""Source -> stages -> shard: the types of a data step, and `run_shard`, the unit of work anywhere.

census ── split ──> inputs ── source.read ──> samples ── stage ── stage ──> shard + manifest part + report
                                    └── drops ──────────────────────────────────────────────┘
"""

import dataclasses
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol

from datagen.disk import manifest
from datagen.disk.shards import ShardReport, ShardWriter, read_report, shard_name, verify_shard
from datagen.disk.storage import Folder
from datagen.engines import OPEN, Engines
from datagen.inputs.census import Census, NoCensus
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.language_weights import Weights
from datagen.record import Drop, Range, Sample, SampleError, clean_text
from datagen.work.assignment import Assigned
from datagen.work.item_parts import covered, part_of
from datagen.work.needs import A_CORE, Needs
from datagen.work.progress import counted
from datagen.work.specification import describe, fingerprint, verify_worker
from datagen.work.tombstones import NOTHING, Forgotten

log = logging.getLogger(__name__)

DOCUMENT = 0
"""The `batch_size` of a stage that takes a document's samples together: at most `MAX_TOGETHER` of them."""
MAX_TOGETHER = 256
"""The most samples of one document in memory at a time. A page with its image is about half a megabyte."""
SHARD_PARTS, PART_BYTES = 1000, 100_000
"""A shard's number of parts, and the bytes that count as a part if an item has no count: the defaults of `Source.split`."""


class Estimate(NamedTuple):
    """What work gives and costs. `cpu_s` is seconds of one core, `num_bytes` the size in shards."""

    num_samples: int
    num_bytes: int
    cpu_s: float


class Component(Protocol):
    """The common part of sources and stages. A component is a frozen dataclass, and its fields are its configuration. Fields and
    `version` are part of the fingerprint. The `version` goes up whenever the code gives other samples."""

    version: ClassVar[int] = 1

    @property
    def needs(self) -> Needs:
        """A worker's needs to run this component. The output's bytes don't depend on them."""
        return A_CORE

    def engines(self) -> dict[str, str]:
        """Everything else that decides the output's bytes: names, with a version or the sha256 of weights."""
        return {}


class Source(Component, Protocol):
    """Reads items. A source must have `read`; the other methods have defaults. The default `split` counts an item's parts by its
    count, else by its bytes, `PART_BYTES` a part. It cuts no item into ranges, since `read` would have to respect them."""

    def split(self, items: Iterable[Item]) -> Iterable[Inputs]:
        """The inputs of each shard, in order. `items` may be iterated more than once."""
        return shards_of(items, _num_parts, SHARD_PARTS, cut=False)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        """The samples and drops of one item. There is at least one, unless the item is a later range of its container. Raises
        `SampleError` if the whole item is bad."""
        ...

    def estimate(self, inputs: Inputs) -> Estimate:
        """A rough estimate of reading `inputs`."""
        return Estimate(sum(map(_num_parts, inputs)), sum(item.num_bytes for item in inputs), 0.0)

    def probe(self, item: Item) -> Item:
        """The item with its count, sha256 and language, found by opening it. The same item if it can't be read."""
        return item


class Making(NamedTuple):
    """The shard that is being made, and its dataset's folder `url`, for a stage that keeps files beside the shard. The output's
    bytes don't depend on it."""

    url: str = ""
    shard: str = ""


class Stage(Component, Protocol):
    """A function from samples to samples and drops. It opens engines by name from the process's `Engines`; the runner closes
    them.

    A batch has `batch_size` samples. If `batch_size` is `DOCUMENT`, a batch has a document's samples in the shard. If a batch
    raises `SampleError`, its samples are tried one by one. A sample that raises alone is dropped. The other samples of a document
    then go in together. Each sample that goes in must come out: under its key, in parts whose keys are its key, a dash and more
    (`is_of`), or as a drop.

    Most stages are plain functions of a batch. A stage that waits for servers has `stream` instead, a function of outcomes,
    engines and `Making`. It may hold several samples. It yields all outcomes, drops included, in the order in which they came in.

    A stage that `reads` does what the source couldn't: what it drops was not read, and counts as what the source drops.
    """

    reads: ClassVar[bool] = False

    @property
    def batch_size(self) -> int:
        return 1

    @property
    def rate(self) -> str:
        """The key of the stage's cost in recipes/run/sample_costs.py, in core-seconds a page, for plans; "" if the cost is
        negligible."""
        return ""

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]: ...


@dataclass(frozen=True)
class Pipeline:
    """A step that makes the dataset `name`. `weights` of languages choose items, if there are any. At most `limit` items (0: all)
    are drawn by `seed`. `deep` opens every item before the choice. The run fails if more than the share `max_drop` of its
    containers gives no sample. None of these values changes a shard's bytes."""

    name: str
    census: Census
    source: Source
    stages: tuple[Stage, ...]
    weights: Weights | None = None
    limit: int = 0
    seed: int = 0
    deep: bool = False
    max_drop: float = 0.5

    @property
    def needs(self) -> Needs:
        return Needs.most(component.needs for component in (self.source, *self.stages))

    def process(
        self,
        inputs: Inputs,
        barren: list[Item],
        forgotten: Forgotten = NOTHING,
        later: Inputs = (),
        making: Making = Making(),  # noqa: B008  # a tuple
    ) -> Iterator[Sample | Drop]:
        """The samples of `inputs` after all stages, and all drops. An item is added to `barren` if it begins a container and no
        sample of it was read. Items that are `forgotten`, or that `later` shards read again, are left out."""
        begun: list[tuple[Item, set[str]]] = []
        stream = _read(self.source, inputs, begun, forgotten, later)
        for stage in self.stages:
            streams: Any = getattr(stage, "stream", None)
            stream = _streamed(stage, streams, stream, making) if streams else _apply(stage, stream)
        unread: set[str] = set()
        for outcome in stream:
            if isinstance(outcome, Drop) and outcome.stage in self.readers:
                unread.add(outcome.key)
            yield outcome
        barren.extend(item for item, keys in begun if keys <= unread)

    @property
    def readers(self) -> frozenset[str]:
        """Whose drops mean that something wasn't read, as `Drop.stage` has them: the source and the stages that read."""
        return frozenset({type(self.source).__name__, *(type(stage).__name__ for stage in self.stages if stage.reads)})

    def description(self) -> dict[str, Any]:
        """Everything that decides the bytes of shards: values, versions and engines of the source and the stages."""
        return {"source": describe(self.source), "stages": [describe(stage) for stage in self.stages]}


@dataclass(frozen=True)
class ShardTask:
    """Everything that a worker needs to make one shard of the dataset in the folder `url`. A task is small and picklable.
    `planned` is the fingerprint of the pipeline's description on the machine that planned the run. `later` are items of the same
    containers that shards of later generations read."""

    pipeline: Pipeline
    url: str
    shard: str
    generation: int
    inputs: Inputs
    fingerprint: str
    planned: str
    forgotten: Forgotten = NOTHING
    later: Inputs = ()

    def counts(self, item: Item) -> bool:
        """Whether the item's container counts among this shard's documents."""
        elsewhere = any(other.begins and other.uri == item.uri for other in self.later)
        return item.begins and not elsewhere and not self.forgotten.holds(item)


def shard_task(
    pipeline: Pipeline,
    url: str,
    assigned: Assigned,
    description: dict[str, Any],
    forgotten: Forgotten = NOTHING,
    later: Inputs = (),
) -> ShardTask:
    return ShardTask(
        dataclasses.replace(pipeline, census=NoCensus()),
        url,
        shard_name(pipeline.name, assigned.index),
        assigned.generation,
        assigned.inputs,
        shard_fingerprint(description, assigned.inputs),
        fingerprint(description),
        forgotten,
        later,
    )


def shard_fingerprint(description: dict[str, Any], inputs: Inputs) -> str:
    return fingerprint([description, [(item.uri, item.etag, item.first, item.stop) for item in inputs]])


def run_shard(task: ShardTask) -> ShardReport:
    """Make one shard, commit it, and return its `ShardReport`. Does nothing if the same task was committed before. Raises
    `RuntimeError` on a worker with other engines than the run was planned with. Exceptions of a source or stage other than
    `SampleError` pass through: a bug, or a full disk. Then no partial shard is left."""
    folder = Folder(task.url)
    existing = read_report(folder, task.shard)
    is_same = existing is not None and existing.fingerprint == task.fingerprint
    if existing is not None and is_same and _is_there(folder, existing):
        return existing
    verify_worker(task.pipeline.description, task.planned, folder)
    folder.remove(f"shards/{task.shard}.json")  # first, so that no report ever lies beside another shard's tar
    started, part, making = time.time(), manifest.PartBuilder(task.shard), Making(task.url, task.shard)
    drops, barren = list[Drop](), list[Item]()
    with folder.create(f"shards/{task.shard}.tar") as file:
        writer = ShardWriter(file)
        outcomes = task.pipeline.process(task.inputs, barren, task.forgotten, task.later, making)
        for outcome in counted(outcomes, folder, task.shard):
            if isinstance(outcome, Drop):
                drops.append(outcome)
            else:
                part.add(outcome, writer.write(outcome))
        sha256 = writer.close()
    part.write(folder)
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
        identity=existing.identity if existing is not None and is_same else "",
    )
    folder.write(f"shards/{task.shard}.json", report.to_json())
    log.info("%s: %d samples, %d drops", task.shard, report.num_samples, len(drops))
    return report


def _is_there(folder: Folder, report: ShardReport) -> bool:
    """Whether a committed shard has its tar and its manifest part. A missing manifest part is rebuilt, if the tar matches the
    report."""
    if not folder.exists(f"shards/{report.shard}.tar"):
        return False
    if folder.exists(manifest.name_of(report.shard)):
        return True
    if faults := verify_shard(folder, report):
        log.warning("%s has lost its manifest part, and is made again: %s", report.shard, "; ".join(faults))
        return False
    manifest.rebuild(folder, report.shard)
    return True


def _num_parts(item: Item) -> int:
    return num_parts(item, PART_BYTES)


def _read(
    source: Source, inputs: Inputs, begun: list[tuple[Item, set[str]]], forgotten: Forgotten, later: Inputs
) -> Iterator[Sample | Drop]:
    """The samples and drops of `inputs`. An item that can't be read at all gives one drop. Only the item that begins a container
    decides whether the container is barren: it is added to `begun`, with the keys of its samples."""
    for item in inputs:
        read_again = [other.part for other in later if other.uri == item.uri]
        if forgotten.holds(item) or covered(item.part, read_again):
            continue
        keys, num_drops, num_skipped = set[str](), 0, 0
        is_forgotten = False
        for outcome in _outcomes(source, item):
            # A drop without a key has no source, so it is forgotten if the outcome before it is.
            is_forgotten = forgotten.holds_outcome(outcome) or (is_forgotten and isinstance(outcome, Drop) and not outcome.key)
            if is_forgotten or covered(part_of(outcome, item), read_again):
                num_skipped += 1
                continue
            if isinstance(outcome, Drop):
                num_drops += 1
            elif item.begins:
                keys.add(outcome.key)
            yield outcome
        if item.begins and not num_skipped:
            if not keys and not num_drops:
                raise RuntimeError(f"{type(source).__name__} gives neither sample nor drop of {item.uri}")
            begun.append((item, keys))


def _outcomes(source: Source, item: Item) -> Iterator[Sample | Drop]:
    """The samples and drops of an item. If the item is a range of its container, a drop of the whole item names that range. A
    drop of everything from some part on ends at the item's end."""
    whole = item.part if item.is_part else None
    try:
        for outcome in source.read(item):
            if isinstance(outcome, Drop) and outcome.part is None:
                outcome = dataclasses.replace(outcome, part=whole)
            elif isinstance(outcome, Drop) and outcome.part is not None and outcome.part.stop < 0:
                outcome = dataclasses.replace(outcome, part=Range(outcome.part.first, item.stop))
            yield outcome
    except SampleError as error:
        yield Drop("", clean_text(item.uri), whole, type(source).__name__, error.reason, clean_text(error.detail))


def _apply(stage: Stage, stream: Iterable[Sample | Drop]) -> Iterator[Sample | Drop]:
    """The outcomes of `stage` for the samples of a shard, in batches. Drops pass through."""
    size = stage.batch_size or MAX_TOGETHER
    batch: list[Sample] = []
    for outcome in stream:
        if isinstance(outcome, Drop):
            yield outcome
            continue
        if stage.batch_size == DOCUMENT and batch and batch[0].origin.uri != outcome.origin.uri:
            yield from _call(stage, batch)
            batch = []
        batch.append(outcome)
        if len(batch) == size:
            yield from _call(stage, batch)
            batch = []
    if batch:
        yield from _call(stage, batch)


def _streamed(stage: Stage, streams: Any, stream: Iterable[Sample | Drop], making: Making) -> Iterator[Sample | Drop]:
    """The outcomes of a stage that has a `stream`. Only the keys of samples that the stage still holds are kept here."""
    waiting: set[str] = set()

    def noted() -> Iterator[Sample | Drop]:
        for outcome in stream:
            if isinstance(outcome, Sample):
                waiting.add(outcome.key)
            yield outcome

    for outcome in streams(noted(), OPEN, making):
        waiting.discard(outcome.key)
        yield outcome
    if waiting:
        raise RuntimeError(f"{type(stage).__name__} gives neither sample nor drop of {min(waiting)}")


def _call(stage: Stage, batch: list[Sample]) -> list[Sample | Drop]:
    """The stage's outcomes for a batch. A sample that raises `SampleError` is dropped alone, and the other samples go on."""
    try:
        return _complete(stage, batch)
    except SampleError as error:
        failure = error
    if len(batch) == 1:
        return [_drop(stage, batch[0], failure)]
    if stage.batch_size != DOCUMENT:
        return [outcome for sample in batch for outcome in _call(stage, [sample])]
    failures = {sample.key: alone for sample in batch if (alone := _failure_alone(stage, sample))}
    rest = [sample for sample in batch if sample.key not in failures]
    if not failures:  # no single sample is to blame, and a document's stage gives no outcomes of single samples
        return [_drop(stage, sample, failure) for sample in batch]
    drops: list[Sample | Drop] = [_drop(stage, s, failures[s.key]) for s in batch if s.key in failures]
    return drops + (_call(stage, rest) if rest else [])


def _failure_alone(stage: Stage, sample: Sample) -> SampleError | None:
    try:
        _complete(stage, [sample])
    except SampleError as error:
        return error
    return None


def _drop(stage: Stage, sample: Sample, error: SampleError) -> Drop:
    return sample.drop(error.reason, type(stage).__name__, error.detail)


def _complete(stage: Stage, batch: list[Sample]) -> list[Sample | Drop]:
    outcomes = list(stage(batch, OPEN))
    keys = {outcome.key for outcome in outcomes}
    for sample in batch:
        if sample.key not in keys and not any(key.startswith(f"{sample.key}-") for key in keys):
            raise RuntimeError(f"{type(stage).__name__} gives neither sample nor drop of {sample.key}")
    return outcomes
