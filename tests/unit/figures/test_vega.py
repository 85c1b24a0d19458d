"""Charts by Vega-Lite: labels are what was drawn, and bars are as long as the label says."""

import random
import re
from functools import partial

import pytest

from datagen.figures.charts import Charts, vega
from datagen.record import SampleError
from tests.inputs import charts
from tests.unit.figures.test_labels_as_drawn import LANGS

drawn = partial(charts.drawn, vega, langs=LANGS)


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


def test_what_it_draws_wrong_is_left_to_others():
    with pytest.raises(ValueError, match="kinds=radar: vega doesn't draw it"):
        Charts(("radar",), renderers=("vega",))
    with pytest.raises(SampleError, match="vega draws no bar in Deva"):
        Charts(("bar",), ("hi",), ("vega",)).draw(random.Random(1))
    both = Charts(("bar",), ("hi",), ("matplotlib", "vega"))
    assert {both.draw(random.Random(seed)).metadata["renderer"] for seed in range(4)} == {"matplotlib"}
