"""A step that marks alike samples."""

import logging

from datagen.curation import mark_similar
from datagen.curation.mark_similar import MarkAlike
from datagen.disk.shards import read_reports
from datagen.work.runner import InProcess, make_runner
from recipes.recipe import Step
from recipes.run.progress import working
from recipes.steps import OK, Gone, StepRunner

log = logging.getLogger(__name__)

_FEW_SHARDS = 8  # they take less time than a cluster's start


class MarkRunner(StepRunner[MarkAlike]):
    def plan(self) -> str:
        against = f", and what is like a page in {self.step.benchmarks}" if self.step.benchmarks else ""
        return f"marks duplicates in {', '.join(self.step.datasets)}{against}"

    def run(self) -> int:
        self._mark(self.step.datasets)
        return OK

    def folders(self) -> list[str]:
        return []

    def forget(self, gone: Gone) -> None:
        """Mark the datasets anew. The old marks stay until the new ones replace them, so that none is ever missing."""
        self._mark(tuple(name for name in self.step.datasets if self.out.exists(f"{name}/census")))

    def after_retry(self) -> Step | None:
        return self.step

    def _mark(self, datasets: tuple[str, ...]) -> None:
        step = self.step
        for name in datasets:
            folder = self.out.sub(name)
            few = len(read_reports(folder)) <= _FEW_SHARDS
            with working(f"{step.name}: looking for pages of {name} that are alike"):
                counts = mark_similar.mark(step, folder, InProcess() if few else make_runner(self.place.on, self.place.workers))
            if counts is None:
                log.info("%s: nothing new in %s", step.name, name)
            else:
                alike_pages = ", ".join(f"{n} {mark}" for mark, n in counts.most_common()) or "nothing marked"
                log.info("%s: %s in %s", step.name, alike_pages, name)
