"""A step traced without a device: its products are those of the formulas, and no operation of it waits."""

from dataclasses import replace

import pytest
import torch

from model.costs import flops
from model.costs.activations import TOWERS, Load
from model.costs.plan import SET_UPS
from model.costs.traced import CARDS, Operation, Recorder, roofline, trace, waiting
from model.net.config import full, tiny
from model.net.cpu.experts import ByExpert
from model.net.routing import arranged

LOAD = Load(((1024, 1024), (640, 640), (640, 640)), (400, 300), 350)


@pytest.mark.parametrize("checkpointing", [(), TOWERS])
def test_no_operation_of_a_step_waits(checkpointing):
    assert waiting(trace(tiny(), LOAD, checkpointing)) == []


def test_an_operation_that_waits_in_the_backward_pass_alone_is_named():
    x, values = torch.zeros(6, device="meta", requires_grad=True), torch.zeros(6, device="meta", requires_grad=True)
    with Recorder() as seen:
        x.masked_scatter(torch.zeros(6, dtype=torch.bool, device="meta"), values).sum().backward()
    assert waiting(seen.operations) == ["masked_scatter_backward"]


def test_products_are_those_of_the_formulas():
    """But for what an implementation adds: attention's scores are computed again, and SAM's bias is part of its product."""
    whole = full()
    config = replace(
        whole,
        sam=replace(whole.sam, depth=3, global_blocks=(2,)),
        clip=replace(whole.clip, depth=1),
        decoder=replace(whole.decoder, depth=2),
    )
    by_formula = flops.training(config, LOAD.views, [sum(LOAD.lengths)], LOAD.num_learned)
    assert 1.0 < sum(one.flops for one in trace(config, LOAD)) / by_formula < 1.3


def test_what_is_frozen_costs_no_backward_pass():
    whole, frozen = (sum(one.flops for one in trace(tiny(), LOAD, set_up=set_up)) for set_up in SET_UPS[:2])
    assert frozen < 0.8 * whole


def test_a_card_takes_as_long_as_the_slower_of_products_and_memory():
    card = CARDS[0]
    assert card.seconds(Operation("mm", torch.bfloat16, 312 * 10**12, 8)) == pytest.approx(1.0)
    assert card.seconds(Operation("add", torch.bfloat16, 0, 1_555 * 10**9)) == pytest.approx(1.0)
    assert card.seconds(Operation("mm", torch.float32, 195 * 10**11, 8)) == pytest.approx(1.0)


def test_lines_for_people_name_each_card_and_what_costs_most():
    lines = [roofline(card, tiny(), LOAD, SET_UPS[0], (), 2) for card in CARDS]
    assert [line.split(":")[0] for line in lines] == ["A100-40G", "A100-80G", "H100"]
    assert all(line.count("%") == 6 and "mm bf16" in line for line in lines), lines


def test_experts_in_turn_wait_for_the_device_once_a_step(monkeypatch):
    waits, whole = [], torch.Tensor.tolist
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: waits.append(self.shape) or whole(self))
    source = torch.Generator().manual_seed(0)
    x, gate_up, down = (
        torch.randn(*shape, generator=source, requires_grad=True) for shape in ((90, 16), (6, 48, 16), (6, 16, 24))
    )
    weights, chosen = torch.rand(90, 6, generator=source).topk(3)
    ByExpert.apply(x, weights.requires_grad_(), arranged(chosen, 6, 16), gate_up, down).sum().backward()
    assert waits == [(6,)] and x.grad is not None
