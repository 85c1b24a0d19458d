"""Labelling as a step: servers are tried first, the ledger is indexed, and questions are counted beside the dataset."""

import functools
import json
import logging
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from datagen.asking import ledger
from datagen.asking.client import BESIDE, Servers, addresses
from datagen.asking.loop import on_loop
from datagen.asking.profiles import FATES
from datagen.disk.shards import ShardReport, read_reports, shard_name
from datagen.disk.storage import Folder
from datagen.engines import Choice
from datagen.inputs.items import Inputs, Item
from datagen.labelling.label_pages import AGAIN, NOBODY, Labelling, Tally, ask_again, segment_of, tallies
from datagen.labelling.sums import Sums
from datagen.record import Drop, Sample, SampleError
from datagen.work.assignment import assigned
from datagen.work.needs import gpus
from datagen.work.progress import State
from datagen.work.runner import make_runner
from datagen.work.samples_of import SamplesOf
from recipes.recipe import Report
from recipes.run.progress import Shards
from recipes.run.sample_costs import DOCUMENT_PAGES, SOURCES, rates
from recipes.steps import Gone, Place
from recipes.steps.pipeline import PipelineRunner, busy_s, make

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

_A_DAY, _INDEX_BYTES = 86_400, 45


def sums(tallied: Iterable[tuple[str, Tally]], servers: int, price: float) -> Sums:
    """The counts of these shards; pauses between runs don't count."""
    total, times = Tally(), []
    for _, tally in tallied:
        total.pages += tally.pages
        total.tries += tally.tries
        for name in ("first_loops", "asked", "tokens_read", "tokens_written", "found", "written"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        times.append((tally.started, tally.finished))
    return Sums(total, busy_s(times), servers, price)


class LabelRunner(PipelineRunner):
    step: Labelling

    def plan(self) -> str:
        if self.step.planned:
            return planned(self.step)
        return PipelineRunner(placed(self.step, self.place), self.recipe, self.place).plan()

    def run(self) -> int:
        step = self.step
        if step.planned:
            raise ValueError(f"pages={step.planned}: it is for plan=1; name what to label with input=DIR")
        if not step.label.model:
            raise ValueError("label needs model=NAME, as the server calls it, or model=FOLDER of a network of ours")
        check(step)
        ledger.index(step.label.ledger_folder(self.folder))
        counts: Any = functools.partial(Pages, step, self.folder)
        return make(placed(step, self.place), self.recipe.name, self.place, counts=counts)

    def status(self) -> list[str]:
        lines = super().status()
        return lines + self._sums().lines() if lines else []

    def shown(self) -> Any:
        return [super().shown(), self._sums().num_pages]

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report.label import label_section

        summed = self._sums()
        drops = [drop for r in read_reports(self.folder) for drop in r.drops if drop.reason in FATES]
        asked = label_section(self.step.name, summed, drops, self._page)
        return [asked, *super().sections(report, max_bytes - len(asked.html))]

    def retry(self, reason: str) -> int:
        """Samples of another dataset are read by shards: those shards are made anew, and the ledger has all other answers."""
        if self.step.label.answerer.name == NOBODY.name:
            raise ValueError("the last run had server=ledger, which asks nobody: run the recipe with server=URL, then retry")
        drops = [drop for drop in self._drops() if drop.reason == reason]
        if not isinstance(self.step.source, SamplesOf):
            num = super().retry(reason)
            if num and reason in FATES:
                ask_again(self.folder, drops)
            return num
        ask_again(self.folder, drops)
        for report in read_reports(self.folder):
            if any(drop.reason == reason for drop in report.drops):
                self.folder.remove(f"shards/{report.shard}.json")
        return len(drops)

    def _drops(self) -> Iterable[Drop]:
        if not isinstance(self.step.source, SamplesOf):
            return super()._drops()
        return [drop for report in read_reports(self.folder) for drop in report.drops if drop.reason in FATES]

    def forget(self, gone: Gone) -> None:
        """Remove the answers about forgotten pages, too, wherever the ledger is."""
        folder = self.step.label.ledger_folder(self.folder)
        if folder.local is not None:
            ledger.forget(folder, gone.sources.holds_key)
        if self.folder.exists(AGAIN):
            lines = self.folder.read(AGAIN).splitlines(keepends=True)
            remaining = [line for line in lines if not gone.sources.holds_key(json.loads(line)["key"])]
            self.folder.write(AGAIN, b"".join(remaining))

    def _sums(self) -> Sums:
        return sums(tallies(self.folder), num_servers(self.step), self.step.price)

    def _page(self, drop: Drop) -> bytes | None:
        """The image of a dropped page, read again; None if that fails."""
        if drop.part is None:
            return None
        source = self.step.source
        try:
            if isinstance(source, SamplesOf):
                pages: Iterable[object] = (
                    page
                    for item in self._inputs.get(drop, ())
                    for page in source.samples(item, lambda row: bool(row["key"] == drop.key), images=True)
                )
            else:
                pages = source.read(Item(drop.uri, first=drop.part.first, stop=drop.part.stop, again=True))
            return next((page.image for page in pages if isinstance(page, Sample)), None)
        except (SampleError, OSError):
            return None

    @functools.cached_property
    def _inputs(self) -> dict[Drop, Inputs]:
        """The inputs of the shard in which each page dropped."""
        inputs = {shard_name(self.step.name, shard.index): shard.inputs for shard in assigned(self.folder)}
        return {drop: inputs.get(report.shard, ()) for report in read_reports(self.folder) for drop in report.drops}


class Pages(Shards):
    """Counts a run's shards as `Shards` does, with their questions, and indexes their answers for later shards with equal
    pages."""

    def __init__(self, step: Labelling, dataset: Folder, num_shards: int, expected: int, noun: str = "pages"):
        super().__init__(num_shards, expected, noun)
        self._step, self._dataset = step, dataset
        self._sums = sums((), num_servers(step), step.price)

    def add(self, report: ShardReport) -> State:
        self._sums = self._with(report.shard)
        ledger.index(self._step.label.ledger_folder(self._dataset), segment_of(self._dataset, report.shard))
        return super().add(report)

    def state(self, under_way: Mapping[str, int] = MappingProxyType({})) -> State:
        state, now, elapsed = super().state(under_way), self._with(*under_way), time.monotonic() - self.started
        fates = ", ".join(f"{n / max(1, now.num_pages):.1%} {fate}" for fate in FATES if (n := now.tally.pages[fate]))
        note = f"{state.note}, {now.tally.tokens_written / max(1e-9, elapsed):,.0f} tokens/s; {fates}"
        note += f"; repetition rate {now.repetition_rate:.2%}"
        note += f"; cost {now.cost:,.2f}" if self._step.price else ""
        return state._replace(note=note)

    def _with(self, *shards: str) -> Sums:
        """The sums so far, together with these shards."""
        more = [(name, tally) for shard in shards for name, tally in tallies(self._dataset, shard)]
        tally = sums([("", self._sums.tally), *more], 1, 0.0).tally
        return replace(self._sums, tally=tally, busy_s=time.monotonic() - self.started)


def check(step: Labelling) -> None:
    """Raises `ValueError`, one sentence, if there will be no answers: a wrong address, model or key, or a folder without
    weights."""
    choice, settings = step.label.answerer, dict(step.label.answerer.settings)
    if choice.name == "servers" and settings["url"] != BESIDE:
        servers = Servers(**settings)
        try:
            on_loop(servers.check())
            for sentence in servers.short(step.label.profile.max_tokens):
                log.warning("%s: %s", step.name, sentence)
        finally:
            servers.close()
    step.label.engines()  # for a network of ours: its weights


def num_servers(step: Labelling) -> int:
    """The number of servers, or 1 if this process answers."""
    url = dict(step.label.answerer.settings).get("url", "")
    return len(addresses(url)) if url and url != BESIDE else 1


def placed(step: Labelling, place: Place) -> Labelling:
    """The step at its place: workers share each server's room, and a network of ours reads on processors if this machine has no
    GPU. No byte depends on it."""
    choice, settings = step.label.answerer, dict(step.label.answerer.settings)
    if choice.name == "servers":
        workers = make_runner(place.on, place.workers).num_workers(step.needs)
        if step.beside and place.on == "slurm":  # a job's servers are for its own workers
            import dask

            workers = int(dask.config.get("jobqueue.slurm-serve.processes", 1))
        settings["together"] = max(1, int(settings["together"]) // workers)
    elif choice.gpus and place.on in ("local", "inline") and not gpus():
        settings["device"] = "cpu"
    return step.with_label(answerer=Choice.of(choice.name, **settings))


def planned(step: Labelling) -> str:
    """The cost of labelling `step.planned` pages."""
    num, servers, measured = step.planned, step.servers, rates()
    pages_s = measured["label.pages_s"].value
    days = num / (pages_s * servers) / _A_DAY
    page_s, ink_s = measured["label.page_core_s"].value, measured["coarse.ink_core_s"].value
    core_s, page_bytes = page_s + ink_s, measured["label.page_bytes"].value
    answer_bytes = measured["label.answer_bytes"].value
    shards = -(-num // 256)
    workers = math.ceil(core_s * pages_s * servers)
    lines = [
        f"{num:,} pages on {servers:,} servers at {pages_s:g} pages/s each: {days:,.2f} days",
        f"{shards:,} shards of 256 pages",
        f"{workers:,} workers of one core feed them: {page_s:g} core-seconds render a page and judge its "
        f"answer, and {ink_s:g} try its text layer, of documents of {DOCUMENT_PAGES} pages",
        f"{num * page_bytes / 1e12:,.1f} TB of shards, {num * answer_bytes / 1e9:,.0f} GB of ledger, "
        f"{num * _INDEX_BYTES / 1e9:,.1f} GB of its index",
    ]
    if step.price:
        lines.append(f"cost {days * 24 * servers * step.price:,.0f} at {step.price:g} an hour of a server")
    own = {name: rate for name, rate in measured.items() if name.startswith(("label.", "coarse.ink"))}
    lines += [f"  {name}: {rate.value:g}, {rate.by or SOURCES.get(name, 'a guess')}" for name, rate in own.items()]
    return "\n".join(lines)
