"""Attention on a processor, a block of queries at a time. A block's scores stay in the processor's cache, forward and backward.

    B images or rows · N heads · G = some of all B*N · L queries · P keys · C queries of a block · K head dim
    h w the keys' grid, P = h*w

Scores are in the precision in which inputs are multiplied, as in explicit attention; torch's fused attention has them in fp32.
Sums over blocks are in fp32. Nothing of the size L x P is allocated. torch's fused attention took a processor without matrix
units 1.6 to 2.5 times as long in bf16, forward and backward (1,024 and 4,096 patches), and has no bias that is a sum of rows' and
columns' biases. The operator is registered with torch, so that checkpointing can save its result.
"""

from typing import Any

import torch
from torch import Tensor

from model.net.cpu.half_precision import product_dtype, put_product, wide, widens

QUERIES = 256
_MANY = 512  # queries: from so many on, scores are never allocated whole
_CACHED_BYTES = 2 << 20  # a thread's scores


def is_blockwise(q_BNLK: Tensor) -> bool:
    """Whether to call `attention`: on a processor, if scores are many or would have a wider precision than the rest."""
    return q_BNLK.device.type == "cpu" and (q_BNLK.shape[2] >= _MANY or widens(q_BNLK))


def attention(
    q_BNLK: Tensor,
    k_BNPK: Tensor,
    v_BNPK: Tensor,
    rows_BNLh: Tensor | None = None,
    columns_BNLw: Tensor | None = None,
    causal: bool = False,
) -> Tensor:
    """(B, N, L, K): softmax(q k + bias) v, without a scale. The bias of a query and the key at (i, j) is `rows`[i] +
    `columns`[j]. With `causal`, a query sees the keys up to its own, and there must be as many queries as keys."""
    assert (rows_BNLh is None) == (columns_BNLw is None), "a bias is one of rows and of columns"
    assert not causal or q_BNLK.shape[2] == k_BNPK.shape[2], "causal attention is to as many keys as there are queries"
    with torch.autocast(q_BNLK.device.type, enabled=False):
        inputs = [None if x is None else x.flatten(0, 1) for x in (q_BNLK, k_BNPK, v_BNPK, rows_BNLh, columns_BNLw)]
        return attend(*inputs, causal).unflatten(0, q_BNLK.shape[:2])


@torch.library.custom_op("pagewheel::blocked_attention", mutates_args=())
def attend(
    q_GLK: Tensor, k_GPK: Tensor, v_GPK: Tensor, rows_GLh: Tensor | None, columns_GLw: Tensor | None, causal: bool
) -> Tensor:
    y_GLK = q_GLK.new_empty(*q_GLK.shape[:2], v_GPK.shape[-1])
    for at, end in _blocks(q_GLK, k_GPK, causal):
        p_GCP = _probabilities(q_GLK, k_GPK, rows_GLh, columns_GLw, causal, at, end)
        put_product(p_GCP, wide(v_GPK[at[0], :end]), y_GLK[at])
    return y_GLK


@torch.library.custom_op("pagewheel::blocked_attention_backward", mutates_args=())
def attend_backward(
    dy_GLK: Tensor,
    q_GLK: Tensor,
    k_GPK: Tensor,
    v_GPK: Tensor,
    rows_GLh: Tensor | None,
    columns_GLw: Tensor | None,
    causal: bool,
) -> list[Tensor]:
    """The gradients of q, k and v, and with a bias those of rows and columns."""
    dq_GLK = torch.empty_like(q_GLK)
    dk_GPK, dv_GPK = (torch.zeros(x.shape, dtype=torch.float32, device=x.device) for x in (k_GPK, v_GPK))
    d_rows_GLh, d_columns_GLw = (None if x is None else torch.empty_like(x) for x in (rows_GLh, columns_GLw))
    for at, end in _blocks(q_GLK, k_GPK, causal):
        heads, dy_GCK = at[0], wide(dy_GLK[at])
        p_GCP = _probabilities(q_GLK, k_GPK, rows_GLh, columns_GLw, causal, at, end)
        dv_GPK[heads, :end] += torch.bmm(p_GCP.mT, dy_GCK)
        dp_GCP = torch.bmm(dy_GCK, wide(v_GPK[heads, :end]).mT)
        ds_GCP = torch.ops.aten._softmax_backward_data(dp_GCP, p_GCP, -1, p_GCP.dtype)
        put_product(ds_GCP, wide(k_GPK[heads, :end]), dq_GLK[at])
        dk_GPK[heads, :end] += torch.bmm(ds_GCP.mT, wide(q_GLK[at]))
        if d_rows_GLh is not None and d_columns_GLw is not None:
            ds_GChw = ds_GCP.unflatten(-1, (d_rows_GLh.shape[-1], d_columns_GLw.shape[-1]))
            d_rows_GLh[at], d_columns_GLw[at] = ds_GChw.sum(-1), ds_GChw.sum(-2)
    gradients = [dq_GLK, dk_GPK.to(k_GPK.dtype), dv_GPK.to(v_GPK.dtype), d_rows_GLh, d_columns_GLw]
    return [x for x in gradients if x is not None]


