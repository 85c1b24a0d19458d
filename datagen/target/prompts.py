"""The prompts, the share of each task's samples that gets each prompt, and the content of answers.

A page is coarse or fine (`is_fine`): a coarse page's text is plain, a fine page's text is Markdown. A caption is a detailed
description, a brief one, or a list of objects (`kind_of_caption`). Each kind has prompts of its own, so that the model doesn't
learn to give one kind's answer to another's prompt. The prompt also names the language of a picture's description, if it isn't
English (`in_language`).
"""

import re
from enum import StrEnum
from typing import NamedTuple

import regex

from datagen.labels import OBJECT, PLAIN
from datagen.record import Sample
from datagen.target.grammar import GROUNDING, IMAGE, REF, REF_END
from datagen.writing import languages, signs
from datagen.writing.scripts import IDEOGRAPHS, KANA, main_script


class Prompt(StrEnum):
    """The prompts. `FREE_LINES`, `PLAIN_MARKDOWN`, `BLOCKS`, `CAPTION`, `NAMES` and `PLACES` are ours. The others are the
    released model's; `DETECT` is as its paper shows it (figure 12). `LOCATE` has the text to find in place of `xxxx`."""

    FREE = f"{IMAGE}\nFree OCR."
    FREE_LINES = f"{IMAGE}\nFree OCR, line by line."
    MARKDOWN = f"{IMAGE}\n{GROUNDING}Convert the document to markdown."
    PLAIN_MARKDOWN = f"{IMAGE}\nConvert the document to markdown."
    LINES = f"{IMAGE}\n{GROUNDING}OCR this image."
    BLOCKS = f"{IMAGE}\n{GROUNDING}OCR this image, block by block."
    LOCATE = f"{IMAGE}\nLocate {REF}xxxx{REF_END} in the image."
    FIGURE = f"{IMAGE}\nParse the figure."
    DESCRIBE = f"{IMAGE}\nDescribe this image in detail."
    CAPTION = f"{IMAGE}\nWrite a caption for this image."
    NAMES = f"{IMAGE}\nList the objects in this image."
    PLACES = f"{IMAGE}\nList the objects in this image, and where each of them is."
    DETECT = f"{IMAGE}\nIdentify all objects in the image and output them in bounding boxes."

    @property
    def is_grounded(self) -> bool:
        """Whether the answer has boxes."""
        return GROUNDING in self.value or REF in self.value or self is Prompt.DETECT


ANSWERS = {
    Prompt.FREE: "the text by paragraphs: lines joined, the typesetter's hyphens undone, a blank line between blocks; of a table "
    "its HTML, of a formula its LaTeX; sub- and superscripts as plain characters, as tags in a region cut out of a fine page",
    Prompt.FREE_LINES: "the text line by line, as it stands on the page, with its hyphens; a blank line between blocks; no "
    "tags: sub- and superscripts as plain characters",
    Prompt.MARKDOWN: "a block for each region: its label, its box, its Markdown, sub- and superscripts in `<sub>` and `<sup>`",
    Prompt.PLAIN_MARKDOWN: "the page's Markdown: headings, lists, tables in HTML, formulas in LaTeX, sub- and superscripts in "
    "`<sub>` and `<sup>`",
    Prompt.LINES: "each line's text and its box, a line each",
    Prompt.BLOCKS: "a block for each sign, column or paragraph: its box, and its lines below",
    Prompt.LOCATE: "what is looked for, a line of a page or scene, or an object of a picture by its name, and all places where "
    "it is",
    Prompt.FIGURE: "what the figure shows: of a chart its values as an HTML table, of molecules their SMILES, of plane geometry "
    "its segments and circles",
    Prompt.DESCRIBE: "the picture's caption, if it is several sentences long",
    Prompt.CAPTION: "the picture's caption, if it is shorter",
    Prompt.NAMES: "the names of the objects that were set on the picture, a line each",
    Prompt.PLACES: "the same with the third of the picture in which each of them is, in words",
    Prompt.DETECT: "each name of an object and the boxes of all that are called so, a line each",
}
"""The content of the answer to each prompt. Lines are always plain, also lines that were cut out of fine pages. A region that was
cut out of a fine page has the tags of its Markdown."""

