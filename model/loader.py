"""Shards -> the samples of each step. They follow from the corpus, the seed and the step's number alone: a resume is exact.

The places of all samples are kept in memory: right for the small form, not for millions of shards.
"""

import fnmatch
import functools
import hashlib
import itertools
import posixpath
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from datagen.marks import excluded
from datagen.record import Sample
from datagen.shards import ShardReport, read_reports, read_sample, read_shard
from datagen.storage import Folder
from datagen.target import Prompt, encode
from model.step import Train

TASKS = ("page", "crop")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample is, and what the schedule and the report need to know of it."""

    dataset: str
    shard: str
    offset: int
    num_bytes: int
    key: str
    task: str
    lang: str
    sha256: str

    def read(self, out: Folder) -> Sample:
        return read_sample(out.sub(self.dataset), self.shard, self.offset, self.num_bytes)


@dataclass(frozen=True)
class Corpus:
    """The samples that can be trained on and those held out, by task; and why the others can't, counted."""

    train: dict[str, list[Place]]
    held_out: dict[str, list[Place]]
    skipped: Counter


def find_datasets(out: Folder, names: Sequence[str]) -> list[str]:
    """The folders of `out` that `names` mean, in their order. Raises `ValueError` if one that is no pattern isn't there."""
    entries = out.fs.ls(out.path(""), detail=True) if out.exists("") else []
    folders = sorted(posixpath.basename(entry["name"].rstrip("/")) for entry in entries if entry["type"] == "directory")
    found: list[str] = []
    for name in names:
        matches = [folder for folder in folders if fnmatch.fnmatchcase(folder, name)]
        if not matches and "*" not in name:
            raise ValueError(f"{out.url} has no dataset {name!r}; it has {', '.join(folders) or 'none'}")
        found += [match for match in matches if match not in found]
    return found


def reports(out: Folder, datasets: Sequence[str]) -> list[tuple[str, ShardReport]]:
    """The committed shards of all `datasets`, in order."""
    return [(dataset, report) for dataset in datasets for report in read_reports(out.sub(dataset))]


def index(out: Folder, datasets: Sequence[str], held_out_share: float, held_out: frozenset[str] = frozenset()) -> Corpus:
    """Where everything is, from one pass over the shards.

    A document is held out if `held_out` names its sha256 or if a hash of it says so: all its pages and crops fall on one side,
    whatever the seed. Translations of one text are different documents, and may fall on both. Where no document is held out by
    that, one is; and of a single document, pages are.
    """
    train: dict[str, list[Place]] = {task: [] for task in TASKS}
    kept: dict[str, list[Place]] = {task: [] for task in TASKS}
    skipped: Counter = Counter()
    marked = frozenset[str]().union(*(excluded(out.sub(dataset)) for dataset in datasets))
    for dataset, report in reports(out, datasets):
        with out.sub(dataset).open(f"shards/{report.shard}.tar") as file:
            for sample, (offset, num_bytes, *_) in read_shard(file):
                if reason := unfit(sample) or ("marked" if _is_marked(sample.key, marked) else ""):
                    skipped[reason] += 1
                    continue
                sha256 = sample.origin.sha256
                place = Place(dataset, report.shard, offset, num_bytes, sample.key, sample.task, sample.lang, sha256)
                side = kept if sha256 in held_out or is_held_out(sha256, held_out_share) else train
                side[sample.task].append(place)
    if not any(kept.values()):
        train, kept = _hold_some_out(train, held_out_share)
    return Corpus(train, kept, skipped)


def _hold_some_out(places: dict[str, list[Place]], share: float) -> tuple[dict[str, list[Place]], dict[str, list[Place]]]:
    """What to train on, and what not: one document of several, or a share of a single one's samples, one at least."""
    everything = [place for found in places.values() for place in found]
    documents = sorted({place.sha256 for place in everything}, key=_fraction)
    if len(documents) > 1:
        held = {place.key for place in everything if place.sha256 == documents[0]}
    else:
        held = {place.key for place in drawn(everything, max(1, round(share * len(everything))))}
    train, kept = (
        {task: [p for p in found if (p.key in held) == out] for task, found in places.items()} for out in (False, True)
    )
    return train, kept


def unfit(sample: Sample) -> str:
    """Why `sample` isn't trained on, or ""."""
    if sample.task not in TASKS or sample.image is None:
        return "other_task"
    if sample.quality.verdict != "trusted":
        return "not_trusted"
    return "" if sample.text.strip() else "no_text"


def _is_marked(key: str, marked: frozenset[str]) -> bool:
    """Whether a sample is marked, or the page that it was cut from, in whatever dataset: keys begin with those of their pages."""
    return any(part in marked for part in itertools.accumulate(key.split("-"), "{}-{}".format))


def is_held_out(sha256: str, share: float) -> bool:
    return _fraction(sha256) < share


def _fraction(sha256: str) -> float:
    """A number from 0 to 1 that follows from a document's content."""
    digest = hashlib.blake2b(f"held out {sha256}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def drawn(places: Sequence[Place], count: int) -> list[Place]:
    """Up to `count` of `places`, a fair draw by their keys' hashes; the same whatever their order or the seed."""
    return sorted(places, key=lambda p: hashlib.blake2b(f"drawn {p.key}".encode(), digest_size=8).digest())[:count]


@dataclass(frozen=True)
class Schedule:
    """What each step trains on. A step takes `page_batch` pages or `crop_batch` crops, never both."""

    places: dict[str, list[Place]]
    step: Train

    def __post_init__(self) -> None:
        if not any(self.places.values()):
            raise ValueError(f"nothing to train on in {', '.join(self.step.datasets)}: no trusted page or crop with text")

    @property
    def crop_share(self) -> float:
        if not self.places["page"]:
            return 1.0
        return self.step.crop_share if self.places["crop"] else 0.0

    def at(self, number: int) -> list[tuple[Place, Prompt]]:
        """The samples of step `number`, which counts from 0, and what is asked of each."""
        # The crop steps before a step are a closed form: no history is needed to know where in the corpus it stands.
        num_crop_steps = int(number * self.crop_share + 1e-9)
        if int((number + 1) * self.crop_share + 1e-9) > num_crop_steps:
            task, size, turn = "crop", self.step.crop_batch, num_crop_steps
        else:
            task, size, turn = "page", self.step.page_batch, number - num_crop_steps
        places = self.places[task]
        samples = []
        for position in range(turn * size, (turn + 1) * size):
            epoch, at = divmod(position, len(places))
            place = places[_shuffled(f"{self.step.seed} {task} {epoch}", len(places))[at]]
            chance = random.Random(f"{self.step.seed} {number} {place.key}").random()
            grounded = task == "page" and chance < self.step.grounding_share
            samples.append((place, Prompt.MARKDOWN if grounded else Prompt.FREE))
        return samples


@functools.lru_cache(maxsize=4)
def _shuffled(seed: str, length: int) -> list[int]:
    order = list(range(length))
    random.Random(seed).shuffle(order)
    return order


def texts(out: Folder, places: Sequence[Place], count: int, seed: int) -> Iterator[str]:
    """What a tokenizer learns from: the answers, plain and grounded, of `count` samples drawn from `places`."""
    for place in random.Random(f"{seed} tokenizer").sample(places, min(count, len(places))):
        sample = place.read(out)
        yield sample.text
        if place.task == "page" and sample.regions:
            yield encode(sample, Prompt.MARKDOWN)[1]
