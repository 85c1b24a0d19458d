"""Starting weights for DeepEncoder: SAM-base and CLIP-large as their publishers' folders hold them.

    start_sam(net, "…/sam-vit-base")                    facebook/sam-vit-base, downloaded
    start_clip(net, "…/clip-vit-large-patch14")         openai/clip-vit-large-patch14

The folders have transformers' layout and hold safetensors. The compressor has no public weights: it starts fresh, as in the
paper. CLIP's patch embedding is loaded and unused, as in the released checkpoint. CLIP's last norm has no place here.
"""

import re
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from datagen.disk.storage import Folder
from model.files.safetensors_files import BadCheckpoint, Reader
from model.net.deepseek_ocr import DeepseekOcr

_SAM = (
    (r"vision_encoder\.(pos_embed)", r"\1"),
    (r"vision_encoder\.patch_embed\.projection\.(.*)", r"patch_embed.proj.\1"),
    (r"vision_encoder\.layers\.(\d+)\.layer_norm([12])\.(.*)", r"blocks.\1.norm\2.\3"),
    (r"vision_encoder\.layers\.(\d+\.(?:attn|mlp)\..*)", r"blocks.\1"),
    (r"vision_encoder\.neck\.conv1\.(.*)", r"neck.0.\1"),
    (r"vision_encoder\.neck\.layer_norm1\.(.*)", r"neck.1.\1"),
    (r"vision_encoder\.neck\.conv2\.(.*)", r"neck.2.\1"),
    (r"vision_encoder\.neck\.layer_norm2\.(.*)", r"neck.3.\1"),
)
_CLIP = (
    (r"vision_model\.(embeddings\.(?:class_embedding|position_embedding\.weight|patch_embedding\.weight))", r"\1"),
    (r"vision_model\.(pre_layrnorm\..*)", r"\1"),
    (r"vision_model\.encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(.*)", r"transformer.layers.\1.self_attn.qkv_proj.\3:\2"),
    (r"vision_model\.encoder\.(layers\.\d+\.(?:self_attn\.out_proj|mlp\.fc[12]|layer_norm[12])\..*)", r"transformer.\1"),
)


def start_sam(net: DeepseekOcr, folder: Folder | str) -> None:
    """Put a SAM's image encoder into `net`. Raises `FileNotFoundError`, and `BadCheckpoint` if a tensor lacks or doesn't fit."""
    _start(net.encoder.sam.state_dict(), folder, _SAM, "vision_encoder.")


def start_clip(net: DeepseekOcr, folder: Folder | str) -> None:
    """Put a CLIP's image tower into `net`. Raises as `start_sam` does."""
    unused = ("post_layernorm.weight", "post_layernorm.bias")
    _start(net.encoder.clip.state_dict(), folder, _CLIP, "vision_model.", lambda name: name.endswith(unused))


@torch.no_grad()
def _start(
    state: dict[str, Tensor],
    folder: Folder | str,
    names: Iterable[tuple[str, str]],
    beginning: str,
    unused: Callable[[str], bool] = lambda name: False,
) -> None:
    folder = Folder(folder) if isinstance(folder, str) else folder
    waiting = _slots(state)
    with Reader(folder) as files:
        for key, tensor in files.tensors.items():
            if not key.startswith(beginning) or unused(key):
                continue
            slot = waiting.pop(_renamed(key, names), None)
            if slot is None:
                if not key.endswith("position_ids"):
                    raise BadCheckpoint(f"{folder.url}: {key} has no place in this tower")
            elif slot.shape != tensor.shape:
                raise BadCheckpoint(f"{folder.url}: {key} should be {tuple(slot.shape)}, and is {tensor.shape}")
            else:
                slot.copy_(files.read(key))
    if waiting:
        raise BadCheckpoint(
            f"{folder.url} lacks what goes to {min(waiting)}" + (f" and {len(waiting) - 1} others" * (len(waiting) > 1))
        )


def _slots(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors to fill, by name. Each third of a fused q, k and v is a tensor by itself, `NAME:q`."""
    slots: dict[str, Tensor] = {}
    for name, value in state.items():
        if ".qkv_proj." in name:
            slots |= {f"{name}:{letter}": third for letter, third in zip("qkv", value.chunk(3), strict=True)}
        else:
            slots[name] = value
    return slots


def _renamed(key: str, names: Iterable[tuple[str, str]]) -> str:
    for pattern, ours in names:
        if match := re.fullmatch(pattern, key):
            return match.expand(ours)
    return key
