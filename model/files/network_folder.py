"""Loads a network and its tokenizer from a folder. Nothing is unpickled."""

import torch

from datagen.disk.storage import Folder
from datagen.target import SPECIAL_TOKENS
from model.files import weights
from model.net.config import ModelConfig
from model.net.deepseek_ocr import DeepseekOcr
from model.net.tokenizer import TextTokenizer

TOKENIZER = "tokenizer.json"


def load_model(folder: Folder, device: str = "cpu", dtype: torch.dtype | None = None) -> tuple[DeepseekOcr, TextTokenizer]:
    """The network, ready to read, and its tokenizer. Raises as `weights.load` does, and `ValueError` for a bad tokenizer."""
    tokenizer = TextTokenizer.from_json(folder.read(TOKENIZER))
    check_vocabulary(tokenizer, weights.read_config(folder), folder.url)
    return weights.load(folder, device, dtype), tokenizer


def check_vocabulary(tokenizer: TextTokenizer, config: ModelConfig, where: str) -> None:
    """Raises `ValueError` if `tokenizer` has more tokens than a network of `config`, or lacks a special one."""
    if len(tokenizer) > config.decoder.vocab_size:
        raise ValueError(
            f"{where}: {TOKENIZER} has {len(tokenizer):,} tokens, and vocab_size is {config.decoder.vocab_size:,}: "
            "it must be as many or more"
        )
    for token in SPECIAL_TOKENS:
        tokenizer.id(token)
