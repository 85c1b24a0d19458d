"""Right answers about pages, and damaged ones: which are trusted, where a text layer can tell and where the ink alone can.

Pages from markup have a truth. Of a born-digital page, the right answer is what the recipe `fine` takes out of its file, if the
text layer is trusted; the files are the default documents, Debian's guides and samples.
"""

import os
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import recipes.fine
from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.engines import Engines
from datagen.fine.annotate_image import AnnotateImage
from datagen.fine.read_regions import ReadRegions
from datagen.fine.verdict.judge_page import WeighLabels
from datagen.inputs.items import Item
from datagen.labelling.judge_answer import Limits, judged
from datagen.page.images import pixels
from datagen.reading.language import IdentifyLanguage
from datagen.record import Box, Quality, Region, Sample
from datagen.samples.documents import DebianSamples
from datagen.target import Prompt, can_answer
from datagen.work.pipeline import Stage
from recipes.words.engines import of_word
from tests.bench.fine import markup_pages
from tests.inputs.damaged_answers import KINDS, answered, damaged, inside

MARKUP, BORN_DIGITAL = "markup", "born-digital"
LONG_SIDE = 1684
SURE = 0.99  # the model's own score, where nothing else could speak for an answer
PAGES_OF_A_SEED = 28  # whose text layer is trusted
MOST_OF_A_DOCUMENT = 12  # pages: a guide has hundreds, a sample one
_COARSE = PdfSource(long_side=LONG_SIDE, stage="label")
_LAYER: tuple[Stage, ...] = (IdentifyLanguage(), JudgeTextLayer())
_BY_IMAGE = (CompareInk, AnnotateImage, ReadRegions, WeighLabels)  # which read pages again, and would take seconds each
_STRUCTURE = (
    *(s for s in recipes.fine.stages(of_word("")) if not isinstance(s, (*map(type, _LAYER), *_BY_IMAGE))),
    WeighLabels(lines_a_page=0, read_lines_a_page=0, formulas_a_page=0),
)


class Known(NamedTuple):
    """A page with its text layer, and what stands on it."""

    name: str
    page: Sample
    right: tuple[Region, ...]


@dataclass
class Judged:
    """Of right answers, how many are trusted; of damaged ones, by kind, how many aren't: with the text layer, and without."""

    right: Counter[bool] = field(default_factory=Counter)
    right_by_ink: Counter[bool] = field(default_factory=Counter)
    caught: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    caught_by_ink: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    scripts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Judged") -> None:
        self.right += other.right
        self.right_by_ink += other.right_by_ink
        self.scripts += other.scripts
        for kind in other.caught:
            self.caught[kind] += other.caught[kind]
            self.caught_by_ink[kind] += other.caught_by_ink[kind]


def measured(kind: str, num_right: int) -> Judged:
    """At least so many right answers about pages of this kind, if there are as many, and damaged ones; a process a core."""
    tasks: Iterable[object] = range(-(-num_right // PAGES_OF_A_SEED)) if kind == MARKUP else DebianSamples().items()
    total = Judged()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as processes:
        for judgements in processes.map(_of_seed if kind == MARKUP else _of_document, tasks):
            total.add(judgements)
    return total


def of_markup(seed: int) -> Iterator[Known]:
    """The pages from markup of a seed, with the text layers of their PDFs."""
    with tempfile.TemporaryDirectory() as folder, Engines() as engines:
        for made in markup_pages.pages(seed, Path(folder)):
            (page,) = _through(_LAYER, _COARSE.read(Item(f"{folder}/{made.key}.pdf")), engines)
            scale = page.size[0] / made.size[0]
            right = tuple(replace(one, box=Box(*(round(side * scale) for side in one.box)), lines=()) for one in made.regions)
            yield Known(f"{made.key} of seed {seed}", page, inside(right, page.size))


def born_digital(document: Item) -> Iterator[Known]:
    """Pages of a document whose text layer is trusted, as the recipe `fine` annotates them, without what it reads off images."""
    source = replace(_COARSE, max_pages=MOST_OF_A_DOCUMENT)
    with Engines() as engines:
        coarse = {page.key: page for page in _through(_LAYER, source.read(document), engines) if page.quality.words_hold}
        fine = [p for p in _through(_LAYER, recipes.fine.annotated(source).read(document), engines) if p.quality.words_hold]
        for page in _through(_STRUCTURE, fine, engines):
            is_whole = page.quality.verdict == "trusted" and not any(region.is_unread for region in page.regions)
            if page.key in coarse and is_whole:
                yield Known(f"page {page.origin.page} of {Path(document.uri).name}", coarse[page.key], page.regions)


def judge(known: list[Known]) -> Judged:
    """Judges a right answer about each page, half of them with boxes, half as Markdown alone, and a damaged one of each kind that
    the page can have."""
    done = Judged()
    for number, known_page in enumerate(known):
        whole = replace(known_page.page, regions=known_page.right, quality=Quality("trusted"))
        if not known_page.page.quality.words_hold or not can_answer(whole, Prompt.MARKDOWN):
            continue  # the file doesn't say what stands there
        image, is_plain = pixels(known_page.page.image or b""), number % 2 == 1
        bare = replace(known_page.page, regions=(), text="", quality=Quality())
        done.scripts[known_page.page.script] += 1
        read = answered(known_page.page, known_page.right, is_plain)
        done.right[judged(known_page.page, read, None, image, Limits()).quality.verdict == "trusted"] += 1
        done.right_by_ink[judged(bare, read, SURE, image, Limits()).quality.verdict == "trusted"] += 1
        others = [
            r.text for other in known if other.page.lang == known_page.page.lang and other is not known_page for r in other.right
        ]
        for kind in KINDS:
            made = damaged(kind, known_page.right, others, known_page.page.size, random.Random(f"{known_page.name} {kind}"))
            if made is None or not can_answer(replace(whole, regions=made), Prompt.MARKDOWN):
                continue
            read = answered(known_page.page, made, is_plain)
            done.caught[kind][judged(known_page.page, read, None, image, Limits()).quality.verdict != "trusted"] += 1
            if not is_plain:
                done.caught_by_ink[kind][judged(bare, read, SURE, image, Limits()).quality.verdict != "trusted"] += 1
    return done


def _of_seed(seed: int) -> Judged:
    return judge(list(of_markup(seed)))


def _of_document(document: Item) -> Judged:
    return judge(list(born_digital(document)))


def _through(stages: Iterable[Stage], outcomes: Iterable[object], engines: Engines) -> list[Sample]:
    samples = [outcome for outcome in outcomes if isinstance(outcome, Sample)]
    for stage in stages:
        samples = [outcome for outcome in stage(samples, engines) if isinstance(outcome, Sample)] if samples else []
    return samples
