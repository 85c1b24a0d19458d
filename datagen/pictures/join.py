"""Join the images of a folder with the rows of its lists.

Lists differ in how they name images, so each of these rules is tried on the first rows of the first list. The rule by which most
rows find an image of their own is taken; of equal rules, the first:

1. a column that names files: file_name, path, dir, … (`FILE_COLUMNS`), by `folder/name`, else by `name` alone, without suffixes;
2. a column whose value is the file's name without its suffix: key, SAMPLE_ID, id, hash, md5, … (`KEY_COLUMNS`);
3. a digest of the url, md5, sha1 or sha256 in hex, that is the file's name;
4. the last name in the url. If several urls have an image's name, the image belongs to none of them;
5. the row's number, if all file names are numbers. In a single folder, the file's number is the row's. In several folders, such
   as Wukong's `000/00000.jpg`, the folder's number is the list's number if there are several lists (`wukong_100m_7.csv` is 7;
   lists without a number count in order of their names). For a single list, folders count through its rows: by hundreds,
   thousands, … as the digits of their files' numbers allow.

A key that several files have finds none of them. Names are compared in small letters.
"""

import contextlib
import functools
import itertools
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

import numpy
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from datagen.disk.storage import resolve
from datagen.inputs.census import spelt_out, walk
from datagen.inputs.formats import suffixes
from datagen.inputs.local import archive_at
from datagen.pictures.image_files import FORMATS
from datagen.pictures.listing import listed_rows, look, scan
from datagen.pictures.tables import DIGESTS, FILE_COLUMNS, IN_URL, KEY_COLUMNS, Listed, stems
from datagen.record import Range, SampleError
from datagen.sandbox.parts import Part
from datagen.sandbox.process import ChildDied, Limits, sandbox
from datagen.work.joined_rows import WHOLE, JoinedRow

log = logging.getLogger(__name__)

LIST_KEYS = "datagen.pictures.tables:list_keys"
_PEEK = 2_000  # rows that tell the rule
_CHUNK = 10_000  # paths
_NUMBER_BITS = 40  # bits of a file's number in a code; the folder's number is in the bits above
NUMBER = "number"
_RULES = (*FILE_COLUMNS, *KEY_COLUMNS, *DIGESTS, IN_URL, NUMBER)


class Folder:
    """The images below `root`, found by `folder/name` and `name`, or by their numbers. Each of these ways takes 16 bytes an image
    once it is used, beside the path."""

    def __init__(self, root: str):
        fs, path = resolve(root)
        self._prefix = path.rstrip("/") + "/"
        self._unstrip = (lambda name: name) if "://" not in root else fs.unstrip_protocol
        endings = suffixes(FORMATS)
        names = (info["name"] for info in walk(fs, path) if info["type"] == "file" and info["name"].lower().endswith(endings))
        below = (spelt_out(name.removeprefix(self._prefix)) for name in names)
        chunks = [pa.array(some, pa.large_string()) for some in iter(lambda: list(itertools.islice(below, _CHUNK)), [])]
        paths = pa.chunked_array(chunks, pa.large_string()).combine_chunks()
        self.paths = paths.take(pc.array_sort_indices(paths))

    def _names(self) -> Iterator[str]:
        for start in range(0, len(self.paths), _CHUNK):
            yield from self.paths.slice(start, _CHUNK).to_pylist()

    def __len__(self) -> int:
        return len(self.paths)

    def place(self, key: str) -> int:
        """The number of the one image that `key` names; -1 if there is none, or several."""
        return (self._long if "/" in key else self._short).place(xxhash.xxh3_64_intdigest(key.encode("utf-8", "replace")))

    @functools.cached_property
    def _short(self) -> "_Codes":
        return _Codes(_digests(stems(name)[-1:] for name in self._names()))

    @functools.cached_property
    def _long(self) -> "_Codes":
        return _Codes(_digests(stems(name)[:1] for name in self._names()))

    def forget_names(self) -> None:
        """Free the memory that finds images by names."""
        self.__dict__.pop("_short", None)
        self.__dict__.pop("_long", None)

    def path(self, place: int) -> str:
        """The place of the image with a number: a local path or a URL."""
        return self._unstrip(self._prefix + self.paths[place].as_py())

    @functools.cached_property
    def numbers(self) -> "Numbers | None":
        """The files by their numbers; None if their names aren't numbers."""
        return Numbers.of(self._names(), len(self))


