"""The readers that come with the package: one for each script, all of them small changes to one network, the trunk.

    scripts/trunk.safetensors     reads lines of all scripts roughly, and tells their script
    scripts/Khmr.safetensors      what to add to the trunk's weights, so that it reads Khmer
    scripts/cards.json            what each learned from, and how well it reads

A change to a weight W (O, I) is U V, with U (O, R) and V (R, I), where R is small; biases, norms and the head are stored whole.
Matrices are int8 with a scale for each row. `recipe=scripts` makes these files (`flywheel/scripts`). Shapes as in `compact`.

The script of a line is the one in whose text the symbols that the trunk sees are likeliest. `scripts.weight` (scripts, classes)
has the logarithm of how frequent each symbol is in each script's text.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy
import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from datagen.engines import OnDemand, compact, packaged
from datagen.engines.compact import Alphabet, CompactConfig, CompactNet, FolderReader, Reader
from datagen.engines.packaged import TRUNK, available, reader_sha256, sha256

FORMAT = "2"
"""Of the files: goes up whenever older ones mean something else."""

_ABOUT, _UP, _DOWN, _SCALE = "pagewheel", ".up", ".down", ".scale"
_IS_TALL = ("steps.0.weight", "picture.weight")  # convolutions over the whole height of a line
_SMALLEST = 2.0**-24  # above nothing that half precision has
FREQUENCIES = "scripts.weight"
"""The tensor of the trunk's file that tells scripts apart."""


class ScriptReader(FolderReader):
    """The engine `script`: the reader of one script that comes with the package."""

    def __init__(self, script: str):
        if script not in available():
            raise ValueError(f"no reader of the script {script!r} comes with the package: there are {', '.join(available())}")
        self._script = script

    @property
    def script(self) -> str:
        return self._script  # which is known before the reader is loaded

    def versions(self) -> dict[str, str]:
        return compact.engines() | {f"reader_{self.script}": reader_sha256(self.script)[:16]}

    def read(self, crops: Sequence[numpy.ndarray], lang: str = "und") -> list[tuple[str, float]]:
        """The text of each crop, (H, W) gray bytes, and how probable each of its symbols is, in the mean; the script decides the
        language."""
        return self._reader.read(crops, by_symbol=True)

    @functools.cached_property
    def _reader(self) -> Reader:
        return load(self.script, bf16=False)


class ScriptOfLines(OnDemand):
    """The engine `script-of-lines`: tells the script of lines by their image."""

    def versions(self) -> dict[str, str]:
        return compact.engines() | {"reader_trunk": sha256(TRUNK)[:16]}

    @torch.inference_mode()
    def likelihoods(self, crops: Sequence[numpy.ndarray]) -> numpy.ndarray:
        """By crop, (H, W) gray bytes, and script, in the order of `scripts`: the logarithm of how likely what is seen is in text
        of that script, (B, S)."""
        rows = numpy.zeros((len(crops), len(self.scripts)), numpy.float32)
        for batch, (logp_BTA, num_frames_B) in self._trunk.batches(crops):
            real_BT = torch.arange(logp_BTA.shape[1])[None] < num_frames_B[:, None]
            seen_BA = (logp_BTA.exp() * real_BT[..., None]).sum(1)[:, 1:]
            rows[batch] = (seen_BA @ self._frequencies.T[1:]).numpy()
        return rows

    def scripts_of(self, crops: Sequence[numpy.ndarray]) -> list[str]:
        """The script of each crop, (H, W) gray bytes."""
        return [self.scripts[i] for i in self.likelihoods(crops).argmax(1)]

    @functools.cached_property
    def scripts(self) -> tuple[str, ...]:
        about: dict[str, list[str]] = json.loads((packaged.FOLDER / f"{TRUNK}.json").read_text(encoding="utf-8"))
        return tuple(about["scripts"])

    @functools.cached_property
    def _frequencies(self) -> Tensor:
        return _unpacked(packaged.FOLDER, TRUNK)[0][FREQUENCIES]

    @functools.cached_property
    def _trunk(self) -> Reader:
        return load(TRUNK, bf16=False)


