"""Figures a second on one core, beside a bare loop over the library that draws them, in turn and in the same run.

    python -m tests.bench.figures.figures [--figures 300] [--turns 3] [--seed 0]

- molecules: whole samples; and RDKit alone, which parses the same SMILES, lays each out, draws it in its own look on a canvas as
  large as the sample's image, and encodes it.
- charts: whole samples by matplotlib; and matplotlib alone, which draws charts of the same kinds, sizes and numbers of values
  with its defaults: no label, no look, no check, ASCII words. ECharts' charts are timed without a loop beside them.
- geometry: whole samples; and Cairo alone, which draws a triangle, a circle and three letters on an image as large as the
  sample's, and encodes it.
- stamps: whole samples; and Pillow alone, which cuts a piece out of a photograph, sets as many cut-outs of the same sizes on it,
  and encodes it. Both have read the photographs before.

A ratio is ours over the library's alone; at least 0.8 is asked for. What a sample takes on disk is its image and its label.
"""

import io
import math
import random
import time
from collections.abc import Callable
from statistics import median

import cairocffi
import numpy
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from rdkit import Chem, rdBase
from rdkit.Chem import rdChemReactions
from rdkit.Chem.Draw import rdMolDraw2D

from datagen.figures.charts import Charts, echarts_engine
from datagen.figures.chemistry.molecules import Molecules
from datagen.figures.geometry.geometry import Geometry
from datagen.record import SampleError
from datagen.samples import cutouts as stamps
from datagen.tables.cells import parse
from datagen.vision.maker import Stamps, photograph
from datagen.work.draws import Drawing, Maker
from recipes.run.sample_costs import record
from tests.bench.bars import at_least
from tests.bench.measuring import options
from tests.inputs.samples import encoded

LEAST = 0.8
RECORD_BYTES = 2500  # of a sample in a shard, beside its image and its text: its record and the archive's blocks
Alone = Callable[[Drawing], object]


def main() -> None:
    arguments = options(__doc__, figures=300, turns=3, seed=0).parse_args()
    kinds: dict[str, tuple[Maker, Alone | None]] = {
        "molecules": (Molecules(), rdkit_alone),
        "geometry": (Geometry(), cairo_alone),
        "charts by matplotlib": (Charts(renderers=("matplotlib",)), matplotlib_alone),
        "stamps": (Stamps(), pillow_alone),
    }
    if echarts_engine.kept().is_file():
        kinds["charts by ECharts"] = (Charts(renderers=("echarts",)), None)
    else:
        print("charts by ECharts: not in the cache; a run of make recipe=figures fetches it")
    print(f"{'a second, one core':<26}{'ours':>8}{'alone':>8}{'ratio':>8}{'bytes':>10}{'dropped':>9}")
    for name, (maker, alone) in kinds.items():
        measure(name, maker, alone, arguments.figures, arguments.turns, arguments.seed)
    of_mix = [drawn(maker, arguments.figures, arguments.seed + 1) for maker in (Molecules(), Geometry(), Charts())]
    names = "figures.molecule", "figures.geometry", "figures.chart"
    for name, (drawings, seconds) in zip(names, of_mix, strict=True):
        record("figures", {f"{name}_core_s": seconds / len(drawings), f"{name}_bytes": bytes_of(drawings) + RECORD_BYTES})


def measure(name: str, maker: Maker, alone: Alone | None, count: int, turns: int, seed: int) -> None:
    """Print a row: the medians of the turns of ours and of `alone`, which alternate."""
    drawn(maker, 20, seed + 2)  # what is loaded once
    drawings: list[Drawing] = []
    ours, theirs = [], []
    for _ in range(turns):
        drawings, seconds = drawn(maker, count, seed)
        ours.append(len(drawings) / seconds)
        if alone is None:
            continue
        started = time.process_time()
        for drawing in drawings:
            alone(drawing)
        theirs.append(len(drawings) / (time.process_time() - started))
    sizes = f"{bytes_of(drawings):>10,.0f}{count - len(drawings):>9}"
    if not theirs:
        print(f"{name:<26}{median(ours):>8.1f}{'-':>8}{'-':>8}{sizes}", flush=True)
        return
    ratio = median(ours) / median(theirs)
    print(f"{name:<26}{median(ours):>8.1f}{median(theirs):>8.1f}{ratio:>8.2f}{sizes}  ({at_least(ratio, LEAST)})", flush=True)


def bytes_of(drawings: list[Drawing]) -> float:
    return sum(len(of.image or b"") + len(of.text) for of in drawings) / len(drawings)


