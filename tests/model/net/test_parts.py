"""The hot path's own functions against plain ones: experts, loss, checkpointing; and DeepEncoder before another's decoder."""

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile

from datagen.target import Prompt
from model.costs.pieces import TOWERS
from model.generate import tokens
from model.net import loss as loss_module
from model.net import sam
from model.net.activation_checkpointing import set_checkpointing
from model.net.config import tiny
from model.net.cpu import keep_packed, packed_linear
from model.net.cpu.experts import ByExpert, few
from model.net.deepencoder import DeepEncoder, placed, places
from model.net.deepseek_ocr import build
from model.net.image import Views
from model.net.loss import cross_entropy
from model.net.moe import Grouped, arranged, routed
from model.net.tokenizer import train_tokenizer
from tests.model.lines import EIGHT


def plainly(x_TD, weights_TS, chosen_TS, gate_up_EGD, down_EDF):
    """A token at a time, in float64 where its inputs are."""
    rows = []
    for x_D, weights_S, chosen_S in zip(x_TD, weights_TS, chosen_TS, strict=True):
        total = 0
        for weight, expert in zip(weights_S, chosen_S, strict=True):
            gate, up = (gate_up_EGD[expert] @ x_D).chunk(2)
            total = total + weight * (down_EDF[expert] @ (F.silu(gate) * up))
        rows.append(total)
    return torch.stack(rows)


def inputs(num_tokens: int, dtype=torch.float64, num_experts: int = 6, unused: int = 4):
    """Expert `unused` gets nothing."""
    source = torch.Generator().manual_seed(num_tokens)
    x, gate_up, down = (
        torch.randn(*size, generator=source).to(dtype).requires_grad_()
        for size in ((num_tokens, 16), (num_experts, 48, 16), (num_experts, 16, 24))
    )
    logits = torch.randn(num_tokens, num_experts, generator=source)
    logits[:, unused] = -torch.inf
    weights, chosen = logits.softmax(-1).topk(3)
    return x, weights.to(dtype).requires_grad_(), chosen, gate_up, down


def outcome(function, arguments):
    x, weights, chosen, gate_up, down = arguments
    y = function(x, weights, chosen, gate_up, down)
    learned = (x, weights, gate_up, down)
    return [y, *torch.autograd.grad(y, learned, torch.linspace(-1, 1, y.numel(), dtype=y.dtype).view_as(y))]


def grouped(x, weights, chosen, gate_up, down):
    return Grouped.apply(x, weights, arranged(chosen, len(gate_up)), gate_up, down)


def by_expert(rounded):
    def function(x, weights, chosen, gate_up, down):
        return ByExpert.apply(x, weights, arranged(chosen, len(gate_up), rounded), gate_up, down)

    return function


# `grouped_mm` runs on a processor too, in fp32 and bf16: the way that a GPU takes is tested without one.
@pytest.mark.parametrize(
    ("function", "dtype", "tolerance"),
    [
        (by_expert(1), torch.float64, 1e-6),  # sums over a token's experts are in fp32
        (by_expert(16), torch.float64, 1e-6),
        (grouped, torch.float32, 1e-5),
        (routed, torch.float32, 1e-5),
        (by_expert(8), torch.bfloat16, 3e-2),
        (grouped, torch.bfloat16, 3e-2),
    ],
)
@pytest.mark.parametrize("num_tokens", [1, 150])
def test_experts_are_what_they_are_a_token_at_a_time(function, dtype, tolerance, num_tokens):
    exact = outcome(plainly, inputs(num_tokens))
    results = outcome(function, inputs(num_tokens, dtype))
    for ours, theirs in zip(results, exact, strict=True):
        assert ours.dtype == dtype
        assert (ours.double() - theirs).abs().max() <= tolerance * theirs.abs().max()


@pytest.mark.parametrize("num_tokens", [1, 2, 37])
def test_a_few_tokens_that_are_only_read(num_tokens):
    exact = outcome(plainly, inputs(num_tokens))[0]
    with torch.no_grad():
        results = few(*inputs(num_tokens, torch.float32))
    assert (results.double() - exact).abs().max() <= 1e-5 * exact.abs().max()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("autocast", [False, True])
