"""The samples of a dataset of ours that are rows, and their facts: from its manifest, and the lengths kept beside it.

N rows · P prompts
"""

import functools
import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.manifest import SCHEMA, answerable
from datagen.disk.marks import is_marked
from datagen.disk.shards import ShardReport, read_records
from datagen.disk.storage import Folder
from datagen.record import Sample
from datagen.target import Prompt, can_answer, encode, neutralise
from model.data import lengths
from model.data.rows import DIFFICULTY, NO_ANSWER, Asked, Columns, Features, Part
from model.data.tokens import counted
from model.data.words import MIN_WORTH, TEXT
from model.net.tokenizer import TextTokenizer


class Choice(NamedTuple):
    """The choice of a dataset's samples: those with unread regions are left out, or these regions are "cut" out of their images.
    Labels with a measured worth must be worth `min_worth`."""

    unread: str = "leave"
    min_worth: float = MIN_WORTH


_AT_A_TIME = 1024
COLUMNS = ["key", "shard", "offset", "bytes", "record_offset", "record_bytes", "task", "lang", "verdict", "num_chars"]
COLUMNS += ["group", "sha256", "parent", "width", "height", "num_unread", "worth", "has_caption", "num_regions"]
# The columns from which features are made.
OF_FEATURE = {DIFFICULTY: ["difficulty"], "source": ["uri"], "layout": ["labels"]}
NO_ROWS = SCHEMA.empty_table()


@dataclass(frozen=True)
class Rows:
    """The choice of rows in a part of the manifest: chosen samples of `task` that are neither `excluded` by their keys nor made
    of a page `elsewhere`. `skipped` counts the others by reason."""

    task: str
    choice: Choice
    excluded: frozenset[str]
    elsewhere: frozenset[str]
    skipped: Counter[str] = field(default_factory=Counter)

    def fitting(self, part: pa.Table) -> pa.Table:
        """The samples of the dataset's task from which a model can learn."""
        part = part.filter(pc.equal(part["task"], self.task))
        trusted, fits = pc.equal(part["verdict"], "trusted"), answerable(part)
        self.skipped["not_trusted"] += part.num_rows - (pc.sum(trusted).as_py() or 0)
        self.skipped["no_text"] += pc.sum(pc.and_not(trusted, fits)).as_py() or 0
        return part.filter(fits)

    def free(self, part: pa.Table) -> tuple[pa.Table, np.ndarray]:
        """The fitting samples with no reason against them, and a mask of these in the part's rows."""
        free_N = np.ones(part.num_rows, bool)
        for reason, is_out in self._reasons():
            out_N = np.asarray(is_out(part), bool) & free_N
            self.skipped[reason] += int(out_N.sum())
            free_N &= ~out_N
        return (part if free_N.all() else part.filter(pa.array(free_N))), free_N

    def _reasons(self) -> Iterator[tuple[str, Callable[[pa.Table], Any]]]:
        """The reasons for leaving samples out, each with a mask of the part's rows."""
        choice, elsewhere = self.choice, self.elsewhere
        if self.excluded:
            yield "marked", lambda part: [is_marked(key, self.excluded) for key in part["key"].to_pylist()]
        if elsewhere:
            yield "page_elsewhere", lambda part: [parent in elsewhere for parent in part["parent"].to_pylist()]
        if choice.unread == "leave":
            yield "unread_regions", lambda part: part["num_unread"].to_numpy() > 0
        if choice.min_worth:
            least = np.float32(choice.min_worth)
            yield "worth_little", lambda part: (part["worth"].to_numpy() >= 0) & (part["worth"].to_numpy() < least)


