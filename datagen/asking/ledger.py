"""The answers' ledger: each answer is on the disk before it is used, and is never asked for again.

    ANSWERS/{run}-{shard}.jsonl    an answer a line, appended as it comes; written by who makes the shard
    ANSWERS/index.sqlite           where each answer lies; made anew from the lines when it is missing

An answer is filed under the image as it was sent, what was asked, and the number of the try: not under the page's name or place.
So another order of the inputs, another output, or a page that stands in two files finds it. A line begins with a checksum: what a
kill left of the last one is no answer, and is passed over. Files are only ever appended to, but by `forget`.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from datagen.asking.answers import Answer, Question
from datagen.disk.storage import Folder, fsync_folder

log = logging.getLogger(__name__)

INDEX = "index.sqlite"
_SUFFIX = ".jsonl"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers(key BLOB PRIMARY KEY, segment INTEGER, start INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segments(id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER);
"""
_AT_A_TIME = 20_000  # rows of a transaction
_WAIT_S = 60.0  # for whoever writes the index


def key_of(question: Question) -> bytes:
    """What an answer is filed under, 20 bytes: two in 10^9 answers share one once in 10^30 times."""
    return hashlib.sha256(f"{question.shown} {question.asked} {question.number}".encode()).digest()[:20]


class Ledger:
    """The answers in `folder`, for who makes the shard whose answers are appended to the file `segment`. Raises `ValueError` for
    a folder that is on no disk of this machine: object storage can't be appended to."""

    def __init__(self, folder: Folder, segment: str):
        self._folder, self._name = local(folder), segment + _SUFFIX
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / self._name
        self._places = {key: start for key, start, _ in _lines(path)} if path.exists() else {}
        self._file: BinaryIO = open(path, "ab")  # noqa: SIM115  # until `close`
        if self._file.tell() and _lacks_end(path):  # a kill cut the last line off
            self._file.write(b"\n")
        fsync_folder(self._folder)
        self._index = _connected(self._folder, "ro") if (self._folder / INDEX).exists() else None
        self._waiting: list[tuple[bytes, bytes]] = []
        self._next: asyncio.Future[None] | None = None
        self._writing = asyncio.Lock()
        self.num_found = self.num_written = 0

    def find(self, question: Question) -> Answer | None:
        """The answer, if there is one: the shard's own before another's."""
        key = key_of(question)
        place = (self._name, self._places[key]) if key in self._places else self._indexed(key)
        answer = _read(self._folder / place[0], place[1], key) if place else None
        self.num_found += answer is not None
        return answer

    async def add(self, question: Question, answer: Answer, page: str) -> None:
        """Append an answer, for the sample whose key is `page`; it is on the disk when this returns. Answers that come while
        others are being written go to the disk together."""
        key = key_of(question)
        self._waiting.append((key, _line(key, question, answer, page)))
        if self._next is None:
            self._next = asyncio.ensure_future(self._write_next())
        await asyncio.shield(self._next)

    def close(self) -> None:
        self._file.close()
        if self._index:
            self._index.close()

    async def _write_next(self) -> None:
        async with self._writing:
            self._next = None  # who comes from now on waits for the write after this one
            lines, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, lines)

    def _write(self, lines: list[tuple[bytes, bytes]]) -> None:
        start = self._file.tell()
        self._file.write(b"".join(line for _, line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())
        for key, line in lines:
            self._places[key] = start
            start += len(line)
        self.num_written += len(lines)

    def _indexed(self, key: bytes) -> tuple[str, int] | None:
        if self._index is None:
            return None
        query = "SELECT segments.name, start FROM answers JOIN segments ON segments.id = segment WHERE key = ?"
        place: tuple[str, int] | None = self._index.execute(query, (key,)).fetchone()
        return place


def local(folder: Folder) -> Path:
    """The folder's path on a disk. Raises `ValueError` if it is on none."""
    if folder.local is None:
        raise ValueError(f"answers={folder.url}: a folder on a disk is needed that all workers see; name one with answers=DIR")
    return folder.local


def index(folder: Folder, segment: str = "") -> int:
    """Bring the index up to what the files have, or this `segment` alone, so that other shards find it. Returns how many answers
    it has; after a segment they aren't counted, and it is 0. What was indexed is not read again. An index that is damaged is made
    anew."""
    path = local(folder)
    path.mkdir(parents=True, exist_ok=True)
    try:
        return _index(path, segment)
    except sqlite3.OperationalError as error:  # another run writes it, or the disk is full: what is there stays
        log.warning("%s can't be brought up to date, so that equal pages may be asked about twice: %s", path / INDEX, error)
        return 0
    except sqlite3.DatabaseError:
        for name in (INDEX, f"{INDEX}-journal"):
            (path / name).unlink(missing_ok=True)
        return _index(path, "")


def forget(folder: Folder, is_forgotten: Callable[[str], bool]) -> int:
    """Take out the answers about pages whose keys are forgotten; returns how many. A page that is the same, and stays, is asked
    about again. The index is made anew by the next run."""
    path = local(folder)
    num = 0
    for file in sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else ():
        kept, gone = [], 0
        for _, _, line in _lines(file):
            is_gone = is_forgotten(json.loads(line.partition(b" ")[2])["page"])
            gone += is_gone
            if not is_gone:
                kept.append(line)
        if gone:
            Folder(str(path)).write(file.name, b"".join(kept))
            num += gone
    if num:
        (path / INDEX).unlink(missing_ok=True)
    return num


def _index(path: Path, segment: str) -> int:
    with contextlib.closing(_connected(path, "rwc")) as base:
        base.executescript(_SCHEMA)
        for file in sorted(path.glob(f"{segment or '*'}{_SUFFIX}")):
            known = base.execute("SELECT id, size FROM segments WHERE name = ?", (file.name,)).fetchone()
            number, read = known or (None, 0)
            size = file.stat().st_size
            if size == read:
                continue
            if size < read:  # somebody took lines out
                base.execute("DELETE FROM answers WHERE segment = ?", (number,))
                read = 0
            with base:
                if number is None:
                    number = base.execute("INSERT INTO segments(name, size) VALUES(?, 0)", (file.name,)).lastrowid
                rows, end = [], read
                for key, start, line in _lines(file, read):
                    rows.append((key, number, start))
                    end = start + len(line)
                    if len(rows) == _AT_A_TIME:
                        base.executemany("INSERT OR IGNORE INTO answers VALUES(?, ?, ?)", rows)
                        rows = []
                base.executemany("INSERT OR IGNORE INTO answers VALUES(?, ?, ?)", rows)
                base.execute("UPDATE segments SET size = ? WHERE id = ?", (end, number))
        return 0 if segment else int(base.execute("SELECT count(*) FROM answers").fetchone()[0])


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path / INDEX}?mode={mode}", uri=True, timeout=_WAIT_S, check_same_thread=False)


