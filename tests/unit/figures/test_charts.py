"""Charts: how numbers are written and read off, what a label has, and that labels are what was drawn."""

import random
from dataclasses import replace
from functools import partial

import pytest

from datagen.figures.charts import Charts, label, matplotlib_charts
from datagen.figures.charts.chart_data import Chart, Series
from datagen.figures.charts.compose import compose
from datagen.figures.charts.faces import languages
from datagen.figures.charts.label import Shown
from datagen.figures.charts.numbers import NumberFormat, Ruler, Scale
from datagen.figures.charts.words import LANGUAGES
from datagen.record import SampleError
from datagen.tables.cells import parse, to_html
from tests.inputs.figures import charts
from tests.inputs.figures.chart_marks import marks
from tests.inputs.figures.charts import number_in, words, wrong_values

PLAIN = NumberFormat()
BARS = Chart("bar", "Rain", "city", ("mm",), ("Rome", "Oslo"), (Series("", (47.0, None)),), PLAIN, 0)
FINE = Ruler(Scale(0.0, 10.0, (), 10.0), 10, 0)
AXIS = Scale(0.0, 100.0, (0.0, 50.0, 100.0), 50.0)
drawn = partial(charts.drawn, matplotlib_charts)
TWO = replace(BARS, kind="grouped", series=(Series("2001", (47.0, 12.0)), Series("2002", (3.0, 8.0))))


@pytest.mark.parametrize(
    ("numbers", "value", "decimals", "text"),
    [
        (PLAIN, 1234.5, 1, "1234.5"),
        (NumberFormat(",", ".", minus="−"), -1234567.25, 2, "−1.234.567,25"),
        (NumberFormat(suffix="万", divisor=1e4), 125_000, 1, "12.5万"),
        (NumberFormat(prefix="%"), 7, 0, "%7"),
        (NumberFormat("٫", "٬", "۰۱۲۳۴۵۶۷۸۹"), 1234.5, 1, "۱٬۲۳۴٫۵"),
    ],
)
def test_numbers_are_written_as_a_language_does_and_read_back(numbers, value, decimals, text):
    assert numbers.text(value, decimals) == text
    assert abs(number_in(numbers, text) - value) <= 0.5 * numbers.divisor


@pytest.mark.parametrize(
    ("high", "pixels", "decimals", "step"),
    [
        (100, 1000, 3, 0.1),
        (100, 300, 3, 0.2),  # a pixel is 0.33
        (100, 300, 0, 1),  # the data has no more
        (1_000_000, 290, 0, 2000),
    ],
)
def test_values_are_read_to_a_pixel_at_most_but_no_finer_than_the_data(high, pixels, decimals, step):
    assert Ruler(Scale(0.0, high, (), high), pixels, decimals).step(high / 3) == pytest.approx(step)


def test_axes_hold_their_values_and_have_about_as_many_ticks_as_asked_for():
    for number in range(300):
        draw = random.Random(number)
        values = [draw.gauss(0, 10 ** draw.uniform(-2, 6)) for _ in range(draw.randint(1, 9))]
        wanted = draw.randint(4, 8)
        scale = Scale.over(values, wanted, draw.random() < 0.5)
        assert scale.low <= min(values)
        assert max(values) <= scale.high
        assert wanted / 2 <= len(scale.ticks) <= 2 * wanted
        assert all(abs(tick / scale.distance - round(tick / scale.distance)) < 1e-6 for tick in scale.ticks)


def test_a_label_has_what_is_printed_else_what_can_be_read():
    ruler = Ruler(AXIS, 20, 0)  # a pixel is 5
    assert to_html(label.table(BARS, Shown((ruler,), x_name="city", y_name="mm"))) == (
        '<table><tr><td colspan="2">Rain</td></tr><tr><td>city</td><td>mm</td></tr>'
        "<tr><td>Rome</td><td>45</td></tr><tr><td>Oslo</td><td></td></tr></table>"
    )
    printed = to_html(label.table(BARS, Shown((ruler,), {(0, 0): "47.0"})))
    assert "<td>Rome</td><td>47.0</td>" in printed and "mm" not in printed
    with pytest.raises(ValueError, match=r"bar: 47\.0 is neither printed nor on an axis"):
        label.table(BARS, Shown((None,)))
    erring = replace(BARS, series=(Series("", (47.0, 12.0), errors=(3.0, 1.2)),))
    assert "<td>Rome</td><td>47.0 ± 3.0</td>" in to_html(label.table(erring, Shown((Ruler(AXIS, 200, 1),))))


