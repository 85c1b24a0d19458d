"""One sample to its tokens: what may become of its image, and which damage is the sample's own."""

import io

import numpy as np
import pytest
from PIL import Image

from datagen.record import SampleError
from model.data.rows import Draw, Example, Part
from model.data.tokens import counted, made
from model.net.image_modes import num_tokens
from tests.inputs.samples import encoded
from tests.model.lines import rendered

BOXES = "<|ref|>title<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nA title"


@pytest.mark.parametrize(
    ("asked", "answer", "may_move"),
    [
        ("<image>\nFree OCR.", "A title", True),
        ("<image>\n<|grounding|>Convert the document to markdown.", "nothing", False),
        ("<image>\nLocate <|ref|>A title<|/ref|> in the image.", BOXES, False),
        ("<image>\nWhat stands in <|det|>[[1, 2, 3, 4]]<|/det|>?", "A title", False),
    ],
)
def test_nothing_moves_where_boxes_are_asked_for_or_answered(tokenizer, asked, answer, may_move):
    said = []

    def degrade(image, seed, may_move):
        said.append(may_move)
        return image

    parts = (Part(asked, False), Part(answer, True))
    image = rendered("A title")
    size = Image.open(io.BytesIO(image)).size
    length = counted([parts], tokenizer)[0] + num_tokens("tiny", *size)
    made(Example(parts, (image,), "x", "x", "en"), Draw(0, 0, 0, 0, "tiny", length, 0), ["tiny"], tokenizer, degrade)
    assert said == [may_move]


@pytest.mark.parametrize("kind", ["AVIF", "PNG", "JPEG"])
def test_a_damaged_image_is_a_bad_sample(tokenizer, kind):
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)), kind)
    parts = (Part("<image>\nFree OCR.", False), Part("x", True))
    draw = Draw(0, 0, 0, 0, "tiny", counted([parts], tokenizer)[0] + num_tokens("tiny", 64, 64), 0)
    num_bad = 0
    for start in (*range(0, len(whole), max(1, len(whole) // 20)), *range(80, 120)):
        damaged = bytearray(whole)
        num = 1 if 80 <= start < 120 else 200
        damaged[start : start + num] = bytes(len(damaged[start : start + num]))
        try:
            made(Example(parts, (bytes(damaged),), "x", "x", "en"), draw, ["tiny"], tokenizer)
        except SampleError as error:
            num_bad += error.reason == "bad_image"
    assert num_bad
