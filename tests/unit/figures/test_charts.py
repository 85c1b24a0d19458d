"""Charts: how numbers are written and read off, what a label has, and that labels are what was drawn."""

import hashlib
import math
import os
import random
import subprocess
import sys
from dataclasses import replace

import numpy
import pytest

from datagen.figures.charts import KINDS, Charts, label, matplotlib_charts
from datagen.figures.charts.chart_data import FIVE, Chart, Series, shares
from datagen.figures.charts.compose import compose
from datagen.figures.charts.faces import faces, languages
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import distinct, look
from datagen.figures.charts.numbers import NumberFormat, Scale, reading_step
from datagen.figures.charts.words import LANGUAGES
from datagen.record import SampleError
from datagen.tables.cells import parse, to_html
from tests.inputs.charts import is_near, some_language, words, wrong_values

PLAIN = NumberFormat()
BARS = Chart("bar", "Rain", "city", ("mm",), ("Rome", "Oslo"), (Series("", (47.0, None)),), PLAIN, 0)
TWO = replace(BARS, kind="grouped", series=(Series("2001", (47.0, 12.0)), Series("2002", (3.0, 8.0))))


def drawn(kind, seed):
    """A chart with its label, drawn by its number; None where it is refused."""
    draw = random.Random(f"test {kind} {seed}")
    lang = some_language(draw)
    chart = compose(draw, kind, words(lang))
    try:
        figures = matplotlib_charts.draw(chart, look(draw, kind), faces(lang))
    except SampleError as error:
        assert error.reason == "chart_too_crowded"
        return None
    return chart, figures, parse(to_html(label.table(chart, figures.shown)), is_strict=True)


@pytest.mark.parametrize(
    ("numbers", "value", "decimals", "text"),
    [
        (PLAIN, 1234.5, 1, "1234.5"),
        (NumberFormat(",", ".", minus="−"), -1234567.25, 2, "−1.234.567,25"),
        (NumberFormat(suffix="万", divisor=1e4), 125_000, 1, "12.5万"),
        (NumberFormat(prefix="%"), 7, 0, "%7"),
        (NumberFormat("٫", "٬", "۰۱۲۳۴۵۶۷۸۹"), 1234.5, 1, "۱٬۲۳۴٫۵"),
        (PLAIN, -0.2, 0, "0"),
    ],
)
def test_numbers_are_written_as_a_language_does_and_read_back(numbers, value, decimals, text):
    assert numbers.text(value, decimals) == text
    assert abs(numbers.value(text) - value) <= 0.5 * numbers.divisor


def test_a_number_that_the_format_cannot_have_written_is_refused():
    with pytest.raises(ValueError, match="isn't written as"):
        NumberFormat(suffix="%").value("12")


@pytest.mark.parametrize(
    ("distance", "per_pixel", "step"),
    [
        (20, 0.1, 2),  # a tenth of the ticks
        (50, 0.1, 5),
        (25, 0.1, 5),  # 2.5 is rounded up
        (10, 1.7, 5),  # two pixels are 3.4
        (0.5, 0.001, 0.05),
        (200_000, 10, 20_000),
    ],
)
def test_what_can_be_read_is_a_tenth_of_a_tick_and_two_pixels_at_least(distance, per_pixel, step):
    assert reading_step(distance, per_pixel) == pytest.approx(step)


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


def test_series_have_colours_that_are_seen_and_told_apart():
    for number in range(300):
        kind = KINDS[number % len(KINDS)]
        made = look(random.Random(number), kind)
        assert len(made.palette) >= (7 if kind in ("pie", "donut") else 5)
        assert distinct(made.palette, made.plot_paper) == [*made.palette]
    assert distinct(("#ffffff", "#ff0000", "#f80000", "#0000ff"), "#fafafa") == ["#ff0000", "#0000ff"]


def test_shares_are_whole():
    for number in range(50):
        assert math.fsum(shares(random.Random(number), 3 + number % 6, number % 3)) == pytest.approx(100)


