"""Word documents: pages with their text, tables and formulas, and each table and formula cut out, with labels from the files."""

from dataclasses import dataclass
from typing import ClassVar

from datagen.alike import MarkAlike
from datagen.census import Listing
from datagen.pipeline import Pipeline
from datagen.sources.word import FORMATS, WordSource
from datagen.sources.word_packages import word_samples
from datagen.stages.check_formulas import CheckFormulas
from datagen.stages.language import IdentifyLanguage
from recipes.recipe import Recipe, Report, benchmark_folder

NAME = "word"


@dataclass(frozen=True)
class TallyWord:
    """How many of the formulas, tables and pages of the documents in `dataset` came out, and how good they are."""

    runs: ClassVar[str] = "recipes.steps.word:TallyRunner"

    dataset: str
    name: str = "tally"


def word(input: str = "", limit: int = 0, benchmarks: str = "") -> Recipe:
    """`input`: .docx, .doc, .odt and .rtf files, in a folder, a glob, an archive or a list; `benchmarks` as for coarse."""
    census = Listing(input, FORMATS) if input else word_samples()
    documents = Pipeline(NAME, census, WordSource(), (IdentifyLanguage(), CheckFormulas()), limit=limit)
    alike = MarkAlike(datasets=(NAME,), benchmarks=benchmark_folder(benchmarks))
    return Recipe(NAME, (documents, alike, TallyWord(NAME), Report(datasets=(NAME,))))
