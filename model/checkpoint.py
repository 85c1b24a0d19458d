"""A network and its tokenizer in a folder, and a training's state. Written whole or not at all, read without unpickling."""

import json

import torch
from safetensors.torch import load, save

from datagen.storage import Folder
from datagen.target import BOS, EOS, IMAGE, PAD
from model import weights
from model.deepseek_ocr import DeepseekOcr
from model.tokenizer import TextTokenizer

TOKENIZER = "tokenizer.json"
STATE = "state.safetensors"


def save_model(folder: Folder, net: DeepseekOcr, tokenizer: TextTokenizer) -> None:
    """Weights in the released names, `config.json` and `tokenizer.json`. The same weights give the same bytes."""
    names = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "image_token_id": IMAGE}
    folder.write(TOKENIZER, tokenizer.to_json())
    folder.write(weights.CONFIG, net.config.to_json(**{field: tokenizer.id(token) for field, token in names.items()}))
    weights.save(folder, net)


def load_model(folder: Folder, device: str = "cpu", dtype: torch.dtype | None = None) -> tuple[DeepseekOcr, TextTokenizer]:
    """The network, ready to read, and its tokenizer. Raises as `weights.load` does, and `ValueError` for a bad tokenizer."""
    tokenizer = TextTokenizer.from_json(folder.read(TOKENIZER))
    return weights.load(folder, device, dtype), tokenizer


def save_state(folder: Folder, net: DeepseekOcr, optimizer: torch.optim.Optimizer, progress: dict) -> None:
    """Commit weights, moments and `progress` as one file, so that a kill between two can't mix steps."""
    tensors = {f"net/{name}": value for name, value in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        tensors |= {f"{slot}/{name}": value for slot, value in optimizer.state.get(parameter, {}).items()}
    with folder.create(STATE) as file:
        file.write(save(_contiguous(tensors), {"progress": json.dumps(progress)}))


def load_state(folder: Folder, net: DeepseekOcr, optimizer: torch.optim.Optimizer) -> dict | None:
    """Put the last committed weights and moments into `net` and `optimizer`; returns its progress, None if there is none."""
    try:
        data = folder.read(STATE)
    except FileNotFoundError:
        return None
    tensors = load(data)
    net.load_state_dict({name.removeprefix("net/"): value for name, value in tensors.items() if name.startswith("net/")})
    parameters = dict(net.named_parameters())
    for key, value in tensors.items():
        slot, name = key.split("/", 1)
        if slot != "net":
            optimizer.state[parameters[name]][slot] = value
    # safetensors' own reader gives no metadata from bytes: the header is its length in eight bytes, then JSON.
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return json.loads(header["__metadata__"]["progress"])


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.contiguous() for name, value in tensors.items()}
