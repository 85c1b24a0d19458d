"""Charts a second on one core, beside a bare loop over the drawing library, by each renderer.

    python -m tests.bench.figures.charts [--count 130] [--seed 1]

`--count` charts by each renderer, of each kind as many as of another. matplotlib's bare loop draws charts of the same kinds,
sizes and numbers of values with nothing but matplotlib: its defaults, its layout that keeps texts from being cut, the data
there already, no label, no look, no check, ASCII words, PNG. The bare loops of ECharts and Vega-Lite make the same SVG of the
same option or specification, and pixels of it. Both loops run in one process with one thread, in turns, and their processor
time is compared.
"""

import io
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy
import vl_convert
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from datagen.figures.charts import KINDS, Charts, echarts_engine
from datagen.figures.charts.faces import languages
from datagen.record import SampleError
from datagen.tables.cells import parse
from datagen.work.draws import Drawing
from recipes.sample_costs import record
from tests.bench.figures.figures import RECORD_BYTES
from tests.bench.measuring import options

Bare = Callable[[str, Drawing], None]


def main() -> None:
    arguments = options(__doc__, count=130, seed=1).parse_args()
    costs = [compare("matplotlib", _bare_matplotlib, arguments.count, arguments.seed)]
    if echarts_engine.kept().is_file():
        again = _Again((echarts_engine, "svg"), (echarts_engine, "png"))
        costs.append(compare("echarts", again, arguments.count, arguments.seed))
    else:
        print("echarts: not in the cache; a run of make recipe=figures fetches it")
    again = _Again((vl_convert, "vegalite_to_svg"), (echarts_engine, "png"))
    costs.append(compare("vega", again, arguments.count, arguments.seed))
    core_s, num_bytes = (sum(parts) / len(costs) for parts in zip(*costs, strict=True))
    record("charts", {"figures.chart_core_s": core_s, "figures.chart_bytes": num_bytes + RECORD_BYTES})


def compare(renderer: str, bare_loop: Bare, count: int, seed: int) -> tuple[float, float]:
    """Print both rates, the maker's ratio to the bare one, and what each kind takes. Seconds of a core and bytes of a chart."""
    ours, bare, refused, num_bytes, num_cells = 0.0, 0.0, Counter[str](), 0, 0
    kinds = [kind for kind in KINDS if (renderer, kind) != ("vega", "radar")]
    makers = {kind: Charts((kind,), renderers=(renderer,)) for kind in kinds}
    for kind in kinds:  # typefaces, words and caches, which a worker sets up once
        if first := _made(makers[kind], "first"):
            bare_loop(kind, first)
    for lang in languages():
        _made(Charts(("bar", "scatter"), (lang,), (renderer,)), "first")
    num_made, of_kind = 0, Counter[str]()
    for number in range(count):
        kind = kinds[number % len(kinds)]
        start = time.process_time()
        drawing = _made(makers[kind], f"{seed} {number}")
        took = time.process_time() - start
        ours += took
        of_kind[kind] += round(1e6 * took)
        if drawing is None:
            refused[kind] += 1
            continue
        num_made += 1
        num_bytes += len(drawing.image or b"") + 2 * len(drawing.text.encode())  # the label stands in the region, too
        table = parse(drawing.text)
        num_cells += table.num_rows * table.num_columns
        start = time.process_time()
        bare_loop(kind, drawing)
        bare += time.process_time() - start
    rates = num_made / ours, num_made / bare
    print(f"{renderer}: {rates[0]:.1f} charts a second and core; bare loop: {rates[1]:.1f}; {rates[0] / rates[1]:.2f} of it")
    print(f"  {num_made} made of {count}, {num_bytes / num_made / 1000:.0f} kB and {num_cells / num_made:.0f} cells each")
    print(f"  refused: {', '.join(f'{kind} {number}' for kind, number in refused.items()) or 'none'}")
    each = count / len(kinds) * 1000
    print("  ms each: " + ", ".join(f"{kind} {total / each:.0f}" for kind, total in of_kind.items()))
    return ours / num_made, num_bytes / num_made


class _Again:
    """The last calls of some functions of modules, again."""

    def __init__(self, *functions: tuple[Any, str]) -> None:
        self.calls: dict[str, Any] = {}
        for module, name in functions:
            setattr(module, name, self._noted(name, getattr(module, name)))

    def _noted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            self.calls[name] = (call, arguments)
            return call(*arguments)

        return noted

    def __call__(self, kind: str, drawing: Drawing) -> None:
        for call, arguments in list(self.calls.values()):
            call(*arguments)


def _made(maker: Charts, identity: str) -> Drawing | None:
    try:
        return maker.draw(random.Random(identity))
    except SampleError:
        return None


def _bare_matplotlib(kind: str, drawing: Drawing) -> None:
    """A chart of a kind with as many categories and series, as a script of ten lines draws it."""
    table, size = parse(drawing.text), drawing.size
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


if __name__ == "__main__":
    main()
