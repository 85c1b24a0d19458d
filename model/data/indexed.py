"""Rows that others wrote. Each row is read once for an index, which is kept beside the rows. Unusable rows are left out, counted
and named.

N rows · I images of all rows · P prompts
"""

import copy
import functools
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.disk.storage import Folder
from datagen.record import SampleError
from model.data import lengths
from model.data.rows import NO_ANSWER, Asked, Columns, Part, Several, tell_skipped
from model.data.split import joined
from model.data.tokens import counted
from model.net.tokenizer import TextTokenizer

log = logging.getLogger(__name__)

BLANK, NO_TEXT = "blank_line", "no_text"
"""The reasons of empty rows: they are counted, and not named."""
NAMED = 5
_ROWS_AT_A_TIME, _LETTERS_AT_A_TIME = 2048, 1 << 26
_MOST = 65535


class Source(NamedTuple):
    """A file, or a part of a dataset, with an index of its own. The index is kept in `folder` under the name `file`. `known_as`
    identifies its bytes. `num_rows` is -1 if unknown."""

    folder: Folder
    file: str
    known_as: str
    num_rows: int = -1


class RowRead(NamedTuple):
    """The facts about one row: `values` by column, and its text under each prompt; or the error that makes it unusable. `called`
    is its name for people."""

    called: str
    values: dict[str, Any]
    texts: tuple[tuple[Part, ...], ...] = ()
    error: SampleError | None = None


@dataclass(frozen=True)
class Images:
    """The images of N rows, row by row: image i belongs to row `rows_I[i]`. `keys_I` are the images' identities."""

    rows_I: np.ndarray
    sizes_I2: np.ndarray
    keys_I: np.ndarray

    def only(self, wanted_N: np.ndarray) -> "Images":
        wanted_I = wanted_N[self.rows_I]
        return Images(self.rows_I[wanted_I], self.sizes_I2[wanted_I], self.keys_I[wanted_I])

    def first(self, num: int) -> np.ndarray:
        """(N, 2) uint16: width and height of each row's first image, 0 for rows without one."""
        found_N2 = np.zeros((num, 2), np.uint16)
        rows, at = np.unique(self.rows_I, return_index=True)
        found_N2[rows] = self.sizes_I2[at].clip(max=_MOST)
        return found_N2

    def several(self, num: int) -> Several:
        counts_N = np.bincount(self.rows_I, minlength=num)
        rows_S = np.flatnonzero(counts_N > 1)
        return Several(rows_S, np.r_[0, counts_N[rows_S].cumsum()], self.sizes_I2[counts_N[self.rows_I] > 1].astype(np.int32))

    def groups(self, own_N: np.ndarray, held_out: frozenset[str]) -> np.ndarray:
        """(N,) uint64: the group of each row. Rows with a common image share a group, and rows with the same `own_N`, if it isn't
        0."""
        has_own = np.flatnonzero(own_N)
        rows = np.concatenate([has_own, self.rows_I])
        order = np.argsort(rows, kind="stable")
        return joined(len(own_N), rows[order], np.concatenate([own_N[has_own], self.keys_I])[order], held_out)


