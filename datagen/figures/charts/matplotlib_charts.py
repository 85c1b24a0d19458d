"""Charts drawn by matplotlib, which shapes all scripts from version 3.11 on, and what the picture shows of their values.

A look is refused in which the chart's texts would lie over each other or leave the picture.
"""

import functools
import importlib.metadata
import io
import math
import os
import warnings

import matplotlib
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from PIL import Image

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.faces import Face
from datagen.figures.charts.label import COLOURS, Shown
from datagen.figures.charts.looks import Look
from datagen.figures.charts.matplotlib_frame import dress
from datagen.figures.charts.matplotlib_marks import POINTS, Marks, mark
from datagen.figures.charts.plan import NoRoom, Picture, first_overlap

_DPI = 100
_OVER = 1.5  # pixels by which a text may be over another's line, or the picture's edge: lines are higher than their ink
_BESIDE = 1.0  # pixels, half of what must be free between two texts in a row


def versions() -> dict[str, str]:
    return {"matplotlib": importlib.metadata.version("matplotlib"), "pillow": importlib.metadata.version("pillow")}


def drawn(chart: Chart, look: Look, used: list[Face]) -> Picture:
    """The chart in the look. Raises `NoRoom` where its texts find no place."""
    _start()
    families, bold = ([_registered(face, is_bold) for face in used] for is_bold in (False, True))
    title = font_manager.FontProperties(family=bold if look.is_title_bold else families, size=look.title_size * POINTS)
    with matplotlib.rc_context(_style(look, families)), warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")  # of letters without a glyph, and of a layout that has no room
        figure = Figure((look.width / _DPI, look.height / _DPI), _DPI, facecolor=look.paper, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot(projection="polar" if chart.kind == "radar" else None, facecolor=look.plot_paper)
        marks = mark(axes, chart, look)
        dress(axes, marks, title)
        engine = figure.get_layout_engine()
        assert isinstance(engine, ConstrainedLayoutEngine)
        engine.set(w_pad=look.margin / _DPI, h_pad=look.margin / _DPI)
        if chart.kind == "radar":
            engine.execute(figure)  # the room that names around a circle take is known after its first layout
        canvas.draw()
    wrong = str(complaints[0].message) if complaints else _fault(figure) or _struck_out(marks) or _covered(marks)
    if wrong:
        raise NoRoom(wrong)
    size = canvas.get_width_height()
    buffer = io.BytesIO()
    Image.frombuffer("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB").save(buffer, "PNG", compress_level=4)
    return Picture(marks, _shown(marks), buffer.getvalue(), size)


def _shown(marks: Marks) -> Shown:
    """What can be read, now that everything has its place."""
    axes = marks.axes[0]
    pixels = [one.bbox.height for one in marks.axes]
    match marks.chart.kind:
        case "horizontal":
            pixels = [axes.bbox.width]
        case "pie" | "donut":
            pixels = [math.tau * (axes.transData.transform((1, 0))[0] - axes.transData.transform((0, 0))[0])]
        case "radar":
            pixels = [axes.bbox.height / 2]
        case "heat_map" if marks.bar:
            pixels = [min(COLOURS, marks.bar.bbox.height)]
    return marks.shown(pixels, axes.bbox.width)


def _fault(figure: Figure) -> str:
    """What is wrong with the places of the figure's texts; "" for nothing."""
    width, height = figure.canvas.get_width_height()
    boxes = []
    for text in texts(figure):
        extent = text.get_window_extent()
        if extent.x0 < -_OVER or extent.y0 < -_OVER or extent.x1 > width + _OVER or extent.y1 > height + _OVER:
            return f"{text.get_text()!r} leaves the picture"
        if text.get_rotation() % 90:
            continue  # its box is far larger than it is; the layout of names sees to these
        boxes.append((extent.x0 - _BESIDE, extent.y0 + _OVER, extent.x1 + _BESIDE, extent.y1 - _OVER, text.get_text()))
    if overlap := first_overlap(boxes):
        return overlap
    for axes in figure.axes:
        if min(axes.bbox.width, axes.bbox.height) < 0.3 * min(width, height) and axes.get_label() != "<colorbar>":
            return "its axes have no room"
    return ""


def _struck_out(marks: Marks) -> str:
    """Which number beside a bar a composite's line runs through; "" for none."""
    if marks.chart.kind != "composite":
        return ""
    line = marks.handles[-1]
    path = line.get_path().transformed(line.get_transform())
    for text in marks.axes[0].texts:
        if path.intersects_bbox(text.get_window_extent().padded(line.get_linewidth()), filled=False):
            return f"a line runs through {text.get_text()!r}"
    return ""


def _covered(marks: Marks) -> str:
    """Whether a legend within the axes reaches down to the values, or to the numbers over them; "" for no."""
    legend = marks.axes[-1].get_legend()
    if legend is None:
        return ""
    tops = [text.get_window_extent().y1 for one in marks.axes for text in one.texts]
    for number, one in enumerate(marks.axes):
        tops.append(one.transData.transform((0, marks.top(number)))[1])
    return "the legend lies over values" if legend.get_window_extent().y0 < max(tops) else ""


def texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: titles, names, numbers, legends."""
    artists = figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_visible() and bool(artist.get_text().strip()))
    return [text for text in artists if isinstance(text, Text)]


@functools.cache
def _start() -> None:
    """Forget what a user's matplotlibrc says, and this machine's typefaces, once for this process.

    Charts name typefaces that are registered here. Matplotlib looks through all that it has for each size of each of them, which
    took a quarter of a chart's time.
    """
    matplotlib.rcdefaults()
    matplotlib.use("agg", force=False)
    own = os.path.join(matplotlib.get_data_path(), "")
    manager = font_manager.fontManager
    manager.ttflist = [entry for entry in manager.ttflist if entry.fname.startswith(own)]


@functools.cache
def _registered(face: Face, is_bold: bool) -> str:
    """The name by which matplotlib knows a typeface of ours, whatever else it has found on this machine."""
    name = f"pagewheel {face.family}{' Bold' * is_bold}"
    path = face.bold_path if is_bold else face.path
    entry = font_manager.FontEntry(fname=path, index=face.index, name=name, style="normal", variant="normal", size="scalable")
    font_manager.fontManager.ttflist.append(entry)
    return name


def _style(look: Look, families: list[str]) -> dict:
    size = look.size * POINTS
    return {
        "font.family": families,
        "font.size": size,
        "axes.labelsize": size,
        "xtick.labelsize": size * 0.95,
        "ytick.labelsize": size * 0.95,
        "legend.fontsize": size * 0.95,
        "text.color": look.ink,
        "axes.labelcolor": look.ink,
        "axes.edgecolor": look.ink,
        "xtick.color": look.ink,
        "ytick.color": look.ink,
        "axes.unicode_minus": False,
        "legend.frameon": look.has_legend_frame,
        "legend.facecolor": look.plot_paper,
        "legend.edgecolor": look.ink,
        "legend.labelcolor": look.ink,
        "grid.linestyle": {"solid": "-", "dashed": "--", "dotted": ":"}[look.grid_style],
        "grid.color": "#888888",
        "grid.alpha": 0.4,
        "hatch.linewidth": 0.6,
        "text.parse_math": False,
        "svg.hashsalt": "pagewheel",
    }