def _line(key: bytes, question: Question, answer: Answer, page: str) -> bytes:
    values = {"key": key.hex(), "image": question.shown, "asked": question.asked, "try": question.number, "page": page}
    values |= {"model": question.parameters.get("model", "")} | answer._asdict()
    line = json.dumps(values, ensure_ascii=False).encode("utf-8", "replace")
    return b"%08x %s\n" % (zlib.crc32(line), line)


def _lines(path: Path, start: int = 0) -> Iterator[tuple[bytes, int, bytes]]:
    """The key, the place and the bytes of each whole line of a file, from `start` on."""
    with open(path, "rb") as file:
        file.seek(start)
        for line in file:
            if (values := _values(line)) is not None:
                yield bytes.fromhex(values["key"]), start, line
            start += len(line)


def _values(line: bytes) -> dict[str, Any] | None:
    """The values of a line that is whole."""
    check, _, content = line.partition(b" ")
    if not line.endswith(b"\n") or not content:
        return None
    try:
        if int(check, 16) != zlib.crc32(content[:-1]):
            return None
        values: dict[str, Any] = json.loads(content)
        return values
    except ValueError:
        return None


def _read(path: Path, start: int, key: bytes) -> Answer | None:
    """The answer at a place; None if another one lies there, or none."""
    try:
        with open(path, "rb") as file:
            file.seek(start)
            values = _values(file.readline())
    except FileNotFoundError:
        return None
    if values is None or values["key"] != key.hex():
        return None
    return Answer(**{name: values[name] for name in Answer._fields})


def _lacks_end(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
