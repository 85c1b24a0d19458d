"""A small wheel that turns in seconds: documents of short Russian words in five letters, which a reader learns at once.

The reader is the real one, trained by the real loop. It needs few steps because there are few letters, and the lines that test it
are new to it because ten words give ten thousand lines.
"""

import random
from pathlib import Path

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.inputs.census import Listing
from datagen.reading.language import IdentifyLanguage
from datagen.work.pipeline import Pipeline
from flywheel.step import Fit, Flywheel
from recipes.recipe import Recipe, Report
from recipes.run.execute import Place, run
from tests.inputs import pdfs

LINES = 18  # a page
WORDS = "кот рот рок ток торт крот сок срок сток росток".split()
UNTRAINED = {"first": Fit(steps=2, learning_rate=1e-3, batch_width=1_000)}  # for what doesn't look at readings


def documents(folder: Path) -> Path:
    """Eight documents: two to read, one in each fold and in different shards; one to calibrate and test on; the others train."""
    return written(folder, {"big": 9, "medium": 8, "middle": 8} | {f"small-{n}": 6 for n in range(5)})


def few_documents(folder: Path) -> Path:
    """Three documents: one trains, one is to read, one is held out."""
    return written(folder, {"big": 9, "medium": 8, "small": 2})


def written(folder: Path, documents: dict[str, int]) -> Path:
    """Documents of these names, of so many pages."""
    for name, num_pages in documents.items():
        draw = random.Random(name)
        pages = ["\n".join(" ".join(draw.choices(WORDS, k=4)) for _ in range(LINES)) for _ in range(num_pages)]
        pdfs.write(folder / f"{name}.pdf", *pages)
    return folder


def recipe(folder: Path, rounds: int = 1, **values: object) -> Recipe:
    stages = (IdentifyLanguage(), JudgeTextLayer())
    pages = Pipeline("coarse", Listing(str(folder)), PdfSource(long_side=1080, shard_pages=2), stages)
    first = Fit(
        steps=350, learning_rate=2e-3, batch_width=1_200, typeset_share=0.0, told_share=0.3, num_lines=1, checkpoint_every=100
    )
    later = Fit(steps=10, learning_rate=5e-5, batch_width=1_000, num_lines=1, checkpoint_every=5)
    given = {
        "rounds": rounds,
        "needs_gain": False,
        "packaged": False,  # what is told of rounds is told of readers that know nothing
        "min_train_lines": 50,
        "precision": 0.5,
        "max_held_out": 80,
        "first": first,
        "later": later,
    }
    return Recipe("wheel", (pages, Flywheel("coarse", **given | values), Report(("coarse",))))


def turn(folder: Path, out: Path, rounds: int = 1, on: str = "inline", overwrite: bool = False, **values: object) -> int:
    return run(recipe(folder, rounds, **values), Place(str(out), on, 2, overwrite))


def turn_twice(folder: Path) -> None:
    """Documents in `in`, and two rounds of them in `out`."""
    assert turn(documents(folder / "in"), folder / "out", rounds=2) == 0
