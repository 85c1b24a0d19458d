"""Figures made here, with exact labels, for the prompt "Parse the figure." Each kind is a dataset of its own: a training weighs
each by itself, a new version of one maker leaves the others' figures unchanged, and a user may want a single kind."""

import logging
from pathlib import Path
from typing import Annotated, NamedTuple

from datagen.samples.molecules import PACKAGES
from datagen.work.draws import Draws, DrawSource, Maker
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus
from recipes.words.values import path

log = logging.getLogger(__name__)

NAME = "figures"
DEFAULT_LIMIT = 16_000  # a thousandth of the paper's
BLOCK = 50  # draws of an item


class Kind(NamedTuple):
    """A kind of figures: its share, in millions as in the paper; the approximate seconds of a core and bytes of each figure."""

    share: int
    core_s: float
    num_bytes: int


KINDS = {
    "charts": Kind(10, 0.07, 31_000),
    "molecules": Kind(5, 0.01, 11_000),
    "geometry": Kind(1, 0.006, 13_000),
    "figure-pages": Kind(0, 0.4, 180_000),
}
"""The kinds by the names of their datasets, which are the makers' names. A kind without a share in the paper is made only on
request."""


def _maker(kind: str, molecules: str) -> Maker:
    """The maker of a kind of figures; `molecules` is a list of molecules."""
    if kind == "molecules":
        from datagen.figures.chemistry.molecules import Molecules

        return Molecules(molecules)
    if kind == "geometry":
        from datagen.figures.geometry.geometry import Geometry

        return Geometry()
    if kind == "figure-pages":
        from datagen.figures.figure_pages import FigurePages

        return FigurePages(tuple(_maker(one, molecules) for one in ("charts", "molecules", "geometry")))
    from datagen.figures.charts import Charts
    from datagen.figures.charts.echarts_engine import script

    try:
        script()
    except ValueError as error:
        log.warning("charts are drawn without ECharts: %s", error)
        return Charts(renderers=("matplotlib",))
    return Charts(renderers=("matplotlib", "echarts"))


def _draws(kind: str, molecules: str, count: int, seed: int) -> Draws:
    if kind == "molecules":
        from datagen.figures.chemistry.molecules import MoleculeDraws

        return MoleculeDraws(kind, count, seed, BLOCK, molecules)
    if kind == "figure-pages":
        from datagen.figures.figure_pages import FigurePageDraws

        return FigurePageDraws(kind, count, seed, BLOCK, (_draws("molecules", molecules, BLOCK, seed),))
    return Draws(kind, count, seed, BLOCK)


def figures(
    limit: int = 0,
    kinds: Annotated[
        str, "A,B,…", "which kinds of figures to make; default: all but figure-pages, which are pages with some of each"
    ] = "",
    molecules: Annotated[
        str, "FILE", "a list of SMILES to draw, as .smi, .csv or PubChem's CID-SMILES.gz; default: packaged ones", path
    ] = "",
    seed: int = 0,
    benchmarks: str = "",
) -> Recipe:
    """Figures made here, with exact labels: charts as tables, chemical structures as SMILES, plane geometry. At most `limit`
    figures of the `kinds`, in whole blocks of 50, by default in the paper's proportions, and at least a block of each. Raises
    `ValueError` for an unknown kind, a missing list, and a list without a use."""
    names = list(dict.fromkeys(part for part in kinds.split(",") if part)) or [name for name in KINDS if KINDS[name].share]
    if unknown := [name for name in names if name not in KINDS]:
        raise ValueError(f"kinds={kinds}: there is no kind {unknown[0]!r}: allowed are {', '.join(KINDS)}")
    if molecules and not {"molecules", "figure-pages"} & set(names):
        raise ValueError(f"molecules={molecules}: kinds={kinds} has no molecules; leave one of the words out, or add that kind")
    if molecules and not Path(molecules).is_file():
        raise ValueError(f"molecules={molecules}: no such file; a list of SMILES is needed, as .smi or .csv, gzipped or not")
    blocks = _blocks(names, (limit or DEFAULT_LIMIT) // BLOCK)
    made = []
    for name in names:
        kind, count = KINDS[name], blocks[name] * BLOCK
        maker = _maker(name, molecules or PACKAGES)
        source = DrawSource(maker, stage=NAME, core_s=kind.core_s, num_bytes=kind.num_bytes)
        made.append(Pipeline(name, _draws(name, molecules or PACKAGES, count, seed), source, ()))
    return corpus(NAME, made, benchmarks, seed=seed)


def _blocks(names: list[str], num: int) -> dict[str, int]:
    """The number of blocks of each kind, `num` in all, at least one each. Each further block goes to the kind that is then
    nearest to its share, after Sainte-Laguë, so no kind has fewer of more blocks."""
    blocks = dict.fromkeys(names, 1)
    for _ in range(num - len(names)):
        blocks[max(names, key=lambda name: max(1, KINDS[name].share) / (blocks[name] + 0.5))] += 1
    return blocks
