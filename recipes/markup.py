"""Pages laid out from markup by a browser: labels that are exact, since the browser says where it put everything."""

from pathlib import Path
from typing import Annotated

from datagen.drawing.worn_pages import Wear
from datagen.inputs.census import Listing
from datagen.inputs.formats import MARKUP
from datagen.markup.source import MarkupSource
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import cache_folder
from datagen.samples.markup_documents import MarkupSamples
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus
from recipes.words.values import share

NAME = "markup"


def markup(
    input: str = "",
    limit: int = 0,
    seed: int = 0,
    wear: Annotated[float, "SHARE", "the share of pages that become scans and photographs", share] = 0.4,
    pdfs: Annotated[str, "DIR", "a folder for the same pages as PDFs, each named after its sample"] = "",
    benchmarks: str = "",
) -> Recipe:
    """Pages, tables and formulas of HTML, EPUB, Markdown and ZIM, laid out by Chromium in looks drawn by seed: exact labels."""
    census = Listing(input, MARKUP) if input else MarkupSamples()
    root = input if Path(input).is_dir() else "" if input else str(cache_folder().parent)
    source = MarkupSource(seed=seed, wear=Wear(0.6 * wear, 0.4 * wear), root=root, pdfs=pdfs)
    pages = Pipeline(NAME, census, source, (IdentifyLanguage(),), limit=limit)
    return corpus(NAME, (pages,), benchmarks)
