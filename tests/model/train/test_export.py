"""A folder as released: keys, types, files; and transformers loads it, with its tokenizer."""

import json
import math
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import safetensors.torch
import torch
from transformers import AutoTokenizer, UnlimitedOcrConfig, UnlimitedOcrForConditionalGeneration

import model
from datagen.disk.storage import Folder
from datagen.target import IMAGE, PAD
from model.files import weights
from model.files.adapters import merge_adapter
from model.files.lora import adapt, merge, save_adapter
from model.files.network_folder import load_model
from model.files.safetensors_files import BadCheckpoint, Reader
from model.net.config import ClipConfig, DecoderConfig, ModelConfig, SamConfig, for_transformers
from model.net.deepseek_ocr import build
from model.net.tokenizer import train_tokenizer
from model.train.export import export, main
from tests.model.lines import EIGHT

# What the released config.json leaves to its code is as released: window, patch, neck.
CONFIG = ModelConfig(
    SamConfig(width=32, depth=2, heads=2, global_blocks=(1,), downsample=(24, 32)),
    ClipConfig(width=32, depth=1, heads=2),
    DecoderConfig(400, 48, 2, 4, 80, num_experts=3, num_experts_per_token=2, expert_width=16),
)
RELEASED_FILES = """
config.json model-00001-of-000001.safetensors model.safetensors.index.json processor_config.json special_tokens_map.json
tokenizer.json tokenizer_config.json
""".split()


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(EIGHT, 380)


@pytest.fixture(scope="module")
def net():
    return build(CONFIG, seed=3)


