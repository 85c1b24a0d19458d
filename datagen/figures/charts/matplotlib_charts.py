"""Charts drawn by matplotlib, which shapes all scripts from version 3.11 on, and what the picture shows of their values.

A chart whose texts would lie over each other or leave the picture is laid out otherwise: without value labels, with its names
turned or broken, in a larger picture. Where nothing helps it is refused.
"""

import functools
import importlib.metadata
import io
import os
import warnings
from dataclasses import dataclass, replace

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from PIL import Image

from datagen.figures.charts.chart_data import Chart
from datagen.figures.charts.crowding import first_overlap
from datagen.figures.charts.faces import Face, Faces, needed
from datagen.figures.charts.label import Shown
from datagen.figures.charts.looks import Look, settled
from datagen.figures.charts.matplotlib_frame import dress
from datagen.figures.charts.matplotlib_marks import mark
from datagen.figures.charts.matplotlib_plan import Marks
from datagen.record import SampleError

_DPI = 100
_POINTS = 72 / _DPI  # a pixel in points
_MEASURED = "lp"  # what matplotlib takes the height of a line from, in any script
_OVER = 1.5  # pixels by which a text may be over another's line, or the picture's edge: lines are higher than their ink
_BESIDE = 1.0  # pixels, half of what must be free between two texts in a row


@dataclass(frozen=True)
class Figures:
    """A chart as matplotlib has it, laid out and drawn. `marks` say where its values stand."""

    figure: Figure
    marks: Marks
    shown: Shown

    @property
    def size(self) -> tuple[int, int]:
        return self.figure.canvas.get_width_height()

    def png(self) -> bytes:
        canvas = self.figure.canvas
        assert isinstance(canvas, FigureCanvasAgg)
        buffer = io.BytesIO()
        Image.frombuffer("RGBA", self.size, bytes(canvas.buffer_rgba())).convert("RGB").save(buffer, "PNG", compress_level=4)
        return buffer.getvalue()


def versions() -> dict[str, str]:
    return {"matplotlib": importlib.metadata.version("matplotlib"), "pillow": importlib.metadata.version("pillow")}


def draw(chart: Chart, look: Look, faces: Faces) -> Figures:
    """The chart, drawn. Raises `SampleError` where its texts find no place."""
    _start()
    look = settled(look, chart)
    able = faces.serif if look.is_serif else faces.sans
    own = able[int(look.size * 1000) % len(able)]
    used = needed(own, faces.fallbacks, _words(chart))
    families, bold = ([_registered(face, is_bold) for face in used] for is_bold in (False, True))
    wrong = ""
    for attempt in _attempts(look):
        with matplotlib.rc_context(_style(attempt, families)), warnings.catch_warnings(record=True) as complaints:
            warnings.simplefilter("always")  # of letters without a glyph, and of a layout that has no room
            drawn = _drawn(chart, attempt, bold if look.is_title_bold else families)
        wrong = str(complaints[0].message) if complaints else _fault(drawn.figure) or _struck_out(drawn) or _covered(drawn)
        if not wrong:
            return drawn
    raise SampleError("chart_too_crowded", f"{chart.kind} with {len(chart.categories)} categories: {wrong}")


def _words(chart: Chart) -> str:
    """What a chart may say, numbers included."""
    numbers = (form.text(number, 1) for form in (chart.numbers, chart.x_numbers) for number in (-1234567890, 1234567890))
    return "".join((*chart.words(), *numbers, _MEASURED))


def _attempts(look: Look) -> list[Look]:
    """The look, and what to try after it: turned names, no labels, a larger picture."""
    turned = replace(look, labels_rotate=90, has_labels=False, has_axis=True)
    wide = replace(turned, width=round(look.width * 1.3), height=round(look.height * 1.35), legend="right")
    return [look, turned, wide]


def _drawn(chart: Chart, look: Look, title_families: list[str]) -> Figures:
    figure = Figure((look.width / _DPI, look.height / _DPI), _DPI, facecolor=look.paper, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="polar" if chart.kind == "radar" else None, facecolor=look.plot_paper)
    marks = mark(axes, chart, look)
    dress(axes, chart, look, marks, font_manager.FontProperties(family=title_families, size=look.title_size * _POINTS))
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine)
    engine.set(w_pad=look.margin / _DPI, h_pad=look.margin / _DPI)
    if chart.kind == "radar":
        engine.execute(figure)  # the room that names around a circle take is known after its first layout
    canvas.draw()
    return Figures(figure, marks, marks.shown())


def _fault(figure: Figure) -> str:
    """What is wrong with the places of the figure's texts; "" for nothing."""
    width, height = figure.canvas.get_width_height()
    boxes = []
    for text in _texts(figure):
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


def _struck_out(drawn: Figures) -> str:
    """Which number beside a bar a composite's line runs through; "" for none."""
    if drawn.marks.chart.kind != "composite":
        return ""
    line = drawn.marks.handles[-1]
    path = line.get_path().transformed(line.get_transform())
    for text in drawn.marks.axes[0].texts:
        if path.intersects_bbox(text.get_window_extent().padded(line.get_linewidth()), filled=False):
            return f"a line runs through {text.get_text()!r}"
    return ""


def _covered(drawn: Figures) -> str:
    """Whether a legend within the axes reaches down to the values, or to the numbers over them; "" for no."""
    marks, axes = drawn.marks, drawn.marks.axes[-1]
    legend = axes.get_legend()
    if legend is None:
        return ""
    tops = [text.get_window_extent().y1 for one in marks.axes for text in one.texts]
    for number, one in enumerate(marks.axes):
        tops.append(one.transData.transform((0, marks.top(number)))[1])
    return "the legend lies over values" if legend.get_window_extent().y0 < max(tops) else ""


def _texts(figure: Figure) -> list[Text]:
    """The texts that are drawn: titles, names, numbers, legends. Ticks keep texts that they don't draw."""
    texts: list[Text] = [*figure.texts, *_of(figure.legends)]
    if figure._suptitle is not None:  # type: ignore[attr-defined]
        texts.append(figure._suptitle)  # type: ignore[attr-defined]
    for axes in figure.axes:
        texts += [axes.title, axes._left_title, axes._right_title, *axes.texts, *_of([axes.get_legend()])]  # type: ignore[attr-defined]
        texts += _of_axis(axes)
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def _of_axis(axes: Axes) -> list[Text]:
    if not axes.axison:
        return []
    texts = []
    for axis in (axes.xaxis, axes.yaxis):
        texts.append(axis.label)
        for tick in axis.get_major_ticks():
            texts += [label for label in (tick.label1, tick.label2) if label.get_visible()]
    return texts


def _of(legends: list) -> list[Text]:
    return [text for legend in legends if legend for text in (*legend.get_texts(), legend.get_title())]


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
    size = look.size * _POINTS
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
