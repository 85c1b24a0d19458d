"""Training the labeller as a step.

layouts/elements/             what pages consist of, a file a shard, or a file for each 64 annotated pages
layouts/state.pt              the training after its last whole epoch, until it is done
layouts/weights.safetensors   the network
layouts/card.json, CARD.md    how it was trained, and its errors on documents that it didn't learn from
"""

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datagen.disk import manifest
from datagen.disk.shards import each_report, read_samples
from datagen.disk.storage import Folder
from datagen.record import Sample, SampleError
from datagen.work.needs import Needs
from datagen.work.progress import State
from datagen.work.runner import make_runner
from recipes.layouts import COMPOSED, DOCUMENTS, TrainLayouts
from recipes.run.progress import counted, shown
from recipes.steps import OK, SHARD_FAILED, Gone, StepRunner

if TYPE_CHECKING:
    from datagen.layouts.annotated_pages import AnnotatedPage
    from datagen.layouts.training import TrainingPage

log = logging.getLogger(__name__)

ANNOTATED, _TIMES, _A_FILE = "annotated", 3, 64
"""Real pages, so many times an epoch, and so many a file of elements; a third of their repositories is held out."""
WEIGHTS, CARD, TABLE, _STATE = "weights.safetensors", "card.json", "CARD.md", "state.pt"
_CARD = """# The labeller of pages

`make recipe=layouts` wrote this page from [card.json](card.json). The network has {parameters:,} parameters, {kB:,} kB in fp16.
It sees the lines and pictures of a page. It says which belong together, their labels, and their order.

| learned from | pages |
| --- | --- |
{learned}

On pages of documents that it didn't learn from:

| | pages | labels of lines | regions with exactly their lines | order of neighbours |
| --- | --- | --- | --- | --- |
{measured}

{epochs} epochs, seed {seed}, from {start}. Licence: Apache-2.0.
"""


@dataclass(frozen=True)
class _Task:
    """Pages whose elements are wanted in the file `name` of the folder `to`: of a shard, or annotated ones with their files."""

    to: str
    name: str
    dataset: str = ""
    shard: str = ""
    pdfs: str = ""
    nth_image: int = 0
    annotated: "tuple[tuple[str, AnnotatedPage], ...]" = ()


