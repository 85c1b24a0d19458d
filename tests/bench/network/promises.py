"""The design's two promises at the released sizes: few activations at high resolution, a 3B decoder at the pace of a 0.5B one.

    python -m tests.bench.network.promises [--modes tiny small base large gundam gundam-m] [--layers 12] [--tokens 1024]

1. What a page's forward pass keeps for the backward one, in bf16, by mode: through DeepEncoder, plain and checkpointed, and
   through CLIP-large's 24 layers over all of SAM's patches, which is what the compressor spares. On a processor the tensors have
   shapes and no content: all modes take two minutes and no memory to speak of, and what is kept is the same.
2. Tokens/s of the mixture-of-experts decoder and of a dense one with as many active parameters, alike in all but the experts:
   reading a prompt, a training step (forward and backward), and one token after the other. In bf16; in fp32 on a processor
   without it. Weights and gradients alone take 11 GB with 12 layers in bf16, or with 6 in fp32.
"""

import gc
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from model.costs.activations import TOWERS
from model.net.activation_checkpointing import set_checkpointing
from model.net.cache import Cache
from model.net.clip import Clip
from model.net.config import DecoderConfig, full
from model.net.cpu import keep_packed, native_dtype
from model.net.decoder import Decoder
from model.net.deepencoder import DeepEncoder
from model.net.image import Views
from model.net.image_modes import MODES
from tests.bench.measuring import best, options

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
GRIDS = {"gundam": (2, 3), "gundam-m": (2, 3)}
SAID, TURNS = 32, 3


def main() -> None:
    parser = options(__doc__, tokens=1024, layers=full().decoder.depth)
    parser.add_argument("--modes", nargs="*", default=[mode for mode in MODES if mode != "line"], choices=MODES)
    args = parser.parse_args()
    print(f"on {torch.cuda.get_device_name() if DEVICE == 'cuda' else f'{torch.get_num_threads()} threads of a processor'}")
    torch.set_default_dtype(torch.bfloat16)
    if args.modes:
        # As where bf16 is multiplied, whatever this processor does.
        with (
            FakeTensorMode() if DEVICE == "cpu" else nullcontext(),
            patch("model.net.cpu.half_precision.native_dtype", torch.get_default_dtype),
        ):
            activations(args.modes)
    if DEVICE == "cpu":
        torch.set_default_dtype(native_dtype())
    paces(args.tokens, args.layers)


def activations(modes: list[str]) -> None:
    encoder, clip = made(DeepEncoder, full()), made(Clip, full().clip)
    print(f"\n{'mode':<12} {'vision tokens':>13} {'kept':>9} {'checkpointed':>13} {'CLIP over all patches':>22} {'ratio':>6}")
    for mode in modes:
        chosen, grid = MODES[mode], GRIDS.get(mode, (0, 0))
        tiles = torch.randn(grid[0] * grid[1], 3, chosen.tile, chosen.tile, device=DEVICE) if any(grid) else None
        page = Views(torch.randn(3, chosen.side, chosen.side, device=DEVICE), tiles, grid)
        set_checkpointing(encoder, ())
        plain = kept(encoder, [page])
        set_checkpointing(encoder, TOWERS)
        saved = kept(encoder, [page])
        without = kept(clip, patches(chosen.side, 1))
        if tiles is not None:
            without += kept(clip, patches(chosen.tile, len(tiles)))
        sizes = f"{plain / 1e6:6,.0f} MB {saved / 1e6:10,.0f} MB {without / 1e6:19,.0f} MB"
        print(f"{mode:<12} {page.num_tokens:>13} {sizes} {without / plain:>6.1f}", flush=True)


def patches(side: int, count: int) -> Tensor:
    """What SAM would give CLIP if nothing stood between them."""
    return torch.randn(count, full().clip.width, side // 16, side // 16, device=DEVICE)


def kept(net: nn.Module, seen: Any) -> int:
    """The bytes that a forward pass keeps for the backward one, the weights left out: what operators save, and the results that
    checkpoints keep beside them, which no operator has saved yet."""
    known = {p.untyped_storage()._cdata for p in net.parameters()}  # an address; what has no content has no other
    kept_bytes: dict[int, int] = {}
    alive = []
    gc.collect()
    gc.freeze()  # so that only what comes now is looked at

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage._cdata not in known:
            kept_bytes[storage._cdata] = storage.nbytes()
            alive.append(storage)  # so that no other tensor gets its address
        return value

    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            result = net(seen)
        known |= {value.untyped_storage()._cdata for value in (result if isinstance(result, list) else [result])}
        for value in gc.get_objects():
            if issubclass(type(value), Tensor):
                pack(value)
    finally:
        gc.unfreeze()
    return sum(kept_bytes.values())


def paces(num_tokens: int, num_layers: int) -> None:
    mixture = replace(full().decoder, depth=num_layers)
    active = 3 * mixture.expert_width * (mixture.num_experts_per_token + mixture.num_shared_experts)
    dense = replace(mixture, num_dense_layers=mixture.depth, dense_width=active // 3)
    print(f"\n{num_layers} layers, {str(torch.get_default_dtype()).removeprefix('torch.')}")
    print(f"{'decoder':<10} {'parameters':>12} {'prompt':>16} {'training step':>18} {'token by token':>18}")
    rates = []
    for name, config in (("mixture", mixture), ("dense", dense)):
        net = made(Decoder, config)
        x_BLD = torch.randn(1, num_tokens, config.width, device=DEVICE)
        rate = [num_tokens / best(partial(prompt, net, x_BLD), TURNS)]
        rate.append(num_tokens / best(partial(step, net, x_BLD), TURNS))
        net.zero_grad()
        rate.append(SAID / best(partial(say, net, config), TURNS))
        size = sum(p.numel() for p in net.layers.parameters()) / 1e9
        print(
            f"{name:<10} {size:>11.2f}B {rate[0]:>8,.0f} tokens/s {rate[1]:>9,.0f} tokens/s {rate[2]:>9,.1f} tokens/s", flush=True
        )
        rates.append(rate)
        del net
    shares = (f"{a / b:.2f}" for a, b in zip(*rates, strict=True))
    print(f"mixture / dense: {', '.join(shares)}")


def prompt(net: Decoder, x_BLD: Tensor) -> None:
    with torch.no_grad():
        net.eval()(x_BLD)


def step(net: Decoder, x_BLD: Tensor) -> None:
    net.train()(x_BLD).float().square().mean().backward()
    net.zero_grad(set_to_none=False)


def say(net: Decoder, config: DecoderConfig) -> None:
    cache = Cache(config, torch.zeros(1, dtype=torch.long, device=DEVICE), 512 + SAID, torch.get_default_dtype())
    with torch.no_grad(), keep_packed(net):
        net.eval()
        cache.advance(512)
        for _ in range(SAID):
            net(torch.randn(1, 1, config.width, device=DEVICE), cache=cache)


def made(build: Callable[[Any], nn.Module], config: Any) -> Any:
    with torch.device(DEVICE):
        net = build(config)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.02)
    return net


if __name__ == "__main__":
    main()
