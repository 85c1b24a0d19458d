"""AdamW in less memory moves weights as AdamW does: torch's in fp32, bitsandbytes' in 8 bits; and through a whole fine-tuning."""

import json

import pytest
import torch
from torch import nn

from datagen.disk.storage import Folder
from model.train import trainer
from model.train.lean_adamw import LeanAdamW, joined, parted
from recipes.__main__ import main
from tests.model.train.test_training_words import here  # noqa: F401  (a fixture)

BETAS = (0.9, 0.95)


def group(*weights):
    return [{"params": list(weights), "weight_decay": 0.1}]


def test_a_number_in_fp32_is_its_bf16_and_what_is_left():
    wide = torch.randn(100_000) * 10 ** (10 * torch.randn(100_000))
    wide[:4] = torch.tensor([0.0, -0.0, 1.00390625, -1.00390625])
    high, low = parted(wide)
    midway = low == -(1 << 15)  # between two numbers in bf16, as the last ones
    assert torch.equal(joined(high, low), wide) and torch.equal(high[~midway], wide[~midway].bfloat16())
    assert midway[2:4].all() and midway.sum() < 20


def test_weights_in_bf16_move_as_those_in_fp32():
    narrow, other = (nn.Parameter(torch.randn(7, 40).bfloat16()) for _ in range(2))
    wide = nn.Parameter(narrow.detach().float())
    lean, plain = LeanAdamW(group(narrow, other), 1e-3, BETAS), torch.optim.AdamW(group(wide), lr=1e-3, betas=BETAS, fused=True)
    for _ in range(20):
        narrow.grad = torch.randn(7, 40).bfloat16()
        wide.grad = narrow.grad.float()
        lean.step()
        plain.step()
    assert torch.equal(joined(narrow.data, lean.state[narrow]["low"]), wide.data)
    assert torch.equal(narrow.data, parted(wide.data)[0]) and not lean.state[other]


def test_moments_in_8_bits_are_those_of_bitsandbytes():
    theirs = pytest.importorskip("bitsandbytes").optim
    torch.manual_seed(0)
    ours_w, theirs_w, few = nn.Parameter(torch.randn(64, 256)), nn.Parameter(torch.empty(64, 256)), nn.Parameter(torch.ones(9))
    theirs_w.data.copy_(ours_w.data)
    begun = ours_w.detach().clone()
    ours = LeanAdamW(group(ours_w, few), 1e-3, BETAS, 8)
    reference = theirs.AdamW8bit(group(theirs_w), lr=1e-3, betas=BETAS)
    for _ in range(20):
        ours_w.grad = torch.randn(64, 256)
        theirs_w.grad, few.grad = ours_w.grad.clone(), torch.ones(9)
        ours.step()
        reference.step()
    apart, moved = (ours_w - theirs_w).abs(), (theirs_w - begun).abs()
    assert apart.mean() < 1e-5 * moved.mean() and apart.max() < 0.02 * moved.max()  # a number may fall on the next of 256 values
    state = ours.state[ours_w]
    assert state["exp_avg"].dtype == torch.uint8 and state["exp_avg_sq_scales"].shape == (64, 1)
    assert ours.state[few]["exp_avg"].dtype == torch.float32


def test_without_bitsandbytes_it_is_said_what_to_install(here, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setattr("model.train.lean_adamw.find_spec", lambda name: None)
    words = ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "steps=1", "on=inline"]
    assert main([*words, "optim=adamw_8bit"]) == 2
    assert "moments in 8 bits need bitsandbytes: pip install 'pagewheel[memory]'" in capsys.readouterr().err
    assert main([*words, "optim=sgd"]) == 2 and "allowed are adamw and adamw_8bit" in capsys.readouterr().err
    assert main([*words, "torch_dtype=bfloat16", "lora=2"]) == 2
    assert "torch_dtype is of weights that are trained" in capsys.readouterr().err


@pytest.mark.slow
def test_all_weights_in_bf16_with_moments_in_8_bits_end_in_the_same_bytes_after_a_kill(here, monkeypatch):  # noqa: F811
    pytest.importorskip("bitsandbytes")
    words = ["finetune", "start=start", "data=rows.jsonl", "variant=tiny", "modes=line", "steps=3", "save_steps=1", "on=inline"]
    words += ["torch_dtype=bfloat16", "optim=adamw_8bit"]
    assert main([*words, "out=whole"]) == 0
    update = trainer._Training._update

    def killed(self, number, *rest):
        if number == 2:
            assert self.net.lm_head.weight.dtype == torch.bfloat16
            raise KeyboardInterrupt
        return update(self, number, *rest)

    monkeypatch.setattr(trainer._Training, "_update", killed)
    assert main([*words, "out=again"]) == 130
    monkeypatch.setattr(trainer._Training, "_update", update)
    assert main([*words, "out=again"]) == 0
    whole, again = (Folder(str(here / name)).sub("train") for name in ("whole", "again"))
    name = "model/model-00001-of-000001.safetensors"
    assert whole.read(name) == again.read(name) and whole.read("loss.jsonl") == again.read("loss.jsonl")
    measured = json.loads(whole.read("metrics.json"))
    assert measured["held_out_loss_last"] < measured["held_out_loss_first"] and measured["precision"] == "bfloat16"