@torch.no_grad()
def test_packed_weights_give_what_others_give(dtype, autocast):
    """While a text is read; and what has changed by the next one is read as it is then."""
    net = build(tiny(), 3).to(dtype).eval()
    ids_BL = torch.randint(6, 4000, (2, 9), generator=torch.Generator().manual_seed(0))

    def logits():
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return net.logits(net(ids_BL))

    layers = [module for module in net.modules() if hasattr(module, "packs")]
    for _ in range(2):
        exact = logits()
        with keep_packed(net):
            results = [logits() for _ in range(8)]
            packed = [pack for layer in layers for _, pack in layer.packs.values() if not isinstance(pack, int)]
            if expected := packed_linear._packs(torch.bfloat16 if autocast else dtype):  # not every processor packs bf16
                net.lm_head.weight.mul_(-1)
                assert (logits() + exact).abs().max() <= 3e-2 * exact.abs().max()  # what changes is packed anew
        assert len(packed) > len(layers) / 2 if expected else not packed
        tolerance = 1e-4 if dtype == torch.float32 and not autocast else 3e-2
        assert all((again - exact).abs().max() <= tolerance * exact.abs().max() for again in results)
        assert all(layer.packs is None for layer in layers)
        for parameter in net.parameters():
            parameter.mul_(1.1)


PARTS = [("encoder", "decoder"), ("decoder.layers",), ("lm_head",)]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("parts", PARTS, ids=str)
def test_parts_of_half_precision_read_and_train_with_others(dtype, parts):
    tokenizer = train_tokenizer(EIGHT, 400)
    net = build(tiny().with_vocab(len(tokenizer)), 3)
    image = Views(torch.randn(3, 512, 512, generator=torch.Generator().manual_seed(0)))
    exact = [token for _, token in tokens(net, tokenizer, [image], Prompt.FREE, 1)]
    for part in parts:
        net.get_submodule(part).to(dtype)
    results = list(tokens(net, tokenizer, [image] * 2, Prompt.FREE, 5))
    assert [token for _, token in results[:2]] == exact * 2
    ids_BL = torch.randint(6, 400, (1, 90))
    hidden_BLD = net.train()(ids_BL, [image], torch.arange(73))
    cross_entropy(hidden_BLD[0, :-1], net.lm_head.weight, ids_BL[0, 1:]).backward()
    assert all(p.grad is None or (p.grad.dtype == p.dtype and p.grad.isfinite().all()) for p in net.parameters())