class LayoutsRunner(StepRunner[TrainLayouts]):
    def plan(self) -> str:
        names = [*self._datasets, *([ANNOTATED] if self.step.annotated else [])]
        return f"trains the labeller on pages of {', '.join(names)}, {self.step.plan.epochs} times each"

    @property
    def _datasets(self) -> dict[str, Folder]:
        own = {name: self.out.sub(name) for name in self.step.datasets}
        return own | ({"labelled": Folder(self.step.labelled).sub("fine")} if self.step.labelled else {})

    def run(self) -> int:
        if not self._has_pages():
            raise ValueError(f"{', '.join(self._datasets)}: no pages were made, so that nothing can be learned")
        tasks = list(self._tasks())
        if self._show_elements(tasks):
            return SHARD_FAILED
        if not self.folder.exists(CARD):
            self._train([task.name for task in tasks])
        if self.step.install:
            self._install()
        return OK

    def status(self) -> list[str]:
        card = self.kept(CARD)
        return [f"{self.step.name}: trained on {sum(card['learned'].values())} pages"] if card else []

    def forget(self, gone: Gone) -> None:
        """Clear the elements and a training that isn't whole: they are made anew."""
        for name in (*self.folder.sub("elements").names(), *([] if self.folder.exists(CARD) else [_STATE])):
            (self.folder if name == _STATE else self.folder.sub("elements")).remove(name)

    def _tasks(self) -> Iterator[_Task]:
        """A task for each shard, and for each few of the annotated pages whose files are there."""
        to = self.folder.sub("elements").url
        for name, dataset in self._datasets.items():
            for report in each_report(dataset):
                made = hashlib.sha256(report.known_as.encode()).hexdigest()[:12]
                pdfs, nth = self.step.pdfs if name != "labelled" else "", self.step.nth_image if name == DOCUMENTS else 0
                yield _Task(to, f"{name}-{report.shard}-{made}.jsonl.gz", dataset.url, report.shard, pdfs, nth)
        pages = self._annotated() if self.step.annotated else []
        for start in range(0, len(pages), _A_FILE):
            part = tuple(pages[start : start + _A_FILE])
            made = hashlib.sha256(repr([page for _, page in part]).encode()).hexdigest()[:12]
            yield _Task(to, f"{ANNOTATED}-{start:06d}-{made}.jsonl.gz", annotated=part)

    def _annotated(self) -> "list[tuple[str, AnnotatedPage]]":
        from datagen.layouts.annotated_pages import annotated_pages

        files = {hashlib.sha256(path.read_bytes()).hexdigest(): str(path) for path in Path(self.step.annotated).rglob("*.pdf")}
        pages = annotated_pages()
        there = [(files[page.sha256], page) for page in pages if page.sha256 in files]
        if not there:
            raise ValueError(
                f"annotated={self.step.annotated}: none of its {len(files)} PDF files is one of "
                "datagen/layouts/annotated_pages.tsv, which has their addresses and sha256"
            )
        log.info("%s: files of %d of %d annotated pages are there", self.step.name, len(there), len(pages))
        return there

    def _show_elements(self, tasks: Sequence[_Task]) -> int:
        """Make the files of elements that are missing; returns the number of failed ones."""
        to = self.folder.sub("elements")
        missing = [task for task in tasks if not to.exists(task.name)]
        num_failed, results = 0, make_runner(self.place.on, self.place.workers).map(_show_elements, missing, needs=Needs())
        for task, _, error in counted(self.step.name, "files", len(missing), results):
            if error is not None:
                num_failed += 1
                log.error("%s: %s: %s: %s", self.step.name, task.name, type(error).__name__, error)
        return num_failed

    def _has_pages(self) -> bool:
        return any(report.num_samples for dataset in self._datasets.values() for report in each_report(dataset))

    def _pages(self, names: Sequence[str]) -> "Iterator[tuple[str, TrainingPage]]":
        from datagen.fine.training_pages import read

        folder = self.folder.sub("elements")
        for name in names:
            for page in read(folder.read(name)):
                yield f"{'PDFs' if page.page.has_fonts else 'images'} of {name.split('-')[0]}", page

    def _train(self, names: Sequence[str]) -> None:
        from safetensors.torch import load_file

        from datagen.layouts import labeller, training

        pages = [
            (kind, page, training.is_held_out(page.document, 3 if ANNOTATED in kind else 8)) for kind, page in self._pages(names)
        ]
        learned = [(kind, page) for kind, page, is_unseen in pages if not is_unseen]
        unseen = [(kind, page) for kind, page, is_unseen in pages if is_unseen]
        if not learned:
            raise ValueError(
                f"{self.step.name}: all {len(unseen)} pages are of documents that are held out: more documents are needed"
            )
        start = None if self.step.is_new else load_file(labeller.WEIGHTS)
        started, before = time.monotonic(), self.folder.read(_STATE) if self.folder.exists(_STATE) else b""
        with shown(self.step.name) as show:

            def after_epoch(epoch: int, losses: list[float], state: bytes) -> None:
                self.folder.write(_STATE, state)
                left_s = (time.monotonic() - started) / (epoch + 1) * (self.step.plan.epochs - epoch - 1)
                show(State(epoch + 1, self.step.plan.epochs, "epochs", left_s=left_s))
                log.info(
                    "%s: epoch %d: losses of labels, levels, regions, order: %s",
                    self.step.name,
                    epoch + 1,
                    ", ".join(f"{loss:.3f}" for loss in losses),
                )

            often = [page for kind, page in learned for _ in range(_TIMES if ANNOTATED in kind else 1)]
            network = training.trained(often, self.step.plan, after_epoch, before, start)
        plan = asdict(self.step.plan) | {"start": "" if start is None else labeller.versions()["layouts"]}
        weights, made = finished(training.saved(network), learned, unseen, plan)
        if start is not None:  # what is held out follows from its name alone, so the package's network hasn't seen these either
            package = json.loads(labeller.WEIGHTS.with_name(CARD).read_text(encoding="utf-8"))
            made["unseen"] = sorted({*made["unseen"], *package["unseen"]})
        self.folder.write(WEIGHTS, weights)
        self.folder.write(TABLE, for_people(made).encode())
        self.folder.write(CARD, (json.dumps(made, indent=1) + "\n").encode())
        self.folder.remove(_STATE)

    def _install(self) -> None:
        from datagen.layouts import labeller

        for name in (WEIGHTS, CARD, TABLE):
            target = labeller.WEIGHTS.with_name(name)
            try:
                unfinished = target.with_name(f"{name}.new")
                unfinished.write_bytes(self.folder.read(name))
                unfinished.rename(target)
            except OSError as error:
                raise ValueError(f"install=1: {target} can't be written to ({error})") from None
        log.info("%s: the network is the package's now, in %s", self.step.name, labeller.WEIGHTS.parent)


