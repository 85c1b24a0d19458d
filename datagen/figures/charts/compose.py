"""Charts put together: which numbers, under which words, on which kind of chart."""

import random
from dataclasses import replace

from datagen.figures.charts import chart_data
from datagen.figures.charts.chart_data import FIVE, Chart, Series
from datagen.figures.charts.numbers import NumberFormat
from datagen.figures.charts.words import Category, Words, names_axis, time_axis

_MAX_LONG = 18
_TITLED = 0.8
_MAX_TITLE = 60


def compose(draw: random.Random, kind: str, words: Words) -> Chart:
    """A chart of the kind in the language of the words. The same random numbers and words give the same chart."""
    numbers = words.numbers(draw)
    match kind:
        case "pie" | "donut":
            chart = _shares(draw, words, numbers)
        case "scatter":
            chart = _scatter(draw, words, numbers)
        case "box":
            chart = _boxes(draw, words, numbers)
        case "heat_map":
            chart = _heat_map(draw, words, numbers)
        case "composite":
            chart = _composite(draw, words, numbers)
        case "radar":
            chart = _radar(draw, words, numbers)
        case _:
            chart = _series(draw, kind, words, numbers)
    title = _title(draw, words, numbers, chart) if draw.random() < _TITLED else ""
    return replace(chart, kind=kind, title=title)


def _title(draw: random.Random, words: Words, numbers: NumberFormat, chart: Chart) -> str:
    """A line of the words' own; else a place, what is measured, and years."""
    if words.lines and draw.random() < 0.75:
        return draw.choice(words.lines)
    used = {*chart.categories, *(series.name for series in chart.series)}
    place = draw.choice([name for name in (*words.countries, *words.cities) if name not in used])
    unit = next((name for name in chart.y_names if name), "") or draw.choice(words.units)
    first = draw.randint(1960, 2015)
    year, later = (words.year(number, numbers) for number in (first, first + draw.randint(2, 10)))
    forms = [f"{place}: {unit}", f"{place}, {year}", f"{place}, {year}–{later}", f"{unit}, {year}", f"{place} – {unit} ({year})"]
    fitting = [form for form in forms if len(form) <= _MAX_TITLE]
    return draw.choice(fitting) if fitting else place


def _unit(draw: random.Random, words: Words, share: float = 0.75) -> str:
    return draw.choice(words.units) if draw.random() < share else ""


def _in_thousands(draw: random.Random, words: Words, numbers: NumberFormat, largest: float) -> NumberFormat:
    """At times, the numbers as 12K; or with a percent sign, where they are of that size."""
    divisor, suffix = words.thousands(largest)
    if suffix and draw.random() < 0.35:
        return replace(numbers, divisor=divisor, suffix=suffix)
    if 5 < largest <= 100 and draw.random() < 0.15:
        return percentages(words, numbers)
    return numbers


def percentages(words: Words, numbers: NumberFormat) -> NumberFormat:
    before, after = words.percent(numbers)
    return replace(numbers, prefix=before, suffix=after, divisor=1.0)


def _names(draw: random.Random, words: Words, num: int, but: tuple[str, ...]) -> list[str]:
    """Names of series: countries and their like, or years."""
    if num == 1:
        return ["" if draw.random() < 0.75 else names_axis(words, draw, 1, _MAX_LONG, but).names[0]]
    if draw.random() < 0.35:
        gap, numbers = draw.choice((1, 1, 5, 10)), words.numbers(draw)
        first = draw.randint(1960, 2025 - gap * num)
        years = [words.year(first + gap * k, numbers) for k in range(num)]
        if not {*years} & {*but}:
            return years
    return [*names_axis(words, draw, num, _MAX_LONG, but).names]


def _rounded(values: list[float], decimals: int) -> list[float | None]:
    return [round(value, decimals) for value in values]


