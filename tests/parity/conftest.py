"""What tests of parity share. What each comparison's largest difference came to goes with its test's report, for the table at the
end."""

import json
import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch

from datagen.disk.storage import Folder
from model.net.deepencoder import places
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train.export import export
from recipes.finetune import TINY
from tests.model.lines import EIGHT, rendered
from tests.parity.reference import NARROW, randomised, saved, sequence, tokenizer_for, views


@pytest.fixture
def differ(record_property):
    """`differ(part, case, ours, theirs)` is the largest absolute difference, and a row of the table."""

    def differ(part: str, case: str, ours, theirs, relative: bool = False) -> float:
        assert ours.shape == theirs.shape, f"{part}, {case}: {tuple(ours.shape)} and {tuple(theirs.shape)}"
        scale = theirs.abs().max().item()
        difference = (ours - theirs).abs().max().item() / (scale if relative and scale else 1)
        record_property("parity", (part, case, difference, scale))
        return difference

    return differ


@pytest.fixture(scope="session")
def tokenizer():
    return tokenizer_for(NARROW)


@pytest.fixture(scope="session")
def asked(tokenizer):
    """(ids, the image in them, its places)"""
    images = views("tiny", (0, 0))
    ids_BL = sequence([images], tokenizer)
    return ids_BL, images, places(ids_BL == tokenizer.image)


@pytest.fixture(scope="session")
def base(tokenizer, tmp_path_factory) -> Path:
    """A released folder of the narrow network."""
    return saved(randomised(NARROW), tmp_path_factory.mktemp("base"), tokenizer.image)


@pytest.fixture
def words(tmp_path, monkeypatch) -> list[str]:
    """The command of a fine-tuning, in a folder with its start and its rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("recipes.finetune.TINY", TINY.but(read_samples=1, loss_samples=2, max_new_tokens=2, threads=1))
    export(Folder("start"), build(NARROW, 3), byte_tokenizer(), dtype=torch.float32)
    for n in range(4):
        Path(f"{n}.png").write_bytes(rendered(f"{EIGHT[n][:9]}"))
    rows = [{"image": f"{n}.png", "prompt": "<image>\nRead.", "answer": f"line {n}"} for n in range(4)]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "on=inline"]
