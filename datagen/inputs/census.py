"""The inputs of a run. Every run lists its census anew; `assignment.py` has what earlier runs assigned."""

import glob
import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

import fsspec

from datagen.disk.storage import Folder, is_local, resolve, stat_etag
from datagen.inputs import archive
from datagen.inputs.archive import COMMON_CRAWL
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Item
from datagen.inputs.local import archive_at
from datagen.inputs.stored_items import StoredItems, in_order, last_of_each
from datagen.inputs.tables import JsonLines, Parquet, Row
from datagen.record import SampleError, clean_text
from datagen.sandbox.process import Limits

log = logging.getLogger(__name__)
_NAMED = 4  # suffixes that a line names
LIST_COLUMNS = ("uri", "etag", "bytes", "lang", "licence", "pages")


class Census(Protocol):
    """The origin of items. Listing may take long and touch the network; building the object does neither."""

    def items(self) -> Sequence[Item]:
        """Sorted by uri. Raises `ValueError` if there is nothing to read."""
        ...

    def pending(self) -> str:
        """Work that comes before the items are known, such as a download, in words for a plan; "" for none."""
        return ""

    def within(self, out: Folder) -> "Census":
        """The census in the output `out`, if it names another step's folder."""
        return self


@dataclass(frozen=True)
class Listing(Census):
    """The files of `formats` that `input` names: a folder, a glob, a file, or a `.parquet` or `.jsonl` list. zip, tar and WARC
    files are archives, and so are ZIM files where HTML is asked for. Each member of these formats is an item. With
    `whole_archives` the archive is the item, and its members are parts. Without `has_lists`, .parquet and .jsonl files are files
    like others."""

    input: str
    formats: tuple[str, ...] = ("pdf",)
    whole_archives: bool = False
    has_lists: bool = True

    def items(self) -> StoredItems:
        """Sorted by uri. Raises `ValueError` if there is nothing to read."""
        items, others = self.scan()
        kinds = "/".join(name.upper() for name in self.formats)
        if not items:
            raise ValueError(f"input={self.input}: no {kinds} to read there ({_named(others) or 'no file'} found)")
        if others:
            log.info("census: %d files that are not %s left alone: %s", others.total(), kinds, _named(others))
        return items

    def scan(self) -> tuple[StoredItems, Counter[str]]:
        """The items, each uri once, and the number of files that a folder scan passed over, by suffix."""
        others: Counter[str] = Counter()
        items = (item for file in self._files(others) for item in self._items_of(file))
        return StoredItems(last_of_each(in_order(((item.uri,), item) for item in items), "uri")), others

    def _files(self, others: Counter[str]) -> Iterator[Item]:
        """The named files, archives included. `others` counts the files that a folder scan passes over."""
        fs, path = resolve(self.input)
        if self.has_lists and self.input.endswith((".parquet", ".jsonl")):
            if not fs.exists(path):
                raise ValueError(f"input={self.input}: no such file")
            yield from read_list(self.input, fs, path)
        elif glob.has_magic(self.input) and not fs.exists(path):
            yield from (file_item(fs, info) for info in fs.glob(path, detail=True).values() if info["type"] == "file")
        elif fs.isdir(path):
            wanted = suffixes(self.formats)
            for info in walk(fs, path):
                suffix = PurePosixPath(info["name"]).suffix.lower()
                if suffix in wanted or info["type"] != "file" or archive.kind_of(info["name"], self.formats):
                    yield file_item(fs, info)
                else:
                    others[suffix] += 1
        elif fs.exists(path):
            yield file_item(fs, fs.info(path))
        else:
            raise ValueError(f"input={self.input}: no such file or folder")

    def _items_of(self, file: Item) -> Iterator[Item]:
        """The members of an archive; any other file itself. If an archive can't be listed to its end, the archive comes too, so
        its loss is a counted drop."""
        if self.whole_archives or not archive.kind_of(file.uri, self.formats):
            yield file
            return
        try:
            with archive_at(file.uri) as path:
                for member, etag, num_bytes in archive.members(path, file.uri, self.formats, Limits()):
                    yield Item(member.uri, etag, num_bytes, file.lang, file.licence)
        except SampleError as error:
            log.info("census: %s: %s", file.uri, error)
            yield file


def _named(others: Counter[str]) -> str:
    """The numbers of files of the most frequent suffixes, and of all others, in words."""
    ranked = sorted(others.items(), key=lambda one: (-one[1], one[0]))
    named = [f"{num} {suffix or 'without a suffix'}" for suffix, num in ranked[:_NAMED]]
    rest = sum(num for _, num in ranked[_NAMED:])
    return ", ".join([*named, f"{rest} of other suffixes"] if rest else named)


def walk(fs: fsspec.AbstractFileSystem, path: str) -> Iterator[dict[str, Any]]:
    """The files below a folder, as fsspec describes them. On a local disk, links to folders are followed, each folder once. An
    unreadable folder is an entry of its own, so its loss is a counted drop."""
    return _walk(path) if is_local(fs) else iter(fs.find(path, detail=True).values())


def _walk(path: str) -> Iterator[dict[str, Any]]:
    unreadable: list[str] = []
    seen: set[tuple[int, int]] = set()
    for folder, folders, files in os.walk(path, followlinks=True, onerror=lambda error: unreadable.append(error.filename)):
        st = os.stat(folder)
        if (st.st_dev, st.st_ino) in seen:
            folders.clear()
            continue
        seen.add((st.st_dev, st.st_ino))
        yield from ({"name": os.path.join(folder, name), "type": "file"} for name in files)
    yield from ({"name": name, "type": "directory"} for name in unreadable)


def spelt_out(name: str) -> str:
    """A file's name with what UTF-8 can't hold spelt out, so that no two names become one. Such a name won't open."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def file_item(fs: fsspec.AbstractFileSystem, info: dict[str, Any]) -> Item:
    """A listed file as an item."""
    size = int(info.get("size") or 0)
    if is_local(fs):
        name = spelt_out(info["name"])
        try:
            st = os.stat(info["name"])
            return Item(name, stat_etag(st.st_size, st.st_mtime_ns), st.st_size)
        except OSError:
            return Item(name)  # such as a broken link: reading it fails, and is counted
    etag = next((str(info[k]) for k in ("ETag", "etag", "md5Hash", "LastModified", "mtime") if info.get(k)), "")
    return Item(fs.unstrip_protocol(info["name"]), etag.strip('"') or f"{size:x}", size)


@dataclass(frozen=True)
class NoCensus(Census):
    """The empty census of a task's pipeline, since the task has its items."""

    def items(self) -> list[Item]:
        return []


def read_list(input: str, fs: fsspec.AbstractFileSystem, path: str) -> Iterator[Item]:
    """The items of the list at `path`, called `input` by the user: a row a document, or rows of Common Crawl's columnar index.
    Raises `ValueError` that names the row and its fault."""
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
