"""The code in model/README.md, as it stands there, on a small network in place of the released one."""

import re
from pathlib import Path

import torch
from PIL import Image
from transformers import LlamaConfig, LlamaForCausalLM

from datagen.disk.storage import Folder
from model.net.config import tiny
from model.net.deepseek_ocr import build
from model.net.tokenizer import train_tokenizer
from model.train.export import export
from tests.model.lines import EIGHT

README = Path(__file__).parents[3] / "model" / "README.md"


def test_the_code_runs(tmp_path, monkeypatch):
    parts = README.read_text().partition("## DeepEncoder alone")
    with_adapter, others = (re.findall(r"```python\n(.*?)```", part, re.DOTALL) for part in (parts[0], parts[2]))
    alone, before_another = (block for block in others if "from model." in block)
    (in_transformers,) = (block for block in with_adapter if "for_transformers" in block)
    tokenizer = train_tokenizer(EIGHT, 400)
    export(Folder(str(tmp_path / "DeepSeek-OCR")), build(tiny().with_vocab(len(tokenizer))), tokenizer)
    llama = LlamaConfig(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    LlamaForCausalLM(llama).save_pretrained(tmp_path / "LLM")
    Image.new("RGB", (60, 80), "white").save(tmp_path / "page.png")
    monkeypatch.chdir(tmp_path)
    names = {"bos": 1, "image_id": 99, "question": [5, 6], "answer": [7, 8]}
    exec(alone, names)
    assert names["tokens"].shape == (273, 192) and names["tokens"].dtype == torch.bfloat16
    labels = torch.full((1, 1 + 273 + 4), -100)
    labels[0, -2:] = torch.tensor([7, 8])
    names["labels"] = labels
    exec(before_another, names)
    names["loss"].backward()
    still = {name for name, p in names["encoder"].named_parameters() if p.grad is None or not p.grad.any()}
    assert still == {"clip.embeddings.patch_embedding.weight"}
    without_adapter = [line for line in in_transformers.splitlines() if "Peft" not in line]
    exec("\n".join(without_adapter).replace("tiny-checkpoint", "DeepSeek-OCR"), names)
    assert names["net"].config.image_token_id == tokenizer.image
