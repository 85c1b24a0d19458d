"""Sample <-> training text: the only place that knows prompts, special tokens and the grounding format.

A grounded answer is blocks parted by a blank line, in reading order:

    <|ref|>label<|/ref|><|det|>[[x1, y1, x2, y2]]<|/det|>
    content

A coordinate is `x / W * 999`, rounded: whole numbers 0..999 whatever the image's size. A plain answer is the sample's text, or
the text of its lines.

Text from documents may hold what looks like the format's own tokens. `neutralise` puts a word joiner (U+2060) behind the `<` of
each such literal, so that neither a tokenizer nor `decode` takes it for one, and `restore` takes it out again: nothing is lost.
`<td>` and its kind are left alone: they mean the same as text and as tokens. Blank lines need no care: a block ends only at the
next `<|ref|>`.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from random import Random
from typing import NamedTuple

from datagen.record import Box, Region, Sample

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
    """What is asked of the model. The prompts are the released model's, but for `FREE_LINES`, which is ours."""

    FREE = f"{IMAGE}\nFree OCR."
    FREE_LINES = f"{IMAGE}\nFree OCR, line by line."
    MARKDOWN = f"{IMAGE}\n{GROUNDING}Convert the document to markdown."
    LINES = f"{IMAGE}\n{GROUNDING}OCR this image."

    @property
    def is_grounded(self) -> bool:
        """Whether the answer has boxes."""
        return GROUNDING in self.value


ANSWERS = {
    Prompt.FREE: "the text by paragraphs: lines joined, the typesetter's hyphens undone, a blank line between blocks",
    Prompt.FREE_LINES: "the text line by line, as it stands on the page, with its hyphens; a blank line between blocks",
    Prompt.MARKDOWN: "a block for each region: its label, its box, its text by paragraphs",
    Prompt.LINES: "a block for each line: its region's label, the line's box and text",
}
"""What the answer to each prompt holds."""


class Asked(NamedTuple):
    """A prompt, and the share of a task's samples that are asked it."""

    prompt: Prompt
    weight: float


PROMPTS = {
    "page": (Asked(Prompt.FREE, 0.6), Asked(Prompt.FREE_LINES, 0.15), Asked(Prompt.MARKDOWN, 0.25)),
    "crop": (Asked(Prompt.FREE, 1.0),),
}
"""The prompts of each task, the usual one first. The model trains on no other task. The released model answers `Free OCR.` with
paragraphs, so that is the usual prompt of a page."""


def choose(task: str, random: Random) -> Prompt:
    """The prompt of a sample of `task`, drawn by weight."""
    prompts, weights = zip(*PROMPTS[task], strict=True)
    prompt: Prompt = random.choices(prompts, weights)[0]
    return prompt


def can_answer(sample: Sample, prompt: Prompt) -> bool:
    """Whether the sample has what the answer needs: every sample has text, and not every one has regions."""
    return prompt is Prompt.FREE or bool(sample.regions)


def encode(sample: Sample, prompt: Prompt) -> tuple[str, str]:
    """The prompt's text and `sample`'s answer to it; `ANSWERS` says what that holds.

    A region without lines stands as a whole where lines are asked for. Raises `ValueError` if the sample lacks the regions that
    the answer needs.
    """
    if not can_answer(sample, prompt):
        raise ValueError(f"{sample.key}: {prompt.name} needs regions, the sample has none")
    if prompt is Prompt.FREE:
        return prompt.value, neutralise(sample.text)
    if prompt is Prompt.FREE_LINES:
        blocks = ("\n".join(line.text for line in region.lines) or region.text for region in sample.regions)
        return prompt.value, neutralise("\n\n".join(block for block in blocks if block))
    parts: Iterable[tuple[str, Box, str]]
    if prompt is Prompt.MARKDOWN:
        parts = ((region.label, region.box, region.text) for region in sample.regions)
    else:
        parts = (
            part
            for region in sample.regions
            for part in [(region.label, line.box, line.text) for line in region.lines]
            or [(region.label, region.box, region.text)]
        )
    return prompt.value, "\n\n".join(_block(*part, sample.size) for part in parts)


def decode(answer: str, size: tuple[int, int], by: str = "model") -> tuple[Region, ...]:
    """The regions that a grounded answer names, boxes in pixels of an image of `size` (width, height), each within half a bin.

    For what a model says, too: what isn't a whole block is passed over, several boxes of a block become the one around them, and
    no box is empty or leaves the image. `decode(encode(s, MARKDOWN)[1], s.size)` has the labels and the text of `s.regions`.
    """
    regions = []
    for block in _BLOCK.finditer(answer):
        boxes = [tuple(map(int, bins)) for bins in _BOX.findall(block["boxes"])]
        if boxes:
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            x0, x1 = _span(min(lefts), max(rights), size[0])
            y0, y1 = _span(min(tops), max(bottoms), size[1])
            regions.append(Region(Box(x0, y0, x1, y1), restore(block["label"]), restore(block["content"]), None, by))
    return tuple(regions)


def decode_plain(answer: str) -> list[list[str]]:
    """The blocks of a plain answer, each as its lines. Under `FREE_LINES` these are the lines of the regions that have some."""
    return [block.split("\n") for block in restore(answer).split("\n\n") if block]


def neutralise(text: str) -> str:
    """`text` in which no literal of the format's tokens is left. `restore` undoes it."""
    return _LITERAL.sub(f"<{_JOINER}", text)


def restore(text: str) -> str:
    """The text that `neutralise` was given."""
    return _NEUTRALISED.sub("<", text)


def _block(label: str, box: Box, text: str, size: tuple[int, int]) -> str:
    bins = [round(value / side * _LAST_BIN) for value, side in zip(box, (*size, *size), strict=True)]
    return f"{REF}{neutralise(label)}{REF_END}{DET}[[{', '.join(map(str, bins))}]]{DET_END}\n{neutralise(text)}"


def _span(first: int, last: int, side: int) -> tuple[int, int]:
    """Pixels from `first` to `last`, exclusive, of bins along a side of `side` pixels: at least one pixel, inside the image."""
    start = min(round(first / _LAST_BIN * side), side - 1)
    return start, min(max(round(last / _LAST_BIN * side), start + 1), side)