def drawn(maker: Maker, count: int, seed: int) -> tuple[list[Drawing], float]:
    """What the maker draws in `count` draws, and the processor's seconds that they took."""
    drawings = []
    started = time.process_time()
    for number in range(count):
        try:
            drawings.append(maker.draw(random.Random(f"bench {seed} {number}")))
        except SampleError:
            continue
    return drawings, time.process_time() - started


def rdkit_alone(drawing: Drawing) -> object:
    canvas = rdMolDraw2D.MolDraw2DCairo(*drawing.size)
    with rdBase.BlockLogs():
        if ">" in drawing.text:
            canvas.DrawReaction(rdChemReactions.ReactionFromSmarts(drawing.text, useSmiles=True))
        else:
            rdMolDraw2D.PrepareAndDrawMolecule(canvas, Chem.MolFromSmiles(drawing.text))
    canvas.FinishDrawing()
    return canvas.GetDrawingText()


def cairo_alone(drawing: Drawing) -> object:
    width, height = drawing.size
    surface = cairocffi.ImageSurface(cairocffi.FORMAT_RGB24, width, height)
    pen = cairocffi.Context(surface)
    pen.set_source_rgb(1, 1, 1)
    pen.paint()
    pen.set_source_rgb(0, 0, 0)
    corners = _corners(width, height)
    for x, y in corners:
        pen.line_to(x, y)
    pen.close_path()
    pen.stroke()
    pen.arc(width / 2, height / 2, min(width, height) / 4, 0, 2 * math.pi)
    pen.stroke()
    pen.set_font_size(16)
    for letter, (x, y) in zip("ABC", corners, strict=False):
        pen.move_to(x, y)
        pen.show_text(letter)
    file = io.BytesIO()
    surface.write_to_png(file)
    return file.getvalue()


def matplotlib_alone(drawing: Drawing) -> object:
    """A chart of the same kind, size and numbers of categories and series, as a script of ten lines draws it."""
    kind, table, size = drawing.metadata["kind"], parse(drawing.text), drawing.size
    num, series = max(2, table.num_rows - 2), max(1, table.num_columns - 1)
    names = [f"Name {place}" for place in range(num)]
    values = numpy.linspace(10, 90, num * series).reshape(series, num)
    figure = Figure((size[0] / 100, size[1] / 100), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection="polar" if kind == "radar" else None)
    match kind:
        case "pie" | "donut":
            axes.pie(values[0], labels=names, autopct="%.0f%%", wedgeprops={"width": 0.4 if kind == "donut" else 1})
        case "scatter":
            axes.scatter(range(num), values[0])
        case "box":
            axes.boxplot([values[:, place] for place in range(num)], tick_labels=names)
        case "heat_map":
            figure.colorbar(axes.imshow(values))
            for (row, column), value in numpy.ndenumerate(values):
                axes.text(column, row, f"{value:.0f}", ha="center", va="center")
        case "radar":
            for row in values:
                axes.plot(numpy.linspace(0, 2 * numpy.pi, num), row)
        case "line" | "area":
            for row in values:
                axes.plot(names, row, marker="o", label="series")
                if kind == "area":
                    axes.fill_between(names, row)
        case "horizontal":
            for place, row in enumerate(values):
                axes.barh(numpy.arange(num) + place / series, row, 1 / series, label="series")
        case _:
            for place, row in enumerate(values):
                axes.bar(numpy.arange(num) + place / series, row, 1 / series, label="series")
            if kind == "composite":
                axes.twinx().plot(range(num), values[0])
    axes.set_title("A title")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def pillow_alone(drawing: Drawing) -> object:
    cutouts, photographs = stamps.packaged()
    source = random.Random(drawing.caption)
    whole = photograph(source.choice(photographs).path)
    scale = min(whole.width / drawing.size[0], whole.height / drawing.size[1])
    picture = whole.resize(drawing.size, Image.Resampling.BILINEAR, (0, 0, scale * drawing.size[0], scale * drawing.size[1]))
    for region in drawing.regions:
        with Image.open(source.choice(cutouts).path) as opened:
            box = region.box
            cutout = opened.convert("RGBA").resize((box.x1 - box.x0, box.y1 - box.y0), Image.Resampling.BICUBIC, reducing_gap=2.0)
        picture.paste(cutout, (box.x0, box.y0), cutout)
    return encoded(picture, "JPEG", quality=88)


def _corners(width: int, height: int) -> list[tuple[float, float]]:
    return [(width * 0.1, height * 0.9), (width * 0.9, height * 0.9), (width * 0.4, height * 0.1)]


if __name__ == "__main__":
    main()
