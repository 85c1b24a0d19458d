"""Merges adapters that others trained into a network's weights: LoRA as saved by peft, and so by ms-swift and Unsloth.

    merge_adapter(net, folder)      adapter_config.json and adapter_model.safetensors, added to the weights of `net`

Names are those of the released code, which has three linear layers an expert, or of transformers' class, which has stacked
experts and separate layers for CLIP's q, k and v. An adapter stands beside a linear layer, a stacked parameter
(`target_parameters`), the embedding, or a router. Weights trained whole (`modules_to_save`, biases) replace the network's.
Nothing is unpickled.

    W + s B A                              s = alpha / r, with `use_rslora` alpha / sqrt(r)
    m (W + s B A) / |W + s B A|            DoRA (arXiv 2402.09353), norms by row
    (E, r, in) and (out, r, E)             of stacked parameters, as peft lays them out (peft/tuners/lora/layer.py, ParamWrapper)
"""

import functools
import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from datagen.disk.storage import Folder
from model.files.safetensors_files import BadCheckpoint, Reader
from model.files.weights import pieces, released_name
from model.net.deepseek_ocr import DeepseekOcr

CONFIG = "adapter_config.json"
WRAPPED = "base_model.model."
"""peft's name for the network that it wraps."""
# Released names, and those of transformers' class (transformers/conversion_mapping.py, "unlimited_ocr").
_RENAMED = (
    (r"^model\.sam_model\.blocks\.(\d+)\.norm([12])\.", r"model.vision_tower.sam_encoder.layers.\1.layer_norm\2."),
    (r"^model\.sam_model\.blocks\.", "model.vision_tower.sam_encoder.layers."),
    (r"^model\.sam_model\.", "model.vision_tower.sam_encoder."),
    (r"^model\.vision_model\.transformer\.", "model.vision_tower.vision_encoder.encoder."),
    (r"^model\.vision_model\.", "model.vision_tower.vision_encoder."),
    (r"^model\.projector\.layers\.", "model.multi_modal_projector."),
    (r"^model\.view_seperator$", "model.view_separator"),
    (r"^model\.(embed_tokens|layers|norm)\.", r"model.language_model.\1."),
)
_STACKED = {"gate_up": "gate_up_proj", "down": "down_proj"}
_LEARNED = re.compile(r"(.*)\.lora_(A|B|embedding_A|embedding_B|magnitude_vector)(?:\.default)?(?:\.(weight|bias))?")
_WHOLE = re.compile(r"\.modules_to_save(\.default)?(?=\.)")
_KNOWN_USES = ("use_dora", "use_rslora")
# Features of peft that aren't W + s B A.
_OTHERS = (
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "trainable_token_indices",
    "velora_config",
)
_OTHER_BASES = ("pissa", "corda", "olora", "loftq", "lora_ga")
"""Initialisations that change the weights beside the adapter: a folder lacks the weights beside which it was trained."""


def transformers_name(released: str) -> str:
    """The name in transformers' class of a parameter, or of a layer with a dot behind it, by its released name."""
    for pattern, theirs in _RENAMED:
        renamed, num = re.subn(pattern, theirs, released)
        if num:
            return renamed
    return released


@torch.no_grad()
def merge_adapter(net: DeepseekOcr, folder: Folder) -> None:
    """Add the adapter in `folder` to the weights of `net`, which keep their precision. Raises `BadCheckpoint` for other methods
    than LoRA, for an adapter that fits no weight of this network or gives weights that aren't finite, and `FileNotFoundError`
    without matrices. Takes the memory of the adapter and of one weight in fp32."""
    config = read_config(folder)
    with Reader(folder) as files:
        adapter = read_adapter(net, folder, config, files)
        merged: list[tuple[str, Tensor, Callable[[], Tensor]]]
        merged = [(key, place, functools.partial(files.read, key)) for key, place in adapter.whole.items()]
        merged += [(one.name, one.place, one.merged) for one in adapter.learned]
        for name, place, value in merged:  # after all of it was checked
            place.copy_(value())
            if not torch.isfinite(place).all():
                raise BadCheckpoint(f"{folder.url}: with it {name} isn't finite")


