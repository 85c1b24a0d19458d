"""Apache ECharts without a browser: its script in V8 makes SVG, and resvg makes pixels of that.

The script is in npm's package `echarts` (Apache-2.0), which is fetched once and kept in the user's cache. resvg draws what
ECharts writes, value labels too; cairosvg and PyMuPDF leave holes in their place.
"""

import atexit
import functools
import html
import importlib.metadata
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import resvg_py
from PIL import ImageFont
from py_mini_racer import MiniRacer

from datagen.drawing import typefaces
from datagen.figures.charts.faces import Face
from datagen.samples import npm
from datagen.samples.documents import cache_folder

PACKAGE = "echarts@6.1.0"
_INTEGRITY = "sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA=="
_SCRIPT = "dist/echarts.min.js"
# Numbers at ticks come as texts by their place on the axis, since JSON holds no functions.
_RENDER = """
function revived(axis) {
  if (axis && axis.axisLabel && axis.axisLabel.texts) {
    var texts = axis.axisLabel.texts, interval = axis.interval;
    axis.axisLabel.formatter = function (value) {
      if (axis.type === 'log') value = Math.log10(value);
      var place = Math.round(value / interval);
      return Math.abs(place * interval - value) < interval * 1e-6 ? texts[String(place)] || '' : '';
    };
  }
}
function errorBar(series) {
  return function (params, api) {
    var low = api.coord([api.value(0), api.value(1)]), high = api.coord([api.value(0), api.value(2)]);
    var x = low[0] + (series.bars ? api.barLayout(series.bars)[series.number].offsetCenter : 0);
    var style = {stroke: series.ink, lineWidth: 1.2};
    function line(x1, y1, x2, y2) {
      return {type: 'line', shape: {x1: x1, y1: y1, x2: x2, y2: y2}, style: style, transition: []};
    }
    return {type: 'group', children: [
      line(x, low[1], x, high[1]), line(x - 4, low[1], x + 4, low[1]), line(x - 4, high[1], x + 4, high[1])
    ]};
  };
}
function render(text, width, height) {
  var option = JSON.parse(text);
  option.animation = false;
  [].concat(option.xAxis, option.yAxis, option.radar).forEach(revived);
  option.series.forEach(function (one) { if (one.type === 'custom') one.renderItem = errorBar(one); });
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: width, height: height});
  chart.setOption(option);
  var svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
"""
_TEXT = re.compile(r"<text([^>]*)>([^<]*)</text>")
_PLACE = re.compile(r'transform="(translate|matrix)\(([^)]*)\)"')
_SIZE = re.compile(r"font-size:([\d.]+)px")


class PlacedText(NamedTuple):
    """A text of an SVG: its box in pixels, and whether it lies or stands; else the box is nowhere near it."""

    text: str
    box: tuple[float, float, float, float]
    is_upright: bool


def kept() -> Path:
    """Where the script is kept, or will be."""
    return cache_folder().with_name("echarts") / f"{PACKAGE}.min.js"


def script() -> Path:
    """ECharts' script in the cache, fetched the first time. Raises `ValueError` if it can't be had."""
    return npm.kept(PACKAGE, _INTEGRITY, kept(), _SCRIPT)


def versions() -> dict[str, str]:
    packages = ("mini-racer", "resvg-py")
    return {"echarts": PACKAGE.split("@")[1]} | {name: importlib.metadata.version(name) for name in packages}


def svg(option: dict[str, Any], width: int, height: int) -> str:
    """What ECharts draws for an option."""
    drawn = _context(os.getpid()).call("render", json.dumps(option), width, height)
    assert isinstance(drawn, str)
    return drawn


def png(picture: str, paper: str, faces: Sequence[Face]) -> bytes:
    """The pixels of an SVG whose texts are in these typefaces, the first one first."""
    files = list(dict.fromkeys(path for face in faces for path in (face.path, face.bold_path)))
    picture = _TEXT.sub(lambda found: _spelled(found, faces), picture) if len(faces) > 1 else picture
    return bytes(resvg_py.svg_to_bytes(svg_string=picture, background=paper, skip_system_fonts=True, font_files=files))


def _spelled(found: re.Match[str], faces: Sequence[Face]) -> str:
    """A text whose characters are each marked with the typeface that has them. resvg finds these by itself, but not in a text
    that has a ligature in one typeface and none in the other."""
    runs: list[tuple[Face, str]] = []
    for char in html.unescape(found[2]):
        stays = char == " " or unicodedata.category(char)[0] in "MC"
        has = (face for face in faces if ord(char) in typefaces.characters(face.path, face.index))
        face = runs[-1][0] if stays and runs else next(has, faces[0])
        if runs and runs[-1][0] is face:
            runs[-1] = (face, runs[-1][1] + char)
        else:
            runs.append((face, char))
    if len(runs) < 2:
        return found[0]
    spans = "".join(f'<tspan font-family="{face.family}">{html.escape(run, quote=False)}</tspan>' for face, run in runs)
    return f"<text{found[1]}>{spans}</text>"


def texts(picture: str, face: Face) -> list[PlacedText]:
    """The texts of an SVG by ECharts with their boxes."""
    placed = []
    for attributes, written in _TEXT.findall(picture):
        text = html.unescape(written)
        size, place = _SIZE.search(attributes), _PLACE.search(attributes)
        if not text.strip() or size is None or place is None:
            continue
        numbers = [float(part) for part in re.split(r"[\s,]+", place[2].strip())]
        x, y = numbers[-2:]
        height = float(size[1])
        width = measured(face, height, text)
        left = {"end": -width, "middle": -width / 2}.get(_anchor(attributes), 0.0) + _shift(attributes, "x")
        middle = _shift(attributes, "y")
        box = (left, middle - height / 2, left + width, middle + height / 2)
        is_upright = True
        if place[1] == "matrix":
            cosine, sine = numbers[0], numbers[1]
            is_upright = min(abs(cosine), abs(sine)) < 0.01
            if abs(sine) > 0.5:
                x0, y0, x1, y1 = box
                box = (y0, -x1, y1, -x0) if sine < 0 else (-y1, x0, -y0, x1)
        placed.append(PlacedText(text, (x + box[0], y + box[1], x + box[2], y + box[3]), is_upright))
    return placed


def _anchor(attributes: str) -> str:
    match = re.search(r'text-anchor="(\w+)"', attributes)
    return match[1] if match else "start"


def _shift(attributes: str, name: str) -> float:
    match = re.search(rf'\b{name}="(-?[\d.]+)"', attributes)
    return float(match[1]) if match else 0.0


def measured(face: Face, size: float, text: str) -> float:
    """How wide a text is in a typeface, in pixels; characters that it lacks count as its box for them."""
    return _font(face.path, face.index).getlength(text) * size / 40


@functools.lru_cache(maxsize=256)
def _font(path: str, index: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, 40, index=index)


@functools.cache
def _context(process: int) -> MiniRacer:
    """V8 with the script, one for each process: what a fork copies has lost its threads."""
    context = MiniRacer()
    context.eval("var setTimeout = function () {}, clearTimeout = function () {};")
    context.eval(script().read_text(encoding="utf-8") + ";0")
    context.eval(_RENDER + ";0")
    atexit.register(context.close)  # else the process doesn't end
    return context
