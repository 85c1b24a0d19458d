"""The loss over a large vocabulary without all of its logits: a chunk of tokens at a time, and the gradients in the same pass.

    T tokens · D width · V vocabulary · C tokens of a chunk

torch 2.13's `linear_cross_entropy` does the same, but returns the loss of bf16 inputs in bf16, where 40.13 is 40, and ignores
autocast. Older versions of torch have no such function.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from model.net.cpu import Unbiased, wide

IGNORED = -100  # the label of a token that isn't learned
CHUNK_BYTES = 256 << 20  # one chunk's logits
_CACHED_BYTES = 4 << 20  # rows of the softmax in fp32 that a processor handles in one step, so that they stay in its cache


def cross_entropy(x_TD: Tensor, head_VD: Tensor, labels_T: Tensor, scale: float = 1.0) -> Tensor:
    """`scale` times the sum over tokens of -log p(label), in fp32, of logits `x_TD @ head_VD.T`. One chunk's logits are in memory
    at a time, forward and backward. Products are in the higher precision of the two inputs, or in autocast's. Softmax, loss, and
    sums of the head's gradient over several chunks are in fp32."""
    return _summed(x_TD, head_VD, labels_T, scale)[0]


def losses(head: nn.Module, x_TD: Tensor, labels_T: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """(`scale` times the sum over tokens of -log p(label), each token's -log p without gradient), of logits `head(x_TD)`. A head
    that another library has wrapped, such as an adapter, is called itself, a chunk at a time. Its logits are recomputed in the
    backward pass."""
    if type(head) is Unbiased:
        return _summed(x_TD, head.weight, labels_T, scale)
    num_words: int = getattr(head, "weight").shape[0]  # noqa: B009  (mypy takes a module's attributes for tensors or modules)
    parts = [
        checkpoint(_called, head, x_TD[chunk], labels_T[chunk], use_reentrant=False)
        for chunk in _slices(len(x_TD), CHUNK_BYTES // (4 * num_words)) or [slice(0, 0)]
    ]
    each_T = torch.cat(parts)
    return each_T.sum() * scale, each_T.detach()


def _called(head: nn.Module, x_CD: Tensor, labels_C: Tensor) -> Tensor:
    return F.cross_entropy(head(x_CD).float(), labels_C, reduction="none")


def _summed(x_TD: Tensor, head_VD: Tensor, labels_T: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    device = x_TD.device.type
    autocast = torch.is_autocast_enabled(device)
    dtype = torch.get_autocast_dtype(device) if autocast else torch.promote_types(x_TD.dtype, head_VD.dtype)
    with torch.autocast(device, enabled=False):
        total, each_T = _ChunkedCrossEntropy.apply(wide(x_TD.to(dtype)), wide(head_VD.to(dtype)), labels_T, scale)
    return total, each_T


class _ChunkedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_TD: Tensor, head_VD: Tensor, labels_T: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        needs_x, needs_head, _, _ = ctx.needs_input_grad
        dx_TD = torch.empty_like(x_TD) if needs_x else None
        d_head_VD: Tensor | None = None
        # Also without a token: ranks that add up gradients must all have them, or none.
        if needs_head and not len(x_TD):
            d_head_VD = torch.zeros_like(head_VD)
        each_T = torch.empty(len(x_TD), device=x_TD.device)
        for chunk in _slices(len(x_TD), CHUNK_BYTES // (x_TD.element_size() * len(head_VD))):
            logits_CV = F.linear(x_TD[chunk], head_VD)
            each_T[chunk] = _softmax_minus_label(logits_CV, labels_T[chunk], scale, needs_x or needs_head)
            if dx_TD is not None:
                torch.mm(logits_CV, head_VD, out=dx_TD[chunk])
            if needs_head:
                if d_head_VD is None:
                    d_head_VD = logits_CV.t() @ x_TD[chunk]
                elif x_TD.dtype == torch.float32:
                    d_head_VD.addmm_(logits_CV.t(), x_TD[chunk])
                else:
                    d_head_VD = d_head_VD.float().add_(logits_CV.t() @ x_TD[chunk])
        ctx.save_for_backward(dx_TD, d_head_VD)
        ctx.dtype = head_VD.dtype
        ctx.mark_non_differentiable(each_T)
        return each_T.sum() * scale, each_T

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        # In place, because the head's gradient is large. So a second backward pass raises.
        dx_TD, d_head_VD = (None if value is None else value.mul_(upstream) for value in ctx.saved_tensors)
        return dx_TD, None if d_head_VD is None else d_head_VD.to(ctx.dtype), None, None


def _softmax_minus_label(logits_CV: Tensor, labels_C: Tensor, scale: float, gradient: bool) -> Tensor:
    """(C,): each token's loss. With `gradient`, the logits are replaced by the loss's gradient by them, times `scale`."""
    num_rows, vocab = logits_CV.shape
    each_C = torch.empty(num_rows, device=logits_CV.device)
    for part in _slices(num_rows, _CACHED_BYTES // (4 * vocab) if logits_CV.device.type == "cpu" else num_rows):
        logp = F.log_softmax(logits_CV[part], -1, dtype=torch.float32)
        labels = labels_C[part, None]
        each_C[part] = -logp.gather(1, labels)[:, 0]
        if gradient:
            logits_CV[part] = logp.exp_().scatter_add_(1, labels, logp.new_full(labels.shape, -1.0)).mul_(scale)
    return each_C


def _slices(length: int, size: int) -> list[slice]:
    return [slice(start, start + max(1, size)) for start in range(0, length, max(1, size))]
