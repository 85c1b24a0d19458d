"""Charts of known numbers for tests, and what a reader of their pictures makes of them."""

import random

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.faces import faces, languages
from datagen.figures.charts.label import Shown
from datagen.figures.charts.numbers import NumberFormat
from datagen.figures.charts.words import Words, cached
from datagen.tables.cells import Table


def words(lang: str) -> Words:
    own = faces(lang)
    assert own is not None
    return cached(lang, own.can_draw)


def some_language(draw: random.Random) -> str:
    return draw.choice([*languages()])


def rows(chart: Chart, table: Table) -> list[list[str]]:
    """The texts of the rows that hold values, without the title and the heads."""
    num_rows = sum(len(series.xs) for series in chart.series) if chart.kind == "scatter" else len(chart.categories)
    slots = table.slots()
    first = table.num_rows - num_rows
    return [[slots[row, column].text for column in range(table.num_columns)] for row in range(first, table.num_rows)]


def wrong_values(chart: Chart, shown: Shown, table: Table) -> list[str]:
    """What in the table isn't what was drawn, within what the rule of `label` promises; none if all is."""
    texts = rows(chart, table)
    if chart.kind == "scatter":
        return _wrong_points(chart, shown, texts)
    wrong = [f"{row[0]} is {name}" for row, name in zip(texts, chart.categories, strict=True) if row[0] != name]
    for number, series in enumerate(chart.series):
        for place, value in enumerate(series.values):
            text = texts[place][1 + number]
            where = f"{series.name}/{chart.categories[place]}: {text!r} for {value}"
            if value is None or (shown.steps[number] is None and (number, place) not in shown.printed):
                wrong += [where] if text else []
            elif (number, place) in shown.printed:
                wrong += [] if is_near(chart.numbers, text, value, _last_digit(chart.numbers, text)) else [where]
            else:
                wrong += [] if is_near(chart.numbers, text, value, shown.steps[number]) else [where]
    return wrong


def is_near(numbers: NumberFormat, text: str, value: float, step: float | None) -> bool:
    """Whether the text is the value within half a step."""
    return step is not None and text != "" and abs(numbers.value(text) - value) <= step / 2 * (1 + 1e-6)


def _last_digit(numbers: NumberFormat, text: str) -> float:
    """What one in the text's last digit is worth."""
    bare = text.removeprefix(numbers.minus).removeprefix(numbers.prefix)
    bare = bare[: len(bare) - len(numbers.suffix)]
    decimals = len(bare.split(numbers.decimal)[1]) if numbers.decimal in bare else 0
    return 10.0**-decimals * numbers.divisor


def _wrong_points(chart: Chart, shown: Shown, texts: list[list[str]]) -> list[str]:
    points = [(s, x, y) for s, series in enumerate(chart.series) for x, y in sorted(zip(series.xs, series.present, strict=True))]
    wrong = []
    for row, (number, x, y) in zip(texts, points, strict=True):
        if shown.x_step is None:
            wrong += [str(row)] if any(row[-2:]) else []
            continue
        is_x = is_near(chart.x_numbers, row[-2], x, shown.x_step)
        if not is_x or not is_near(chart.numbers, row[-1], y, shown.steps[number]):
            wrong.append(f"{row} for {x}, {y}")
    return wrong
