"""The wheel: pools once, then round after round, each in a folder that nothing changes once its metrics.json is written.

    flywheel/pools.json      which document trains, tests, waits; frozen when the first round begins
    flywheel/tesseract.json  what Tesseract makes of the same test lines
    crops/                   a dataset: lines of trusted pages, drawn for readers
    round-N/                 a dataset: what round N's reader read and the gate let through
        reader/SCRIPT/       model.safetensors, alphabet.json, config.json
        round.json           what it came from
        pages_to_read.json   the unlabelled pages that its readers read, with their languages
        metrics.json         how good it is; written last, it commits the round

Killed anywhere, the same command goes on: training from its last checkpoint, reading from its last shard.
"""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from typing import Any

from datagen import dataset, manifest
from datagen.engines import compact, ppocr, versions
from datagen.engines.compact import CompactConfig, Reader
from datagen.pipeline import Pipeline
from datagen.runner import Runner
from datagen.shards import ShardReport, read_records, read_reports
from datagen.sources.lines import LineCrops, ShardsOf
from datagen.specification import describe, fingerprint
from datagen.storage import Folder
from flywheel import evaluate, gate, pools, score, typefaces
from flywheel.crops import read_crops
from flywheel.places import PlaceFile
from flywheel.pools import Pools
from flywheel.relabel import Gate, ReadPages
from flywheel.step import CROPS, Flywheel, clear_round, round_folders, round_metrics
from flywheel.train import FitTask, budget, run_fit

log = logging.getLogger(__name__)

VERSION = 1  # goes up whenever the code here makes other rounds of the same pools
SHARD_FAILED = 1  # as recipes.steps has it
RunPipeline = Callable[[Pipeline], int]
"""Makes a pipeline's dataset in the output, with progress; returns an exit code, 0 if it is whole."""
Watch = Callable[[str, Mapping[str, Folder]], AbstractContextManager[None]]
"""Shows what trainings of that name write in their folders, by script, while its block runs."""


def turn(step: Flywheel, out: Folder, run: RunPipeline, runner: Runner, watch: Watch) -> int:
    """Make the rounds that don't exist yet; readers are trained on `runner`, and `watch` shows how
    far they are. Returns the exit code.

    Raises `ValueError` if the rounds that exist come from other values.
    """
    if step.rounds < 1:
        return 0
    chosen = _pools(step, out)
    served = [p for p in chosen if not p.not_served]
    for p in chosen:
        if p.not_served:
            log.info("%s: %s (%s) can't be served: %s", step.name, p.lang, p.script, p.not_served)
    if not served:
        log.info("%s: no language to serve, no round to make", step.name)
        return 0
    todo = [n for n in range(1, step.rounds + 1) if not _is_made(step, out, n)]
    if not todo:
        log.info("%s: nothing new, %d rounds are made", step.name, len(round_metrics(out)))
        return 0
    shards = _state(step, out)["shards"]
    source = LineCrops(languages=tuple(p.lang for p in served), seed=step.seed, passwords=step.passwords)
    if code := run(Pipeline(CROPS, ShardsOf(out.sub(step.pages).url, tuple(shards)), source, (), max_drop=1.0)):
        return code
    for number in todo:
        if code := _Round(step, out, served, number).make(run, runner, watch):
            return code
    return 0


def clear(step: Flywheel, out: Folder) -> None:
    """Delete all rounds, the last first, then crops and pools."""
    for name in reversed(round_folders(out)):
        clear_round(out.sub(name))
    if out.exists(f"{CROPS}/census"):
        dataset.clear(out.sub(CROPS))
    for name in ("tesseract.json", "pools.json"):
        out.sub(step.name).remove(name)


def _pools(step: Flywheel, out: Folder) -> list[Pools]:
    """The pools that the first round froze, or, before it has begun, those of the corpus as it is. Later documents come in with a
    new output, or with overwrite=1."""
    folder, pages = out.sub(step.name), out.sub(step.pages)
    reports = read_reports(pages)
    values = [VERSION, step.seed, step.min_alphabet_share, step.min_train_lines, ppocr.alphabet_sha256()]
    if not out.exists("round-1/round.json"):
        languages = pools.survey(pages, ppocr.alphabet_share, step.min_alphabet_share)
        chosen = pools.assign(languages, step.seed, step.min_train_lines)
        frozen = {"values": values, "shards": {r.shard: r.known_as for r in reports}, "pools": [asdict(p) for p in chosen]}
        data = json.dumps(frozen, ensure_ascii=False, indent=1).encode()
        if out.exists(f"{CROPS}/census") and not (folder.exists("pools.json") and folder.read("pools.json") == data):
            dataset.clear(out.sub(CROPS))  # made for other pools, by a run that ended before its first round began
        folder.write("pools.json", data)
    state = _state(step, out)
    now = {r.shard: r.known_as for r in reports}
    if state["values"] != values or any(now.get(shard) != sha256 for shard, sha256 in state["shards"].items()):
        raise ValueError(
            f"{folder.path('pools.json')} was made from other pages or values: "
            "start a new output with out=…, or replace this one with overwrite=1"
        )
    if new := len(now.keys() - state["shards"].keys()):
        log.info("%s: %d shards are newer than the pools and stay out of them; overwrite=1 makes pools anew", step.name, new)
    return [pools.from_dict(p) for p in state["pools"]]


