"""From documents in many languages to a corpus: coarse extraction, then the report.

Without `input` the documents are Debian's: reference cards, installation guides, type specimens, written by people of many
languages.
"""

from datagen.census import Listing
from datagen.pipeline import Pipeline
from datagen.sources.debian import DebianSamples
from datagen.sources.pdf import PdfSource
from datagen.stages.language import IdentifyLanguage
from datagen.stages.textlayer import JudgeTextLayer
from recipes.recipe import Recipe, Report

SEED = 0


def multilingual(input: str = "", limit: int = 0, deep: bool = False) -> Recipe:
    """`input` as for coarse. At most 40 pages of a document, chosen by seed, so that no guide outweighs a language."""
    pages = Pipeline(
        "coarse",
        census=Listing(input) if input else DebianSamples(),
        source=PdfSource(max_pages=40, seed=SEED, shard_pages=128),
        stages=(IdentifyLanguage(), JudgeTextLayer()),
        limit=limit,
        seed=SEED,
        deep=deep,
    )
    return Recipe("multilingual", (pages, Report(datasets=("coarse",), seed=SEED)))
