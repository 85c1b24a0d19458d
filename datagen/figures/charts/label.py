"""The label of a chart: an HTML table of what the picture shows, to read and to be taught from.

The rule, for each value:

- Where its number is printed, the label has what is printed, to the letter.
- Else, where its axis has numbers, it is rounded to what can be read off: to a multiple of 1, 2 or 5 times a power of ten, which
  is at least a tenth of the distance of two ticks and at least two pixels (`numbers.reading_step`). It is right within half of
  that. A piece of a stack is the difference of two readings, so its step is twice as large. The colour of a heat map's cell is
  read to a quarter of the distance of two ticks of its colour bar, or a twentieth of the bar, whichever is larger. A slice of a
  pie without numbers is read by its angle to whole percents, and a radar's spoke by its rings as any axis.
- Where there is neither, or no value, the cell is empty.

Numbers are written as the chart writes them: its digits, marks, percent signs and thousands.

    title, over all columns                       if the chart has one
    x name | y name, over the series              if there are series with names, and a y name
    x name | series …   or   x name | y name      as it has them
    category | value | value …

A scatter chart has a row for each point, by series and then by x: name (if it has any), x, y. A box chart has the columns min,
Q1, median, Q3 and max. A heat map has its own rows and columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.numbers import NumberFormat, nice
from datagen.tables.cells import Cell, Table

WHOLE_PERCENT = 1.0
"""The step of a slice of a pie that is read by its angle."""
STACKED = 2.0
"""What the step of an axis is times for a difference of two readings."""


@dataclass(frozen=True)
class Shown:
    """What a picture shows of a chart's values. `printed` are the texts of values that are printed, by (series, category);
    `steps` how well the others can be read, by series, None for not at all. `x_step` is that of a scatter's other axis."""

    steps: tuple[float | None, ...]
    printed: Mapping[tuple[int, int], str] = field(default_factory=dict)
    x_step: float | None = None


def colour_step(distance: float, span: float) -> float:
    """How well a number can be read off a colour bar over `span` with ticks `distance` apart."""
    return nice(max(distance / 4, span / 20))


def table(chart: Chart, shown: Shown) -> Table:
    """The table of a chart as far as the picture shows it. `datagen.tables.cells.to_html` writes it."""
    return _points(chart, shown) if chart.kind == "scatter" else _values(chart, shown)


def value_text(chart: Chart, shown: Shown, series: int, category: int) -> str:
    value = chart.series[series].values[category]
    if value is None:
        return ""
    return shown.printed.get((series, category)) or _read(chart.numbers, value, shown.steps[series])


def _read(numbers: NumberFormat, value: float, step: float | None) -> str:
    return "" if step is None else numbers.rounded(value, step)


def _values(chart: Chart, shown: Shown) -> Table:
    num_series = len(chart.series)
    cells, row = _titled(chart, num_series + 1)
    y_name = chart.y_names[0] if chart.y_names else ""
    if not chart.has_names and chart.kind != "box":
        if chart.x_name or y_name:
            cells += [Cell(row, 0, chart.x_name, is_header=True), Cell(row, 1, y_name, is_header=True)]
            row += 1
    else:
        has_two = bool(y_name)
        cells.append(Cell(row, 0, chart.x_name, rows=1 + has_two, is_header=True))
        if has_two:
            cells.append(Cell(row, 1, y_name, columns=num_series, is_header=True))
            row += 1
        cells += [Cell(row, 1 + place, series.name, is_header=True) for place, series in enumerate(chart.series)]
        row += 1
    for category, name in enumerate(chart.categories):
        cells.append(Cell(row, 0, name))
        cells += [Cell(row, 1 + place, value_text(chart, shown, place, category)) for place in range(num_series)]
        row += 1
    return Table(tuple(cells))


def _points(chart: Chart, shown: Shown) -> Table:
    shift = int(chart.has_names)
    cells, row = _titled(chart, shift + 2)
    heads = [""] * shift + [chart.x_name or "x", chart.y_names[0] or "y"]
    cells += [Cell(row, place, head, is_header=True) for place, head in enumerate(heads)]
    for number, series in enumerate(chart.series):
        for x, y in sorted(zip(series.xs, series.present, strict=True)):
            row += 1
            texts = [_read(chart.x_numbers, x, shown.x_step), _read(chart.numbers, y, shown.steps[number])]
            cells += [Cell(row, place, text) for place, text in enumerate([series.name] * shift + texts)]
    return Table(tuple(cells))


def _titled(chart: Chart, num_columns: int) -> tuple[list[Cell], int]:
    return ([Cell(0, 0, chart.title, columns=num_columns, is_header=True)], 1) if chart.title else ([], 0)