class Indexed(ABC):
    """A dataset of such rows.

    sources             the parts with an index of their own, in order
    fields              the columns of a source's table, beside the reason and the lengths
    kind                changes when the same bytes would give another table
    lang                the language of rows that don't name theirs
    numbers_bad_rows    whether an unusable row has a number; if not, `note` gets the usable ones
    held_out            the groups that never train. Rows of one group are on one side of the split
    """

    name: str
    where: str
    kind: str
    lang: str = "und"
    prompts: tuple[Asked, ...]
    sources: list[Source]
    held_out: frozenset[str]
    fields: ClassVar[tuple[tuple[str, pa.DataType], ...]]
    numbers_bad_rows: ClassVar[bool] = True

    @abstractmethod
    def rows(self, source: Source) -> Iterator[RowRead]:
        """All rows of a source, in order, and the faults of unusable ones."""

    def place(self, row: int) -> Any:
        """The row's place: its number, unless a dataset needs more."""
        return row

    @property
    @abstractmethod
    def digest(self) -> str: ...

    def images(self, table: pa.Table) -> tuple[Images, pa.ChunkedArray]:
        """The images of a table's rows, and the reason why each row is unusable, "" if it is usable."""
        sizes, keys = (table[name].combine_chunks() for name in ("sizes", "image_keys"))
        rows_I = np.repeat(np.arange(len(table)), pc.list_value_length(keys).to_numpy())
        sizes_I2 = pc.list_flatten(sizes).to_numpy().reshape(-1, 2)
        return Images(rows_I, sizes_I2, pc.list_flatten(keys).to_numpy()), table["reason"]

    def note(self, tables: list[pa.Table]) -> None:
        """Keep what `place` needs of the usable rows, a table a source."""
        raise NotImplementedError(f"{type(self).__name__} numbers all rows")

    def langs(self, table: pa.Table) -> tuple[np.ndarray, tuple[str, ...]]:
        """(the number of each row's language, the languages)"""
        if "lang" not in table.column_names:
            return np.zeros(len(table), np.int16), (self.lang,)
        encoded = table["lang"].combine_chunks().dictionary_encode()
        return encoded.indices.to_numpy().astype(np.int16), tuple(encoded.dictionary.to_pylist())

    def columns(self, tokenizer: TextTokenizer) -> Columns:
        """Raises `ValueError` if no row is usable, or if an address names an unusable storage."""
        tables = [self._table_of(source, tokenizer) for source in self.sources]
        table = pa.concat_tables(tables).combine_chunks()
        images, reasons = self.images(table)
        skipped, is_good_N = self._skipped(reasons), np.asarray(pc.equal(reasons, ""))
        if not self.numbers_bad_rows:
            tables = [one.filter(pc.equal(one["reason"], "")) for one in tables]
            self.note(tables)
            table = pa.concat_tables(tables).combine_chunks()
            (images, _), is_good_N = self.images(table), np.ones(len(table), bool)
        images, num = images.only(is_good_N), len(table)
        own_N = table["key"].to_numpy() if "key" in table.column_names else np.zeros(num, np.uint64)
        lang_N, langs = self.langs(table)
        first_N2 = images.first(num)
        return Columns(
            width_N=first_N2[:, 0].copy(),
            height_N=first_N2[:, 1].copy(),
            answer_NP=np.where(is_good_N[:, None], lengths.lengths(table, len(self.prompts)), np.int32(NO_ANSWER)),
            lang_N=lang_N,
            group_N=images.groups(np.where(is_good_N, own_N, np.uint64(0)), self.held_out),
            langs=langs,
            several=images.several(num),
            skipped=skipped,
        )

    def uncounted(self, tokenizer: TextTokenizer) -> Iterator[Self]:
        """Each source without kept lengths, as a dataset; a file of rows always, since it may have changed."""
        for source in self.sources:
            if source.num_rows >= 0 or not lengths.is_kept(source.folder, self._lengths(tokenizer), source.file):
                one = copy.copy(self)
                one.sources = [source]
                yield one

    def made(self, source: Source, tokenizer: TextTokenizer | None) -> pa.Table:
        """The table of a source's rows. Without a tokenizer it lacks the lengths."""
        names = [f"prompt_{number}" for number in range(len(self.prompts))] if tokenizer is not None else []
        fields = [*self.fields, ("reason", pa.string()), *((name, pa.int32()) for name in names)]
        tables = [pa.schema(fields).empty_table()]
        for some in _together(self.rows(source)):
            lengths_of = iter(counted([text for row in some for text in row.texts], tokenizer) if tokenizer is not None else ())
            values = []
            for row in some:
                reason = row.error.reason if row.error is not None else ""
                lengths = {name: next(lengths_of) if row.texts else NO_ANSWER for name in names}
                values.append(row.values | {"reason": reason} | lengths)
                if row.error is not None and reason not in (BLANK, NO_TEXT):
                    self.tell(row.called, row.error)
            tables.append(pa.Table.from_pylist(values, pa.schema(fields)))
        return pa.concat_tables(tables).combine_chunks()

    def tell(self, called: str, error: SampleError) -> None:
        """Name an unusable row in the log, once, if it is among the first."""
        if called in self._named or len(self._named) == NAMED:
            return
        self._named.add(called)
        log.warning("%s %s can't be used: %s: %s", self.name, called, error.reason, error.detail)

    @functools.cached_property
    def _named(self) -> set[str]:
        return set()

    def _lengths(self, tokenizer: TextTokenizer) -> str:
        return lengths.name(tokenizer, self.prompts, self.kind)

    def _table_of(self, source: Source, tokenizer: TextTokenizer) -> pa.Table:
        folder, file, known_as, num_rows = source
        return lengths.kept(folder, self._lengths(tokenizer), file, known_as, num_rows, lambda: self.made(source, tokenizer))

    def _skipped(self, reasons: pa.ChunkedArray) -> dict[str, int]:
        """The numbers of unusable rows, by reason. Raises `ValueError` if no row is usable."""
        counts = Counter({count["values"]: count["counts"] for count in pc.value_counts(reasons).to_pylist()})
        num_good = counts.pop("", 0)
        if not num_good:
            kinds = ", ".join(f"{num} {reason}" for reason, num in counts.most_common()) or "there are none"
            raise ValueError(f"{self.where}: no row can be used ({kinds})")
        tell_skipped(self.name, {reason: num for reason, num in counts.items() if reason != BLANK}, len(reasons))
        return dict(counts)


def _together(rows: Iterable[RowRead]) -> Iterator[list[RowRead]]:
    """The rows in groups: smaller ones for long texts, which are all in memory."""
    some: list[RowRead] = []
    num_letters = 0
    for row in rows:
        some.append(row)
        num_letters += sum(len(part.text) for text in row.texts for part in text)
        if len(some) == _ROWS_AT_A_TIME or num_letters > _LETTERS_AT_A_TIME:
            yield some
            some, num_letters = [], 0
    if some:
        yield some
