"""What there is to read: listing, selection, and the lasting assignment of documents to shards.

A census is listed anew by every run. What earlier runs haven't assigned becomes a new *generation* of shards, written to
`census/{generation:06d}.parquet` before its first shard; shards of earlier generations keep their names and bytes.
"""

import dataclasses
import glob
import hashlib
import itertools
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

import fsspec
import pyarrow as pa

from datagen.record import SampleError, clean_text
from datagen.sandbox import Limits
from datagen.sources import archive
from datagen.sources.archive import COMMON_CRAWL
from datagen.sources.local import archive_at
from datagen.storage import Folder, is_local, parquet_table, resolve

log = logging.getLogger(__name__)

LIST_COLUMNS = ("uri", "etag", "bytes", "lang", "licence", "pages")


@dataclass(frozen=True, slots=True)
class Document:
    """One input. `uri` is a local path or an fsspec URL; `etag` changes when the content does.

    `num_pages` is -1 and `sha256` "" until somebody looked inside (`deep`). `first_page` to `stop_page` (exclusive, -1 for
    the end) is the part that a shard reads of a large document; `again`, one that was read before and lacked just these pages.
    """

    uri: str
    etag: str = ""
    num_bytes: int = 0
    lang: str = ""
    licence: str = ""
    num_pages: int = -1
    sha256: str = ""
    first_page: int = 0
    stop_page: int = -1
    again: bool = False

    @property
    def begins(self) -> bool:
        """Whether a shard that reads this tells the document's fate as a whole."""
        return self.first_page == 0 and not self.again

    @property
    def is_part(self) -> bool:
        """Whether others read other pages of it."""
        return self.again or self.first_page > 0 or self.stop_page >= 0

    @property
    def span(self) -> str:
        """Its pages, for people; "" of a whole document."""
        if self.stop_page >= 0:
            return f"pages {self.first_page} to {self.stop_page - 1}"
        return f"pages from {self.first_page} on" if self.first_page else ""

    def has(self, page: int) -> bool:
        """Whether the page is one of its own."""
        return self.first_page <= page and (self.stop_page < 0 or page < self.stop_page)


Inputs = tuple[Document, ...]
"""What one shard reads."""


@dataclass(frozen=True)
class Assigned:
    """A shard and its inputs."""

    index: int
    generation: int
    inputs: Inputs


class Census(Protocol):
    """Where documents come from. Listing may take long and touch the network; building the object does neither."""

    def documents(self) -> list[Document]: ...


@dataclass(frozen=True)
class Listing:
    """The documents under `input`: a folder, a glob, a file, or a `.parquet` or `.jsonl` list; `suffixes` select in a folder. Of
    zip, tar and WARC files, wherever they are named, the PDFs in them."""

    input: str
    suffixes: tuple[str, ...] = (".pdf",)

    def documents(self) -> list[Document]:
        """Sorted by uri. Raises `ValueError` if there is nothing to read."""
        found, other = list_documents(self.input, self.suffixes)
        if not found:
            what = "/".join(s.lstrip(".").upper() for s in self.suffixes)
            seen = ", ".join(f"{n} {suffix or 'without a suffix'}" for suffix, n in other.most_common(4)) or "no file"
            raise ValueError(f"input={self.input}: no {what} to read there ({seen} found)")
        if other:
            log.info("census: %d files that are not %s left alone", other.total(), "/".join(self.suffixes))
        return found


@dataclass(frozen=True)
class Known:
    """Of what `census` lists, what the dataset in the folder `dataset` has shards for; of an archive that has one, since it
    couldn't be listed, its members too."""

    census: Census
    dataset: str

    def documents(self) -> list[Document]:
        """Sorted as the census is, whose errors it raises."""
        known = {d.uri for shard in assigned(Folder(self.dataset)) for d in shard.inputs}
        return [d for d in self.census.documents() if d.uri in known or d.uri.partition("::")[2] in known]