def _series(draw: random.Random, kind: str, words: Words, numbers: NumberFormat) -> Chart:
    """Lines, areas and all kinds of bars."""
    is_over_time = draw.random() < (0.9 if kind in ("line", "area") else 0.4)
    if is_over_time:
        axis = time_axis(words, draw, numbers)
        if kind == "horizontal" or (kind == "grouped" and len(axis.names) > 8):
            axis = replace(axis, names=axis.names[:8])
    else:
        axis = names_axis(words, draw, draw.randint(3, 12 if kind == "horizontal" else 9))
    num = len(axis.names)
    many = {"stacked": (2, 5), "grouped": (2, 4), "bar": (1, 1), "area": (1, 3), "line": (1, 5), "horizontal": (1, 3)}[kind]
    num_series = draw.randint(*many)
    level = chart_data.magnitude(draw)
    if kind == "stacked" and draw.random() < 0.3:
        return _whole(draw, words, numbers, axis, num_series)
    columns = []
    for _ in range(num_series):
        near = level * draw.uniform(0.5, 1.6)
        values = chart_data.over_time(draw, num, near, axis.period) if axis.is_time else chart_data.sizes(draw, num, near)
        columns.append(values)
    if num_series == 1 and not axis.is_time and draw.random() < 0.4:
        columns[0].sort(reverse=True)
    if kind in ("line", "bar", "grouped", "horizontal") and draw.random() < 0.12:
        shift = level * draw.uniform(0.4, 1.0)  # profits and losses, degrees
        columns = [[value - shift for value in column] for column in columns]
    largest = max(abs(value) for column in columns for value in column)
    decimals = chart_data.decimals_for(draw, largest)
    made: list[list[float | None]] = [_rounded(column, decimals) for column in columns]
    if kind in ("line", "bar", "grouped") and num >= 5 and draw.random() < 0.15:
        gappy = draw.randrange(num_series)
        made[gappy] = chart_data.with_gaps(draw, [value or 0.0 for value in made[gappy]], draw.randint(1, 2))
    names = _names(draw, words, num_series, axis.names)
    series = tuple(Series(name, tuple(column)) for name, column in zip(names, made, strict=False))
    unit = _unit(draw, words)
    numbers = _in_thousands(draw, words, numbers, largest)
    return Chart(kind, "", axis.title, (unit,), axis.names, series, numbers, decimals)


def _whole(draw: random.Random, words: Words, numbers: NumberFormat, axis: Category, num_series: int) -> Chart:
    """Bars that all reach 100%."""
    decimals = draw.choice((0, 0, 1))
    rows = [chart_data.shares(draw, num_series, decimals, 4.0) for _ in axis.names]
    names = _names(draw, words, num_series, axis.names)
    series = tuple(Series(name, column) for name, column in zip(names, zip(*rows, strict=True), strict=False))
    return Chart("", "", "", ("",), axis.names, series, percentages(words, numbers), decimals, is_whole=True)


