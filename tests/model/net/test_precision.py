"""Half precision on a processor that doesn't multiply it: the same numbers, and no product that would take it a hundred times as
long. On one that does, the lack is pretended."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from datagen.target import Prompt
from model.generate import tokens
from model.net.config import tiny
from model.net.cpu import blocked_attention, half_precision, packed_linear
from model.net.deepseek_ocr import build
from model.net.image import Views
from model.net.loss import cross_entropy
from model.net.tokenizer import train_tokenizer
from tests.model.lines import EIGHT

HALVES = (torch.bfloat16, torch.float16)
aten = torch.ops.aten
PRODUCTS = {aten.mm, aten.addmm, aten.bmm, aten.baddbmm, aten.mv, aten.dot, aten.convolution, aten.convolution_backward}


@pytest.fixture(autouse=True)
def _lacking(monkeypatch):
    monkeypatch.setattr(half_precision, "native_dtype", lambda: torch.float32)
    monkeypatch.setattr(half_precision, "_WIDENED", 10_000)  # a weight in several parts


class HalfProducts(TorchDispatchMode):
    """How many rows the products of half precision had that were made meanwhile."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        given = [x for x in arguments if isinstance(x, torch.Tensor)]
        attends = "attention" in str(function) and "pagewheel" not in str(function)
        if (function.overloadpacket in PRODUCTS or attends) and any(x.dtype in HALVES for x in given):
            self.rows.append(max(1, given[0].numel() // given[0].shape[-1]) if function.overloadpacket is aten.mm else 1 << 30)
        return function(*arguments, **(options or {}))


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("shape", [(2, 45), (1, 3), ()], ids=str)
def test_a_linear_layer_rounds_once_and_keeps_nothing_wide(shape, dtype, biased):
    source = torch.Generator().manual_seed(0)
    layer = half_precision.Linear(64, 500, bias=biased).to(dtype)
    x = torch.randn(*shape, 64, generator=source).to(dtype).requires_grad_()
    dy = torch.randn(*shape, 500, generator=source).to(dtype)
    given = [x, layer.weight, *([layer.bias] if biased else [])]
    saved = []

    def outcome(function, given, dy):
        y = function(*given)
        return [y, *torch.autograd.grad(y, given, dy)]

    exact = outcome(F.linear, [value.detach().double().requires_grad_() for value in given], dy.double())
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t), HalfProducts() as halves:
        results = outcome(lambda x, *_: layer(x), given, dy)
        assert {t.dtype for t in saved} == {dtype} and not halves.rows
        saved.clear()
        layer.weight.requires_grad_(False)
        layer(x)
        assert [t.data_ptr() for t in saved] == [layer.weight.data_ptr()]
    with torch.no_grad():
        results.append(layer(x))  # of up to four rows in another way
    for ours, true in zip(results, [*exact, exact[0]], strict=True):
        assert ours.dtype == dtype and torch.allclose(ours.double(), true, rtol=torch.finfo(dtype).eps, atol=1e-3)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_a_step_multiplies_in_fp32_alone(dtype):
    """Of everything: windows, whole grids, convolutions, experts, loss; forward and backward."""
    exact = build(tiny(), 3).to(dtype).float().train()
    net = copy.deepcopy(exact).to(dtype)
    source = torch.Generator().manual_seed(0)
    image, ids_BL = Views(torch.randn(3, 512, 512, generator=source)), torch.randint(6, 4000, (1, 300), generator=source)
    image_T = torch.arange(73)

    def loss(net):
        hidden_BLD = net(ids_BL, [image], image_T)
        results = cross_entropy(hidden_BLD[0, 73:-1], net.lm_head.weight, ids_BL[0, 74:], 1 / 226)
        results.backward()
        return results.item()

    with HalfProducts() as halves:
        results = loss(net)
    assert not halves.rows and results == pytest.approx(loss(exact), rel=1e-2)
    for (name, ours), theirs in zip(net.named_parameters(), exact.parameters(), strict=True):
        if theirs.grad is not None:
            assert ours.grad.dtype == dtype, name
            alike = F.cosine_similarity(ours.grad.flatten().double(), theirs.grad.flatten().double(), 0)
            assert alike > 0.95 or theirs.grad.norm() < 1e-6, (name, alike)


@pytest.mark.parametrize("causal", [True, False])
def test_attention_by_blocks_multiplies_in_fp32_alone(causal):
    """Its operators' own functions, for nothing looks into an operator."""
    source = torch.Generator().manual_seed(0)
    q, k, v, dy = (torch.randn(2, 600, 8, generator=source).bfloat16() for _ in range(4))
    bias = [None, None] if causal else [torch.randn(2, 600, side, generator=source).bfloat16() for side in (20, 30)]
    with HalfProducts() as halves:
        results = [blocked_attention.attend._init_fn(q, k, v, *bias, causal)]
        results += blocked_attention.attend_backward._init_fn(dy, q, k, v, *bias, causal)
    assert not halves.rows and {x.dtype for x in results} == {torch.bfloat16}


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("num_images", [1, 5])
def test_reading_multiplies_up_to_four_rows_as_they_are(monkeypatch, num_images, dtype):
    monkeypatch.setattr(packed_linear, "_packs", lambda dtype: dtype == torch.float32)
    tokenizer = train_tokenizer(EIGHT, 400)
    # Of a seed whose first words aren't near ties, which the rounding of half the digits would decide.
    net = build(tiny().with_vocab(len(tokenizer)), 9).to(dtype).eval()
    sides = (512, 640, 512, 512, 512)[:num_images]
    images = [Views(torch.randn(3, side, side, generator=torch.Generator().manual_seed(side))) for side in sides]
    exact = copy.deepcopy(net).float()
    with HalfProducts() as halves:
        results = list(tokens(net, tokenizer, images, Prompt.FREE, 8))
    # Of experts, too, to which a few of five texts go.
    assert halves.rows and max(halves.rows) <= 4
    exact_tokens = list(tokens(exact, tokenizer, images, Prompt.FREE, 8))
    assert results[:num_images] == exact_tokens[:num_images] and len(results) >= num_images
    assert {p.dtype for p in net.parameters()} == {dtype}
