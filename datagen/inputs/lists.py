"""Lists of inputs: a Parquet or JSON Lines file with a row a document, or rows of Common Crawl's columnar index."""

import os
from collections.abc import Iterator
from typing import Any

import fsspec

from datagen.disk.storage import is_local, stat_etag
from datagen.inputs import archive
from datagen.inputs.archive import COMMON_CRAWL
from datagen.inputs.items import Item
from datagen.inputs.local import archive_at
from datagen.inputs.tables import JsonLines, Parquet, Row
from datagen.record import SampleError, clean_text

LIST_COLUMNS = ("uri", "etag", "bytes", "lang", "licence", "pages")


def read_list(input: str, fs: fsspec.AbstractFileSystem, path: str) -> Iterator[Item]:
    """The items of the list at `path`, called `input` by the user. Raises `ValueError` that names the row and its fault."""
    folder = fs.unstrip_protocol(fs._parent(path)) if not is_local(fs) else os.path.dirname(path)
    try:
        with archive_at(input) as copy:
            table = (Parquet if input.endswith(".parquet") else JsonLines)(copy, "broken_list")
            for number, row in table.rows(range(table.num_rows())):
                try:
                    yield _listed(row, folder)
                except ValueError as error:
                    raise ValueError(f"input={input}: row {number + 1}: {error}") from None
    except SampleError as error:
        raise ValueError(f"input={input}: not a readable list: {error}") from None


def _is_named(row: dict[str, Any], column: str) -> bool:
    return isinstance(row.get(column), str) and bool(row[column])


def _listed(row: Row, folder: str) -> Item:
    """A list's row as an item. A relative uri is relative to the list. Raises `ValueError` that names the fault."""
    if isinstance(row, SampleError):
        raise ValueError(f"not a readable list: {row}")
    if not _is_named(row, "uri") and not _is_named(row, "warc_filename"):
        raise ValueError(
            f"every row needs a uri; optional are {', '.join(LIST_COLUMNS[1:])}; "
            "or a capture's warc_filename, warc_record_offset and warc_record_length"
        )
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
    except (OSError, ValueError):  # reading it fails, and is counted
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
