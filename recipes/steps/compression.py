"""The table of compression as a step: pages read in each mode, a file in `answers/` each, then the table.

After a kill the same command goes on with the pages that have no file yet.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from datagen.disk import manifest
from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from datagen.engines.token_reader import files_sha256
from datagen.page.images import upright
from datagen.record import SampleError
from datagen.rewards.reward import as_markdown
from datagen.score.compression import BINS, PageReading, fox_pages, lines, table
from datagen.target import restore
from datagen.work.progress import State
from recipes.compression import MeasureCompression
from recipes.recipe import Report
from recipes.run.progress import shown
from recipes.steps import OK, Gone, StepRunner

if TYPE_CHECKING:
    from model.net.image import Views
    from recipes.report import Section

log = logging.getLogger(__name__)

ANSWERS, TABLE, OF = "answers", "table.json", "of.json"


class Page(NamedTuple):
    """A page: `image` is encoded, `text` is its true text."""

    name: str
    image: bytes
    text: str


class CompressionRunner(StepRunner[MeasureCompression]):
    def plan(self) -> str:
        pages = f"Fox's pages in {self.step.fox}" if self.step.fox else f"the pages of {self.step.pages}"
        done = len(self.folder.sub(ANSWERS).names(".json"))
        return f"reads {pages} with {self.step.model} in {', '.join(self.step.modes)}; {done} answers are there"

    def run(self) -> int:
        """Raises `ValueError` if the model can't be opened, no page is in a bin, or there are answers of another model."""
        if self.place.overwrite:
            self.forget(Gone.nothing())
        self._claim()
        self._ask()
        rows = table(self._readings())
        if not rows:
            raise ValueError(f"no page has {BINS.start} to {BINS.stop - 1} tokens of this model's tokenizer: there is no table")
        self.folder.write(TABLE, json.dumps(rows, indent=1).encode())
        for line in self.status():
            log.info("%s", line)
        return OK

    def status(self) -> list[str]:
        rows = self.shown()
        return [f"{self.step.name}: {line}" for line in lines(rows)] if rows else []

    def shown(self) -> Any:
        return self.kept(TABLE)

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        if not (rows := self.shown()):
            return []
        from recipes.report.compression import compression_section

        return [compression_section(self.step.name, rows, self._readings())]

    def forget(self, gone: Gone) -> None:
        answers = self.folder.sub(ANSWERS)
        for name in (TABLE, OF):
            self.folder.remove(name)
        for name in answers.names(".json"):
            answers.remove(name)

    def _claim(self) -> None:
        """Raise `ValueError` if the folder's answers are another model's, or about other pages."""
        step = self.step
        state = {
            "model": files_sha256(Folder(step.model)),
            "pages": step.fox or step.pages,
            "lang": step.lang,
            "max_new_tokens": step.max_new_tokens,
            "prompt": step.prompt.name.lower(),
        }
        if (there := self.kept(OF)) is None:
            self.folder.write(OF, json.dumps(state).encode())
        elif there != state:
            differing = ", ".join(name for name in state if state[name] != there.get(name))
            raise ValueError(f"{self.folder.url} has answers of another {differing}: choose another out=…, or overwrite=1")

    def _pages(self) -> Iterator[Page]:
        if self.step.fox:
            for image, text in fox_pages(self.step.fox, self.step.lang):
                yield Page(image.name, image.read_bytes(), text)
            return
        dataset = self.out.sub(self.step.pages)
        for sample in read_samples(dataset, manifest.rows(dataset)):
            yield Page(sample.key, sample.image or b"", sample.text)

    def _readings(self) -> list[PageReading]:
        answers = self.folder.sub(ANSWERS)
        modes = self.step.modes
        readings = [PageReading(**json.loads(answers.read(name))) for name in answers.names(".json")]
        return sorted((one for one in readings if one.mode in modes), key=lambda one: (modes.index(one.mode), one.page))

    def _ask(self) -> None:
        """Read the pages without an answer."""
        from datagen.score.compression_pages import tokens_of

        tokenizer = tokens_of(str(Path(self.step.model) / "tokenizer.json"))
        there = {(one.page, one.mode) for one in self._readings()}
        left: dict[str, list[tuple[Page, int]]] = {mode: [] for mode in self.step.modes}
        num_outside = 0
        for page in self._pages():
            count = len(tokenizer.encode(page.text, add_special_tokens=False).ids)
            num_outside += count not in range(BINS.start, BINS.stop)
            for mode in self.step.modes:
                if count in range(BINS.start, BINS.stop) and (page.name, mode) not in there:
                    left[mode].append((page, count))
        if num_outside:
            log.info("%s: %d pages have too few or too many tokens, and are left out", self.step.name, num_outside)
        if any(left.values()):
            self._read(left, len(there))

    def _read(self, left: dict[str, list[tuple[Page, int]]], num_done: int) -> None:
        import torch

        from model.files.network_folder import load_model
        from model.generate import generate

        step, answers = self.step, self.folder.sub(ANSWERS)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        net, tokenizer = load_model(Folder(step.model), device, torch.bfloat16 if device == "cuda" else None)
        total = num_done + sum(map(len, left.values()))
        with shown(step.name) as report:
            for mode, pages in left.items():
                for at in range(0, len(pages), step.rows):
                    batch = [(page, count, _views(page, mode)) for page, count in pages[at : at + step.rows]]
                    seen = [(page, count, views) for page, count, views in batch if views is not None]
                    texts = generate(net, tokenizer, [views for *_, views in seen], step.prompt.value, step.max_new_tokens)
                    for (page, count, _), text in zip(seen, texts, strict=True):
                        reading = PageReading(page.name, mode, count, page.text, restore(as_markdown(text)))
                        name = hashlib.sha256(page.name.encode()).hexdigest()[:16]
                        answers.write(f"{mode}-{name}.json", json.dumps(asdict(reading), ensure_ascii=False).encode())
                    num_done += len(seen)
                    report(State(num_done, total, "answers"))
        if num_done < total:
            log.warning("%s: %d images can't be read, and are left out", step.name, total - num_done)


def _views(page: Page, mode: str) -> "Views | None":
    """The network's view of a page; None, with a warning in the log, if its image is damaged."""
    from model.net.image import load

    try:
        return load(upright(page.image).image, mode)
    except SampleError as error:
        log.warning("%s: %s", page.name, error)
        return None
