"""The format of grounded answers: special tokens, boxes in bins, and text that looks like tokens.

A coordinate is `x / W * 999`, rounded to a whole number from 0 to 999, for images of any size.

Text from documents may look like a special token. `neutralise` puts a word joiner (U+2060) behind the `<` of such text, so that
neither a tokenizer nor `parsed` takes it for a token. `restore` removes the joiner, so nothing is lost. `<td>` and its kind stay
as they are, since they mean the same as text and as tokens. Blank lines in text are safe: a block ends only at the next
`<|ref|>`.
"""

import re
from collections.abc import Iterator, Sequence

from datagen.record import Box

BOS = "<｜begin▁of▁sentence｜>"
EOS = "<｜end▁of▁sentence｜>"
PAD = "<｜▁pad▁｜>"
IMAGE = "<image>"
GROUNDING = "<|grounding|>"
REF, REF_END = "<|ref|>", "<|/ref|>"
DET, DET_END = "<|det|>", "<|/det|>"
# In the order of the released ids. Our tokenizers give the tokens other ids, so look them up by name.
SPECIAL_TOKENS = (BOS, EOS, PAD, IMAGE, REF, REF_END, DET, DET_END, GROUNDING, "<td>", "</td>", "<tr>", "</tr>")

_LAST_BIN = 999
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


def neutralise(text: str) -> str:
    """The text without anything that looks like a token of the format. `restore` is the inverse."""
    return _LITERAL.sub(f"<{_JOINER}", text)


def restore(text: str) -> str:
    """The text that `neutralise` was given."""
    return _NEUTRALISED.sub("<", text)


def marked(text: str, boxes: Sequence[Box], size: tuple[int, int]) -> str:
    """A text with its boxes in the format. The boxes are pixels of an image of `size` (width, height)."""
    bins = ([round(value / side * _LAST_BIN) for value, side in zip(box, (*size, *size), strict=True)] for box in boxes)
    places = ", ".join(f"[{', '.join(map(str, of_box))}]" for of_box in bins)
    return f"{REF}{neutralise(text)}{REF_END}{DET}[{places}]{DET_END}"


def parsed(answer: str, size: tuple[int, int]) -> Iterator[tuple[str, list[Box], str]]:
    """Each block that has a box: the label between `<|ref|>` and `<|/ref|>`, the boxes in pixels, and the content behind them."""
    for block in _BLOCK.finditer(answer):
        bins = [tuple(map(int, numbers)) for numbers in _BOX.findall(block["boxes"])]
        boxes = []
        for left, top, right, bottom in bins:
            (x0, x1), (y0, y1) = _span(left, right, size[0]), _span(top, bottom, size[1])
            boxes.append(Box(x0, y0, x1, y1))
        if boxes:
            yield block["label"], boxes, block["content"]


def _span(first: int, last: int, side: int) -> tuple[int, int]:
    """The pixels, with an exclusive end, of the bins `first` to `last` along a side of `side` pixels: at least one, all inside
    the image."""
    start = min(round(first / _LAST_BIN * side), side - 1)
    return start, min(max(round(last / _LAST_BIN * side), start + 1), side)
