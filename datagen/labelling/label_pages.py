"""Label pages by a model. Many pages are asked about at a time, while others are being rendered. Each answer is judged, and the
outcome is written down, whatever it is."""

import functools
import json
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy

from datagen.asking.ledger import Ledger
from datagen.asking.loop import begin, on_loop
from datagen.asking.pages import Asker, Outcome, Page
from datagen.asking.profiles import BLANK, FAILED, LABELLED, LOOP, Profile
from datagen.disk.storage import Folder
from datagen.engines import Choice, Engines
from datagen.labelling.judge_answer import Limits, is_blank, judged
from datagen.page.images import pixels
from datagen.page.region_order import in_reading_order
from datagen.page.views import View, as_it_came
from datagen.record import Box, Drop, Reading, Region, Sample, SampleError, clean_text
from datagen.work.needs import A_CORE, Needs
from datagen.work.pipeline import Making, Pipeline, Stage
from datagen.work.progress import EVERY_S
from datagen.work.specification import PLACE, fingerprint

ANSWERS, ASKED, AGAIN = "answers", "asked", "again.jsonl"
"""In a dataset's folder: the ledger, unless it lies elsewhere; the tally of each shard's questions and costs; the pages to ask
about once more, a line each."""
NOBODY, LIMITS = Choice("nobody"), Limits()
_MOST_WAITING = 512  # pages in memory, each half a megabyte
_AHEAD = 16  # pages that are rendered while the answerer has as many as it takes
_UPRIGHT = 0.9  # how sure the orientation's engine must be
_DROPPED_CHARS = 20_000  # of an answer: a drop keeps so many, the ledger keeps all


class Begun(NamedTuple):
    """A page and the question about it; or, without a question, the page's outcome."""

    outcome: Sample | Drop
    asking: "Future[Outcome] | None" = None


@dataclass
class Tally:
    """The questions of a shard: its pages by their fates, its tries by their fates, the pages whose first answer was a loop, and
    the costs. A tally is written beside the shard, since times are no part of the shard. It is also written while the shard is
    made, for people who watch."""

    pages: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    first_loops: int = 0
    asked: int = 0
    tokens_read: int = 0
    tokens_written: int = 0
    found: int = 0
    written: int = 0
    started: float = 0.0
    finished: float = 0.0
    before: int = 0  # answers bought for the shard in an earlier or interrupted run

    def add(self, outcome: Outcome) -> None:
        self.pages[outcome.fate] += 1
        self.tries.update(outcome.fates)
        self.asked += bool(outcome.fates)
        self.first_loops += outcome.fates[:1] == [LOOP]
        self.tokens_read += outcome.num_read
        self.tokens_written += outcome.num_written

    def write(self, dataset: Folder, shard: str, book: Ledger, every_s: float = 0.0) -> None:
        """Writes the tally beside the shard, with the ledger's counts; not again within `every_s` seconds."""
        if time.time() - max(self.started, self.finished) < every_s:
            return
        self.found, self.written, self.finished = book.num_found, self.before + book.num_written, time.time()
        dataset.write(f"{ASKED}/{shard}.json", json.dumps(vars(self)).encode())


