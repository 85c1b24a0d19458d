"""Datasets that datagen wrote: rows are a task's trusted samples that have text and aren't marked, in the manifest's order.
A `Choice` leaves out others.

A dataset with pages and crops is opened once for each task, because each task has its own prompts and its own weight. No shard is
read to index it. Its records are read once, without their images, to count the tokens of their texts.
"""

import copy
import fnmatch
import functools
import hashlib
import itertools
import json
import posixpath
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.manifest import parts
from datagen.marks import digest, excluded
from datagen.pageink import cut_out
from datagen.record import Sample, SampleError
from datagen.shards import ShardReport, read_records, read_reports, read_sample
from datagen.storage import Folder
from datagen.target import PROMPTS, Prompt, can_answer, encode, neutralise
from model.data import lengths
from model.data.rows import DIFFICULTY, NO_ANSWER, Asked, Columns, Example, Part
from model.data.split import NAMED, group_hash
from model.data.tokens import counted
from model.tokenizer import TextTokenizer

TEXT = "text"
_AT_A_TIME = 1024
_COLUMNS = ["key", "shard", "offset", "bytes", "record_offset", "record_bytes", "task", "lang", "verdict", "num_chars"]
_COLUMNS += ["group", "sha256", "parent", "width", "height", "num_unread", "worth"]
# What features are made of.
_OF_FEATURE = {DIFFICULTY: ["difficulty"], "source": ["uri"], "layout": ["labels", "num_regions"]}


class Choice(NamedTuple):
    """Which samples of a dataset are rows, and what is known of them.

    Those with unread regions are left out, or these regions are "cut" out of their images. Labels must be worth `min_worth`,
    where that was measured. `features` are those that columns have.
    """

    unread: str = "leave"
    min_worth: float = 0.0
    features: tuple[str, ...] = ()


class Place(NamedTuple):
    """Where a sample lies, in bytes of its shard's tar."""

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
    """What a task's samples are asked: the table of `datagen.target`. Text alone is asked nothing."""
    return tuple(Asked(asked.prompt.value, asked.weight) for asked in PROMPTS[task]) if task != TEXT else (Asked("", 1.0),)


def example(sample: Sample, prompt: str, source: str) -> Example:
    """The sample under a prompt. Raises `SampleError` if it can't answer that."""
    if sample.task == TEXT:
        return Example((Part(neutralise(sample.text), True),), (), sample.key, source, sample.lang)
    if sample.image is None:
        raise SampleError("image_missing", f"{sample.key} has no image")
    asked, answer = encode(sample, Prompt(prompt))
    return Example((Part(asked, False), Part(answer, True)), (sample.image,), sample.key, source, sample.lang)


@dataclass(frozen=True)
class OursReader:
    """Reads a sample by its place."""

    name: str
    folder: Folder
    prompts: tuple[Asked, ...]
    cuts: bool = False

    def read(self, place: Place, prompt: int) -> Example:
        try:
            sample = read_sample(self.folder, *place)
            if self.cuts and sample.image is not None:
                sample = replace(sample, image=cut_out(sample.image, sample.regions))
            return example(sample, self.prompts[prompt].prompt, self.name)
        except (tarfile.TarError, ValueError, KeyError, TypeError, StopIteration) as error:
            where = f"{self.folder.url}/shards/{place.shard}.tar at {place.offset}"
            raise SampleError("bad_record", f"{where}: {type(error).__name__}: {error}") from error