def _digests(keys: Iterator[list[str]]) -> numpy.ndarray:
    return numpy.fromiter(
        (xxhash.xxh3_64_intdigest(key[0].encode("utf-8", "replace")) if key else 0 for key in keys), numpy.uint64
    )


class _Codes:
    """Places, each by a 64-bit code."""

    def __init__(self, codes: numpy.ndarray):
        self._places = numpy.argsort(codes, kind="stable")
        self._codes = codes[self._places]

    def place(self, code: int) -> int:
        """The one place that has a code; -1 if there is none, or several."""
        at = int(numpy.searchsorted(self._codes, numpy.uint64(code)))
        if at == len(self._codes) or self._codes[at] != code or (at + 1 < len(self._codes) and self._codes[at + 1] == code):
            return -1
        return int(self._places[at])


class Numbers:
    """Files whose names are numbers, found by their folder's number and their own."""

    def __init__(self, codes: numpy.ndarray, is_flat: bool, room: int):
        self._codes = _Codes(codes)
        self._is_flat, self._room = is_flat, room

    @classmethod
    def of(cls, names: Iterable[str], num_names: int) -> "Numbers | None":
        """None unless all file names are numbers. Several folders must have different numbers as names, too."""
        codes = numpy.zeros(num_names, numpy.uint64)
        folders: dict[str, int] = {}
        highest = 0
        for place, name in enumerate(names):
            file = PurePosixPath(name)
            if not _is_number(file.stem):
                return None
            folder = folders.setdefault(str(file.parent), int(file.parent.name) if _is_number(file.parent.name) else -1)
            highest = max(highest, int(file.stem))
            codes[place] = (folder + 1) << _NUMBER_BITS | int(file.stem)
        is_flat = len(folders) == 1
        if not folders or (not is_flat and (-1 in folders.values() or len(set(folders.values())) < len(folders))):
            return None
        return cls(codes & numpy.uint64((1 << _NUMBER_BITS) - 1) if is_flat else codes, is_flat, 10 ** len(str(highest)))

    def place(self, table: int, row: int, num_tables: int) -> int:
        """The number of a row's image, in the list with the number `table`; -1 if there is none."""
        if self._is_flat:
            return self._codes.place(row) if num_tables == 1 else -1
        folder, number = (table, row) if num_tables > 1 else divmod(row, self._room)
        return self._codes.place((folder + 1) << _NUMBER_BITS | number)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 12  # a longer number is a digest or a stamp


