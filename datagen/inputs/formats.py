"""The formats of files: by their names when a folder is listed, by their first bytes when they are read."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

HEAD_BYTES = 1024
"""The number of a file's first bytes that `Format.matches` gets."""


class Format(NamedTuple):
    """A kind of file. `suffixes` are lower case, with their dot. `matches` tells by a file's first bytes whether it is of the
    kind."""

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[bytes], bool]


HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""The brands that an HEIC file may have."""


def _is_plain(head: bytes) -> bool:
    """Whether a file begins as plain text: without zero bytes, except in UTF-16, and not as a web page."""
    begins = head.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    return head.startswith(UTF_16) or (b"\0" not in head and not begins.startswith((b"<!doctype", b"<html", b"<?xml")))


UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""The byte order marks of UTF-16."""
_HTML = re.compile(  # behind comments, each of which is looked at once
    rb"(?:(?><\?xml[^>]*>|<!--(?:.*?-->|.*)|\s))*+(<!doctype\s+html|<(html|head|body|meta|title|link|base)[\s>])", re.I | re.S
)


def _is_html(head: bytes) -> bool:
    """Whether a file begins as a page of HTML. A piece of HTML, such as a paragraph, begins as Markdown may."""
    plain = head.decode("utf-16", errors="ignore").encode() if head.startswith(UTF_16) else head.removeprefix(b"\xef\xbb\xbf")
    return _HTML.match(plain) is not None or (plain.lstrip().startswith(b"<?xml") and b"<html" in plain)


_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ALL = (
    Format("pdf", (".pdf",), lambda head: b"%PDF-" in head),
    Format("jpeg", (".jpg", ".jpeg"), lambda head: head.startswith(b"\xff\xd8\xff")),
    Format("png", (".png",), lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    Format("webp", (".webp",), lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    Format("tiff", (".tif", ".tiff"), lambda head: head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("gif", (".gif",), lambda head: head[:6] in (b"GIF87a", b"GIF89a")),
    Format("bmp", (".bmp",), lambda head: head.startswith(b"BM")),
    Format("avif", (".avif",), lambda head: head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")),
    Format("heic", (".heic", ".heif"), lambda head: head[4:8] == b"ftyp" and head[8:12] in HEIC),
    # Word's: opening a file tells which of them it is, or none. Encrypted files are OLE files, as .doc is. Templates, and files
    # with macros, which nobody runs, have the same form.
    Format("docx", (".docx", ".docm", ".dotx", ".dotm"), lambda head: head.startswith((b"PK\3\4", _OLE))),
    Format("odt", (".odt",), lambda head: head.startswith(b"PK\3\4")),
    Format("doc", (".doc",), lambda head: head.startswith(_OLE)),
    Format("rtf", (".rtf",), lambda head: head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{\\rt")),
    # Texts alone, in rows or plain. Compressed files have lines of one of the two last kinds.
    Format("parquet", (".parquet",), lambda head: head.startswith(b"PAR1")),
    Format("arrow", (".arrow",), lambda head: head.startswith((b"ARROW1", b"\xff\xff\xff\xff"))),
    Format("gzip", (".gz",), lambda head: head.startswith(b"\x1f\x8b")),
    Format("zstd", (".zst",), lambda head: head.startswith(b"\x28\xb5\x2f\xfd")),
    Format("jsonl", (".jsonl", ".ndjson"), lambda head: head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")),
    # Markup. The whole of a ZIM archive is a list of HTML pages: see `archive.py`.
    Format("epub", (".epub",), lambda head: head.startswith(b"PK\3\4")),
    Format("html", (".html", ".htm", ".xhtml"), _is_html),
    Format("markdown", (".md", ".markdown"), _is_plain),
    Format("text", (".txt",), _is_plain),
)
WORD = ("docx", "doc", "odt", "rtf")
"""The formats of Word documents."""
MARKUP = ("epub", "html", "markdown")
"""The formats of documents that a browser can lay out."""
FORMATS = {format.name: format for format in _ALL}


def format_of(head: bytes, names: Iterable[str]) -> Format | None:
    """The first of the formats `names` that a file's first bytes match."""
    return next((FORMATS[name] for name in names if FORMATS[name].matches(head)), None)


def suffixes(names: Iterable[str]) -> tuple[str, ...]:
    """The endings of file names of these formats."""
    return tuple(suffix for name in names for suffix in FORMATS[name].suffixes)
