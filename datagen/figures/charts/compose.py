"""Charts put together: which numbers of which topic, under which words, on which kind of chart."""

import random
from dataclasses import dataclass, replace
from itertools import pairwise

from datagen.figures.charts import chart_data
from datagen.figures.charts.chart_data import FIVE, Chart, Course, Series
from datagen.figures.charts.numbers import NumberFormat, decimals_of
from datagen.figures.charts.topics import CLOUDS, MEASURED, MONEY, PAIRS, TOPICS, WIDE_CLOUDS, Topic, some_topic, topic
from datagen.figures.charts.words import Category, Words, date_axis, names_axis, time_axis

_MAX_LONG = 18
_TITLED = 0.8
_MAX_TITLE = 60
_LOGARITHMIC, _WITH_ERRORS, _DATED = 0.12, 0.3, 0.25


@dataclass(frozen=True)
class _Maker:
    """What the charts of one drawing are made with: random numbers, words, and how numbers are written."""

    draw: random.Random
    words: Words
    numbers: NumberFormat

    def unit(self, about: Topic) -> str:
        key = self.draw.choice(about.units) if about.units else ""
        return self.words.money(self.draw) if key == MONEY else self.words.unit(key) if key else ""

    def named(self, about: Topic, unit: str) -> str:
        """A quantity with its unit."""
        noun = self.words.noun(about.name)
        return f"{noun} ({unit})" if unit else noun

    def axis_name(self, about: Topic, unit: str) -> str:
        """What an axis of values is called, if it is."""
        forms = (unit or self.words.noun(about.name), self.named(about, unit), self.words.noun(about.name), "")
        return self.draw.choices(forms, (3, 3, 1, 2))[0]

    def title(self, chart: Chart, about: Topic, unit: str, by: str = "", when: str = "", place: str = "") -> Chart:
        """The chart under a title that names the quantity, what it is by, where and when; at times none, if the axis says it."""
        draw, noun = self.draw, self.words.noun(about.name)
        if draw.random() > _TITLED and noun in "".join(chart.y_names):
            return chart
        forms = [self.words.divided(noun, by) if by else noun, self.named(about, unit), noun]
        first = draw.choices(forms, (3, 1, 2))[0]
        if place:
            first = draw.choice((f"{place}: {first}", f"{first}, {place}", f"{first} – {place}"))
        if when and draw.random() < 0.6:
            first = draw.choice((f"{first}, {when}", f"{first} ({when})")) if "(" not in first else f"{first}, {when}"
        return replace(chart, title=first if len(first) <= _MAX_TITLE else noun)

    def series_names(self, num: int, but: tuple[str, ...], about: Topic, is_time: bool) -> list[str]:
        """Names of series: years where the axis has places, else places or languages."""
        draw, words = self.draw, self.words
        if num == 1:
            return [""]
        if not is_time and about.is_timed:
            gap = draw.choice((1, 1, 5, 10))
            first = draw.randint(1960, 2025 - gap * num)
            return [words.year(first + gap * k, self.numbers) for k in range(num)]
        return [*names_axis(words, draw, num, _MAX_LONG, but, about.divisions).names]

    def place(self, about: Topic, but: tuple[str, ...] = ()) -> str:
        """Somewhere that a chart is about, most of the time."""
        if self.draw.random() < 0.35 or about.divisions == ("language",):
            return ""
        return next(iter(names_axis(self.words, self.draw, 1, _MAX_LONG, but, about.divisions).names), "")

    def years(self) -> str:
        first = self.draw.randint(1960, 2024)
        return self.words.year(first, self.numbers)

    def decimals(self, about: Topic, largest: float) -> int:
        return 0 if about.is_count else chart_data.decimals_for(self.draw, largest)

    def in_thousands(self, largest: float) -> NumberFormat:
        """At times, the numbers as 12K."""
        divisor, suffix = self.words.thousands(largest)
        if suffix and self.draw.random() < 0.35:
            return replace(self.numbers, divisor=divisor, suffix=suffix)
        return self.numbers

    def percentages(self) -> NumberFormat:
        before, after = self.words.percent(self.numbers)
        return replace(self.numbers, prefix=before, suffix=after, divisor=1.0)


