"""Training as a step."""

import json
import logging

from datagen.storage import Folder
from model.step import Train
from recipes.steps import OK, Place

log = logging.getLogger(__name__)

HELD_OUT, USED = ("calibration", "test"), ("train", "unlabelled")


def folders(step: Train, out: Folder) -> list[str]:
    return [step.name]


def plan(step: Train, out: Folder, place: Place) -> str:
    return f"{step.steps} steps on {', '.join(step.datasets)}"


def run(step: Train, recipe: str, out: Folder, place: Place) -> int:
    from model.train import NothingToLearn, clear, train

    if place.overwrite:
        clear(out.sub(step.name))

    def tell(line: str) -> None:
        log.info("%s: %s", step.name, line.removeprefix(f"{step.name}: "))

    try:
        if not train(step, out, never_trained_on(out), tell):
            log.info("%s: nothing new, the model is trained", step.name)
    except NothingToLearn as error:
        log.warning("%s: no model is made", error)
    return OK


def never_trained_on(out: Folder) -> frozenset[str]:
    """The documents that only test the flywheel's readers; one whose other pages train them can't be left out as a whole."""
    if not out.exists("flywheel/pools.json"):
        return frozenset()
    pools = json.loads(out.read("flywheel/pools.json"))["pools"]
    held, used = ({doc for p in pools for name in names for doc, _ in p[name]} for names in (HELD_OUT, USED))
    return frozenset(held - used)
