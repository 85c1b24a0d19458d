"""Sample <-> training text: the only place that knows prompts, special tokens and the grounding format.

A page is coarse or fine (`is_fine`): the text of a coarse one is plain, that of a fine one is Markdown. The prompt says which is
asked for, so that neither teaches the model to do the other's work. Answers to fine pages look as the released model writes them,
as seen in outputs that its users published. Blocks in reading order, parted by a blank line:

    <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>
    content

A coordinate is `x / W * 999`, rounded: whole numbers 0..999 whatever the image's size. `datagen.markdown` says what content is.
The labels are the nine that the released model has. A picture's block has no content, and its caption follows it in the next
line, in `<center>`. A table's HTML follows a blank line; if its caption stands before it, the caption's block is inside of the
table's. Running heads, feet and page numbers have no block, and neither has what is unread, which must be cut out of the image.

A scene's answer is its text, or its lines or blocks with boxes. A picture's is its caption, or where its objects are: by each
name, all boxes, `<|ref|>name<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>`. A phrase that somebody wrote about one place of a
picture is looked for, and is not among its objects.

Text from documents may hold what looks like the format's own tokens. `neutralise` puts a word joiner (U+2060) behind the `<` of
each such literal, so that neither a tokenizer nor `decode` takes it for one, and `restore` takes it out again: nothing is lost.
`<td>` and its kind are left alone: they mean the same as text and as tokens. Blank lines need no care: a block ends only at the
next `<|ref|>`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

from datagen.labels import OBJECT, PHRASE, PICTURES, PLAIN
from datagen.markdown import bare_latex, content, lacks_text, markdown
from datagen.record import Box, Line, Region, Sample

BOS = "<｜begin▁of▁sentence｜>"
EOS = "<｜end▁of▁sentence｜>"
PAD = "<｜▁pad▁｜>"
IMAGE = "<image>"
GROUNDING = "<|grounding|>"
REF, REF_END = "<|ref|>", "<|/ref|>"
DET, DET_END = "<|det|>", "<|/det|>"
# In the order of the released ids. A tokenizer of ours gives them others: look them up by name.
SPECIAL_TOKENS = (BOS, EOS, PAD, IMAGE, REF, REF_END, DET, DET_END, GROUNDING, "<td>", "</td>", "<tr>", "</tr>")

NUM_BINS = 1000
_LAST_BIN = NUM_BINS - 1
_JOINER = "\u2060"
_GRAMMAR = "|".join(re.escape(token[1:]) for token in (BOS, EOS, PAD, IMAGE, REF, REF_END, DET, DET_END, GROUNDING))
_LITERAL = re.compile(f"<(?={_JOINER}*(?:{_GRAMMAR}))")
_NEUTRALISED = re.compile(f"<{_JOINER}(?={_JOINER}*(?:{_GRAMMAR}))")
_BOX = re.compile(r"\[\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\]")
_BLOCK = re.compile(
    rf"{re.escape(REF)}(?P<label>(?:(?!{re.escape(REF)}).)*?){re.escape(REF_END)}"
    rf"{re.escape(DET)}(?P<boxes>[\[\]\d,\s]*){re.escape(DET_END)}\n?(?P<content>.*?)(?=\n\n{re.escape(REF)}|{re.escape(REF)}|\Z)",
    re.DOTALL,
)


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
_PAGES = {asked.prompt: asked.pages for asked in PROMPTS["page"]}
# The released model's labels for what it has none of its own.
_RELEASED = {
    **dict.fromkeys(("list", "code", "footnote", "reference", "toc"), "text"),
    **dict.fromkeys(PICTURES, "image"),
}
_LOCATED = range(4, 81)  # characters of a line that is looked for
_LONGEST_NAME = 80  # characters of an object that is looked for: a name of one letter is a whole one in Chinese
UNBOXED = ("crowds", "boxes_outside")
"""Signals that count objects of a picture that have no box in its record."""
_OF_PICTURES = (Prompt.DESCRIBE, Prompt.DETECT, Prompt.LOCATE)


def is_fine(sample: Sample) -> bool:
    """Whether the page is a fine one, whose text is Markdown: somebody who isn't `PLAIN` drew some of its regions."""
    return sample.task == "page" and not PLAIN.issuperset(region.detected_by or region.by for region in sample.regions)


def is_wordless(sample: Sample) -> bool:
    """Whether the sample is a scene on which nothing is written. Its answers are empty: a model that is asked to read such a
    picture has to end at once."""
    return sample.task == "scene" and not sample.regions and not sample.text.strip()


