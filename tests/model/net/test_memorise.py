"""The tiny network learns rendered lines by heart, and reads them back from their pixels alone."""

import pytest
import torch

from datagen.target import Prompt
from model.generate import generate
from model.net.batch import batch
from model.net.config import tiny
from model.net.cpu import native_dtype
from model.net.deepseek_ocr import build
from model.net.image_modes import MODES, Mode
from model.net.tokenizer import train_tokenizer
from tests.model.lines import EIGHT, learn_by_heart, line_crop, tokens_of


@pytest.mark.parametrize(("side", "steps", "num_lines"), [(128, 60, 8), pytest.param(512, 50, 4, marks=pytest.mark.slow)])
def test_crops_are_read_back_exactly(monkeypatch, side, steps, num_lines):
    """From images of four tokens; and, among the slow tests, from images as large as the mode has them."""
    lines = list(EIGHT[:num_lines])
    monkeypatch.setitem(MODES, "tiny", Mode(side, padded=False))
    tokenizer = train_tokenizer(lines, 512)
    one = batch([[tokens_of(line_crop(text), tokenizer) for text in lines]], tokenizer)
    net = build(tiny().with_vocab(len(tokenizer)), seed=0).train()
    learn_by_heart(net, one, steps, 2e-3, native_dtype() is torch.bfloat16)
    assert generate(net, tokenizer, one.images, Prompt.FREE, 64) == lines
    # Only the pixels say which line it is: in another order they give the texts in that order.
    assert generate(net, tokenizer, one.images[::-1], Prompt.FREE, 64) == lines[::-1]