COARSE, FINE = "coarse", "fine"
DETAILED, BRIEF, LISTED, PLACED = "detailed", "brief", "listed", "placed"


class Asked(NamedTuple):
    """A prompt with its weight: the share of samples that get it. With a `kind`, the share is of samples of this kind: coarse or
    fine pages; detailed, brief, listed or placed captions."""

    prompt: Prompt
    weight: float
    kind: str = ""


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
    "caption": (
        Asked(Prompt.DESCRIBE, 0.5, DETAILED),
        Asked(Prompt.CAPTION, 0.5, BRIEF),
        Asked(Prompt.NAMES, 0.5, LISTED),
        Asked(Prompt.PLACES, 0.5, PLACED),
        Asked(Prompt.DETECT, 0.25),
        Asked(Prompt.LOCATE, 0.25),
    ),
}
"""The prompts of each task, the usual one first. The model trains on these tasks, and on text alone, which has no prompt. Lines
and regions that were cut out of pages are crops, tables and formulas. Half of the scenes are asked for text alone."""
KINDS = {task: {asked.prompt: asked.kind for asked in PROMPTS[task]} for task in ("page", "caption")}
"""The kind of pages or captions that gets each prompt; "" for all kinds."""
IN_LANGUAGE = frozenset((Prompt.DESCRIBE, Prompt.CAPTION, Prompt.NAMES, Prompt.DETECT))
"""Prompts that name the answer's language in a last sentence. The picture alone doesn't tell the language."""

_SENTENCES, _DETAILED = 2, 100  # least sentences and letters of a detailed description; an ideograph counts as three
_SENTENCE_END = regex.compile(rf"[{signs.STOPS}](?=\s|$)|[。！？]")
_IDEOGRAPH = re.compile(f"[{IDEOGRAPHS}{KANA}]")


def is_fine(sample: Sample) -> bool:
    """Whether the page is fine, and its text Markdown: an engine that isn't in `PLAIN` drew some of its regions. A region that a
    person drew and labelled `text` doesn't count, since coarse pages have such boxes, too."""
    drawn = ((region.detected_by or region.by, region.label) for region in sample.regions)
    return sample.task == "page" and any(
        by not in PLAIN and not (label == "text" and by.startswith("person/")) for by, label in drawn
    )


def is_wordless(sample: Sample) -> bool:
    """Whether the sample is a scene without text. Its answers are empty, so that the model learns to end at once."""
    return sample.task == "scene" and not sample.regions and not sample.text.strip()


def kind_of_caption(sample: Sample) -> str:
    """The kind of a picture's caption. `LISTED`: each line is an object's name. `PLACED`: each line begins with an object's name,
    and its place follows. `DETAILED` or `BRIEF`: a description of the picture. "": there is no caption."""
    caption = sample.caption.strip()
    names = [region.text for region in sample.regions if region.label == OBJECT and region.text.strip()]
    lines = caption.split("\n")
    if not caption:
        return ""
    if names and set(lines) <= set(names):
        return LISTED
    if len(lines) == len(names) and all(line.startswith(name) for line, name in zip(lines, names, strict=True)):
        return PLACED
    length = len(caption) + 2 * len(_IDEOGRAPH.findall(caption))
    return DETAILED if length >= _DETAILED and len(_SENTENCE_END.findall(caption)) >= _SENTENCES else BRIEF


def in_language(sample: Sample, prompt: Prompt) -> str:
    """The prompt with the language of the sample's answer, or with its script if the language is unknown
    (`datagen.writing.languages.described`). An answer to `DETECT` is in the language of the objects' names. This is the caption's
    language if the caption lists the names."""
    if sample.task != "caption" or prompt not in IN_LANGUAGE:
        return prompt.value
    lang, script = sample.lang, sample.script
    if prompt is Prompt.DETECT and kind_of_caption(sample) in (DETAILED, BRIEF):
        # A described picture's names come from another source, and are mostly English.
        lang, script = languages.UNKNOWN, main_script(" ".join(region.text for region in sample.regions))[0]
    language = languages.described(lang, script)
    return f"{prompt.value} Answer in {language}." if language else prompt.value
