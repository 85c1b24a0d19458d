"""Sources that were taken out of an output, and that no later run may bring back.

    forgotten.jsonl    in the output's folder, beside its datasets, where overwrite=1 doesn't reach: a line a request

A line is written before the first byte is removed (`done` false), so a run after a kill finishes the removal.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.record import Drop, Sample, content_key, uri_key

NAME = "forgotten.jsonl"


@dataclass(frozen=True)
class Tombstone:
    """A request to forget the file `uri`, with all of its rows or pictures, or all files of the content `sha256`.

    `sources` are the sources that it meant then, each a uri and a sha256. A file is one source, however many rows it has. Its
    sha256 is "" if its rows have several, or if it gave nothing. `trained` names the readers of rounds and the models that had
    learned from them. `time` is Unix seconds.
    """

    uri: str = ""
    sha256: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    trained: tuple[str, ...] = ()
    time: float = 0.0
    done: bool = False


@dataclass(frozen=True)
class Forgotten:
    """The sources that may not be read again: those at `uris`, and those of the content `sha256s`. `emptied` are uris of such
    contents, where another file may come."""

    uris: frozenset[str] = frozenset()
    sha256s: frozenset[str] = frozenset()
    emptied: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.uris or self.sha256s)

    @classmethod
    def of(cls, tombstones: Sequence[Tombstone]) -> "Forgotten":
        """The union of all requests."""
        sources = [(t, uri, sha256) for t in tombstones for uri, sha256 in t.sources]
        uris = {t.uri for t in tombstones if t.uri} | {uri for t, uri, sha256 in sources if t.uri or not sha256}
        emptied = {uri for _, uri, _ in sources} - uris
        return cls(frozenset(uris), frozenset(t.sha256 for t in tombstones if t.sha256), frozenset(emptied))

    def holds(self, item: Item) -> bool:
        return self.origin(item.uri, item.sha256)

    def origin(self, uri: str, sha256: str) -> bool:
        return uri in self.uris or sha256 in self.sha256s

    def holds_key(self, key: str) -> bool:
        """Whether a sample's key is of a forgotten source, or of a part cut from it."""
        return key.startswith(self._content_keys) or key.partition("-")[2].partition("-")[0] in self._uri_keys

    @functools.cached_property
    def _content_keys(self) -> tuple[str, ...]:
        return tuple(map(content_key, self.sha256s))

    @functools.cached_property
    def _uri_keys(self) -> frozenset[str]:
        return frozenset(map(uri_key, self.uris))

    def holds_outcome(self, outcome: Sample | Drop) -> bool:
        """Whether a sample or drop is of a forgotten source."""
        if isinstance(outcome, Sample):
            return self.origin(outcome.origin.uri, outcome.origin.sha256)
        return outcome.uri in self.uris or outcome.key.startswith(self._content_keys)


NOTHING = Forgotten()


def read(out: Folder) -> list[Tombstone]:
    """All requests of the output, in order. Raises `ValueError` if the file is damaged."""
    if not out.exists(NAME):
        return []
    try:
        rows = [json.loads(line) for line in out.read(NAME).splitlines() if line.strip()]
        lists = ({"sources": tuple(map(tuple, row["sources"])), "trained": tuple(row["trained"])} for row in rows)
        return [Tombstone(**row | tuples) for row, tuples in zip(rows, lists, strict=True)]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{out.path(NAME)} is damaged ({error}): mend it by hand, so that nothing forgotten comes back"
        ) from None


def write(out: Folder, tombstones: Sequence[Tombstone]) -> None:
    out.write(NAME, "".join(json.dumps(asdict(t), ensure_ascii=False) + "\n" for t in tombstones).encode())
