"""Charts of known numbers for tests, and what a reader of their pictures makes of them."""

import html
import random
import re
from typing import Any

from datagen.figures.charts import label, matplotlib_charts
from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.compose import compose
from datagen.figures.charts.faces import faces, languages
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import look
from datagen.figures.charts.numbers import NumberFormat, Ruler
from datagen.figures.charts.plan import picture_with_room
from datagen.figures.charts.words import Words, cached
from datagen.record import SampleError
from datagen.tables.cells import Table, parse, to_html

_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")


def words(lang: str) -> Words:
    own = faces(lang)
    assert own is not None
    return cached(lang, own.can_draw)


def drawn(renderer: Any, kind: str, seed: int) -> tuple[Chart, Any, Table] | None:
    """A chart by its number, in any language; its picture by the renderer's module; and its label. None
    where the renderer has no room for it."""
    draw = random.Random(f"test {kind} {seed}")
    lang = draw.choice([*languages()])
    chart = compose(draw, kind, words(lang))
    try:
        picture = picture_with_room(renderer.drawn, chart, look(draw, kind), faces(lang))
    except SampleError as error:
        assert error.reason == "chart_too_crowded"
        return None
    return chart, picture, parse(to_html(label.table(chart, picture.shown)), is_strict=True)


def texts_of(picture: Any) -> list[str]:
    """The texts in a picture by any renderer."""
    if picture.svg:
        return [html.unescape(text) for text in _TEXT.findall(picture.svg)]
    return [text.get_text() for text in matplotlib_charts.texts(picture.plan.axes[0].figure)]


def rows(chart: Chart, table: Table) -> list[list[str]]:
    """The texts of the rows that hold values, without the title and the heads."""
    num_rows = sum(len(series.xs) for series in chart.series) if chart.kind == "scatter" else len(chart.categories)
    slots = table.slots()
    first = table.num_rows - num_rows
    return [[slots[row, column].text for column in range(table.num_columns)] for row in range(first, table.num_rows)]


def points(chart: Chart) -> list[tuple[int, float, float]]:
    """The points of a scatter chart in the label's order: the number of the series, x, y."""
    return [(n, x, y) for n, series in enumerate(chart.series) for x, y in sorted(zip(series.xs, series.present, strict=True))]


def heads(table: Table) -> list[str]:
    """The title and the names of axes and series, white space made plain."""
    return [" ".join(cell.text.split()) for cell in table.cells if cell.is_header and cell.text]


def wrong_values(chart: Chart, shown: Shown, table: Table) -> list[str]:
    """What in the table isn't what was drawn, within what the rule of `label` promises; none if all is."""
    texts = rows(chart, table)
    if chart.kind == "scatter":
        return [
            f"{row} for {x}, {y}"
            for row, (number, x, y) in zip(texts, points(chart), strict=True)
            if not is_read(chart.x_numbers, row[-2], x, shown.x_ruler)
            or not is_read(chart.numbers, row[-1], y, shown.rulers[number])
        ]
    wrong = [f"{row[0]} is {name}" for row, name in zip(texts, chart.categories, strict=True) if row[0] != name]
    for number, series in enumerate(chart.series):
        for place, value in enumerate(series.values):
            text, *error = texts[place][1 + number].split(" ± ")
            ruler, where = shown.rulers[number], f"{series.name}/{chart.categories[place]}: {text!r} for {value}"
            if value is None:
                wrong += [where] if text else []
            elif (number, place) in shown.printed:
                wrong += [] if is_near(chart.numbers, text, value, last_digit(chart.numbers, text)) else [where]
            else:
                wrong += [] if is_read(chart.numbers, text, value, ruler) else [where]
            if value is None:
                continue
            if bool(error) != bool(series.errors):
                wrong.append(f"{where}: {error} for a bar of error")
            elif error and (ruler is None or not is_near(chart.numbers, error[0], series.errors[place], ruler.step(value))):
                wrong.append(f"{where}: ± {error} for {series.errors[place]}")
    return wrong


def number_in(numbers: NumberFormat, text: str) -> float:
    """The number that a text says which these wrote."""
    sign = -1.0 if text.startswith(numbers.minus) else 1.0
    bare = text.removeprefix(numbers.minus)
    assert bare.startswith(numbers.prefix) and bare.endswith(numbers.suffix), f"{text!r} isn't written as {numbers}"
    bare = bare[len(numbers.prefix) : len(bare) - len(numbers.suffix)]
    if numbers.group:
        bare = bare.replace(numbers.group, "")
    plain = bare.replace(numbers.decimal, ".").translate(str.maketrans(numbers.digits, "0123456789"))
    return sign * float(plain) * numbers.divisor


def is_read(numbers: NumberFormat, text: str, value: float, ruler: Ruler | None) -> bool:
    """Whether the text is the value as the ruler has it: within half of what a pixel is worth, or of the data's last digit."""
    if ruler is None:
        return False
    return is_near(numbers, text, value, max(ruler.scale.pixel(value, ruler.pixels), 10.0**-ruler.decimals))


def is_near(numbers: NumberFormat, text: str, value: float, step: float) -> bool:
    """Whether the text is the value within half a step."""
    return text != "" and abs(number_in(numbers, text) - value) <= step / 2 * (1 + 1e-6)


def last_digit(numbers: NumberFormat, text: str) -> float:
    """What one in the text's last digit is worth."""
    bare = text.removeprefix(numbers.minus).removeprefix(numbers.prefix)
    bare = bare[: len(bare) - len(numbers.suffix)]
    decimals = len(bare.split(numbers.decimal)[1]) if numbers.decimal in bare else 0
    return 10.0**-decimals * numbers.divisor
