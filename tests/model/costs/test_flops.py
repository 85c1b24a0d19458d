"""The formula against torch's counter, part by part, forward and backward."""

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from model.costs import flops
from model.net import cpu
from model.net.config import ModelConfig, small_moe, tiny
from model.net.cpu import experts
from model.net.deepseek_ocr import build
from model.net.image import Views
from model.net.loss import cross_entropy


def counted(function) -> int:
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def folded(config: ModelConfig, height: int, width: int) -> int:
    """What SAM's attention does beyond the formula: biases and places as further dimensions of queries and keys. In windows, and
    where a view has so few patches that it isn't done by blocks."""
    sam, total = config.sam, 0
    rows, columns = height // sam.patch, width // sam.patch
    for n in range(sam.depth):
        if n not in sam.global_blocks:
            padded = math.prod(-(-side // sam.patch // sam.window) * sam.window for side in (height, width))
            total += 2 * padded * sam.window**2 * sam.heads * 2 * sam.window
        elif rows * columns < 1024:
            total += 2 * (rows * columns) ** 2 * sam.heads * (rows + columns)
    return total


def written_out(q, k, v, rows=None, columns=None, causal=False):
    """In place of attention by blocks, an operator that torch's counter doesn't look into. Masked pairs count, too."""
    bias = 0 if rows is None else (rows[..., :, None] + columns[..., None, :]).flatten(-2)
    return (q @ k.mT + bias).softmax(-1) @ v


@pytest.fixture(autouse=True)
def countable(monkeypatch):
    """And an expert's rows are as many as it has tokens: what fills them up is no part of the formula."""
    monkeypatch.setattr(experts, "_ROUND", 1)
    monkeypatch.setattr(cpu, "attention", written_out)


@pytest.mark.parametrize("config", [tiny(), small_moe()], ids=["tiny", "small_moe"])
def test_the_formula_is_what_is_counted(config):
    net = build(config)
    with torch.no_grad():
        for size in ((512, 512), (64, 1024)):
            view = Views(torch.randn(3, *size))
            expected = flops.view(config, size) + folded(config, *size)
            assert counted(lambda view=view: net.encoder([view])) == pytest.approx(expected, rel=1e-3)
        # So many that no expert has one alone: torch doesn't count a product with a vector.
        ids = torch.randint(0, config.decoder.vocab_size, (2, 300), generator=torch.Generator().manual_seed(0))
        assert counted(lambda: net(ids)) == pytest.approx(flops.decoder(config.decoder, 600, 300), rel=1e-3)


def test_a_backward_pass_is_twice_the_forward_one():
    """Of the decoder and the loss."""
    config = tiny()
    net = build(config).train()
    ids = torch.randint(0, config.decoder.vocab_size, (4, 256))

    def step():
        hidden = net(ids)
        loss = cross_entropy(hidden.flatten(0, 1), net.lm_head.weight, ids.flatten())
        loss.backward()

    expected = flops.training(config, [], [256] * 4, 1024)
    assert counted(step) == pytest.approx(expected, rel=1e-3)
