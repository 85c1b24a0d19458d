"""From samples to answers, and from answers to regions.

Answers to fine pages look as the released model writes them, as seen in outputs that its users published. They are blocks in
reading order, with blank lines between:

    <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>
    content

`datagen.markdown` makes the content. The labels are the nine of the released model. A picture's block has no content, and its
caption follows in the next line, in `<center>`. A table's HTML follows a blank line. If a caption stands before the table, its
block is inside the table's block. Running headers, footers and page numbers have no block. Unread regions have none either, and
must be cut out of the image.

A scene's answer is its text, or its lines or blocks with boxes. A picture's answer is its caption, or its objects: each name with
all its boxes, `<|ref|>name<|/ref|><|det|>[[x1, y1, x2, y2], …]<|/det|>`. A person's phrase about a place in a picture serves
`LOCATE`, and is no object.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from datagen.labels import OBJECT, PHRASE, PICTURES
from datagen.markdown import bare_latex, content, lacks_text, markdown
from datagen.record import Box, Line, Region, Sample
from datagen.target.grammar import marked, neutralise, parsed, restore
from datagen.target.prompts import COARSE, FINE, KINDS, PROMPTS, Prompt, in_language, is_fine, is_wordless, kind_of_caption

# The released model's label for each label that it doesn't have.
_RELEASED = {**dict.fromkeys(("list", "code", "footnote", "reference", "toc"), "text"), **dict.fromkeys(PICTURES, "image")}
_LOCATED = range(4, 81)  # characters of a line for `LOCATE`
_LONGEST_NAME = 80  # characters of an object's name for `LOCATE`; a Chinese name may have one character
UNBOXED = ("crowds", "boxes_outside")
"""Signals that count a picture's objects that have no box in the record."""


def can_answer(sample: Sample, prompt: Prompt) -> bool:
    """Whether the sample has the data for an answer, and the prompt is one for its kind of page or caption."""
    if sample.task == "page" and KINDS["page"].get(prompt) == (COARSE if is_fine(sample) else FINE):
        return False
    if sample.task == "caption" and KINDS["caption"].get(prompt, "no") not in ("", kind_of_caption(sample)):
        return False
    match prompt:
        case Prompt.FREE:
            return True
        case Prompt.LINES if sample.task == "scene":
            return bool(sample.regions) or is_wordless(sample)
        case Prompt.BLOCKS:
            return sample.task == "scene" and (bool(sample.regions) or is_wordless(sample))
        case Prompt.DESCRIBE | Prompt.CAPTION | Prompt.NAMES | Prompt.PLACES:
            return sample.task == "caption" and bool(sample.caption.strip())
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
    """The prompt's text, and the sample's answer; `ANSWERS` describes the answers.

    If the prompt asks for lines, a region without lines counts as one line. Raises `ValueError` if the sample can't answer the
    prompt.
    """
    if not can_answer(sample, prompt):
        raise ValueError(f"{sample.key}: {prompt.name} needs regions, or pages of another kind")
    match prompt:
        case Prompt.FREE | Prompt.FIGURE:
            return prompt.value, neutralise(sample.text)
        case Prompt.DESCRIBE | Prompt.CAPTION | Prompt.NAMES | Prompt.PLACES:
            return in_language(sample, prompt), neutralise(sample.caption.strip())
        case Prompt.DETECT:
            named = _named(_objects(sample))
            return in_language(sample, prompt), "\n".join(marked(name, boxes, sample.size) for name, boxes in named.items())
        case Prompt.BLOCKS:
            blocks = (f"{marked('text', [r.box], sample.size)}\n{neutralise(r.text)}" for r in _read(sample))
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
            return prompt.value, "\n".join(marked(text, [box], sample.size) for text, box in parts if text)
    text, boxes = _located(sample) or ("", [])
    return prompt.value.replace("xxxx", neutralise(text)), marked(text, boxes, sample.size)


def decode(answer: str, size: tuple[int, int], by: str = "model") -> tuple[Region, ...]:
    """The regions that a grounded answer names. Boxes are in pixels of an image of `size` (width, height), exact to half a bin.

    A model's faulty answers are read, too. Incomplete blocks are skipped. Several boxes of a block become the box around them. No
    box is empty or leaves the image. `decode(encode(s, MARKDOWN)[1], s.size)` gives the `content` of each region of `s` that has
    a block, in order: a formula's content as bare LaTeX, a table's as HTML.
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
    """The lines that an answer to `LINES` or `LOCATE` names, one for each box, with boxes as in `decode`."""
    return tuple(Line(box, restore(text)) for text, boxes, _ in parsed(answer, size) for box in boxes)


def decode_objects(answer: str, size: tuple[int, int], by: str = "model") -> tuple[Region, ...]:
    """The objects that an answer to `DETECT` or `LOCATE` names, one for each box, with boxes as in `decode`."""
    return tuple(Region(box, OBJECT, restore(name), None, by) for name, boxes, _ in parsed(answer, size) for box in boxes)


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
        yield marked(_RELEASED.get(region.label, region.label), [region.box], size)
        if caption is not None:
            yield f"\n{marked(caption.label, [caption.box], size)}\n{neutralise(content(caption))}"
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
    """A line of the page, or an object, whose text occurs in no other, with its boxes; None if there is none."""
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
    """The objects of a picture's record, in order, and the regions with a label in `also`. If some objects have no box in the
    record (`UNBOXED`), no answer could name all objects, so no object is returned."""
    labels = {OBJECT, *also} if not any(sample.quality.signals.get(name) for name in UNBOXED) else set(also)
    return [r for r in sample.regions if sample.task == "caption" and r.label in labels and r.text.strip() and not r.is_unread]


def _named(parts: Iterable[Line | Region]) -> dict[str, list[Box]]:
    """The boxes of all parts, by their text, in the order in which the texts first occur."""
    places: dict[str, list[Box]] = {}
    for part in parts:
        places.setdefault(part.text.strip(), []).append(part.box)
    return places


def _read(sample: Sample) -> list[Region]:
    """The sample's regions without those that lack text. Unread regions may be cut out of the image, with their lines."""
    return [region for region in sample.regions if not lacks_text(region)]


def _blocks(answer: str, size: tuple[int, int]) -> Iterator[tuple[str, Box, str]]:
    for label, boxes, text in parsed(answer, size):
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        yield label, Box(min(lefts), min(tops), max(rights), max(bottoms)), text
