"""Files inside zip, tar, WARC and ZIM files. Each has a uri with its archive and its place there.

    zip://NAME::ARCHIVE                      NAME, percent-encoded
    zip://NAME#N::ARCHIVE                    one of several of that name: N members of it come behind
    tar://OFFSET/NAME::ARCHIVE               a member whose header is at OFFSET
    warc://OFFSET-LENGTH/TARGET::ARCHIVE     a record of LENGTH bytes; TARGET is its address on the web
    zim://PATH::ARCHIVE                      an article, no redirect; only where HTML is asked for

ARCHIVE is a path or an fsspec URL. Nothing is unpacked by name: a single member is copied into a file that we named. Archives are
as hostile as PDFs, so `archive_members.py` reads them in the sandboxed child.
"""

import importlib.util
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote

from datagen.record import SampleError
from datagen.sandbox.process import ChildDied, Limits, sandbox

T = TypeVar("T")

LIST = "datagen.inputs.archive_members:list_members"
COPY = "datagen.inputs.archive_members:copy_member"
KINDS = {".zip": "zip", ".tar": "tar", ".warc": "warc", ".warc.gz": "warc", ".zim": "zim"}
COMMON_CRAWL = "https://data.commoncrawl.org/"


class Member(NamedTuple):
    """A file in an archive of `kind`. `name` is the file's name in the archive, or its address on the web. In a tar or WARC,
    `first` is the offset of the member's record. In a zip, `first` counts the members of the same name behind it: the last one
    has 0, and other programs know this one only. `num_bytes` is the length of a WARC's record, else 0."""

    kind: str
    name: str
    archive: str
    first: int = 0
    num_bytes: int = 0

    @property
    def uri(self) -> str:
        place = {"zip": "", "zim": "", "tar": f"{self.first}/", "warc": f"{self.first}-{self.num_bytes}/"}[self.kind]
        behind = f"#{self.first}" if self.kind == "zip" and self.first else ""
        return f"{self.kind}://{place}{quote(self.name, safe='/')}{behind}::{self.archive}"


class Listed(NamedTuple):
    """A member as the child lists it. `length` is the `num_bytes` of `Member`. `num_bytes` is the file's size, 0 if unknown."""

    name: str
    first: int
    length: int
    etag: str
    num_bytes: int


def kind_of(uri: str, formats: Sequence[str] = ()) -> str:
    """The kind of archive by a file's name; "" for other files, and for a member's uri. A ZIM is one if `formats` has HTML."""
    if uri.partition("://")[0] in KINDS.values():
        return ""
    kind = next((kind for suffix, kind in KINDS.items() if uri.lower().endswith(suffix)), "")
    return "" if kind == "zim" and "html" not in formats else kind


def name_of(uri: str) -> str:
    """The name of a file, or of a member, in its folder."""
    member = parse(uri)
    return (member.name if member else uri).rpartition("/")[2]


def parse(uri: str) -> Member | None:
    """The member that a uri names; None for other uris. Raises `SampleError` (`bad_uri`)."""
    kind, _, rest = uri.partition("://")
    if kind not in KINDS.values():
        return None
    name, divided, archive = rest.partition("::")
    if not divided or not archive:
        raise SampleError("bad_uri", f"{kind}:// needs an archive behind ::")
    if kind == "zim":
        return Member(kind, unquote(name), archive)
    if kind == "zip":
        several = re.fullmatch(r"(.*)#(\d+)", name, re.DOTALL)
        return Member(kind, unquote(several[1]), archive, int(several[2])) if several else Member(kind, unquote(name), archive)
    place, _, name = name.partition("/")
    try:
        first, num_bytes = (int(place), 0) if kind == "tar" else map(int, place.split("-"))
    except ValueError:
        raise SampleError("bad_uri", f"{kind}:// needs {'OFFSET' if kind == 'tar' else 'OFFSET-LENGTH'}/ first") from None
    if first < 0 or num_bytes < (kind == "warc"):
        raise SampleError("bad_uri", f"no record of {num_bytes} bytes at {first}")
    return Member(kind, unquote(name), archive, first, num_bytes)


def members(path: str, archive: str, formats: Sequence[str], limits: Limits) -> Iterator[tuple[Member, str, int]]:
    """The files of `formats` in a local archive, each with an etag and its bytes (0 if unknown). Uris call the archive `archive`.
    Raises `SampleError` (`broken_archive`, or what ended the child) behind the members that could be listed; `ValueError` where
    the library for it is missing."""
    kind = kind_of(path, formats)
    if kind == "zim" and importlib.util.find_spec("libzim") is None:
        raise ValueError(f"{archive}: ZIM archives need libzim, which is not installed: make setup-markup")
    for listed in _in_child(LIST, list[Listed], limits, path=path, kind=kind, formats=formats):
        for name, first, length, etag, num_bytes in listed:
            yield Member(kind, name, archive, first, length), etag, num_bytes


def copy(member: Member, path: str, target: str, max_bytes: int, limits: Limits) -> None:
    """Copy the member of the archive at `path` to the file `target`. For a WARC, `path` may hold the record alone. Raises
    `SampleError`: `not_found`, `unsafe_path`, `not_a_file`, `encrypted`, `too_large`, `truncated`, `broken_archive`, or what
    ended the child."""
    list(_in_child(COPY, type(None), limits, path=path, member=member, target=target, max_bytes=max_bytes))


def _in_child(function: str, answer_type: type[T], limits: Limits, **arguments: Any) -> Iterator[T]:
    try:
        for answer in sandbox(limits).run(function, answer_type, **arguments):
            yield answer.value
    except ChildDied as death:
        raise SampleError(death.reason, f"in the archive: {death.detail}") from None
