"""The results for Word documents, as a step: counted after the dataset, and shown in the log, by `make status` and in the
report."""

import json
import logging
from typing import TYPE_CHECKING, Any

from datagen.disk import manifest
from datagen.disk.shards import read_records, read_reports
from recipes.recipe import Report, Step
from recipes.steps import OK, Gone, StepRunner
from recipes.steps.word_tally import counted, lines
from recipes.word import TallyWord

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

FILE = "tally.json"
_TALLY = (
    "A formula or table came out if it is a sample of its own, or in the label of a page that is kept, and trusted. What didn’t "
    "is among the drops, with its reason."
)


class TallyRunner(StepRunner[TallyWord]):
    def plan(self) -> str:
        return f"counts what came out of the documents of {self.step.dataset}"

    def run(self) -> int:
        dataset = self.out.sub(self.step.dataset)
        reports = read_reports(dataset)
        state = [[report.shard, report.sha256, len(report.drops)] for report in reports]
        tally = self.kept(FILE)
        if tally is None or tally["of"] != state:
            rows = [row for report in reports for row in manifest.read_part(dataset, report.shard).to_pylist()]
            summary = counted(read_records(dataset, rows), (drop for report in reports for drop in report.drops))
            self.folder.write(FILE, json.dumps({"of": state, "summary": summary}).encode())
        for line in self.status():
            log.info("%s", line)
        return OK

    def status(self) -> list[str]:
        tally = self.kept(FILE)
        return [f"{self.step.name}: {what}: {figure}" for what, figure in lines(tally["summary"])] if tally else []

    def shown(self) -> Any:
        tally = self.kept(FILE)
        return tally["of"] if tally else None

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        tally = self.kept(FILE)
        if tally is None:
            return []
        from recipes.report import Cell, Section, blocks, joined

        figures = [(what, Cell(figure, "num")) for what, figure in lines(tally["summary"])]
        name = self.step.dataset
        return [Section(f"{name}-tally", f"{name}: what came out", joined(blocks.note(_TALLY), blocks.table((), figures)))]

    def forget(self, gone: Gone) -> None:
        if self.folder.exists(FILE):
            self.run()

    def after_retry(self) -> Step | None:
        return self.step
