"""ZIM archives, in which Wikipedias are read offline: their articles, and what those refer to. For the sandboxed child alone."""

import contextlib
from collections.abc import Iterator
from typing import Any

from datagen.record import SampleError

_MAX_REDIRECTS = 5
_HTML = ("text/html", "application/xhtml")


def opened(path: str) -> Any:
    """libzim's Archive. Raises `SampleError` (`broken_archive`), or `ValueError` where libzim is missing."""
    try:
        from libzim.reader import Archive
    except ImportError as error:
        raise ValueError(f"ZIM archives need libzim ({error}): make setup-markup") from None
    with _damage():
        return Archive(path)


def articles(archive: Any) -> Iterator[str | None]:
    """The paths of the articles, which have HTML and are no redirects; None for each other entry. Sizes aren't asked for: each
    would cost the decompression of its cluster. Raises `SampleError` (`broken_archive`)."""
    with _damage():
        for number in range(archive.all_entry_count):
            entry = archive._get_entry_by_id(number)  # libzim has no other way to list them
            is_article = not entry.is_redirect and entry.get_item().mimetype.startswith(_HTML)
            yield entry.path if is_article and archive.has_entry_by_path(entry.path) else None


def article(archive: Any, path: str, max_bytes: int) -> bytes:
    """The content of an article. Raises `SampleError`: `not_found`, `redirect`, `not_html`, `too_large`, `broken_archive`."""
    with _damage():
        if not archive.has_entry_by_path(path):
            raise SampleError("not_found", f"no {path} in the archive")
        entry = archive.get_entry_by_path(path)
        if entry.is_redirect:
            raise SampleError("redirect", f"to {entry.get_redirect_entry().path}")
        item = entry.get_item()
        if not item.mimetype.startswith(_HTML):
            raise SampleError("not_html", item.mimetype)
        if item.size > max_bytes:
            raise SampleError("too_large", f"{item.size} bytes, allowed are {max_bytes}")
        return bytes(item.content)


def content(archive: Any, path: str, max_bytes: int) -> bytes | None:
    """The content of any entry, through its redirects; None if there is none, or if it is too large. Raises `SampleError`
    (`broken_archive`)."""
    with _damage():
        entry = archive.get_entry_by_path(path) if archive.has_entry_by_path(path) else None
        for _ in range(_MAX_REDIRECTS):
            if entry is None or not entry.is_redirect:
                break
            entry = entry.get_redirect_entry()
        if entry is None or entry.is_redirect or entry.get_item().size > max_bytes:
            return None
        return bytes(entry.get_item().content)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Raises libzim's errors as a `SampleError`."""
    try:
        yield
    except (RuntimeError, KeyError, IndexError) as error:
        raise SampleError("broken_archive", f"{type(error).__name__}: {error}") from None
