"""Pages laid out from markup by a browser: labels that are exact, since the browser says where it put everything."""

from pathlib import Path

from datagen.formulas.check import CheckFormulas
from datagen.inputs.census import Listing
from datagen.inputs.formats import MARKUP
from datagen.markup.source import MarkupSource
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import cache_folder
from datagen.samples.markup_documents import MarkupSamples
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus

NAME = "markup"


def markup(input: str = "", limit: int = 0, seed: int = 0, benchmarks: str = "") -> Recipe:
    """Pages, tables and formulas of HTML, EPUB, Markdown and ZIM, laid out by Chromium in looks drawn by seed: exact labels."""
    census = Listing(input, MARKUP) if input else MarkupSamples()
    root = input if Path(input).is_dir() else "" if input else str(cache_folder().parent)
    pages = Pipeline(NAME, census, MarkupSource(seed=seed, root=root), (IdentifyLanguage(), CheckFormulas()), limit=limit)
    return corpus(NAME, (pages,), benchmarks)
