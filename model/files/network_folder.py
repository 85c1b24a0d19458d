"""A network and its tokenizer in a folder. Files are written whole or not at all, and never unpickled."""

import torch

from datagen.disk.storage import Folder
from datagen.target import BOS, EOS, IMAGE, PAD, SPECIAL_TOKENS
from model.files import weights
from model.net.config import ModelConfig
from model.net.deepseek_ocr import DeepseekOcr
from model.net.tokenizer import TextTokenizer

TOKENIZER = "tokenizer.json"


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
