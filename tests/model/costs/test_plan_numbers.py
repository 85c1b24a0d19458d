"""The plan's numbers against those of real networks and optimisers."""

import re
from collections import Counter
from dataclasses import replace

import pytest
import torch

from model.costs import flops
from model.costs.activations import TOWERS, Load
from model.costs.memory import Memory, memory, table
from model.costs.plan import (
    ADAPTERS,
    ALL_LINEAR,
    BF16,
    BF16_8BIT,
    FP32,
    LANGUAGE,
    PARTS,
    QLORA,
    SET_UPS,
    SetUp,
    adapter_parameters,
    linear_layers,
    operations,
    packed,
    parameters,
    unused,
)
from model.files.lora import adapt
from model.files.lora import linear_layers as real_layers
from model.net.config import ModelConfig, full, line_reader, small_moe, stage1, tiny
from model.net.deepseek_ocr import DeepseekOcr, build, part_of
from model.net.pipeline_cut import ONE_RANK
from model.train.optim import adamw, freeze
from model.train.step import Optim, Train

LOAD = Load(((512, 512),), (300, 100), 200)


def on_one(config: ModelConfig, set_up: SetUp, towers: tuple[str, ...] = ()) -> Memory:
    return memory(config, LOAD, set_up, ONE_RANK, 0, 1, towers)


@pytest.mark.parametrize("config", [full(), stage1(), small_moe(), tiny(), line_reader(1), line_reader(2)])
def test_parameters_are_counted_by_part(config):
    with torch.device("meta"):
        net = DeepseekOcr(config)
    counts: Counter[str] = Counter(dict.fromkeys(parameters(config), 0))
    for name, parameter in net.named_parameters():
        counts[part_of(name)] += parameter.numel()
    assert dict(counts) == parameters(config)
    shapes = {name: tuple(net.get_parameter(f"{ours}.weight").shape[::-1]) for name, ours in real_layers(net).items()}
    assert shapes == linear_layers(config)


LORA_ELSEWHERE = SetUp("LoRA elsewhere", rank=3, targets=("qkv", "lm_head"), method=ADAPTERS)


@pytest.mark.parametrize(
    "set_up", [*SET_UPS, LORA_ELSEWHERE, *(replace(one, method=BF16) for one in SET_UPS[:3])], ids=lambda one: one.name
)
def test_weights_gradients_and_moments_are_an_optimisers(set_up):
    net = build(tiny())
    if set_up.rank:
        adapt(net.to(torch.bfloat16), set_up.rank, 4, set_up.targets)
    else:
        freeze(net, [part for part in PARTS if part not in set_up.parts])
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    assert sum(parameter.numel() for parameter in trained) == set_up.num_trained(tiny())
    if set_up.method == BF16:
        net.to(torch.bfloat16)
    optimizer = adamw(net, Train((), optim=Optim(weight_dtype="bfloat16" if set_up.method == BF16 else "float32")))
    for parameter in trained:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    moments = [value for state in optimizer.state.values() for slot, value in state.items() if slot != "step"]
    expected = on_one(tiny(), set_up)
    for values, num_bytes in (
        (net.parameters(), expected.weights),
        (trained, expected.gradients),
        (moments, expected.optimizer),
    ):
        assert sum(value.numel() * value.element_size() for value in values) == num_bytes


def test_an_adapters_parameters_follow_its_rank():
    of_16, of_32 = (adapter_parameters(full(), rank, LANGUAGE) for rank in (16, 32))
    assert of_16.keys() == {"decoder"} and of_32["decoder"] == 2 * of_16["decoder"] > 0
    everywhere = SetUp("", rank=16, targets=(ALL_LINEAR,), beside=("projector",))
    assert adapter_parameters(full(), 16, (ALL_LINEAR,)).keys() == {"sam", "clip", "projector", "decoder"}
    assert everywhere.through == frozenset(PARTS) and SET_UPS[3].through == frozenset(PARTS[3:])
    own = adapter_parameters(full(), 16, (ALL_LINEAR,)).total()
    assert everywhere.num_trained(full()) == own + parameters(full())["projector"]
    assert unused(full()) == 602_112


def test_operations_are_three_passes_of_what_is_trained():
    config = small_moe()
    every = operations(config, LOAD)
    assert every == flops.training(config, [512], [300, 100], 200)
    frozen = {set_up.name: operations(config, LOAD, set_up) for set_up in SET_UPS}
    assert every - frozen["SAM frozen"] == 2 * flops.sam(config.sam, 512)
    assert every - frozen["encoder frozen"] == 2 * flops.view(config, 512)
    forward = flops.forward(config, [512], [300, 100], 200)
    assert frozen["LoRA, rank 16"] == 2 * forward - flops.view(config, 512)
    assert operations(config, LOAD, SetUp("decoder", ("decoder",))) < every


def test_memory_falls_with_what_is_frozen_and_with_checkpoints():
    for method, adapters in ((FP32, ADAPTERS), (BF16, ADAPTERS), (BF16_8BIT, QLORA)):
        set_ups = [replace(one, method=adapters if one.rank else method) for one in SET_UPS]
        peaks = [on_one(full(), set_up, TOWERS).total for set_up in set_ups]
        assert peaks == sorted(peaks, reverse=True)
        for set_up in set_ups:
            assert on_one(full(), set_up, TOWERS).total < on_one(full(), set_up).total
    assert on_one(full(), replace(SET_UPS[0], method=BF16)).copies == 0


def test_methods_take_what_their_numbers_come_to():
    """The released network: all of it trained in 8-bit moments fits a card of 40 GB, and adapters over 4 bits one of 16."""
    counts, every = parameters(full()), 3_336_106_240 - 602_112
    found = on_one(full(), replace(SET_UPS[0], method=BF16_8BIT))
    assert (found.weights, found.gradients, found.optimizer) == (2 * (every + 602_112), 2 * every, 4 * every)
    layers = counts["experts"] + counts["decoder"] - 25 * 1280 - 11 * 64 * 1280  # without norms and routers
    assert packed(full()) == layers
    beneath = round(0.5625 * layers) + 2 * (3_336_106_240 - layers)
    lora = on_one(full(), replace(SET_UPS[3], method=QLORA))
    assert lora.weights == beneath + 4 * SET_UPS[3].num_trained(full())
    text = table(full(), LOAD, 1)
    rows = {line.split("  ")[0]: line for line in text.partition(QLORA.name)[2].splitlines()}
    assert rows["LoRA, rank 16"].endswith(" 16 GB")
    assert re.search(r"^all .* 40 GB$", text.partition(BF16_8BIT.name)[2].partition(QLORA.name)[0], re.MULTILINE)
    assert re.search(r"^all .* 80 GB$", text.partition(FP32.name)[2].partition(ADAPTERS.name)[0], re.MULTILINE)


def test_the_table_says_it_all():
    text = table(full(), replace(LOAD, views=((1024, 1024),)), 1000, 8)
    assert "3,336,106,240" in text and "a step: 8 x 400 tokens in 2 samples, 1 views of images, 200 learned" in text
    assert "time is that of 1,000 steps on one GPU at 30% of its peak" in text and BF16_8BIT.name in text
