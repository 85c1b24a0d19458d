"""Files of JSON lines that a training extends: its steps' records, and its speed."""

import io
import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from datagen.disk.storage import Folder


class Lines:
    """A file of JSON lines that grows. On a local disk each line is there immediately, and durable after `flush`. Object storage
    can't extend a file: there each `flush` writes all of it anew, which is little beside a checkpoint. `kept` are the old and new
    lines that `keeps` accepts; `last` is the last line of all."""

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
        old = folder.read(name).splitlines(keepends=True) if folder.exists(name) else []
        good = list(itertools.takewhile(self._stays, old))
        if folder.local is None:
            self._file: BinaryIO = io.BytesIO()
            self._file.writelines(good)
        else:
            os.makedirs(folder.local, exist_ok=True)
            self._file = open(folder.path(name), "ab")  # noqa: SIM115  (it stays open)
            self._file.truncate(sum(map(len, good)))
        if len(good) < len(old):
            self.flush()

    def add(self, **values: Any) -> None:
        self._note(values)
        self._file.write(json.dumps(values).encode() + b"\n")
        self._file.flush()

    def flush(self) -> None:
        if isinstance(self._file, io.BytesIO):
            self.folder.write(self.name, self._file.getvalue())
        else:
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Make the file durable. Afterwards nothing can be added."""
        self.flush()
        self._file.close()

    def _note(self, line: dict[str, Any]) -> None:
        self.last = line
        if self.keeps(line):
            self.kept.append(line)

    def _stays(self, raw: bytes) -> bool:
        """Take note of an old line. False if it is of a later step, or was cut by a kill."""
        line = _parsed(raw) if raw.endswith(b"\n") else None
        if line is None or (self.until is not None and line["step"] > self.until):
            return False
        self._note(line)
        return True


def read_lines(folder: Folder, name: str) -> Iterator[dict[str, Any]]:
    """The present lines of a file, which may be growing; none if it isn't there."""
    return filter(None, map(_parsed, folder.read(name).splitlines() if folder.exists(name) else ()))


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The line; None if it isn't whole."""
    try:
        line: dict[str, Any] = json.loads(raw)
    except ValueError:
        return None
    return line
