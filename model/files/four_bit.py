"""Weights beneath adapters in 4 bits (QLoRA, arXiv 2305.14314): those of the decoder's layers, as NormalFloat by bitsandbytes.

    pack(net)       linear layers and experts of the decoder's layers have their weights in 4 bits, 64 with a scale in fp32
    unpack(net)     they have weights in their old precision again: those with which products were made

A weight is unpacked at each use. If a layer's activations are kept, so is its unpacked weight, until its backward pass. On a
small card the decoder should be recomputed.
"""

from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from model.net.cpu import Unbiased
from model.net.deepseek_ocr import DeepseekOcr
from model.net.moe import Experts

BLOCK = 64
_KIND = "nf4"


class FourBit(nn.Module):
    """A weight of `shape`, from its numbers in 4 bits, two a byte, and their scales."""

    def __init__(self, weight: Tensor):
        super().__init__()
        self.shape, self.dtype = weight.shape, weight.dtype

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        from bitsandbytes import functional  # slow to load, and optional

        packed, state = functional.quantize_4bit(weight.contiguous(), blocksize=BLOCK, quant_type=_KIND)
        return packed, state.absmax

    @torch.no_grad()
    def forward(self, packed: Tensor, scales: Tensor) -> Tensor:
        from bitsandbytes import functional

        state = functional.QuantState(scales, self.shape, blocksize=BLOCK, quant_type=_KIND, dtype=self.dtype)
        weight: Tensor = functional.dequantize_4bit(packed, state)
        return weight


def pack(net: DeepseekOcr) -> None:
    """Raises `ValueError` without bitsandbytes."""
    if find_spec("bitsandbytes") is None:
        raise ValueError("weights in 4 bits need bitsandbytes: pip install 'pagewheel[memory]'")
    net.decoder.layers.requires_grad_(False)
    for module in list(net.decoder.layers.modules()):
        names = ("weight",) if isinstance(module, Unbiased) else ("gate_up", "down") if isinstance(module, Experts) else ()
        for name in names:
            parametrize.register_parametrization(module, name, FourBit(module.get_parameter(name)), unsafe=True)


def unpack(net: nn.Module) -> None:
    for module in list(net.modules()):
        for name, made in list(getattr(module, "parametrizations", {}).items()):
            if isinstance(made[0], FourBit):
                weight = getattr(module, name).detach()
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
                delattr(module, name)
                module.register_parameter(name, nn.Parameter(weight, requires_grad=False))