def compose(draw: random.Random, kind: str, words: Words) -> Chart:
    """A chart of the kind in the language of the words. The same random numbers and words give the same chart."""
    maker = _Maker(draw, words, words.numbers(draw))
    match kind:
        case "pie" | "donut":
            chart = _shares(maker)
        case "scatter":
            chart = _scatter(maker)
        case "box":
            chart = _boxes(maker)
        case "heat_map":
            chart = _heat_map(maker)
        case "composite":
            chart = _composite(maker)
        case "radar":
            chart = _radar(maker)
        case "histogram":
            chart = _histogram(maker)
        case _:
            chart = _series(maker, kind)
    return replace(chart, kind=kind)


def _rounded(values: list[float], decimals: int) -> list[float | None]:
    return [round(value, decimals) for value in values]


def _series(maker: _Maker, kind: str) -> Chart:
    """Lines, areas and all kinds of bars."""
    draw, words = maker.draw, maker.words
    is_over_time = draw.random() < (0.9 if kind in ("line", "area") else 0.4)
    about = some_topic(draw, is_over_time or kind in ("stacked", "grouped"), is_sum=kind in ("stacked", "area"))
    if is_over_time:
        is_dated = kind in ("line", "area", "bar") and draw.random() < _DATED
        axis = (date_axis if is_dated else time_axis)(words, draw, maker.numbers, about.is_yearly)
        if kind == "horizontal" or (kind == "grouped" and len(axis.names) > 8):
            axis = replace(axis, names=axis.names[:8])
    else:
        num = draw.randint(3, 12 if kind == "horizontal" else 9)
        axis = replace(names_axis(words, draw, num, divisions=about.divisions), when=maker.years() if about.is_timed else "")
    num = len(axis.names)
    many = {"stacked": (2, 5), "grouped": (2, 4), "bar": (1, 1), "area": (1, 3), "line": (1, 5), "horizontal": (1, 3)}[kind]
    num_series = draw.randint(*many) if about.is_timed or axis.is_time else 1
    if kind == "stacked" and draw.random() < 0.3:
        return _whole(maker, axis, num_series, about)
    level, is_log = (
        about.level(draw),
        kind == "line" and axis.is_time and about.spread >= 0.6 and num_series > 1 and draw.random() < 2 * _LOGARITHMIC,
    )
    course = Course.of(draw, about, axis.period, axis.steps_a_year)
    columns: list[list[float]] = []
    for number in range(num_series):
        near = level * 10 ** (draw.uniform(-1, 0) - 0.8 * number) if is_log else about.level_near(draw, level)
        if axis.is_time:
            values = chart_data.over_time(draw, about, course, num, near)
        elif columns:
            values = chart_data.later(draw, about, columns[-1])
        else:
            values = chart_data.sizes(draw, about, num, near)
        columns.append(values)
    if num_series == 1 and not axis.is_time and draw.random() < 0.5:
        columns[0].sort(reverse=True)
    largest = max(abs(value) for column in columns for value in column)
    decimals = maker.decimals(about, largest)
    if is_log:
        decimals = max(decimals, chart_data.decimals_for(draw, min(value for column in columns for value in column)))
    made = [_rounded(column, decimals) for column in columns]
    errors = _errors(maker, kind, about, axis, columns, decimals)
    if kind in ("line", "bar", "grouped") and num >= 5 and not errors and draw.random() < 0.15:
        gappy = draw.randrange(num_series)
        made[gappy] = chart_data.with_gaps(draw, [value or 0.0 for value in made[gappy]], draw.randint(1, 2))
    names = maker.series_names(num_series, axis.names, about, axis.is_time)
    series = tuple(
        Series(name, tuple(column), errors=errors[number] if errors else ())
        for number, (name, column) in enumerate(zip(names, made, strict=False))
    )
    numbers, unit = maker.numbers if is_log else maker.in_thousands(largest), maker.unit(about)
    y_names = (maker.axis_name(about, unit),)
    chart = Chart(kind, "", "", y_names, axis.names, series, numbers, decimals, is_log=is_log, every=axis.every)
    has_years = not axis.is_time and num_series > 1 and names[0].isdigit()
    place = maker.place(about, axis.names) if num_series == 1 and axis.is_time else ""
    return maker.title(chart, about, unit, axis.division, "" if has_years else axis.when, place)


