"""Pages read by a network of lines, as a step: our detector finds their lines, which are put in order. The network reads each
line, a long one in parts; Tesseract reads the same crops.

    NAME/network/KEY.md, NAME/tesseract/KEY.md    their readings, for `make score pred=`
    NAME/pages.json                               each page's lines with their boxes; the edit distances
"""

import hashlib
import json
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy

from datagen.disk import manifest
from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from datagen.record import Sample
from model.train.step import flat
from recipes.reads import ReadPages
from recipes.recipe import Report
from recipes.steps import OK, Gone, StepRunner

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

PAGES = "pages.json"
VERSION = 1  # goes up whenever the same network would give other readings
NETWORK, TESSERACT = "network", "tesseract"
LATIN = "Latn"
_MOST = 120  # tokens of a part of a line


class ReadPagesRunner(StepRunner[ReadPages]):
    def plan(self) -> str:
        return (
            f"reads at most {self.step.max_pages} held-out pages of {self.step.dataset} with the network of {self.step.training}"
        )

    def run(self) -> int:
        trained = self.out.sub(self.step.training)
        if not trained.exists("metrics.json"):
            log.warning("%s: %s has no network: no page is read", self.step.name, self.step.training)
            return OK
        made = self._made_of(trained)
        if (there := self.kept(PAGES)) and there["made_of"] == made:
            log.info("%s: nothing new, the pages are read", self.step.name)
            return OK
        self.forget(Gone.nothing())
        pages = self._pages(flat(json.loads(trained.read("run.json"))["step"])["held_out_share"])
        if not pages:
            log.warning("%s: no trusted page in Latin letters is of a held-out document: no page is read", self.step.name)
            return OK
        rows = read(pages, trained.sub("model"))
        for reader in (NETWORK, TESSERACT):
            for row in rows:
                self.folder.write(f"{reader}/{row['key']}.md", "\n".join(line[reader] for line in row["lines"]).encode())
        scores = {reader: self._score(reader, {row["key"] for row in rows}) for reader in (NETWORK, TESSERACT)}
        self.folder.write(PAGES, json.dumps({"made_of": made, "scores": scores, "pages": rows}, ensure_ascii=False).encode())
        for line in self.status():
            log.info("%s", line)
        return OK

    def status(self) -> list[str]:
        if not (shown := self.shown()):
            return []
        scores = [
            f"{reader} {one['value']:.3f} ({one['low']:.3f} to {one['high']:.3f})" for reader, one in shown["scores"].items()
        ]
        return [f"{self.step.name}: edit distance on {len(shown['pages'])} held-out pages: {'; '.join(scores)}"]

    def shown(self) -> Any:
        return self.kept(PAGES)

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        if not (shown := self.shown()):
            return []
        from recipes.report.read_pages import pages_section

        keys = {row["key"]: row for row in shown["pages"]}
        (page, *_) = read_samples(self._dataset, manifest.rows(self._dataset, lambda row: row["key"] == min(keys)))
        return [pages_section(self.step.name, shown["scores"], len(keys), page, keys[page.key]["lines"])]

    def forget(self, gone: Gone) -> None:
        self.folder.remove(PAGES)
        for reader in (NETWORK, TESSERACT):
            for name in self.folder.sub(reader).names():
                self.folder.sub(reader).remove(name)

    def _made_of(self, trained: Folder) -> str:
        """The inputs of the readings."""
        from model.train.start import known_as

        values = [known_as(trained.sub("model")), self.step.dataset, self.step.max_pages, VERSION]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def _pages(self, share: float) -> list[Sample]:
        """Trusted pages of held-out documents, from as many documents as possible."""
        from model.data.split import is_held_out

        held_out = frozenset[str]().union(*(runner.held_out() for runner in self.earlier()))

        def is_wanted(row: dict[str, Any]) -> bool:
            fits = row["verdict"] == "trusted" and row["script"] == LATIN and row["num_chars"] >= 200
            return fits and (is_held_out(row["group"], share) or bool({row["group"], row["sha256"]} & held_out))

        of_document: dict[str, list[dict[str, Any]]] = {}
        for row in manifest.rows(self._dataset, is_wanted):
            of_document.setdefault(row["sha256"], []).append(row)
        by_chance = {
            sha256: sorted(of, key=lambda row: hashlib.sha256(row["key"].encode()).digest()) for sha256, of in of_document.items()
        }
        drawn = [of for _, of in sorted(by_chance.items())]
        in_turn = [of[turn] for turn in range(max(map(len, drawn), default=0)) for of in drawn if turn < len(of)]
        return sorted(read_samples(self._dataset, in_turn[: self.step.max_pages]), key=lambda page: page.key)

    @property
    def _dataset(self) -> Folder:
        return Folder(self.step.dataset) if "/" in self.step.dataset else self.out.sub(self.step.dataset)

    def _score(self, reader: str, keys: set[str]) -> dict[str, float]:
        """The mean edit distance of pages' text, with its interval, as in `make score`."""
        from datagen.score import pages, scores

        truth = [page for page in pages.truths(self._dataset.url) if keys & set(page.names)]
        mean = scores.score(truth, pages.predictions(self.folder.sub(reader).url)).means["page"]
        return {"value": mean.value, "low": mean.low, "high": mean.high}


def read(pages: Sequence[Sample], network: Folder) -> list[dict[str, Any]]:
    """The network's and Tesseract's readings of each page's lines, in reading order: its `key`, and `lines` with `box`, and with
    a text by each reader's name."""
    from datagen.target import Prompt
    from flywheel.labels import lines_by_network
    from model.read_images import Asking
    from model.train.start import known_as

    found = [(page, line) for page in pages for line in lines_by_network.lines(page)]
    lines, langs = [line for _, line in found], [page.lang for page, line in found for _ in line.parts]
    asking = Asking(network.url, known_as(network), Prompt.FREE.value, (lines_by_network.MODE,), most=_MOST, precision="float32")
    ours = lines_by_network.texts_of(lines, partial(lines_by_network.read, asking=asking))
    theirs = lines_by_network.texts_of(lines, partial(_by_tesseract, langs=langs))
    rows: dict[str, list[dict[str, Any]]] = {page.key: [] for page in pages}
    for (page, line), our, their in zip(found, ours, theirs, strict=True):
        rows[page.key].append({"box": list(line.box), NETWORK: our, TESSERACT: their})
    return [{"key": key, "lines": of_page} for key, of_page in rows.items()]


def _by_tesseract(crops: Sequence[numpy.ndarray], langs: Sequence[str]) -> list[str]:
    from datagen.engines import OPEN, tesseract

    texts = [""] * len(crops)
    for lang in dict.fromkeys(langs):
        at = [n for n, one in enumerate(langs) if one == lang]
        readings = OPEN.get("tesseract").read([crops[n] for n in at], tesseract.reads(lang, LATIN) or "en")
        for n, (text, _) in zip(at, readings, strict=True):
            texts[n] = text
    return texts