def test_a_label_has_what_is_printed_else_what_can_be_read_else_nothing():
    read = to_html(label.table(BARS, Shown((5.0,))))
    assert read == (
        '<table><tr><td colspan="2">Rain</td></tr><tr><td>city</td><td>mm</td></tr>'
        "<tr><td>Rome</td><td>45</td></tr><tr><td>Oslo</td><td></td></tr></table>"
    )
    assert "<td>Rome</td><td>47.0</td>" in to_html(label.table(BARS, Shown((5.0,), {(0, 0): "47.0"})))
    assert "<td>Rome</td><td></td>" in to_html(label.table(BARS, Shown((None,))))


def test_series_stand_under_the_name_of_their_axis():
    assert to_html(label.table(replace(TWO, title=""), Shown((1.0, 1.0)))) == (
        '<table><tr><td rowspan="2">city</td><td colspan="2">mm</td></tr><tr><td>2001</td><td>2002</td></tr>'
        "<tr><td>Rome</td><td>47</td><td>3</td></tr><tr><td>Oslo</td><td>12</td><td>8</td></tr></table>"
    )
    nameless = to_html(label.table(replace(TWO, title="", x_name="", y_names=("",)), Shown((1.0, 1.0))))
    assert nameless.startswith("<table><tr><td></td><td>2001</td><td>2002</td></tr><tr><td>Rome</td>")


