"""The manifest: one Parquet part a shard, with a row a sample. It can be rebuilt from the shards alone.

A plan, a split, an index and a count need the manifest only, and open no shard.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy
import pyarrow as pa
import xxhash

from datagen.disk.shards import Place, read_reports, read_shard
from datagen.disk.storage import Folder, parquet_table
from datagen.markdown import lacks_text
from datagen.record import Sample

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("offset", pa.int64()),  # of the sample's members in the shard's tar
        ("bytes", pa.int64()),
        ("record_offset", pa.int64()),  # of the JSON record in the tar, without its header
        ("record_bytes", pa.int32()),
        ("task", pa.string()),
        ("lang", pa.string()),
        ("script", pa.string()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("group", pa.string()),  # the group for a split
        ("difficulty", pa.float32()),
        ("worth", pa.float32()),  # of the labels, from 0 to 1: the signal of that name; -1 if it wasn't measured
        ("formats", pa.list_(pa.string())),  # of the regions' text, each once
        ("labels", pa.list_(pa.string())),  # of the regions, each once
        ("num_regions", pa.int32()),
        ("num_unread", pa.int32()),  # regions that lack their text
        ("num_lines", pa.int32()),
        ("num_ltr_lines", pa.int32()),
        ("num_chars", pa.int32()),  # 0 for white space alone
        ("has_caption", pa.bool_()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("image_xxh64", pa.uint64()),  # of the encoded image; of the text where there is no image
        ("uri", pa.string()),
        ("sha256", pa.string()),
        ("page", pa.int32()),
        ("parent", pa.string()),
        ("licence", pa.string()),
        ("stage", pa.string()),
        ("round", pa.int32()),
    ]
)
# The values of columns that manifests of earlier versions lack.
_UNKNOWN: dict[str, Any] = {"worth": -1.0, "num_unread": 0, "labels": []}
ANSWERABLE = ("task", "verdict", "num_chars", "has_caption", "num_regions")
_LETTERS = b"letters"
Letters = dict[tuple[str, str], Counter[str]]
"""How often each letter occurs in the texts of a language and script."""


class PartBuilder:
    """Collects the manifest part of one shard, sample by sample."""

    def __init__(self, shard: str):
        self.shard = shard
        self._rows: list[dict] = []
        self._letters: Letters = {}

    def add(self, sample: Sample, place: Place) -> None:
        self._rows.append(row(sample, self.shard, place))
        letters = self._letters.setdefault((sample.lang, sample.script), Counter())
        for char, n in Counter(sample.text).items():
            if char.isalpha():
                letters[char] += n

    def write(self, folder: Folder) -> None:
        counts = {" ".join(written): dict(sorted(n.items())) for written, n in sorted(self._letters.items())}
        table = pa.Table.from_pylist(self._rows, schema=SCHEMA)
        metadata = {_LETTERS: json.dumps(counts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")}
        folder.write_table(name_of(self.shard), table.replace_schema_metadata(metadata))


def rebuild(folder: Folder, shard: str) -> None:
    """Write the part of `shard` anew from the shard's tar. Raises as `read_shard` does."""
    part = PartBuilder(shard)
    with folder.open(f"shards/{shard}.tar") as file:
        for sample, place in read_shard(file):
            part.add(sample, place)
    part.write(folder)


def row(sample: Sample, shard: str, place: Place) -> dict:
    """A sample's row. `place` is the sample's place in the shard's tar."""
    lines = [line for region in sample.regions for line in region.lines]
    return {
        "key": sample.key,
        "shard": shard,
        "offset": place.offset,
        "bytes": place.num_bytes,
        "record_offset": place.record_offset,
        "record_bytes": place.record_bytes,
        "task": sample.task,
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "reasons": list(sample.quality.reasons),
        "group": sample.split_group,
        "difficulty": sample.difficulty,
        "worth": sample.quality.signals.get("worth", -1.0),
        "formats": sorted({region.format for region in sample.regions}),
        "labels": sorted({region.label for region in sample.regions}),
        "num_regions": len(sample.regions),
        "num_unread": sum(map(lacks_text, sample.regions)),
        "num_lines": len(lines),
        "num_ltr_lines": sum(line.direction == "ltr" for line in lines),
        "num_chars": len(sample.text) if sample.text.strip() else 0,
        "has_caption": bool(sample.caption),
        "width": sample.size[0],
        "height": sample.size[1],
        "image_xxh64": xxhash.xxh64_intdigest(sample.image or sample.text.encode("utf-8", "replace")),
        "uri": sample.origin.uri,
        "sha256": sample.origin.sha256,
        "page": sample.origin.page,
        "parent": sample.origin.parent,
        "licence": sample.origin.licence,
        "stage": sample.stage,
        "round": sample.round,
    }


