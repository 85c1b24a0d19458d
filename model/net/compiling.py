"""Layers of the decoder and of CLIP compiled: what stands between their products becomes few kernels.

Each kind of layer is compiled once, for all of its layers, and anew for few other shapes; where something is learned, and not
where it is measured or read. What no compiler sees through, or would compile for each batch, stays as it is: the routed experts,
and on a processor the attention of packed samples to themselves. What a checkpoint computes again is compiled, too, and of
compiled flex attention nothing is saved.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from model.net import clip, decoder
from model.net.moe import Experts

_SHAPES = 64  # a kind of layer is compiled for at most so many; then it runs as it is


def compile_layers(net: nn.Module) -> None:
    """Let the layers of `net` be compiled when they are first called. Names of weights stay. Raises `ValueError` on a processor
    without a C++ compiler."""
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