def list_documents(input: str, suffixes: Sequence[str]) -> tuple[list[Document], Counter]:
    """The documents that `input` names, each uri once, and a count by suffix of the files that a folder scan passed over."""
    fs, path = resolve(input)
    other: Counter = Counter()
    if input.endswith((".parquet", ".jsonl")):
        if not fs.exists(path):
            raise ValueError(f"input={input}: no such file")
        documents = _from_list(input, fs, path)
    elif glob.has_magic(input) and not fs.exists(path):
        files = [_document(fs, info) for info in fs.glob(path, detail=True).values() if info["type"] == "file"]
        documents = [document for file in files for document in _looked_into(file)]
    elif fs.isdir(path):
        documents = []
        for info in _walk(path) if is_local(fs) else fs.find(path, detail=True).values():
            suffix = PurePosixPath(info["name"]).suffix.lower()
            if suffix in suffixes or info["type"] != "file":
                documents.append(_document(fs, info))
            elif archive.kind_of(info["name"]):
                documents += _looked_into(_document(fs, info))
            else:
                other[suffix] += 1
    elif fs.exists(path):
        documents = _looked_into(_document(fs, fs.info(path)))
    else:
        raise ValueError(f"input={input}: no such file or folder")
    return sorted({d.uri: d for d in documents}.values(), key=lambda d: d.uri), other


def choose(documents: Iterable[Document], limit: int, seed: int) -> list[Document]:
    """At most `limit` documents (0: all): round-robin over languages, each language's in an order given by the seed.

    A larger limit keeps what a smaller one chose.
    """
    documents = sorted(documents, key=lambda d: d.uri)
    if limit >= len(documents) or not limit:
        return documents
    by_lang: dict[str, list[Document]] = {}
    for d in by_seed(documents, seed):
        by_lang.setdefault(d.lang, []).append(d)
    languages = sorted(by_lang, key=lambda lang: seeded(seed, lang))
    rounds = itertools.zip_longest(*(by_lang[lang] for lang in languages))
    chosen = (d for round_ in rounds for d in round_ if d is not None)
    return sorted(itertools.islice(chosen, limit), key=lambda d: d.uri)


def by_seed(documents: Iterable[Document], seed: int) -> list[Document]:
    """`documents` in an order that the seed gives, by the ends of their uris: it doesn't depend on where a folder lies."""
    return sorted(documents, key=lambda d: seeded(seed, _end(d.uri)))


def _end(uri: str) -> str:
    """What of a uri stays when a folder is moved: its last two names, or an archive's name and a member's place and name."""
    try:
        member = archive.parse(uri)
    except SampleError:  # reading it will tell
        member = None
    if member is None:
        return "/".join(uri.split("/")[-2:])
    return f"{PurePosixPath(member.archive).name}/{member.first}/{member.name}"


def seeded(seed: int, *values: object) -> bytes:
    """A digest of the values that stands for a random draw: the same on every machine, in any order of calls."""
    return hashlib.sha256(repr((seed, *values)).encode(errors="surrogateescape")).digest()


def assigned(folder: Folder) -> list[Assigned]:
    """All shards of the dataset in `folder`, of every generation."""
    census = folder.sub("census")
    shards: list[Assigned] = []
    for generation, name in enumerate(census.names(".parquet")):
        by_shard: dict[int, list[Document]] = {}
        try:
            rows = census.read_table(name).to_pylist()
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{census.path(name)} is damaged ({error}): start a new output, or replace this with overwrite=1"
            ) from None
        for row in rows:
            by_shard.setdefault(row.pop("shard"), []).append(Document(**row))
        shards.extend(Assigned(index, generation, tuple(inputs)) for index, inputs in by_shard.items())
    return shards