def _shares(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    axis = names_axis(words, draw, draw.randint(3, 7))
    decimals = draw.choice((0, 0, 1, 1, 2))
    column = chart_data.shares(draw, len(axis.names), decimals)
    if draw.random() < 0.5:
        column.sort(reverse=True)
    return Chart(
        "", "", "", ("",), axis.names, (Series("", tuple(column)),), percentages(words, numbers), decimals, is_whole=True
    )


def _scatter(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    num_series = draw.choice((1, 1, 2, 3))
    scales = [chart_data.magnitude(draw) for _ in range(2)]
    starts = [draw.choice((0.0, scale * draw.uniform(0.5, 4))) for scale in scales]
    decimals = [max(0, chart_data.decimals_for(draw, start + scale)) for start, scale in zip(starts, scales, strict=True)]
    points = chart_data.cloud(draw, draw.randint(6, 24), 0.05)
    names = _names(draw, words, num_series, ()) if num_series > 1 else [""]
    num_series = len(names)
    series = []
    whose = [draw.randrange(num_series) for _ in points]
    for number, name in enumerate(names):
        own = [point for point, owner in zip(points, whose, strict=True) if owner == number]
        if own:
            xs = tuple(round(starts[0] + scales[0] * x, decimals[0]) for x, _ in own)
            series.append(Series(name, tuple(round(starts[1] + scales[1] * y, decimals[1]) for _, y in own), xs))
    x_name, y_name = draw.sample(words.units, 2)
    return Chart("", "", x_name, (y_name,), (), tuple(series), numbers, decimals[1], x_numbers=numbers, x_decimals=decimals[0])


def _boxes(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    axis = time_axis(words, draw, numbers) if draw.random() < 0.3 else names_axis(words, draw, draw.randint(2, 8), _MAX_LONG)
    names = axis.names[:9]
    level = chart_data.magnitude(draw)
    spread = level * draw.uniform(0.08, 0.25)
    rows = [chart_data.box_of(draw, level * draw.uniform(0.7, 1.3), spread) for _ in names]
    largest = max(abs(value) for row in rows for value in row)
    decimals = chart_data.decimals_for(draw, largest)
    columns = zip(*rows, strict=True)
    series = tuple(Series(name, tuple(_rounded([*column], decimals))) for name, column in zip(FIVE, columns, strict=True))
    return Chart("", "", "", (_unit(draw, words),), names, series, _in_thousands(draw, words, numbers, largest), decimals)


def _heat_map(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    if draw.random() < 0.25:
        names = names_axis(words, draw, draw.randint(3, 7), 12).names
        matrix = chart_data.correlations(draw, len(names))
        decimals, unit, columns = 2, "", names
    else:
        columns = draw.choice((words.months(True), words.days(True), time_axis(words, draw, numbers).names[:12]))
        names = names_axis(words, draw, draw.randint(3, 9), _MAX_LONG, columns).names
        level = chart_data.magnitude(draw)
        matrix = chart_data.surface(draw, len(names), len(columns), level)
        decimals, unit = chart_data.decimals_for(draw, level), _unit(draw, words)
    series = tuple(Series(name, tuple(round(row[place], decimals) for row in matrix)) for place, name in enumerate(columns))
    return Chart("", "", "", (unit,), names, series, numbers, decimals)


def _composite(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    """Bars, and a line on an axis of its own or on the same."""
    axis = time_axis(words, draw, numbers)
    names = axis.names[:12]
    level = chart_data.magnitude(draw)
    has_two = draw.random() < 0.7
    first = chart_data.over_time(draw, len(names), level, axis.period)
    other = chart_data.over_time(draw, len(names), chart_data.magnitude(draw) if has_two else level, axis.period)
    units = draw.sample(words.units, 2)
    labels = units if has_two else [*names_axis(words, draw, 2, _MAX_LONG, names).names]
    decimals = chart_data.decimals_for(draw, max(first))
    other_decimals = chart_data.decimals_for(draw, max(other)) if has_two else decimals
    series = (
        Series(labels[0], tuple(_rounded(first, decimals))),
        Series(labels[1], tuple(_rounded(other, other_decimals)), axis=int(has_two)),
    )
    y_names = ("", "") if has_two else (units[0],)
    return Chart("", "", "", y_names, names, series, numbers, decimals)  # those of the bars, at which numbers are printed


def _radar(draw: random.Random, words: Words, numbers: NumberFormat) -> Chart:
    names = names_axis(words, draw, draw.randint(4, 9), _MAX_LONG).names
    level = draw.choice((10.0, 100.0, 5.0, chart_data.magnitude(draw)))
    num_series = draw.choice((1, 2, 2, 3))
    decimals = chart_data.decimals_for(draw, level)
    columns = [[level * draw.uniform(0.25, 1.0) for _ in names] for _ in range(num_series)]
    series = tuple(
        Series(name, tuple(_rounded(column, decimals)))
        for name, column in zip(_names(draw, words, num_series, names), columns, strict=False)
    )
    return Chart("", "", "", ("",), names, series, numbers, decimals)
