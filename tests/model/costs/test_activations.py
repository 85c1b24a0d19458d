"""The formula against what a forward pass of a real network keeps alive."""

import gc

import pytest
import torch
from torch import Tensor, nn

from model.costs.activations import TOWERS, Load, kept
from model.net.activation_checkpointing import set_checkpointing
from model.net.config import tiny
from model.net.deepseek_ocr import build
from model.net.image import Views


def alive(net: nn.Module, function) -> int:
    """The bytes that `function` leaves alive for a backward pass: what operators save, and what checkpoints keep beside them."""
    held = {value.untyped_storage().data_ptr() for value in [*net.parameters(), *net.buffers()]}
    found: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in held:
            found[storage.data_ptr()] = storage.nbytes()
        return value

    gc.collect()
    gc.freeze()  # so that only what comes now is looked at, here and when the next one is collected
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        result = function()
    held |= {value.untyped_storage().data_ptr() for value in (result if isinstance(result, list) else [result])}
    for value in gc.get_objects():
        if issubclass(type(value), Tensor):
            note(value)
    return sum(found.values())


@pytest.mark.parametrize("checkpointing", [(), TOWERS], ids=["plain", "checkpointed"])
@pytest.mark.parametrize(
    ("config", "views", "length"),
    [(tiny(), ((512, 512), (640, 640)), 900), (tiny(), ((64, 512),) * 3, 150)],
    ids=["two sizes", "lines"],
)
def test_the_formula_is_what_is_kept(config, views, length, checkpointing):
    net = build(config, 1).train()
    set_checkpointing(net, checkpointing)
    load = Load(views, (length,), length // 2)
    expected = kept(config, load, itemsize=4, checkpointing=checkpointing)
    images = [Views(torch.randn(3, *view)) for view in views]
    encoder = alive(net.encoder, lambda: net.encoder(images))
    assert expected.sam + expected.clip + expected.projector == pytest.approx(encoder, rel=0.06)
    x_1LD = torch.randn(1, length, config.decoder.width, requires_grad=True)
    assert expected.decoder == pytest.approx(alive(net.decoder, lambda: net.decoder(x_1LD)), rel=0.06)


def test_the_largest_block_is_what_checkpointing_holds_once():
    config = tiny()
    net = build(config, 1).train()
    x_BhwD = torch.randn(1, 40, 40, config.sam.width, requires_grad=True)
    largest = max(alive(net, lambda block=block: block(x_BhwD)) for block in net.encoder.sam.blocks)
    assert kept(config, Load(((640, 640),), (30,), 10), 4, TOWERS).once == pytest.approx(largest, rel=0.1)


def test_what_is_frozen_keeps_nothing():
    load = Load(((512, 512),), (300,), 100)
    for checkpointing in ((), TOWERS):
        with_sam, without = (kept(tiny(), load, 2, checkpointing, sam) for sam in (True, False))
        assert without.sam == 0 < with_sam.sam and without.decoder == with_sam.decoder and without.once <= with_sam.once
    assert kept(tiny(), load).head - kept(tiny(), load, head=False).head == 4 * 192 * 4096