class Ours:
    """The samples of one task in a dataset of ours.

    `held_out` names groups, or documents by their sha256, that are held out whatever the split says. Samples that are marked in
    any of `marked_by` are left out, and so are crops of marked pages. Pages that were made of one of the pages `elsewhere`, by
    their keys, are left out: those train already. Raises `ValueError`, naming it, if a committed shard is
    missing or isn't as long as its report says.
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
        # Without what dropped: of some sources that is most.
        self._reports = [replace(report, drops=()) for report in read_reports(folder)]
        _check_shards(folder, self._reports)

    def choosing(self, choice: Choice) -> "Ours":
        """The dataset with the rows of this choice."""
        chosen = copy.copy(self)
        chosen.__dict__.pop("digest", None)
        chosen.choice, chosen.reader = choice, replace(self.reader, cuts=choice.unread == "cut")
        return chosen

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
        index = _Index(self, tokenizer)
        wanted = [*_COLUMNS, *(column for feature in self.choice.features for column in _OF_FEATURE[feature])]
        shards = [report.shard for report in self._reports]
        for report, part in zip(self._reports, parts(self.folder, shards, wanted), strict=True):
            if part.num_rows != report.num_samples:
                raise ValueError(
                    f"{self.folder.url}: the manifest of {report.shard} has {part.num_rows} samples, its shard has "
                    f"{report.num_samples}: it isn't the manifest of these shards"
                )
            index.add(report, part)
        self._starts, self._offsets, self._sizes = index.starts, index.joined("offset"), index.joined("bytes")
        return index.columns()

    def place(self, row: int) -> Place:
        shard = int(np.searchsorted(self._starts, row, side="right")) - 1
        return Place(self._reports[shard].shard, int(self._offsets[row]), int(self._sizes[row]))

    def excluded(self) -> frozenset[str]:
        return frozenset[str]().union(*map(excluded, self._marked_by))

    def group_hashes(self, part: pa.Table) -> np.ndarray:
        groups, documents = (
            part["group"].combine_chunks().dictionary_encode(),
            part["sha256"].combine_chunks().dictionary_encode(),
        )
        hashes = np.array([NAMED if g in self._held_out else group_hash(g) for g in groups.dictionary.to_pylist()], np.uint64)
        named = np.array([document in self._held_out for document in documents.dictionary.to_pylist()], bool)
        hashes_N = hashes[groups.indices.to_numpy()] if len(part) else np.zeros(0, np.uint64)
        return np.where(named[documents.indices.to_numpy()], np.uint64(NAMED), hashes_N) if len(part) else hashes_N


class _Index:
    """The columns of a dataset, collected part by part."""

    def __init__(self, dataset: Ours, tokenizer: TextTokenizer):
        self.dataset, self.tokenizer = dataset, tokenizer
        self.name = lengths.name(tokenizer, dataset.prompts, dataset.task)
        self.excluded = dataset.excluded()
        self.starts: list[int] = []
        self.langs: dict[str, int] = {}
        self.skipped: Counter[str] = Counter()
        self.num_rows = 0
        self._arrays: dict[str, list[np.ndarray]] = {
            name: [] for name in ("answer", "lang", "group", *dataset.choice.features, *_KINDS)
        }

    def add(self, report: ShardReport, part: pa.Table) -> None:
        self.starts.append(self.num_rows)
        part = part.filter(pc.equal(part["task"], self.dataset.task))
        trusted, text = pc.equal(part["verdict"], "trusted"), pc.greater(part["num_chars"], 0)
        self.skipped["not_trusted"] += part.num_rows - (pc.sum(trusted).as_py() or 0)
        self.skipped["no_text"] += pc.sum(pc.and_not(trusted, text)).as_py() or 0
        part = part.filter(pc.and_(trusted, text))
        count = functools.partial(self._count, part)
        table = lengths.kept(self.dataset.folder, self.name, report.shard, report.sha256, part.num_rows, count)
        answer_NP = lengths.lengths(table, len(self.dataset.prompts))
        for reason, is_out in self._reasons():
            free = ~np.asarray(is_out(part), bool)
            if not free.all():
                self.skipped[reason] += int((~free).sum())
                part, answer_NP = part.filter(pa.array(free)), answer_NP[free]
        self.skipped["bad_record"] += int((answer_NP == NO_ANSWER).all(1).sum())
        self._arrays["answer"].append(answer_NP)
        self._arrays["group"].append(self.dataset.group_hashes(part))
        self._arrays["lang"].append(self._codes(part["lang"]))
        for name in self.dataset.choice.features:
            self._arrays[name].append(_feature(name, part))
        for name, kind in _KINDS.items():
            limits = np.iinfo(kind)
            self._arrays[name].append(part[name].to_numpy().clip(limits.min, limits.max).astype(kind))
        self.num_rows += part.num_rows

    def columns(self) -> Columns:
        return Columns(
            width_N=self.joined("width"),
            height_N=self.joined("height"),
            answer_NP=self.joined("answer").reshape(self.num_rows, len(self.dataset.prompts)),
            lang_N=self.joined("lang"),
            group_N=self.joined("group"),
            langs=tuple(self.langs),
            features={name: self.joined(name) for name in self.dataset.choice.features},
            skipped={reason: n for reason, n in self.skipped.items() if n},
        )

    def joined(self, name: str) -> np.ndarray:
        """The column over all parts. It is taken out, so that nothing is held twice."""
        kinds: dict[str, Any] = {"answer": np.int32, "lang": np.int16, DIFFICULTY: np.int16, **_KINDS}
        kind = kinds.get(name, np.uint64)
        return np.concatenate([np.zeros((0, *self._shape(name)), kind), *self._arrays.pop(name)])

    def _reasons(self) -> Iterator[tuple[str, Callable[[pa.Table], Any]]]:
        """Why samples are left out, and which of a part's rows are for that reason."""
        choice, elsewhere = self.dataset.choice, self.dataset.elsewhere
        if self.excluded:
            yield "marked", lambda part: [is_marked(key, self.excluded) for key in part["key"].to_pylist()]
        if elsewhere:
            yield "page_elsewhere", lambda part: [parent in elsewhere for parent in part["parent"].to_pylist()]
        if choice.unread == "leave":
            yield "unread_regions", lambda part: part["num_unread"].to_numpy() > 0
        if choice.min_worth:
            yield "worth_little", lambda part: _is_worth_less(part["worth"].to_numpy(), choice.min_worth)

    def _shape(self, name: str) -> tuple[int, ...]:
        return (len(self.dataset.prompts),) if name == "answer" else ()

    def _codes(self, langs: pa.ChunkedArray) -> np.ndarray:
        encoded = langs.combine_chunks().dictionary_encode()
        codes = np.array([self.langs.setdefault(lang, len(self.langs)) for lang in encoded.dictionary.to_pylist()], np.int16)
        return codes[encoded.indices.to_numpy()] if len(langs) else codes

    def _count(self, part: pa.Table) -> pa.Table:
        """The lengths of the part's samples under each prompt. Those of a record that can't be read have none."""
        folder, prompts = self.dataset.folder, self.dataset.prompts
        found = np.full((part.num_rows, len(prompts)), NO_ANSWER, np.int32)
        rows = part.select(["shard", "record_offset", "record_bytes"]).to_pylist()
        for start in range(0, len(rows), _AT_A_TIME):
            places, texts = [], []
            for row, sample in enumerate(_records(folder, rows[start : start + _AT_A_TIME]), start):
                for prompt, (asked, _) in enumerate(prompts):
                    if sample is not None and (self.dataset.task == TEXT or can_answer(sample, Prompt(asked))):
                        places.append((row, prompt))
                        texts.append(_parts(sample, asked))
            for (row, prompt), length in zip(places, counted(texts, self.tokenizer), strict=True):
                found[row, prompt] = length
        return pa.table(lengths.columns(found))


