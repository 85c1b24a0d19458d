"""Samples as Parquet files that the Hugging Face viewer shows.

The viewer takes row groups of at most 286 MiB uncompressed and advises 100 to 300 MB; to show a row it reads the whole group, so
groups close before 100 MB, as those that `datasets` writes. Files close before 500 MB, its default, too. Memory holds one group.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.contract import check
from datagen.publishing import columns
from datagen.record import Sample

VERSION = 1
"""Raise it when the same samples give other bytes."""
GROUP_BYTES = 100_000_000
FILE_BYTES = 500_000_000
_BATCH_BYTES, _BATCH_ROWS = 8_000_000, 256


def write(file: BinaryIO, samples: Iterable[Sample], fields: Mapping[str, Any], row: Callable[[Sample], dict[str, Any]]) -> None:
    """Write `samples` as one Parquet file, each as a `row` of these `fields`. Raises `ValueError` for one that
    breaks the record's contract: it lacks its image."""
    schema = columns.arrow_schema(fields)
    # A dictionary of images costs time, and saves nothing.
    leaves = [path for path in _leaves(schema) if not path.endswith(".bytes")]
    with pq.ParquetWriter(file, schema, compression="snappy", use_dictionary=leaves, write_page_index=True) as writer:
        for group in _groups(_batches(samples, schema, row)):
            writer.write_table(group, row_group_size=max(1, len(group)))


def _batches(samples: Iterable[Sample], schema: pa.Schema, row: Callable[[Sample], dict[str, Any]]) -> Iterator[pa.RecordBatch]:
    """Rows as Arrow, a few at a time: as Python's objects they take much more memory."""
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
    """The paths of a schema's columns, as Parquet has them."""
    file = io.BytesIO()
    pq.write_table(schema.empty_table(), file)
    parquet = pq.read_metadata(pa.BufferReader(file.getvalue())).schema
    return [parquet.column(i).path for i in range(len(parquet))]
