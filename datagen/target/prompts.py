"""What the model is asked, how often of which task, and what each answer holds.

A page is coarse or fine (`is_fine`): the text of a coarse one is plain, that of a fine one is Markdown. The prompt says which is
asked for, so that neither teaches the model to do the other's work.
"""

from enum import StrEnum
from typing import NamedTuple

from datagen.labels import PLAIN
from datagen.record import Sample
from datagen.target.grammar import GROUNDING, IMAGE, REF, REF_END


class Prompt(StrEnum):
    """What is asked of the model. The prompts are the released model's, `DETECT` as its paper shows it (figure 12), but for
    `FREE_LINES`, `PLAIN_MARKDOWN` and `BLOCKS`, which are ours. In `LOCATE`, what is looked for stands in place of `xxxx`."""

    FREE = f"{IMAGE}\nFree OCR."
    FREE_LINES = f"{IMAGE}\nFree OCR, line by line."
    MARKDOWN = f"{IMAGE}\n{GROUNDING}Convert the document to markdown."
    PLAIN_MARKDOWN = f"{IMAGE}\nConvert the document to markdown."
    LINES = f"{IMAGE}\n{GROUNDING}OCR this image."
    BLOCKS = f"{IMAGE}\n{GROUNDING}OCR this image, block by block."
    LOCATE = f"{IMAGE}\nLocate {REF}xxxx{REF_END} in the image."
    FIGURE = f"{IMAGE}\nParse the figure."
    DESCRIBE = f"{IMAGE}\nDescribe this image in detail."
    DETECT = f"{IMAGE}\nIdentify all objects in the image and output them in bounding boxes."

    @property
    def is_grounded(self) -> bool:
        """Whether the answer has boxes."""
        return GROUNDING in self.value or REF in self.value or self is Prompt.DETECT


ANSWERS = {
    Prompt.FREE: "the text by paragraphs: lines joined, the typesetter's hyphens undone, a blank line between blocks; of a table "
    "its HTML, of a formula its LaTeX",
    Prompt.FREE_LINES: "the text line by line, as it stands on the page, with its hyphens; a blank line between blocks",
    Prompt.MARKDOWN: "a block for each region: its label, its box, its Markdown",
    Prompt.PLAIN_MARKDOWN: "the page's Markdown: headings, lists, tables in HTML, formulas in LaTeX",
    Prompt.LINES: "each line's text and its box, a line each",
    Prompt.BLOCKS: "a block for each sign, column or paragraph: its box, and its lines below",
    Prompt.LOCATE: "what is looked for, a line of a page or scene, or an object of a picture by its name, and all places where "
    "it is",
    Prompt.FIGURE: "what the figure shows: of a chart its values as an HTML table, of molecules their SMILES, of plane geometry "
    "its segments and circles",
    Prompt.DESCRIBE: "the picture's caption",
    Prompt.DETECT: "each name of an object and the boxes of all that are called so, a line each",
}
"""What the answer to each prompt holds."""

COARSE, FINE = "coarse", "fine"


class Asked(NamedTuple):
    """A prompt, and the share of a task's samples that are asked it: of all its pages, or of coarse or fine ones."""

    prompt: Prompt
    weight: float
    pages: str = ""


PROMPTS = {
    "page": (
        Asked(Prompt.FREE, 0.75, COARSE),
        Asked(Prompt.FREE_LINES, 0.2, COARSE),
        Asked(Prompt.MARKDOWN, 0.55, FINE),
        Asked(Prompt.PLAIN_MARKDOWN, 0.4, FINE),
        Asked(Prompt.LOCATE, 0.05),
    ),
    "crop": (Asked(Prompt.FREE, 1.0),),
    "table": (Asked(Prompt.FREE, 1.0),),
    "formula": (Asked(Prompt.FREE, 1.0),),
    "figure": (Asked(Prompt.FIGURE, 1.0),),
    "scene": (Asked(Prompt.FREE, 0.5), Asked(Prompt.LINES, 0.25), Asked(Prompt.BLOCKS, 0.2), Asked(Prompt.LOCATE, 0.05)),
    "caption": (Asked(Prompt.DESCRIBE, 0.5), Asked(Prompt.DETECT, 0.25), Asked(Prompt.LOCATE, 0.25)),
}
"""The prompts of each task, the usual one first. The model trains on no other task, but for text alone, which is asked nothing.
Lines and regions that were cut out of pages are crops, tables and formulas. Of scenes, half are asked for text alone."""
PAGES_OF = {asked.prompt: asked.pages for asked in PROMPTS["page"]}
"""The kind of pages that each prompt is asked of, "" for both."""


def is_fine(sample: Sample) -> bool:
    """Whether the page is a fine one, whose text is Markdown: somebody who isn't `PLAIN` drew some of its regions."""
    return sample.task == "page" and not PLAIN.issuperset(region.detected_by or region.by for region in sample.regions)


def is_wordless(sample: Sample) -> bool:
    """Whether the sample is a scene on which nothing is written. Its answers are empty: a model that is asked to read such a
    picture has to end at once."""
    return sample.task == "scene" and not sample.regions and not sample.text.strip()
