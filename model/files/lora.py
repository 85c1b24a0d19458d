"""Low-rank adapters (LoRA, arXiv 2106.09685) through peft: put into a network, saved, merged. `model.files.adapters` merges saved
ones, ours and others'.

    adapt(net, 16, 32, LANGUAGE)                trains A and B beside the layers of these released names, and nothing else
    save_adapter(folder, net, start)            adapter_config.json and adapter_model.safetensors, as in peft
    merge(net)                                  adds what was learned to the weights, and removes the adapters

Any linear layer can have an adapter. Saved adapters have the released names, which the released code and vLLM need (vLLM serves
only adapters of the decoder's layers). peft renames them when it loads an adapter beside transformers' class. That class lacks
two layers, CLIP's fused `qkv_proj` and the projector's `layers`: an adapter with these must be merged first. Routed experts are
stacked tensors, not layers: they get no adapter, and are trained whole, or frozen.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from peft.functional import cast_adapter_dtype
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from datagen.disk.storage import Folder
from model.costs.plan import LANGUAGE, is_target
from model.files.adapters import WRAPPED, transformers_name
from model.files.continued_adapters import Beside, take_out, write_adapter
from model.files.four_bit import unpack
from model.files.weights import pieces, released_name
from model.net.deepseek_ocr import DeepseekOcr

log = logging.getLogger(__name__)


def linear_layers(net: nn.Module) -> dict[str, str]:
    """Our names of the linear layers by their released names, without an adapter's own layers."""
    layers = {}
    inside: tuple[str, ...] = ()
    for name, module in net.named_modules():
        if isinstance(module, (nn.Linear, LoraLayer)) and not name.startswith(inside or "\0"):
            layers[released_name(f"{name}.weight").removesuffix(".weight")] = name
            inside += (f"{name}.",)
    return layers


def adapt(
    net: DeepseekOcr,
    rank: int,
    alpha: float,
    targets: Sequence[str] = LANGUAGE,
    dropout: float = 0.0,
    seed: int = 0,
    autocast: bool = False,
) -> None:
    """Put an adapter beside each layer whose released name is one of `targets`, or ends in one; or, for "all-linear", beside all
    but the head. All else is frozen.

    At first a layer's output is unchanged: B is zero. A depends on `seed`. Adapters are in fp32 if the layer's weights are in
    half precision. `autocast` tells that the network only runs under autocast: then inputs aren't widened to fp32 before autocast
    narrows them again, which would keep a copy for each adapter. Raises `ValueError` for a target that isn't a linear layer.
    """
    if rank < 1:
        raise ValueError(f"the adapter's rank is {rank}: it must be at least 1")
    layers, chosen = linear_layers(net), set()
    for target in targets:
        fits = {ours for name, ours in layers.items() if is_target(name, target)}
        if not fits:
            names = ", ".join(sorted({name.rpartition(".")[2] for name in layers}))
            raise ValueError(
                f"an adapter is wanted beside {target!r}, which is no linear layer: there are {names}, and longer names"
            )
        chosen |= fits
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=sorted(chosen))  # type: ignore[arg-type]
    _inject(net, config, seed)
    for _, module in _adapted(net):
        module.cast_input_dtype_enabled = not autocast


def _inject(net: DeepseekOcr, config: LoraConfig, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, net)
    cast_adapter_dtype(net, "default")  # to fp32


def save_adapter(folder: Folder, net: DeepseekOcr, start: str = "", merged: str = "") -> None:
    """Write the adapter of `net` in peft's format, with whole trained weights beside it. `start` is the place of the other
    weights. `merged` is an adapter that was merged into them, which the log names: the format has no place for it. The same
    adapter gives the same bytes."""
    config = _config(net)
    names = {ours: released for released, ours in linear_layers(net).items()}
    state: dict[str, Tensor] = {}
    for key, value in get_peft_model_state_dict(net, save_embedding_layers=False).items():
        layer, _, rest = key.partition(".lora_")
        state[f"{WRAPPED}{names[layer]}.lora_{rest}"] = value.detach().cpu().contiguous()
    adapted = {key.removeprefix(WRAPPED).partition(".lora_")[0] for key in state}
    beside = {
        piece.key: piece.of(p.detach()).cpu().clone()
        for name, p in net.named_parameters()
        if p.requires_grad and ".lora_" not in name
        for piece in pieces(name.replace(".base_layer.", "."), tuple(p.shape))
    }
    state |= {f"{WRAPPED}{key}": value for key, value in beside.items()}
    values: dict[str, Any] = config.to_dict()
    theirs = {transformers_name(f"{name}.").removesuffix(".") for name in adapted}
    values |= {"target_modules": sorted(adapted | theirs)}
    values |= {"modules_to_save": sorted({key.rpartition(".")[0] for key in beside}) or None}
    values |= {"base_model_name_or_path": start or None}
    values = {key: sorted(value) if isinstance(value, set) else value for key, value in values.items()}
    if merged:
        log.warning("%s was trained upon %s with %s, which must be merged before it is put there", folder.url, start, merged)
    write_adapter(folder, state, values)


def is_adapted(net: nn.Module) -> bool:
    """Whether `net` has adapters that aren't merged."""
    return any(isinstance(module, LoraLayer | Beside) for module in net.modules())


def merge(net: DeepseekOcr) -> None:
    """Add the adapters of `net` to its weights, and remove them; weights in 4 bits are unpacked before. Raises `ValueError` if
    the result isn't finite."""
    unpack(net)
    for name, module in list(_adapted(net)):
        module.merge(safe_merge=True)
        above, _, own = name.rpartition(".")
        setattr(net.get_submodule(above), own, module.get_base_layer())
    take_out(net)
    if hasattr(net, "peft_config"):
        delattr(net, "peft_config")


def _adapted(net: nn.Module) -> Iterator[tuple[str, Any]]:
    return ((name, module) for name, module in net.named_modules() if isinstance(module, LoraLayer))


def _config(net: DeepseekOcr) -> LoraConfig:
    assert is_adapted(net), "the network has no adapter"
    configs: Any = net.peft_config
    config: LoraConfig = configs["default"]
    return config