def _state(step: Flywheel, out: Folder) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(out.read(f"{step.name}/pools.json"))
    return state


def _is_made(step: Flywheel, out: Folder, number: int) -> bool:
    """Whether the round is whole. Raises `ValueError` if it, or what there is of it, comes from other values."""
    folder = out.sub(f"round-{number}")
    if folder.exists("round.json") and json.loads(folder.read("round.json"))["values"] != _values(step, number):
        raise ValueError(
            f"{folder.url} was made with other values: start a new output with out=…, or replace this one with overwrite=1"
        )
    return folder.exists("metrics.json")


def _values(step: Flywheel, number: int) -> Any:
    """What of the step decides a round."""
    fitted = step.first if number == 1 else step.later
    engines = versions("ppocr-detector") | compact.engines() | {"typefaces": typefaces.sha256()}
    values = [VERSION, describe(fitted), describe(CompactConfig()), step.precision, step.max_held_out, engines]
    return json.loads(json.dumps(values))


class _Round:
    """One turn of the wheel."""

    def __init__(self, step: Flywheel, out: Folder, served: list[Pools], number: int):
        self.step, self.out, self.served, self.number = step, out, served, number
        self.name = f"round-{number}"
        self.folder = out.sub(self.name)
        self.before = out.sub(f"round-{number - 1}") if number > 1 else None
        self.left_out: dict[str, str] = {}

    def make(self, run: RunPipeline, runner: Runner, watch: Watch) -> int:
        weights = self._train(runner, watch)
        if weights is None:
            return SHARD_FAILED
        readers = {script: Reader.load(self.folder.sub(f"reader/{script}")) for script in weights}
        self._leave_out({p.lang: f"no line of {p.script} is left to train on" for p in self.served if p.script not in weights})
        held_out = evaluate.HeldOut.read(self.out.sub(CROPS), self.served, self.step.max_held_out)
        self._leave_out({p.lang: "no new line is left to test on" for p in self.served if p.lang not in held_out.test})
        errors, thresholds = evaluate.measure(readers, held_out, self.step.precision)
        witness = evaluate.tesseract(self.out.sub(self.step.name), held_out)
        limits = {p.lang: thresholds.get(p.lang, gate.NOBODY) for p in self.served}
        pages = self._relabelling(tuple(Gate(p.lang, p.script, weights[p.script], limits[p.lang]) for p in self.served))
        if pages is not None and (code := run(pages)):
            return code
        self._write_metrics(weights, errors, thresholds, witness, read_reports(self.folder))
        return 0

    def _leave_out(self, reasons: dict[str, str]) -> None:
        """Say of languages that pools could serve why this round doesn't."""
        for lang, reason in reasons.items():
            log.warning("%s: %s can't be served: %s", self.name, lang, reason)
        self.left_out |= reasons
        self.served = [p for p in self.served if p.lang not in reasons]

    def _train(self, runner: Runner, watch: Watch) -> dict[str, str] | None:
        """Make, finish or find the round's readers; returns the sha256 of each script's weights, or None if one failed."""
        tasks = self._fit_tasks()
        todo = [task for task in tasks if not self.folder.exists(f"reader/{task.script}/config.json")]
        if todo:
            scripts = ", ".join(task.script for task in todo)
            log.info(
                "%s: training readers of %s, with %d lines read by the round before", self.name, scripts, self._num_accepted()
            )
        with watch(self.name, {t.script: self.folder.sub(f"reader/{t.script}") for t in todo}):
            # Also those that are there: a task finds out whether its reader is the one that is asked for.
            outcomes = list(runner.map(run_fit, tasks))
        for _, _, error in outcomes:
            if isinstance(error, ValueError):
                raise error
            if error is not None:
                said = f"{type(error).__name__}: {error}"
                log.error("%s: a reader could not be trained: %s. The same command goes on.", self.name, said)
                return None
        return {task.script: sha256 for task, sha256, _ in sorted(outcomes, key=lambda outcome: outcome[0].script) if sha256}

    def _num_accepted(self) -> int:
        """How many lines the round before labelled."""
        if self.before is None:
            return 0
        return sum(row["num_accepted"] for row in json.loads(self.before.read("metrics.json"))["languages"].values())

    def _fit_tasks(self) -> list[FitTask]:
        """A task a script, the longest first; and round.json, which says what they start from."""
        lines = Counter(c.script for c in read_crops(self.out.sub(CROPS), {p.lang: frozenset(p.train) for p in self.served}))
        fitted = replace(self.step.first if self.number == 1 else self.step.later, seed=self.step.seed + self.number)
        before = self.before.url if self.before is not None else ""
        came_from = {
            "values": _values(self.step, self.number),
            "parent": json.loads(self.before.read("metrics.json"))["readers"] if self.before is not None else {},
            "pools": hashlib.sha256(self.out.read(f"{self.step.name}/pools.json")).hexdigest(),
            "shards": {
                name: [r.known_as for r in read_reports(self.out.sub(name))]
                for name in (CROPS, *([f"round-{self.number - 1}"] if before else []))
            },
        }
        if self.folder.exists("round.json") and json.loads(self.folder.read("round.json")) != came_from:
            raise ValueError(
                f"{self.folder.url} was begun from other crops or another round: "
                "start a new output with out=…, or replace this one with overwrite=1"
            )
        self.folder.write("round.json", json.dumps(came_from, ensure_ascii=False, indent=1).encode())
        tasks = []
        for script, num_lines in sorted(lines.items(), key=lambda item: (-item[1], item[0])):
            fit = budget(fitted, num_lines)
            train = tuple((p.lang, p.train) for p in self.served if p.script == script)
            mark = fingerprint([came_from, describe(fit), script])
            tasks.append(FitTask(script, fit, train, self.out.sub(CROPS).url, before, self.folder.url, mark))
        return tasks

    def _relabelling(self, gates: tuple[Gate, ...]) -> Pipeline | None:
        """What reads the unlabelled pages; None if there are none."""
        languages = {place: p.lang for p in self.served for place in p.unlabelled}
        to_read = PlaceFile.write(self.folder, "pages_to_read.json", languages)
        read = ReadPages(self.folder.sub("reader").url, self.number, gates, to_read)
        pages = self.out.sub(self.step.pages)
        shards = _shards_with(pages, tuple(_state(self.step, self.out)["shards"]), set(languages))
        return Pipeline(self.name, ShardsOf(pages.url, shards), read, (), max_drop=1.0) if shards else None

    def _write_metrics(
        self,
        weights: dict[str, str],
        errors: dict[str, gate.Errors],
        thresholds: dict[str, float],
        witness: dict[str, float | None],
        reports: list[ShardReport],
    ) -> None:
        """metrics.json: a row for each language that needs a reader, served or not."""
        refused: dict[str, Counter] = {}
        for drop in (d for r in reports for d in r.drops if d.key):
            refused.setdefault(drop.readings[0].lang, Counter())[drop.reason] += 1
        unlabelled = {place for p in self.served for place in p.unlabelled}
        pages = self.out.sub(self.step.pages)
        rows_to_read = manifest.rows(pages, lambda row: (row["sha256"], row["page"]) in unlabelled)
        counts = score.precision(read_records(pages, rows_to_read), read_records(self.folder, manifest.rows(self.folder)))
        rows = {}
        for p in (pools.from_dict(held) for held in _state(self.step, self.out)["pools"]):
            found = errors.get(p.lang)
            right, accepted = counts.get(p.lang, (0, 0))
            limit = thresholds.get(p.lang)
            rows[p.lang] = {
                "script": p.script,
                "alphabet_share": p.alphabet_share,
                "not_served": p.not_served or self.left_out.get(p.lang, ""),
                "cer": found.cer if found else None,
                "cer_low": found.cer_low if found else None,
                "cer_high": found.cer_high if found else None,
                "num_chars": found.num_chars if found else 0,
                "num_lines": found.num_lines if found else 0,
                "num_exact": found.num_exact if found else 0,
                "threshold": limit if limit is not None and limit <= 1 else None,
                "num_accepted": accepted,
                "rejected": dict(sorted(refused.get(p.lang, Counter()).items())),
                "precision": round(right / accepted, 4) if accepted else None,
                "tesseract_cer": witness.get(p.lang),
                "pools": p.summary(),
            }
        metrics = {"round": self.number, "readers": weights, "languages": rows}
        self.folder.write("metrics.json", json.dumps(metrics, ensure_ascii=False, indent=1).encode())


def _shards_with(folder: Folder, shards: tuple[str, ...], places: set[pools.Place]) -> tuple[str, ...]:
    """Those of `shards` that hold one of these pages."""
    found = []
    for shard in shards:
        part = manifest.read_part(folder, shard).select(["sha256", "page"]).to_pylist()
        if any((row["sha256"], row["page"]) in places for row in part):
            found.append(shard)
    return tuple(found)
