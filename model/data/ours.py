"""Datasets of datagen: their rows are a task's trusted samples with text and without marks, in the manifest's order, if a
`Choice` takes them.

A dataset with pages and crops is opened once for each task, because each task has its own prompts and weight. Indexing reads no
shard. Its records are read once, without images, to count the tokens of their texts.
"""

import copy
import fnmatch
import functools
import hashlib
import json
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.disk.manifest import parts
from datagen.disk.marks import digest, excluded, is_marked
from datagen.disk.shards import ShardReport, read_reports, read_sample
from datagen.disk.storage import Folder
from datagen.page.masked import without_unread
from datagen.record import Sample, SampleError
from datagen.target import PROMPTS
from model.data import lengths
from model.data.our_rows import COLUMNS, NO_ROWS, OF_FEATURE, Choice, Index, Rows, feature, parts_of
from model.data.rows import Asked, Columns, Example
from model.data.split import NAMED, group_hash
from model.data.words import TEXT
from model.net.tokenizer import TextTokenizer


class Place(NamedTuple):
    """A sample's place, in bytes of its shard's tar."""

    shard: str
    offset: int
    num_bytes: int


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


def prompts_of(task: str) -> tuple[Asked, ...]:
    """The prompts of a task's samples, from `datagen.target`. Text alone has none."""
    return tuple(Asked(asked.prompt.value, asked.weight) for asked in PROMPTS[task]) if task != TEXT else (Asked("", 1.0),)


def example(sample: Sample, prompt: str, source: str) -> Example:
    """The sample under a prompt. Raises `SampleError` if it can't answer the prompt."""
    if sample.image is None and sample.task != TEXT:
        raise SampleError("image_missing", f"{sample.key} has no image")
    images = () if sample.image is None or sample.task == TEXT else (sample.image,)
    return Example(parts_of(sample, prompt), images, sample.key, source, sample.lang)


@dataclass(frozen=True)
class OursReader:
    name: str
    folder: Folder
    prompts: tuple[Asked, ...]
    cuts: bool = False

    def read(self, place: Place, prompt: int) -> Example:
        try:
            sample = read_sample(self.folder, *place)
            if self.cuts and sample.image is not None:
                sample = replace(sample, image=without_unread(sample.image, sample.regions))
            return example(sample, self.prompts[prompt].prompt, self.name)
        except (ValueError, KeyError, TypeError) as error:
            where = f"{self.folder.url}/shards/{place.shard}.tar at {place.offset}"
            raise SampleError("bad_record", f"{where}: {type(error).__name__}: {error}") from error


class Ours:
    """The samples of one task in a dataset of ours.

    `held_out` names groups, or documents by their sha256, that are held out whatever the split says. Samples marked in any of
    `marked_by` are left out, and so are crops of marked pages, and pages made of one of the pages `elsewhere` (keys), which train
    already. Raises `ValueError` that names a committed shard if it is missing or its length isn't its report's.
    """

    def __init__(
        self,
        folder: Folder,
        name: str,
        task: str = "page",
        held_out: frozenset[str] = frozenset(),
        marked_by: Sequence[Folder] = (),
        elsewhere: frozenset[str] = frozenset(),
    ):
        if task != TEXT and task not in PROMPTS:
            raise ValueError(f"task is {task!r}: a model trains on {', '.join(PROMPTS)} and {TEXT}")
        self.name, self.folder, self.task, self.prompts = name, folder, task, prompts_of(task)
        self.reader = OursReader(name, folder, self.prompts)
        self._held_out, self._marked_by = held_out, tuple(marked_by) or (folder,)
        self.elsewhere = elsewhere if task == "page" else frozenset()
        self.choice = Choice()
        # Without drops, which some sources have most of.
        self._reports = [replace(report, drops=()) for report in read_reports(folder)]
        _check_shards(folder, self._reports)

    def choosing(self, choice: Choice) -> "Ours":
        """The dataset with the rows of this choice."""
        chosen = copy.copy(self)
        chosen.__dict__.pop("digest", None)
        chosen.choice, chosen.reader = choice, replace(self.reader, cuts=choice.unread == "cut")
        return chosen

    def uncounted(self, tokenizer: TextTokenizer) -> "Iterator[Ours]":
        """Each shard without kept lengths, as a dataset. Lengths depend on no other samples."""
        name = lengths.name(tokenizer, self.prompts, self.task)
        for report in self._reports:
            if not lengths.is_kept(self.folder, name, report.shard):
                one = copy.copy(self)
                one._reports, one.elsewhere = [report], frozenset()
                yield one

    @functools.cached_property
    def digest(self) -> str:
        prompts = [asked for asked, _ in self.prompts]
        values: list[Any] = [self.task, prompts, digest(self._marked_by), sorted(self._held_out)]
        values += [sorted(self.elsewhere)] if self.elsewhere else []
        values += [list(self.choice)] if self.choice != Choice() else []
        shards = [[report.shard, report.sha256] for report in self._reports]
        return hashlib.sha256(json.dumps([values, shards]).encode()).hexdigest()

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if the manifest isn't that of the shards."""
        index = Index(self._rows(), self.folder, self.prompts, tokenizer)
        for report, part in self._parts(COLUMNS):
            if part.num_rows != report.num_samples:
                raise ValueError(
                    f"{self.folder.url}: the manifest of {report.shard} has {part.num_rows} samples, its shard has "
                    f"{report.num_samples}: it isn't the manifest of these shards"
                )
            index.add(report, part, self._group_hashes)
        self._starts, self._offsets, self._sizes = index.starts, index.joined("offset"), index.joined("bytes")
        return index.columns(self._feature)

    def _feature(self, name: str) -> np.ndarray:
        """The feature of that name, by the manifest."""
        rows = self._rows()
        parts_read = self._parts([*COLUMNS, *OF_FEATURE[name]])
        features = [feature(name, rows.free(rows.fitting(part))[0]) for _, part in parts_read]
        return np.concatenate([feature(name, NO_ROWS), *features])

    def _parts(self, columns: Sequence[str]) -> Iterator[tuple[ShardReport, pa.Table]]:
        return zip(self._reports, parts(self.folder, [r.shard for r in self._reports], columns), strict=True)

    def place(self, row: int) -> Place:
        shard = int(np.searchsorted(self._starts, row, side="right")) - 1
        return Place(self._reports[shard].shard, int(self._offsets[row]), int(self._sizes[row]))

    def _rows(self) -> Rows:
        marked = frozenset[str]().union(*map(excluded, self._marked_by))
        return Rows(self.task, self.choice, marked, self.elsewhere)

    def _group_hashes(self, part: pa.Table) -> np.ndarray:
        groups, documents = (
            part["group"].combine_chunks().dictionary_encode(),
            part["sha256"].combine_chunks().dictionary_encode(),
        )
        hashes = np.array([NAMED if g in self._held_out else group_hash(g) for g in groups.dictionary.to_pylist()], np.uint64)
        named = np.array([document in self._held_out for document in documents.dictionary.to_pylist()], bool)
        hashes_N = hashes[groups.indices.to_numpy()] if len(part) else np.zeros(0, np.uint64)
        return np.where(named[documents.indices.to_numpy()], np.uint64(NAMED), hashes_N) if len(part) else hashes_N