def answerable(part: pa.Table) -> pa.ChunkedArray:
    """Which of a part's rows a model can learn from. `part` has the columns `ANSWERABLE`. A row must be trusted and have text. A
    caption sample may have a caption or objects in place of text. A scene needs no text, since a model must learn that a picture
    may have none."""
    import pyarrow.compute as pc  # takes 0.1 s, which a plan needn't wait for

    described = pc.or_(part["has_caption"], pc.greater(part["num_regions"], 0))
    silent = pc.or_(pc.equal(part["task"], "scene"), pc.and_(pc.equal(part["task"], "caption"), described))
    return pc.and_(pc.equal(part["verdict"], "trusted"), pc.or_(pc.greater(part["num_chars"], 0), silent))


def letters(part: pa.Table) -> Letters:
    """How often each letter occurs in a part's texts, by (language, script)."""
    counts = json.loads((part.schema.metadata or {}).get(_LETTERS, b"{}"))
    return {tuple(written.split(" ")): Counter(n) for written, n in counts.items()}


def read_part(folder: Folder, shard: str) -> pa.Table:
    """The rows of one shard. Raises `FileNotFoundError`."""
    return folder.read_table(name_of(shard))


def parts(folder: Folder, shards: Sequence[str], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The manifest's parts over the committed `shards` of the dataset in `folder`, in order, or these `columns` of them. A part
    that a killed run left isn't read. Raises `FileNotFoundError`."""
    names = list(map(name_of, shards))
    for name, data in zip(names, folder.read_each(names), strict=True):
        if data is None:
            raise FileNotFoundError(folder.path(name))
        yield _table(data, columns)


def _table(data: bytes, columns: Sequence[str] | None) -> pa.Table:
    table = parquet_table(data, columns)
    wanted = columns or SCHEMA.names
    lacking = [name for name in wanted if name in _UNKNOWN and name not in table.schema.names]
    for name in lacking:
        table = table.append_column(name, pa.array([_UNKNOWN[name]] * len(table), SCHEMA.field(name).type))
    return table.select(wanted) if lacking or columns else table


def read(folder: Folder, shards: Sequence[str]) -> pa.Table:
    """All `parts` as one table: about 400 bytes a sample."""
    return pa.concat_tables([SCHEMA.empty_table(), *(part.replace_schema_metadata(None) for part in parts(folder, shards))])


def rows(folder: Folder, wanted: Callable[[dict[str, Any]], bool] = lambda row: True) -> Iterator[dict[str, Any]]:
    """The `wanted` rows of all committed shards, in order, read part by part."""
    for part in parts(folder, [report.shard for report in read_reports(folder)]):
        yield from (row for row in part.to_pylist() if wanted(row))


def name_of(shard: str) -> str:
    """The name of a shard's part in the dataset's folder."""
    return f"manifest/{shard}.parquet"


class Values(NamedTuple):
    """The columns by which samples are counted."""

    task: str
    lang: str
    script: str
    verdict: str
    licence: str


@dataclass
class Tally:
    """Counts over parts of a manifest. It grows by 8 bytes a document."""

    counts: Counter[Values] = field(default_factory=Counter)
    num_chars: int = 0
    _documents: list[numpy.ndarray] = field(default_factory=list)

    def add(self, part: pa.Table) -> None:
        grouped = part.group_by(list(Values._fields), use_threads=False).aggregate([([], "count_all"), ("num_chars", "sum")])
        for group in grouped.to_pylist():
            self.counts[Values(*(group[name] for name in Values._fields))] += group["count_all"]
            self.num_chars += group["num_chars_sum"]
        uris = part["uri"].unique().to_pylist()
        self._documents.append(numpy.array([xxhash.xxh3_64_intdigest(uri.encode()) for uri in uris], numpy.uint64))

    @property
    def num_samples(self) -> int:
        return self.counts.total()

    @property
    def num_documents(self) -> int:
        return len(numpy.unique(numpy.concatenate(self._documents))) if self._documents else 0

    def by(self, *names: str) -> Counter:
        """The number of samples by one column of `Values`, or by a tuple of several."""
        counts: Counter = Counter()
        for values, n in self.counts.items():
            chosen = tuple(getattr(values, name) for name in names)
            counts[chosen if len(names) > 1 else chosen[0]] += n
        return counts
