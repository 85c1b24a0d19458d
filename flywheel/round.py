"""One round: readers are trained, measured on lines they never saw, and then label pages that nobody has labelled."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any

from datagen import manifest
from datagen.engines import compact, versions
from datagen.engines.compact import CompactConfig, Reader
from datagen.pipeline import Pipeline
from datagen.runner import Runner
from datagen.shards import ShardReport, read_records, read_reports
from datagen.sources.dataset import ShardsOf
from datagen.specification import describe, fingerprint
from datagen.storage import Folder
from flywheel import evaluate, gate, score, typefaces
from flywheel.crops import Row, rows_of_pages
from flywheel.frozen import FrozenPools
from flywheel.places import PlaceFile
from flywheel.relabel import Gate, ReadPages
from flywheel.step import CROPS, METRICS, ORIGIN, Flywheel, has_reader, reader_name, round_name
from flywheel.train import FitTask, budget, run_fit

log = logging.getLogger(__name__)

VERSION = 1  # goes up whenever the code makes other rounds of the same pools
SHARD_FAILED = 1  # as recipes.steps has it
_PAGE_COLUMNS = ["shard", "sha256", "page", "record_offset", "record_bytes"]
_NOT_MEASURED = {"cer": None, "cer_low": None, "cer_high": None, "num_chars": 0, "num_lines": 0, "num_exact": 0}

RunPipeline = Callable[[Pipeline], int]
"""Makes a pipeline's dataset in the output, with progress. Returns an exit code: 0 if the dataset is whole."""

Watch = Callable[[str, Mapping[str, Folder]], AbstractContextManager[None]]
"""Shows, while its block runs, the progress that trainings of that name write in their folders, by script."""


@dataclass(frozen=True)
class Measured:
    """What a round's readers achieve on held-out lines, by language: errors, the confidence that their labels need, and
    Tesseract's character error rate on the same lines."""

    errors: dict[str, gate.Errors]
    thresholds: dict[str, float]
    tesseract: dict[str, float | None]


