"""The paper's corpus of PDF pages at its full size: 30M in about a hundred languages, 25M of them Chinese and English.

The stages of `coarse`, and filters; a shard is a few minutes' work and about 500 MB.
"""

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.filters import DropBoilerplate, DropLowInformation, DropRepetition
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.inputs.census import Listing
from datagen.inputs.language_weights import Share, Weights
from datagen.reading.language import IdentifyLanguage
from datagen.work.pipeline import Pipeline
from recipes.paper_mixture import PAPER, SHARD_PAGES
from recipes.recipe import Recipe, corpus, read_passwords

SEED = 0
WEIGHTS = Weights((Share(25_000_000, ("zh", "en")), Share(5_000_000)), temperature=3.3, seed=SEED)


def corpus30m(input: str = "", limit: int = 0, deep: bool = False, passwords: str = "", benchmarks: str = "") -> Recipe:
    """The paper's 30M pages from a list of documents; plan=1: what they cost. `input` is a list with the documents' languages;
    `deep` detects these. The more of its rows have `bytes` or `pages`, the better the weights hold. Without it there is only the
    paper's table to `plan`."""
    if not input:
        return Recipe("corpus30m", (), PAPER)
    stages = (
        IdentifyLanguage(),
        CompareInk(budget_s=9.0),
        JudgeTextLayer(),
        DropLowInformation(),
        DropBoilerplate(),
        DropRepetition(),
    )
    pages = Pipeline(
        "coarse",
        census=Listing(input),
        source=PdfSource(max_pages=200, seed=SEED, shard_pages=SHARD_PAGES, passwords=read_passwords(passwords)),
        stages=stages,
        weights=WEIGHTS,
        limit=limit,
        deep=deep,
    )
    return corpus("corpus30m", (pages,), benchmarks, seed=SEED, mixture=PAPER)