class Index:
    """The columns of a dataset, collected part by part."""

    def __init__(self, rows: Rows, folder: Folder, prompts: tuple[Asked, ...], tokenizer: TextTokenizer):
        self.rows, self.folder, self.prompts, self.tokenizer = rows, folder, prompts, tokenizer
        self.name = lengths.name(tokenizer, prompts, rows.task)
        self.starts: list[int] = []
        self.langs: dict[str, int] = {}
        self.num_rows = 0
        self._arrays: dict[str, list[np.ndarray]] = {name: [] for name in ("answer", "lang", "group", *_KINDS)}

    def add(self, report: ShardReport, part: pa.Table, hashes: Callable[[pa.Table], np.ndarray]) -> None:
        """Add a part. `hashes` gives the hashes of its rows' groups."""
        self.starts.append(self.num_rows)
        part = self.rows.fitting(part)
        count = functools.partial(self._count, part)
        table = lengths.kept(self.folder, self.name, report.shard, report.sha256, part.num_rows, count)
        part, free_N = self.rows.free(part)
        answer_NP = lengths.lengths(table, len(self.prompts))[free_N]
        self.rows.skipped["bad_record"] += int((answer_NP == NO_ANSWER).all(1).sum())
        self._arrays["answer"].append(answer_NP)
        self._arrays["group"].append(hashes(part))
        self._arrays["lang"].append(self._codes(part["lang"]))
        for name, kind in _KINDS.items():
            limits = np.iinfo(kind)
            self._arrays[name].append(part[name].to_numpy().clip(limits.min, limits.max).astype(kind))
        self.num_rows += part.num_rows

    def columns(self, read_feature: Callable[[str], np.ndarray]) -> Columns:
        return Columns(
            width_N=self.joined("width"),
            height_N=self.joined("height"),
            answer_NP=self.joined("answer").reshape(self.num_rows, len(self.prompts)),
            lang_N=self.joined("lang"),
            group_N=self.joined("group"),
            langs=tuple(self.langs),
            features=Features(tuple(OF_FEATURE), read_feature),
            skipped={reason: n for reason, n in self.rows.skipped.items() if n},
        )

    def joined(self, name: str) -> np.ndarray:
        """The column over all parts. It is removed here, so that nothing is in memory twice."""
        kind = {"answer": np.int32, "lang": np.int16, "group": np.uint64}.get(name) or _KINDS[name]
        shape = (0, len(self.prompts)) if name == "answer" else (0,)
        return np.concatenate([np.zeros(shape, kind), *self._arrays.pop(name)])

    def _codes(self, langs: pa.ChunkedArray) -> np.ndarray:
        encoded = langs.combine_chunks().dictionary_encode()
        codes = np.array([self.langs.setdefault(lang, len(self.langs)) for lang in encoded.dictionary.to_pylist()], np.int16)
        return codes[encoded.indices.to_numpy()] if len(langs) else codes

    def _count(self, part: pa.Table) -> pa.Table:
        """The lengths of the part's samples under each prompt. A record that can't be read has none."""
        folder, prompts = self.folder, self.prompts
        lengths_NP = np.full((part.num_rows, len(prompts)), NO_ANSWER, np.int32)
        rows = part.select(["shard", "record_offset", "record_bytes"]).to_pylist()
        for start in range(0, len(rows), _AT_A_TIME):
            places, texts = [], []
            for row, sample in enumerate(_records(folder, rows[start : start + _AT_A_TIME]), start):
                for prompt, (asked, _) in enumerate(prompts):
                    if sample is not None and (self.rows.task == TEXT or can_answer(sample, Prompt(asked))):
                        places.append((row, prompt))
                        texts.append(parts_of(sample, asked))
            for (row, prompt), length in zip(places, counted(texts, self.tokenizer), strict=True):
                lengths_NP[row, prompt] = length
        return pa.table(lengths.columns(lengths_NP))


_KINDS: dict[str, Any] = {"width": np.uint16, "height": np.uint16, "offset": np.int64, "bytes": np.int32}


def feature(name: str, part: pa.Table) -> np.ndarray:
    """A feature of a part's rows. A source is a file's folder or site. A layout is the set of labels, with the rough number of
    regions."""
    if name == DIFFICULTY:
        difficulty_N = part["difficulty"].to_numpy()
        return np.where(difficulty_N < 0, -1000, np.rint(1000 * difficulty_N)).astype(np.int16)
    if name == "source":
        values = [uri.split("/")[2] if "://" in uri else posixpath.dirname(uri) for uri in part["uri"].to_pylist()]
    else:
        sizes = part["num_regions"].to_pylist()
        values = [f"{n.bit_length()} {' '.join(labels)}" for labels, n in zip(part["labels"].to_pylist(), sizes, strict=True)]
    return np.array([xxhash.xxh3_64_intdigest(value.encode("utf-8", "surrogatepass")) for value in values], np.uint64)


def parts_of(sample: Sample, prompt: str) -> tuple[Part, ...]:
    """A prompt's question and the answer; of text alone all of it. Raises `SampleError` if the sample can't answer the prompt."""
    if sample.task == TEXT:
        return (Part(neutralise(sample.text), True),)
    asked, answer = encode(sample, Prompt(prompt))
    return Part(asked, False), Part(answer, True)


def _records(folder: Folder, rows: Sequence[dict[str, Any]]) -> Iterable[Sample | None]:
    """The records at `rows`, None for damaged ones."""
    try:
        return list(read_records(folder, rows))
    except (ValueError, KeyError, TypeError):
        if len(rows) == 1:
            return [None]
        return [sample for row in rows for sample in _records(folder, [row])]
