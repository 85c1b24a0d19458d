"""The labeller of `fine`: a network that says which lines of a page belong together, their labels, and their order."""

from dataclasses import dataclass, field
from typing import Annotated

from datagen.drawing.worn_pages import Wear
from datagen.inputs.census import Listing
from datagen.inputs.formats import MARKUP
from datagen.layouts.plan import Plan
from datagen.markup.source import MarkupSource
from datagen.samples.composed_documents import ComposedSamples
from datagen.samples.documents import cache_folder
from datagen.samples.markup_documents import MarkupSamples
from datagen.work.pipeline import Pipeline
from recipes.recipe import Recipe, Report, Step
from recipes.words.values import absolute, path

COMPOSED, DOCUMENTS = "composed", "documents"
_PAGES_A_DOCUMENT = 3
_FURTHER = 1e-3  # the learning rate of a training that goes on


@dataclass(frozen=True)
class TrainLayouts:
    """The labeller, trained on the pages of these `datasets`: on their PDFs, each named after its sample in the folder `pdfs`,
    and on every `nth_image`-th image of `documents`. Of pages of `labelled`, an output of `fine`, the PDFs are those of their
    origin. `annotated`: files of `annotated_pages`. `install`: the network becomes the package's, in place of the old one."""

    datasets: tuple[str, ...]
    pdfs: str
    labelled: str = ""
    annotated: str = ""
    nth_image: int = 3
    plan: Plan = field(default_factory=Plan)
    is_new: bool = False
    install: bool = False
    name: str = "layouts"


def layouts(
    input: str = "",
    limit: int = 0,
    documents: Annotated[int, "N", "so many documents are composed of real sentences, 0 for none"] = 1500,
    labelled: Annotated[
        str, "DIR", "an output of fine: pages of its PDFs are learned, with the labels that they have", path
    ] = "",
    annotated: Annotated[
        str, "DIR", "PDF files of datagen/layouts/annotated_pages.tsv, by any name: real pages with true labels", path
    ] = "",
    epochs: Annotated[int, "N", "how often each page is seen, each time in another look"] = 12,
    pdfs: Annotated[str, "DIR", "a folder for the pages as PDFs; by default in the user's cache", absolute] = "",
    new: Annotated[bool, "0|1", "begin with nothing; else training goes on from the package's network"] = False,
    install: Annotated[bool, "0|1", "make the network the package's"] = False,
    seed: int = 0,
) -> Recipe:
    """Trains the network that labels the lines of pages, on pages that a browser lays out from HTML, EPUB and Markdown."""
    pdfs = pdfs or str(cache_folder().with_name("layouts"))
    census = Listing(input, MARKUP) if input else MarkupSamples()

    def pages(name: str, census: Listing | MarkupSamples | ComposedSamples, most: int) -> Pipeline:
        source = MarkupSource(seed=seed, wear=Wear(0, 0), error_share=0.0, max_pages=most, pdfs=pdfs)
        return Pipeline(name, census, source, (), limit=limit)

    made = [pages(DOCUMENTS, census, _PAGES_A_DOCUMENT)]
    if documents:
        made.append(pages(COMPOSED, ComposedSamples(documents, seed), _PAGES_A_DOCUMENT))
    names = tuple(step.name for step in made)
    plan = Plan(epochs, Plan.learning_rate if new else _FURTHER, seed)
    training = TrainLayouts(names, pdfs, labelled, annotated, plan=plan, is_new=new, install=install)
    steps: tuple[Step, ...] = (*made, training, Report(names, seed))
    return Recipe("layouts", steps)