@dataclass(frozen=True)
class Learned:
    """Matrices that were learned beside the weight `place`, by peft's names; `keys` are their names in the file. Their product is
    multiplied by `scale`. If the weight is stacked, so are `num` matrices of `rank`."""

    name: str
    place: Tensor
    parts: Mapping[str, Tensor]
    keys: Mapping[str, str]
    scale: float
    rank: int
    num: int

    def merged(self) -> Tensor:
        a, b = (self.parts[kind] for kind in sorted(self.parts.keys() - {"magnitude_vector"}))
        if "embedding_A" in self.parts:
            a, b = b.T, a.T  # an embedding has them the other way round
        stacked = b.reshape(len(b), self.rank, self.num), a.reshape(self.num, self.rank, -1)
        product = torch.einsum("ore,eri->eoi", *stacked) if self.place.ndim == 3 else b @ a
        value, magnitude = self.place.float() + self.scale * product, self.parts.get("magnitude_vector")
        return value if magnitude is None else value * (magnitude.flatten() / value.norm(dim=1))[:, None]


@dataclass(frozen=True)
class Adapter:
    """A folder's adapter: weights that replace others, by the file's names, and matrices beside others."""

    whole: dict[str, Tensor]
    learned: list[Learned]


def read_adapter(net: DeepseekOcr, folder: Folder, config: dict[str, Any], files: Reader) -> Adapter:
    """The adapter in `folder`, whose `files` are open, with its places among the weights of `net`. Raises as `merge_adapter`."""
    places = _places(net)
    whole, learned, keys = dict[str, Tensor](), defaultdict[str, dict[str, Tensor]](dict), defaultdict[str, dict[str, str]](dict)
    for key in files.tensors:
        name = _WHOLE.sub("", key.removeprefix(WRAPPED))
        if part := _LEARNED.fullmatch(name):
            kind = f"{part[2]} bias" if part[3] == "bias" else part[2]
            learned[part[1]][kind], keys[part[1]][kind] = files.read(key).float(), key
        elif ".original_module." not in name and not name.endswith(".base_layer.weight"):  # copies of frozen weights
            whole[key] = _place(places, name.replace(".base_layer.", "."), folder)
            if (shape := files.tensors[key].shape) != tuple(whole[key].shape):
                raise BadCheckpoint(f"{folder.url}: {name} should be {tuple(whole[key].shape)}, and is {shape}")
    if not whole and not learned:
        raise BadCheckpoint(f"{folder.url}: there is no matrix in it, and nothing else to merge")
    return Adapter(whole, [_learned(name, parts, keys[name], places, config, folder) for name, parts in learned.items()])


def read_config(folder: Folder) -> dict[str, Any]:
    """Raises `BadCheckpoint` unless it is the config of an adapter that can be merged."""
    if not folder.exists(CONFIG):
        raise BadCheckpoint(f"{folder.url} has no {CONFIG}: it is no adapter")
    try:
        config = json.loads(folder.read(CONFIG))
        kind, how = config.get("peft_type"), str(config.get("init_lora_weights", "")).lower()
    except (ValueError, AttributeError) as error:
        raise BadCheckpoint(f"{folder.path(CONFIG)} isn't that of an adapter: {error}") from error
    others = [name for name in config if name in _OTHERS or (name.startswith("use_") and name not in _KNOWN_USES)]
    if kind != "LORA" or (used := [name for name in others if config[name]]):
        raise BadCheckpoint(
            f"{folder.path(CONFIG)}: {kind if kind != 'LORA' else ', '.join(used)} can't be merged: LoRA and DoRA can"
        )
    if how.startswith(_OTHER_BASES):
        raise BadCheckpoint(
            f"{folder.path(CONFIG)}: it began with {how}, which changes the weights beside it: let peft convert it to plain LoRA"
        )
    patterns = config.get("alpha_pattern") or {}
    if not isinstance(patterns, dict):
        raise BadCheckpoint(f"{folder.path(CONFIG)}: alpha_pattern is {patterns!r}: an object is needed")
    for name, alpha in {"lora_alpha": config.get("lora_alpha"), **patterns}.items():
        if not isinstance(alpha, int | float) or not math.isfinite(alpha):
            raise BadCheckpoint(f"{folder.path(CONFIG)}: {name} is {alpha!r}: a number is needed")
    for pattern in patterns:
        try:
            re.compile(_ends_as(pattern))
        except re.error as error:
            raise BadCheckpoint(f"{folder.path(CONFIG)}: alpha_pattern has {pattern!r}: {error}") from None
    return dict(config)


