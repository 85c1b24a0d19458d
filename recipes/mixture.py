"""One mixture for a training: datasets in shares of 70, 20 and 10%, and of the paper's shares within; missing ones are made.

Each part has a word with its origin: the input of the part's own recipe, or `packages`, its default input; `none`; a dataset, or
the output of a recipe, which is used in its place. A part without input is left out. A run that names no part makes a little of
each from packages.
"""

import glob
import os
from dataclasses import dataclass, replace
from pkgutil import resolve_name
from typing import Annotated, Any, NamedTuple

from datagen.coarse.source import PdfSource
from datagen.curation.mark_similar import MarkAlike
from datagen.disk.storage import Folder
from datagen.samples.documents import DebianSamples
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, Report, Step, benchmark_folder
from recipes.words.values import part

PACKAGES, NONE = "packages", "none"
RECIPES_OF = {
    "pages": "coarse",
    "fine": "fine",
    "minority": "",
    "word": "word",
    "markup": "markup",
    "scene": "scene",
    "figures": "figures",
    "vision": "vision",
    "texts": "texts",
}
"""The recipe of each part, by the part's word; "" for a part that is only taken from an output."""
DEFAULT_LIMIT = 6
DRAWS_A_DOCUMENT, TEXTS_A_DOCUMENT = 50, 5
DEFAULT_PAGES = 10  # of each document of the packages


class Drawn(NamedTuple):
    """Datasets of a part, by the part's key in `PAPER`. Without a slash `where` is a dataset of this output; otherwise the place
    of another one, or the output of a recipe with datasets for this part."""

    part: str
    where: str


@dataclass(frozen=True)
class WriteMixture:
    """Writes `mixture.json`, the data of `make recipe=train data=…/mixture.json`: the datasets `drawn`, with the paper's weights.
    `left_out` are parts without input."""

    drawn: tuple[Drawn, ...]
    left_out: tuple[str, ...] = ()
    name: str = "mixture"


def mixture(
    pages: Annotated[str, "WHERE", "coarse pages: an input, packages (sample data), none, or an earlier output", part] = "",
    fine: Annotated[str, "WHERE", "annotated pages: values as for pages", part] = "",
    minority: Annotated[str, "DIR", "an output of multilingual: pages and lines that its flywheel labelled", part] = "",
    word: Annotated[str, "WHERE", "Word documents: values as for pages", part] = "",
    markup: Annotated[str, "WHERE", "pages laid out from markup, in the share of fine: values as for pages", part] = "",
    scene: Annotated[str, "WHERE", "pictures with text: values as for pages", part] = "",
    figures: Annotated[
        str, "WHERE", "figures: packages (default), molecules to draw, none, or an output that has them", part
    ] = "",
    vision: Annotated[str, "WHERE", "pictures with captions: values as for pages", part] = "",
    texts: Annotated[str, "WHERE", "texts without images: values as for pages", part] = "",
    scene_list: Annotated[str, "NAME", "the published list of scene='s pictures, as list= of the recipe scene"] = "",
    vision_list: Annotated[str, "NAME", "the published list of vision='s pictures, as list= of the recipe vision"] = "",
    limit: int = 0,
    benchmarks: str = "",
) -> Recipe:
    """One mixture for a training: each part's dataset made where it is missing, weighted as in the paper. Figures need no input,
    and are made unless that is `none`. At most `limit` documents of each part, fifty times as many pictures drawn here, and from
    packages five times as many texts, which are short."""
    given = {
        "pages": pages, "fine": fine, "minority": minority, "word": word, "markup": markup,
        "scene": scene, "figures": figures, "vision": vision, "texts": texts,
    }  # fmt: skip
    if minority == PACKAGES:
        raise ValueError(f"minority={minority}: say minority=DIR, an output of make recipe=multilingual")
    lists = {"scene": scene_list, "vision": vision_list}
    for key, name in lists.items():
        if name and given[key] in ("", PACKAGES, NONE):
            raise ValueError(f"{key}_list={name}: it is the list of the pictures at {key}=WHERE, which are missing")
    if not any(given.values()):  # without pages from markup, which need a browser
        given = {key: PACKAGES if recipe and key != "markup" else "" for key, recipe in RECIPES_OF.items()}
        limit = limit or DEFAULT_LIMIT
    given["figures"] = given["figures"] or PACKAGES
    steps: dict[str, Step] = {}
    drawn: dict[Drawn, None] = {}
    made: dict[str, None] = {}
    for key, where in given.items():
        if where in ("", NONE):
            continue
        if output := _output(where):
            drawn |= dict.fromkeys(Drawn(name, output) for name in _parts(key))
            continue
        if where != PACKAGES and "://" not in where and not glob.has_magic(where) and not os.path.exists(where):
            raise ValueError(f"{key}={where}: no such file or folder")  # before any part is made
        if not RECIPES_OF[key]:
            raise ValueError(f"{key}={where}: no output and no dataset is there; make recipe=multilingual makes one")
        recipe = _recipe(key, where, lists.get(key, ""), limit)
        for step in recipe.steps:
            if isinstance(step, MarkAlike):
                made |= dict.fromkeys(step.datasets)
                drawn |= dict.fromkeys(Drawn(name if name in _parts(key) else _parts(key)[0], name) for name in step.datasets)
            elif not isinstance(step, Report):
                steps[step.name] = step
    if not drawn:
        raise ValueError("mixture: every part is none; name one, as texts=DIR")
    left_out = tuple(key for key, where in given.items() if not where and key != "markup")
    alike = (MarkAlike(datasets=tuple(made), benchmarks=benchmark_folder(benchmarks)),) if made else ()
    return Recipe("mixture", (*steps.values(), *alike, WriteMixture(tuple(drawn), left_out), Report(datasets=tuple(made))))


def _parts(key: str) -> tuple[str, ...]:
    """The parts of `PAPER` for a word."""
    return {"figures": ("charts", "molecules", "geometry"), "markup": ("fine",)}.get(key, (key,))


def _output(where: str) -> str:
    """The path or the URL of a dataset, or of a recipe's output, at `where`; "" if there is neither."""
    folder = Folder(where.rstrip("/"))
    if where == PACKAGES or "::" in where or not any(map(folder.exists, ("shards", "recipe.json"))):
        return ""
    return str(folder.local or folder.url)


def _recipe(key: str, where: str, pictures: str, limit: int) -> Recipe:
    """The recipe of a part. Raises `ValueError` as its function does."""
    from recipes import RECIPES  # here, since its table names this file

    entry = RECIPES[RECIPES_OF[key]]
    is_drawn = key == "figures" or (key == "vision" and where == PACKAGES)
    factor = DRAWS_A_DOCUMENT if is_drawn else TEXTS_A_DOCUMENT if key == "texts" and where == PACKAGES else 1
    words: dict[str, Any] = {"limit": limit * factor}
    if where != PACKAGES:
        words |= {"molecules" if key == "figures" else "input": where}
        words |= {"list": pictures} if pictures else {}
    if key == "pages" and where == PACKAGES:
        return _pages_of_packages(resolve_name(entry.function)(input=".", limit=limit))
    recipe: Recipe = resolve_name(entry.function)(**words)
    return recipe


def _pages_of_packages(recipe: Recipe) -> Recipe:
    source = PdfSource(max_pages=DEFAULT_PAGES)
    steps = (replace(s, census=DebianSamples(), source=source) if isinstance(s, Pipeline) else s for s in recipe.steps)
    return replace(recipe, steps=tuple(steps))