def _check_shards(folder: Folder, reports: Sequence[ShardReport]) -> None:
    """Raises `ValueError` that names a shard unless all of them are there, with their reports' lengths."""
    fs, root = folder.fs, folder.path("shards")
    entries = fs.ls(root, detail=True) if reports else []
    sizes = {posixpath.basename(entry["name"]): entry["size"] for entry in entries}
    for report in reports:
        size = sizes.get(f"{report.shard}.tar")
        if size is None:
            raise ValueError(f"{folder.url}/shards/{report.shard}.tar is missing, but its report is there")
        if size != report.num_bytes:
            raise ValueError(f"{folder.url}/shards/{report.shard}.tar has {size} bytes, its report says {report.num_bytes}")


def open_ours(
    out: Folder, names: Sequence[str], held_out: frozenset[str] = frozenset(), before: str = "", beside: Sequence[str] = ()
) -> list[Ours]:
    """The datasets of `out` that `names` match, one for each of their tasks: `coarse` for pages, `coarse crop` for crops. Their
    names get `before` and a slash in front. Datasets that `beside` matches train, too, and are opened elsewhere.

    A sample marked in one of them is left out of all, and so is a page that a round of the flywheel labelled, if the page itself
    is a trusted sample of one of them. Raises `ValueError` as `find_datasets` and `Ours` do, and `FileNotFoundError` if a shard
    lacks its part of the manifest.
    """
    opened = []
    folders = find_datasets(out, [*names, *beside])
    marked_by = [out.sub(name) for name in folders]
    elsewhere = _pages_elsewhere(marked_by)
    for name in find_datasets(out, names):
        folder = out.sub(name)
        shards = [report.shard for report in read_reports(folder)]
        tasks = {task for part in parts(folder, shards, ["task"]) for task in part["task"].unique().to_pylist()}
        for task in (*PROMPTS, TEXT):
            if task in tasks:
                label = posixpath.join(before, name if task == "page" else f"{name} {task}")
                opened.append(Ours(folder, label, task, held_out, marked_by, elsewhere))
    return opened


def _pages_elsewhere(datasets: Sequence[Folder]) -> frozenset[str]:
    """The keys of trusted, unmarked pages in these datasets of which other pages there were made."""
    marked = frozenset[str]().union(*map(excluded, datasets))
    parents: set[str] = set()
    tables = []
    for folder in datasets:
        for part in parts(folder, [report.shard for report in read_reports(folder)], ["key", "task", "verdict", "parent"]):
            pages = part.filter(pc.equal(part["task"], "page"))
            parents.update(pages.filter(pc.not_equal(pages["parent"], ""))["parent"].to_pylist())
            tables.append(pages.filter(pc.equal(pages["verdict"], "trusted"))["key"])
    known = pa.array(sorted(parents), pa.string())
    keys = {key for table in tables if parents for key in table.filter(pc.is_in(table, known)).to_pylist()}
    return frozenset(key for key in keys if not is_marked(key, marked))
