"""Reads archives of others (zip, tar, WARC, ZIM) in the sandboxed child. Nothing is unpacked by name: one member's bytes go to
one file. `disk/shards.py` reads our own tars."""

import contextlib
import errno
import io
import lzma
import os
import struct
import tarfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, NamedTuple

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecord

from datagen.inputs import zim
from datagen.inputs.archive import Listed, Member
from datagen.inputs.formats import HEAD_BYTES, format_of, suffixes
from datagen.record import SampleError, clean_text

_CHUNK = 1 << 20
# A WARC's members are sent one by one: the next record may swell until the deadline, and members that weren't sent are lost.
_A_MESSAGE = {"zip": 1000, "tar": 1000, "warc": 1, "zim": 1000}
_BEAT_S = 1.0  # of processor time: the sandbox's deadline is between messages, and a large archive may hold few PDFs
_MAX_ARTICLE_BYTES = 256 << 20  # which libzim gives as a whole
_ENCRYPTED = 0x1  # in a zip member's flags
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    ArchiveLoadFailed,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # of a zip's compression that no Python knows
    ValueError,  # of fields that contradict each other
    OverflowError,  # of sizes and times beyond all numbers
    RecursionError,  # of tar headers that each announce one more
)


def list_members(path: str, kind: str, formats: list[str]) -> Iterator[list[Listed]]:
    """The archive's files of `formats`, several at a time. A name's suffix tells the format; in a WARC a file's first bytes do.
    An empty list means that the listing goes on. Raises `SampleError` (`broken_archive`) behind the files that could be
    listed."""
    members = {"zip": _zip, "tar": _tar, "warc": _warc, "zim": _zim}[kind](path, formats)
    listed: list[Listed] = []
    sent_s = time.process_time()
    try:
        with damage():
            for member in members:
                if member is not None:
                    listed.append(member)
                if len(listed) == _A_MESSAGE[kind] or time.process_time() - sent_s > _BEAT_S:
                    yield listed
                    listed, sent_s = [], time.process_time()
    except Exception:  # of any kind: the files before it count
        yield listed
        raise
    yield listed


def copy_member(path: str, member: Member, target: str, max_bytes: int) -> Iterator[None]:
    """Write one member's bytes to the file `target`. Yields nothing."""
    opened = {"zip": _open_zip, "tar": _open_tar, "warc": _open_warc, "zim": _open_zim}[member.kind](
        path, member.name, member.first, member.num_bytes
    )
    left = max_bytes
    with damage(), opened as source, open(target, "xb") as file:
        while chunk := source.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:  # its header may lie
                raise SampleError("too_large", f"swells to more than {max_bytes} bytes")
            file.write(chunk)
    yield from ()


REST = ""
"""The name of the entry for the unreadable rest of an archive."""


class Entry(NamedTuple):
    """A plain file in an archive, or beside another file."""

    name: str
    num_bytes: int
    content: Callable[[], bytes]

    def read(self, max_bytes: int) -> bytes:
        """The whole file. Raises `SampleError`: `too_large`, `broken_archive`, `encrypted`."""
        if self.num_bytes > max_bytes:
            raise SampleError("too_large", f"{self.name}: {self.num_bytes} bytes, allowed are {max_bytes}")
        with damage():
            return self.content()


def entries(path: str, kind: str, stack: contextlib.ExitStack) -> list[Entry]:
    """The plain files of a zip or tar, in order, also those of equal names. `stack` closes the archive. Raises `SampleError`. If
    a tar is damaged or cut off behind some files, an entry called `REST` comes last, and reading it raises the error."""
    with damage():
        if kind == "zip":
            zipped = stack.enter_context(zipfile.ZipFile(path))
            return [Entry(i.filename, i.file_size, partial(_zipped, zipped, i)) for i in zipped.infolist() if not i.is_dir()]
        if kind == "tar":
            tar = stack.enter_context(tarfile.open(path, "r:"))  # noqa: SIM115 - the stack closes it
            return _entries_of(tar)
    raise SampleError("unsupported_archive", f"{kind}: only zip and tar are read so")


def _entries_of(tar: tarfile.TarFile) -> list[Entry]:
    files: list[Entry] = []
    try:
        with damage():
            for info in _members_of(tar):
                if info.isreg():
                    files.append(Entry(info.name, info.size, partial(_tarred, tar, info)))
    except SampleError as error:
        if not files:
            raise
        files.append(Entry(REST, 0, partial(_raise, error)))
    return files


def _raise(error: SampleError) -> bytes:
    raise error


def _zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.flag_bits & _ENCRYPTED:
        raise SampleError("encrypted", f"{info.filename} in the archive")
    return archive.read(info)