@dataclass(frozen=True)
class LabelPages(Stage):
    """Has `model` label each page, asked in the words of `profile`, and judges the answer (`judge_answer`). A page that isn't
    `labelled` is a drop: its reason is the page's fate (`profiles.FATES`), its reading the last answer. A page without ink is
    `blank`, and no model is asked.

    `folder` holds a network of ours, whose weights are part of the question's identity. `layout` finds the regions for a model
    that reads single regions and has no layout of its own. `answerer` is who answers, and `answers` is the ledger's folder ("":
    in the dataset); neither changes a byte of the output. A retry asks about a page at higher temperatures; the page's first
    answers stay in the ledger.

    Signals: `tries`, `tokens_read`, `tokens_written`, `unread_regions`, and the signals of `judged`.
    """

    version: ClassVar[int] = 3
    reads: ClassVar[bool] = True

    profile: Profile
    model: str
    layout: Choice | None = None
    limits: Limits = LIMITS
    folder: str = field(default="", metadata=PLACE)
    answerer: Choice = field(default=NOBODY, metadata=PLACE)
    answers: str = field(default="", metadata=PLACE)
    batch_size: int = 1

    @property
    def needs(self) -> Needs:
        gpus = max(choice.gpus for choice in (self.answerer, self.layout) if choice is not None)
        return Needs(gpus=gpus) if gpus else A_CORE

    def engines(self) -> dict[str, str]:
        return dict([self._named()]) | (self.layout.versions() if self.layout else {})

    @property
    def _weights(self) -> str:
        return weights_sha256(self.folder) if self.folder else ""

    def ledger_folder(self, dataset: Folder) -> Folder:
        return Folder(self.answers) if self.answers else dataset.sub(ANSWERS)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        raise NotImplementedError("it streams")

    def stream(self, outcomes: Iterable[Sample | Drop], engines: Engines, making: Making) -> Iterator[Sample | Drop]:
        dataset = Folder(making.url)
        answerer = self.answerer.opened(engines)
        book = Ledger(self.ledger_folder(dataset), segment_of(dataset, making.shard))
        asked = f"{self.model}@{self._weights[:12]}" if self.folder else self.model
        asker = Asker(self.profile, asked, answerer, book, _Upright())
        rounds = asked_again(dataset)
        tally = Tally(started=time.time(), before=sum(one.written for _, one in tallies(dataset, making.shard)))
        window = min(_MOST_WAITING, answerer.together + _AHEAD)
        waiting: deque[Begun] = deque()
        try:
            for outcome in outcomes:
                waiting.append(self._begun(outcome, asker, engines, rounds))
                while len(waiting) > window or (waiting and (waiting[0].asking is None or waiting[0].asking.done())):
                    yield self._ended(waiting.popleft(), tally)
                    tally.write(dataset, making.shard, book, EVERY_S)
            while waiting:
                yield self._ended(waiting.popleft(), tally)
                tally.write(dataset, making.shard, book, EVERY_S)
            on_loop(asker.end())
        finally:
            for begun in waiting:
                if begun.asking is not None:
                    begun.asking.cancel()
            on_loop(asker.stop())
            book.close()
        tally.write(dataset, making.shard, book)

    def _begun(self, outcome: Sample | Drop, asker: Asker, engines: Engines, rounds: Counter[str]) -> Begun:
        if isinstance(outcome, Drop) or outcome.task != "page":
            return Begun(outcome)
        try:
            image = pixels(outcome.image or b"")
        except SampleError as error:
            return Begun(outcome.drop(error.reason, type(self).__name__, error.detail))
        if is_blank(image):
            return Begun(outcome, _known(Outcome(BLANK, "the page has no ink, and nobody was asked")))
        script = outcome.script if outcome.quality.words_hold else ""
        regions = self.regions(outcome, image, engines)
        page = Page(outcome.key, outcome.image or b"", outcome.size, script, regions, rounds[outcome.key])
        return Begun(outcome, begin(asker.page(page)))

    def regions(self, page: Sample, image: numpy.ndarray, engines: Engines) -> tuple[Region, ...]:
        """The regions of a page to ask about, without text, in reading order; () for a model that is asked about whole pages."""
        if self.layout is None:
            return ()
        layout = self.layout.opened(engines)
        lines = [line for region in page.regions for line in region.lines]
        (regions,) = layout.regions([image], [lines])
        ordered = regions if getattr(layout, "is_ordered", False) else in_reading_order(regions, "ltr", page.size)
        return tuple(ordered)

    def _ended(self, begun: Begun, tally: Tally) -> Sample | Drop:
        page = begun.outcome
        if begun.asking is None or isinstance(page, Drop):
            return page
        outcome = begun.asking.result()
        tally.add(outcome)
        if outcome.fate != LABELLED or outcome.read is None:
            return self._drop(page, outcome)
        image = pixels(page.image or b"")
        view = View(image).turned(outcome.quarters)
        turned = replace(page, size=view.image.shape[1::-1]) if outcome.quarters else page
        label = judged(turned, outcome.read, outcome.score, numpy.asarray(view.image), self.limits)
        signals = {"tries": float(len(outcome.fates)), "tokens_read": float(outcome.num_read)}
        signals |= {"tokens_written": float(outcome.num_written)}
        signals |= {"unread_regions": float(outcome.num_unread)} if outcome.num_unread else {}
        scored = tuple(
            replace(
                region,
                by=self.model,
                detected_by=region.detected_by or (region.by if region.by != self.model else ""),
                score=region.score if region.score is not None else outcome.score,
            )
            for region in as_it_came(label.regions, view, page.size)
        )
        label = replace(label, size=page.size, regions=scored)
        return label.with_quality(label.quality.verdict, label.quality.reasons, **signals).with_engine(*self._named())

    def _drop(self, page: Sample, outcome: Outcome) -> Drop:
        answer = clean_text(outcome.answer[:_DROPPED_CHARS])
        reading = Reading(page.lang, Box(0, 0, *page.size), answer, outcome.score or 0.0)
        tries = f"; tries: {', '.join(outcome.fates)}" if len(outcome.fates) > 1 else ""
        detail = clean_text(f"{outcome.detail[:500]}{tries}")
        return page.drop(outcome.fate, type(self).__name__, detail, (reading,) if answer else ())

    def _named(self) -> tuple[str, str]:
        return f"label {self.model}", self._weights or "as it is served"