def test_series_stand_under_the_name_of_their_axis():
    assert to_html(label.table(replace(TWO, title=""), Shown((FINE, FINE), x_name="city", y_name="mm"))) == (
        '<table><tr><td rowspan="2">city</td><td colspan="2">mm</td></tr><tr><td>2001</td><td>2002</td></tr>'
        "<tr><td>Rome</td><td>47</td><td>3</td></tr><tr><td>Oslo</td><td>12</td><td>8</td></tr></table>"
    )
    nameless = to_html(label.table(replace(TWO, title=""), Shown((FINE, FINE))))
    assert nameless.startswith("<table><tr><td></td><td>2001</td><td>2002</td></tr><tr><td>Rome</td>")


def test_points_come_by_series_and_x():
    points = (Series("a", (5.0, 1.0), (2.0, 1.0)), Series("b", (9.0,), (0.0,)))
    chart = replace(BARS, kind="scatter", title="", x_name="km", categories=(), series=points)
    assert to_html(label.table(chart, Shown((FINE, FINE), {}, Ruler(AXIS, 200, 1), "km", "mm"))) == (
        "<table><tr><td></td><td>km</td><td>mm</td></tr><tr><td>a</td><td>1.0</td><td>1</td></tr>"
        "<tr><td>a</td><td>2.0</td><td>5</td></tr><tr><td>b</td><td>0.0</td><td>9</td></tr></table>"
    )


def test_a_mark_that_stands_elsewhere_is_seen():
    chart, figures, _ = next(made for seed in range(9) if (made := drawn("bar", seed)) and not made[1].shown.printed)
    place, value = next((place, value) for place, value in enumerate(chart.series[0].values) if value is not None)
    other = [*chart.series[0].values]
    ruler = figures.shown.rulers[0]
    other[place] = value + 2.1 * ruler.scale.pixel(value, ruler.pixels)
    table = label.table(replace(chart, series=(replace(chart.series[0], values=tuple(other), errors=()),)), figures.shown)
    bars = replace(chart, series=(replace(chart.series[0], errors=()),))
    assert len(wrong_values(bars, figures.shown, table)) == 1
    assert len([mark for mark in marks(bars, figures, table) if mark.off > 1]) == 1


def test_several_charts_in_a_picture_have_their_tables_in_order():
    made = Charts(("bar", "histogram"), ("en",), panels=1.0)
    drawing = next(found for seed in range(9) if len((found := made.draw(random.Random(seed))).regions) == 4)
    assert drawing.text == "\n\n".join(region.text for region in drawing.regions)
    assert all(parse(region.text, is_strict=True).num_rows > 2 for region in drawing.regions)
    one, two, three, four = (region.box for region in drawing.regions)
    assert one.x1 < two.x0 and one.y1 < three.y0 and three.x1 < four.x0
    assert (one.y0, three.y0, four.x1, four.y1) == (two.y0, four.y0, *drawing.size)
    assert drawing.metadata["kind"] == "panels"


def some_charts(kind):
    return [compose(random.Random(f"some {seed}"), kind, words("en")) for seed in range(150)]


def test_some_axes_are_logarithmic_some_have_dates_and_some_values_have_errors():
    lines = some_charts("line")
    wide = [chart for chart in lines if chart.is_log]
    assert wide and all(min(value for series in chart.series for value in series.present) > 0 for chart in wide)
    dated = next(chart for chart in lines if chart.every > 1 and "," in chart.categories[0])
    assert len(dated.categories) >= 18 and dated.written.count("") >= len(dated.categories) // 2
    assert dated.categories[0].split(", ")[1].isdigit()  # a day, and its year
    erring = [series for chart in some_charts("bar") for series in chart.series if series.errors]
    assert erring and all(len(series.errors) == len(series.values) and min(series.errors) > 0 for series in erring)
    assert all(min(series.ends) < min(series.present) for series in erring)


def test_kinds_and_languages_can_be_chosen():
    drawing = Charts(("pie",), ("th",)).draw(random.Random(1))
    assert (drawing.lang, drawing.script, drawing.metadata["kind"]) == ("th", "Thai", "pie")
    assert drawing.regions[0].format == "html"
    with pytest.raises(ValueError, match="kinds=cake: allowed are"):
        Charts(("cake",))
    with pytest.raises(ValueError, match="renderers=excel: allowed are matplotlib, echarts"):
        Charts(renderers=("excel",))
    assert set(languages()) <= set(LANGUAGES)
    with pytest.raises(SampleError, match="no typeface for tlh"):
        Charts(languages=("tlh",)).draw(random.Random(1))
