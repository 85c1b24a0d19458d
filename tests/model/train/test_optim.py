"""How weights move: what decays, the schedules and the guard."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from model.net.config import tiny
from model.net.deepseek_ocr import DeepseekOcr, part_of
from model.train.optim import freeze, groups, rate_at, update
from model.train.step import SECTIONS, Optim, Schedule, Train, flat

STEP = Train(datasets=("coarse",), schedule=Schedule(steps=100, warmup=10, min_learning_rate=0.1), optim=Optim(learning_rate=1.0))


def on_meta():
    with torch.device("meta"):
        return DeepseekOcr(tiny())


def test_tables_scales_and_biases_do_not_decay():
    of_net = groups(on_meta(), 0.05)
    decaying = {name for group in of_net if group["weight_decay"] for name in group["names"]}
    others = {name for group in of_net if not group["weight_decay"] for name in group["names"]}
    assert {"lm_head.weight", "decoder.layers.1.mlp.experts.gate_up", "encoder.sam.patch_embed.proj.weight"} <= decaying
    assert {"encoder.sam.pos_embed", "encoder.sam.blocks.2.attn.rel_pos_h", "decoder.embed_tokens.weight"} <= others
    assert {"encoder.clip.embeddings.position_embedding.weight", "encoder.image_newline", "decoder.norm.weight"} <= others
    assert not any(name.endswith("bias") for name in decaying)
    assert len(decaying) + len(others) == sum(p.requires_grad for p in on_meta().parameters())


def test_freezing_by_part_and_by_name():
    net = on_meta()
    freeze(net, ("sam", "decoder.layers.0.*"))
    frozen = {name for name, p in net.named_parameters() if not p.requires_grad}
    assert all(part_of(name) == "sam" or name.startswith("decoder.layers.0.") for name in frozen - {UNUSED})
    assert "encoder.sam.pos_embed" in frozen and "decoder.layers.0.input_layernorm.weight" in frozen
    assert all(not set(group["names"]) & frozen for group in groups(net, 0.1))
    with pytest.raises(ValueError, match="frozen has 'eyes', which fits no parameter"):
        freeze(on_meta(), ("eyes",))
    with pytest.raises(ValueError, match="nothing is left to train"):
        freeze(on_meta(), ("*",))


UNUSED = "encoder.clip.embeddings.patch_embedding.weight"


def test_schedules():
    cosine = [rate_at(STEP, n) for n in range(101)]
    assert cosine[0] == pytest.approx(0.1) and cosine[9] == cosine[10] == 1.0
    assert cosine[55] == pytest.approx(0.55) and cosine[100] == pytest.approx(0.1)
    steps = STEP.but(curve="step")
    assert [rate_at(steps, n) for n in (4, 79, 80, 89, 90)] == pytest.approx([0.5, 1.0, 0.316, 0.316, 0.316**2])
    assert rate_at(STEP.but(curve="constant"), 99) == 1.0


def moved(gradient, loss=1.0, max_norm=1.0):
    net = nn.Linear(2, 1, bias=False)
    nn.init.ones_(net.weight)
    optimizer = torch.optim.SGD([net.weight], lr=9.0)
    net.weight.grad = torch.tensor([gradient])
    norm, *_ = update(optimizer, 0.1, max_norm, torch.tensor([loss]))
    assert net.weight.grad is None
    return norm, net.weight.detach()[0].tolist()


def test_an_update_is_clipped():
    assert moved([3.0, 4.0]) == (5.0, pytest.approx([1 - 0.1 * 0.6, 1 - 0.1 * 0.8]))
    assert moved([3.0, 4.0], max_norm=0.0) == (5.0, pytest.approx([0.7, 0.6]))


@pytest.mark.parametrize(("gradient", "loss"), [([math.nan, 1.0], 1.0), ([math.inf, 1.0], 1.0), ([1.0, 1.0], math.nan)])
def test_what_is_not_finite_moves_nothing(gradient, loss):
    assert moved(gradient, loss)[1] == [1.0, 1.0]


def test_a_parameter_without_a_gradient_moves_as_by_zero():
    """So that its moments are there, on any rank, whatever the step held."""
    net = nn.ModuleList([nn.Linear(2, 1), nn.Linear(2, 1)])
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.1, fused=True)
    net[0](torch.ones(1, 2)).sum().backward()
    update(optimizer, 0.1, 1.0, torch.ones(1))
    assert len(optimizer.state) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps is 0: it must be at least 1"),
        ({"curve": "ring"}, "curve is 'ring': allowed are cosine, linear, step, constant"),
        ({"start": "a", "start_encoder": "b"}, "start is a: it is the whole network"),
        ({"start_encoder": "a"}, "start_encoder is a, and start_decoder is empty: give .* start_decoder=random"),
        ({"precision": "fp8"}, "precision is 'fp8': allowed are bfloat16, float32"),
    ],
)
def test_values_that_are_not_allowed(values, message):
    with pytest.raises(ValueError, match=message):
        STEP.but(**values)


def test_a_field_is_in_one_section_and_goes_there_by_its_name():
    names = [one.name for kind in (Train, *SECTIONS.values()) for one in dataclasses.fields(kind)]
    assert len(set(names)) == len(names)
    step = STEP.but(steps=7, seed=3, scans=0.5)
    assert (step.schedule.steps, step.schedule.warmup, step.seed, step.batches.scans) == (7, 10, 3, 0.5)
    assert flat(dataclasses.asdict(step)) == flat(dataclasses.asdict(STEP)) | {"steps": 7, "seed": 3, "scans": 0.5}
    with pytest.raises(TypeError, match="stepz"):
        STEP.but(stepz=7)
