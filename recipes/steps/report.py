"""The report as a step: made again whenever its content has changed."""

import logging
import time
from pathlib import Path
from typing import Any, ClassVar

from datagen.disk.storage import Folder
from recipes.recipe import Report, Step
from recipes.run.progress import working
from recipes.steps import OK, Gone, StepRunner, runners

log = logging.getLogger(__name__)

PAGE = "index.html"


class ReportRunner(StepRunner[Report]):
    runs_after_failure: ClassVar[bool] = True

    def plan(self) -> str:
        return f"at most {self.step.max_bytes / 1e6:.0f} MB"

    def run(self) -> int:
        from recipes.report.build import build_report

        started = time.monotonic()
        parts: list[StepRunner[Any]] = [r for r in runners(self.recipe, self.place) if r.step.name != self.step.name]
        with working(f"{self.step.name}: choosing pages and shrinking their images, up to half a minute"):
            made = build_report(self.step, self.recipe.name, self.out, parts)
        if made:
            log.info("%s: made in %.1f s", self.step.name, time.monotonic() - started)
        page = self.folder.path(PAGE)
        log.info("%s: %s", self.step.name, Path(page).resolve().as_uri() if self.out.local else page)
        return OK

    def status(self) -> list[str]:
        return [f"{self.step.name}: {self.folder.path(PAGE)}"] if self.folder.exists(PAGE) else []

    def forget(self, gone: Gone) -> None:
        """Make the report again without the sources, since it shows pages."""
        if self.folder.exists(PAGE):
            self.run()

    def after_retry(self) -> Step | None:
        return self.step


def remove(folder: Folder) -> bool:
    """Delete the report in `folder`, which shows pages; the next run makes it anew. False if there is none."""
    if not folder.exists(PAGE):
        return False
    folder.remove(PAGE)
    return True
