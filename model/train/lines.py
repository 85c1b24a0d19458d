"""Files of JSON lines that a training extends: its steps' records, and its speed."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from datagen.disk.storage import Folder

_PARTS = ".parts"  # the parts of a file NAME are in the folder NAME.parts, by the number of lines before them


class Lines:
    """A file of JSON lines that grows. On a local disk each line is there immediately, and durable after `flush`. Object storage
    can't extend a file: there each `flush` writes the new lines as a part of its own, and `close` joins the parts. `read_lines`
    reads both. `kept` are the old and new lines that `keeps` accepts; `last` is the last line of all."""

    def __init__(
        self,
        folder: Folder,
        name: str,
        until: int | None = None,
        keeps: Callable[[dict[str, Any]], bool] = lambda line: True,
    ):
        """Goes on after the lines of steps up to `until`. Lines of later steps, which will be done again, are deleted. Without
        `until` all stay."""
        self.folder, self.name, self.until, self.keeps = folder, name, until, keeps
        self.kept: list[dict[str, Any]] = []
        self.last: dict[str, Any] | None = None
        self._num = 0
        self._waiting: list[bytes] = []
        self._file: BinaryIO | None = None
        if folder.local is not None:
            self._file = self._cut(folder.path(name))
        else:
            self._cut_parts()

    def add(self, **values: Any) -> None:
        self._note(values)
        raw = json.dumps(values).encode() + b"\n"
        if self._file is None:
            self._waiting.append(raw)
            return
        self._file.write(raw)
        self._file.flush()

    def flush(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
        elif self._waiting:
            self._parts.write(f"{self._num - len(self._waiting):09d}.jsonl", b"".join(self._waiting))
            self._waiting = []

    def close(self) -> None:
        """Put the whole file in its place. Afterwards nothing can be added."""
        self.flush()
        if self._file is not None:
            self._file.close()
            return
        self.folder.write(self.name, b"".join(_raw(self.folder, self.name)))
        self.folder.remove(self.name + _PARTS)

    @property
    def _parts(self) -> Folder:
        return self.folder.sub(self.name + _PARTS)

    def _note(self, line: dict[str, Any]) -> None:
        self._num, self.last = self._num + 1, line
        if self.keeps(line):
            self.kept.append(line)

    def _stays(self, raw: bytes) -> bool:
        """Take note of an old line. False if it is of a later step, or was cut by a kill."""
        line = _parsed(raw) if raw.endswith(b"\n") else None
        if line is None or (self.until is not None and line["step"] > self.until):
            return False
        self._note(line)
        return True

    def _cut(self, path: str) -> BinaryIO:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        file = open(path, "ab+")  # noqa: SIM115  (it stays open)
        file.seek(0)
        end = 0
        for raw in file:
            if not self._stays(raw):
                break
            end += len(raw)
        file.truncate(end)
        os.fsync(file.fileno())
        return file

    def _cut_parts(self) -> None:
        good, cut = [], False
        for raw in _raw(self.folder, self.name):
            if not self._stays(raw):
                cut = True
                break
            good.append(raw)
        if cut:
            # As one part: a kill here leaves lines with which it can be done again.
            self.folder.write(self.name, b"".join(good))
            self.folder.remove(self.name + _PARTS)


def read_lines(folder: Folder, name: str) -> Iterator[dict[str, Any]]:
    """The present lines of a file, which may be growing; none if it isn't there."""
    for raw in _raw(folder, name):
        if (line := _parsed(raw)) is not None:
            yield line


def _raw(folder: Folder, name: str) -> Iterator[bytes]:
    num = 0
    if folder.exists(name):
        for raw in folder.read(name).splitlines(keepends=True):
            num += 1
            yield raw
    parts = folder.sub(name + _PARTS)
    for part in parts.names(".jsonl"):
        if int(part.partition(".")[0]) < num:  # it was joined with the others before a kill
            continue
        for raw in parts.read(part).splitlines(keepends=True):
            num += 1
            yield raw


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The line; None if it isn't whole."""
    try:
        line: dict[str, Any] = json.loads(raw)
    except ValueError:
        return None
    return line