def test_points_come_by_series_and_x():
    points = (Series("a", (5.0, 1.0), (2.0, 1.0)), Series("b", (9.0,), (0.0,)))
    chart = replace(BARS, kind="scatter", title="", x_name="km", categories=(), series=points)
    assert to_html(label.table(chart, Shown((1.0, 1.0), x_step=0.5))) == (
        "<table><tr><td></td><td>km</td><td>mm</td></tr><tr><td>a</td><td>1.0</td><td>1</td></tr>"
        "<tr><td>a</td><td>2.0</td><td>5</td></tr><tr><td>b</td><td>0.0</td><td>9</td></tr></table>"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_label_is_what_was_drawn_within_what_can_be_read(kind):
    charts = [made for seed in range(4) if (made := drawn(kind, seed))]
    assert charts
    for chart, figures, table in charts:
        assert wrong_values(chart, figures.shown, table) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_hundred_labels_are_what_was_drawn():
    charts = [made for seed in range(40) for kind in KINDS if (made := drawn(kind, seed))]
    assert len(charts) >= 500
    assert {chart.title: wrong for chart, figures, table in charts if (wrong := wrong_values(chart, figures.shown, table))} == {}


def test_a_changed_value_is_seen():
    chart, figures, _ = next(made for seed in range(9) if (made := drawn("bar", seed)) and made[1].shown.steps[0])
    value = next(value for value in chart.series[0].values if value is not None)
    place = chart.series[0].values.index(value)
    other = [*chart.series[0].values]
    other[place] = value + figures.shown.steps[0] * 1.2
    table = label.table(replace(chart, series=(replace(chart.series[0], values=tuple(other)),)), Shown(figures.shown.steps))
    assert len(wrong_values(chart, Shown(figures.shown.steps), table)) == 1


def by_ruler(axes, chart, pixels, side="y"):
    """Values at these pixels, as somebody measures them who has the picture and its axis's numbers alone."""
    axis = axes.yaxis if side == "y" else axes.xaxis
    numbers = chart.numbers if side == "y" or chart.kind == "horizontal" else chart.x_numbers
    ticks = [(tick.get_loc(), tick.label1.get_text() or tick.label2.get_text()) for tick in axis.get_major_ticks()]
    places = [axes.transData.transform((0, at) if side == "y" else (at, 0))[int(side == "y")] for at, _ in ticks]
    return numpy.interp(pixels, places, [numbers.value(text) for _, text in ticks])


@pytest.mark.parametrize("kind", ["bar", "grouped", "horizontal", "line", "composite", "scatter"])
def test_marks_stand_where_the_axis_says(kind):
    """Marks' pixels, read against the numbers at the ticks, give the values of the label."""
    measured = 0
    for seed in range(6):
        made = drawn(kind, seed)
        if made is None or not made[1].marks.look.has_axis:
            continue
        chart, figures, _ = made
        for number, series in enumerate(chart.series):
            axes = figures.marks.axes[series.axis]
            side = "x" if kind == "horizontal" else "y"
            top = figures.marks.scales[series.axis].ticks[-1]
            for place, value in enumerate(series.values):
                if value is None or value > top:  # above the last tick there is nothing to measure by
                    continue
                pixel = _pixel(axes, kind, number, place, value, side)
                text = NumberFormat.rounded(chart.numbers, value, figures.shown.steps[number])
                read = by_ruler(axes, chart, [pixel], side)[0]
                assert is_near(chart.numbers, text, read, figures.shown.steps[number] * 1.05), (chart.title, value, read)
                measured += 1
    assert measured > 10


def _pixel(axes, kind, number, place, value, side):
    """Where the mark of a value is in the picture."""
    artists = {artist.get_gid(): artist for artist in axes.get_children() if artist.get_gid()}
    if bar := artists.get(f"{number}/{place}"):
        box = bar.get_window_extent()
        ends = (box.x1, box.x0) if side == "x" else (box.y1, box.y0)
        return ends[value < 0]
    mark = artists[f"{number}"]
    points = mark.get_offsets() if kind == "scatter" else mark.get_xydata()
    return axes.transData.transform(points[place])[1]


def test_slices_have_the_angles_of_their_shares_and_boxes_their_five_numbers():
    chart, figures, _ = next(made for seed in range(9) if (made := drawn("pie", seed)))
    wedges = [patch for patch in figures.figure.axes[0].patches if patch.get_gid()]
    angles = [(wedge.theta2 - wedge.theta1) / 3.6 for wedge in wedges]
    assert angles == pytest.approx(chart.series[0].values, abs=0.01)
    chart, figures, _ = next(made for seed in range(9) if (made := drawn("box", seed)))
    lines = {line.get_gid(): line for line in figures.figure.axes[0].lines if line.get_gid()}
    for place in range(len(chart.categories)):
        low, high = (lines[f"caps/{2 * place + n}"].get_ydata()[0] for n in (0, 1))
        five = [series.values[place] for series in chart.series]
        assert [series.name for series in chart.series] == [*FIVE]
        assert [low, lines[f"medians/{place}"].get_ydata()[0], high] == pytest.approx([five[0], five[2], five[4]])


def digests():
    made = Charts()
    return [hashlib.sha256(made.draw(random.Random(f"same {seed}")).image).hexdigest() for seed in range(5)]


def test_draws_are_the_same_in_another_process_whatever_a_users_matplotlibrc_says(tmp_path):
    (tmp_path / "matplotlibrc").write_text("axes.titlesize: 40\nlines.linewidth: 9\nsavefig.dpi: 50\naxes.grid: True\n")
    command = "from tests.unit.figures.test_charts import digests; print(*digests())"
    environment = os.environ | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.split() == digests() == digests()


def test_every_language_has_words_that_its_typefaces_draw():
    for lang in languages():
        known = words(lang)
        assert min(len(known.countries), len(known.cities), len(known.languages), len(known.units)) >= 60, lang
        assert faces(lang).can_draw("".join((*known.countries, *known.cities, *known.months(False), *known.days(True))))


def test_complex_scripts_are_shaped():
    """Lam and alef are one sign, and a Devanagari consonant with a virama before another is a half form."""
    matplotlib_charts._start()
    for lang, joined, parts in (("ar", "لا", ("ل", "ا")), ("hi", "क्ष", ("क्", "ष"))):
        family = [matplotlib_charts._registered(faces(lang).sans[0], False)]

        def width(text, family=family):
            figure = matplotlib_charts.Figure((4, 2))
            matplotlib_charts.FigureCanvasAgg(figure)
            return figure.text(0, 0, text, fontfamily=family, fontsize=40).get_window_extent().width

        assert width(joined) < 0.95 * sum(map(width, parts)), lang


def test_kinds_and_languages_can_be_chosen():
    drawing = Charts(("pie",), ("th",)).draw(random.Random(1))
    assert (drawing.lang, drawing.script, drawing.metadata["kind"]) == ("th", "Thai", "pie")
    assert drawing.regions[0].format == "html"
    with pytest.raises(ValueError, match="kinds=cake: allowed are"):
        Charts(("cake",))
    assert set(languages()) <= set(LANGUAGES)
    with pytest.raises(SampleError, match="no typeface for tlh"):
        Charts(languages=("tlh",)).draw(random.Random(1))
