"""A local path to any file, wherever the file lies."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import fsspec

from datagen.disk.storage import is_local, is_plain_file, resolve
from datagen.disk.temporary import temporary_folder
from datagen.inputs import archive
from datagen.inputs.formats import HEAD_BYTES, Format, format_of
from datagen.record import SampleError
from datagen.sandbox.process import Limits

_MAX_ARCHIVE_BYTES = 64 << 30  # that is fetched as a whole
# The system's errors about a file itself. Other errors (a full disk, a lost server) aren't the file's fault: the shard fails.
_ABOUT_THE_FILE = {
    errno.ENOENT: "not_found",
    errno.EACCES: "unreadable",
    errno.EPERM: "unreadable",
    errno.EISDIR: "unreadable",
    errno.ENOTDIR: "unreadable",
    errno.ELOOP: "unreadable",
    errno.ENAMETOOLONG: "unreadable",
}


class Fetched(NamedTuple):
    """A local file and the format of its first bytes."""

    path: str
    format: Format


@contextlib.contextmanager
def fetched(uri: str, formats: Sequence[str], max_bytes: int, limits: Limits) -> Iterator[Fetched]:
    """A file of one of `formats`: itself, or a temporary copy of a file that lies elsewhere or in an archive. Raises
    `SampleError` (`bad_uri`, `not_found`, `unreadable`, `empty`, `too_large`, `not_a_pdf` or the like if one format was asked
    for, `other_format`, `repaired_archive`, and as `archive.copy` does), or `OSError` where the fault isn't the file's."""
    with contextlib.ExitStack() as stack:
        with about_the_file():
            path = _file(uri, formats, max_bytes, limits, stack)
            format = _format(path, formats, max_bytes)
        yield Fetched(path, format)


@contextlib.contextmanager
def archive_at(uri: str) -> Iterator[str]:
    """A local path to an archive: itself, or a temporary copy. Raises as `fetched` does."""
    with contextlib.ExitStack() as stack:
        with about_the_file():
            path = _fetch(uri, _MAX_ARCHIVE_BYTES, stack)
        yield path


@contextlib.contextmanager
def about_the_file() -> Iterator[None]:
    """Raises the system's errors about a file as a `SampleError`."""
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


def _file(uri: str, formats: Sequence[str], max_bytes: int, limits: Limits, stack: contextlib.ExitStack) -> str:
    member = archive.parse(uri)
    if member is not None:
        copy = os.path.join(_temporary(stack), "document")
        archive.copy(member, _archive_of(member, max_bytes, stack), copy, max_bytes, limits)
        return copy
    path = _fetch(uri, _MAX_ARCHIVE_BYTES if archive.kind_of(uri, formats) else max_bytes, stack)
    if archive.kind_of(uri, formats):  # the census could not list it, or not to its end
        for _ in archive.members(path, uri, formats, limits):
            pass
        raise SampleError("repaired_archive", "it can be looked into now: what is in it is read as documents of their own")
    return path


def _archive_of(member: archive.Member, max_bytes: int, stack: contextlib.ExitStack) -> str:
    """A local path to the member's archive. For a WARC that lies elsewhere, only the member's record is fetched."""
    fs, path = _resolved(member.archive)
    if member.kind == "warc" and not is_local(fs):
        if member.num_bytes > max_bytes:
            raise SampleError("too_large", f"{member.num_bytes} bytes, allowed are {max_bytes}")
        record = os.path.join(_temporary(stack), "record")
        with open(record, "xb") as file:
            file.write(_called(fs, lambda: fs.cat_file(path, start=member.first, end=member.first + member.num_bytes)))
        return record
    return _archive_copy(member.archive) if not is_local(fs) else _fetch(member.archive, _MAX_ARCHIVE_BYTES, stack)


_copies: list[tuple[str, contextlib.ExitStack, str]] = []  # at most one: an archive's uri, what deletes its copy, and its path


def _archive_copy(uri: str) -> str:
    """A local copy of an archive from elsewhere. It stays until another archive is needed, since members come one after the
    other."""
    if not (_copies and _copies[0][0] == uri):
        while _copies:
            _copies.pop()[1].close()
        stack = contextlib.ExitStack()
        _copies.append((uri, stack, _fetch(uri, _MAX_ARCHIVE_BYTES, stack)))
    return _copies[0][2]


def _fetch(uri: str, max_bytes: int, stack: contextlib.ExitStack) -> str:
    fs, path = _resolved(uri)
    if is_local(fs):
        if not is_plain_file(path):
            raise SampleError("unreadable", "not a plain file")
        with open(path, "rb"):  # an unreadable file is an error here: in the child it would be a bug
            return path
    size = _called(fs, lambda: fs.size(path))
    if size is not None and size > max_bytes:
        raise SampleError("too_large", f"{size} bytes, allowed are {max_bytes}")
    copy = os.path.join(_temporary(stack), f"document{os.path.splitext(path)[1]}")  # the suffix tells its kind
    _called(fs, lambda: fs.get_file(path, copy))
    return copy


def _called(fs: fsspec.AbstractFileSystem, call: Callable[[], Any]) -> Any:
    """The result of `call`, a call of a file system that isn't local. A web server's failed call is repeated."""
    if "http" not in fs.protocol:
        return call()
    from datagen.inputs.web import called  # slow to load, and few need it

    return called(call)


def _resolved(uri: str) -> tuple[fsspec.AbstractFileSystem, str]:
    try:
        return resolve(uri)
    except (ImportError, ValueError) as error:
        raise SampleError("bad_uri", str(error)) from None


def _temporary(stack: contextlib.ExitStack) -> str:
    return stack.enter_context(temporary_folder())


def _format(path: str, formats: Sequence[str], max_bytes: int) -> Format:
    """The format of a file. Raises `SampleError` for a file that the parser need not see."""
    size = os.path.getsize(path)
    if size == 0:
        raise SampleError("empty", "0 bytes")
    if size > max_bytes:
        raise SampleError("too_large", f"{size} bytes, allowed are {max_bytes}")
    with open(path, "rb") as file:
        format = format_of(file.read(HEAD_BYTES), formats)
    if format is None:
        reason = f"not_a_{formats[0]}" if len(formats) == 1 else "other_format"
        raise SampleError(reason, f"its first {HEAD_BYTES} bytes are not those of a file of {' or '.join(formats)}")
    return format
