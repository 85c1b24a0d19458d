"""Adapters of others, or of a training here, that are trained on, and written again in their old form.

    continue_adapter(net, folder)       puts the adapter in `folder` beside the weights of `net`, with its ranks and factors
    save_continued(folder, net)         both of its files, with the old names

peft's own adapter stands beside a layer that our network has, too. Our network has one weight for a layer's experts, one for
CLIP's q, k and v, and no layer for a router. There the matrices' product is added to the weight at each use, as peft does for
`target_parameters`. That takes the memory of the weight and of its gradient, a layer at a time.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.functional import cast_adapter_dtype
from peft.tuners.lora import LoraLayer
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils import parametrize

from datagen.disk.storage import Folder
from model.files.adapters import CONFIG, Learned, read_adapter, read_config
from model.files.safetensors_files import BadCheckpoint, Reader
from model.net.deepseek_ocr import DeepseekOcr

WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True)
class Source:
    """The config of an adapter that is trained on; and for each name in its file our parameter, and its index in a stacked
    one."""

    config: dict[str, Any]
    parameters: dict[str, tuple[str, int | None]]


class Beside(nn.Module):
    """The low-rank products that are added to rows of a weight. Each begins at one of `starts` and has one of `scales`. For a
    weight (E, out, in), matrices are A (E, r, in) and B (E, rows, r); if `interleaved`, as peft stacks them, (E r, in) and (out,
    r E). For a weight (out, in), they are (r, in) and (rows, r)."""

    def __init__(self, pieces: list[tuple[int, float, Tensor, Tensor]], interleaved: bool):
        super().__init__()
        self.starts, self.scales = [piece[0] for piece in pieces], [piece[1] for piece in pieces]
        self.interleaved = interleaved
        self.lora_A = nn.ParameterList(piece[2] for piece in pieces)
        self.lora_B = nn.ParameterList(piece[3] for piece in pieces)

    def forward(self, weight: Tensor) -> Tensor:
        total = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        for start, scale, a, b in zip(self.starts, self.scales, self.lora_A, self.lora_B, strict=True):
            if self.interleaved:
                stacked = b.view(len(b), -1, len(weight)), a.view(len(weight), -1, a.shape[-1])
                product = torch.einsum("ore,eri->eoi", *stacked)
            else:
                product = b @ a
            total.narrow(-2, start, product.shape[-2]).add_(product, alpha=scale)
        return (weight + total).to(weight.dtype)


def continue_adapter(net: DeepseekOcr, folder: Folder, autocast: bool = False) -> None:
    """Train the adapter in `folder` on, and nothing else of `net`. `autocast` as in `model.files.lora.adapt`. Raises
    `BadCheckpoint` as `merge_adapter` does, and for an adapter that can be merged, but not trained on."""
    config = read_config(folder)
    with Reader(folder) as files:
        adapter = read_adapter(net, folder, config, files)
        whole = {key: files.read(key) for key in adapter.whole}
    net.requires_grad_(False)
    source = Source(config, {})
    places = {key: _placed(net, place) for key, place in adapter.whole.items()}
    of_layers: list[tuple[Learned, str]] = []
    of_weights: dict[str, list[tuple[Learned, int | None, int]]] = {}
    for one in adapter.learned:
        name, number, row = _placed(net, one.place)
        above = net.get_submodule(name.rpartition(".")[0])
        if isinstance(above, nn.Linear | nn.Embedding) and one.place.shape == net.get_parameter(name).shape:
            of_layers.append((one, name.rpartition(".")[0]))
        elif "magnitude_vector" in one.parts:
            raise BadCheckpoint(f"{folder.url}: {one.name} is DoRA beside a part of a weight: it can be merged, not trained on")
        else:
            of_weights.setdefault(name, []).append((one, number, row))
    if of_layers:
        _inject(net, source, of_layers, autocast)
    for key, (name, _, _) in places.items():
        _train_whole(net, key, name, whole[key], source, folder)
    for name, those in of_weights.items():
        _put_beside(net, name, those, source, folder)
    net.continued = source  # type: ignore[assignment]


def _placed(net: nn.Module, place: Tensor) -> tuple[str, int | None, int]:
    """(the name of the parameter with `place`, the index in a stacked one unless `place` is all of it, the first row)"""
    for name, parameter in net.named_parameters():
        first = place.data_ptr() - parameter.data_ptr()
        if 0 <= first < parameter.nbytes:
            row = first // parameter.itemsize // parameter.shape[-1]
            if parameter.ndim == 3 and place.ndim == 2:
                return name, *divmod(row, parameter.shape[1])
            return name, None, row
    raise AssertionError("a place is in no parameter")


def _inject(net: DeepseekOcr, source: Source, layers: list[tuple[Learned, str]], autocast: bool) -> None:
    given = source.config
    root = given.get("use_rslora")
    config = LoraConfig(
        r=given["r"],
        lora_alpha=given["lora_alpha"],
        lora_dropout=given.get("lora_dropout") or 0.0,
        target_modules=[layer for _, layer in layers],
        rank_pattern={re.escape(layer): one.rank for one, layer in layers},
        alpha_pattern={re.escape(layer): one.scale * (one.rank**0.5 if root else one.rank) for one, layer in layers},
        use_rslora=bool(root),
        use_dora=bool(given.get("use_dora")),
    )
    with torch.random.fork_rng(devices=[]):
        inject_adapter_in_model(config, net)
    cast_adapter_dtype(net, "default")  # to fp32
    for one, layer in layers:
        module: Any = net.get_submodule(layer)
        assert isinstance(module, LoraLayer)
        module.cast_input_dtype_enabled = not autocast
        for kind, value in one.parts.items():
            own = f"{layer}.lora_{kind}.default{'' if kind.startswith('embedding') else '.weight'}"
            net.get_parameter(own).data.copy_(value)
            source.parameters[one.keys[kind]] = own, None


def _train_whole(net: DeepseekOcr, key: str, name: str, value: Tensor, source: Source, folder: Folder) -> None:
    above, _, own = name.rpartition(".")
    module = net.get_submodule(above)
    name = f"{above}.base_layer.{own}" if isinstance(module, LoraLayer) else name
    parameter = net.get_parameter(name)
    if parameter.shape != value.shape:
        raise BadCheckpoint(f"{folder.url}: {key} is a part of a weight that was trained whole: it can be merged, not trained on")
    parameter.data = value.float()
    parameter.requires_grad_(True)
    source.parameters[key] = name, None


def _put_beside(
    net: DeepseekOcr, name: str, those: list[tuple[Learned, int | None, int]], source: Source, folder: Folder
) -> None:
    above, _, own = name.rpartition(".")
    weight = net.get_parameter(name)
    pieces: list[tuple[int, float, Tensor, Tensor]] = []
    keys: list[list[tuple[dict[str, str], int | None]]] = []
    interleaved = weight.ndim == 3 and those[0][1] is None
    if interleaved or weight.ndim == 2:
        pieces = [(row, one.scale, one.parts["A"], one.parts["B"]) for one, _, row in those]
        keys = [[(dict(one.keys), None)] for one, _, _ in those]
    else:
        for row in sorted({row for _, _, row in those}):
            of_row = sorted(((number or 0, one) for one, number, at in those if at == row), key=lambda pair: pair[0])
            if [number for number, _ in of_row] != list(range(len(weight))) or len({(o.rank, o.scale) for _, o in of_row}) > 1:
                raise BadCheckpoint(
                    f"{folder.url}: not all experts beside {name} have matrices of one rank: it can be merged, not trained on"
                )
            a, b = (torch.stack([one.parts[kind] for _, one in of_row]) for kind in "AB")
            pieces.append((row, of_row[0][1].scale, a, b))
            keys.append([(dict(one.keys), number) for number, one in of_row])
    parametrize.register_parametrization(net.get_submodule(above), own, Beside(pieces, interleaved))
    for n, of_piece in enumerate(keys):
        for of_one, number in of_piece:
            for kind, key in of_one.items():
                source.parameters[key] = f"{above}.parametrizations.{own}.0.lora_{kind}.{n}", number


def save_continued(folder: Folder, net: DeepseekOcr, start: str = "") -> None:
    """Write the adapter of `net` with its old config and names; `start` is the place of the other weights."""
    source: Source = net.continued  # type: ignore[assignment]
    state = {}
    for key, (name, number) in source.parameters.items():
        value = net.get_parameter(name).detach()
        state[key] = (value if number is None else value[number]).cpu().clone()
    values = source.config | {"base_model_name_or_path": start or source.config.get("base_model_name_or_path")}
    write_adapter(folder, state, values)


def write_adapter(folder: Folder, state: dict[str, Tensor], config: dict[str, Any]) -> None:
    """Write both files of an adapter, in peft's format."""
    folder.remove(CONFIG)  # it marks a whole adapter
    with folder.create(WEIGHTS) as file:
        file.write(save(state, {"format": "pt"}))
    folder.write(CONFIG, (json.dumps(config | {"inference_mode": True}, indent=2, sort_keys=True) + "\n").encode())


def take_out(net: DeepseekOcr) -> None:
    """Add the products beside the weights of `net` to them, and remove the products."""
    for module in list(net.modules()):
        for own in list(getattr(module, "parametrizations", {})):
            parametrize.remove_parametrizations(module, own, leave_parametrized=True)