def new_documents(documents: Sequence[Document], held: Sequence[Assigned], emptied: Set[str] = frozenset()) -> list[Document]:
    """The documents that no shard reads yet; at the uris `emptied`, where another file may come, also those that have changed.
    Raises `ValueError` if another that a shard read has changed since."""
    etags = {d.uri: d.etag for shard in held for d in shard.inputs}
    changed = [d for d in documents if d.uri in etags and etags[d.uri] != d.etag]
    replaced = {d.uri for d in changed if d.uri in emptied}
    changed = [d for d in changed if d.uri not in replaced]
    if changed:
        raise ValueError(
            f"{len(changed)} inputs have changed since they were read (first: {changed[0].uri}): "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    return [d for d in documents if d.uri not in etags or d.uri in replaced]


def numbered(shards: Sequence[Inputs], held: Sequence[Assigned]) -> list[Assigned]:
    """`shards` as the generation that comes after those of `held`."""
    generation = max((s.generation for s in held), default=-1) + 1
    start = max((s.index for s in held), default=-1) + 1
    return [Assigned(start + i, generation, inputs) for i, inputs in enumerate(shards)]


def add_generation(folder: Folder, shards: Sequence[Inputs], held: Sequence[Assigned]) -> list[Assigned]:
    """Assign `shards` their numbers, durably, after those of earlier generations."""
    added = numbered(shards, held)
    rows = [{"shard": s.index, **dataclasses.asdict(d)} for s in added for d in s.inputs]
    folder.write_table(f"census/{added[0].generation:06d}.parquet", pa.Table.from_pylist(rows))
    return added


def _looked_into(whole: Document) -> list[Document]:
    """The PDFs in a document that is an archive; with it itself where it can't be looked into, or not to its end, so that this is
    a drop and not silence. Any other document alone."""
    if not archive.kind_of(whole.uri):
        return [whole]
    found = []
    try:
        with archive_at(whole.uri) as path:
            for member, etag, num_bytes in archive.members(path, whole.uri, Limits()):
                found.append(Document(member.uri, etag, num_bytes, whole.lang, whole.licence))
    except SampleError as error:
        log.info("census: %s: %s", whole.uri, error)
        found.append(whole)
    return found


def _walk(path: str) -> Iterator[dict[str, Any]]:
    """The files below a local folder, through links to folders too, each folder once. A folder that can't be read comes as an
    entry of its own, so that its loss is a drop and not silence."""
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


def _from_list(input: str, fs: fsspec.AbstractFileSystem, path: str) -> list[Document]:
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
    documents = []
    for number, row in enumerate(rows, 1):
        try:
            documents += _looked_into(_listed(row, folder))
        except ValueError as error:
            raise ValueError(f"input={input}: row {number}: {error}") from None
    return documents


def _is_named(row: dict[str, Any], column: str) -> bool:
    return isinstance(row.get(column), str) and bool(row[column])


def _listed(row: dict[str, Any], folder: str) -> Document:
    """A list's row as a document. A relative uri is relative to the list. Raises `ValueError`, naming what is wrong with it."""
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
        etag, num_bytes = etag or _stat_etag(st.st_size, st.st_mtime_ns), st.st_size
    return Document(uri, etag, num_bytes, lang, licence, num_pages)


def _captured(row: dict[str, Any]) -> str:
    """The uri of a capture, a row of Common Crawl's columnar index. Raises `ValueError`."""
    try:
        first, num_bytes = int(row["warc_record_offset"]), int(row["warc_record_length"])
    except (TypeError, ValueError):
        raise ValueError(f"{row['warc_filename']}: warc_record_offset and warc_record_length are whole numbers") from None
    return archive.Member("warc", str(row.get("url") or ""), COMMON_CRAWL + row["warc_filename"], first, num_bytes).uri


def _document(fs: fsspec.AbstractFileSystem, info: dict[str, Any]) -> Document:
    """A listed file as a document."""
    size = int(info.get("size") or 0)
    if is_local(fs):
        # A name that UTF-8 can't hold won't open; what it can't hold is spelt out, so that no two names become one.
        name = info["name"].encode(errors="surrogateescape").decode(errors="backslashreplace")
        try:
            st = os.stat(info["name"])
            return Document(name, _stat_etag(st.st_size, st.st_mtime_ns), st.st_size)
        except OSError:
            return Document(name)  # a broken link, say: reading it tells, and is counted
    etag = next((str(info[k]) for k in ("ETag", "etag", "md5Hash", "LastModified", "mtime") if info.get(k)), "")
    return Document(fs.unstrip_protocol(info["name"]), etag.strip('"') or f"{size:x}", size)


def _stat_etag(size: int, mtime_ns: int) -> str:
    return f"{size:x}-{mtime_ns:x}"
