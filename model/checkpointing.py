"""Selective activation checkpointing: a block's activations are computed again in the backward pass, but for what must not be.

Kept are attention's results, which cost most to compute again for what they hold, and the router's choice: computed again in
another precision or order of sums, a token on the edge between two experts could go the other way, and the gradient would be of
a network that never ran.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

from model.cpu import ATTENTION_OPERATOR

_aten = torch.ops.aten
KEPT = {
    _aten.topk.default,
    _aten.sort.stable,
    ATTENTION_OPERATOR,
    _aten._scaled_dot_product_flash_attention_for_cpu.default,
    _aten._scaled_dot_product_flash_attention.default,
    _aten._scaled_dot_product_efficient_attention.default,
    _aten._scaled_dot_product_cudnn_attention.default,
}


def _policy(_context: Any, operation: Any, *_args: Any, **_more: Any) -> CheckpointPolicy:
    return CheckpointPolicy.MUST_SAVE if operation in KEPT else CheckpointPolicy.PREFER_RECOMPUTE


def _contexts() -> tuple[Any, Any]:
    return create_selective_checkpoint_contexts(_policy)


def checkpointed(tower: nn.Module, block: Callable[..., Any], *args: Any) -> Any:
    """`block(*args)`; through a checkpoint while `tower.checkpointing` is on and gradients are wanted."""
    if tower.checkpointing and torch.is_grad_enabled():
        return checkpoint(block, *args, use_reentrant=False, context_fn=_contexts)
    return block(*args)


def set_checkpointing(net: nn.Module, on: bool) -> None:
    """Turn it on or off in every tower of `net`: SAM, CLIP and the decoder."""
    for module in net.modules():
        if hasattr(module, "checkpointing"):
            setattr(module, "checkpointing", on)  # noqa: B010  (mypy takes a module's attributes for tensors)