_KINDS: dict[str, Any] = {"width": np.uint16, "height": np.uint16, "offset": np.int64, "bytes": np.int32}


def _is_worth_less(worth_N: np.ndarray, least: float) -> np.ndarray:
    return (worth_N >= 0) & (worth_N < np.float32(least))


def _feature(name: str, part: pa.Table) -> np.ndarray:
    """A feature of a part's rows. A source is the folder or the site of a file. A layout is which labels there are, and about how
    many regions."""
    if name == DIFFICULTY:
        difficulty_N = part["difficulty"].to_numpy()
        return np.where(difficulty_N < 0, -1000, np.rint(1000 * difficulty_N)).astype(np.int16)
    if name == "source":
        values = [uri.split("/")[2] if "://" in uri else posixpath.dirname(uri) for uri in part["uri"].to_pylist()]
    else:
        sizes = part["num_regions"].to_pylist()
        values = [f"{n.bit_length()} {' '.join(labels)}" for labels, n in zip(part["labels"].to_pylist(), sizes, strict=True)]
    return np.array([xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) for value in values], np.uint64)


def _parts(sample: Sample, prompt: str) -> tuple[Part, ...]:
    if sample.task == TEXT:
        return (Part(neutralise(sample.text), True),)
    asked, answer = encode(sample, Prompt(prompt))
    return Part(asked, False), Part(answer, True)


def _records(folder: Folder, rows: Sequence[dict[str, Any]]) -> Iterable[Sample | None]:
    """The records at `rows`, None of those that are damaged."""
    try:
        return list(read_records(folder, rows))
    except (ValueError, KeyError, TypeError):
        if len(rows) == 1:
            return [None]
        return [sample for row in rows for sample in _records(folder, [row])]


def is_marked(key: str, marked: frozenset[str]) -> bool:
    """Whether a sample is marked, or the page that it was cut from, in whatever dataset: a crop's key begins with its page's."""
    return any(part in marked for part in itertools.accumulate(key.split("-"), "{}-{}".format))


def _check_shards(folder: Folder, reports: Sequence[ShardReport]) -> None:
    """Raises `ValueError`, naming a shard, unless all of them are there, as long as their reports say."""
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
    """The datasets of `out` that `names` match, one for each task that they have: `coarse` for pages, `coarse crop` for crops.
    `before` stands before their names, with a slash. Those that `beside` matches train, too, and are opened by somebody else.

    A sample that is marked in one of them is left out of all, and so is a page that a round of the flywheel labelled, where the
    page itself is a trusted sample of one of them. Raises `ValueError` as `find_datasets` and `Ours` do, and
    `FileNotFoundError` if a shard lacks its part of the manifest.
    """
    found = []
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
                found.append(Ours(folder, label, task, held_out, marked_by, elsewhere))
    return found


def _pages_elsewhere(datasets: Sequence[Folder]) -> frozenset[str]:
    """The keys of trusted pages in these datasets that other pages there were made of, and that nothing marks."""
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
