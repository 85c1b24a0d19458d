"""The tiny network learns rendered lines by heart, and reads them back from their pixels alone."""

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


def test_crops_are_read_back_exactly(monkeypatch):
    """From images of four tokens."""
    lines = list(EIGHT[:6])
    monkeypatch.setitem(MODES, "tiny", Mode(128, padded=False))
    tokenizer = train_tokenizer(lines, 512)
    one = batch([[tokens_of(line_crop(text), tokenizer) for text in lines]], tokenizer)
    net = build(tiny().with_vocab(len(tokenizer)), seed=0).train()
    learn_by_heart(net, one, 50, 2e-3, native_dtype() is torch.bfloat16)
    assert generate(net, tokenizer, one.images, Prompt.FREE, 64) == lines
    # Only the pixels say which line it is: in another order they give the texts in that order.
    assert generate(net, tokenizer, one.images[::-1], Prompt.FREE, 64) == lines[::-1]
