"""Adapters through peft: trained here, loaded beside transformers' class, merged into a released folder; and back."""

import json

import pytest
import torch
from peft import PeftModel

import model
from datagen.disk.storage import Folder
from datagen.target import Prompt
from model.costs.plan import LANGUAGE
from model.files.adapters import merge_adapter
from model.files.lora import adapt, is_adapted, linear_layers, merge, save_adapter
from model.files.safetensors_files import Reader, write
from model.files.weights import released_tensors
from model.generate import NoRepeat, tokens
from model.net.batch import IGNORED
from model.net.deepseek_ocr import build
from model.train.optim import train_beside
from tests.parity.reference import NARROW, TOLERANCE, loaded, logits, their_logits
from tests.parity.test_adapters import stirred

# All that transformers' class has a layer for. peft can't tell its projector's name, and its CLIP's q, k and v are three layers.
EVERYWHERE = (*LANGUAGE, "lm_head", "qkv", "attn.proj", "lin1", "lin2", "out_proj", "fc1", "fc2")


@pytest.mark.parametrize("targets", [LANGUAGE, EVERYWHERE], ids=["language", "everywhere"])
def test_it_loads_beside_transformers_class(base, asked, targets, tmp_path, differ):
    net = model.load(base)
    plain = logits(net, asked)
    adapt(net, 3, 8, targets)
    assert torch.equal(logits(net, asked), plain)  # until something is learned
    mine = logits(stirred(net), asked)
    save_adapter(Folder(str(tmp_path)), net, str(base))
    theirs = PeftModel.from_pretrained(loaded(base), str(tmp_path))
    other = their_logits(theirs, asked)
    assert differ("LoRA", f"narrow, {len(targets)} kinds of layers", mine, other) < TOLERANCE
    assert (mine - plain).abs().max() > 0.1
    adapters = [name for name, _ in theirs.named_parameters() if ".lora_" in name]
    assert len(adapters) == sum(".lora_" in name for name, _ in net.named_parameters())


def test_names_are_the_released_ones(base, tmp_path):
    net = model.load(base)
    adapt(net, 2, 4, ("q_proj", "shared_experts.up_proj", "lm_head"))
    save_adapter(Folder(str(tmp_path)), net)
    layers = [f"model.layers.{n}.self_attn.q_proj" for n in range(3)]
    layers += [f"model.layers.{n}.mlp.shared_experts.up_proj" for n in (1, 2)] + ["lm_head"]
    with Reader(Folder(str(tmp_path))) as files:
        assert set(files.tensors) == {f"base_model.model.{layer}.lora_{half}.weight" for layer in layers for half in "AB"}
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert set(layers) <= set(config["target_modules"]) and (config["r"], config["lora_alpha"]) == (2, 4)
    assert "model.language_model.layers.0.self_attn.q_proj" in config["target_modules"]


def test_only_the_adapter_learns_and_all_of_it(base, asked):
    """The head's too, whose weight the loss multiplies by itself where nothing wraps it."""
    net = model.load(base).train()
    adapt(net, 2, 4, list(linear_layers(net)))
    stirred(net)
    ids_BL, images, image_T = asked
    labels_BL = ids_BL.flatten().index_fill(0, image_T, IGNORED).view_as(ids_BL)
    net(ids_BL, images, image_T, labels_BL=labels_BL, scale=0.1).total.backward()
    learned = {name for name, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    assert learned == {name for name, _ in net.named_parameters() if ".lora_" in name}
    assert "lm_head.lora_B.default.weight" in learned and len(learned) == 2 * len(linear_layers(net))


def test_merged_it_gives_the_same_and_saves_as_released(base, asked, tmp_path):
    net = model.load(base)
    adapt(net, 3, 8, list(linear_layers(net)))
    mine = logits(stirred(net), asked)
    assert is_adapted(net)
    merge(net)
    assert not is_adapted(net) and (logits(net, asked) - mine).abs().max() < TOLERANCE
    write(Folder(str(tmp_path)), released_tensors(net), {"format": "pt"}, 1 << 30)
    with Reader(Folder(str(tmp_path))) as files, Reader(Folder(str(base))) as before:
        assert files.tensors.keys() == before.tensors.keys()


def test_it_reads_as_if_merged(base, asked, tokenizer):
    """Token by token too, where weights are packed."""
    net = model.load(base)
    adapt(net, 3, 8, EVERYWHERE)
    stirred(net)

    def read():
        return [token for _, token in tokens(net, tokenizer, asked[1], Prompt.FREE, 30, NoRepeat(3))]

    beside = read()
    merge(net)
    assert read() == beside and len(beside) > 8


def test_ours_is_merged_from_its_folder_with_what_was_trained_beside_it(base, asked, tmp_path):
    net = model.load(base)
    adapt(net, 3, 8, EVERYWHERE)
    train_beside(net, ("projector", "decoder.layers.2.input_layernorm.weight"))
    mine = logits(stirred(net), asked)  # what is trained beside them, too
    save_adapter(Folder(str(tmp_path)), net)
    again = model.load(base)
    merge_adapter(again, Folder(str(tmp_path)))
    assert not is_adapted(again) and (logits(again, asked) - mine).abs().max() < TOLERANCE
    assert json.loads((tmp_path / "adapter_config.json").read_text())["modules_to_save"]


def test_beside_half_precision_it_is_in_fp32(base, asked):
    net = model.load(base, dtype=torch.bfloat16)
    adapt(net, 2, 4)
    assert {p.dtype for name, p in net.named_parameters() if ".lora_" in name} == {torch.float32}
    before = logits(net, asked)
    assert before.dtype == torch.float32 and net.lm_head.weight.dtype == torch.bfloat16
    merge(stirred(net))
    assert {p.dtype for p in net.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("target", ["experts", "proj_q", "mlp.experts.0.gate_proj", ""])
def test_what_is_no_linear_layer_is_told(target):
    with pytest.raises(ValueError, match=r"which is no linear layer: there are .*down_proj.*qkv_proj"):
        adapt(build(NARROW), 2, 4, (target,))