def _errors(
    maker: _Maker, kind: str, about: Topic, axis: Category, columns: list[list[float]], decimals: int
) -> list[tuple[float, ...]]:
    """Half the lengths of bars of error, for some charts of what is measured."""
    draw = maker.draw
    if kind not in ("bar", "grouped", "line") or about.name not in MEASURED or axis.every > 1 or draw.random() > 2 * _WITH_ERRORS:
        return []
    width = draw.uniform(0.05, 0.13) * max(abs(value) for column in columns for value in column)
    return [tuple(max(10**-decimals, round(width * draw.uniform(0.5, 1.4), decimals)) for _ in column) for column in columns]


def _whole(maker: _Maker, axis: Category, num_series: int, about: Topic) -> Chart:
    """Bars that all reach 100%."""
    draw = maker.draw
    decimals = draw.choice((0, 0, 1))
    rows = chart_data.shares_over_time(draw, len(axis.names), num_series, decimals, 0.12 if axis.is_time else 0.5)
    names = maker.series_names(num_series, axis.names, about, axis.is_time)
    series = tuple(Series(name, column) for name, column in zip(names, zip(*rows, strict=True), strict=False))
    chart = Chart("", "", "", ("",), axis.names, series, maker.percentages(), decimals, is_whole=True)
    return maker.title(chart, about, "%", axis.division, axis.when)


def _shares(maker: _Maker) -> Chart:
    draw = maker.draw
    about = some_topic(draw, False, is_sum=True)
    axis = names_axis(maker.words, draw, draw.randint(3, 7), divisions=about.divisions)
    decimals = draw.choice((0, 0, 1, 1, 2))
    column = chart_data.shares(draw, len(axis.names), decimals)
    if draw.random() < 0.5:
        column.sort(reverse=True)
    series = (Series("", tuple(column)),)
    chart = Chart("", "", "", ("",), axis.names, series, maker.percentages(), decimals, is_whole=True)
    return maker.title(chart, about, "%", axis.division, maker.years() if about.is_timed else "")


def _scatter(maker: _Maker) -> Chart:
    draw = maker.draw
    is_log = draw.random() < 2 * _LOGARITHMIC
    pair = [topic(name) for name in draw.choice(WIDE_CLOUDS if is_log else CLOUDS)]
    num_series = draw.choice((1, 1, 2, 3))
    points = chart_data.cloud(draw, draw.randint(6, 24), 0.05)
    ranges, decimals = [], []
    for about in pair:
        if is_log:
            ends = (about.least / 3, about.most)
        elif about.least < 0 or about.most < 4 * about.least:
            ends = (about.least - 0.1 * (about.most - about.least), about.most + 0.3 * (about.most - about.least))
        else:
            level = about.level(draw)
            ends = (draw.choice((0.1, 0.5)) * level, level * draw.uniform(1.5, 3))
        ranges.append(ends)
        decimals.append(maker.decimals(about, ends[0] if is_log else ends[1]))

    def at(share: float, side: int) -> float:
        low, high = ranges[side]
        return round(low * (high / low) ** share if is_log else low + (high - low) * share, decimals[side])

    names = maker.series_names(num_series, (), pair[0], True) if num_series > 1 else [""]
    whose = [draw.randrange(len(names)) for _ in points]
    series = []
    for number, name in enumerate(names):
        own = [point for point, owner in zip(points, whose, strict=True) if owner == number]
        if own:
            series.append(Series(name, tuple(at(y, 1) for _, y in own), tuple(at(x, 0) for x, _ in own)))
    x_name, y_name = (maker.named(about, maker.unit(about)) for about in pair)
    chart = Chart(
        *("", "", x_name, (y_name,), (), tuple(series), maker.numbers, decimals[1]),
        x_numbers=maker.numbers,
        x_decimals=decimals[0],
        is_log=is_log,
    )
    nouns = [maker.words.noun(about.name) for about in pair]
    if draw.random() < 0.6:
        return replace(chart, title=draw.choice((f"{nouns[1]} – {nouns[0]}", f"{nouns[0]} / {nouns[1]}")))
    return chart


