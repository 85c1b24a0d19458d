"""The report as a step: made again whenever what it shows has changed."""

import logging
import time
from pathlib import Path

from datagen.storage import Folder
from recipes.progress import working
from recipes.recipe import Report
from recipes.steps import OK, Place

log = logging.getLogger(__name__)


def folders(step: Report, out: Folder) -> list[str]:
    return [step.name]


def plan(step: Report, out: Folder, place: Place) -> str:
    return f"at most {step.max_bytes / 1e6:.0f} MB"


def run(step: Report, recipe: str, out: Folder, place: Place) -> int:
    from recipes.report.build import build_report

    started = time.monotonic()
    with working(f"{step.name}: choosing pages and shrinking their images, up to half a minute"):
        made = build_report(step, recipe, out)
    if made:
        log.info("%s: made in %.1f s", step.name, time.monotonic() - started)
    page = out.sub(step.name).path("index.html")
    log.info("%s: %s", step.name, Path(page).resolve().as_uri() if out.local else page)
    return OK
