"""Attention by blocks of queries against attention written out, and the past in blocks against whole forward passes."""

import pytest
import torch

from model.net.cache import Cache
from model.net.config import tiny
from model.net.cpu import blocked_attention
from model.net.deepseek_ocr import build


def plainly(q, k, v, rows=None, columns=None, causal=False):
    scores = q @ k.mT
    if rows is not None:
        scores = scores + (rows[..., :, None] + columns[..., None, :]).flatten(-2)
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    return scores.softmax(-1) @ v


def inputs(length: int, grid: tuple[int, int] | None = None, dtype=torch.float64):
    """Two images of three heads, as they come from a projection: not in one piece."""
    source = torch.Generator().manual_seed(length)
    widths = [8, 8, 8, *(grid or ())]
    many = torch.randn(2, length, 3, sum(widths), generator=source).to(dtype)
    return [x.transpose(1, 2).requires_grad_() for x in many.split(widths, -1)]


def outcome(attention, given, causal):
    y = attention(*given, causal=causal)
    return [y, *torch.autograd.grad(y, given, torch.linspace(-1, 1, y.numel()).to(y.dtype).view_as(y))]


CASES = [
    (1, None, True),
    (300, None, True),
    (300, None, False),
    (600, (20, 30), False),
    (256, (16, 16), False),
    (3, (3, 1), False),
]


@pytest.mark.parametrize("cached_bytes", [1, 1 << 30])
@pytest.mark.parametrize(("length", "grid", "causal"), CASES)
def test_blocks_are_attention(monkeypatch, length, grid, causal, cached_bytes):
    monkeypatch.setattr(blocked_attention, "_CACHED_BYTES", cached_bytes)
    results = [outcome(attention, inputs(length, grid), causal) for attention in (blocked_attention.attention, plainly)]
    for ours, exact in zip(*results, strict=True):
        assert torch.allclose(ours, exact, rtol=1e-5, atol=1e-5 * float(exact.detach().abs().max()))  # sums in fp32


@pytest.mark.parametrize(("length", "grid", "causal"), [(300, None, True), (600, (20, 30), False)])
def test_blocks_in_bf16_are_as_exact_as_attention_written_out_and_the_same_under_autocast(length, grid, causal):
    exact = outcome(plainly, inputs(length, grid), causal)
    written = outcome(plainly, inputs(length, grid, torch.bfloat16), causal)
    results = outcome(blocked_attention.attention, inputs(length, grid, torch.bfloat16), causal)
    with torch.autocast("cpu", torch.bfloat16):
        same = outcome(blocked_attention.attention, inputs(length, grid, torch.bfloat16), causal)
    for ours, theirs, true, again in zip(results, written, exact, same, strict=True):
        assert ours.dtype == torch.bfloat16 and torch.equal(ours, again)
        assert (ours.double() - true).square().mean() <= 1.5 * (theirs.double() - true).square().mean()


@pytest.mark.parametrize(("length", "grid", "causal"), CASES[:4])
def test_the_operator_is_registered_as_torch_wants_it(length, grid, causal):
    given = [x.detach().flatten(0, 1).float().requires_grad_() for x in inputs(length, grid)]
    torch.library.opcheck(blocked_attention.attend, (*given, *[None] * (5 - len(given)), causal))


@pytest.mark.parametrize("starts", [[0, 0, 0], [0, 30, 7]])
def test_the_past_in_blocks_is_the_past(starts):
    """From one block into a fourth, with padding in front; a row is done with on the way."""
    net = build(tiny(), 1).eval()
    ids_BL = torch.randint(6, 4000, (3, 200), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        exact = [net(ids_L[None, start:])[0] for ids_L, start in zip(ids_BL, starts, strict=True)]
        cache = Cache(net.config.decoder, torch.tensor(starts), 200, torch.float32)
        net(ids_BL[:, :60], cache=cache)
        rows = [0, 1, 2]
        for at in range(60, 200):
            if at == 150:
                cache.drop(0)
                rows = [2, 1]
                assert cache.keys[0, :2].flatten(0, 2).data_ptr() == cache.keys.data_ptr()  # in one piece, not copied
            if at == 170:
                cache.drop(1)
                rows = [2]
            hidden_BLD = net(ids_BL[rows, at : at + 1], cache=cache)
            for row, hidden_LD in zip(rows, hidden_BLD, strict=True):
                assert torch.allclose(hidden_LD[0], exact[row][at - starts[row]], atol=1e-4)
        with pytest.raises(AssertionError, match="the cache holds 200 positions; 201 are asked for"):
            net(ids_BL[rows, :1], cache=cache)
