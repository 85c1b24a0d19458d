"""The flywheel as a step."""

import dataclasses

from datagen.pipeline import Pipeline
from datagen.runner import make_runner
from datagen.storage import Folder
from flywheel.step import Flywheel, round_folders, round_metrics
from recipes.steps import OK, Place, pipeline


def folders(step: Flywheel, out: Folder) -> list[str]:
    return [step.name, "crops", *round_folders(out)]


def plan(step: Flywheel, out: Folder, place: Place) -> str:
    made = 0 if place.overwrite else len(round_metrics(out))
    todo = max(0, step.rounds - made)
    steps = step.later.steps if made else step.first.steps
    return f"{made} rounds made, {todo} to make" + (f", the next of at most {steps} steps a script" if todo else "")


def run(step: Flywheel, recipe: str, out: Folder, place: Place) -> int:
    if not step.rounds and not place.overwrite:
        return OK
    from flywheel import loop

    if place.overwrite:
        loop.clear(step, out)
    here = dataclasses.replace(place, overwrite=False)

    def make(dataset: Pipeline) -> int:
        return pipeline.run(dataset, recipe, out, here, noun="lines")

    return loop.turn(step, out, make, make_runner(place.on, place.workers))
