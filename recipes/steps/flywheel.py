"""The flywheel as a step."""

import dataclasses
import fnmatch
from typing import TYPE_CHECKING, Any

from datagen.risk import bounds
from datagen.work.pipeline import Pipeline
from datagen.work.runner import make_runner
from datagen.work.specification import fingerprint
from flywheel.pools import questions
from flywheel.rounds import documents_learned, set_aside
from flywheel.rounds.set_aside import enough, refused_rounds
from flywheel.step import (
    AUTO,
    GOLD,
    PAGES_OF_ROUNDS,
    SHARED,
    TYPESET,
    Flywheel,
    clear_round,
    is_whole,
    numbers,
    page_folders,
    round_folders,
    round_metrics,
    round_name,
)
from recipes.recipe import Report
from recipes.run.progress import watched
from recipes.steps import OK, Gone, StepRunner, pipeline

if TYPE_CHECKING:
    from recipes.report import Section


class FlywheelRunner(StepRunner[Flywheel]):
    def plan(self) -> str:
        num_kept = 0 if self.place.overwrite else len(round_metrics(self.out))
        made = num_kept and num_kept + len(refused_rounds(self.out))
        steps = self.step.later.steps if num_kept else self.step.first.steps
        if self.step.rounds == AUTO:
            ends = made and enough(self.step, self.out)
            return f"{made} rounds made; {ends or f'more until one brings no gain, the next of at most {steps} steps a script'}"
        todo = max(0, self.step.rounds - made)
        next_one = f", the next of at most {steps} steps a script" if todo else ""
        gold = self._gold() if self.step.gold else []
        return "; ".join([f"{made} rounds made, {todo} to make{next_one}", *gold, *(self._gates() if todo else ())])

    def _gold(self) -> list[str]:
        """The lines of people in the folder that the step names. Raises `ValueError` if there is none."""
        from flywheel.people import gold_images

        return [f"gold: {gold_images.look(self.step.gold)[1]}"] if gold_images.is_folder(self.step.gold) else []

    def _gates(self) -> list[str]:
        """What gates will rest on, for a plan."""
        from flywheel.labels import calibrate
        from flywheel.pools import pools_file

        frozen = None if self.place.overwrite else pools_file.read(self.folder)
        if frozen is not None:
            return calibrate.outlook(self.step, self.out, frozen.served)
        least = bounds.least_lines(self.step.precision, bounds.RISK)
        return [f"a gate opens from {least} calibration pieces without an error on, of documents, typeset pages or gold=FOLDER"]

    def run(self) -> int:
        if not self.step.rounds and not self.place.overwrite and not self.step.gold:
            return OK
        from flywheel.rounds import loop

        if self.place.overwrite:
            loop.clear(self.step, self.out)
        here = dataclasses.replace(self.place, overwrite=False)

        def make(dataset: Pipeline) -> int:
            noun = "pages" if dataset.name == TYPESET or fnmatch.fnmatchcase(dataset.name, PAGES_OF_ROUNDS) else "lines"
            return pipeline.make(dataset, self.recipe.name, here, noun=noun)

        return loop.turn(self.step, self.out, make, make_runner(here.on, here.workers), watched)

    def folders(self) -> list[str]:
        rounds = [*round_folders(self.out), *page_folders(self.out), *set_aside.folders(self.out)]
        return [self.step.name, *SHARED, GOLD, *rounds]

    def status(self) -> list[str]:
        """Crops and lines as datasets, then a line a round that gives its errors by language."""
        names = (self.step.name, *SHARED, GOLD, *round_folders(self.out), *page_folders(self.out))
        datasets = [self.out.sub(name) for name in names]
        lines = [line for folder in datasets if folder.exists("census") for line in pipeline.dataset_status(folder)]
        for metrics in round_metrics(self.out):
            rows = metrics["languages"]
            errors = [f"{lang} {100 * row['cer']:.2f}%" for lang, row in rows.items() if row["cer"] is not None]
            accepted = sum(row["num_accepted"] for row in rows.values())
            lines.append(f"{round_name(metrics['round'])}: character error {', '.join(errors)}; {accepted:,} lines labelled")
        return lines + set_aside.describe(set_aside.of(self.out))

    def shown(self) -> Any:
        audits = self.folder.read(questions.AUDITS).decode() if self.folder.exists(questions.AUDITS) else ""
        rounds = [fingerprint(metrics) for metrics in round_metrics(self.out)]
        return [*rounds, audits, set_aside.describe(set_aside.of(self.out))]

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.flywheel import flywheel_sections

        rounds, pages = round_metrics(self.out), self.out.sub(self.step.pages)
        if not rounds:
            return []
        from flywheel.people import audit
        from recipes.report.readings import readings_sections

        last, audits = self.out.sub(round_name(rounds[-1]["round"])), audit.results(self.folder)
        asides = set_aside.describe(set_aside.of(self.out))
        sections = flywheel_sections(self.step.name, rounds, asides, last, pages, report.seed)
        return [*sections, *readings_sections(self.step.name, rounds[-1], last, audits, self.step.precision)]

    def held_out(self) -> frozenset[str]:
        return documents_learned.held_out(self.step, self.out)

    def learned_from(self, sha256s: frozenset[str]) -> list[str]:
        return documents_learned.readers_trained_on(self.out, sha256s)

    def forget(self, gone: Gone) -> None:
        """Clear unfinished rounds; they begin again. Whole rounds stay, with readers that learned from the sources. Questions
        about the sources' lines, and their answers, are removed."""
        from flywheel.people import audit, gold_images

        gold_images.forget(self.folder, gone.sources.uris)
        if questions.forget(self.folder, gone.sources.holds_key):
            audit.measure(self.folder)
        for number in numbers(self.out):
            if not is_whole(self.out.sub(round_name(number))):
                clear_round(self.out, number)
