"""A patch's part of a dataset: its corrected records, as a generation of shards that is in the census like any other.

    patches/SHA16.json ── items patch:SHA16, samples FIRST to STOP ──> a shard each, made of the patch and of older shards

So any run after a kill makes the missing shards, also a run of the dataset's own recipe, and documents that come later get later
numbers. A patch is kept without a shard if it makes no record.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from datagen.inputs.census import NoCensus
from datagen.inputs.items import Item
from datagen.patching import form
from datagen.patching.form import Patch
from datagen.record import Drop, Sample
from datagen.work.assignment import Assigned, add_generation, assigned
from datagen.work.pipeline import Pipeline, ShardTask, Source, shard_task
from datagen.work.specification import PLACE, fingerprint
from datagen.work.tombstones import NOTHING, Forgotten

_SCHEME = "patch:"
SHARD_SAMPLES = 500


def is_patch(item: Item) -> bool:
    """Whether the item is a range of a patch's samples, not a document."""
    return item.uri.startswith(_SCHEME)


def shards(folder: Folder) -> frozenset[str]:
    numbers = {shard.index for shard in assigned(folder) if all(map(is_patch, shard.inputs))}
    names = (name.removesuffix(".json") for name in folder.sub("shards").names(".json")) if numbers else ()
    return frozenset(name for name in names if int(name.rpartition("-")[2]) in numbers)


@dataclass(frozen=True)
class PatchedSamples(Source):
    """The corrected records that a range of a kept patch makes, with the old records' images. The dataset is in `folder`."""

    version: ClassVar[int] = 1

    folder: str = field(default="", metadata=PLACE)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        from datagen.patching.apply import corrected  # imports scipy by tables, which a plan needn't wait for
        from datagen.patching.check import given_again

        folder = Folder(self.folder)
        patch = form.kept(folder, item.uri.removeprefix(_SCHEME))
        if patch is None:
            raise ValueError(f"{folder.url}: {item.uri} isn't in {form.FOLDER}/: make patch takes it in again")
        for answer, row in given_again(folder, patch, item.first, item.stop):
            (sample,) = read_samples(folder, [row])
            if new := corrected(sample, answer, patch.by):
                yield new


def add(folder: Folder, patch: Patch, numbers: Sequence[int]) -> list[Assigned]:
    """Assign the samples `numbers` of a kept patch to new shards, durably, unless that is done. Returns the patch's shards."""
    uri = _SCHEME + patch.digest
    known = _shards_of(folder, uri)
    if known:
        return known
    ranges = [numbers[at : at + SHARD_SAMPLES] for at in range(0, len(numbers), SHARD_SAMPLES)]
    add_generation(folder, ((Item(uri, patch.digest, first=of[0], stop=of[-1] + 1, count=len(of), again=True),) for of in ranges))
    return _shards_of(folder, uri)


def _shards_of(folder: Folder, uri: str) -> list[Assigned]:
    return [shard for shard in assigned(folder) if any(item.uri == uri for item in shard.inputs)]


def task(
    name: str, folder: Folder, shard: Assigned, description: dict[str, Any], forgotten: Forgotten = NOTHING
) -> ShardTask | None:
    """The task that makes a shard of a patch in the dataset `name`; None for other shards. `description` is run.json's."""
    if not all(map(is_patch, shard.inputs)):
        return None
    own = Pipeline(name, NoCensus(), PatchedSamples(folder.url), ())
    return replace(shard_task(own, folder.url, shard, description, forgotten), planned=fingerprint(own.description()))