def _blocks(q_GLK: Tensor, k_GPK: Tensor, causal: bool) -> list[tuple[tuple[slice, slice], int]]:
    """The blocks, as ((heads, queries), the number of keys that they see)."""
    (G, L, _), P = q_GLK.shape, k_GPK.shape[1]
    scores_bytes = min(QUERIES, L) * P * product_dtype(q_GLK.dtype, q_GLK.device).itemsize
    num_heads = max(1, torch.get_num_threads() * _CACHED_BYTES // max(1, scores_bytes))
    return [
        ((slice(g, min(g + num_heads, G)), slice(c, min(c + QUERIES, L))), min(c + QUERIES, P) if causal else P)
        for g in range(0, G, num_heads)
        for c in range(0, L, QUERIES)
    ]


def _probabilities(
    q_GLK: Tensor,
    k_GPK: Tensor,
    rows_GLh: Tensor | None,
    columns_GLw: Tensor | None,
    causal: bool,
    at: tuple[slice, slice],
    end: int,
) -> Tensor:
    s_GCP = torch.bmm(wide(q_GLK[at]), wide(k_GPK[at[0], :end]).mT)
    if rows_GLh is not None and columns_GLw is not None:
        s_GChw = s_GCP.unflatten(-1, (rows_GLh.shape[-1], columns_GLw.shape[-1]))
        s_GChw.add_(rows_GLh[at].unsqueeze(-1)).add_(columns_GLw[at].unsqueeze(-2))
    if causal:
        num_queries = s_GCP.shape[1]
        later_CC = torch.ones(num_queries, num_queries, dtype=torch.bool, device=s_GCP.device).triu(1)
        s_GCP[..., end - num_queries :].masked_fill_(later_CC, -torch.inf)
    return s_GCP.softmax(-1)


@attend.register_fake
def _(q_GLK: Tensor, k_GPK: Tensor, v_GPK: Tensor, *_: object) -> Tensor:
    return q_GLK.new_empty(*q_GLK.shape[:2], v_GPK.shape[-1])


@attend_backward.register_fake
def _(dy_GLK: Tensor, q_GLK: Tensor, k_GPK: Tensor, v_GPK: Tensor, *biases: object) -> list[Tensor]:
    return [torch.empty_like(q_GLK), k_GPK.new_empty(k_GPK.shape), v_GPK.new_empty(v_GPK.shape)] + [
        torch.empty_like(x) for x in biases if isinstance(x, Tensor)
    ]


def _save(ctx: Any, inputs: tuple[object, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:-1])
    ctx.causal = inputs[-1]


def _backward(ctx: Any, dy_GLK: Tensor) -> tuple[Tensor | None, ...]:
    with torch.autocast(dy_GLK.device.type, enabled=False):
        gradients = attend_backward(dy_GLK, *ctx.saved_tensors, ctx.causal)
    return (*gradients, *[None] * (6 - len(gradients)))


attend.register_autograd(_backward, setup_context=_save)

# The name by which torch's dispatcher, and so checkpointing's policy, knows it.
OPERATOR = torch.ops.pagewheel.blocked_attention.default
