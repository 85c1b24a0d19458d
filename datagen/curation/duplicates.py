"""Which samples say what others say: exact and near-duplicates over all shards of a dataset, from their signatures.

Locality-sensitive hashing in `NUM_BANDS` bands: two pages are compared if a band of their MinHashes is equal. A band at a time is
in memory, 8 bytes a page, with arrays of indices beside it, and the whole MinHashes of those that it found alike; then the hash
of each picture's look, 32 bytes (`datagen.curation.picture_hashes`).

Of pages that are alike, the first stays, in the order of the reports: what an older generation holds is never marked for a newer
one's sake, unless a person corrected that. A chain of likenesses is one group, whose last may be less like its first than pages
have to be to be joined.
"""

from collections.abc import Iterator, Sequence

import numpy
import pyarrow as pa
import xxhash

from datagen.curation import picture_hashes, signatures
from datagen.curation.signatures import NUM_HASHES
from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder

VERSION = 5  # goes up whenever the same signatures would be marked otherwise
NUM_BANDS = 14
_ROWS = NUM_HASHES // NUM_BANDS
_LOOK_BYTES = picture_hashes.LOOK_BITS // 8
_SAME_GIST = 0.8
"""Of the pairs of letters of two scenes that look alike, else they say different things. One diagram in two languages, with the
same addresses, has 0.4 to 0.75, a reading with 5% of wrong letters 0.7 to 0.8."""


def find(folder: Folder, reports: Sequence[ShardReport], least: float, look_bits: int = 0) -> Iterator[Mark]:
    """The duplicates among the signed samples of a dataset's shards: `duplicate`, of the same image, and `near_duplicate`, of a
    text with `least` similarity, where both are of one task: a table that fills its page is no copy of it; or of a picture of
    whose look at most `look_bits` of 256 bits are others, unless both say different things. Raises `ValueError` if a shard isn't
    signed."""
    places = _Places(folder, reports)
    parents = numpy.arange(len(places), dtype=numpy.int32)
    for first, other in _alike(places.images()):
        _join(parents, first, other)
    firsts = parents.copy()  # of each image
    for band in range(NUM_BANDS):
        hashes, known = places.band(band)
        pairs = [(int(known[a]), int(known[b])) for a, b in _alike(hashes)]
        pairs = [(a, b) for a, b in pairs if _root(parents, a) != _root(parents, b)]
        for (first, other), estimate in zip(pairs, places.similarities(pairs), strict=True):
            if estimate >= least and (a := _root(parents, first)) != (b := _root(parents, other)):
                _join(parents, a, b)
    for first, other in _alike_pictures(places, look_bits):
        _join(parents, first, other)
    copies = numpy.flatnonzero(parents != numpy.arange(len(parents)))
    exact = firsts[copies] != copies
    roots = numpy.array([_root(parents, int(i)) for i in copies], numpy.int64)
    roots[exact] = firsts[copies[exact]]
    similarity = numpy.ones(len(copies), numpy.float32)
    pairs = list(zip(copies[~exact].tolist(), roots[~exact].tolist(), strict=True))
    looks = places.similarities(pairs, "look", _LOOK_BYTES, numpy.uint8)
    similarity[~exact] = numpy.maximum(places.similarities(pairs), looks)
    keys = places.keys(numpy.union1d(copies, roots))
    for i, root, same, like in zip(copies.tolist(), roots.tolist(), exact.tolist(), similarity.tolist(), strict=True):
        yield Mark(keys[i], "duplicate" if same else "near_duplicate", keys[root], round(like, 3))


def find_contaminated(
    folder: Folder, reports: Sequence[ShardReport], names: Sequence[str], benchmark: numpy.ndarray, least: float
) -> Iterator[Mark]:
    """The signed samples with `least` similarity to a page of a benchmark, (N, NUM_HASHES) MinHashes with `names`:
    `contaminated`, by the page that is most like it."""
    if not len(names):
        return
    for _, part in _Places(folder, reports).parts():
        known, rows = _hashes(part)
        for i, row in zip(known.tolist(), rows, strict=True):
            similar = (benchmark == row).mean(axis=1)
            best = int(similar.argmax())
            if similar[best] >= least:
                yield Mark(part["key"][i].as_py(), "contaminated", names[best], round(float(similar[best]), 3))


def _alike_pictures(places: "_Places", look_bits: int) -> Iterator[tuple[int, int]]:
    """The numbers of the pictures that look alike and don't say different things."""
    hashes, numbers, tasks = places.pictures()
    pairs = {(a, b) for a, b, _ in picture_hashes.near(hashes, look_bits) if tasks[a] == tasks[b]}
    candidates = [(int(numbers[a]), int(numbers[b])) for a, b in sorted(pairs)]
    gists = places.similarities(candidates, "gist", picture_hashes.GIST_HASHES, unknown=1.0)
    yield from (pair for pair, alike in zip(candidates, gists, strict=True) if alike >= _SAME_GIST)


