"""Right answers about typeset pages, and damaged ones: which are trusted, where a text layer can tell and where the ink alone
can."""

import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.engines import Engines
from datagen.fine.typeset_pages import pages
from datagen.inputs.items import Item
from datagen.labelling.judge_answer import Limits, judged
from datagen.page.images import pixels
from datagen.reading.language import IdentifyLanguage
from datagen.record import Quality, Region, Sample
from datagen.target import Prompt, can_answer
from recipes.fine import annotated
from tests.inputs.damaged_answers import KINDS, answered, damaged, inside, regions_of

LONG_SIDE = 1684
SURE = 0.99  # the model's own score, where nothing else could speak for an answer


class Known(NamedTuple):
    """A typeset page with its text layer, what stands on it by its truth, and by the born-digital file itself."""

    name: str
    page: Sample
    truth: tuple[Region, ...]
    own: tuple[Region, ...]


@dataclass
class Found:
    """Of right answers, how many are trusted; of damaged ones, by kind, how many aren't: with the text layer, and without."""

    right: Counter[bool] = field(default_factory=Counter)
    right_by_ink: Counter[bool] = field(default_factory=Counter)
    caught: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    caught_by_ink: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    scripts: Counter[str] = field(default_factory=Counter)


def known(seed: int, is_born_digital: bool) -> Iterator[Known]:
    """The thirty typeset pages of a seed; with `is_born_digital` also what the recipe `fine` takes out of their files."""
    coarse = PdfSource(long_side=LONG_SIDE, stage="label")
    with tempfile.TemporaryDirectory() as folder, Engines() as engines:
        for name, pdf, _, truth in pages(seed):
            path = Path(folder) / f"{name}.pdf"
            path.write_bytes(pdf)
            (page,) = (one for one in coarse.read(Item(str(path))) if isinstance(one, Sample))
            for stage in (IdentifyLanguage(), JudgeTextLayer()):
                (page,) = (one for one in stage([page], engines) if isinstance(one, Sample))
            set_regions = inside(regions_of(truth, page.size[0] / truth["page_info"]["width"]), page.size)
            own: tuple[Region, ...] = ()
            if is_born_digital:
                own = next(one.regions for one in annotated(coarse).read(Item(str(path))) if isinstance(one, Sample))
            yield Known(name, page, set_regions, own)


def add(found: Found, of_seed: list[Known], seed: int) -> None:
    """Judges a right answer about each page, and a damaged one of each kind that the page can have."""
    for number, one in enumerate(of_seed):
        if not one.page.quality.words_hold:
            continue
        image, is_plain = pixels(one.page.image or b""), (number + seed) % 2 == 1
        others = [r.text for other in of_seed if other.page.lang == one.page.lang and other is not one for r in other.truth]
        bare = replace(one.page, regions=(), text="", quality=Quality())
        found.scripts[one.page.script] += 1
        for regions in (one.truth, one.own):
            if not can_answer(replace(one.page, regions=regions, quality=Quality("trusted")), Prompt.MARKDOWN):
                continue  # the file doesn't say what stands there
            read = answered(one.page, regions, is_plain)
            found.right[judged(one.page, read, None, image, Limits()).quality.verdict == "trusted"] += 1
            found.right_by_ink[judged(bare, read, SURE, image, Limits()).quality.verdict == "trusted"] += 1
        for kind in KINDS:
            made = damaged(kind, one.truth, others, one.page.size, random.Random(f"{seed} {one.name} {kind}"))
            if made is not None:
                read = answered(one.page, made, is_plain)
                found.caught[kind][judged(one.page, read, None, image, Limits()).quality.verdict != "trusted"] += 1
                if not is_plain:
                    found.caught_by_ink[kind][judged(bare, read, SURE, image, Limits()).quality.verdict != "trusted"] += 1