def load(script: str, folder: Path | None = None, bf16: bool | None = None) -> Reader:
    """The reader of a script, of the package or in a `folder`; of `TRUNK`, the trunk itself. It computes in `bf16` (None: where
    the processor does so fast).

    Raises `ValueError` if there is none, or if its files are damaged.
    """
    folder = folder or packaged.FOLDER
    bf16 = compact.has_fast_bf16() if bf16 is None else bf16
    trunk, alphabet, network = _unpacked(folder, TRUNK)
    if script != TRUNK:
        change, alphabet, network = _unpacked(folder, script)
        trunk = merged(resized(trunk, network), change)
    net = CompactNet(network, len(alphabet.symbols) + 1)
    trunk.pop(FREQUENCIES, None)
    try:
        net.load_state_dict(trunk)
    except RuntimeError as error:
        raise ValueError(f"{folder}: the reader of {script} doesn't fit the trunk: {error}") from None
    return Reader(net, alphabet, network, bf16)


def resized(trunk: Mapping[str, Tensor], network: CompactConfig) -> dict[str, Tensor]:
    """The trunk's weights for a network that sees lines higher: kernels over the whole height are stretched."""
    high = network.height // 8
    weights = dict(trunk)
    for name in _IS_TALL:
        own = weights[name]
        if own.shape[2] != high:
            stretched = F.interpolate(own, (high, own.shape[3]), mode="bilinear", align_corners=False)
            weights[name] = stretched * (own.shape[2] / high)
    return weights


def merged(trunk: Mapping[str, Tensor], change: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the trunk with a script's `change`."""
    weights = dict(trunk)
    for name, value in change.items():
        if name.endswith(_UP):
            of = name.removesuffix(_UP)
            weights[of] = trunk[of] + (value @ change[of + _DOWN]).view_as(trunk[of])
        elif not name.endswith(_DOWN):
            weights[name] = value
    return weights


def pack(weights: Mapping[str, Tensor], alphabet: Alphabet, network: CompactConfig) -> bytes:
    """The file of a reader. Matrices become int8 by row; their scales and all else, half precision."""
    tensors: dict[str, Tensor] = {}
    for name, value in weights.items():
        value = value.detach().float().cpu()
        if not value.dim():
            continue  # the number of batches that a norm has seen
        if value.dim() == 1:
            tensors[name] = value.half()
            continue
        rows = value.flatten(1)
        scale = (rows.abs().amax(1) / 127).half().clamp(min=_SMALLEST)
        steps = (rows / scale.float()[:, None]).round().clamp(-127, 127)
        tensors[name] = steps.to(torch.int8).view(value.shape).contiguous()
        tensors[name + _SCALE] = scale
    # One key: safetensors writes several in an order that changes from call to call.
    about = {"format": FORMAT, "alphabet": asdict(alphabet), "network": asdict(network)}
    return safetensors.torch.save(tensors, {_ABOUT: json.dumps(about, ensure_ascii=False, sort_keys=True)})


def _unpacked(folder: Path, name: str) -> tuple[dict[str, Tensor], Alphabet, CompactConfig]:
    path = folder / f"{name}.safetensors"
    if not path.is_file():
        raise ValueError(f"no reader of the script {name} in {folder}: there are {', '.join(available()) or 'none'}")
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {}).get(_ABOUT, "{}"))
            tensors = {key: file.get_tensor(key) for key in list(file.keys())}
        if about.get("format") != FORMAT:
            raise ValueError(f"its format is {about.get('format')}, and this program reads {FORMAT}")
        alphabet, sizes = Alphabet(**about["alphabet"]), about["network"]
        network = CompactConfig(**sizes | {"channels": tuple(sizes["channels"])})
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise ValueError(f"{path} holds no reader: {type(error).__name__}: {error}") from None
    weights = {}
    for key, value in tensors.items():
        if not key.endswith(_SCALE):
            scale = tensors.get(key + _SCALE)
            weights[key] = value.float() if scale is None else value.float() * scale.view(-1, *[1] * (value.dim() - 1))
    if name == TRUNK:
        for key in [key for key in weights if key.endswith("running_var")]:
            weights[key.replace("running_var", "num_batches_tracked")] = torch.tensor(0)
    return weights, alphabet, network