def _show_elements(task: _Task) -> int:
    """Write the elements of the task's pages; returns their number. Pages that can't be read again are left out."""
    from datagen.fine.training_pages import written

    pages, dropped = [], Counter[str]()
    for make in _makers(task):
        try:
            pages.append(make())
        except SampleError as error:
            dropped[error.reason] += 1
    if dropped:
        log.warning("%s: pages that are left out: %s", task.name, dict(dropped))
    Folder(task.to).write(task.name, written(page for page in pages if page.page.lines))
    return len(pages)


def _makers(task: _Task) -> "Iterator[Callable[[], TrainingPage]]":
    """What makes each page of the task, or raises `SampleError`."""
    from datagen.engines import OPEN
    from datagen.fine.training_pages import document_of, of_image, of_pdf
    from datagen.layouts.annotated_pages import UNIT

    for path, one in task.annotated:
        yield partial(of_pdf, path, one.page, one.regions, (UNIT, UNIT), one.repository)
    folder = Folder(task.dataset)
    rows = manifest.read_part(folder, task.shard).to_pylist() if task.shard else []
    for number, sample in enumerate(sample for sample in read_samples(folder, rows) if sample.task == "page"):
        if place := _pdf(sample, task.pdfs):
            yield partial(of_pdf, *place, sample.regions, sample.size, document_of(sample))
        if task.nth_image and number % task.nth_image == 0:
            yield partial(of_image, sample, OPEN)


def _pdf(sample: Sample, pdfs: str) -> tuple[str, int] | None:
    """The PDF file of a sample and its page in it; None if there is none."""
    if pdfs:
        path = Folder(pdfs).path(f"{sample.key}.pdf")
        return (path, 0) if Path(path).exists() else None
    is_page = sample.origin.uri.lower().endswith(".pdf") and sample.origin.page is not None
    return (sample.origin.uri, sample.origin.page or 0) if is_page and sample.quality.verdict == "trusted" else None


def finished(
    raw: bytes, learned: "list[tuple[str, TrainingPage]]", unseen: "list[tuple[str, TrainingPage]]", plan: dict[str, Any]
) -> tuple[bytes, dict[str, Any]]:
    """The network's weights with those of `odds`, learned on a third of the unseen documents, and its card, measured on the
    others. Odds are those of real pages if there are some: pages from markup are easier. `unseen` in the card are the beginnings
    of those documents' sha256s, but for composed ones, and the repositories of annotated pages."""
    from safetensors.numpy import load, save

    from datagen.layouts.measure import shares
    from datagen.layouts.odds import odds
    from datagen.layouts.training import is_held_out

    weights = load(raw)
    others = [(kind, page) for kind, page in unseen if is_held_out(page.document, 3, "measured")]
    rates = [(kind, page) for kind, page in unseen if not is_held_out(page.document, 3, "measured")]
    if others:
        real = [page for kind, page in others if ANNOTATED in kind]
        weights |= odds(real or [page for _, page in others], weights)
    kinds = sorted({kind for kind, _ in rates})
    made = {
        "plan": plan,
        "parameters": sum(array.size for array in weights.values()),
        "learned": dict(sorted(Counter(kind for kind, _ in learned).items())),
        "measured": {kind: shares((page for one, page in rates if one == kind), weights) for kind in kinds},
        "unseen": sorted({page.document for kind, page in unseen if not kind.endswith(COMPOSED)}),
        "licence": "Apache-2.0",
    }
    data = save(weights)
    return data, made | {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def for_people(made: dict[str, Any]) -> str:
    learned = "\n".join(f"| {kind} | {num:,} |" for kind, num in made["learned"].items())
    rows = (
        f"| {kind} | {row['pages']} | {row['labels']:.1%} | {row['regions']:.1%} | {row['order']:.1%} |"
        for kind, row in made["measured"].items()
    )
    return _CARD.format(
        parameters=made["parameters"],
        kB=round(made["bytes"] / 1000),
        learned=learned,
        measured="\n".join(rows),
        epochs=made["plan"]["epochs"],
        seed=made["plan"]["seed"],
        start=f"the weights {made['plan']['start']}" if made["plan"]["start"] else "nothing",
    )
