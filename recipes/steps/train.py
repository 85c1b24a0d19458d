"""Training as a step."""

import json
import logging
from typing import TYPE_CHECKING, Any

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder, lies_in
from datagen.target import PROMPTS
from datagen.work.progress import OnState
from datagen.work.runner import make_runner
from datagen.work.specification import fingerprint
from flywheel.step import dataset_of
from model.train.launch import Machines, launch, trained_here
from model.train.lines import read_lines
from model.train.step import Train, flat
from recipes.recipe import Report
from recipes.run import slurm
from recipes.run.progress import shown
from recipes.steps import OK, Gone, StepRunner
from recipes.steps.lengths import count_lengths
from recipes.words.training import in_words

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

METRICS, READBACK, LOSS = "metrics.json", "readback.json", "loss.jsonl"


class TrainRunner(StepRunner[Train]):
    def plan(self) -> str:
        from model.train.forecast import missing, planned

        tables = planned(self.step, self.place.nodes, self.place.gpus or slurm.GPUS * bool(self.place.nodes))
        where = ", where there is a GPU" if self.step.optional else ""
        lacking = "".join(f"\nnothing lies at {path} yet" for path in missing(self.step))
        return f"{self.step.schedule.steps} steps on {', '.join(one.where for one in self.step.data)}{where}{lacking}\n{tables}"

    def run(self) -> int:
        import torch

        from model.train.run import clear
        from model.train.trainer import NothingToLearn

        if self.step.optional and not torch.cuda.is_available():
            log.info("%s: this machine has no GPU, so this training is passed over", self.step.name)
            return OK
        if self.place.overwrite:
            self._check_overwriting()
            clear(self.folder)
        try:
            with shown(self.step.name) as show:
                made = self._train(show)
            if not made:
                log.info("%s: nothing new, the model is trained", self.step.name)
        except NothingToLearn as error:
            if not self.step.optional:
                raise
            log.warning("%s: no model is made", error)
        except ValueError as error:
            raise ValueError(in_words(str(error))) from error
        return OK

    def _train(self, show: OnState) -> bool:
        """By ranks; in this process, if one is enough, or if it is done."""
        if self.folder.exists(METRICS):  # nothing is laid out any more
            return trained_here(self.step.but(pipeline=1, replicate=1), self.out, self._never_trained_on(), show)
        machines = self._machines()
        step = self._laid_out(machines)
        if machines.num_ranks == 1 and not machines.start:
            return trained_here(step, self.out, self._never_trained_on(), show)
        # Else the first rank would count them, and the others wait.
        count_lengths(step, self.out, make_runner("local", self.place.workers), f"{step.name}: lengths")
        log.info("%s: %d ranks%s", step.name, machines.num_ranks, f", the first at {machines.meet}" if machines.meet else "")
        meet_in = slurm.local_out(self.place.out) / slurm.FOLDER / step.name if machines.start else None
        return launch(step, self.out, self._never_trained_on(), machines, show, meet_in)

    def _machines(self) -> Machines:
        """Where the ranks run. If nobody said how many, there is one for each GPU, but none without rows of its own in a step."""
        import torch

        if self.place.on == "srun":
            return slurm.allocated(self.place.gpus)
        if self.place.on == "inline" or self.place.gpus:
            return Machines(self.place.gpus or 1)
        num_gpus = 1 if self.step.compute.device == "cpu" else max(1, torch.cuda.device_count())
        chosen = max((n for n in range(1, num_gpus + 1) if self._goes_round(n)), default=1)
        if chosen < num_gpus:
            rows = self._filled(chosen).batches.rows_per_step
            log.warning("%d of %d GPUs are used: %d rows a step don't go round on more", chosen, num_gpus, rows)
        return Machines(chosen)

    def _goes_round(self, num_ranks: int) -> bool:
        """Whether a step has as many loads for each of them."""
        pipeline, rows = self.step.parallel.pipeline, self._filled(num_ranks).batches
        num_loads = -(-rows.rows_per_step // rows.micro_rows)
        return num_ranks % pipeline == 0 and num_loads % (num_ranks // pipeline) == 0

    def _filled(self, num_ranks: int) -> Train:
        from model.train.layout import filled
        from model.train.run import begun_rows

        return filled(self.step, num_ranks, begun_rows(self.folder))

    def _laid_out(self, machines: Machines) -> Train:
        """The step with its rows and copies. Raises `ValueError` if there aren't as many ranks as it takes."""
        from model.train.layout import copied, layout

        step = copied(self._filled(machines.num_ranks), machines.nodes, machines.num_ranks)
        layout(step, machines.num_ranks)
        return step

    def _check_overwriting(self) -> None:
        """Raises `ValueError` if overwriting would delete what the training starts from or learns from."""
        step = self.step
        starts = {name: getattr(step.weights, name).split(",") for name in ("start", "adapter", "start_encoder", "start_decoder")}
        needed = starts | {"data": [one.where for one in step.data if one.drawn is None]}
        for name, places in needed.items():
            for place in places:
                if "/" in place and lies_in(Folder(place), self.folder):
                    raise ValueError(
                        f"{name} is {place}, which overwrite=1 would delete first: say out=… for another folder, or move it away"
                    )

    def status(self) -> list[str]:
        if (metrics := self.kept(METRICS)) is None:
            done = max((line["step"] for line in read_lines(self.folder, LOSS)), default=None)
            return [f"{self.step.name}: {done} of {self.step.schedule.steps} steps"] if done is not None else []
        first, last = metrics["held_out_loss_first"], metrics["held_out_loss_last"]
        looks = "" if metrics.get("looks") is not False else "; it doesn't look at the image"
        said = [f"{self.step.name}: {metrics['step']} steps, held-out loss {first:.2f} -> {last:.2f} nats a token{looks}"]
        if (before := (metrics.get("read_before") or {}).get("all")) and (after := metrics["read"].get("all")):
            errors = [f"{summed['character_error_rate']:.1%}" for summed in (before, after)]
            said.append(f"{self.step.name}: character error on {after['num']} held-out samples {' -> '.join(errors)}")
        return said + self._not_read(metrics)

    def _not_read(self, metrics: dict[str, Any]) -> list[str]:
        """What couldn't be read, where the character error says nothing of it."""
        reasons = dict(metrics.get("not_read", {}))
        if metrics.get("read", {}).get("all"):
            reasons.pop("no_image", None)  # text alone, beside images
        if not reasons:
            return []
        kinds = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in reasons.items())
        return [f"{self.step.name}: {sum(reasons.values())} held-out samples were not read ({kinds})"]

    def shown(self) -> Any:
        if metrics := self.kept(METRICS):
            return fingerprint(metrics)
        lines = list(read_lines(self.folder, LOSS))
        read = self.folder.read(READBACK).decode("utf-8", "replace") if self.folder.exists(READBACK) else ""
        return fingerprint([lines[-1], read]) if lines else None

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.train import train_sections

        return train_sections(self.step.name, self.folder)

    def learned_from(self, sha256s: frozenset[str]) -> list[str]:
        """The model, if it is whole and one of the samples that it was trained on is of these documents."""
        if not self.folder.exists(METRICS):
            return []
        from model.data.ours import find_datasets
        from model.data.split import is_held_out
        from model.data.words import TEXT

        run = json.loads(self.folder.read("run.json"))
        step, documents = flat(run["step"]), sha256s - self._never_trained_on()
        # Earlier versions wrote down names alone.
        for name in run["folders"] if "folders" in run else find_datasets(self.out, step["datasets"]):
            dataset = dataset_of(self.out, name)
            for shard in (r.shard for r in read_reports(dataset) if r.shard in run["shards"]):
                part = manifest.read_part(dataset, shard)
                for row in part.filter(manifest.answerable(part)).to_pylist():
                    fits = row["task"] in (*PROMPTS, TEXT) and row["sha256"] in documents
                    if fits and not is_held_out(row["group"], step["held_out_share"]):
                        return [f"{self.step.name}/model"]
        return []

    def forget(self, gone: Gone) -> None:
        """Clear a training that isn't whole; it begins again. A whole one loses what it shows of samples of the sources."""
        if self.folder.exists("run.json") and not self.folder.exists(METRICS):
            from model.train.run import clear

            clear(self.folder)
        rows = self.kept(READBACK) or []
        left = [row for row in rows if not gone.sources.holds_key(row["key"])]
        if len(left) < len(rows):
            self.folder.write(READBACK, json.dumps(left, indent=1, ensure_ascii=False).encode("utf-8", "replace"))

    def _never_trained_on(self) -> frozenset[str]:
        """The documents that earlier steps hold out."""
        return frozenset[str]().union(*(runner.held_out() for runner in self.earlier()))
