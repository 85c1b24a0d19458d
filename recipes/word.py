"""Word documents: pages with their text, tables and formulas, and each table and formula cut out, with labels from the files."""

from dataclasses import dataclass

from datagen.formulas.check import CheckFormulas
from datagen.inputs.census import Listing
from datagen.inputs.formats import WORD
from datagen.reading.language import IdentifyLanguage
from datagen.samples.word_documents import word_samples
from datagen.word.source import WordSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus

NAME = "word"


@dataclass(frozen=True)
class TallyWord:
    """The numbers of formulas, tables and pages of the documents in `dataset` that came out, and their quality."""

    dataset: str
    name: str = "tally"


def word(input: str = "", limit: int = 0, benchmarks: str = "") -> Recipe:
    """Pages, tables and formulas of Word documents (.docx, .docm, .dotx, .dotm, .doc, .odt, .rtf), with labels from the files."""
    census = Listing(input, WORD) if input else word_samples()
    documents = Pipeline(NAME, census, WordSource(), (IdentifyLanguage(), CheckFormulas()), limit=limit)
    return corpus(NAME, (documents,), benchmarks, TallyWord(NAME))
