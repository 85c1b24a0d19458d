"""Lists of inputs: a Parquet or JSON Lines file with a row a document, or rows of Common Crawl's columnar index."""

import json
import os
from typing import Any

import fsspec
import pyarrow as pa

from datagen.disk.storage import is_local, parquet_table, stat_etag
from datagen.inputs import archive
from datagen.inputs.archive import COMMON_CRAWL
from datagen.inputs.items import Item
from datagen.record import clean_text

LIST_COLUMNS = ("uri", "etag", "bytes", "lang", "licence", "pages")


def read_list(input: str, fs: fsspec.AbstractFileSystem, path: str) -> list[Item]:
    """The items of the list at `path`, which the user calls `input`. Raises `ValueError`, naming what is wrong with which row."""
    rows: list[dict[str, Any]]
    with fs.open(path, "rb") as file:
        try:
            if input.endswith(".parquet"):
                rows = parquet_table(file.read()).to_pylist()
            else:
                rows = [json.loads(line) for line in file if line.strip()]
        except (ValueError, pa.ArrowException) as error:
            raise ValueError(f"input={input}: not a readable list: {error}") from None
    if not all(isinstance(row, dict) and (_is_named(row, "uri") or _is_named(row, "warc_filename")) for row in rows):
        raise ValueError(
            f"input={input}: every row needs a uri; optional are {', '.join(LIST_COLUMNS[1:])}; "
            "or a capture's warc_filename, warc_record_offset and warc_record_length"
        )
    folder = fs.unstrip_protocol(fs._parent(path)) if not is_local(fs) else os.path.dirname(path)
    items = []
    for number, row in enumerate(rows, 1):
        try:
            items.append(_listed(row, folder))
        except ValueError as error:
            raise ValueError(f"input={input}: row {number}: {error}") from None
    return items


def _is_named(row: dict[str, Any], column: str) -> bool:
    return isinstance(row.get(column), str) and bool(row[column])


def _listed(row: dict[str, Any], folder: str) -> Item:
    """A list's row as an item. A relative uri is relative to the list. Raises `ValueError`, naming what is wrong with it."""
    uri = clean_text(row["uri"]) if _is_named(row, "uri") else _captured(row)
    if "://" not in uri and not os.path.isabs(uri):
        uri = f"{folder}/{uri}"
    try:
        num_bytes, num_pages = int(row.get("bytes") or 0), int(row["pages"]) if row.get("pages") is not None else -1
    except (TypeError, ValueError):
        raise ValueError(f"{uri}: bytes and pages are whole numbers") from None
    etag, lang, licence = (row.get(name) or "" for name in ("etag", "lang", "licence"))
    if not all(isinstance(word, str) for word in (etag, lang, licence)):
        raise ValueError(f"{uri}: etag, lang and licence are words")
    try:
        st = os.stat(uri.removeprefix("file://")) if "://" not in uri.removeprefix("file://") else None
    except (OSError, ValueError):  # reading it will tell
        st = None
    if st is not None:
        etag, num_bytes = etag or stat_etag(st.st_size, st.st_mtime_ns), st.st_size
    return Item(uri, etag, num_bytes, lang, licence, num_pages)


def _captured(row: dict[str, Any]) -> str:
    """The uri of a capture, a row of Common Crawl's columnar index. Raises `ValueError`."""
    try:
        first, num_bytes = int(row["warc_record_offset"]), int(row["warc_record_length"])
    except (TypeError, ValueError):
        raise ValueError(f"{row['warc_filename']}: warc_record_offset and warc_record_length are whole numbers") from None
    return archive.Member("warc", str(row.get("url") or ""), COMMON_CRAWL + row["warc_filename"], first, num_bytes).uri