def _boxes(maker: _Maker) -> Chart:
    draw = maker.draw
    is_timed = draw.random() < 0.3
    about = some_topic(draw, is_timed, names=MEASURED)
    axis = (
        time_axis(maker.words, draw, maker.numbers, about.is_yearly)
        if is_timed
        else names_axis(maker.words, draw, draw.randint(2, 8), _MAX_LONG, divisions=about.divisions)
    )
    names = axis.names[:9]
    level = about.level(draw)
    spread = draw.uniform(1, 4) if about.least < 0 else level * draw.uniform(0.3, 0.7) * min(0.35, about.spread)
    rows = [chart_data.box_of(draw, about.level_near(draw, level), spread) for _ in names]
    least = min(row[0] for row in rows)
    if about.least >= 0 > least:
        rows = [[value - 1.05 * least for value in row] for row in rows]
    largest = max(abs(value) for row in rows for value in row)
    decimals = max(chart_data.decimals_for(draw, largest), chart_data.decimals_for(draw, spread))  # which keep the five apart
    columns = zip(*rows, strict=True)
    series = tuple(Series(name, tuple(_rounded([*column], decimals))) for name, column in zip(FIVE, columns, strict=True))
    unit = maker.unit(about)
    chart = Chart("", "", "", (maker.axis_name(about, unit),), names, series, maker.in_thousands(largest), decimals)
    return maker.title(chart, about, unit, axis.division, axis.when)


def _heat_map(maker: _Maker) -> Chart:
    draw, words = maker.draw, maker.words
    if draw.random() < 0.2:
        names = tuple(words.noun(one.name) for one in draw.sample(TOPICS, draw.randint(3, 7)))
        matrix = chart_data.correlations(draw, len(names))
        series = tuple(Series(name, tuple(round(row[k], 2) for row in matrix)) for k, name in enumerate(names))
        return Chart("", "", "", ("",), names, series, maker.numbers, 2)
    about = some_topic(draw, True, names=[one.name for one in TOPICS if one.least >= 0])
    in_time = time_axis(words, draw, maker.numbers, about.is_yearly)
    axis = (
        in_time if about.is_yearly else draw.choice((Category(words.months(True), "month"), Category(words.days(True)), in_time))
    )
    columns = axis.names[:12]
    rows = names_axis(words, draw, draw.randint(3, 9), _MAX_LONG, columns, about.divisions)
    level = about.level(draw)
    matrix = chart_data.surface(draw, len(rows.names), len(columns), level)
    decimals, unit = maker.decimals(about, level), maker.unit(about)
    series = tuple(Series(name, tuple(round(row[place], decimals) for row in matrix)) for place, name in enumerate(columns))
    chart = Chart("", "", "", (maker.axis_name(about, unit),), rows.names, series, maker.numbers, decimals)
    return maker.title(chart, about, unit, draw.choice((rows.division, axis.division)), axis.when)


