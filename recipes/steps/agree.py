"""Agreement as a step: its decisions are counted from the records, and shown."""

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from datagen.agreement.sums import Sums
from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports, read_samples
from datagen.record import Sample
from datagen.work.pipeline import Pipeline
from recipes.recipe import Report
from recipes.steps.pipeline import PipelineRunner

if TYPE_CHECKING:
    from recipes.report import Section

_MOST_PAGES = 2000  # that the report counts


@dataclass(frozen=True)
class Agreeing(Pipeline):
    """A pipeline whose source agrees on pages of several datasets."""


class AgreeRunner(PipelineRunner):
    step: Agreeing

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.agree import agree_section

        agreed = agree_section(self.step.name, self._sums(), self._page)
        return [agreed, *super().sections(report, max_bytes - len(agreed.html))]

    def _sums(self) -> Sums:
        """The sums over at most `_MOST_PAGES` pages, evenly from all shards."""
        sums = Sums(num_all=sum(report.num_samples for report in read_reports(self.folder)))
        rows = list(islice(manifest.rows(self.folder), 0, None, max(1, -(-sums.num_all // _MOST_PAGES))))
        for row, sample in zip(rows, read_records(self.folder, rows), strict=True):
            sums.add(sample, row)
        return sums

    def _page(self, row: dict[str, Any]) -> Sample:
        (sample,) = read_samples(self.folder, [row])
        return sample
