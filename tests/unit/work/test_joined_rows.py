"""Slices of what tables' rows are joined with."""

from datagen.inputs.items import Item
from datagen.record import Range
from datagen.work.joined_rows import WHOLE, JoinedRow, JoinedTable, extents


def test_an_item_has_the_rows_of_its_range_and_what_is_said_of_the_whole_table():
    rows = [JoinedRow("a", number, f"{number}.jpg", b"x") for number in range(25_000) if number % 5]
    rows += [JoinedRow("b", WHOLE, detail="key"), JoinedRow("b", 3, reason="no_image")]
    table = JoinedTable(rows)
    assert list(table.slice(Item("a", first=12_496, stop=12_504))) == [row for row in rows if 12_496 <= row.number < 12_504]
    assert list(table.slice(Item("a", first=24_999))) == [rows[19_999]]
    assert list(table.slice(Item("a"))) == rows[:20_000]
    assert list(table.slice(Item("b", stop=9))) == rows[20_000:]
    assert list(table.slice(Item("c"))) == []


def test_an_extent_holds_all_ranges_of_a_container():
    items = [Item("a", first=5, stop=9), Item("a", first=2, stop=3), Item("b", stop=4), Item("b", first=7)]
    assert extents(items) == {"a": Range(2, 9), "b": Range(0, -1)}
