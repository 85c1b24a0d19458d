"""One round: readers are trained, then measured on lines that they never saw, then label pages that nobody has labelled."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.engines import versions
from datagen.risk import bounds
from datagen.work.pipeline import Pipeline
from datagen.work.runner import Runner
from datagen.work.specification import describe, fingerprint
from flywheel.labels import calibrate, detection, error_rates, evaluate, existing_readers, reading_pieces, score_pages
from flywheel.labels import labelled_pages as labelled
from flywheel.labels.calibrate import run_calibrate
from flywheel.labels.label_pages import Labelling, PageLines, mark_earlier
from flywheel.lines.crops import Row, read_crops, rows_of_pages
from flywheel.people import gold, gold_images
from flywheel.pools import lineage, typefaces
from flywheel.pools import page_lists as places
from flywheel.pools import pools_file as frozen
from flywheel.pools.lineage import RoundReader
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import FOLDS, Place, Pools
from flywheel.pools.pools_file import FrozenPools
from flywheel.readers import kinds
from flywheel.rounds import card, keep_rule, metrics
from flywheel.rounds.keep_rule import Verdict
from flywheel.rounds.metrics import Measured
from flywheel.rounds.train_readers import FitTask, budget, run_fit
from flywheel.step import (
    COMPACT,
    CROPS,
    DISTANCES,
    GOLD,
    GOLD_IMAGE_LINES,
    GOLD_IMAGES,
    LINES,
    METRICS,
    ORIGIN,
    SHARED,
    TYPESET,
    TYPESET_LINES,
    Fit,
    Flywheel,
    has_reader,
    pages_name,
    reader_name,
    round_name,
)

log = logging.getLogger(__name__)

VERSION = 17  # goes up whenever the code makes other rounds of the same pools
SHARD_FAILED = 1  # as recipes.steps has it
_PAGE_COLUMNS = ["key", "shard", "sha256", "page", "record_offset", "record_bytes"]

RunPipeline = Callable[[Pipeline], int]
"""Makes a pipeline's dataset in the output, and shows progress. Returns an exit code: 0 if the dataset is whole."""

Watch = Callable[[str, Mapping[str, Folder]], AbstractContextManager[None]]
"""Shows the progress of trainings while its block runs. Takes the round's name, and each reader's folder by the reader's name."""


