"""Charts by Vega-Lite: labels are what was drawn, and bars are as long as the label says."""

import hashlib
import os
import random
import re
import subprocess
import sys

import pytest

from datagen.figures.charts import KINDS, Charts, label, vega
from datagen.figures.charts.compose import compose
from datagen.figures.charts.faces import faces
from datagen.figures.charts.looks import look
from datagen.record import SampleError
from datagen.tables.cells import parse, to_html
from tests.bench.figures.chart_labels import texts_of
from tests.inputs.chart_marks import marks
from tests.inputs.charts import heads, words, wrong_values

KINDS_HERE = [kind for kind in KINDS if kind != "radar"]


def drawn(kind, seed):
    draw = random.Random(f"test {kind} {seed}")
    lang = draw.choice(("en", "zh-Hans", "ar", "he", "th", "ko", "ru", "fr"))
    chart = compose(draw, kind, words(lang))
    try:
        picture = vega.draw(chart, look(draw, kind), faces(lang))
    except SampleError as error:
        assert error.reason == "chart_too_crowded"
        return None
    return chart, picture, parse(to_html(label.table(chart, picture.shown)), is_strict=True)


def faults(chart, picture, table):
    """What of a label isn't in the picture: names, values, and marks that stand elsewhere."""
    there = texts_of(picture)
    names = [name for name in heads(label.table(chart, picture.shown)) if name not in there and chart.kind != "box"]
    return names + wrong_values(chart, picture.shown, table) + [mark for mark in marks(chart, picture, table) if mark.off > 1]


@pytest.mark.parametrize("kind", KINDS_HERE)
def test_the_label_is_what_was_drawn_to_a_pixel(kind):
    charts = [made for seed in range(4) if (made := drawn(kind, seed))]
    assert len(charts) >= 3
    for chart, picture, table in charts:
        assert faults(chart, picture, table) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_labels_are_what_was_drawn():
    charts = [made for seed in range(14) for kind in KINDS_HERE if (made := drawn(kind, seed))]
    assert len(charts) >= 150
    assert {chart.title: wrong for chart, picture, table in charts if (wrong := faults(chart, picture, table))} == {}


@pytest.mark.parametrize("kind", ["pie", "grouped", "heat_map", "horizontal"])
def test_names_and_printed_numbers_are_in_the_picture(kind):
    chart, picture, _ = next(made for seed in range(20) if (made := drawn(kind, seed)) and made[1].shown.printed)
    there = re.findall(r"<text[^>]*>([^<]*)</text>", picture.svg)
    for text in (chart.title, *chart.categories, *(series.name for series in chart.series), *picture.shown.printed.values()):
        assert not text or text.replace("&", "&amp;") in there


def test_bars_are_as_long_as_the_axis_says():
    measured = 0
    for seed in range(8):
        made = drawn("bar", seed)
        if made is None:
            continue
        chart, picture, _ = made
        low, high = picture.specification["layer"][0]["encoding"]["y"]["scale"]["domain"]
        per_pixel = (high - low) / picture.specification["height"]
        bars = re.findall(r'aria-roledescription="bar" d="M[-\d.,]+[^"]*?v(-?[\d.]+)h', picture.svg)
        values = chart.series[0].present
        if len(bars) != len(values):  # rounded corners are other paths
            continue
        for bar, value in zip(bars, values, strict=True):
            assert abs(abs(float(bar)) * per_pixel - abs(value)) < 1e-6 * (high - low) + 1e-9
            measured += 1
    assert measured >= 6


def digests():
    made = Charts(("bar", "pie", "line"), ("en", "ja"), ("vega",))
    return [hashlib.sha256(made.draw(random.Random(f"same {seed}")).image).hexdigest() for seed in range(3)]


@pytest.mark.slow
def test_draws_are_the_same_in_another_process():
    command = "from tests.unit.figures.test_vega import digests; print(*digests())"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.split() == digests() == digests()


def test_what_it_draws_wrong_is_left_to_others():
    with pytest.raises(ValueError, match="kinds=radar: vega doesn't draw it"):
        Charts(("radar",), renderers=("vega",))
    with pytest.raises(SampleError, match="vega draws no bar in Deva"):
        Charts(("bar",), ("hi",), ("vega",)).draw(random.Random(1))
    both = Charts(("bar",), ("hi",), ("matplotlib", "vega"))
    assert {both.draw(random.Random(seed)).metadata["renderer"] for seed in range(4)} == {"matplotlib"}
