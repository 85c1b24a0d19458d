"""The samples of each training step, from manifests. They follow from the corpus, the seed and the step's number alone.

The places of all samples are kept in memory: that is right for the small form, and not for millions of shards.
"""

import fnmatch
import functools
import hashlib
import itertools
import posixpath
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datagen.manifest import parts
from datagen.marks import excluded
from datagen.record import Sample
from datagen.shards import ShardReport, read_reports, read_sample
from datagen.storage import Folder
from datagen.target import PROMPTS, Prompt, can_answer, choose, encode
from model.step import Train

_COLUMNS = ["key", "shard", "offset", "bytes", "task", "lang", "verdict", "num_chars", "group", "sha256"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample lies, and what the schedule and the report need to know of it."""

    dataset: str
    shard: str
    offset: int
    num_bytes: int
    key: str
    task: str
    lang: str
    group: str

    def read(self, out: Folder) -> Sample:
        """The sample, with its image."""
        return read_sample(out.sub(self.dataset), self.shard, self.offset, self.num_bytes)


@dataclass(frozen=True)
class Corpus:
    """The samples to train on and those held out, by task. `skipped` counts the others by the reason."""

    train: dict[str, list[Place]]
    held_out: dict[str, list[Place]]
    skipped: Counter


def find_datasets(out: Folder, names: Sequence[str]) -> list[str]:
    """The folders of `out` that `names` match, in the names' order. Raises `ValueError` if a name without * matches none."""
    entries = out.fs.ls(out.path(""), detail=True) if out.exists("") else []
    folders = sorted(posixpath.basename(entry["name"].rstrip("/")) for entry in entries if entry["type"] == "directory")
    datasets: list[str] = []
    for name in names:
        matches = [folder for folder in folders if fnmatch.fnmatchcase(folder, name)]
        if not matches and "*" not in name:
            raise ValueError(f"{out.url} has no dataset {name!r}; it has {', '.join(folders) or 'none'}")
        datasets += [match for match in matches if match not in datasets]
    return datasets


def reports(out: Folder, datasets: Sequence[str]) -> list[tuple[str, ShardReport]]:
    """(dataset, report) of the committed shards of all `datasets`, in order."""
    return [(dataset, report) for dataset in datasets for report in read_reports(out.sub(dataset))]


def index(out: Folder, datasets: Sequence[str], held_out_share: float, held_out: frozenset[str] = frozenset()) -> Corpus:
    """The places of all samples, from the manifests: no shard is opened.

    A group of samples is held out if a hash of it says so, whatever the seed. `held_out` names groups, or documents by their
    sha256, that are held out as well. A group is a document unless its source says otherwise, so all pages and crops of one
    document are on one side. Translations of one text are different documents, and may be on both sides. If that holds no group
    out, one is; and if there is only one, some of its samples are. Raises `FileNotFoundError` if a shard lacks its part of the
    manifest.
    """
    to_train: dict[str, list[Place]] = {task: [] for task in PROMPTS}
    to_test: dict[str, list[Place]] = {task: [] for task in PROMPTS}
    skipped: Counter = Counter()
    marked = frozenset[str]().union(*(excluded(out.sub(dataset)) for dataset in datasets))
    for dataset in datasets:
        shards = [report.shard for report in read_reports(out.sub(dataset))]
        for part in parts(out.sub(dataset), shards):
            for row in part.select(_COLUMNS).to_pylist():
                if reason := unfit(row) or ("marked" if _is_marked(row["key"], marked) else ""):
                    skipped[reason] += 1
                    continue
                place = Place(
                    dataset, row["shard"], row["offset"], row["bytes"], row["key"], row["task"], row["lang"], row["group"]
                )
                is_named = row["sha256"] in held_out or row["group"] in held_out
                side = to_test if is_named or is_held_out(row["group"], held_out_share) else to_train
                side[row["task"]].append(place)
    if not any(to_test.values()):
        to_train, to_test = _hold_some_out(to_train, held_out_share)
    return Corpus(to_train, to_test, skipped)


def _hold_some_out(places: dict[str, list[Place]], share: float) -> tuple[dict[str, list[Place]], dict[str, list[Place]]]:
    """`places` to train on, and to test with: one group of several, or a share of the only one's samples, one at least."""
    all_places = [place for of_task in places.values() for place in of_task]
    groups = sorted({place.group for place in all_places}, key=_fraction)
    if len(groups) > 1:
        keys = {place.key for place in all_places if place.group == groups[0]}
    else:
        keys = {place.key for place in drawn(all_places, max(1, round(share * len(all_places))))}
    to_train, to_test = (
        {task: [p for p in of_task if (p.key in keys) == is_test] for task, of_task in places.items()}
        for is_test in (False, True)
    )
    return to_train, to_test


def unfit(row: Mapping[str, Any]) -> str:
    """Why the sample of a manifest's row isn't trained on, or ""."""
    if row["task"] not in PROMPTS:
        return "other_task"
    if row["verdict"] != "trusted":
        return "not_trusted"
    return "" if row["num_chars"] else "no_text"


def _is_marked(key: str, marked: frozenset[str]) -> bool:
    """Whether a sample is marked, or the page that it was cut from, in whatever dataset: a crop's key begins with its page's."""
    return any(part in marked for part in itertools.accumulate(key.split("-"), "{}-{}".format))


def is_held_out(group: str, share: float) -> bool:
    """Whether a hash of `group` holds it out, as it does with a `share` of all groups."""
    return _fraction(group) < share


def _fraction(group: str) -> float:
    """A number from 0 to 1 that follows from the group's name."""
    digest = hashlib.blake2b(f"held out {group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def drawn(places: Sequence[Place], count: int) -> list[Place]:
    """Up to `count` of `places`, drawn by hashes of their keys: the same ones whatever the order of `places` or the seed."""
    return sorted(places, key=lambda p: hashlib.blake2b(f"drawn {p.key}".encode(), digest_size=8).digest())[:count]


@dataclass(frozen=True)
class Schedule:
    """The samples of each step. A step takes `page_batch` pages or `crop_batch` crops, never both."""

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
        """(place, prompt) of the samples of step `number`, which counts from 0."""
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
            samples.append((place, choose(task, random.Random(f"{self.step.seed} {number} {place.key}"))))
        return samples


@functools.lru_cache(maxsize=4)
def _shuffled(seed: str, length: int) -> list[int]:
    order = list(range(length))
    random.Random(seed).shuffle(order)
    return order


def texts(out: Folder, places: Sequence[Place], count: int, seed: int) -> Iterator[str]:
    """The answers to all prompts of `count` samples drawn from `places`: what a tokenizer learns from."""
    for place in random.Random(f"{seed} tokenizer").sample(places, min(count, len(places))):
        sample = place.read(out)
        yield from (encode(sample, prompt)[1] for prompt, _ in PROMPTS[place.task] if can_answer(sample, prompt))
