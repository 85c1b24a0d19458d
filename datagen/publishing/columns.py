"""Samples as Parquet files for the Hugging Face viewer. A row has the image, and every field of the record under a name of its
own, so that the viewer can sort and filter by it. `uri` names no folder of the machine that read the file.

The viewer takes row groups of at most 286 MiB uncompressed and advises 100 to 300 MB; to show a row it reads the whole group. So
groups close before 100 MB, as `datasets` does by default. Files close before 500 MB, its default, too. Memory holds one group.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from datagen.contract import check
from datagen.disk.card import FLOAT, INT, RECORD, STRING
from datagen.disk.shards import image_extension
from datagen.record import Sample

VERSION = 1
"""Raise it when the same samples give other bytes."""
GROUP_BYTES = 100_000_000
FILE_BYTES = 500_000_000
NO_ANSWER, RIGHT, UNREAD, NOT_ASKED = "no_answer", "right_enough", "unread", "not_asked"
"""Reasons why a sample gives no preference pair."""
_BATCH_BYTES, _BATCH_ROWS = 8_000_000, 256

_KINDS: dict[str, Any] = RECORD | RECORD["quality"] | RECORD["origin"]
_KINDS |= {"image": "image", "width": INT, "height": INT, "parent_box": RECORD["origin"]["box"]}
_NAMES = (
    "image key task lang script width height text caption regions verdict reasons signals difficulty group metadata "
    "uri sha256 page licence engines parent parent_box stage round"
)
FIELDS = {name: _KINDS[name] for name in _NAMES.split()}
OF_ORIGIN = ("key", "task", "lang", "script", "uri", "page", "licence")
"""The fields that a preference pair has of its sample."""
OF_PAIRS: dict[str, Any] = {
    "images": ["image"],
    **{name: [{"role": STRING, "content": STRING}] for name in ("prompt", "chosen", "rejected")},
    "reward": FLOAT,
    **{name: FIELDS[name] for name in OF_ORIGIN},
}
"""The fields of a preference pair's row (`pairs`)."""
_FETCHED = re.compile(r".*/pagewheel/(?=[^/]+/)")
_DEBIAN = re.compile(r"debian/([^/]+)/")


def arrow_schema(fields: Mapping[str, Any]) -> pa.Schema:
    """The schema of rows of these fields, with the metadata by which `datasets` and the viewer show images."""
    import datasets

    schema: pa.Schema = datasets.Features({name: _feature(kind) for name, kind in fields.items()}).arrow_schema
    return schema


def row(sample: Sample) -> dict[str, Any]:
    record = msgspec.json.decode(sample.to_json())
    quality, origin = record["quality"], record["origin"]
    image = {"bytes": sample.image, "path": f"{sample.key}.{image_extension(sample.image)}"} if sample.image else None
    values = record | quality | origin | {"image": image, "parent_box": origin["box"], "uri": public_uri(origin["uri"])}
    values |= {"width": sample.size[0], "height": sample.size[1]}
    return {name: values[name] for name in FIELDS}


def public_uri(uri: str) -> str:
    """An address without this machine's folders. A file that a recipe fetched keeps its package and the path in it, another local
    file only its name. A member of an archive is `member::archive`, and this holds for both."""
    return "::".join(map(_public, uri.split("::")))


def source_of(uri: str) -> str:
    """A sample's source in a publication's counts: a package, a site, or "files of its maker"."""
    where = uri.rpartition("::")[2]
    if "://" in where and not where.startswith("file://"):
        return where.partition("://")[2].partition("/")[0].rpartition("@")[2]
    if package := _DEBIAN.match(_public(where)):
        return f"Debian package {package[1]}"
    return _public(where).partition("/")[0] if _FETCHED.match(where) else "files of its maker"


def _public(uri: str) -> str:
    if "://" in uri and not uri.startswith("file://"):
        scheme, _, rest = uri.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    path = uri.removeprefix("file://")
    if fetched := _FETCHED.match(path):
        return path[fetched.end() :]
    return path.rpartition("/")[2] if path.startswith("/") else path


def _feature(kind: Any) -> Any:
    """A kind of the card's, in the words of `datasets`."""
    import datasets

    if kind == "image":
        return datasets.Image()
    if isinstance(kind, dict):
        return {name: _feature(inner) for name, inner in kind.items()}
    return [_feature(kind[0])] if isinstance(kind, list) else datasets.Value(kind)


def write(file: BinaryIO, samples: Iterable[Sample], fields: Mapping[str, Any], row: Callable[[Sample], dict[str, Any]]) -> None:
    """Write `samples` as one Parquet file, each as a `row` of these `fields`. Raises `ValueError` for a sample without an
    image."""
    schema = arrow_schema(fields)
    # A dictionary of images costs time, and saves nothing.
    leaves = [path for path in _leaves(schema) if not path.endswith(".bytes")]
    with pq.ParquetWriter(file, schema, compression="snappy", use_dictionary=leaves, write_page_index=True) as writer:
        for group in _groups(_batches(samples, schema, row)):
            writer.write_table(group, row_group_size=max(1, len(group)))


def _batches(samples: Iterable[Sample], schema: pa.Schema, row: Callable[[Sample], dict[str, Any]]) -> Iterator[pa.RecordBatch]:
    """Rows as Arrow, a few at a time, since Python's objects take much more memory."""
    rows: list[dict[str, Any]] = []
    num_bytes = 0
    for sample in samples:
        check(sample)
        rows.append(row(sample))
        num_bytes += len(sample.image or b"") + 4 * len(sample.text)
        if num_bytes >= _BATCH_BYTES or len(rows) >= _BATCH_ROWS:
            yield pa.RecordBatch.from_pylist(rows, schema)
            rows, num_bytes = [], 0
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema)


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    num_bytes = 0
    for batch in batches:
        if group and num_bytes + batch.nbytes > GROUP_BYTES:
            yield pa.Table.from_batches(group)
            group, num_bytes = [], 0
        group.append(batch)
        num_bytes += batch.nbytes
    if group:
        yield pa.Table.from_batches(group)


def _leaves(schema: pa.Schema) -> list[str]:
    """The paths of a schema's columns in Parquet."""
    file = io.BytesIO()
    pq.write_table(schema.empty_table(), file)
    parquet = pq.read_metadata(pa.BufferReader(file.getvalue())).schema
    return [parquet.column(i).path for i in range(len(parquet))]
