"""Running a recipe: its steps in order, each in its folder of the output, and how it ended as an exit code."""

import contextlib
import logging
import os
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rich.pretty import pretty_repr

from datagen.disk import temporary
from datagen.disk.storage import Folder
from datagen.work import dataset
from datagen.work.runner import make_runner
from recipes import RECIPES, paper_mixture
from recipes.recipe import Recipe, Report, Step
from recipes.run import recipe_json, slurm
from recipes.run.sample_costs import rates
from recipes.steps import OK, SHARD_FAILED, Place, StepRunner, runners
from recipes.verbs import forget

log = logging.getLogger(__name__)


def run(recipe: Recipe, place: Place, words: dict[str, Any] | None = None, steps: Sequence[Step] | None = None) -> int:
    """Run what has not run yet; returns the exit code. Raises `ValueError` for what the user has to change.

    `words` are those that the recipe of this name was called with, for verbs that come later. `steps`, where given, run in place
    of the recipe's.

    After a step with failed shards only the report is made: what follows would be made from a part, and made to stay.
    """
    if not recipe.steps:
        raise ValueError(f"{recipe.name} needs input=LIST.parquet, or a folder or a glob; plan=1 says what all of it would cost")
    # OpenMP's threads spin while they wait, and two teams of them that do so on the same cores bring each other to a halt.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out = Folder(place.out)
    _check(recipe, place)
    if _is_job(recipe, place):
        log.info("%s", slurm.submit(_script(recipe, place, words or {}), slurm.local_out(place.out)))
        return OK
    code = OK
    with dataset.lock(out):
        if temporary.sweep():
            log.info("swept temporary files that an interrupted run had left on this machine")
        for problem in forget.finish(out, recipe).problems:
            log.warning("forget: not finished: %s", problem)
        todo = runners(recipe, place, steps)
        for runner in todo:
            name = runner.step.name
            if code == SHARD_FAILED and not runner.runs_after_failure:
                log.error("%s: not begun, since shards before it failed", name)
                continue
            if sum(out.sub(folder).sweep() for folder in runner.folders()):
                log.info("%s: swept what an interrupted run had left under construction", name)
            with _known(out, recipe, words, runner):
                code = max(code, runner.run())
            for report in (r for r in todo if isinstance(r.step, Report) and name in r.step.after and code == OK):
                report.run()
            if words is not None:
                recipe_json.remember(out, recipe.name, words)
    return code


def _check(recipe: Recipe, place: Place) -> None:
    """Raises `ValueError` if the recipe can't run there, before anything is touched."""
    if _is_job(recipe, place):
        if not place.nodes:
            raise ValueError(f"{recipe.name} on=slurm needs nodes=N, how many machines with {slurm.GPUS} GPUs each")
        slurm.local_out(place.out)
        slurm.cluster()
        return
    if place.nodes:
        raise ValueError(f"nodes={place.nodes}: it goes with on=slurm, which asks for so many machines")
    if place.on == "inline" and place.gpus > 1:
        raise ValueError(f"gpus={place.gpus}: on=inline trains in this process alone; leave one of them out")
    if place.on == "srun" and _trains(recipe):
        slurm.allocated(place.gpus)
    else:
        make_runner(place.on, place.workers)


def _trains(recipe: Recipe) -> bool:
    return recipe.name in RECIPES and RECIPES[recipe.name].trains


def _is_job(recipe: Recipe, place: Place) -> bool:
    """Whether the recipe is handed to SLURM as a whole."""
    return place.on == "slurm" and _trains(recipe)


def _script(recipe: Recipe, place: Place, words: dict[str, Any]) -> str:
    own = recipe_json.absolute(recipe.name, words) | ({"overwrite": True} if place.overwrite else {})
    return slurm.script(recipe.name, own, slurm.local_out(place.out), place.nodes, place.gpus or slurm.GPUS, slurm.cluster())


@contextlib.contextmanager
def _known(out: Folder, recipe: Recipe, words: dict[str, Any] | None, runner: StepRunner[Any]) -> Iterator[None]:
    """For who looks at an output while its first step runs: the words are written down at once. A run that is refused leaves
    nothing of itself."""
    is_first = words is not None and not out.exists(recipe_json.NAME)
    if words is not None and is_first:
        recipe_json.remember(out, recipe.name, words)
    try:
        yield
    except ValueError:
        if is_first and not any(map(out.exists, runner.folders())):
            out.remove(recipe_json.NAME)
        raise


def plan(recipe: Recipe, place: Place, words: dict[str, Any] | None = None) -> str:
    """What `run` would do, for people. Runs nothing, writes nothing; fetches nothing but documents that `deep` looks into."""
    if _is_job(recipe, place):
        _check(recipe, place)
    lines = [f"{recipe.name} -> {place.out} (on={place.on}, overwrite={int(place.overwrite)})"]
    if recipe.mixture:
        lines += ["", paper_mixture.table(recipe.mixture, rates())]
    for runner in runners(recipe, place):
        lines += ["", f"{runner.step.name}: {runner.plan()}", textwrap.indent(pretty_repr(runner.step, max_width=110), "  ")]
    if _is_job(recipe, place):
        file = slurm.local_out(place.out) / slurm.FOLDER / slurm.SCRIPT
        lines += ["", f"{file}:", textwrap.indent(_script(recipe, place, words or {}), "  ")]
    return "\n".join(lines)
