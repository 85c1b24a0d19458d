"""A small wheel that turns in seconds: Russian documents of a few words, and a reader that learns these words."""

import random
from pathlib import Path

from datagen.census import Listing
from datagen.pipeline import Pipeline
from datagen.sources.pdf import PdfSource
from datagen.stages.language import IdentifyLanguage
from datagen.stages.textlayer import JudgeTextLayer
from flywheel.step import Fit, Flywheel
from recipes.recipe import Recipe, Report
from recipes.run import Place, run
from tests import pdfs

LINES = 22  # a page
WORDS = "все люди в своем праве и доме".split()


def documents(folder: Path) -> Path:
    """Eight documents: two to read, in different shards, one to calibrate and test on; the others train.

    The held-out one has twice the lines that a threshold needs: on a processor without bf16 other lines differ between views.
    """
    return written(folder, {"big": 12, "medium": 10, "middle": 10} | {f"small-{n}": 9 for n in range(5)})


def written(folder: Path, documents: dict[str, int]) -> Path:
    """Documents of these names, of so many pages."""
    for name, num_pages in documents.items():
        draw = random.Random(name)
        pages = ["\n".join(" ".join(draw.choices(WORDS, k=4)) for _ in range(LINES)) for _ in range(num_pages)]
        pdfs.write(folder / f"{name}.pdf", *pages)
    return folder


def recipe(folder: Path, rounds: int = 1, **values: object) -> Recipe:
    stages = (IdentifyLanguage(), JudgeTextLayer())
    pages = Pipeline("coarse", Listing(str(folder)), PdfSource(shard_pages=2), stages)
    first = Fit(steps=650, learning_rate=3e-3, batch_width=1_500, typeset_share=0.0, num_lines=1, checkpoint_every=150)
    later = Fit(steps=10, learning_rate=5e-5, batch_width=1_500, num_lines=1, checkpoint_every=5)
    given = {"rounds": rounds, "min_train_lines": 50, "precision": 0.5, "max_held_out": 80, "first": first, "later": later}
    return Recipe("wheel", (pages, Flywheel("coarse", **given | values), Report(("coarse",))))


def turn(folder: Path, out: Path, rounds: int = 1, on: str = "inline", overwrite: bool = False, **values: object) -> int:
    return run(recipe(folder, rounds, **values), Place(str(out), on, 2, overwrite))
