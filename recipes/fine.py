"""Fine annotation: pages with their layout, each region with its label, its text and its place in the order of reading.

What a trusted text layer says is taken from the file, exactly. What only the image shows is read by engines. A second reader
then says what the labels are worth.

Without `input` the documents are Debian's, and of each at most four pages, chosen by seed: most of them are guides of a hundred.
"""

from dataclasses import replace

from datagen.alike import MarkAlike
from datagen.census import Listing
from datagen.pipeline import Pipeline, Stage
from datagen.sources.debian import DebianSamples
from datagen.sources.images import ImageSource
from datagen.sources.pages import FORMATS, PageFiles
from datagen.sources.pdf import ANNOTATED, PICTURES, PdfSource
from datagen.stages.annotate import AnnotateImage
from datagen.stages.ink import CompareInk
from datagen.stages.language import IdentifyLanguage
from datagen.stages.read_pages import ReadPages
from datagen.stages.read_regions import ReadRegions
from datagen.stages.running import LabelRunning
from datagen.stages.settle import SettleRegions
from datagen.stages.textlayer import JudgeTextLayer
from datagen.stages.worth import WeighLabels
from recipes.engines import PageEngines, of_word
from recipes.recipe import Recipe, Report, benchmark_folder, read_passwords

NAME = "fine"
DEFAULT_PAGES = 4
SHARD_PAGES = 64  # a page takes up to five seconds of a core
LONG_SIDE = 2560  # pixels of an image, at most: small print of a scanned newspaper can still be read


def fine(
    input: str = "", limit: int = 0, deep: bool = False, passwords: str = "", benchmarks: str = "", engines: str = ""
) -> Recipe:
    """`input`: PDFs and images of pages, as for coarse; `engines`: who annotates them, see `engine_words`."""
    pdfs = PdfSource(max_pages=0 if input else DEFAULT_PAGES, passwords=read_passwords(passwords))
    images = ImageSource(task="page", long_side=LONG_SIDE, shard_images=SHARD_PAGES, stage=NAME)
    source = PageFiles(annotated(pdfs), images)
    census = Listing(input, FORMATS) if input else DebianSamples()
    pages = Pipeline(NAME, census, source, stages(of_word(engines)), limit=limit, deep=deep)
    alike = MarkAlike(datasets=(NAME,), benchmarks=benchmark_folder(benchmarks))
    return Recipe("fine", (pages, alike, Report(datasets=(NAME,))))


def annotated(source: PdfSource) -> PdfSource:
    """The source with labelled regions of the layout in place of plain paragraphs."""
    return replace(source, page_functions=(ANNOTATED, PICTURES), shard_pages=SHARD_PAGES, stage=NAME)


def stages(chosen: PageEngines) -> tuple[Stage, ...]:
    """What happens to a page, in order: its text layer is judged; where that doesn't hold, the image is read; running heads are
    told by the pages around; tables and formulas that have no text yet are read; what lies over each other is divided; and the
    whole is weighed."""
    by_image: Stage
    if chosen.pages:
        by_image = ReadPages(chosen.pages)
    else:
        by_image = AnnotateImage(
            detector=chosen.detector,
            lines=chosen.lines,
            layout=chosen.layout,
            equations=chosen.equations,
            orientation=chosen.orientation,
            batch_size=chosen.batch_size,
        )
    return (
        IdentifyLanguage(),
        CompareInk(budget_s=9.0),
        JudgeTextLayer(),
        by_image,
        LabelRunning(),
        ReadRegions(tables=chosen.tables, formulas=chosen.formulas, text=chosen.text),
        SettleRegions(),
        WeighLabels(),
    )