def test_experts_under_autocast_keep_weights_and_gradients_in_fp32():
    x, weights, chosen, gate_up, down = inputs(60, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = routed(x, weights, chosen, gate_up, down)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    exact = outcome(routed, inputs(60, torch.float32))
    assert gate_up.grad.dtype == torch.float32 and (y.float() - exact[0]).abs().max() < 3e-2 * exact[0].abs().max()


@pytest.mark.parametrize("chunk_bytes", [1 << 30, 4 * 50 * 7, 1])
@pytest.mark.parametrize("cached_bytes", [1 << 30, 4 * 50 * 3])
def test_the_loss_in_chunks_is_the_loss(monkeypatch, chunk_bytes, cached_bytes):
    monkeypatch.setattr(loss_module, "CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(loss_module, "_CACHED_BYTES", cached_bytes)
    source = torch.Generator().manual_seed(0)
    x, head = (torch.randn(*size, generator=source).requires_grad_() for size in ((23, 8), (50, 8)))
    labels = torch.randint(0, 50, (23,), generator=source)
    ours, theirs = cross_entropy(x, head, labels, 1 / 23), F.cross_entropy(x @ head.T, labels)
    assert torch.allclose(ours, theirs)
    # Twice the loss, twice the gradient: what comes from above counts.
    for mine, other in zip(torch.autograd.grad(2 * ours, (x, head)), torch.autograd.grad(2 * theirs, (x, head)), strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def checkpointed_gradients(on, between=lambda net: None):
    """Of a loss over images and text; `between` happens after the forward pass."""
    ids = torch.randint(6, 4000, (2, 90), generator=torch.Generator().manual_seed(1))
    ids[:, 1:74] = 5
    images = [Views(torch.randn(3, 512, 512, generator=torch.Generator().manual_seed(n))) for n in range(2)]
    net = build(tiny(), 2).train()
    set_checkpointing(net, on)
    hidden = net(ids, images, places(ids == 5))
    loss = hidden.square().mean()
    between(net)
    loss.backward()
    return {name: p.grad for name, p in net.named_parameters() if p.grad is not None}


@pytest.mark.parametrize(("height", "width"), [(3, 9), (12, 5), (6, 6)])
def test_tables_are_interpolated_by_products_where_torch_must_be_deterministic(height, width):
    """With the same values and gradients as by torch's interpolation, whose backward pass a GPU would refuse then."""
    source = torch.Generator().manual_seed(height)
    tables = [torch.randn(*shape, generator=source) for shape in ((1, 6, 7, 4), (11, 4))]
    upstream = [torch.randn(*shape, generator=source) for shape in ((1, height, width, 4), (height, height, 4))]
    results = []
    for is_deterministic in (False, True):
        own = [table.clone().requires_grad_() for table in tables]
        torch.use_deterministic_algorithms(is_deterministic)
        try:
            made = [sam.resized(own[0], height, width), sam.relative(own[1], height)]
            with profile(activities=[ProfilerActivity.CPU]) as done:
                gradients = torch.autograd.grad(made, own, upstream)
        finally:
            torch.use_deterministic_algorithms(False)
        assert is_deterministic != any("upsample" in event.key for event in done.key_averages())
        results.append([*made, *gradients])
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=1e-5) and one.any()


def test_checkpointing_changes_no_gradient():
    plain, saving = checkpointed_gradients(()), checkpointed_gradients(TOWERS)
    assert plain.keys() == saving.keys()
    for name, gradient in plain.items():
        assert torch.equal(gradient, saving[name]), name


def test_checkpointing_keeps_the_routing():
    """Were it made again in the backward pass, with a router turned round in between, other experts would learn."""

    def turn_round(net):
        gate = net.decoder.layers[-1].mlp.gate.weight
        gate.data = -gate.data

    plain, turned = checkpointed_gradients(()), checkpointed_gradients(TOWERS, turn_round)
    for name in ("gate_up", "down"):
        key = f"decoder.layers.{tiny().decoder.depth - 1}.mlp.experts.{name}"
        assert torch.equal(plain[key], turned[key]) and plain[key].any()


def test_lines_of_one_width_go_together_and_each_has_its_own_tokens():
    """Among views as high and wider, as wide and higher: a line's tokens are those that it has alone."""
    encoder = DeepEncoder(tiny())
    encoder.load_state_dict(build(tiny()).encoder.state_dict())
    source = torch.Generator().manual_seed(0)
    sizes = [(64, 128), (64, 64), (64, 512), (512, 512), (64, 128)]
    images = [Views(torch.randn(3, *size, generator=source)) for size in sizes]
    seen = []
    encoder.sam.register_forward_pre_hook(lambda sam, pixels: seen.append(tuple(pixels[0].shape)))
    with torch.no_grad():
        together = encoder(images)
        assert seen == [(2, 3, 64, 128), (1, 3, 64, 64), (1, 3, 64, 512), (1, 3, 512, 512)]
        assert [len(tokens) for tokens in together] == [image.num_tokens for image in images] == [4, 3, 10, 73, 4]
        for image, tokens in zip(images, together, strict=True):
            assert torch.allclose(encoder([image])[0], tokens, atol=1e-5)


def test_places_that_are_not_as_many_as_the_tokens_are_told():
    with pytest.raises(ValueError, match="3 places for 2 image tokens"):
        placed(torch.zeros(1, 5, 4), torch.arange(3), [torch.zeros(2, 4)])
