"""What charts' labels have that their pictures don't, and how far off their unprinted numbers are.

    python -m tests.bench.figures.chart_labels [--count 420] [--seed audit]

Draws the charts of seeds "audit 0", "audit 1", … by all renderers that are here, and holds each label against the texts of its
picture and against the chart's data:

- unseen names: titles, units and other heads of the table that aren't written in the picture.
- empty tables: no value at all.
- over 5% off: of the numbers that aren't printed in the picture, how many are more than 5% from the data, all and those of
  stacked charts. Values that a picture can't show exactly remain: a bar of few pixels.
"""

import importlib
import random
from collections import Counter
from typing import Any

from datagen.figures.charts import RENDERERS, Charts, echarts_engine, label
from datagen.figures.charts.chart_data import FIVE, Chart
from datagen.record import SampleError
from tests.bench.measuring import options
from tests.inputs.charts import rows, texts_of

FAR = 0.05


def main() -> None:
    arguments = options(__doc__, count=420, seed="audit").parse_args()
    names = tuple(name for name in RENDERERS if name != "echarts" or echarts_engine.kept().is_file())
    drawn_charts: list[tuple[str, Chart, Any]] = []
    for name in names:
        _note(name, drawn_charts)
    maker, counts, refused = Charts(renderers=names), Counter[tuple[str, str]](), 0
    for number in range(arguments.count):
        drawn_charts.clear()
        try:
            maker.draw(random.Random(f"{arguments.seed} {number}"))
        except SampleError:
            refused += 1
            continue
        for renderer, chart, drawn in drawn_charts:
            counts.update((row, what) for row in ("all", renderer, chart.kind) for what in looked_at(chart, drawn))
    print(f"{arguments.count} draws, {refused} refused")
    print(f"{'':<14}{'charts':>8}{'unseen names':>16}{'empty tables':>16}{'unprinted':>12}{'over 5% off':>14}")
    rest = sorted({row for row, _ in counts} - {"all", *names})
    for row in ("all", *names, *rest):
        charts, unseen, empty, unprinted, far = (counts[row, what] for what in ("charts", "unseen", "empty", "unprinted", "far"))
        shares = unseen / max(1, charts), empty / max(1, charts), far / max(1, unprinted)
        print(f"{row:<14}{charts:>8}{unseen:>8} {shares[0]:>7.1%}{empty:>8} {shares[1]:>7.1%}{unprinted:>12}{shares[2]:>14.1%}")


def _note(name: str, drawn_charts: list[tuple[str, Chart, Any]]) -> None:
    """Have a renderer note each chart that it draws."""
    module = importlib.import_module(RENDERERS[name])
    draw = module.draw

    def noted(chart: Chart, *others: Any) -> Any:
        drawn = draw(chart, *others)
        drawn_charts.append((name, chart, drawn))
        return drawn

    setattr(module, "draw", noted)  # noqa: B010  a module's attribute, which mypy knows nothing of


def looked_at(chart: Chart, drawn: Any) -> list[str]:
    """What to count for a chart: itself, and each thing that is wrong with it, and each number that isn't printed."""
    table = label.table(chart, drawn.shown)
    there = {_plain(text) for text in texts_of(drawn)}
    counted = ["charts"]
    known = there | ({*FIVE} if chart.kind == "box" else set())  # what a box's ends are called is the label's own
    if any(cell.text and _plain(cell.text) not in known for cell in table.cells if cell.is_header):
        counted.append("unseen")
    pairs = list(_numbers(chart, drawn, rows(chart, table)))
    counted += ["empty"] * (not any(text for text, _, _ in pairs))
    for text, value, is_printed in pairs:
        if text and not is_printed:
            counted.append("unprinted")
            counted += ["far"] * (abs(chart.numbers.value(text) - value) > FAR * abs(value))
    return counted


def _numbers(chart: Chart, drawn: Any, texts: list[list[str]]) -> Any:
    """The text of each value in the label, the value, and whether it is printed."""
    if chart.kind == "scatter":
        points = [(x, y) for series in chart.series for x, y in sorted(zip(series.xs, series.present, strict=True))]
        for row, (x, y) in zip(texts, points, strict=True):
            yield row[-2], x, False
            yield row[-1], y, False
        return
    for number, series in enumerate(chart.series):
        for place, value in enumerate(series.values):
            if value is not None:
                yield texts[place][1 + number].split(" ± ")[0], value, (number, place) in drawn.shown.printed


def _plain(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()
