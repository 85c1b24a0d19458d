"""A folder that transformers' class saved is a start: `model.load` reads it, and computes what the class computes."""

import json
import logging

import pytest
import torch
from transformers import UnlimitedOcrConfig

import model
from datagen.disk.storage import Folder
from model.files import weights
from model.files.safetensors_files import BadCheckpoint, Reader
from model.net.config import ModelConfig, for_transformers
from tests.parity.reference import DEEPER, NARROW, TOLERANCE, loaded, logits, their_logits

UNUSED = "encoder.clip.embeddings.patch_embedding.weight"


@pytest.fixture(scope="module")
def theirs(base, tmp_path_factory):
    """(their network, the folder that it saved). It came from one of our folders, as a released one would."""
    net, folder = loaded(base), tmp_path_factory.mktemp("theirs")
    net.save_pretrained(folder)
    return net, folder


def test_logits_are_theirs(theirs, asked, differ):
    net, folder = theirs
    ours = model.load(folder)
    assert ours.config == NARROW
    mine, other = logits(ours, asked), their_logits(net, asked)
    assert differ("logits", "narrow, saved by transformers", mine, other) < TOLERANCE


def test_what_nothing_uses_is_filled_in(theirs):
    patch = model.load(theirs[1], dtype=torch.bfloat16).state_dict()[UNUSED]
    assert patch.dtype == torch.bfloat16 and not patch.any()


def test_a_round_trip_of_names_makes_nothing_up(theirs, tmp_path):
    folder, ours, back = (Folder(str(path)) for path in (theirs[1], tmp_path / "ours", tmp_path / "back"))
    weights.convert(folder, ours)
    weights.convert(ours, back)
    with Reader(folder) as one, Reader(back) as other:
        assert one.tensors.keys() == other.tensors.keys()
        assert all(torch.equal(one.read(key), other.read(key)) for key in one.tensors)
    assert model.load(tmp_path / "ours").config == NARROW
    assert f"{sum(p.numel() for p in theirs[0].parameters()):,} parameters" in weights.inspect(folder)


def test_a_config_made_by_their_class_is_read(tmp_path, caplog):
    """And not only one that carries our fields along. Their layers have a window by default, which is told."""
    names = ("vision_config", "text_config")
    values = json.loads(DEEPER.to_json())
    vision = {part: values["vision_config"][part] for part in ("sam_config", "encoder_config")}
    text = {key: value for key, value in values["language_config"].items() if key not in ("rope_theta", "aux_loss_alpha")}
    UnlimitedOcrConfig(**dict(zip(names, (vision, text), strict=True))).save_pretrained(tmp_path)
    data = (tmp_path / "config.json").read_bytes()
    with caplog.at_level(logging.WARNING):
        assert ModelConfig.from_json(data) == DEEPER
    assert "reference_sliding_attention: this network has full attention" in caplog.text
    again = UnlimitedOcrConfig(**for_transformers(data))
    assert set(again.text_config.layer_types) == {"full_attention"}


@pytest.mark.parametrize(
    ("part", "field", "value", "message"),
    [
        ("text_config", "mlp_layer_types", ["sparse", "dense", "sparse"], "dense ones first"),
        ("text_config", "mlp_layer_types", ["dense"], "one a layer is needed"),
        ("text_config", "num_key_value_heads", 2, r"text_config\.num_key_value_heads is 2: in this network it is 4"),
        ("text_config", "num_hidden_layers", None, "mlp_layer_types is"),
        ("vision_config", "image_size", [192, 64], "are squares"),
    ],
)
def test_a_config_that_is_no_such_network_is_told(theirs, tmp_path, part, field, value, message):
    config = json.loads((theirs[1] / "config.json").read_bytes())
    (config[part]["sam_config"] if part == "vision_config" else config[part])[field] = value
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadCheckpoint, match=message):
        weights.read_config(Folder(str(tmp_path)))


def test_what_something_uses_may_not_lack(theirs, tmp_path):
    folder = Folder(str(tmp_path))
    with Reader(Folder(str(theirs[1]))) as files:
        kept = {key: files.read(key).clone() for key in files.tensors if not key.endswith("view_seperator")}
    weights.write(folder, kept, {}, 1 << 30)
    folder.write("config.json", (theirs[1] / "config.json").read_bytes())
    with pytest.raises(BadCheckpoint, match=r"lacks model\.view_seperator, which config\.json asks for"):
        model.load(tmp_path)