@pytest.fixture(scope="module")
def exported(net, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export(Folder(str(folder)), net, tokenizer)
    return folder


def test_keys_types_and_files_are_the_released_ones(exported, net):
    """Which keys are released `test_topology.py` and transformers' loading say."""
    assert Folder(str(exported)).names() == RELEASED_FILES
    with Reader(Folder(str(exported))) as files:
        sizes = {key: math.prod(tensor.shape) for key, tensor in files.tensors.items()}
        kinds = {key: tensor.dtype for key, tensor in files.tensors.items()}
        assert files.metadata == {"format": "pt"}
    assert set(kinds.values()) == {torch.bfloat16} and not [key for key in kinds if "position_ids" in key]  # vLLM refuses it
    index = json.loads((exported / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == sizes.keys() == weights.released_tensors(net).keys()
    assert index["metadata"]["total_size"] == 2 * sum(sizes.values())


def test_transformers_loads_it(exported, net, tokenizer):
    config = UnlimitedOcrConfig(**for_transformers((exported / "config.json").read_bytes()))
    theirs, info = UnlimitedOcrForConditionalGeneration.from_pretrained(exported, config=config, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    assert theirs.dtype == torch.bfloat16 and theirs.config.image_token_id == tokenizer.image
    assert torch.equal(theirs.lm_head.weight, net.lm_head.weight.bfloat16())


def test_transformers_loads_the_tokenizer(exported, tokenizer):
    theirs = AutoTokenizer.from_pretrained(exported)
    for text in (*EIGHT, f"{IMAGE}\nFree OCR.", "<td>1</td>"):
        assert theirs.encode(text, add_special_tokens=False) == tokenizer.encode(text)
        assert theirs.decode(tokenizer.encode(text), skip_special_tokens=False) == text
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token) == (tokenizer.bos, tokenizer.eos, PAD)


def test_what_the_start_had_beside_weights_is_copied(exported, net, tokenizer, tmp_path):
    """Its config.json too, as long as sizes and tokenizer are the same; its weights, and pickles, are not."""
    start, out = tmp_path / "start", Folder(str(tmp_path / "out"))
    export(Folder(str(start)), net, tokenizer, dtype=torch.float32)
    config = json.loads((start / "config.json").read_text()) | {"torch_dtype": "float32", "said": "by the publisher"}
    (start / "config.json").write_text(json.dumps(config))
    said = {
        "modeling_deepseekocr.py": "# code",
        "LICENSE": "MIT",
        "tokenizer_config.json": '{"tokenizer_class": "LlamaTokenizerFast"}',
    }
    for name, text in (said | {"optimizer.pt": "", "old.safetensors.index.json": ""}).items():
        (start / name).write_text(text)
    export(out, net, tokenizer, Folder(str(start)))
    assert out.names() == sorted([*RELEASED_FILES, "LICENSE", "modeling_deepseekocr.py"])
    assert {name: out.read(name).decode() for name in said} == said
    assert json.loads(out.read("config.json")) == config | {
        "torch_dtype": "bfloat16",
        "language_config": config["language_config"] | {"torch_dtype": "bfloat16"},
    }
    assert out.read("model-00001-of-000001.safetensors") == (exported / "model-00001-of-000001.safetensors").read_bytes()


def test_another_tokenizer_is_not_taken_for_the_starts(net, tokenizer, tmp_path):
    start, out = Folder(str(tmp_path / "start")), Folder(str(tmp_path / "out"))
    export(start, net, tokenizer)
    start.write("modeling_deepseekocr.py", b"# code")
    start.write("tokenizer_config.json", b'{"tokenizer_class": "LlamaTokenizerFast"}')
    other = train_tokenizer(EIGHT, 300)
    export(out, net, other, start)
    assert load_model(out)[1].to_json() == other.to_json()
    assert b"PreTrainedTokenizerFast" in out.read("tokenizer_config.json")
    assert json.loads(out.read("config.json"))["auto_map"]["AutoModel"] == "modeling_deepseekocr.DeepseekOCRForCausalLM"


def test_from_transformers_own_folder_back_to_the_released_one(exported, tokenizer, tmp_path):
    """Its class has another name and another processor: neither is taken for the released one's."""
    config = UnlimitedOcrConfig(**for_transformers((exported / "config.json").read_bytes()))
    theirs = UnlimitedOcrForConditionalGeneration.from_pretrained(exported, config=config)
    theirs.save_pretrained(tmp_path / "theirs")
    start, out = Folder(str(tmp_path / "theirs")), Folder(str(tmp_path / "out"))
    start.write("tokenizer.json", tokenizer.to_json())
    start.write("processor_config.json", b'{"processor_class": "UnlimitedOcrProcessor"}')
    export(out, *load_model(start), start)
    assert out.names() == RELEASED_FILES and json.loads(out.read("config.json"))["model_type"] == "deepseek_vl_v2"
    assert b"DeepseekVLV2Processor" in out.read("processor_config.json")
    with Reader(out) as files, Reader(Folder(str(exported))) as before:
        assert files.tensors.keys() == before.tensors.keys()


def test_a_tokenizer_with_more_tokens_than_the_network_is_told(net, tokenizer, tmp_path):
    big = train_tokenizer(["".join(map(chr, range(0x3041, 0x3200)))] * 3 + list(EIGHT) * 3, 420)
    assert len(big) > 400
    with pytest.raises(ValueError, match=r"tokenizer\.json has \d+ tokens, and vocab_size is 400: it must be as many or more"):
        export(Folder(str(tmp_path / "out")), net, big)
    export(Folder(str(tmp_path)), net, tokenizer)
    (tmp_path / "tokenizer.json").write_bytes(big.to_json())
    with pytest.raises(ValueError, match=r"has \d+ tokens, and vocab_size is 400"):
        load_model(Folder(str(tmp_path)))
    assert not (tmp_path / "out").exists()


def test_killed_on_the_way_it_leaves_what_does_not_load(net, tokenizer, tmp_path, monkeypatch):
    folder = Folder(str(tmp_path))
    export(folder, build(CONFIG, seed=4), tokenizer)

    def killed(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(folder, net, tokenizer, tell=killed)
    with pytest.raises(FileNotFoundError):
        model.load(tmp_path)
    export(folder, net, tokenizer)
    assert torch.equal(model.load(tmp_path).lm_head.weight, net.lm_head.weight.bfloat16())


def test_an_adapter_is_merged_by_the_command(net, tokenizer, tmp_path, monkeypatch, caplog):
    export(Folder(str(tmp_path / "base")), net, tokenizer, dtype=torch.float32)
    adapted = model.load(tmp_path / "base")
    adapt(adapted, 2, 4, ("o_proj",))
    torch.nn.init.ones_(adapted.get_parameter("decoder.layers.1.self_attn.o_proj.lora_B.default.weight"))
    save_adapter(Folder(str(tmp_path / "adapter")), adapted, "me/net", "first")
    assert json.loads((tmp_path / "adapter/adapter_config.json").read_text())["base_model_name_or_path"] == "me/net"
    assert "was trained upon me/net with first, which must be merged" in caplog.text
    folders = [str(tmp_path / name) for name in ("base", "out", "adapter")]
    monkeypatch.setattr(sys, "argv", ["model.train.export", *folders[:2], "--adapter", folders[2], "--dtype", "float32"])
    main()
    merge(adapted)
    merged, before = model.load(tmp_path / "out").state_dict(), net.state_dict()
    assert all(torch.equal(value, adapted.state_dict()[name]) for name, value in merged.items())
    assert [name for name in merged if not torch.equal(merged[name], before[name])] == [
        "decoder.layers.1.self_attn.o_proj.weight"
    ]


MATRICES = {"A": torch.zeros(2, 48), "B": torch.zeros(48, 2)}


@pytest.mark.parametrize(
    ("config", "matrices", "message"),
    [
        ({}, MATRICES, "lora_alpha is None: a number is needed"),
        ({"lora_alpha": 4, "alpha_pattern": ["q"]}, MATRICES, r"alpha_pattern is \['q'\]: an object is needed"),
        ({"lora_alpha": 4, "alpha_pattern": {"q(": 1}}, MATRICES, r"alpha_pattern has 'q\('"),
        ({"lora_alpha": 4}, {"A": torch.zeros(0, 48), "B": torch.zeros(48, 0)}, r"\(48, 0\) and \(0, 48\)"),
        ({"lora_alpha": 4}, {"A": torch.zeros(2), "B": torch.zeros(48)}, r"\(48,\) and \(2,\)"),
        ({"lora_alpha": 4}, {}, "there is no matrix in it"),
    ],
)
def test_an_odd_adapter_is_told(net, tmp_path, config, matrices, message):
    layer = "base_model.model.model.layers.1.self_attn.o_proj"
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"} | config))
    safetensors.torch.save_file(
        {f"{layer}.lora_{one}.weight": value for one, value in matrices.items()}, tmp_path / "adapter_model.safetensors"
    )
    with pytest.raises(BadCheckpoint, match=message):
        merge_adapter(net, Folder(str(tmp_path)))


def test_the_command_line(net, tokenizer, tmp_path, monkeypatch, capsys):
    export(Folder(str(tmp_path / "trained")), net, tokenizer, dtype=torch.float32)
    folders = [str(tmp_path / name) for name in ("trained", "out")]
    monkeypatch.setattr(sys, "argv", ["model.train.export", *folders, "--dtype", "float16"])
    main()
    assert "model-00001-of-000001.safetensors: " in capsys.readouterr().out
    loaded, again = load_model(Folder(folders[1]))
    assert loaded.lm_head.weight.dtype == torch.float16 and again.to_json() == tokenizer.to_json()
    assert weights.read_config(Folder(folders[1])) == CONFIG
    monkeypatch.setattr(sys, "argv", ["model.train.export", folders[0], folders[0]])
    with pytest.raises(SystemExit, match="must be another"):
        main()
