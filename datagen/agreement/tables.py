"""Decide a table cell by cell. A reader whose table has the same rows and columns votes with its cells. A reader that has only
lines votes with the lines at each cell's place. Two voters' tables with the same rows and columns replace a label's table whose
rows and columns nobody else has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from datagen.agreement.decided import ABSTAINS, AGAINST, ALONE, DRAWN, FOR, KEPT, REPLACED, UNREAD, Decided, Vote
from datagen.agreement.ink import PageInk
from datagen.agreement.spans import Reading, Text, of_lines
from datagen.agreement.texts import Voting
from datagen.agreement.words import about, words
from datagen.record import Line
from datagen.score.tables import normalised, score
from datagen.tables import cells
from datagen.tables.cells import Cell, Table
from datagen.tables.fit import fitted
from datagen.tables.line_cuts import parted

_FITS = 0.5  # of a table's filled cells: a reader whose lines agree with fewer cut its lines otherwise
_CHANGED = 0.4  # of the filled cells: if more would change, the rows themselves are in doubt
_MOST_CELLS = 150  # for TEDS, whose time grows with the square of the cells


@dataclass(frozen=True)
class TableReading:
    """What a dataset has of a table. `html` is "" if the dataset has only lines; `lines` are the lines in the table."""

    voter: str
    dataset: str
    html: str
    lines: tuple[Line, ...] = ()


@dataclass
class TableVoting:
    ink: PageInk
    script: str
    own: TableReading
    readings: Sequence[TableReading]
    alone: Mapping[str, float] = field(default_factory=dict)

    def decided(self) -> Decided:
        table = self._table(self.own)
        if table is None:
            return Decided("", UNREAD, "no_table", "", self._votes({}))
        others = [reading for reading in self.readings if reading.voter != self.own.voter]
        given = {reading.dataset: self._table(reading) for reading in others}
        if (pair := self._other_structure(table, others, given)) is not None:
            return self._replaced(pair)
        fit = {r.dataset: laid for r in others if (laid := self._laid(table, r, given[r.dataset])) is not None}
        votes = self._votes(fit, table)
        voting = [reading for reading in others if reading.dataset in fit]
        if not voting:
            return Decided(
                self.own.html, ALONE, "no_other_reader" if not others else "readers_have_no_cells", self.own.voter, votes
            )
        fates = [self._cell(cell, n, voting, fit) for n, cell in enumerate(table.cells)]
        opened = [fate for fate in fates if fate.outcome == UNREAD]
        changed = [n for n, fate in enumerate(fates) if fate.outcome in (REPLACED, DRAWN) and fate.text != table.cells[n].text]
        if opened:
            return Decided("", UNREAD, opened[0].why, "", votes)
        if len(changed) > max(4, _CHANGED * sum(bool(cell.text) for cell in table.cells)):
            return Decided("", UNREAD, "rows_in_doubt", "", votes)
        if not changed:
            is_drawn = any(fate.outcome == DRAWN for fate in fates)
            why = next((fate.why for fate in fates if fate.outcome == DRAWN), "another_agrees")
            return Decided(self.own.html, DRAWN if is_drawn else KEPT, why, self.own.voter, votes, score=1.0)
        outcome = REPLACED if any(fates[n].outcome == REPLACED for n in changed) else DRAWN
        new = [replace(cell, text=fate.text) for cell, fate in zip(table.cells, fates, strict=True)]
        first = next(fates[n] for n in changed if fates[n].outcome == outcome)
        return Decided(cells.to_html(Table(tuple(new))), outcome, first.why, first.chosen, votes, score=1.0)

    def _table(self, reading: TableReading) -> Table | None:
        try:
            return cells.parse(reading.html).whole() if reading.html else None
        except ValueError:
            return None

    def _other_structure(
        self, table: Table, others: Sequence[TableReading], given: dict[str, Table | None]
    ) -> tuple[TableReading, TableReading] | None:
        """Two voters whose tables have the same rows, columns and spans. None if somebody's table has those of the label."""
        if any(of is not None and _shape(of) == _shape(table) for of in given.values()):
            return None
        for i, one in enumerate(others):
            for other in others[i + 1 :]:
                a, b = given[one.dataset], given[other.dataset]
                if one.voter != other.voter and a is not None and b is not None and _shape(a) == _shape(b):
                    return one, other
        return None

    def _replaced(self, pair: tuple[TableReading, TableReading]) -> Decided:
        among = TableVoting(self.ink, self.script, pair[0], [r for r in self.readings if r is not pair[0]], self.alone).decided()
        table = self._table(self.own)
        votes = self._votes({r.dataset: of for r in self.readings if (of := self._table(r)) is not None}, table)
        if among.outcome == UNREAD:
            return Decided("", UNREAD, "two_against_it_differ", "", votes)
        return Decided(among.text, REPLACED, "two_have_other_rows", pair[0].voter, votes, score=among.score)

    def _laid(self, table: Table, reading: TableReading, given: Table | None) -> Table | None:
        """The reading's text in the label's rows and columns; None where the reading doesn't fit them."""
        if given is not None and _shape(given) == _shape(table):
            return given
        lines = [line for line in reading.lines if line.text.strip()]
        if not lines:
            return None
        laid = fitted(table, parted(self.ink.gray[:, :, None], lines))
        if laid is None:
            return None
        filled = [(a, b) for a, b in zip(table.cells, laid.cells, strict=True) if a.text]
        same = sum(about(a.text, self.script) == about(b.text, self.script) for a, b in filled)
        return laid if same >= _FITS * len(filled) else None

    def _cell(self, cell: Cell, n: int, voting: Sequence[TableReading], fit: dict[str, Table]) -> Decided:
        readings = [Reading(r.voter, (r.dataset,), self._cell_text(fit[r.dataset].cells[n].text, r.lines)) for r in voting]
        label = Text(cell.text, words(cell.text, self.script))
        # Detectors pass over single signs, so an empty reading of a cell says nothing.
        readings = [reading for reading in readings if reading.text.words or not label.words]
        voters = {reading.voter for reading in readings if reading.text.words}
        if not readings or (not label.words and len(voters) < 2):
            return Decided(cell.text, KEPT, "another_agrees", self.own.voter)
        return Voting(
            self.ink, self.script, label, self.own.voter, (self.own.dataset,), readings, is_cell=True, alone=self.alone
        ).decided()

    def _cell_text(self, text: str, lines: Sequence[Line]) -> Text:
        """A cell's text, with its line if exactly one line has the same text."""
        normalised = about(text, self.script)
        same = [line for line in lines if normalised and about(line.text, self.script) == normalised]
        return of_lines(same, self.script) if len(same) == 1 else Text(text, words(text, self.script))

    def _votes(self, fit: dict[str, Table], table: Table | None = None) -> tuple[Vote, ...]:
        votes = [Vote(self.own.voter, (self.own.dataset,), self.own.html, FOR, 0.0)]
        for reading in self.readings:
            laid = fit.get(reading.dataset)
            text = reading.html or (cells.to_html(laid) if laid else "\n".join(line.text for line in reading.lines))
            vote, distance = ABSTAINS, 1.0
            if laid is not None and table is not None:
                same = _shape(laid) == _shape(table) and all(
                    about(a.text, self.script) == about(b.text, self.script) for a, b in zip(table.cells, laid.cells, strict=True)
                )
                vote = FOR if same else AGAINST
                distance = 0.0 if same else round(1.0 - _alike(table, laid), 3)
            votes.append(Vote(reading.voter, (reading.dataset,), text, vote, distance))
        return tuple(votes)


def _shape(table: Table) -> list[tuple[int, int, int, int]]:
    return [(cell.row, cell.column, cell.rows, cell.columns) for cell in table.cells]


def _alike(one: Table, other: Table) -> float:
    """TEDS; for large tables, the share of neighbouring cells that both tables have."""
    if max(len(one.cells), len(other.cells)) > _MOST_CELLS:
        return cells.agreement(one, other)
    a, b = (normalised(cells.to_html(table)) for table in (one, other))
    return score(a, b).teds if a and b else 0.0
