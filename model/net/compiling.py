"""Compiled layers of the decoder and of CLIP: the operations between their products become few kernels.

Each kind of layer is compiled once for all of its layers, and again for a few other shapes; only in training, not for measuring
or reading. Operations that no compiler sees through, or that would be compiled for each batch, stay: the routed experts, and on a
processor the attention of packed samples. A checkpoint's recomputation is compiled, too, and of compiled flex attention nothing
is saved.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from model.net import clip, decoder
from model.net.moe import Experts

_SHAPES = 64  # compilations of a kind of layer; beyond them it runs uncompiled


def compile_layers(net: nn.Module) -> None:
    """Let the layers of `net` be compiled at their first call. Names of weights stay. Raises `ValueError` on a processor without
    a C++ compiler."""
    from torch._dynamo import config  # takes two seconds
    from torch._inductor import cpp_builder, exc

    on_cpu = next(net.parameters()).device.type == "cpu"
    if on_cpu:
        try:
            cpp_builder.get_cpp_compiler()
        except exc.InvalidCxxCompiler as error:
            raise ValueError(f"layers can't be compiled: there is no C++ compiler, such as g++ ({error})") from error
    config.recompile_limit = max(config.recompile_limit, _SHAPES)
    for module in net.modules():
        if isinstance(module, Experts):
            module.forward = torch.compiler.disable(module.forward)  # type: ignore[method-assign]
        elif isinstance(module, decoder.Attention) and on_cpu:
            module.attend = torch.compiler.disable(module.attend)
        elif isinstance(module, decoder.Layer | clip.Layer):
            both = functools.partial(_either, module.forward, torch.compile(module.forward))
            module.forward = both  # type: ignore[method-assign]


def _either(plain: Callable[..., Any], compiled: Callable[..., Any], *args: Any) -> Any:
    return (compiled if torch.is_grad_enabled() else plain)(*args)