class Round:
    """Round `number` of the flywheel `step` in `out`. Its readers go on from those of the last of the `earlier` rounds. `served`
    are the pools of the languages that the round serves."""

    def __init__(self, step: Flywheel, out: Folder, frozen: FrozenPools, number: int, earlier: Sequence[str] = ()):
        self.step, self.out, self.frozen, self.number = step, out, frozen, number
        self.name, self.earlier = round_name(number), [out.sub(name) for name in earlier]
        self.labelled, self.labelled_earlier = out.sub(pages_name(self.name)), [out.sub(pages_name(name)) for name in earlier]
        self.folder, self.crops, self.pages = out.sub(self.name), out.sub(CROPS), out.sub(step.pages)
        self.gold, self.lines = out.sub(GOLD), out.sub(LINES)
        self.gold_images, self.halves = out.sub(GOLD_IMAGES), gold_images.Halves.of(step, out)
        self.before = self.earlier[-1] if earlier else None
        self.comes_from = earlier[-1] if earlier else ""
        self.served = [p.without(self.halves.documents) for p in frozen.served]
        self.left_out: dict[str, str] = {}
        self.folds: dict[str, PlaceFile] = {}
        self.device = ""
        self.gold_documents: dict[str, str] = {}

    def make(self, run: RunPipeline, runner: Runner, watch: Watch) -> int:
        """Make the missing parts of the round. Returns the exit code."""
        origin = self._write_origin()
        begun = self._fit.pretrained
        self.device = kinds.device(self.step.reader, begun.device if begun else "", runner)
        for fold in FOLDS:
            waiting = {place: p.lang for p in self.served for place in p.fold(fold)}
            self.folds[fold] = self._pages_file(f"fold_{fold}.json", waiting)
        readers = self._readers()
        lineage.check(readers, self.served)
        weights = self._train(readers, origin, runner, watch)
        if weights is None:
            return SHARD_FAILED
        scripts = {reader.script for reader in readers}
        self._leave_out({p.lang: f"no line of {p.script} is left to train on" for p in self.served if p.script not in scripts})
        texts = frozen.texts_of(self.step, self.out, self.served)
        learned, calibrating = (rows_of_pages(self.gold_images, half) for half in (self.halves.train, self.halves.calibrate))
        taught = calibrate.accepted_texts([self.gold]) | {crop.text for crop in read_crops(self.gold_images, learned)}
        rows = list(calibrating)
        self.gold_documents = {row["key"]: row["sha256"] for row in rows}
        of_gold = read_crops(self.gold_images, rows)
        of_step = self.served, self.step.max_held_out, taught, texts, self.step.seed
        held_out = evaluate.HeldOut.read(self.crops, *of_step, of_gold)
        self._leave_out({p.lang: "no new line is left to test on" for p in self.served if p.lang not in held_out.test})
        own = {p.lang: _own_reader(p, readers).name for p in self.served}
        measured, verdict = self._measure(readers, own, held_out)
        pages: list[Row] = []
        if verdict.kept:  # a round that isn't kept labels nothing
            labelling = self._labelling(readers, weights)
            judged = self._outcomes(runner, run_calibrate, labelling.tasks(), "a line could not be read to calibrate a gate")
            if judged is None:
                return SHARD_FAILED
            gates = labelling.gates(judged, held_out.learned | calibrate.accepted_texts(self.earlier))
            measured = replace(measured, gates=gates)
            pages = self._rows_of(*self.folds.values())
            if (reading := labelling.reading(gates.of_reader)) and (code := run(reading)):
                return code
            if (labelled_pages := labelled.pipeline(self.number, self.folder, self.pages, pages)) and (
                code := run(labelled_pages)
            ):
                return code
            read = {(row["sha256"], row["page"]) for row in pages}
            for folder, before in ((self.folder, self.earlier), (self.labelled, self.labelled_earlier)):
                mark_earlier(folder, before, read)
        which = metrics.Which(self.number, self.comes_from, verdict)
        scans = {place for p in self.served for place in p.scans}
        layered = [row for row in pages if (row["sha256"], row["page"]) not in scans]
        table = metrics.of_round(which, self.frozen.pools, weights, measured, self.left_out, self.pages, layered, self.folder)
        typeset = detection.of_lines(self.out.sub(TYPESET), self.out.sub(TYPESET_LINES))
        table["detection"] = {"documents": detection.of_lines(self.pages, self.lines), "typeset": typeset}
        table["pages"] = score_pages.of_round(self.labelled, self.folder, self.pages, layered)
        card.write(self.folder, self.name, table)
        card.write(self.labelled, pages_name(self.name), table, of_pages=True)
        self.folder.write(METRICS, json.dumps(table, ensure_ascii=False, indent=1).encode())
        return 0

    @property
    def _fit(self) -> Fit:
        return self.step.later if self.before else self.step.first

    def _num_text_lines(self) -> Counter[str]:
        """The number of lines of each script that are typeset to train on."""
        num_lines: Counter[str] = Counter()
        for p in self.served:
            num_lines[p.script] += p.num_text_lines
        return num_lines

    def _leave_out(self, reasons: dict[str, str]) -> None:
        """Serve these languages no more in this round, and log the reasons."""
        for lang, reason in reasons.items():
            log.warning("%s: %s can't be served: %s", self.name, lang, reason)
        self.left_out |= reasons
        self.served = [p for p in self.served if p.lang not in reasons]

    def _readers(self) -> list[RoundReader]:
        """The readers to train, the script with most lines first. Writes which documents each reader learns from."""
        languages = {place: p.lang for p in self.served for place in p.train}
        # A line whose characters all have no shape is counted here, and left out of the training.
        num_lines = Counter(row["script"] for row in rows_of_pages(self.crops, languages)) + self._num_text_lines()
        accepted: dict[str, set[str]] = defaultdict(set)
        for row in manifest.rows(self.before) if self.before else ():
            accepted[row["script"]].add(row["sha256"])
        corrected: dict[str, set[str]] = defaultdict(set)
        for row in manifest.rows(self.gold):
            corrected[row["script"]].add(row["sha256"])
        for doc, _ in self.halves.train:
            corrected[self.halves.scripts[doc]].add(doc)
        before = lineage.read(self.before) if self.before else {}
        readers = []
        for script, _ in sorted(num_lines.items(), key=lambda item: (-item[1], item[0])):
            gold_of_script = frozenset(corrected[script])
            readers += lineage.of_round(script, self.served, frozenset(accepted[script]), before, gold_of_script)
        lineage.write(self.folder, readers)
        return readers

    def _train(self, readers: list[RoundReader], origin: dict[str, Any], runner: Runner, watch: Watch) -> dict[str, str] | None:
        """Train the readers that are not trained yet. Returns the sha256 of each reader's weights; None if a training failed."""
        tasks = self._fit_tasks(readers, origin)
        todo = [task.name for task in tasks if not has_reader(self.folder, task.name)]
        if todo:
            log.info("%s: training the readers %s", self.name, ", ".join(todo))
        with watch(self.name, {name: self.folder.sub(reader_name(name)) for name in todo}):
            # A task whose reader is trained runs, too: it checks that the reader is this round's.
            trained = self._outcomes(runner, run_fit, tasks, "a reader could not be trained")
        return None if trained is None else {task.name: sha256 for task, sha256 in trained}

    def _outcomes(self, runner: Runner, function: Callable[[Any], Any], tasks: list[Any], what: str) -> list[Any] | None:
        """Each task with its result, in the tasks' order; None if a task failed. Raises the `ValueError` of a task."""
        outcomes = list(runner.map(function, tasks, needs=kinds.needs(self.step.reader, self.device)))
        for _, _, error in outcomes:
            if isinstance(error, ValueError):
                raise error
            if error is not None:
                log.error("%s: %s: %s: %s. The same command goes on.", self.name, what, type(error).__name__, error)
                return None
        place = {task: i for i, task in enumerate(tasks)}
        return sorted(((task, result) for task, result, _ in outcomes), key=lambda outcome: place[outcome[0]])

    def _fit_tasks(self, readers: list[RoundReader], origin: dict[str, Any]) -> list[FitTask]:
        """A task for each reader."""
        languages = {place: p.lang for p in self.served for place in p.train}
        num_lines = Counter(row["script"] for row in rows_of_pages(self.crops, languages))
        texts = frozen.texts_of(self.step, self.out, self.served)
        fitted = replace(self._fit, seed=self.step.seed + self.number)
        pages = PlaceFile.write(self.folder, "pages_to_train.json", languages)
        before, kind = self.before.url if self.before else "", self.step.reader
        half = self.halves.train
        typed = PlaceFile.write(self.folder, "gold_images_to_train.json", half) if half else None
        tasks = []
        for r in readers:
            packaged = kinds.packaged_sha256(kind, r.script) if self.step.packaged else ""
            counts = num_lines[r.script], self._num_text_lines()[r.script], self.step.min_train_lines
            scans = self._scans_of(r.script) if kind == COMPACT else None
            fit = budget(fitted, *counts, not r.start, packaged, scans is not None)
            mark = fingerprint([origin, describe(fit), r.name])
            accepted = self.folds[r.learns] if r.learns and before else None
            of_script = tuple(texts[p.lang] for p in self.served if p.script == r.script and p.lang in texts)
            learned = pages, self.crops.url, self.folder.url, mark, before, r.start, accepted, scans, self.lines.url
            of_people = self.gold.url, self._gold_for(r.folds), self.gold_images.url, typed
            weights = kinds.weights_of(fit, self.out)
            tasks.append(FitTask(r.name, r.script, fit, *learned, *of_people, of_script, kind, weights))
        return tasks

    def _scans_of(self, script: str) -> PlaceFile | None:
        """The scans to which a script's readers adapt. None if there is none."""
        scans = {place: p.lang for p in self.served if p.script == script for place in p.scans}
        return self._pages_file(f"scans_{script}.json", scans) if scans else None

    def _gold_for(self, folds: tuple[str, ...]) -> PlaceFile | None:
        """The corrected pages that a reader of these folds learns. Documents that the reader is to read are left out. None if no
        page is left."""
        waiting = {doc for p in self.served for fold in folds for doc, _ in p.fold(fold)}
        places = {(row["sha256"], row["page"]): row["lang"] for row in manifest.rows(self.gold) if row["sha256"] not in waiting}
        return PlaceFile.write(self.folder, f"gold_for_{''.join(folds)}.json", places) if places else None

    def _write_origin(self) -> dict[str, Any]:
        """Write what the round is made from, and return it. Raises `ValueError` if the round was begun from something else."""
        shared = [name for name in (*SHARED, GOLD) if read_reports(self.out.sub(name))]
        datasets = [*shared, self.comes_from] if self.comes_from else shared
        origin = {
            "values": values(self.step, self.before is None),
            "from": self.comes_from,
            "parent": {} if self.before is None else json.loads(self.before.read(METRICS))["readers"],
            "pools": self.frozen.sha256,
            "shards": {name: [report.known_as for report in read_reports(self.out.sub(name))] for name in datasets},
        }
        origin |= {"weights": known} if (known := kinds.known_as(self._fit, self.out)) else {}
        before = json.loads(self.folder.read(ORIGIN)) if self.folder.exists(ORIGIN) else origin
        if changed := sorted(name for name in {*before, *origin} if before.get(name) != origin.get(name)):
            raise ValueError(
                f"{self.folder.url} was begun with other {' and '.join(changed)}, as {ORIGIN} says: "
                "start a new output with out=…, or replace this one with overwrite=1"
            )
        self.folder.write(ORIGIN, json.dumps(origin, ensure_ascii=False, indent=1).encode())
        return origin

    def _labelling(self, readers: list[RoundReader], weights: dict[str, str]) -> Labelling:
        chosen = calibrate.pages(self.served, self.step.max_calibration_pages)
        file = self._pages_file("pages_to_calibrate.json", chosen)
        typeset = self.out.sub(TYPESET)
        of_typeset = {(row["sha256"], row["page"]): row["lang"] for row in manifest.rows(typeset)}
        calibrating = [
            PageLines(file, self.pages, self.lines),
            self._calibrating("typeset_to_calibrate.json", typeset, TYPESET_LINES, of_typeset),
            self._calibrating("gold_to_calibrate.json", self.gold_images, GOLD_IMAGE_LINES, self.halves.calibrate),
        ]
        of_round = (self.step, self.number, self.folder, self.served, readers, weights, self.folds)
        return Labelling(*of_round, self.lines, calibrating, self.device)

    def _calibrating(self, name: str, pages: Folder, lines: str, languages: Mapping[Place, str]) -> PageLines:
        """Pages of a dataset beside the corpus that calibrate gates, in languages that are served, with the dataset `lines`."""
        served = {p.lang for p in self.served}
        chosen = {place: lang for place, lang in languages.items() if lang in served}
        file = PlaceFile.write(self.folder, name, chosen, places.sample_keys(pages, manifest.rows(pages), chosen))
        return PageLines(file, pages, self.out.sub(lines))

    def _measure(
        self, readers: list[RoundReader], own: Mapping[str, str], held_out: evaluate.HeldOut
    ) -> tuple[Measured, Verdict]:
        """Measure readers on held-out lines, and judge whether the round is kept. Error rates are of each language's `own`
        reader, and of the existing readers. The verdict is by the errors of all readers. Those errors are written to errors.json,
        line by line."""
        errors, of_typeset = {}, {}
        distances: dict[str, dict[str, dict[str, tuple[int, int]]]] = {r.name: {} for r in readers}
        for r in readers:
            reader = kinds.reader(self.folder.sub(reader_name(r.name)).url)
            for lang in (p.lang for p in self.served if p.script == r.script):
                crops = [crop for crop in held_out.test[lang] if self.gold_documents.get(crop.key) not in r.learned_from]
                if not crops:
                    continue
                truths, readings = [crop.text for crop in crops], evaluate.readings(reader, crops)
                by_line = zip((crop.key for crop in crops), error_rates.distances_of(truths, readings), strict=True)
                distances[r.name][lang] = dict(by_line)
                of_language = error_rates.errors(truths, readings)
                if own[lang] == r.name:
                    errors[lang] = of_language
                if own[lang] == r.name and lang in held_out.typeset:
                    anew = held_out.typeset[lang]
                    of_typeset[lang] = error_rates.errors([crop.text for crop in anew], evaluate.readings(reader, anew))
                cer, num_lines = 100 * of_language.cer, of_language.num_lines
                log.info("held out, %s, reader %s: %.2f%% character error on %d lines", lang, r.name, cer, num_lines)
            reader.close()
        self.folder.write(DISTANCES, json.dumps(distances, separators=(",", ":")).encode())
        before = json.loads(self.before.read(DISTANCES)) if self.before else None
        folder = self.out.sub(self.step.name)
        chosen = existing_readers.chosen(folder)
        of_others = (
            existing_readers.rates(folder, held_out.test, chosen),
            existing_readers.rates(folder, held_out.typeset, chosen, "/typeset"),
        )
        measured = Measured(own, errors, None, *of_others, of_typeset, held_out.alone, chosen, held_out.on_gold)
        return measured, keep_rule.judge(readers, before, distances, self.step.needs_gain)

    def _pages_file(self, name: str, languages: Mapping[Place, str]) -> PlaceFile:
        """The file `name` of these pages. The file is written once, when the round begins, so later marks don't change it."""
        if self.folder.exists(name):
            return PlaceFile.written(self.folder, name)
        return PlaceFile.write(self.folder, name, languages, places.sample_keys(self.pages, self._page_rows(), languages))

    def _page_rows(self) -> Iterator[Row]:
        """The manifest's rows of pages. Only shards that the pools were made from are read."""
        for part in manifest.parts(self.pages, list(self.frozen.shards)):
            yield from part.select(_PAGE_COLUMNS).to_pylist()

    def _rows_of(self, *files: PlaceFile) -> list[Row]:
        """The manifest's rows of the samples that the files name, in languages that are served."""
        served = {p.lang for p in self.served}
        keys = {key for file in files for key, lang in file.keys().items() if lang in served}
        return [row for row in self._page_rows() if row["key"] in keys]


def _own_reader(pools: Pools, readers: list[RoundReader]) -> RoundReader:
    """The reader that reads most of a language's pages. If no page waits, the first reader of its script."""
    of_script = [r for r in readers if r.script == pools.script]
    return max(of_script, key=lambda r: sum(len(pools.fold(fold)) for fold in r.folds))


def values(step: Flywheel, is_first: bool) -> Any:
    """The values that decide a round's bytes, as JSON gives them back. `is_first`: the round comes from no other round."""
    fitted = step.first if is_first else step.later
    engines = versions("ppocr-detector") | kinds.engines(step.reader) | {"typefaces": typefaces.sha256()}
    network = [step.reader, kinds.sizes(step.reader)]
    sizes = [step.precision, step.max_held_out, step.max_calibration_pages, step.calibration_lines]
    of_pieces = [reading_pieces.VERSION, reading_pieces.WORD]
    of_pieces += [reading_pieces.MIN_WORDS, reading_pieces.MIN_CHARS, reading_pieces.MIN_LINE]
    decided = [*sizes, is_first or step.needs_gain, gold.TIMES, bounds.RISK, keep_rule.RISK, of_pieces, engines]
    return json.loads(json.dumps([VERSION, describe(fitted), *network, *decided]))