class Round:
    """Round `number` of the flywheel `step` in `out`. `served` are the pools of the languages that it serves."""

    def __init__(self, step: Flywheel, out: Folder, frozen: FrozenPools, number: int):
        self.step, self.out, self.frozen, self.number = step, out, frozen, number
        self.name = round_name(number)
        self.folder, self.crops, self.pages = out.sub(self.name), out.sub(CROPS), out.sub(step.pages)
        self.before = out.sub(round_name(number - 1)) if number > 1 else None
        self.served = frozen.served
        self.left_out: dict[str, str] = {}

    def make(self, run: RunPipeline, runner: Runner, watch: Watch) -> int:
        """Make the round, or what is missing of it. Returns the exit code."""
        weights = self._train(runner, watch)
        if weights is None:
            return SHARD_FAILED
        self._leave_out({p.lang: f"no line of {p.script} is left to train on" for p in self.served if p.script not in weights})
        measured = self._measure(weights)
        pages = self._pages_to_read()
        if pages and (code := run(self._reading(pages, weights, measured.thresholds))):
            return code
        self._write_metrics(weights, measured, pages)
        return 0

    def _leave_out(self, reasons: dict[str, str]) -> None:
        """Serve these languages no more in this round, and log why."""
        for lang, reason in reasons.items():
            log.warning("%s: %s can't be served: %s", self.name, lang, reason)
        self.left_out |= reasons
        self.served = [p for p in self.served if p.lang not in reasons]

    def _train(self, runner: Runner, watch: Watch) -> dict[str, str] | None:
        """Train the readers that are not trained yet. Returns the sha256 of each script's weights; None if one failed."""
        tasks = self._fit_tasks()
        todo = [task.script for task in tasks if not has_reader(self.folder, task.script)]
        if todo:
            scripts, num_accepted = ", ".join(todo), self._num_accepted_before()
            log.info("%s: training readers of %s, with %d lines read by the round before", self.name, scripts, num_accepted)
        with watch(self.name, {script: self.folder.sub(reader_name(script)) for script in todo}):
            # Tasks whose reader is there run too: each checks that its reader is the one that this round asks for.
            outcomes = list(runner.map(run_fit, tasks))
        for _, _, error in outcomes:
            if isinstance(error, ValueError):
                raise error
            if error is not None:
                message = f"{type(error).__name__}: {error}"
                log.error("%s: a reader could not be trained: %s. The same command goes on.", self.name, message)
                return None
        return {task.script: sha256 for task, sha256, _ in sorted(outcomes, key=lambda outcome: outcome[0].script) if sha256}

    def _fit_tasks(self) -> list[FitTask]:
        """A task for each script that has lines to train on, the longest first. Writes what they start from."""
        languages = {place: p.lang for p in self.served for place in p.train}
        # A line whose characters all have no shape is counted here, and left out of the training.
        num_lines = Counter(row["script"] for row in rows_of_pages(self.crops, languages))
        fitted = replace(self.step.first if self.number == 1 else self.step.later, seed=self.step.seed + self.number)
        origin = self._write_origin()
        pages = PlaceFile.write(self.folder, "pages_to_train.json", languages)
        before = self.before.url if self.before is not None else ""
        tasks = []
        for script, n in sorted(num_lines.items(), key=lambda item: (-item[1], item[0])):
            fit = budget(fitted, n)
            mark = fingerprint([origin, describe(fit), script])
            tasks.append(FitTask(script, fit, pages, self.crops.url, before, self.folder.url, mark))
        return tasks

    def _write_origin(self) -> dict[str, Any]:
        """Write what the round is made from, and return it. Raises `ValueError` if the round was begun from something else."""
        datasets = [CROPS] if self.before is None else [CROPS, round_name(self.number - 1)]
        origin = {
            "values": values(self.step, self.number),
            "parent": {} if self.before is None else json.loads(self.before.read(METRICS))["readers"],
            "pools": self.frozen.sha256,
            "shards": {name: [report.known_as for report in read_reports(self.out.sub(name))] for name in datasets},
        }
        if self.folder.exists(ORIGIN) and json.loads(self.folder.read(ORIGIN)) != origin:
            raise ValueError(
                f"{self.folder.url} was begun from other crops or another round: "
                "start a new output with out=…, or replace this one with overwrite=1"
            )
        self.folder.write(ORIGIN, json.dumps(origin, ensure_ascii=False, indent=1).encode())
        return origin

    def _num_accepted_before(self) -> int:
        """How many lines the round before labelled."""
        if self.before is None:
            return 0
        return sum(row["num_accepted"] for row in json.loads(self.before.read(METRICS))["languages"].values())

    def _measure(self, weights: dict[str, str]) -> Measured:
        """Measure the readers on held-out lines. A language without such a line is left out."""
        held_out = evaluate.HeldOut.read(self.crops, self.served, self.step.max_held_out)
        self._leave_out({p.lang: "no new line is left to test on" for p in self.served if p.lang not in held_out.test})
        readers = {script: Reader.load(self.folder.sub(reader_name(script))) for script in weights}
        errors, thresholds = evaluate.measure(readers, held_out, self.step.precision)
        return Measured(errors, thresholds, evaluate.tesseract(self.out.sub(self.step.name), held_out))

    def _pages_to_read(self) -> list[Row]:
        """The manifest's rows of the unlabelled pages, in the shards that the pools were made from."""
        places = {place for p in self.served for place in p.unlabelled}
        parts = manifest.parts(self.pages, list(self.frozen.shards))
        rows = (row for part in parts for row in part.select(_PAGE_COLUMNS).to_pylist())
        return [row for row in rows if (row["sha256"], row["page"]) in places]

    def _reading(self, pages: list[Row], weights: dict[str, str], thresholds: dict[str, float]) -> Pipeline:
        """The pipeline that reads the unlabelled pages, each with its language's reader and behind its language's gate."""
        gates = tuple(Gate(p.lang, p.script, weights[p.script], thresholds.get(p.lang, gate.NOBODY)) for p in self.served)
        languages = {place: p.lang for p in self.served for place in p.unlabelled}
        to_read = PlaceFile.write(self.folder, "pages_to_read.json", languages)
        source = ReadPages(self.folder.sub("reader").url, self.number, gates, to_read)
        shards = tuple(dict.fromkeys(row["shard"] for row in pages))
        return Pipeline(self.name, ShardsOf(self.pages.url, shards), source, (), max_drop=1.0)

    def _write_metrics(self, weights: dict[str, str], measured: Measured, pages: list[Row]) -> None:
        """Write metrics.json: a row for each language that needs a reader, whether it is served or not."""
        refused = _refused(read_reports(self.folder))
        counts = score.precision(read_records(self.pages, pages), read_records(self.folder, manifest.rows(self.folder)))
        rows = {}
        for p in self.frozen.pools:
            errors, threshold = measured.errors.get(p.lang), measured.thresholds.get(p.lang)
            num_right, num_accepted = counts.get(p.lang, (0, 0))
            rows[p.lang] = {
                "script": p.script,
                "alphabet_share": p.alphabet_share,
                "not_served": p.not_served or self.left_out.get(p.lang, ""),
                **(asdict(errors) if errors else _NOT_MEASURED),
                "threshold": threshold if threshold is not None and threshold <= 1 else None,
                "num_accepted": num_accepted,
                "rejected": dict(sorted(refused.get(p.lang, Counter()).items())),
                "precision": round(num_right / num_accepted, 4) if num_accepted else None,
                "tesseract_cer": measured.tesseract.get(p.lang),
                "pools": p.summary(),
            }
        metrics = {"round": self.number, "readers": weights, "languages": rows}
        self.folder.write(METRICS, json.dumps(metrics, ensure_ascii=False, indent=1).encode())


def values(step: Flywheel, number: int) -> Any:
    """The values of the step that decide a round, as JSON gives them back."""
    fitted = step.first if number == 1 else step.later
    engines = versions("ppocr-detector") | compact.engines() | {"typefaces": typefaces.sha256()}
    decisive = [VERSION, describe(fitted), describe(CompactConfig()), step.precision, step.max_held_out, engines]
    return json.loads(json.dumps(decisive))


def _refused(reports: Iterable[ShardReport]) -> dict[str, Counter[str]]:
    """How many lines, and pages without a line, were refused for each reason, by language."""
    refused: dict[str, Counter[str]] = {}
    for drop in (drop for report in reports for drop in report.drops if drop.readings):
        refused.setdefault(drop.readings[0].lang, Counter())[drop.reason] += 1
    return refused
