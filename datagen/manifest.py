"""The manifest: Parquet parts, one a shard, that say what is in the corpus and where. It can be rebuilt from the shards alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy
import pyarrow as pa
import xxhash

from datagen.record import Sample
from datagen.storage import Folder, parquet_table

SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("offset", pa.int64()),
        ("bytes", pa.int64()),
        ("task", pa.string()),
        ("lang", pa.string()),
        ("script", pa.string()),
        ("verdict", pa.string()),
        ("num_regions", pa.int32()),
        ("num_chars", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("uri", pa.string()),
        ("sha256", pa.string()),
        ("page", pa.int32()),
        ("licence", pa.string()),
        ("stage", pa.string()),
        ("round", pa.int32()),
    ]
)


def row(sample: Sample, shard: str, offset: int, num_bytes: int) -> dict:
    """A sample's row. `offset` and `num_bytes` are the place of its members in the shard's tar."""
    return {
        "key": sample.key,
        "shard": shard,
        "offset": offset,
        "bytes": num_bytes,
        "task": sample.task,
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "num_regions": len(sample.regions),
        "num_chars": len(sample.text),
        "width": sample.size[0],
        "height": sample.size[1],
        "uri": sample.origin.uri,
        "sha256": sample.origin.sha256,
        "page": sample.origin.page,
        "licence": sample.origin.licence,
        "stage": sample.stage,
        "round": sample.round,
    }


def write_part(folder: Folder, shard: str, rows: list[dict]) -> None:
    folder.write_table(f"manifest/{shard}.parquet", pa.Table.from_pylist(rows, schema=SCHEMA))


def read_part(folder: Folder, shard: str) -> pa.Table:
    """The rows of one shard. Raises `FileNotFoundError`."""
    return folder.read_table(f"manifest/{shard}.parquet")


def parts(folder: Folder, shards: Sequence[str]) -> Iterator[pa.Table]:
    """The manifest of the dataset in `folder` over its committed `shards`, a table each: a part left by a killed run is not read.
    Raises `FileNotFoundError`."""
    names = [f"manifest/{shard}.parquet" for shard in shards]
    for name, data in zip(names, folder.read_each(names), strict=True):
        if data is None:
            raise FileNotFoundError(folder.path(name))
        yield parquet_table(data)


def read(folder: Folder, shards: Sequence[str]) -> pa.Table:
    """All of `parts` as one table: 300 bytes a sample."""
    return pa.concat_tables([SCHEMA.empty_table(), *parts(folder, shards)])


class Values(NamedTuple):
    """What samples are counted by."""

    task: str
    lang: str
    script: str
    verdict: str
    licence: str


@dataclass
class Tally:
    """What parts of a manifest add up to. It grows by 8 bytes a document."""

    counts: Counter[Values] = field(default_factory=Counter)
    num_chars: int = 0
    _documents: list[numpy.ndarray] = field(default_factory=list)

    def add(self, part: pa.Table) -> None:
        grouped = part.group_by(list(Values._fields), use_threads=False).aggregate([([], "count_all"), ("num_chars", "sum")])
        for found in grouped.to_pylist():
            self.counts[Values(*(found[name] for name in Values._fields))] += found["count_all"]
            self.num_chars += found["num_chars_sum"]
        uris = part["uri"].unique().to_pylist()
        self._documents.append(numpy.array([xxhash.xxh3_64_intdigest(uri.encode()) for uri in uris], numpy.uint64))

    @property
    def num_samples(self) -> int:
        return self.counts.total()

    @property
    def num_documents(self) -> int:
        return len(numpy.unique(numpy.concatenate(self._documents))) if self._documents else 0

    def by(self, *names: str) -> Counter:
        """Samples by one of `Values`, or by several, as tuples."""
        found: Counter = Counter()
        for values, n in self.counts.items():
            chosen = tuple(getattr(values, name) for name in names)
            found[chosen if len(names) > 1 else chosen[0]] += n
        return found
