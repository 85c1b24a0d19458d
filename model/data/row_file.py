"""The places of rows in a file that people wrote: a row a line, or one JSON list of rows, in UTF-8, with or without its mark.

A row's bytes begin where the row before ends; blanks and commas between rows belong to the later row.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xxhash

from datagen.disk.storage import Folder

BETWEEN = b" \t\r\n,"
_CHUNK = 1 << 24
_HEAD = 64
_MARK = b"\xef\xbb\xbf"
_GAP = re.compile(r"[\s,]*")
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"BZh", b"\xfd7zXZ")


@dataclass(frozen=True)
class RowFile:
    """The rows of a file. Row n is from `ends[n - 1]` to `ends[n]`, the first from `start` on. `digest` is of all bytes."""

    folder: Folder
    name: str
    start: int
    ends: np.ndarray
    digest: str

    def __len__(self) -> int:
        return len(self.ends)

    def place(self, row: int) -> tuple[int, int]:
        start = int(self.ends[row - 1]) if row else self.start
        return start, int(self.ends[row]) - start

    def each(self) -> Iterator[bytes]:
        at = self.start
        with self.folder.open(self.name) as file:
            file.seek(at)
            for end in self.ends.tolist():
                yield file.read(end - at)
                at = end


def row_file(folder: Folder, name: str) -> RowFile:
    """The rows of a file, which is read through once. Raises `ValueError` if it isn't there, or has another format."""
    where = folder.path(name)
    try:
        head = folder.read(name, 0, _HEAD)
    except FileNotFoundError:
        raise ValueError(f"{where}: there is no such file") from None
    if len(head) > _HEAD:
        raise ValueError(
            f"{where}: its server sends whole files where a part is asked for, so that no row can be read: copy it here"
        )
    if head.startswith(_COMPRESSED):
        raise ValueError(f"{where} is compressed: a row couldn't be read by its place; unpack it")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head[:4]:
        raise ValueError(f"{where} is UTF-16: save it as UTF-8, as by iconv -f UTF-16 -t UTF-8")
    start = len(_MARK) if head.startswith(_MARK) else 0
    if head[start:].lstrip().startswith(b"["):
        return _list(folder, name)
    ends, digest = _lines(folder, name)
    return RowFile(folder, name, start, ends, digest)


def is_list(folder: Folder, name: str) -> bool:
    """Whether the file begins as a JSON list."""
    return folder.read(name, 0, _HEAD).removeprefix(_MARK).lstrip().startswith(b"[")


def _lines(folder: Folder, name: str) -> tuple[np.ndarray, str]:
    ends, digest, at, last = [np.zeros(0, np.int64)], xxhash.xxh3_128(), 0, b"\n"
    with folder.open(name) as file:
        while chunk := file.read(_CHUNK):
            ends.append(np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n")) + at + 1)
            digest.update(chunk)
            at, last = at + len(chunk), chunk[-1:]
    if last != b"\n":
        ends.append(np.array([at]))
    return np.concatenate(ends), digest.hexdigest()


def _list(folder: Folder, name: str) -> RowFile:
    """The rows of a list, which is in memory while they are found."""
    data, where = folder.read(name), folder.path(name)
    digest = xxhash.xxh3_128_hexdigest(data)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is no UTF-8: {error}") from error
    del data
    decoder, ends = json.JSONDecoder(), list[int]()
    at = text.index("[") + 1
    start = num_bytes = len(text[:at].encode())
    while True:
        begin = _end_of_gap(text, at)
        if text[begin : begin + 1] == "]":
            break
        try:
            _, end = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}: its list is damaged behind {len(ends)} rows: {error}") from error
        num_bytes += len(text[at:end].encode())
        ends.append(num_bytes)
        at = end
    if text[begin + 1 :].strip():
        raise ValueError(
            f"{where}: its list ends behind {len(ends)} rows, and there is more: a file is one list, or a row a line"
        )
    return RowFile(folder, name, start, np.array(ends, np.int64), digest)


def _end_of_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    assert gap is not None
    return gap.end()