def _ends_as(pattern: str) -> str:
    return rf"(.*\.)?({pattern})$"


def _places(net: DeepseekOcr) -> dict[str, Tensor]:
    """The weights of `net` by all their possible names elsewhere: views, without a copy."""
    places: dict[str, Tensor] = {}
    for name, value in net.state_dict().items():
        places |= {piece.key: piece.of(value) for piece in pieces(name, tuple(value.shape))}
        above, _, own = name.rpartition(".")
        if own in _STACKED:
            places[f"{released_name(above)}.{_STACKED[own]}"] = value
        if ".qkv_proj." in name:  # CLIP's
            for layer, part in zip("qkv", value.chunk(3), strict=True):
                places[released_name(name).replace(".qkv_proj.", f".{layer}_proj.")] = part
    return places | {transformers_name(name): value for name, value in places.items()}


def _place(places: Mapping[str, Tensor], name: str, folder: Folder) -> Tensor:
    if name not in places:
        raise BadCheckpoint(f"{folder.url}: {name} has no place in this network")
    return places[name]


def _learned(
    name: str,
    parts: Mapping[str, Tensor],
    keys: Mapping[str, str],
    places: Mapping[str, Tensor],
    config: Mapping[str, Any],
    folder: Folder,
) -> Learned:
    kinds = {"A", "B"} if "A" in parts or "B" in parts else {"embedding_A", "embedding_B"}
    if lacking := sorted(kinds - parts.keys()):
        raise BadCheckpoint(f"{folder.url}: {name} has no lora_{lacking[0]}, and its other matrix stands alone")
    if unknown := sorted(parts.keys() - kinds - {"magnitude_vector"}):
        raise BadCheckpoint(f"{folder.url}: {name}.lora_{unknown[0]} can't be merged")
    a, b = (parts[kind] for kind in sorted(kinds))
    if a.ndim != 2 or b.ndim != 2 or not a.numel() or not b.numel():
        raise BadCheckpoint(f"{folder.url}: {name} has matrices that are {tuple(b.shape)} and {tuple(a.shape)}")
    if "embedding_A" in kinds:
        a, b = b.T, a.T  # an embedding has them the other way round
    place = _weight(name, a, b, places, folder)
    num = len(place) if place.ndim == 3 else 1
    rank = len(a) // num
    scale = _alpha(name, config) / (math.sqrt(rank) if config.get("use_rslora") else rank)
    magnitude = parts.get("magnitude_vector")
    if magnitude is not None and (place.ndim != 2 or magnitude.numel() != len(place)):
        raise BadCheckpoint(
            f"{folder.url}: {name} has magnitudes for {magnitude.numel()} rows, its weight is {tuple(place.shape)}"
        )
    return Learned(name, place, parts, keys, scale, rank, num)


def _weight(name: str, a: Tensor, b: Tensor, places: Mapping[str, Tensor], folder: Folder) -> Tensor:
    """The weight of the matrices beside the module `name`. Stacked weights are parameters of one module: the one that the
    matrices fit."""
    plain = name.replace(".base_layer", "")
    stacked = [places[key] for own in _STACKED.values() if (key := f"{plain}.{own}") in places]
    fits = [one for one in stacked if one.shape[1:] == (len(b), a.shape[1]) and len(a) == b.shape[1] and len(a) % len(one) == 0]
    if fits:
        return fits[0]
    place = stacked[0] if stacked else _place(places, f"{plain}.weight", folder)
    if place.ndim != 2 or place.shape != (len(b), a.shape[1]) or len(a) != b.shape[1]:
        shapes = f"{tuple(b.shape)} and {tuple(a.shape)}"
        raise BadCheckpoint(f"{folder.url}: {name} should be beside {tuple(place.shape)}, and its matrices are {shapes}")
    return place


def _alpha(name: str, config: Mapping[str, Any]) -> float:
    """The alpha of the first pattern that matches the name's end, as in peft, or the general one."""
    plain = name.replace(".base_layer", "")
    patterns = config.get("alpha_pattern") or {}
    fits = (alpha for pattern, alpha in patterns.items() if re.match(_ends_as(pattern), plain))
    return float(next(fits, config["lora_alpha"]))