def _composite(maker: _Maker) -> Chart:
    """Bars, and a line on an axis of its own or on the same."""
    draw = maker.draw
    has_two = draw.random() < 0.7
    pair = [topic(name) for name in draw.choice(PAIRS)] if has_two else [some_topic(draw, True)] * 2
    if pair[0].least < 0:
        pair = [topic("rainfall")] * 2
    axis = time_axis(maker.words, draw, maker.numbers, any(about.is_yearly for about in pair))
    names = axis.names[:12]
    levels = [pair[0].level(draw)]
    levels.append(pair[1].level(draw) if has_two else pair[1].level_near(draw, levels[0]))
    courses = [Course.of(draw, about, axis.period, axis.steps_a_year) for about in pair]
    values = [
        chart_data.over_time(draw, about, course, len(names), level)
        for about, course, level in zip(pair, courses, levels, strict=True)
    ]
    decimals = [maker.decimals(about, max(map(abs, own))) for about, own in zip(pair, values, strict=True)]
    units = [maker.unit(about) for about in pair]
    y_names: tuple[str, ...]
    if has_two:
        labels, y_names = [maker.named(*both) for both in zip(pair, units, strict=True)], ("", "")
    else:
        labels, y_names = [*names_axis(maker.words, draw, 2, _MAX_LONG, names, pair[0].divisions).names], (units[0],)
        decimals[1] = decimals[0]
    series = tuple(
        Series(label, tuple(_rounded(own, places)), axis=int(has_two and number == 1), decimals=places)
        for number, (label, own, places) in enumerate(zip(labels, values, decimals, strict=True))
    )
    chart = Chart("", "", "", y_names, names, series, maker.numbers, decimals[0])  # those of the bars, where numbers are printed
    if not has_two:
        return maker.title(chart, pair[0], units[0], axis.division, axis.when)
    place = maker.place(pair[0], names)
    both = " – ".join(maker.words.noun(about.name) for about in pair)
    title = f"{place}: {both}" if place else both
    return replace(chart, title=title if draw.random() < _TITLED and len(title) <= _MAX_TITLE else "")


def _radar(maker: _Maker) -> Chart:
    draw = maker.draw
    about = some_topic(draw, True, names=[one.name for one in TOPICS if one.least >= 0])
    axis = names_axis(maker.words, draw, draw.randint(4, 9), _MAX_LONG, divisions=about.divisions)
    if draw.random() < 0.3 and not about.is_yearly:
        axis = Category(maker.words.months(True), "month")
    level, num_series = about.level(draw), draw.choice((1, 2, 2, 3))
    decimals = maker.decimals(about, level)
    columns = [[level * draw.uniform(0.25, 1.0) for _ in axis.names] for _ in range(num_series)]
    names = maker.series_names(num_series, axis.names, about, axis.division == "month")
    series = tuple(Series(name, tuple(_rounded(column, decimals))) for name, column in zip(names, columns, strict=False))
    chart = Chart("", "", "", ("",), axis.names, series, maker.numbers, decimals)
    return maker.title(chart, about, maker.unit(about), axis.division)


def _histogram(maker: _Maker) -> Chart:
    draw = maker.draw
    about = some_topic(draw, False, names=MEASURED)
    edges, counts = chart_data.bins(draw, about, about.level(draw))
    unit, decimals = maker.unit(about), decimals_of(edges[1] - edges[0] if len(edges) > 1 else 1)
    texts = [maker.numbers.text(edge, decimals) for edge in edges]
    names = tuple(f"{low}–{high}" for low, high in pairwise(texts))
    series = (Series("", tuple(map(float, counts))),)
    y_name = draw.choice((maker.words.noun("number"), maker.words.noun("number"), ""))
    chart = Chart(
        *("", "", maker.named(about, unit), (y_name,), names, series, maker.numbers, 0),
        x_numbers=maker.numbers,
        edges=tuple(edges),
    )
    return maker.title(chart, about, "", place=maker.place(about)) if draw.random() < 0.7 else chart
