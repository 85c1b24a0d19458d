"""A network and its tokenizer in a folder, and the state of a training. Files are written whole or not at all, and never
unpickled."""

import json

import torch
from safetensors import safe_open

from datagen.storage import Folder
from datagen.target import BOS, EOS, IMAGE, PAD, SPECIAL_TOKENS
from model import weights
from model.config import ModelConfig
from model.deepseek_ocr import DeepseekOcr
from model.safetensors_files import in_order, planned, write_one
from model.tokenizer import TextTokenizer

TOKENIZER = "tokenizer.json"
STATE = "state.safetensors"


def save_model(folder: Folder, net: DeepseekOcr, tokenizer: TextTokenizer) -> None:
    """Write the weights under the released names, `config.json` and `tokenizer.json`. The same weights give the same bytes."""
    names = {"bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD, "image_token_id": IMAGE}
    folder.write(TOKENIZER, tokenizer.to_json())
    folder.write(weights.CONFIG, net.config.to_json(**{field: tokenizer.id(token) for field, token in names.items()}))
    weights.save(folder, net)


def load_model(folder: Folder, device: str = "cpu", dtype: torch.dtype | None = None) -> tuple[DeepseekOcr, TextTokenizer]:
    """The network, ready to read, and its tokenizer. Raises as `weights.load` does, and `ValueError` for a bad tokenizer."""
    tokenizer = TextTokenizer.from_json(folder.read(TOKENIZER))
    check_vocabulary(tokenizer, weights.read_config(folder), folder.url)
    return weights.load(folder, device, dtype), tokenizer


def check_vocabulary(tokenizer: TextTokenizer, config: ModelConfig, where: str) -> None:
    """Raises `ValueError` if `tokenizer` has tokens that a network of `config` has no place for, or lacks a special one."""
    if len(tokenizer) > config.decoder.vocab_size:
        raise ValueError(
            f"{where}: {TOKENIZER} has {len(tokenizer):,} tokens, and vocab_size is {config.decoder.vocab_size:,}: "
            "it must be as many or more"
        )
    for token in SPECIAL_TOKENS:
        tokenizer.id(token)


def save_state(folder: Folder, net: DeepseekOcr, optimizer: torch.optim.Optimizer, progress: dict) -> None:
    """Commit weights, moments and `progress` as one file, so that a kill between two can't mix steps."""
    tensors = {f"net/{name}": value for name, value in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        tensors |= {f"{slot}/{name}": value for slot, value in optimizer.state.get(parameter, {}).items()}
    with folder.create(STATE) as file:
        write_one(file, in_order(planned(*item) for item in tensors.items()), {"progress": json.dumps(progress)})


def load_state(folder: Folder, net: DeepseekOcr, optimizer: torch.optim.Optimizer) -> dict | None:
    """Put the last committed weights and moments into `net` and `optimizer`. Returns its progress, or None if there is none."""
    if not folder.exists(STATE):
        return None
    weights, parameters = net.state_dict(), dict(net.named_parameters())
    with folder.on_disk(STATE) as path, safe_open(path, "pt") as file:
        for key in file.keys():  # noqa: SIM118  (a file of the library's is no dict)
            slot, name = key.split("/", 1)
            if slot == "net":
                weights[name].copy_(file.get_tensor(key))
            else:
                optimizer.state[parameters[name]][slot] = file.get_tensor(key).clone()
        return json.loads(file.metadata()["progress"])
