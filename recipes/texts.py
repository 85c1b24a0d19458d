"""Text alone, with which a model keeps its language: datasets of others, or texts of packages, as documents without an image."""

from typing import Annotated

from datagen.coarse.verdict.filters import DropLowInformation
from datagen.reading.language import IdentifyLanguage
from datagen.samples.texts import TextSamples
from datagen.texts.drop_poor_texts import FILTERS, DropPoorTexts
from datagen.texts.source import TextListing, TextSource
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, corpus

NAME = "texts"
DEFAULT_FILTERS = ("gopher_quality", "gopher_repetition")
NO_FILTERS = "none"


def texts(
    input: str = "",
    column: Annotated[str, "NAME", "the column that has the text; default: one called text, content or the like"] = "",
    filters: Annotated[
        str, "A,B,…", "datatrove's filters of texts: gopher_quality, gopher_repetition (both: default), fineweb; none"
    ] = "",
    limit: int = 0,
    benchmarks: str = "",
) -> Recipe:
    """Texts alone, from Parquet, JSON Lines, plain text and datasets saved to disk; of packages if no input is given. At most
    `limit` texts of your files, or files of the packages. Local files are read first for their counts, so that large ones are cut
    into shards."""
    chosen = DEFAULT_FILTERS if not filters else () if filters == NO_FILTERS else tuple(filters.split(","))
    if unknown := [name for name in chosen if name not in FILTERS]:
        raise ValueError(
            f"filters={filters}: there is no filter {unknown[0]!r}: allowed are {', '.join(FILTERS)}, or {NO_FILTERS}"
        )
    if column and not input:
        raise ValueError(f"column={column}: it is a column of your own files: say input=DIR, too")
    stages = (IdentifyLanguage(), DropLowInformation(), *((DropPoorTexts(chosen),) if chosen else ()))
    source = TextSource(column=column)
    census = TextListing(input, limit) if input else TextSamples()
    num_files = 0 if input else limit  # for your own files the census chooses rows
    documents = Pipeline(NAME, census, source, stages, limit=num_files, deep=bool(input) and "://" not in input)
    return corpus(NAME, (documents,), benchmarks)
