"""Selective activation checkpointing: the backward pass recomputes a block's activations, with two exceptions.

Attention's results are saved, because recomputing them costs most for their memory. The router's choice is saved, because a
second computation may round otherwise: a token on the edge between two experts could go to the other one, and the gradient would
belong to a network that never ran.
"""

from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import nn
from torch._higher_order_ops.wrap import inductor_compiled_code
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

from model.net.cpu import ATTENTION_OPERATOR

_aten = torch.ops.aten
SAVED = {
    _aten.topk.default,
    _aten.sort.stable,
    ATTENTION_OPERATOR,
    _aten._scaled_dot_product_flash_attention_for_cpu.default,
    _aten._scaled_dot_product_flash_attention.default,
    _aten._scaled_dot_product_efficient_attention.default,
    _aten._scaled_dot_product_cudnn_attention.default,
    torch.ops.higher_order.flex_attention,
    # Compiled flex attention, the only compiled operation: see `_flex` in `model/net/attention.py`.
    inductor_compiled_code,
}


def _policy(_context: Any, operation: Any, *_args: Any, **_more: Any) -> CheckpointPolicy:
    return CheckpointPolicy.MUST_SAVE if operation in SAVED else CheckpointPolicy.PREFER_RECOMPUTE


def _contexts() -> tuple[Any, Any]:
    return create_selective_checkpoint_contexts(_policy)


def checkpointed(tower: nn.Module, block: Callable[..., Any], *args: Any) -> Any:
    """The result of `block(*args)`. It goes through a checkpoint if `tower.checkpointing` is on and gradients are wanted."""
    if tower.checkpointing and torch.is_grad_enabled():
        return checkpoint(block, *args, use_reentrant=False, context_fn=_contexts)
    return block(*args)


def set_checkpointing(net: nn.Module, towers: Collection[str]) -> None:
    """Turn checkpointing on in these towers of `net`, of "sam", "clip" and "decoder", and off in the others."""
    for module in net.modules():
        if hasattr(module, "checkpointing"):
            setattr(module, "checkpointing", type(module).__name__.lower() in towers)  # noqa: B010  (no tensor)
