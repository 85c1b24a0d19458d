"""The network's answer for a page, computed by NumPy with the weights in this package, and the regions that follow from it."""

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from safetensors.numpy import load_file

from datagen.layouts.elements import Elements
from datagen.layouts.features import features

LABELS = (
    "text",
    "title",
    "sub_title",
    "list",
    "equation",
    "image",
    "image_caption",
    "table",
    "table_caption",
    "table_footnote",
    "code",
    "header",
    "footer",
    "page_number",
    "footnote",
    "reference",
    "toc",
    "",
)
"""What the network tells apart. "" is for a picture that is none."""
NUM_LEVELS = 7
WEIGHTS = Path(__file__).with_name("weights.safetensors")


class Outputs(NamedTuple):
    """Logits of N elements: `label` (N, len(LABELS)), `level` (N, NUM_LEVELS), `same` (N, N): both are in one region; `before`
    (N, N): the first is read before the second. In training with a batch in front, as torch's tensors."""

    label: Any
    level: Any
    same: Any
    before: Any


@functools.cache
def weights(path: Path = WEIGHTS) -> Mapping[str, numpy.ndarray]:
    return {name: tensor.astype(numpy.float32) for name, tensor in load_file(path).items()}


@functools.cache
def versions() -> dict[str, str]:
    """The hash of the package's weights, for records and fingerprints."""
    return {"layouts": hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]}


def outputs(page: Elements, of: Mapping[str, numpy.ndarray]) -> Outputs:
    """The logits for a page with at least one line. The layers are those of `network.LayoutNetwork`."""
    seen = features(page)
    num = len(seen.of_elements)

    def linear(name: str, x: numpy.ndarray) -> numpy.ndarray:
        result: numpy.ndarray = x @ of[f"{name}.weight"].T + of[f"{name}.bias"]
        return result

    def norm(name: str, x: numpy.ndarray) -> numpy.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        result: numpy.ndarray = centred / numpy.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return result * of[f"{name}.weight"] + of[f"{name}.bias"]

    x = linear("down", _silu(linear("up", (seen.of_elements - of["mean"]) / of["deviation"])))
    x = x + linear("signs", of["sign.weight"][seen.signs].reshape(num, -1))
    pair = _silu(linear("pair_down", _silu(linear("pair_up", seen.of_pairs))))
    depth = sum(name.endswith(".qkv.weight") for name in of)
    bias = linear("bias", pair).transpose(2, 0, 1).reshape(depth, -1, num, num)
    num_heads = bias.shape[1]
    for n in range(depth):
        at = f"layers.{n}"
        q, k, v = linear(f"{at}.qkv", norm(f"{at}.norm", x)).reshape(num, 3, num_heads, -1).transpose(1, 2, 0, 3)
        logits = q @ k.transpose(0, 2, 1) / q.shape[-1] ** 0.5 + bias[n]
        share = numpy.exp(logits - logits.max(-1, keepdims=True))
        mixed = (share / share.sum(-1, keepdims=True)) @ v
        x = x + linear(f"{at}.out", mixed.transpose(1, 0, 2).reshape(num, -1))
        x = x + linear(f"{at}.down", _silu(linear(f"{at}.up", norm(f"{at}.norm_2", x))))
    x = norm("norm", x)
    hidden = _silu(linear("first", x)[:, None] + linear("second", x)[None] + linear("both", pair))
    same, before = linear("same", hidden)[..., 0], linear("before", hidden)[..., 0]
    return Outputs(linear("label", x), linear("level", x), same + same.T, before - before.T)


def _silu(x: numpy.ndarray) -> numpy.ndarray:
    result: numpy.ndarray = x / (1 + numpy.exp(-numpy.clip(x, -60, None)))
    return result
