"""A processor's fast operations. The rest of `model/` imports this package, and none of its files.

On another device the layers below are torch's own, `wide` returns its input, and nothing else here is called.

    Linear, Conv2d, Unbiased        layers whose products are widened if the processor lacks half precision
    together, keep_packed, Packs    packed weights for reading token by token: one product for layers with one input
    attention, is_blockwise         attention a block of queries at a time; ATTENTION_OPERATOR is its name in torch
    routed                          the routed experts' products
    native_dtype                    the precision that this processor multiplies fastest
    product_dtype, wide             the precision in which products of a dtype are computed
"""

from model.net.cpu.blocked_attention import OPERATOR as ATTENTION_OPERATOR
from model.net.cpu.blocked_attention import attention, is_blockwise
from model.net.cpu.experts import routed
from model.net.cpu.half_precision import Conv2d, Linear, native_dtype, product_dtype, wide
from model.net.cpu.packed_linear import Packs, Unbiased, keep_packed, together

__all__ = [
    "ATTENTION_OPERATOR",
    "Conv2d",
    "Linear",
    "Packs",
    "Unbiased",
    "attention",
    "is_blockwise",
    "keep_packed",
    "native_dtype",
    "product_dtype",
    "routed",
    "together",
    "wide",
]
