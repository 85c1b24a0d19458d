"""Text alone as samples without an image: the rows of Parquet, Arrow and JSON Lines files, and files of plain text.

Parquet files are also what most Hugging Face datasets lie in, Arrow files those that were saved to disk. `text_files.py` reads
them in the sandboxed child.
"""

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from datagen.disk.storage import resolve
from datagen.inputs import archive
from datagen.inputs.census import Census, Listing
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import fetched, sha256_of
from datagen.inputs.selection import first_parts
from datagen.record import Drop, Origin, Quality, Sample, SampleError, source_key
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed
from datagen.sandbox.process import ChildDied, Limits, sandbox
from datagen.texts.text_files import FORMATS, Document, licence_of
from datagen.work.pipeline import Estimate, Source

READ = "datagen.texts.text_files:read_texts"
COUNT = "datagen.texts.text_files:count_rows"
_CARDS = ("dataset_info.json", "README.md", "../README.md")
_ROW_BYTES = 3000  # of a row that nobody has counted, as packed as its file is
_PIECE_BYTES = 150_000  # of a long plain text
_LEAST_BYTES = 20_000  # that a file counts as, however small
_OF_A_CARD = 1 << 20
# A packed file is unpacked from its beginning for each range of its rows.
_PACKED, _MOST_RANGES = (".gz", ".zst"), 8


@dataclass(frozen=True)
class TextListing(Census):
    """The files of text that `input` names: a folder, a glob, a file, also in zip and tar files. A .parquet or .jsonl file is one
    of them here, not a list of others. Its licence is the one that a dataset's card beside it, or above its folder, names.
    At most `limit` texts (0: all) are read, of files chosen by `seed`, the last of them not to its end, which are counted."""

    input: str
    limit: int = 0
    seed: int = 0

    def items(self) -> list[Item]:
        licences: dict[str, str] = {}
        items = []
        for item in Listing(self.input, FORMATS, has_lists=False).items():
            folder = posixpath.dirname(item.uri.rpartition("::")[2])
            if folder not in licences:
                licences[folder] = _licence(folder)
            items.append(replace(item, licence=item.licence or licences[folder]))
        return first_parts(items, self.limit, self.seed, _count) if self.limit else items


@dataclass(frozen=True)
class TextSource(Source):
    """Texts, each a document of its own; what is over `max_chars` characters comes in several samples, cut where a paragraph
    ends, whose group in a split is one. The text stands in the column `column`; "": one that is called as such columns are
    (`text_files.COLUMNS`), or the only one with text. A row's other words and numbers are the sample's metadata, and its
    language and licence if they are called so. Rows of over `max_row_bytes` are dropped.

    An item's parts are rows; of a plain text, pieces. A shard has about `shard_bytes` of files, as they lie. A file whose rows
    were counted (`probe`) is cut into ranges.
    """

    column: str = ""
    max_chars: int = 100_000
    max_row_bytes: int = 16 << 20
    max_bytes: int = 64 << 30
    shard_bytes: int = 64 << 20
    limits: Limits = field(default_factory=lambda: Limits(num_messages=1_000_000))
    stage: str = "texts"

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of((part for item in items for part in self._ranges(item)), _num_bytes, self.shard_bytes, cut=False)

    def _ranges(self, item: Item) -> list[Item]:
        if item.again or item.count < 2 or _bytes_of(item) <= self.shard_bytes:
            return [item]
        size, end = max(1, item.count * self.shard_bytes // item.num_bytes), item.stop if item.stop >= 0 else item.count
        if item.uri.lower().endswith(_PACKED):
            size = max(size, -(-item.count // _MOST_RANGES))
        starts = range(item.first, end, size)
        return [replace(item, first=start, stop=start + size if start + size < end else item.stop) for start in starts]

    def estimate(self, inputs: Inputs) -> Estimate:
        num_rows = sum(max(1, _rows_of(item)) for item in inputs)
        return Estimate(num_rows, num_rows * 2500 + 2 * sum(map(_bytes_of, inputs)), 0.0015 * num_rows)

    def probe(self, item: Item) -> Item:
        try:
            with fetched(item.uri, FORMATS, self.max_bytes, self.limits) as file:
                answers = sandbox(self.limits).run(COUNT, int, path=file.path, **self._arguments(item))
                *_, last = (answer.value for answer in answers)
            return replace(item, count=last)
        except (SampleError, ChildDied):  # reading it tells why
            return item

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        stage, is_empty = type(self).__name__, item.begins
        with fetched(item.uri, FORMATS, self.max_bytes, self.limits) as file:
            of_file = ""
            answers = read_parts(
                READ, Document, self.limits, noun="rows", path=file.path, within=item.part, **self._arguments(item)
            )
            for part in answers:
                is_empty = False
                if isinstance(part, Failed):
                    yield Drop("", item.uri, part.parts, stage, part.reason, part.detail)
                    continue
                of_file = of_file or ("" if part.value.sha256 else sha256_of(file.path))
                yield from self._samples(item, part.number, part.value, part.value.sha256 or of_file)
        if is_empty:
            yield Drop("", item.uri, None, stage, "no_text", "no rows in it")

    def _arguments(self, item: Item) -> dict[str, Any]:
        return {"name": archive.name_of(item.uri), "column": self.column, "bounds": (self.max_chars, self.max_row_bytes)}

    def _samples(self, item: Item, number: int, document: Document, sha256: str) -> Iterator[Sample]:
        key = f"{source_key(item.uri, sha256)}-{number:07d}"
        origin = Origin(item.uri, sha256, number, document.licence or item.licence)
        for place, piece in enumerate(document.pieces):
            yield Sample(
                key=key if len(document.pieces) == 1 else f"{key}-{place:03d}",
                task="text",
                image=None,
                size=(0, 0),
                lang=document.lang or item.lang or "und",
                script="Zyyy",
                text=piece,
                regions=(),
                quality=Quality("trusted"),
                origin=origin,
                stage=self.stage,
                metadata=document.metadata,
            )


def _count(item: Item) -> int:
    """The parts of a file; 1 of one that can't be read, which reading tells."""
    return max(1, TextSource().probe(item).count)


def _rows_of(item: Item) -> int:
    return num_parts(item, _PIECE_BYTES if item.uri.lower().endswith(".txt") else _ROW_BYTES)


def _bytes_of(item: Item) -> int:
    """What the item's range takes of its file's bytes."""
    return round(item.num_bytes * _rows_of(item) / item.count) if item.is_part and item.count > 0 else item.num_bytes


def _num_bytes(item: Item) -> int:
    return max(_LEAST_BYTES, _bytes_of(item))


def _licence(folder: str) -> str:
    try:
        fs, path = resolve(folder or ".")
    except (ImportError, ValueError):
        return ""
    cards = []
    for name in _CARDS:
        card = posixpath.normpath(posixpath.join(path, name))
        try:
            cards.append((name, fs.cat_file(card, end=_OF_A_CARD).decode("utf-8", "replace")))
        except (OSError, ValueError):
            continue
    return licence_of(cards)
