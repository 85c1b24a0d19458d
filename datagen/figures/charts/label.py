"""The label of a chart: an HTML table of what the picture shows, to read and to be taught from.

The rule, for each value:

- Where its number is printed, the label has what is printed, to the letter.
- Else it has what the mark shows: a multiple of 1, 2 or 5 times a power of ten that is a pixel at most (`numbers.Ruler`), or the
  chart's own number where that has fewer decimals. So each value is within half a pixel of its mark. The pixels are those of the
  axis of values; of a pie its rim, of a radar its spokes, of a heat map its colour bar, of which 256 colours are told apart.
- No value, no text. A chart whose numbers aren't all printed always has an axis of numbers: no table is without values.

A bar of error is written behind its value, as in 12.4 ± 0.3. Numbers are written as the chart writes them: its digits, marks,
percent signs and thousands. Names stand in the label where the picture has them, and only there.

    title, over all columns                       if the chart has one
    x name | y name, over the series              if there are series with names, and a y name
    x name | series …   or   x name | y name      as it has them
    category | value | value …

A scatter chart has a row for each point, by series and then by x: name (if it has any), x, y. A box chart has the columns min,
Q1, median, Q3 and max. A heat map has its own rows and columns. A histogram has a row for each bin, from its edge to the next.
Where an axis of time writes some of its names, the label has all: the ticks count them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.numbers import Ruler
from datagen.tables.cells import Cell, Table

COLOURS = 256
"""How many colours of a colour bar are told apart, at most: those of a channel of the picture, and of matplotlib's maps."""


@dataclass(frozen=True)
class Shown:
    """What a picture shows of a chart. `printed` are the texts of values that are printed, by (series, category); `rulers` are
    what the others are read by, by series, None where all are printed. `x_ruler` is that of a scatter's other axis. The names are
    those of the axes, "" for one that isn't written."""

    rulers: tuple[Ruler | None, ...]
    printed: Mapping[tuple[int, int], str] = field(default_factory=dict)
    x_ruler: Ruler | None = None
    x_name: str = ""
    y_name: str = ""


def table(chart: Chart, shown: Shown) -> Table:
    """The table of a chart as far as the picture shows it. `datagen.tables.cells.to_html` writes it."""
    return _points(chart, shown) if chart.kind == "scatter" else _values(chart, shown)


def value_text(chart: Chart, shown: Shown, series: int, category: int) -> str:
    """The text of a value, "" for none. Raises `ValueError` for one that the picture doesn't show."""
    value, ruler = chart.series[series].values[category], shown.rulers[series]
    if value is None:
        return ""
    if text := shown.printed.get((series, category)):
        return text
    if ruler is None:
        raise ValueError(f"{chart.kind}: {value} is neither printed nor on an axis with numbers")
    if errors := chart.series[series].errors:
        # Half a pixel, since a bar of error ends at the value and the error, each of which is rounded.
        return f"{ruler.text(chart.numbers, value)} ± {chart.numbers.rounded(errors[category], ruler.step(value, 0.5))}"
    return ruler.text(chart.numbers, value)


def _values(chart: Chart, shown: Shown) -> Table:
    num_series = len(chart.series)
    cells, row = _titled(chart, num_series + 1)
    if not chart.has_names and chart.kind != "box":
        if shown.x_name or shown.y_name:
            cells += [Cell(row, 0, shown.x_name, is_header=True), Cell(row, 1, shown.y_name, is_header=True)]
            row += 1
    else:
        has_two = bool(shown.y_name)
        cells.append(Cell(row, 0, shown.x_name, rows=1 + has_two, is_header=True))
        if has_two:
            cells.append(Cell(row, 1, shown.y_name, columns=num_series, is_header=True))
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
    if shown.x_name or shown.y_name:
        heads = [""] * shift + [shown.x_name, shown.y_name]
        cells += [Cell(row, place, head, is_header=True) for place, head in enumerate(heads)]
        row += 1
    assert shown.x_ruler is not None
    for number, series in enumerate(chart.series):
        ruler = shown.rulers[number]
        assert ruler is not None
        for x, y in sorted(zip(series.xs, series.present, strict=True)):
            texts = [series.name] * shift + [shown.x_ruler.text(chart.x_numbers, x), ruler.text(chart.numbers, y)]
            cells += [Cell(row, place, text) for place, text in enumerate(texts)]
            row += 1
    return Table(tuple(cells))


def _titled(chart: Chart, num_columns: int) -> tuple[list[Cell], int]:
    return ([Cell(0, 0, chart.title, columns=num_columns, is_header=True)], 1) if chart.title else ([], 0)
