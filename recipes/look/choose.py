"""The order in which people look at a dataset's samples."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import msgspec

from datagen.disk import manifest, marks
from datagen.disk.storage import Folder

OPEN = ("unread", "drawn")
"""Outcomes of decisions that come first: nothing was decided, or the candidates' drawing decided."""
_RANK = {"suspect": 0, "none": 1, "trusted": 2}
_NO_SCORE = 2.0  # above all scores


class _Region(msgspec.Struct):
    score: float


class _Pair(msgspec.Struct):
    name: str
    value: str | float


class _Quality(msgspec.Struct):
    signals: list[_Pair]


class _Record(msgspec.Struct):
    """The values for the order. The rest of a record isn't decoded."""

    regions: list[_Region]
    metadata: list[_Pair]
    quality: _Quality


_DECODER = msgspec.json.Decoder(_Record)


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample of the dataset: its row in the manifest, the sha256 of its record, the outcomes of its decisions, each once, and
    its level of difficulty, as in `record.LEVELS`, or -1."""

    row: Mapping[str, Any]
    record: str
    outcomes: tuple[str, ...]
    level: int
    place: tuple[Any, ...] = field(compare=False)


@dataclass(frozen=True)
class Census:
    """All `entries`, worst first; entries that people `rejected` and may restore; the numbers of `marked` samples, by mark, which
    nobody needs to see; and the number of `damaged` records."""

    entries: tuple[Entry, ...]
    marked: Mapping[str, int]
    damaged: int
    rejected: tuple[Entry, ...] = ()


def census(folder: Folder) -> Census:
    """The dataset's samples, worst first: those with an open decision, then by difficulty, then suspect ones, then by the lowest
    score of a region. No image is read."""
    of_key = dict(zip(*(marks.read(folder)[name].to_pylist() for name in ("key", "mark")), strict=True))
    rows, marked = [], Counter[str]()
    for row in manifest.rows(folder):
        mark = of_key.get(row["key"])
        if mark in (None, marks.REJECTED):
            rows.append(row)
        else:
            marked[mark] += 1
    entries = sorted((entry for entry in _entries(folder, rows) if entry), key=lambda entry: entry.place)
    unmarked = tuple(entry for entry in entries if entry.row["key"] not in of_key)
    rejected = tuple(entry for entry in entries if entry.row["key"] in of_key)
    return Census(unmarked, dict(sorted(marked.items())), len(rows) - len(entries), rejected)


def _entries(folder: Folder, rows: Iterable[Mapping[str, Any]]) -> Iterator[Entry | None]:
    """The entries in order; None for a sample whose record is damaged, or whose shard is missing."""
    for shard, group in groupby(rows, key=lambda row: row["shard"]):
        of_shard = list(group)
        ends = ((row["record_offset"], row["record_offset"] + row["record_bytes"]) for row in of_shard)
        try:
            records = list(folder.read_ranges((f"shards/{shard}.tar", start, end) for start, end in ends))
        except OSError:
            yield from (None for _ in of_shard)
            continue
        for row, data in zip(of_shard, records, strict=True):
            yield _entry(row, data)


def _entry(row: Mapping[str, Any], data: bytes) -> Entry | None:
    try:
        record = _DECODER.decode(data)
    except msgspec.DecodeError:
        return None
    texts = (str(pair.value) for pair in record.metadata if pair.name == "decisions")
    outcomes = tuple(sorted({str(decision["outcome"]) for text in texts for decision in decisions(text)}))
    signals = {pair.name: pair.value for pair in record.quality.signals}
    level = signals.get("level", -1.0)
    score = min((region.score for region in record.regions if region.score >= 0), default=_NO_SCORE)
    is_open = not set(OPEN).isdisjoint(outcomes)
    place = (not is_open, -float(row["difficulty"]), _RANK.get(row["verdict"], 0), score, row["key"])
    return Entry(row, hashlib.sha256(data).hexdigest(), outcomes, int(level) if level in (0.0, 1.0, 2.0) else -1, place)


def decisions(text: str) -> list[dict[str, Any]]:
    """The decisions in a record's metadata, which `agree` writes as JSON; other values are left out."""
    try:
        entries = json.loads(text or "[]")
    except ValueError:
        return []
    whole = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return [
        each | {"readings": [reading for reading in each.get("readings") or () if isinstance(reading, dict)]}
        for each in whole
        if isinstance(each.get("outcome"), str) and isinstance(each.get("readings"), list | None)
    ]
