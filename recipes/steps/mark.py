"""Marking what is alike as a step."""

import logging

from datagen import alike
from datagen.alike import MarkAlike
from datagen.runner import InProcess, make_runner
from datagen.shards import read_reports
from datagen.storage import Folder
from recipes.progress import working
from recipes.steps import OK, Place

log = logging.getLogger(__name__)

_FEW_SHARDS = 8  # take less than a cluster takes to start


def folders(step: MarkAlike, out: Folder) -> list[str]:
    return []


def plan(step: MarkAlike, out: Folder, place: Place) -> str:
    against = f", and what is like a page in {step.benchmarks}" if step.benchmarks else ""
    return f"marks duplicates in {', '.join(step.datasets)}{against}"


def run(step: MarkAlike, recipe: str, out: Folder, place: Place) -> int:
    for name in step.datasets:
        folder = out.sub(name)
        few = len(read_reports(folder)) <= _FEW_SHARDS
        with working(f"{step.name}: looking for pages of {name} that are alike"):
            found = alike.mark(step, folder, InProcess() if few else make_runner(place.on, place.workers))
        if found is None:
            log.info("%s: nothing new in %s", step.name, name)
        else:
            log.info(
                "%s: of %s %s", step.name, name, ", ".join(f"{n} {mark}" for mark, n in found.most_common()) or "none is alike"
            )
    return OK