def _tarred(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    assert file is not None  # it is a plain file
    return file.read()


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Raises a library's error on a damaged archive as a `SampleError`."""
    try:
        yield
    except _DAMAGED as error:
        raise SampleError("broken_archive", f"{type(error).__name__}: {error}") from None
    except OSError as error:
        # A seek to before the file's beginning, and bzip2's errors, which have no number; other errors are the machine's.
        if error.errno not in (errno.EINVAL, None):
            raise
        raise SampleError("broken_archive", f"{type(error).__name__}: {error}") from None


# These yield None for a member of another format.


def _zip(path: str, formats: list[str]) -> Iterator[Listed | None]:
    with zipfile.ZipFile(path) as archive:
        endings = suffixes(formats)
        behind = Counter(clean_text(info.filename) for info in archive.infolist())
        for info in archive.infolist():
            name = clean_text(info.filename)
            behind[name] -= 1
            if name.lower().endswith(endings) and not info.is_dir():
                yield Listed(name, behind[name], 0, f"{info.CRC:x}-{info.file_size:x}", info.file_size)
            else:
                yield None


def _tar(path: str, formats: list[str]) -> Iterator[Listed | None]:
    with tarfile.open(path, "r:") as archive:
        endings = suffixes(formats)
        for info in _members_of(archive):
            if info.name.lower().endswith(endings) and not info.isdir():
                etag = f"{info.chksum:x}-{info.size:x}-{int(info.mtime):x}"
                yield Listed(clean_text(info.name), info.offset, 0, etag, info.size)
            else:
                yield None


def _members_of(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of a tar in order. Raises at an impossible member, and if the archive doesn't end as it should."""
    for info in archive:
        if info.size >= 1 << 63:
            raise tarfile.ReadError(f"a member of {info.size} bytes")
        yield info
        if archive.offset <= info.offset:  # and so on for ever
            raise tarfile.ReadError("a member that ends before it begins")
    _check_end(archive)


def _check_end(archive: tarfile.TarFile) -> None:
    """Raise unless the archive ends with zeros, as POSIX demands: tarfile takes any wrong header for the end."""
    file = archive.fileobj
    assert file is not None
    file.seek(archive.offset)
    zeros = file.read(tarfile.BLOCKSIZE)
    if len(zeros) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("cut off: no mark of its end")
    while zeros:
        if zeros.count(0) < len(zeros):
            raise tarfile.ReadError("a damaged header, or more behind its end")
        zeros = file.read(_CHUNK)


def _warc(path: str, formats: list[str]) -> Iterator[Listed | None]:
    with open(path, "rb") as file:
        archive = ArchiveIterator(file)
        for record in _records(archive):
            head = _content(record).read(HEAD_BYTES) if record.rec_type in ("response", "resource") else b""
            _read_to_end(archive, record)  # its length is known only then
            if format_of(head, formats):
                address = clean_text(record.rec_headers.get_header("WARC-Target-URI") or "")
                digest = record.rec_headers.get_header("WARC-Payload-Digest") or record.rec_headers.get_header("WARC-Record-ID")
                yield Listed(address, archive.get_record_offset(), archive.get_record_length(), clean_text(digest or ""), 0)
            else:
                yield None
        if archive.offset < max(1, os.path.getsize(path)):
            raise ArchiveLoadFailed("cut off, or nothing in it")


def _zim(path: str, formats: list[str]) -> Iterator[Listed | None]:
    archive = zim.opened(path)
    etag = str(archive.uuid)
    for name in zim.articles(archive):
        yield None if name is None else Listed(name, 0, 0, etag, 0)


def _records(archive: ArchiveIterator) -> Iterator[ArcWarcRecord]:
    try:
        yield from archive
    except AttributeError:  # warcio's, where a response has no address
        raise ArchiveLoadFailed("a response without its address") from None


def _read_to_end(archive: ArchiveIterator, record: ArcWarcRecord) -> None:
    """Read the rest of a record. Raises if the record is cut off or damaged, which warcio takes for the end."""
    archive.read_to_end()
    gzip = archive.reader.decompressor
    if not (gzip.eof or archive.next_line if gzip else getattr(record.raw_stream, "limit", -1) == 0):
        raise ArchiveLoadFailed("a record that is cut off or damaged")


def _check_name(name: str) -> None:
    """Raise for a name that leads out of the archive: such an archive is an attack."""
    if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
        raise SampleError("unsafe_path", name)


@contextlib.contextmanager
def _open_zip(path: str, name: str, first: int, length: int) -> Iterator[IO[bytes]]:
    _check_name(name)
    with zipfile.ZipFile(path) as archive:
        same = [info for info in archive.infolist() if clean_text(info.filename) == name]
        if len(same) <= first:
            raise SampleError("not_found", f"no {name} in the archive" + (f" with {first} more behind it" if first else ""))
        info = same[-1 - first]
        if info.external_attr >> 16 & 0o170000 not in (0, 0o100000):
            raise SampleError("not_a_file", "a link or a device")
        if info.flag_bits & _ENCRYPTED:
            raise SampleError("encrypted", "in the archive")
        with archive.open(info) as file:
            yield file


@contextlib.contextmanager
def _open_tar(path: str, name: str, first: int, length: int) -> Iterator[IO[bytes]]:
    _check_name(name)
    with open(path, "rb") as whole:
        whole.seek(first)
        archive = tarfile.open(fileobj=whole, mode="r:")  # noqa: SIM115 - it has nothing of its own to close
        info = archive.next()
        if info is None or clean_text(info.name) != name:
            raise SampleError("not_found", f"no {name} at {first}")
        file = archive.extractfile(info) if info.isreg() else None  # it would follow a link by its name
        if file is None:
            raise SampleError("not_a_file", "a link or a device")
        with file:
            yield file


@contextlib.contextmanager
def _open_warc(path: str, name: str, first: int, length: int) -> Iterator[Any]:
    """The payload of a record, without HTTP's headers and encodings."""
    with open(path, "rb") as file:
        file.seek(first if os.path.getsize(path) > length else 0)
        archive = ArchiveIterator(file)
        record = next(_records(archive), None)
        if record is None:
            raise SampleError("not_found", f"no record at {first}")
        if truncated := record.rec_headers.get_header("WARC-Truncated"):
            raise SampleError("truncated", f"the crawler cut it off: {truncated}")
        yield _content(record)
        _read_to_end(archive, record)


@contextlib.contextmanager
def _open_zim(path: str, name: str, first: int, length: int) -> Iterator[IO[bytes]]:
    yield io.BytesIO(zim.article(zim.opened(path), name, _MAX_ARTICLE_BYTES))


def _content(record: ArcWarcRecord) -> Any:
    return record.content_stream() if record.http_headers else record.raw_stream
