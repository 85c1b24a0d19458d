"""Labels are what was drawn, whatever draws: their names and values are in the picture, and its marks stand where they say; and
what is drawn is the same in another process.

ECharts' charts need its script in the user's cache, which a run of `make recipe=figures` fetches; else they are skipped."""

import hashlib
import io
import os
import random
import subprocess
import sys

import pytest
from PIL import Image

from datagen.figures.charts import KINDS, Charts, echarts, echarts_engine, label, matplotlib_charts
from datagen.figures.charts.faces import faces
from tests.inputs.figures.chart_marks import faults
from tests.inputs.figures.charts import drawn, number_in

BY = {"matplotlib": matplotlib_charts, "echarts": echarts}
FEW = {"matplotlib": (4, 1), "echarts": (5, 3)}  # draws of a kind, and how many charts there are at least
NO_SCRIPT = pytest.mark.skipif(not echarts_engine.kept().is_file(), reason="ECharts isn't in the cache")


def case(by, *values):
    return pytest.param(by, *values, marks=[NO_SCRIPT] if by == "echarts" else [])


def made(by, kind, num):
    return [chart for seed in range(num) if (chart := drawn(BY[by], kind, seed))]


@pytest.mark.parametrize(("by", "kind"), [case(by, kind) for by in BY for kind in KINDS])
def test_the_label_is_what_was_drawn_to_a_pixel(by, kind):
    num, least = FEW[by]
    charts = made(by, kind, num)
    assert len(charts) >= least
    for chart, picture, table in charts:
        assert faults(chart, picture, table) == []
        assert kind == "scatter" or label.value_text(chart, picture.shown, 0, 0) or chart.series[0].values[0] is None
        if by == "echarts":
            assert Image.open(io.BytesIO(picture.image)).size == picture.size


def numbers_at(picture, axis, side):
    """The texts that stand along a side of the picture, 0 for x and 1 for y, with the pixel of each one's middle; and where the
    axis has a value."""
    plan = picture.plan
    if not picture.svg:
        of_axis = (plan.axes[axis].xaxis, plan.axes[axis].yaxis)[side]

        def pixel(value):
            return plan.axes[axis].transData.transform((value, value))[side]

        return [(label.get_text(), pixel(label.get_position()[side])) for label in of_axis.get_ticklabels()], pixel
    x0, _, x1, y1 = plan.box
    placed = echarts_engine.texts(picture.svg, faces("en").sans[0])
    texts = [(text, (box[side] + box[side + 2]) / 2) for text, box, _ in placed]
    share = plan.scales[axis].share
    return texts, lambda value: y1 - share(value) * plan.height if side else x0 + share(value) * (x1 - x0)


@pytest.mark.parametrize(("by", "kind"), [case(by, kind) for by in BY for kind in ("bar", "horizontal", "line", "composite")])
def test_numbers_at_an_axis_stand_where_the_axis_has_their_value(by, kind):
    measured = 0
    for chart, picture, _ in made(by, kind, FEW[by][0]):
        for axis, scale in enumerate(picture.plan.scales if picture.plan.look.has_axis else ()):
            texts, pixel = numbers_at(picture, axis, int(kind != "horizontal"))
            for text in scale.texts(chart.numbers):
                assert min(abs(at - pixel(number_in(chart.numbers, text))) for other, at in texts if other == text) < 2, text
                measured += 1
    assert measured > 5


def digests(by):
    draws = {
        "matplotlib": Charts(("bar", "line", "pie", "histogram"), ("en", "ja", "hi"), panels=0.0),
        "echarts": Charts(("bar", "line", "heat_map", "histogram"), ("en", "ja", "ar"), ("echarts",), panels=0.0),
    }[by]
    return [hashlib.sha256(draws.draw(random.Random(f"same {seed}")).image).hexdigest() for seed in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize("by", [case(by) for by in BY])
def test_draws_are_the_same_in_another_process_which_ends_by_itself_whatever_a_users_matplotlibrc_says(by, tmp_path):
    (tmp_path / "matplotlibrc").write_text("axes.titlesize: 40\nlines.linewidth: 9\nsavefig.dpi: 50\naxes.grid: True\n")
    command = f"from {__name__} import digests; print(*digests({by!r}))"
    environment = os.environ | {"MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "PYTHONHASHSEED": "7"}
    other = subprocess.run(
        [sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert other.stdout.split() == digests(by) == digests(by)
