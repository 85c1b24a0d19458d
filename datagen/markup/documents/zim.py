"""Articles of ZIM archives, in which Wikipedias are read offline, and what lies beside them in the archive."""

import contextlib
from collections.abc import Iterator
from typing import Any

from datagen.markup.documents.resources import Reader
from datagen.record import SampleError

_MAX_REDIRECTS = 5


def opened(path: str) -> Any:
    """libzim's Archive. Raises `SampleError` (`broken_archive`), or `ValueError` where libzim is missing."""
    try:
        from libzim.reader import Archive
    except ImportError as error:
        raise ValueError(f"ZIM archives need libzim ({error}): make setup-markup") from None
    with damage():
        return Archive(path)


def article_of(archive: Any, name: str, max_bytes: int) -> bytes:
    """The content of the article at the path `name`. Raises `SampleError`: `not_found`, `redirect`, `not_html`, `too_large`,
    `broken_archive`."""
    with damage():
        if not archive.has_entry_by_path(name):
            raise SampleError("not_found", f"no {name} in the archive")
        entry = archive.get_entry_by_path(name)
        if entry.is_redirect:
            raise SampleError("redirect", f"to {entry.get_redirect_entry().path}")
        item = entry.get_item()
        if not item.mimetype.startswith(("text/html", "application/xhtml")):
            raise SampleError("not_html", item.mimetype)
        if item.size > max_bytes:
            raise SampleError("too_large", f"{item.size} bytes, allowed are {max_bytes}")
        return bytes(item.content)


def zim_reader(archive: Any) -> Reader:
    """Reads entries of the archive by their paths, through their redirects."""

    def read(path: str, max_bytes: int) -> bytes | None:
        with damage():
            if not archive.has_entry_by_path(path):
                return None
            entry = archive.get_entry_by_path(path)
            for _ in range(_MAX_REDIRECTS):
                if not entry.is_redirect:
                    item = entry.get_item()
                    return bytes(item.content) if item.size <= max_bytes else None
                entry = entry.get_redirect_entry()
        return None

    return read


@contextlib.contextmanager
def damage() -> Iterator[None]:
    """Raises libzim's errors as a `SampleError`."""
    try:
        yield
    except (RuntimeError, KeyError, IndexError) as error:
        raise SampleError("broken_archive", f"{type(error).__name__}: {error}") from None
