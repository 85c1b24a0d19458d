"""Running a recipe: its steps in order, each in its folder of the output, and how it ended as an exit code."""

import importlib
import logging
import os
import textwrap
from typing import Any

from rich.pretty import pretty_repr

from datagen import dataset, temporary
from datagen.alike import MarkAlike
from datagen.pipeline import Pipeline
from datagen.runner import make_runner
from datagen.storage import Folder
from flywheel.step import Flywheel
from model.step import Train
from recipes import called, forget, mixture
from recipes.rates import rates
from recipes.recipe import Recipe, Report, Step
from recipes.steps import OK, SHARD_FAILED, Place

log = logging.getLogger(__name__)

_MODULES = {Pipeline: "pipeline", MarkAlike: "mark", Flywheel: "flywheel", Train: "train", Report: "report"}


def run(recipe: Recipe, place: Place, words: dict[str, Any] | None = None) -> int:
    """Run what has not run yet; returns the exit code. Raises `ValueError` for what the user has to change.

    `words` are those that the recipe of this name was called with, for verbs that come later.

    After a step with failed shards only the report is made: what follows would be made from a part, and made to stay.
    """
    if not recipe.steps:
        raise ValueError(f"{recipe.name} needs input=LIST.parquet, or a folder or a glob; plan=1 says what all of it would cost")
    # OpenMP's threads spin while they wait, and two teams of them that do so on the same cores bring each other to a halt.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out = Folder(place.out)
    make_runner(place.on, place.workers)  # a wrong word is said before anything is touched
    code = OK
    with dataset.lock(out):
        if temporary.sweep():
            log.info("swept temporary files that an interrupted run had left on this machine")
        forget.finish(out)
        for step in recipe.steps:
            if code == SHARD_FAILED and not isinstance(step, Report):
                log.error("%s: not begun, since shards before it failed", step.name)
                continue
            if sum(out.sub(name).sweep() for name in _module(step).folders(step, out)):
                log.info("%s: swept what an interrupted run had left under construction", step.name)
            code = max(code, _module(step).run(step, recipe.name, out, place))
            if words is not None:
                called.remember(out, recipe.name, words)
    return code


def plan(recipe: Recipe, place: Place) -> str:
    """What `run` would do, for people. Runs nothing, writes nothing; fetches nothing but documents that `deep` looks into."""
    out = Folder(place.out)
    lines = [f"{recipe.name} -> {place.out} (on={place.on}, overwrite={int(place.overwrite)})"]
    if recipe.mixture:
        lines += ["", mixture.table(recipe.mixture, rates())]
    for step in recipe.steps:
        said = _module(step).plan(step, out, place)
        lines += ["", f"{step.name}: {said}", textwrap.indent(pretty_repr(step, max_width=110), "  ")]
    return "\n".join(lines)


def _module(step: Step) -> Any:
    return importlib.import_module(f"recipes.steps.{_MODULES[type(step)]}")
