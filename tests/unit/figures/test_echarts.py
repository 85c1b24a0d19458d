"""Charts by ECharts: its script, the places of its texts, and that labels are what was drawn.

Tests that draw need ECharts' script in the user's cache, which a run of `make recipe=figures` fetches; else they are skipped.
"""

import json
import re
from functools import partial

import numpy
import pytest

from datagen.figures.charts import Charts, echarts, echarts_engine
from datagen.figures.charts.echarts_engine import PlacedText
from datagen.figures.charts.faces import faces, needed
from datagen.samples import npm
from tests.inputs import charts
from tests.inputs.picture_files import tar

drawn = partial(charts.drawn, echarts)
needs_script = pytest.mark.skipif(not echarts_engine.kept().is_file(), reason="ECharts isn't in the cache")


def test_the_script_is_fetched_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = []

    def packed(package, folder):
        asked.append(package)
        tar(folder / "echarts.tgz", {"package/dist/echarts.min.js": b"hello"}, "w:gz")
        return folder / "echarts.tgz"

    monkeypatch.setattr(npm, "packed", packed)
    monkeypatch.setattr(echarts_engine, "_INTEGRITY", None)
    assert echarts_engine.script().read_text() == echarts_engine.script().read_text() == "hello"
    assert asked == [echarts_engine.PACKAGE]


def test_without_npm_somebody_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match=r"echarts@.* is needed, and there is no npm here: apt-get install npm"):
        echarts_engine.script()


def test_texts_of_an_svg_are_where_they_are_drawn():
    face = faces("en").sans[0]
    style = 'style="font-size:20px;font-family:x;"'
    svg = (
        f'<text dominant-baseline="central" text-anchor="end" {style} transform="translate(100 50)" fill="#000">a &amp; b</text>'
        f'<text dominant-baseline="central" text-anchor="middle" {style} y="-10" transform="translate(100 50)">mid</text>'
        f'<text dominant-baseline="central" text-anchor="start" {style} transform="matrix(0,-1,1,0,30,200)">up</text>'
        f'<text dominant-baseline="central" text-anchor="end" {style} transform="matrix(0.866,-0.5,0.5,0.866,9,9)">tilted</text>'
    )
    one, mid, up, tilted = echarts_engine.texts(svg, face)
    assert (one.text, one.box[1:]) == ("a & b", (40, 100, 60))
    assert 100 - one.box[0] == pytest.approx(echarts_engine.measured(face, 20, "a & b"))
    assert mid.box[1::2] == (30, 50)
    assert mid.box[0] + mid.box[2] == pytest.approx(200)
    assert (up.box[0], up.box[2], up.box[3]) == (20, 40, 200)
    assert [text.is_upright for text in (one, mid, up, tilted)] == [True, True, True, False]
    assert isinstance(tilted, PlacedText)


@pytest.mark.parametrize(("lang", "words"), [("ar", "الإنتاج حسب البلد"), ("hy", "Բնակչություն ըստ երկրների")])
def test_digits_beside_ligatures_are_drawn_in_another_typeface(lang, words):
    own = faces(lang)
    used = needed(own.sans[0], own.fallbacks, f"{words} (1998)")
    text = '<text y="30" font-family="{}" font-size="20">{} {}</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="40">{text}</svg>'
    families = ", ".join(face.family for face in used)
    drawn = {
        echarts_engine.png(svg.format(families, words, end), "#ffffff", used) for end in ("(1998)", "(1997)", "[1998]", "[1997]")
    }
    assert len(drawn) == 4  # boxes for all of them are one picture


@needs_script
def test_values_reach_the_picture_as_they_are():
    """What ECharts was given is the chart: its points, in the order of the label's rows."""
    for kind in ("line", "bar", "grouped", "horizontal", "area", "stacked", "composite"):
        chart, picture, _ = next(made for seed in range(9) if (made := drawn(kind, seed)))
        for series, given in zip(chart.series, json.loads(json.dumps(picture.option))["series"], strict=True):
            points = [point["value"] if isinstance(point, dict) else point for point in given["data"]]
            assert [None if point == "-" else point for point in points] == [*series.values]


@needs_script
@pytest.mark.parametrize("kind", ["bar", "horizontal"])
def test_bars_end_where_the_numbers_at_the_axis_say(kind):
    """Bars' ends in the SVG, measured against the places of the ticks' texts, give the values of the label."""
    measured = 0
    for seed in range(12):
        made = drawn(kind, seed)
        if made is None or not made[1].shown.rulers[0] or made[0].series[0].errors or len(made[0].series) > 1:
            continue
        chart, picture, _ = made
        side = int(kind == "bar")
        texts = {text for axis in picture.plan.tick_texts() for text in axis.values()}
        wanted = {"end"} if kind == "bar" else {"middle"}
        places = {}
        for text in re.finditer(
            r'<text [^>]*text-anchor="(\w+)"[^>]*translate\((-?[\d.]+) (-?[\d.]+)\)"[^>]*>([^<]*)<', picture.svg
        ):
            if text[4] in texts and text[1] in wanted:
                places.setdefault(chart.numbers.value(text[4]), float(text[2 + side]))
        ruler = sorted((pixel, value) for value, pixel in places.items())
        if len(ruler) < 2:
            continue
        for value in chart.series[0].present:
            ends = _ends(picture.svg, side)
            read = numpy.interp(ends, *zip(*ruler, strict=True))
            own = picture.shown.rulers[0]
            said = chart.numbers.value(own.text(chart.numbers, value))
            if value <= max(places):
                assert min(abs(read - said)) <= own.scale.pixel(value, own.pixels), (seed, value)
                measured += 1
    assert measured > 10


def _ends(svg, side):
    """Coordinates on one axis, 0 for x and 1 for y, of the corners of closed paths."""
    paths = [path for path in re.findall(r'<path d="([^"]*)"', svg) if path.endswith("Z")]
    corners = set()
    for path in paths:
        x = y = 0.0
        for command, numbers in re.findall(r"([MLlHhVvAa])([^A-Za-z]*)", path):
            parts = [float(part) for part in re.findall(r"-?[\d.]+", numbers)]
            if command in "ML":
                x, y = parts[-2:]
            elif command in "la":
                x, y = x + parts[-2], y + parts[-1]
            elif command == "A":
                x, y = parts[-2:]
            corners.add((x, y)[side])
    return sorted(corners)


@needs_script
def test_printed_numbers_and_names_are_in_the_picture():
    chart, picture, _ = next(made for seed in range(20) if (made := drawn("grouped", seed)) and made[1].shown.printed)
    for text in (*picture.shown.printed.values(), *chart.categories, *(series.name for series in chart.series)):
        assert f">{text.replace('&', '&amp;')}<" in picture.svg


def test_a_renderer_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="renderers=excel: allowed are matplotlib, echarts"):
        Charts(renderers=("excel",))
