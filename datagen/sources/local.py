"""A document as a local file, wherever it lies."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import fsspec

from datagen.record import SampleError
from datagen.sandbox import Limits
from datagen.sources import archive
from datagen.storage import is_local, is_plain_file, resolve
from datagen.temporary import temporary_folder

_MAX_ARCHIVE_BYTES = 64 << 30  # that is fetched as a whole
# What an operating system says of a file. Of anything else (a full disk, a lost server) the file is not guilty: the shard fails.
_ABOUT_THE_FILE = {
    errno.ENOENT: "not_found",
    errno.EACCES: "unreadable",
    errno.EPERM: "unreadable",
    errno.EISDIR: "unreadable",
    errno.ENOTDIR: "unreadable",
    errno.ELOOP: "unreadable",
    errno.ENAMETOOLONG: "unreadable",
}


@contextlib.contextmanager
def local_copy(uri: str, max_bytes: int, limits: Limits) -> Iterator[str]:
    """A local path to a PDF: itself, or a temporary copy of what lies elsewhere or in an archive.

    Raises `SampleError` (`bad_uri`, `not_found`, `unreadable`, `empty`, `too_large`, `not_a_pdf`, `repaired_archive`, and as
    `archive.copy` does), or `OSError` where the fault isn't the document's.
    """
    with contextlib.ExitStack() as stack:
        with about_the_file():
            path = _document(uri, max_bytes, limits, stack)
            _check(path, max_bytes)
        yield path


@contextlib.contextmanager
def archive_at(uri: str) -> Iterator[str]:
    """A local path to an archive: itself, or a temporary copy. Raises as `local_copy` does."""
    with contextlib.ExitStack() as stack:
        with about_the_file():
            path = _fetch(uri, _MAX_ARCHIVE_BYTES, stack)
        yield path


@contextlib.contextmanager
def about_the_file() -> Iterator[None]:
    """What the system says of a file, as a `SampleError`."""
    try:
        yield
    except OSError as error:
        # fsspec's file systems raise FileNotFoundError and PermissionError without an errno.
        number = error.errno or {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES}.get(type(error), 0)
        if number not in _ABOUT_THE_FILE:
            raise
        raise SampleError(_ABOUT_THE_FILE[number], os.strerror(number)) from None


def sha256_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _document(uri: str, max_bytes: int, limits: Limits, stack: contextlib.ExitStack) -> str:
    member = archive.parse(uri)
    if member is not None:
        copy = os.path.join(_temporary(stack), "document")
        archive.copy(member, _archive_of(member, max_bytes, stack), copy, max_bytes, limits)
        return copy
    path = _fetch(uri, _MAX_ARCHIVE_BYTES if archive.kind_of(uri) else max_bytes, stack)
    if archive.kind_of(uri):  # the census could not look into it, or not to its end
        for _ in archive.members(path, uri, limits):
            pass
        raise SampleError("repaired_archive", "it can be looked into now: what is in it is read as documents of their own")
    return path


def _archive_of(member: archive.Member, max_bytes: int, stack: contextlib.ExitStack) -> str:
    """A local path to the member's archive; of a WARC that lies elsewhere, to the member's record alone."""
    fs, path = _resolved(member.archive)
    if member.kind == "warc" and not is_local(fs):
        if member.num_bytes > max_bytes:
            raise SampleError("too_large", f"{member.num_bytes} bytes, allowed are {max_bytes}")
        record = os.path.join(_temporary(stack), "record")
        with open(record, "xb") as file:
            file.write(_asked(fs, lambda: fs.cat_file(path, start=member.first, end=member.first + member.num_bytes)))
        return record
    return _kept(member.archive) if not is_local(fs) else _fetch(member.archive, _MAX_ARCHIVE_BYTES, stack)


_held: list[tuple[str, contextlib.ExitStack, str]] = []


def _kept(uri: str) -> str:
    """A local copy of an archive from elsewhere, kept for its next member: these come one after the other."""
    if not (_held and _held[0][0] == uri):
        while _held:
            _held.pop()[1].close()
        stack = contextlib.ExitStack()
        _held.append((uri, stack, _fetch(uri, _MAX_ARCHIVE_BYTES, stack)))
    return _held[0][2]


def _fetch(uri: str, max_bytes: int, stack: contextlib.ExitStack) -> str:
    fs, path = _resolved(uri)
    if is_local(fs):
        if not is_plain_file(path):
            raise SampleError("unreadable", "not a plain file")
        with open(path, "rb"):  # what can't be opened is told here: in the child it would be a bug
            return path
    size = _asked(fs, lambda: fs.size(path))
    if size is not None and size > max_bytes:
        raise SampleError("too_large", f"{size} bytes, allowed are {max_bytes}")
    copy = os.path.join(_temporary(stack), os.path.basename(path) if archive.kind_of(path) else "document")
    _asked(fs, lambda: fs.get_file(path, copy))
    return copy


def _asked(fs: fsspec.AbstractFileSystem, question: Callable[[], Any]) -> Any:
    """What `question` gives, asked of a file system that isn't local."""
    if "http" not in fs.protocol:
        return question()
    from datagen.sources.web import asked  # it takes its time to load, and few need it

    return asked(question)


def _resolved(uri: str) -> tuple[fsspec.AbstractFileSystem, str]:
    try:
        return resolve(uri)
    except (ImportError, ValueError) as error:
        raise SampleError("bad_uri", str(error)) from None


def _temporary(stack: contextlib.ExitStack) -> str:
    return stack.enter_context(temporary_folder())


def _check(path: str, max_bytes: int) -> None:
    """Raise `SampleError` for what the parser need not see."""
    size = os.path.getsize(path)
    if size == 0:
        raise SampleError("empty", "0 bytes")
    if size > max_bytes:
        raise SampleError("too_large", f"{size} bytes, allowed are {max_bytes}")
    with open(path, "rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise SampleError("not_a_pdf", "no %PDF- in its first 1024 bytes")