def can_answer(sample: Sample, prompt: Prompt) -> bool:
    """Whether the sample has what the answer needs, and is of the kind of pages that are asked so."""
    if sample.task == "page" and _PAGES.get(prompt) == (COARSE if is_fine(sample) else FINE):
        return False
    if sample.task == "caption" and prompt not in _OF_PICTURES:
        return False
    match prompt:
        case Prompt.FREE:
            return True
        case Prompt.LINES if sample.task == "scene":
            return bool(sample.regions) or is_wordless(sample)
        case Prompt.BLOCKS:
            return sample.task == "scene" and (bool(sample.regions) or is_wordless(sample))
        case Prompt.DESCRIBE:
            return bool(sample.caption.strip())
        case Prompt.DETECT:
            return bool(_objects(sample))
        case Prompt.FIGURE:
            return sample.task == "figure" and bool(sample.text)
        case Prompt.LOCATE:
            return _located(sample) is not None
        case Prompt.MARKDOWN | Prompt.PLAIN_MARKDOWN:
            return any(content(region) for region in sample.regions)
        case _:
            return bool(sample.regions)


def usual(sample: Sample) -> Prompt:
    """The first prompt of the sample's task that it can answer. Raises `ValueError` if there is none."""
    for asked in PROMPTS.get(sample.task, ()):
        if can_answer(sample, asked.prompt):
            return asked.prompt
    raise ValueError(f"{sample.key} can answer no prompt of the task {sample.task}")


def encode(sample: Sample, prompt: Prompt) -> tuple[str, str]:
    """The prompt's text and `sample`'s answer to it; `ANSWERS` says what that holds.

    A region without lines stands as a whole where lines are asked for. Raises `ValueError` if the sample can't answer that.
    """
    if not can_answer(sample, prompt):
        raise ValueError(f"{sample.key}: {prompt.name} needs regions, or pages of another kind")
    match prompt:
        case Prompt.FREE | Prompt.FIGURE:
            return prompt.value, neutralise(sample.text)
        case Prompt.DESCRIBE:
            return prompt.value, neutralise(sample.caption.strip())
        case Prompt.DETECT:
            named = _named(_objects(sample))
            return prompt.value, "\n".join(_marked(name, boxes, sample.size) for name, boxes in named.items())
        case Prompt.BLOCKS:
            blocks = (f"{_marked('text', [r.box], sample.size)}\n{neutralise(r.text)}" for r in _read(sample))
            return prompt.value, "\n\n".join(blocks)
        case Prompt.FREE_LINES:
            blocks = ("\n".join(line.text for line in region.lines) or region.text for region in sample.regions)
            return prompt.value, neutralise("\n\n".join(block for block in blocks if block))
        case Prompt.PLAIN_MARKDOWN:
            return prompt.value, neutralise(markdown(sample.regions))
        case Prompt.MARKDOWN:
            return prompt.value, "".join(_grounded(sample.regions, sample.size))
        case Prompt.LINES:
            parts = [
                part
                for region in _read(sample)
                for part in [(line.text, line.box) for line in region.lines] or [(region.text, region.box)]
            ]
            return prompt.value, "\n".join(_marked(text, [box], sample.size) for text, box in parts if text)
    text, boxes = _located(sample) or ("", [])
    return prompt.value.replace("xxxx", neutralise(text)), _marked(text, boxes, sample.size)


def decode(answer: str, size: tuple[int, int], by: str = "model") -> tuple[Region, ...]:
    """The regions that a grounded answer names, boxes in pixels of an image of `size` (width, height), each within half a bin.

    For what a model says, too: what isn't a whole block is passed over, several boxes of a block become the one around them, and
    no box is empty or leaves the image. `decode(encode(s, MARKDOWN)[1], s.size)` has the `content` of each of `s.regions` that
    has a block, in their order, a formula's as bare LaTeX, a table's as HTML.
    """
    blocks = [_Block(restore(label), box, restore(text.strip())) for label, box, text in _blocks(answer, size)]
    for at in range(len(blocks) - 1):
        block, following = blocks[at : at + 2]
        caption, blank, html = following.text.partition("\n\n<table")
        if block.label == "table" and not block.text and following.label == "table_caption" and blank:
            table = block._replace(text=f"<table{html}")
            blocks[at : at + 2] = following._replace(text=caption.strip()), table
    return tuple(_region(block, by) for block in blocks)


def decode_lines(answer: str, size: tuple[int, int]) -> tuple[Line, ...]:
    """The lines that the answer to `LINES` or `LOCATE` names, as `decode` does; one for each box."""
    return tuple(Line(box, restore(text)) for text, boxes, _ in _parsed(answer, size) for box in boxes)


def decode_objects(answer: str, size: tuple[int, int], by: str = "model") -> tuple[Region, ...]:
    """The objects that the answer to `DETECT` or `LOCATE` names, as `decode` does; one for each box."""
    return tuple(Region(box, OBJECT, restore(name), None, by) for name, boxes, _ in _parsed(answer, size) for box in boxes)


def decode_plain(answer: str) -> list[list[str]]:
    """The blocks of a plain answer, each as its lines. Under `FREE_LINES` these are the lines of the regions that have some."""
    return [block.split("\n") for block in restore(answer).split("\n\n") if block]


def neutralise(text: str) -> str:
    """`text` in which no literal of the format's tokens is left. `restore` undoes it."""
    return _LITERAL.sub(f"<{_JOINER}", text)


