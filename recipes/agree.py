"""Agreement: the right label, decided by several readings of the same pages.

    make recipe=agree data=out/fine,out/label-a,out/label-b out=out/agreed

The first dataset's labels are judged by the others'. A block stays if another voter agrees, and is replaced if two agree against
it; otherwise the page's ink decides, or the block stays open. Readers of one family are one voter.
"""

from typing import Annotated

from datagen.agreement.source import AgreedPages, PagesOf, dataset_folder, names_of
from recipes.recipe import Recipe, Report
from recipes.steps.agree import Agreeing
from recipes.words import values

NAME = "agreed"


def agree(
    data: Annotated[
        str, "A,B,…", "datasets with readings of the same pages; the first one's labels are judged by the others'", values.places
    ] = "",
    limit: int = 0,
) -> Recipe:
    """One dataset of several that read the same pages: each block with the label that most speaks for."""
    places = tuple(filter(None, data.split(",")))
    datasets = tuple(map(dataset_folder, places))
    source = AgreedPages(datasets, names_of(datasets))
    agreed = Agreeing(NAME, PagesOf(datasets), source, (), limit=limit, max_drop=1.0)
    return Recipe("agree", (agreed, Report(datasets=(NAME,))))
