"""What a training starts from, and what it refuses."""

import pytest
import torch

from datagen.disk.storage import Folder
from model.files.safetensors_files import Reader
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.tokenizer import train_tokenizer
from model.train.export import export
from model.train.start import starts
from model.train.step import Train, Weights
from model.train.trainer import train
from tests.model.lines import EIGHT
from tests.model.trainings import FEW, make_corpus


def started(tmp_path, **values):
    """A network that was trained from a folder: what it had, and what it has now."""
    out = make_corpus(tmp_path)
    tokenizer = train_tokenizer(EIGHT, 300)
    folder = Folder(str(tmp_path / "from"))
    export(folder, build(line_reader(1).with_vocab(len(tokenizer)), seed=5), tokenizer, dtype=torch.float32)
    assert train(FEW.but(**values), out)
    with Reader(folder) as before, Reader(out.sub("train/model")) as after:
        same = {key for key in after.tensors if key in before.tensors}
        same = {key for key in same if after.tensors[key].shape == before.tensors[key].shape}
        same = {key for key in same if torch.equal(after.read(key), before.read(key).bfloat16())}
    assert out.read("train/model/tokenizer.json") == tokenizer.to_json()
    return same


def test_a_start_gives_weights_and_tokenizer_and_what_is_frozen_stays(tmp_path):
    same = started(tmp_path, start=str(tmp_path / "from"), frozen=("sam", "embeddings"))
    assert {"model.sam_model.pos_embed", "lm_head.weight", "model.embed_tokens.weight"} <= same
    assert not [key for key in same if key.endswith("q_proj.weight")]


def test_an_adapter_with_another_factor_is_another_start(tmp_path):
    step = Train(datasets=(), weights=Weights(start=str(tmp_path / "start"), adapter=str(tmp_path / "adapter")))
    known = []
    for alpha in (4, 4, 8):
        Folder(str(tmp_path / "adapter")).write("adapter_config.json", b'{"lora_alpha": %d}' % alpha)
        known.append(starts(step, Folder(str(tmp_path))))
    assert known[0] == known[1] != known[2]


def test_an_encoder_goes_before_a_new_decoder(tmp_path):
    """Stage 2: the encoder's own sizes, its tokenizer, and a decoder with experts."""
    same = started(tmp_path, start_encoder=str(tmp_path / "from"), start_decoder="random", frozen=("sam", "clip"))
    assert {key for key in same if "sam_model" in key} and {key for key in same if "vision_model" in key}
    assert "lm_head.weight" not in same


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"length": 4000}, "length is 4000: the network has 2048 positions"),
        ({"length": 5}, "no held-out sample can be read that has at most 5 tokens"),
        (
            {"datasets": ("/nowhere/at/all",)},
            "data has /nowhere/at/all: it is no .jsonl file, no .json file with a list of rows, no .tar, no Parquet file, "
            "and no folder with `shards`",
        ),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(tmp_path, values, message):
    with pytest.raises(ValueError, match=message):
        train(FEW.but(**values), make_corpus(tmp_path))
