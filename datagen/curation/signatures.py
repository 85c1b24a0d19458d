"""What a page is recognised by: a digest of its image, and a MinHash of the letters of its text; a picture by its look, too.

Character n-grams, since words find nothing in Thai, Khmer or Chinese; letters alone, so that page numbers and spaces don't tell
two copies apart. A part a shard, in `marks/signatures/`, so that shards are signed where they lie, each once. Null stands for a
MinHash of too few letters, and for a look or a gist of what is no picture. Figures have no MinHash: their text is data, and two
that say different things have nearly the same letters.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import pyarrow as pa

from datagen.curation import picture_hashes
from datagen.disk import manifest
from datagen.disk.shards import each_report, read_records, read_samples
from datagen.disk.storage import Folder
from datagen.record import Sample

NUM_HASHES, NGRAM, MIN_LETTERS = 112, 5, 50
VERSION = 7  # goes up whenever the same page would be signed otherwise
_PICTURES = ("scene", "caption")
_SEED = 1
_MARKUP = re.compile(r"</?(?:table|thead|tbody|tfoot|tr|td|th|sup|sub)\b[^<>]*>|\\[A-Za-z]+")
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("task", pa.string()),
        ("image", pa.uint64()),
        ("letters", pa.int32()),
        ("minhash", pa.binary(4 * NUM_HASHES)),
        ("look", pa.binary(picture_hashes.LOOK_BITS // 8)),
        ("gist", pa.binary(4 * picture_hashes.GIST_HASHES)),
    ]
)


@dataclass(frozen=True)
class SignTask:
    """A shard of the dataset in the folder `url`, as it is known by `sha256`."""

    url: str
    shard: str
    sha256: str


def sign_shard(task: SignTask) -> int:
    """Write the signatures of a shard's samples, unless they are there; returns how many it has."""
    folder = Folder(task.url)
    if (existing := read(folder, task.shard, task.sha256)) is not None:
        return existing.num_rows
    part = manifest.read_part(folder, task.shard).to_pylist()
    read_all = read_samples if any(row["task"] in _PICTURES for row in part) else read_records
    rows = [_row(sample, row["image_xxh64"]) for sample, row in zip(read_all(folder, part), part, strict=True)]
    table = pa.Table.from_pylist(rows, SCHEMA).replace_schema_metadata(_mark(task.sha256))
    folder.write_table(_name(task.shard), table)
    return len(rows)


def read(folder: Folder, shard: str, sha256: str) -> pa.Table | None:
    """The signatures of a shard; None if they aren't made, or are of another state of it."""
    try:
        table = folder.read_table(_name(shard))
    except FileNotFoundError:
        return None
    return table if (table.schema.metadata or {}) == _mark(sha256) else None


def forget(folder: Folder, shard: str) -> None:
    folder.remove(_name(shard))


def tasks(folder: Folder, shards: Sequence[str]) -> list[SignTask]:
    return [SignTask(folder.url, r.shard, r.sha256) for r in each_report(folder, shards)]


def minhash(text: str) -> numpy.ndarray | None:
    """`NUM_HASHES` uint32 of a text; None if it has too few letters to tell. Tags of tables and commands of LaTeX are no letters:
    else all tables of numbers were alike."""
    letters = letters_of(text)
    if len(letters) < MIN_LETTERS:
        return None
    return picture_hashes.min_hashes({letters[i : i + NGRAM] for i in range(len(letters) - NGRAM + 1)}, NUM_HASHES, _SEED)


def letters_of(text: str) -> str:
    text = _MARKUP.sub(" ", text)
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if unicodedata.category(c)[0] in "LM")


def _row(sample: Sample, image_xxh64: int) -> dict:
    signature = minhash(sample.text) if sample.task != "figure" else None
    return {
        "key": sample.key,
        "task": sample.task,
        "image": image_xxh64,
        "letters": len(letters_of(sample.text)),
        "minhash": None if signature is None else signature.tobytes(),
        "look": picture_hashes.look(sample.image) if sample.task in _PICTURES else None,
        "gist": picture_hashes.gist(sample.text) if sample.task == "scene" else None,
    }


def _name(shard: str) -> str:
    return f"marks/signatures/{shard}.parquet"


def _mark(sha256: str) -> dict[bytes, bytes]:
    return {b"shard": sha256.encode(), b"version": str(VERSION).encode()}