class Join:
    """The images below `root` and the `tables` that list them. Raises `ValueError` if no rule fits."""

    def __init__(self, root: str, tables: Sequence[str], limits: Limits):
        self.folder = Folder(root)
        self._tables, self._limits = tuple(tables), limits
        self._table_numbers = _table_numbers(self._tables)
        self._places: dict[str, numpy.ndarray] = {}
        self.rule, num_found = self._rule()
        if self.rule == NUMBER:
            self.folder.forget_names()
        log.info("%s: images are joined with rows by %s, which finds %d of the first rows", root, self.rule, num_found)

    def rows(self, table: str, within: Range) -> Iterator[JoinedRow]:
        """First the rule that finds the images of a list, then the places of the images of its rows within a range."""
        yield JoinedRow(table, WHOLE, detail=self.rule)
        places = self._image_numbers(table, within.stop if self.rule != IN_URL else -1)
        has_image = places >= 0
        if self.rule == IN_URL:
            has_image &= self._rows_of_each[places] == 1
        for number in map(int, numpy.flatnonzero(has_image)):
            if number in within:
                yield JoinedRow(table, number, self.folder.path(int(places[number])))

    def _place(self, rule: str, table: str, row: int, keys: Sequence[tuple[str, str]]) -> int:
        if rule == NUMBER:
            numbers = self.folder.numbers
            return numbers.place(self._table_numbers[table], row, len(self._tables)) if numbers else -1
        return next((place for by, key in keys if by == rule and (place := self.folder.place(key)) >= 0), -1)

    def _rule(self) -> tuple[str, int]:
        """The rule by which most of the first rows have an image of their own, and the number of these rows."""
        best, most = "", 0
        for table in self._tables:
            rows = self._first_rows(table)
            for rule in _RULES:
                places = [self._place(rule, table, number, row.keys) for number, row in rows]
                num = len({place for place in places if place >= 0})
                if num > most:
                    best, most = rule, num
            if best:
                return best, most
        raise ValueError(
            f"no row of {', '.join(self._tables[:3])} names one of the {len(self.folder):,} images: they are found by a column "
            "such as file_name or key, by the url's md5, or by the row's number; to read images without a list, name them "
            "alone, as input='DIR/*.jpg'"
        )

    def _first_rows(self, table: str) -> list[tuple[int, Listed]]:
        try:
            parts = listed_rows(table, Range(0, _PEEK), self._limits)
            return [(part.number, part.value) for part in parts if isinstance(part, Part)]
        except SampleError:
            return []  # reading it will tell

    def strays(self) -> list[str]:
        """The images that no row names, in order. Reads all tables."""
        return [self.folder.path(int(place)) for place in numpy.flatnonzero(self._rows_of_each == 0)]

    @functools.cached_property
    def _rows_of_each(self) -> numpy.ndarray:
        """The number of rows that name each image."""
        num_rows = numpy.zeros(len(self.folder), numpy.int64)
        for table in self._tables:
            places = self._image_numbers(table)
            num_rows += numpy.bincount(places[places >= 0], minlength=len(self.folder))
        return num_rows

    def _image_numbers(self, table: str, stop: int = -1) -> numpy.ndarray:
        """The number of the image of each of a table's rows, up to `stop` (-1: all); -1 where a row has no image. The result is
        kept for a table that was read to its end."""
        if table in self._places:
            return self._places[table]
        rows = enumerate(itertools.islice(self._keys(table), None if stop < 0 else stop))
        numbers = (self._place(self.rule, table, row, [(self.rule, key) for key in keys]) for row, keys in rows)
        places = numpy.fromiter(numbers, numpy.int32)
        if stop < 0:
            self._places[table] = places
        return places

    def _keys(self, table: str) -> Iterator[list[str]]:
        """The names of the images of a table's rows by the rule, row by row. If a row ends the child, the rest is read again with
        more care."""
        num_rows = 0
        try:
            if self.rule == NUMBER:
                yield from itertools.repeat([], look(table, self._limits).num_rows)
                return
            with archive_at(table) as path:
                for answer in sandbox(self._limits).run(LIST_KEYS, list[list[str]], path=path, rule=self.rule):
                    yield from answer.value
                    num_rows += len(answer.value)
        except (SampleError, ChildDied):
            with contextlib.suppress(SampleError):  # reading it will tell
                for row in listed_rows(table, Range(num_rows), self._limits):
                    keys = row.value.keys if isinstance(row, Part) else []
                    yield [key for rule, key in keys if rule == self.rule]


def _table_numbers(tables: Sequence[str]) -> dict[str, int]:
    """The last number in each table's name. If one has no number or two have the same, each table's place among them."""
    of_names = [re.findall(r"\d+", PurePosixPath(table).stem) for table in tables]
    numbers = [int(digits[-1]) for digits in of_names if digits]
    return dict(zip(tables, numbers if len(set(numbers)) == len(tables) else range(len(tables)), strict=True))


@functools.lru_cache(maxsize=1)
def join(input: str, limits: Limits) -> Join:
    """The join of an input's images and lists. It is kept from the census to the run, since it lists the whole folder. Raises
    `ValueError` as `scan` and `Join` do."""
    scanned = scan(input, limits)
    return Join(scanned.root, scanned.lists, limits)
