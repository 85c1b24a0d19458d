"""How charts look: sizes, typefaces, colours, lines, grids, legends and labels, hundreds of combinations by random numbers."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

# fmt: off
PALETTES = (
    ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f"),  # matplotlib, Tableau
    ("#5470c6", "#91cc75", "#fac858", "#ee6666", "#73c0de", "#3ba272", "#fc8452", "#9a60b4"),  # ECharts
    ("#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f", "#edc948", "#b07aa1", "#ff9da7"),
    ("#66c2a5", "#fc8d62", "#8da0cb", "#e78ac3", "#a6d854", "#ffd92f", "#e5c494", "#b3b3b3"),  # ColorBrewer's Set2
    ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#666666"),  # its Dark2
    ("#4472c4", "#ed7d31", "#a5a5a5", "#ffc000", "#5b9bd5", "#70ad47", "#264478", "#9e480e"),  # office suites
    ("#004586", "#ff420e", "#ffd320", "#579d1c", "#7e0021", "#83caff", "#314004", "#aecf00"),
    ("#e64b35", "#4dbbd5", "#00a087", "#3c5488", "#f39b7f", "#8491b4", "#91d1c2", "#7e6148"),  # journals
    ("#003f5c", "#58508d", "#bc5090", "#ff6361", "#ffa600", "#488f31", "#2f4b7c", "#a05195"),
    ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#8ab17d", "#287271", "#b5838d"),
    ("#0b3954", "#087e8b", "#bfd7ea", "#ff5a5f", "#c81d25", "#6b717e", "#f5a65b", "#89023e"),
    ("#111111", "#888888", "#bbbbbb", "#555555", "#dddddd", "#333333", "#a0a0a0", "#707070"),  # print
    ("#08306b", "#2171b5", "#6baed6", "#c6dbef", "#084594", "#4292c6", "#9ecae1", "#deebf7"),
)
DARK = ("#4992ff", "#7cffb2", "#fddd60", "#ff6e76", "#58d9f9", "#05c091", "#ff8a45", "#8d48e3")
MAPS = ("viridis", "YlOrRd", "Blues", "Greens", "coolwarm", "RdYlBu", "YlGnBu", "magma", "Greys", "PuBu", "cividis", "Oranges")
_MIN_DISTANCE = 0.19  # of red, green and blue, each from 0 to 1: nearer ones are taken for each other in a legend
_MAX_SLICES, _MAX_SERIES = 7, 5
_MIN_CONTRAST = 0.14  # of luminance: paler marks can't be made out
LIGHT_PAPERS = ("#ffffff", "#ffffff", "#ffffff", "#ffffff", "#fafafa", "#f7f7f2", "#fdf6e3", "#eef3f7", "#f0f0f0")
# fmt: on


@dataclass(frozen=True)
class Look:
    """A look that any renderer can follow; what one can't do, it leaves out. Sizes are in pixels, of letters too; colours are
    hexadecimal."""

    width: int
    height: int
    size: float
    title_size: float
    is_serif: bool
    is_title_bold: bool
    title_place: str  # left, center, right
    palette: tuple[str, ...]
    paper: str
    plot_paper: str
    ink: str
    colour_map: str
    grid: str  # "", y, both
    grid_style: str  # solid, dashed, dotted
    spines: str  # all, bottom, left
    legend: str  # top, right, bottom, inside; "" where the names of slices stand beside these
    has_legend_frame: bool
    has_labels: bool
    has_axis: bool
    num_ticks: int
    from_zero: bool
    line_width: float
    marker: str
    has_markers: bool
    bar_width: float
    edge: str
    hatch: bool
    opacity: float
    is_smooth: bool
    hole: float
    start_angle: int
    is_donut_labelled_outside: bool
    percent_decimals: int
    labels_rotate: int
    margin: float


def luminance(colour: str) -> float:
    """How light a hexadecimal colour is, from 0 to 1."""
    red, green, blue = _parts(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def distinct(palette: Sequence[str], paper: str) -> list[str]:
    """The colours of a palette that can be seen on a paper, and be told from those before them."""
    colours: list[str] = []
    for colour in palette:
        is_seen = abs(luminance(colour) - luminance(paper)) > _MIN_CONTRAST
        if is_seen and all(math.dist(_parts(colour), _parts(other)) > _MIN_DISTANCE for other in colours):
            colours.append(colour)
    return colours


def _parts(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))


def ink_on(paper: str) -> str:
    """Black or white, whichever can be read on a colour."""
    return "#000000" if luminance(paper) > 0.5 else "#ffffff"


def look(draw: random.Random, kind: str) -> Look:
    is_dark = draw.random() < 0.07
    paper = draw.choice(("#100c2a", "#1e1e1e", "#222b3a")) if is_dark else draw.choice(LIGHT_PAPERS)
    plot_paper = draw.choice(("#ffffff", "#f2f2f2", "#eaeaf2")) if not is_dark and draw.random() < 0.2 else paper
    most = _MAX_SLICES if kind in ("pie", "donut") else _MAX_SERIES
    able = [colours for palette in PALETTES if len(colours := distinct(palette, plot_paper)) >= most]
    palette = list(distinct(DARK, plot_paper) if is_dark else draw.choice(able))
    if draw.random() < 0.6:
        shift = draw.randrange(len(palette))
        palette = palette[shift:] + palette[:shift]
    has_labels = draw.random() < {"line": 0.25, "area": 0.15, "heat_map": 0.6, "pie": 0.85, "donut": 0.85}.get(kind, 0.45)
    width = draw.randint(480, 1000)
    size = draw.uniform(11, 15) * (1.1 if width > 800 else 1.0)
    return Look(
        width=width,
        height=round(width * draw.uniform(0.55, 0.85)),
        size=size,
        title_size=size * draw.uniform(1.1, 1.5),
        is_serif=draw.random() < 0.25,
        is_title_bold=draw.random() < 0.4,
        title_place=draw.choice(("center", "center", "center", "left", "left", "right")),
        palette=tuple(palette),
        paper=paper,
        plot_paper=plot_paper,
        ink=draw.choice(("#e8e8e8", "#ffffff"))
        if is_dark
        else draw.choice(("#000000", "#000000", "#333333", "#444444", "#22313f")),
        colour_map=draw.choice(MAPS),
        grid=draw.choice(("", "y", "y", "y", "both")),
        grid_style=draw.choice(("solid", "solid", "dashed", "dotted")),
        spines=draw.choice(("all", "all", "bottom", "left", "left")),
        legend=draw.choice(("top", "right", "bottom", "inside", "inside")),
        has_legend_frame=draw.random() < 0.4,
        has_labels=has_labels,
        has_axis=not (has_labels and draw.random() < 0.3) and draw.random() < 0.97,
        num_ticks=draw.randint(4, 8),
        from_zero=draw.random() < 0.4,
        line_width=draw.uniform(1.2, 3.2),
        marker=draw.choice("osD^v"),
        has_markers=draw.random() < 0.6,
        bar_width=draw.uniform(0.45, 0.85),
        edge=draw.choice(("", "", "", "#ffffff", "#000000")),
        hatch=draw.random() < 0.08,
        opacity=draw.choice((1.0, 1.0, 0.85, 0.7)),
        is_smooth=draw.random() < 0.25,
        hole=draw.uniform(0.4, 0.7),
        start_angle=draw.choice((90, 90, 90, 0, draw.randrange(360))),
        is_donut_labelled_outside=draw.random() < 0.5,
        percent_decimals=draw.choice((0, 0, 1, 1, 2)),
        labels_rotate=draw.choice((30, 45, 45, 90)),
        margin=draw.uniform(3, 16),
    )
