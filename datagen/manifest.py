"""The manifest: Parquet parts, one a shard, that say what is in the corpus and where. It can be rebuilt from the shards alone."""

import pyarrow as pa

from datagen.record import Sample
from datagen.storage import Folder

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


def read(folder: Folder, shards: list[str]) -> pa.Table:
    """The manifest of the dataset in `folder` over its committed `shards`; a part left by a killed run is not read."""
    return pa.concat_tables([SCHEMA.empty_table(), *(read_part(folder, shard) for shard in shards)])
