"""The loss over a large vocabulary, without its logits: a chunk of tokens at a time, gradients made as the logits go by.

    T tokens · D width · V vocabulary · C tokens of a chunk

torch 2.13's `linear_cross_entropy` does so too, but gives the loss of bf16 inputs in bf16, where 40.13 is 40, and passes over
autocast; older ones have none.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_BYTES = 256 << 20  # of one chunk's logits in fp32


def cross_entropy(x_TD: Tensor, head_VD: Tensor, labels_T: Tensor) -> Tensor:
    """The sum over tokens of -log p(label) in fp32, of logits `x_TD @ head_VD.T`.

    Holds one chunk's logits at a time, forward and backward. Products are in the inputs' precision, or autocast's; softmax, loss
    and sums of the head's gradient in fp32.
    """
    device = x_TD.device.type
    if torch.is_autocast_enabled(device):
        dtype = torch.get_autocast_dtype(device)
        x_TD, head_VD = x_TD.to(dtype), head_VD.to(dtype)
    return _ChunkedCrossEntropy.apply(x_TD, head_VD, labels_T)


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, head_VD: Tensor, labels_T: Tensor) -> Tensor:
        needs_x, needs_head, _ = ctx.needs_input_grad
        dx_TD = torch.empty_like(x_TD) if needs_x else None
        d_head_VD = torch.zeros_like(head_VD, dtype=torch.float32) if needs_head else None
        total = torch.zeros((), device=x_TD.device)
        size = max(1, CHUNK_BYTES // (4 * len(head_VD)))
        for start in range(0, len(x_TD), size):
            x_CD, labels_C1 = x_TD[start : start + size], labels_T[start : start + size, None]
            logits_CV = F.linear(x_CD, head_VD).float()
            lse_C1 = logits_CV.logsumexp(-1, keepdim=True)
            total += (lse_C1 - logits_CV.gather(1, labels_C1)).sum()
            if not (needs_x or needs_head):
                continue
            d_CV = logits_CV.sub_(lse_C1).exp_()
            d_CV = d_CV.scatter_add_(1, labels_C1, d_CV.new_full(labels_C1.shape, -1.0)).to(x_CD.dtype)
            if dx_TD is not None:
                torch.mm(d_CV, head_VD, out=dx_TD[start : start + size])
            if d_head_VD is not None:
                d_head_VD += d_CV.t() @ x_CD
        ctx.save_for_backward(dx_TD, d_head_VD)
        ctx.dtype = head_VD.dtype
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        dx_TD, d_head_VD = ctx.saved_tensors
        dx_TD = None if dx_TD is None else dx_TD * scale.to(dx_TD.dtype)
        return dx_TD, None if d_head_VD is None else (d_head_VD * scale).to(ctx.dtype), None