def restore(text: str) -> str:
    """The text that `neutralise` was given."""
    return _NEUTRALISED.sub("<", text)


class _Block(NamedTuple):
    label: str
    box: Box
    text: str


def _grounded(regions: Sequence[Region], size: tuple[int, int]) -> Iterator[str]:
    """The pieces of a grounded answer."""
    shown = [region for region in regions if region.label in PICTURES or content(region)]
    before = ""
    while shown:
        region, *shown = shown
        caption = None
        if region.label == "table_caption" and shown and shown[0].label == "table" and content(shown[0]).startswith("<table"):
            caption, (region, *shown) = region, shown
        is_captioned = region.label == "image_caption" and before in PICTURES
        yield ("\n" if is_captioned else "\n\n") if before else ""
        yield _marked(_RELEASED.get(region.label, region.label), [region.box], size)
        if caption is not None:
            yield f"\n{_marked(caption.label, [caption.box], size)}\n{neutralise(content(caption))}"
        if text := neutralise(content(region)):
            text = f"<center>{text} </center>" if region.label == "image_caption" else text
            yield f"\n\n{text}" if region.label == "table" else f"\n{text}"
        before = region.label


def _region(block: _Block, by: str) -> Region:
    label, text, form = block.label, block.text, "markdown"
    if label == "image_caption":
        text = text.removeprefix("<center>").removesuffix("</center>").strip()
    elif label == "table" and text.startswith("<table"):
        form = "html"
    elif label == "equation" and text.startswith(r"\[") and text.endswith(r"\]"):
        text, form = bare_latex(text), "latex"
    return Region(block.box, label, text, None, by, format=form)


def _located(sample: Sample) -> tuple[str, list[Box]] | None:
    """A line of the page, or an object, that can be told from all others, and where it is; None if there is none."""
    if sample.task == "caption":
        lengths, places = range(1, _LONGEST_NAME + 1), _named(_objects(sample, PHRASE))
    else:
        lengths, places = _LOCATED, _named(line for region in _read(sample) for line in region.lines)
    chosen = [text for text in places if len(text) in lengths and not set("\n\ufffd") & set(text)]
    Random(f"locate {sample.key}").shuffle(chosen)
    for text in chosen:
        if not any(text in other for other in places if other != text):
            return text, places[text]
    return None


def _objects(sample: Sample, *also: str) -> list[Region]:
    """What a picture's record names, in its order; what the labels `also` say, too. Where some objects have no box in the record
    (`UNBOXED`), no answer could name them all, so that none is an object."""
    labels = {OBJECT, *also} if not any(sample.quality.signals.get(name) for name in UNBOXED) else set(also)
    return [r for r in sample.regions if sample.task == "caption" and r.label in labels and r.text.strip() and not r.is_unread]


def _named(parts: Iterable[Line | Region]) -> dict[str, list[Box]]:
    """The boxes of all parts with a text, by that text, in the order in which each text first stands."""
    places: dict[str, list[Box]] = {}
    for part in parts:
        places.setdefault(part.text.strip(), []).append(part.box)
    return places


def _read(sample: Sample) -> list[Region]:
    """Without regions that nobody read, which may be cut out of the image with the lines in them."""
    return [region for region in sample.regions if not lacks_text(region)]


def _marked(text: str, boxes: Sequence[Box], size: tuple[int, int]) -> str:
    bins = ([round(value / side * _LAST_BIN) for value, side in zip(box, (*size, *size), strict=True)] for box in boxes)
    places = ", ".join(f"[{', '.join(map(str, of_box))}]" for of_box in bins)
    return f"{REF}{neutralise(text)}{REF_END}{DET}[{places}]{DET_END}"


def _parsed(answer: str, size: tuple[int, int]) -> Iterator[tuple[str, list[Box], str]]:
    """What stands between `<|ref|>`s, its boxes in pixels, and what follows, of each block that has a box."""
    for block in _BLOCK.finditer(answer):
        bins = [tuple(map(int, numbers)) for numbers in _BOX.findall(block["boxes"])]
        boxes = []
        for left, top, right, bottom in bins:
            (x0, x1), (y0, y1) = _span(left, right, size[0]), _span(top, bottom, size[1])
            boxes.append(Box(x0, y0, x1, y1))
        if boxes:
            yield block["label"], boxes, block["content"]


def _blocks(answer: str, size: tuple[int, int]) -> Iterator[tuple[str, Box, str]]:
    for label, boxes, text in _parsed(answer, size):
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        yield label, Box(min(lefts), min(tops), max(rights), max(bottoms)), text


def _span(first: int, last: int, side: int) -> tuple[int, int]:
    """Pixels from `first` to `last`, exclusive, of bins along a side of `side` pixels: at least one pixel, inside the image."""
    start = min(round(first / _LAST_BIN * side), side - 1)
    return start, min(max(round(last / _LAST_BIN * side), start + 1), side)