class _Places:
    """The signed samples of a dataset by number, in the order of shards, without those that people set aside: what stands for one
    of them now is no copy of it."""

    def __init__(self, folder: Folder, reports: Sequence[ShardReport]):
        self.folder, self.reports, self._aside = folder, reports, marks.set_aside(folder)
        self.starts = numpy.cumsum([0, *(self._part(i).num_rows for i in range(len(reports)))])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def _part(self, i: int) -> pa.Table:
        report = self.reports[i]
        table = signatures.read(self.folder, report.shard, report.sha256)
        if table is None:
            raise ValueError(f"{self.folder.path(report.shard)} isn't signed")
        if not self._aside:
            return table
        return table.filter(pa.array([not marks.is_marked(key, self._aside) for key in table["key"].to_pylist()], pa.bool_()))

    def parts(self) -> Iterator[tuple[int, pa.Table]]:
        """Where each shard's numbers start, and its signatures."""
        for i in range(len(self.reports)):
            yield int(self.starts[i]), self._part(i)

    def keys(self, numbers: numpy.ndarray) -> dict[int, str]:
        """Of samples by number, ascending."""
        keys: dict[int, str] = {}
        for start, part in self.parts() if len(numbers) else ():
            a, b = numpy.searchsorted(numbers, (start, start + part.num_rows))
            keys |= {int(n): str(part["key"][int(n) - start].as_py()) for n in numbers[a:b]}
        return keys

    def images(self) -> numpy.ndarray:
        return numpy.concatenate([numpy.zeros(0, numpy.uint64), *(part["image"].to_numpy() for _, part in self.parts())])

    def band(self, band: int) -> tuple[numpy.ndarray, ...]:
        """A band of all MinHashes as uint64 each, with the sample's task, and the numbers of the samples that they are of."""
        columns: list[tuple[numpy.ndarray, ...]] = [(numpy.zeros(0, numpy.uint64), numpy.zeros(0, numpy.int32))]
        for start, part in self.parts():
            known, rows = _hashes(part)
            hashes = _mixed(rows[:, band * _ROWS : (band + 1) * _ROWS]) ^ _task_hashes(part)[known]
            columns.append((hashes, (start + known).astype(numpy.int32)))
        return tuple(map(numpy.concatenate, zip(*columns, strict=True)))

    def pictures(self) -> tuple[numpy.ndarray, ...]:
        """The looks of all pictures that have one, (N, 32) bytes, with their numbers and their tasks, as hashes."""
        nothing = numpy.zeros((0, _LOOK_BYTES), numpy.uint8), numpy.zeros(0, numpy.int64), numpy.zeros(0, numpy.uint64)
        columns: list[tuple[numpy.ndarray, ...]] = [nothing]
        for start, part in self.parts():
            known, rows = _hashes(part, "look", _LOOK_BYTES, numpy.uint8)
            columns.append((rows, start + known, _task_hashes(part)[known]))
        return tuple(map(numpy.concatenate, zip(*columns, strict=True)))

    def similarities(
        self,
        pairs: Sequence[tuple[int, int]],
        column: str = "minhash",
        width: int = NUM_HASHES,
        dtype: type = numpy.uint32,
        unknown: float = 0.0,
    ) -> list[float]:
        """Of each pair the share of the MinHash's numbers, or of the look's bits, that are the same; `unknown` where one has
        none. Read shard by shard."""
        rows, has, first, other = self._rows_of(pairs, column, width, dtype)
        if dtype is numpy.uint8:
            rows = numpy.unpackbits(rows, axis=1)
        return [float((rows[a] == rows[b]).mean()) if has[a] and has[b] else unknown for a, b in zip(first, other, strict=True)]

    def _rows_of(self, pairs: Sequence[tuple[int, int]], column: str, width: int, dtype: type) -> tuple[numpy.ndarray, ...]:
        """The values of a column that the pairs need, (N, width); which of them are known; and where each pair's two stand."""
        wanted = numpy.unique(numpy.array(pairs, numpy.int64).reshape(-1))
        rows: numpy.ndarray = numpy.zeros((len(wanted), width), dtype)
        has = numpy.zeros(len(wanted), bool)
        for start, part in self.parts() if len(wanted) else ():
            a, b = numpy.searchsorted(wanted, (start, start + part.num_rows))
            if a < b:
                known, hashes = _hashes(part, column, width, dtype)
                _, at, places = numpy.intersect1d(known, wanted[a:b] - start, return_indices=True)
                rows[a + places], has[a + places] = hashes[at], True
        first, other = (numpy.searchsorted(wanted, [pair[side] for pair in pairs]) for side in (0, 1))
        return rows, has, first, other


def _hashes(
    part: pa.Table, name: str = "minhash", width: int = NUM_HASHES, dtype: type = numpy.uint32
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Which rows of a part have a hash in a column, and these, (N, width)."""
    column = part[name].combine_chunks()
    known = numpy.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    joined = b"".join(value.as_py() for value in column.drop_null())
    return known, numpy.frombuffer(joined, dtype).reshape(len(known), width)


def _task_hashes(part: pa.Table) -> numpy.ndarray:
    """The task of each row as a uint64."""
    tasks = part["task"].combine_chunks().dictionary_encode()
    hashes = numpy.array([xxhash.xxh64_intdigest(task.encode()) for task in tasks.dictionary.to_pylist()], numpy.uint64)
    return hashes[tasks.indices.to_numpy()] if len(part) else hashes


def _mixed(rows: numpy.ndarray) -> numpy.ndarray:
    """(N, R) uint32 as N uint64, by FNV-1a over the columns."""
    mixed = numpy.full(len(rows), 0xCBF29CE484222325, numpy.uint64)
    for column in rows.T:
        mixed = (mixed ^ column.astype(numpy.uint64)) * numpy.uint64(0x100000001B3)
    return mixed


def _alike(values: numpy.ndarray) -> Iterator[tuple[int, int]]:
    """The first index of each value that comes again, with each later one of it."""
    order = numpy.argsort(values, kind="stable")
    ordered = values[order]
    same = numpy.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    first = -1
    for i in same:
        if first < 0 or ordered[first] != ordered[i]:
            first = int(i) - 1
        yield int(order[first]), int(order[i])


def _root(parents: numpy.ndarray, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = int(parents[i])
    return i


def _join(parents: numpy.ndarray, a: int, b: int) -> None:
    a, b = _root(parents, a), _root(parents, b)
    parents[max(a, b)] = min(a, b)
