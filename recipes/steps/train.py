"""Training as a step."""

import json
import logging
from typing import TYPE_CHECKING, Any

from datagen import manifest
from datagen.record import Sample
from datagen.shards import read_reports, read_sample
from datagen.specification import fingerprint
from model.step import Train
from recipes.progress import shown
from recipes.recipe import Report
from recipes.steps import OK, Gone, StepRunner

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

METRICS, READBACK = "metrics.json", "readback.json"


class TrainRunner(StepRunner[Train]):
    def plan(self) -> str:
        return f"{self.step.steps} steps on {', '.join(self.step.datasets)}"

    def run(self) -> int:
        from model.train.loop import NothingToLearn, clear, train

        if self.place.overwrite:
            clear(self.folder)

        try:
            with shown(self.step.name) as show:
                made = train(self.step, self.out, self._never_trained_on(), show)
            if not made:
                log.info("%s: nothing new, the model is trained", self.step.name)
        except NothingToLearn as error:
            log.warning("%s: no model is made", error)
        return OK

    def status(self) -> list[str]:
        if not self.folder.exists(METRICS):
            return []
        metrics = json.loads(self.folder.read(METRICS))
        first, last = metrics["held_out_loss_first"], metrics["held_out_loss_last"]
        return [f"{self.step.name}: {metrics['step']} steps, held-out loss {first:.2f} -> {last:.2f} nats a token"]

    def shown(self) -> Any:
        return fingerprint(json.loads(self.folder.read(METRICS))) if self.folder.exists(METRICS) else None

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.train import train_sections

        return train_sections(self.step.name, self.folder, self._load)

    def learned_from(self, sha256s: frozenset[str]) -> list[str]:
        """The model, if it is whole and one of the samples that it was trained on is of these documents."""
        if not self.folder.exists(METRICS):
            return []
        from model.loader import find_datasets, is_held_out, unfit

        run = json.loads(self.folder.read("run.json"))
        share, documents = run["step"]["held_out_share"], sha256s - self._never_trained_on()
        for name in find_datasets(self.out, run["step"]["datasets"]):
            dataset = self.out.sub(name)
            for shard in (r.shard for r in read_reports(dataset) if r.shard in run["shards"]):
                for row in manifest.read_part(dataset, shard).to_pylist():
                    if row["sha256"] in documents and not unfit(row) and not is_held_out(row["group"], share):
                        return [f"{self.step.name}/model"]
        return []

    def forget(self, gone: Gone) -> None:
        """Clear a training that isn't whole; it begins again. A whole one loses what it shows of samples of the sources."""
        if self.folder.exists("run.json") and not self.folder.exists(METRICS):
            from model.train.loop import clear

            clear(self.folder)
        if self.folder.exists(READBACK):
            rows = json.loads(self.folder.read(READBACK))
            left = [row for row in rows if not row["key"].startswith(gone.keys)]
            if len(left) < len(rows):
                self.folder.write(READBACK, json.dumps(left, indent=1, ensure_ascii=False).encode("utf-8", "replace"))

    def _never_trained_on(self) -> frozenset[str]:
        """The documents that earlier steps hold out."""
        return frozenset[str]().union(*(runner.held_out() for runner in self.earlier()))

    def _load(self, row: dict) -> Sample:
        """The sample of a row that was read back. It is looked up by its key: its place in the shard changes when another sample
        is forgotten."""
        folder = self.out.sub(row["dataset"])
        rows = manifest.read_part(folder, row["shard"]).to_pylist()
        place = next(r for r in rows if r["key"] == row["key"])
        return read_sample(folder, row["shard"], place["offset"], place["bytes"])
