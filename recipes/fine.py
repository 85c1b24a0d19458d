"""Fine annotation: pages with their layout, each region with its label, its text and its place in the reading order.

A trusted text layer gives exact text. Engines read text that only the image shows. A second reader then measures the worth of
labels. Without `input` the documents are Debian's, with at most four pages of each, chosen by seed: most of them are guides of a
hundred pages.
"""

from dataclasses import replace

from datagen.coarse.source import PICTURES, PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.fine.annotate_image import AnnotateImage
from datagen.fine.mend_regions import MendLookalikes, SettleRegions
from datagen.fine.read_pages import ReadPages
from datagen.fine.read_regions import ReadRegions
from datagen.fine.source import ANNOTATED, FORMATS, PageFiles
from datagen.fine.structure.level_headings import LevelHeadings
from datagen.fine.verdict.judge_page import WeighLabels
from datagen.fine.verdict.mark_formulas import MarkFormulas
from datagen.pictures.source import ImageSource
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import DebianSamples
from datagen.work.pipeline import Pipeline, Stage
from recipes.recipe import Recipe, corpus, listed, read_passwords
from recipes.words import values
from recipes.words.engines import PageEngines, of_word

NAME = "fine"
DEFAULT_PAGES = 4
SHARD_PAGES, SHARD_IMAGES = 64, 16  # a PDF's page takes up to five seconds of a core, an image fifteen
LONG_SIDE = 2560  # pixels of an image, at most: small print of a scanned newspaper is still legible
IMAGES = ImageSource(task="page", long_side=LONG_SIDE, shard_images=SHARD_IMAGES, stage=NAME)


def fine(
    input: str = "",
    limit: int = 0,
    deep: bool = False,
    passwords: str = "",
    benchmarks: str = "",
    engines: str = "",
    risk: str = "",
) -> Recipe:
    """Pages of any PDFs and images with labelled regions, tables, reading order, and what each label is worth."""
    pdfs = PdfSource(max_pages=0 if input else DEFAULT_PAGES, passwords=read_passwords(passwords))
    source = PageFiles(annotated(pdfs), IMAGES)
    census = listed(input, FORMATS) if input else DebianSamples()
    pages = Pipeline(NAME, census, source, stages(of_word(engines), risk), limit=limit, deep=deep)
    return corpus(NAME, (pages,), benchmarks)


def annotated(source: PdfSource) -> PdfSource:
    """The source with labelled regions of the layout in place of plain paragraphs."""
    return replace(source, page_functions=(ANNOTATED, PICTURES), shard_pages=SHARD_PAGES, stage=NAME)


def stages(chosen: PageEngines, risk: str = "") -> tuple[Stage, ...]:
    """The treatment of a page, in order: its text layer is judged; without a valid one the image is read; look-alike signs are
    settled by their words, and paragraphs with formulas by their signs; the whole document decides about the levels of headings;
    unread tables and formulas are read; overlaps are divided; and the whole is weighed."""
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
            unwarping=chosen.unwarping,
            batch_size=chosen.batch_size,
        )
    return (
        IdentifyLanguage(),
        CompareInk(budget_s=9.0),
        JudgeTextLayer(),
        by_image,
        MendLookalikes(),
        MarkFormulas(),
        LevelHeadings(),
        ReadRegions(tables=chosen.tables, formulas=chosen.formulas, text=chosen.text, inline=chosen.inline),
        SettleRegions(),
        WeighLabels(risk=values.shares(risk)),
    )
