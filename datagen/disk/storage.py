"""A folder anywhere that fsspec reaches: names in, bytes out, and one way to commit a file.

A file under construction has a unique temporary name. On a local disk it is fsynced and renamed into place; on object
storage, which has no rename and shows an object only when it is whole, it is built in a temporary folder and uploaded.
"""

import contextlib
import itertools
import os
import posixpath
import re
import stat
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from datagen.disk.temporary import temporary_folder

_TMP = ".tmp-"
_AT_A_TIME = 64
_LEFTOVER = re.compile(rf"{re.escape(_TMP)}[0-9a-f]{{32}}")
for _name in ("s3", "s3a"):
    fsspec.register_implementation(_name, "datagen.disk.s3.S3", clobber=True, errtxt="Install s3fs to access S3")


def resolve(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """A file system and a path in it. What names no protocol is a local path, whatever it contains: fsspec alone takes `::` in it
    for a chain. Raises `ImportError` or `ValueError` as fsspec does."""
    if "://" in url:
        return fsspec.core.url_to_fs(url)
    return fsspec.filesystem("file"), os.path.abspath(os.path.expanduser(url))


def is_local(fs: fsspec.AbstractFileSystem) -> bool:
    return "file" in ((fs.protocol,) if isinstance(fs.protocol, str) else fs.protocol)


def same_place(one: "Folder", other: "Folder") -> bool:
    """Whether both name the same folder, by a link too."""
    return lies_in(one, other) and lies_in(other, one)


def lies_in(one: "Folder", other: "Folder") -> bool:
    """Whether `one` is `other`, or lies below it, by links too."""
    if one.local and other.local:
        return one.local.resolve().is_relative_to(other.local.resolve())
    (fs, path), (other_fs, other_path) = resolve(one.url), resolve(other.url)
    return fs == other_fs and PurePosixPath(path).is_relative_to(other_path)


def is_plain_file(path: str) -> bool:
    """Whether opening `path` for reading ends: a fifo or a device may block for ever."""
    return stat.S_ISREG(os.stat(path).st_mode)


@dataclass(frozen=True)
class Folder:
    """`url` is a local path or any fsspec URL. Names are relative and use `/`. Picklable; holds no open file."""

    url: str

    @property
    def fs(self) -> fsspec.AbstractFileSystem:
        return resolve(self.url)[0]

    @property
    def local(self) -> Path | None:
        """The folder as a path where it is on this machine's disk, else None."""
        fs, root = resolve(self.url)
        return Path(root) if is_local(fs) else None

    def path(self, name: str) -> str:
        """What names a file for `fs` and for people: a path on this machine's disk, else an URL."""
        fs, root = resolve(self.url)
        path = posixpath.join(root, name)
        return path if is_local(fs) else fs.unstrip_protocol(path)

    def sub(self, name: str) -> "Folder":
        return Folder(posixpath.join(self.url, name))

    def exists(self, name: str) -> bool:
        return bool(self.fs.exists(self.path(name)))

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """The bytes of `name`, or of its range `start` (inclusive) to `end` (exclusive). Raises `FileNotFoundError`."""
        return self.fs.cat_file(self.path(name), start=start, end=end)

    def read_each(self, names: Sequence[str]) -> Iterator[bytes | None]:
        """The bytes of each, in order; None of a file that isn't there. Asks for many at a time, since on object storage most of
        what one takes is waiting."""
        for content in self._contents((name, None, None) for name in names):
            yield None if isinstance(content, FileNotFoundError) else content

    def read_ranges(self, ranges: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
        """The bytes of each (name, start, end), in order. A local file stays open for the ranges that follow each other in it; on
        object storage many are asked for at a time. Raises `FileNotFoundError`."""
        if self.local is not None:
            with contextlib.ExitStack() as stack:
                opened = ""
                for name, start, end in ranges:
                    if name != opened:
                        stack.close()
                        file, opened = stack.enter_context(open(self.local / name, "rb")), name
                    file.seek(start)
                    yield file.read(end - start)
            return
        for content in self._contents(ranges):
            if isinstance(content, FileNotFoundError):
                raise content
            yield content

    def _contents(self, ranges: Iterable[tuple[str, int | None, int | None]]) -> Iterator[bytes | FileNotFoundError]:
        """The bytes of each range, or that its file isn't there. Asks for many at a time."""
        waiting = iter(ranges)
        while batch := list(itertools.islice(waiting, _AT_A_TIME)):
            names, starts, ends = zip(*batch, strict=True)
            paths = [self.path(name) for name in names]
            for content in self.fs.cat_ranges(paths, list(starts), list(ends), on_error="return"):
                if isinstance(content, BaseException) and not isinstance(content, FileNotFoundError):
                    raise content
                yield content

    def open(self, name: str) -> BinaryIO:
        return self.fs.open(self.path(name), "rb")

    @contextlib.contextmanager
    def on_disk(self, name: str) -> Iterator[str]:
        """The path of `name` on this machine's disk: its own, or that of a copy, which goes when the block ends."""
        if self.local is not None:
            yield self.path(name)
            return
        with temporary_folder() as folder:
            copy = os.path.join(folder, "file")
            self.fs.get_file(self.path(name), copy)
            yield copy

    def names(self, suffix: str = "") -> list[str]:
        """Sorted names of the files directly in this folder; empty if there is no folder. Leftovers are not listed."""
        # A link is neither file nor folder to fsspec.
        files = (f["name"] for f in self._entries() if f["type"] == "file" or (f.get("islink") and os.path.isfile(f["name"])))
        names = map(posixpath.basename, files)
        return sorted(n for n in names if n.endswith(suffix) and not n.startswith(_TMP))

    def folders(self) -> list[str]:
        """Sorted names of the folders directly in this folder; none if it isn't there."""
        return sorted(posixpath.basename(f["name"].rstrip("/")) for f in self._entries() if f["type"] == "directory")

    def _entries(self) -> list[dict[str, Any]]:
        """What fsspec says of each file and folder directly in this folder; nothing if it isn't there."""
        fs, root = resolve(self.url)
        try:
            entries: list[dict[str, Any]] = fs.ls(root, detail=True, refresh=True)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return entries

    def move(self, name: str, to: str) -> None:
        """Give the folder `name` the name `to`: at once on a local disk; file by file on object storage, where the same again
        finishes what was interrupted."""
        if self.local is None:
            fs, root = resolve(self.url)
            source, target = posixpath.join(root, name), posixpath.join(root, to)
            files = fs.find(source)  # alone: `mv` also wants to copy folders, which object storage hasn't got
            fs.copy(files, [target + file.removeprefix(source) for file in files])
            self.remove(name)
            return
        os.rename(self.local / name, self.local / to)
        fsync_folder(self.local)

    @contextlib.contextmanager
    def create(self, name: str) -> Iterator[BinaryIO]:
        """A binary file to write. It appears under `name`, whole and durable, when the block ends; not at all if that raises."""
        target = self.local
        if target is None:
            with temporary_folder() as built, open(os.path.join(built, "file"), "xb") as file:
                yield file
                file.flush()
                self.fs.makedirs(posixpath.dirname(self.path(name)), exist_ok=True)
                self.fs.put_file(file.name, self.path(name))
            return
        folder = (target / name).parent
        folder.mkdir(parents=True, exist_ok=True)
        tmp = folder / f"{_TMP}{uuid.uuid4().hex}"
        try:
            with open(tmp, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(tmp, target / name)
            fsync_folder(folder)
        finally:
            tmp.unlink(missing_ok=True)

    def write(self, name: str, data: bytes) -> bool:
        """Commit `data` under `name`. Returns False, and touches nothing, if that is what the file holds."""
        if self.exists(name) and self.read(name) == data:
            return False
        with self.create(name) as file:
            file.write(data)
        return True

    def read_table(self, name: str) -> pa.Table:
        """A Parquet file's rows. Raises `FileNotFoundError`, or `ValueError` (pyarrow's) if it isn't one."""
        return parquet_table(self.read(name))

    def write_table(self, name: str, table: pa.Table) -> None:
        with self.create(name) as file:
            pq.write_table(table, file)

    def remove(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm(self.path(name), recursive=True)

    def sweep(self) -> int:
        """Delete what killed runs left under construction, here and below; returns how many. For the lock's holder only. Of a
        folder that isn't on a local disk, `temporary` does."""
        paths = self.local.rglob(f"{_TMP}*") if self.local else []
        leftovers = [path for path in paths if _LEFTOVER.fullmatch(path.name) and path.is_file()]
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)


def stat_etag(size: int, mtime_ns: int) -> str:
    """What a local file's content is known by without reading it."""
    return f"{size:x}-{mtime_ns:x}"


def parquet_table(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows of a Parquet file's bytes, or those of these columns that it has.

    Read from a Python file, or on threads, Arrow may abort the process when it exits (apache/arrow issues 34314, 50482).
    `pyarrow.parquet.read_table` takes twice as long for a small file.
    """
    return pq.ParquetFile(pa.BufferReader(data)).read(columns=columns, use_threads=False)


def fsync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