class _Upright:
    """The quarter turns that set a page upright, by the engine `page-orientation`. The engine belongs to the asking thread."""

    def __init__(self) -> None:
        self._engines = Engines()

    def __call__(self, image: numpy.ndarray) -> int:
        ((quarters, sure),) = self._engines.get("page-orientation").quarters([image])
        return quarters if sure >= _UPRIGHT else 0


@dataclass(frozen=True)
class Labelling(Pipeline):
    """A pipeline with `LabelPages` among its stages. `price` is the price of a server's hour, 0 if unknown. With `planned` the
    pipeline has no input: it is a plan for so many pages on so many `servers`. `beside` starts servers beside the workers of a
    job. None of these changes a byte of the output."""

    price: float = 0.0
    planned: int = 0
    servers: int = 0
    beside: str = ""

    @property
    def needs(self) -> Needs:
        return replace(super().needs, beside=self.beside)

    @property
    def label(self) -> LabelPages:
        """The stage that labels."""
        return next(stage for stage in self.stages if isinstance(stage, LabelPages))

    def with_label(self, **changed: Any) -> "Labelling":
        """The pipeline with these fields of the labelling stage changed."""
        return replace(self, stages=tuple(replace(s, **changed) if isinstance(s, LabelPages) else s for s in self.stages))


@functools.cache
def weights_sha256(folder: str) -> str:
    """The digest of a network's weights. Raises `ValueError` if the folder has none."""
    from datagen.engines.token_reader import files_sha256  # it loads torch

    return files_sha256(Folder(folder))


def segment_of(dataset: Folder, shard: str) -> str:
    """The name of the ledger's file for a shard: two outputs may share a ledger."""
    return f"{fingerprint(dataset.url)[:8]}-{shard}"


def asked_again(dataset: Folder) -> Counter[str]:
    """The number of retries that asked for each page, by the page's key."""
    if not dataset.exists(AGAIN):
        return Counter()
    return Counter(json.loads(line)["key"] for line in dataset.read(AGAIN).splitlines())


def ask_again(dataset: Folder, drops: Iterable[Drop]) -> None:
    """Note the pages of these drops, so that the next reading asks about them anew. A page that got no answer isn't noted, since
    it is asked about in any case."""
    lines = dataset.read(AGAIN) if dataset.exists(AGAIN) else b""
    new = [json.dumps({"key": drop.key, "reason": drop.reason}) for drop in drops if drop.reason != FAILED]
    if new:
        dataset.write(AGAIN, lines + "".join(f"{line}\n" for line in new).encode())


def tallies(dataset: Folder, shard: str = "") -> Iterator[tuple[str, Tally]]:
    """The tally of each shard, or of `shard` alone."""
    folder = dataset.sub(ASKED)
    names = [f"{shard}.json"] if shard else folder.names(".json")
    for name, content in zip(names, folder.read_each(names), strict=True):
        if content is not None:
            values: dict[str, Any] = json.loads(content)
            yield (
                name.removesuffix(".json"),
                Tally(**values | {"pages": Counter(values["pages"]), "tries": Counter(values["tries"])}),
            )


def _known(outcome: Outcome) -> "Future[Outcome]":
    future: Future[Outcome] = Future()
    future.set_result(outcome)
    return future
