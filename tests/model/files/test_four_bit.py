"""Weights in 4 bits beneath adapters: bitsandbytes' own, through a fine-tuning by command, and as many bytes as the plan says."""

import json
from dataclasses import replace

import pytest
import torch

import model
from datagen.disk.storage import Folder
from model.costs import plan
from model.costs.memory import memory
from model.costs.pieces import Load
from model.files.adapters import merge_adapter
from model.files.four_bit import pack, unpack
from model.files.lora import adapt
from model.net.config import tiny
from model.net.deepseek_ocr import build
from model.net.pipeline_cut import ONE_RANK
from model.train.layout import copied
from recipes.__main__ import main
from recipes.finetune import finetune
from tests.model.train.test_training_words import here, run_of  # noqa: F401  (a fixture)

functional = pytest.importorskip("bitsandbytes.functional")
LOAD = Load(((512, 512),), (100,), 50)


def test_packed_weights_are_those_of_bitsandbytes_and_take_the_plans_bytes():
    net, plain = (build(tiny(), 2).bfloat16() for _ in range(2))
    pack(net)
    adapt(net, 16, 32)
    set_up = replace(plan.SET_UPS[3], method=plan.QLORA)
    assert sum(p.nbytes for p in net.parameters()) == memory(tiny(), LOAD, set_up, ONE_RANK, 0, 1, ()).weights
    experts, expected = net.decoder.layers[1].mlp.experts, plain.decoder.layers[1].mlp.experts.gate_up
    packed, state = functional.quantize_4bit(expected.detach(), blocksize=64, quant_type="nf4")
    theirs = functional.dequantize_4bit(packed, state)
    assert torch.equal(experts.gate_up, theirs) and experts.gate_up.dtype == torch.bfloat16
    assert 0 < (theirs - expected).abs().mean() < 0.15 * expected.abs().mean()
    unpack(net)
    assert torch.equal(experts.gate_up, theirs) and type(experts).__name__ == "Experts"
    assert torch.equal(net.lm_head.weight, plain.lm_head.weight)


def test_a_fine_tuning_of_adapters_over_4_bits(here, capsys, monkeypatch):  # noqa: F811
    words = ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "steps=4", "on=inline", "load_in_4bit=1"]
    assert main([*words, "lora=2", "out=out", "save_steps=2"]) == 0
    lines = [json.loads(line) for line in (here / "out/train/loss.jsonl").read_text().splitlines()]
    assert lines[-1]["held_out_loss"] < lines[0]["held_out_loss"] and run_of(here)["packed"] is True
    # The exported model is the adapter over the weights that it was trained over.
    over = model.load("start", dtype=None)
    pack(over)
    unpack(over)
    merge_adapter(over, Folder("out/train/adapter"))
    exported, before = model.load("out/train/model").state_dict(), model.load("start").state_dict()
    for name, value in over.state_dict().items():
        if value.is_floating_point():
            assert (exported[name].float() - value.float()).abs().max() <= 0.01 * value.float().abs().max(), name
    assert not torch.equal(exported["decoder.layers.1.mlp.experts.down"], before["decoder.layers.1.mlp.experts.down"])
    assert torch.equal(exported["lm_head.weight"], before["lm_head.weight"])
    assert main([*words, "out=other"]) == 2 and "load_in_4bit is of weights of start beneath fresh" in capsys.readouterr().err
    step = finetune(data="rows.jsonl", start="start", lora=2, load_in_4bit=True).steps[0]
    assert copied(step, 1, 8).parallel.replicate == 8  # ranks don't share such weights
    assert main(["finetune", "start=start", "data=rows.jsonl", "lora=16", "load_in_4bit=1", "plan=1"]) == 0
    said = capsys.readouterr().out.partition(plan.QLORA.name)[2]
    assert said.splitlines()[2].startswith("as it is set")
    monkeypatch.setattr("model.files.four_bit.find_spec", lambda name: None)
    assert main([*words, "lora=2", "out=third"]) == 2
    assert "weights in 4 bits need bitsandbytes: pip install" in capsys.readouterr().err
