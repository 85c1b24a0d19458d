"""The fastest way to ask a server: a few hundred pages at several numbers of questions at a time, and at several image sizes."""

import contextlib
import itertools
import json
import logging
import statistics
import time
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from datagen.asking.client import BESIDE, Servers
from datagen.asking.ledger import Ledger
from datagen.asking.loop import begin
from datagen.asking.pages import Asker, Outcome, Page
from datagen.asking.profiles import LOOP
from datagen.disk.storage import Folder
from datagen.disk.temporary import temporary_folder
from datagen.engines import OPEN
from datagen.inputs.items import Item
from datagen.labelling.label_pages import Labelling
from datagen.page.images import pixels
from datagen.record import Sample, SampleError
from recipes.recipe import Report
from recipes.steps import OK, StepRunner
from recipes.steps.label import check, num_servers

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

TOGETHER = (8, 32, 128, 256)
SIZES = (1.0, 0.75)
_PAGES = 64  # of a setting
_DAY = 86_400
_FILE = "sweep.json"


@dataclass(frozen=True)
class Sweep:
    """Asks about pages of `of`'s inputs at each setting: at so many questions at a time of each server, and at so much of the
    profile's image size. Every setting has pages of its own, so that none is answered from what another one heard."""

    of: Labelling
    together: tuple[int, ...] = TOGETHER
    sizes: tuple[float, ...] = SIZES
    pages: int = _PAGES
    name: str = "sweep"


@dataclass(frozen=True)
class Speed:
    """What came of a setting."""

    together: int
    long_side: int
    pages: int
    seconds: float
    tokens_written: int
    answered: float
    repetition_rate: float
    median_s: float

    @property
    def pages_s(self) -> float:
        return self.pages / max(1e-9, self.seconds)

    def cells(self, price: float, servers: int) -> tuple[str, ...]:
        """For people: the setting, and what it comes to."""
        million = price * servers * 1e6 / max(1e-9, self.pages_s) / 3600
        return (
            f"{self.together}",
            f"{self.long_side}",
            f"{self.pages_s:.2f}",
            f"{self.tokens_written / max(1e-9, self.seconds):,.0f}",
            f"{self.pages_s * _DAY:,.0f}",
            f"{million:,.0f}" if price else "-",
            f"{self.answered:.1%}",
            f"{self.repetition_rate:.1%}",
            f"{self.median_s:.2f}",
        )


HEAD = ("together", "long side", "pages/s", "tokens/s", "pages a day", "cost a million", "labelled", "repetition", "median s")


class SweepRunner(StepRunner[Sweep]):
    def plan(self) -> str:
        num = len(self.step.together) * len(self.step.sizes)
        return f"asks about {self.step.pages} pages at each of {num} settings"

    def run(self) -> int:
        step = self.step.of
        if not step.label.model:
            raise ValueError("label needs model=NAME, as the server calls it")
        if dict(step.label.answerer.settings).get("url", BESIDE) == BESIDE:
            raise ValueError("sweep=1 asks servers: name them with server=http://HOST:8000/v1")
        check(step)
        samples = self._samples()
        speeds = []
        for size in self.step.sizes:
            for together in self.step.together:
                pages = [page for page, _ in zip(samples, range(self.step.pages), strict=False)]
                if pages:
                    speeds.append(self._speed(pages, together, size))
                    print("  ".join(speeds[-1].cells(step.price, num_servers(step))), flush=True)
        if not speeds:
            raise ValueError("sweep=1: the inputs have no page")
        self.folder.write(_FILE, json.dumps([asdict(speed) for speed in speeds], indent=1).encode())
        print("\n".join(self._table()))
        return OK

    def status(self) -> list[str]:
        return self._table() if self.folder.exists(_FILE) else []

    def shown(self) -> Any:
        return self.folder.read(_FILE).decode() if self.folder.exists(_FILE) else ""

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        from recipes.report import Section, fill

        rows = [speed.cells(self.step.of.price, num_servers(self.step.of)) for speed in self._speeds()]
        return [Section("sweep", "Speed by setting", fill("sweep.html", head=HEAD, rows=rows, best=self._best()))] if rows else []

    def _samples(self) -> Iterator[Sample]:
        """Pages, document by document, in turns, so that each setting has some of each kind."""
        step = self.step.of
        census = step.census.within(self.out)
        items = [item for inputs in step.source.split(census.items()) for item in inputs]
        wanted = self.step.pages * len(self.step.sizes) * len(self.step.together)
        some = items[:: max(1, len(items) // wanted)]
        log.info("sweep: reading up to %d pages of %d documents", wanted, len(some))
        of_items = [self._pages(item, -(-wanted // len(some))) for item in some]
        for turn in itertools.zip_longest(*of_items):
            yield from (page for page in turn if page is not None)

    def _pages(self, item: Item, most: int) -> list[Sample]:
        """The first pages of a document, one document after another: a child reads one at a time."""
        pages: list[Sample] = []
        outcomes = iter(self.step.of.source.read(item))
        with contextlib.suppress(SampleError):
            pages.extend(itertools.islice((one for one in outcomes if isinstance(one, Sample)), most))
        if isinstance(outcomes, Generator):
            outcomes.close()
        return pages

    def _speed(self, pages: list[Sample], together: int, size: float) -> Speed:
        label = self.step.of.label
        profile = replace(label.profile, long_side=round(size * label.profile.long_side))
        settings = dict(label.answerer.settings) | {"together": together}
        servers = Servers(**settings)
        outcomes: list[Outcome] = []
        times: list[float] = []
        with temporary_folder() as folder:
            book = Ledger(Folder(folder), "sweep")
            asker = Asker(profile, label.model, servers, book)
            started = time.monotonic()
            asking = []
            for page in pages:
                regions = label.regions(page, pixels(page.image or b""), OPEN)
                asking.append(begin(_timed(asker, Page(page.key, page.image or b"", page.size, regions=regions), times)))
            outcomes = [one.result() for one in asking]
            seconds = time.monotonic() - started
            book.close()
        servers.close()
        fates = Counter(outcome.fate for outcome in outcomes)
        written = sum(outcome.num_written for outcome in outcomes)
        loops = sum(outcome.fates[:1] == [LOOP] for outcome in outcomes)
        return Speed(
            together, profile.long_side, len(pages), round(seconds, 3), written, fates["labelled"] / len(pages), loops /
            len(pages), round(statistics.median(times), 3),
        )  # fmt: skip

    def _speeds(self) -> list[Speed]:
        return [Speed(**one) for one in json.loads(self.folder.read(_FILE))] if self.folder.exists(_FILE) else []

    def _best(self) -> str:
        best = max(self._speeds(), key=lambda speed: speed.pages_s)
        return f"together={best.together} at {best.long_side} px is fastest: {best.pages_s * _DAY:,.0f} pages a day"

    def _table(self) -> list[str]:
        rows = [HEAD, *(speed.cells(self.step.of.price, num_servers(self.step.of)) for speed in self._speeds())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return [*lines, self._best()]


async def _timed(asker: Asker, page: Page, times: list[float]) -> Outcome:
    started = time.monotonic()
    outcome = await asker.page(page)
    times.append(time.monotonic() - started)
    return outcome
