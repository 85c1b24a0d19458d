"""An adapter that goes on being trained: the same gradients and steps as peft's of the network that it was made for, and the same
file in the end."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch import nn

import model
from datagen.disk.storage import Folder
from model.files.adapters import merge_adapter
from model.files.continued_adapters import continue_adapter, save_continued
from model.files.lora import is_adapted, merge
from model.files.safetensors_files import BadCheckpoint
from model.net.batch import IGNORED
from recipes.__main__ import main
from tests.parity.reference import loaded, their_logits
from tests.parity.test_adapters import Released, stirred

FILE = "adapter_model.safetensors"
UNSLOTH = LoraConfig(
    r=4,
    lora_alpha=6,
    target_modules=r".*language_model.*\.(q_proj|v_proj|down_proj)|.*vision_encoder.*\.(q_proj|v_proj)|.*embed_tokens",
    target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj", "mlp.gate.weight"],
    modules_to_save=["multi_modal_projector"],
    rank_pattern={r".*\.q_proj": 2},
)
DORA = LoraConfig(r=3, lora_alpha=5, use_dora=True, use_rslora=True, target_modules=r".*language_model.*\.(k_proj|up_proj)")


@pytest.mark.parametrize("config", [UNSLOTH, DORA], ids=["stacked experts", "DoRA"])
def test_three_steps_are_those_of_peft(config, base, asked, tmp_path):
    ids_BL, _, image_T = asked
    labels_BL = ids_BL.roll(-1, 1).flatten().index_fill(0, image_T, IGNORED).view_as(ids_BL)
    begun, theirs_out, ours_out = (tmp_path / name for name in ("begun", "theirs", "ours"))
    theirs = stirred(get_peft_model(loaded(base), config))
    theirs.save_pretrained(str(begun), save_embedding_layers=False)
    ours = model.load(base)
    continue_adapter(ours, Folder(str(begun)))
    losses = []
    for net in (theirs, ours):
        trained = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(trained, lr=0.05)
        for _ in range(3):
            logits_BLV = ours.logits(ours(*asked)) if net is ours else their_logits(net, asked)
            loss = nn.functional.cross_entropy(logits_BLV.flatten(0, 1), labels_BL.flatten())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    assert losses[3:] == pytest.approx(losses[:3], abs=1e-4) and abs(losses[2] - losses[0]) > 0.01
    theirs.save_pretrained(str(theirs_out), save_embedding_layers=False)
    save_continued(Folder(str(ours_out)), ours, "elsewhere/model")
    before, expected, found = (load_file(folder / FILE) for folder in (begun, theirs_out, ours_out))
    assert found.keys() == expected.keys()
    assert max((found[key] - value).abs().max().item() for key, value in expected.items()) < 1e-5
    assert sum(not torch.equal(before[key], value) for key, value in expected.items()) > 0.9 * len(expected)
    of_begun, of_ours = (json.loads((folder / "adapter_config.json").read_text()) for folder in (begun, ours_out))
    changed = {key for key, value in of_ours.items() if of_begun.get(key) != value}
    assert changed <= {"base_model_name_or_path", "inference_mode"} and of_ours["base_model_name_or_path"] == "elsewhere/model"
    # It is merged to the same weights.
    again = model.load(base)
    merge_adapter(again, Folder(str(ours_out)))
    assert is_adapted(ours)
    merge(ours)
    assert not is_adapted(ours)
    state = again.state_dict()
    assert ours.state_dict().keys() == state.keys()
    assert max((ours.state_dict()[name] - value).abs().max().item() for name, value in state.items()) < 2e-6


def swifts(base, folder, **values) -> Path:
    """An adapter beside each expert's matrices, as `all-linear` over the released code has it."""
    theirs = Released(model.load(base))
    layers = [name for name, module in theirs.named_modules() if isinstance(module, nn.Linear) and name != "lm_head"]
    config = LoraConfig(**{"r": 3, "lora_alpha": 8, "target_modules": layers} | values)
    with torch.random.fork_rng():
        torch.manual_seed(5)  # by which peft draws matrices: on them depends which experts a training reaches
        stirred(get_peft_model(theirs, config)).save_pretrained(str(folder))
    return folder


def test_a_pair_beside_each_experts_matrix_has_the_gradients_of_the_chain_rule(base, asked, tmp_path):
    """dA = s Bᵀ dW and dB = s dW Aᵀ, of the merged network's gradient dW."""
    folder = Folder(str(swifts(base, tmp_path)))
    merged, ours = model.load(base), model.load(base)
    merge_adapter(merged, folder)
    continue_adapter(ours, folder)
    for net in (merged, ours):
        net.logits(net(*asked)).square().mean().backward()
    given = {key.removeprefix("base_model.model."): value for key, value in load_file(tmp_path / FILE).items()}
    source = ours.continued.parameters
    for n, width in ((1, 16), (2, 16)):
        gate_up, down = (getattr(merged.decoder.layers[n].mlp.experts, name).grad for name in ("gate_up", "down"))
        for expert in (0, 5):
            parts = {"gate_proj": gate_up[expert, :width], "up_proj": gate_up[expert, width:], "down_proj": down[expert]}
            for name, d_weight in parts.items():
                key = f"model.layers.{n}.mlp.experts.{expert}.{name}"
                a, b = (given[f"{key}.lora_{half}.weight"] for half in "AB")
                for half, expected in (("A", 8 / 3 * b.T @ d_weight), ("B", 8 / 3 * d_weight @ a.T)):
                    own, number = source[f"base_model.model.{key}.lora_{half}.weight"]
                    found = ours.get_parameter(own).grad[number]
                    assert (found - expected).abs().max() <= 1e-4 * expected.abs().max() + 1e-9, (key, half)


def test_a_fine_tuning_trains_it_on_and_writes_it_as_it_was(words, capsys):
    words = [*words, "steps=6"]
    swifts("start", "adapter")
    assert main([*words, "adapter=adapter", "train_adapter=1", "out=out"]) == 0
    before, after = load_file(f"adapter/{FILE}"), load_file(f"out/train/adapter/{FILE}")
    assert before.keys() == after.keys()
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert changed == after.keys()
    merged = model.load("start")
    merge_adapter(merged, Folder("out/train/adapter"))
    exported = model.load("out/train/model").state_dict()
    assert all(
        (exported[name].float() - value).abs().max() <= 0.01 * value.abs().max() for name, value in merged.state_dict().items()
    )
    assert main([*words, "train_adapter=1", "out=other"]) == 2
    assert "train_adapter trains on what is in adapter" in capsys.readouterr().err


def test_what_can_be_merged_but_not_trained_on_is_told(base, tmp_path):
    some = [f"model.layers.1.mlp.experts.{n}.gate_proj" for n in (0, 2)]
    folder = Folder(str(swifts(base, tmp_path / "some", target_modules=some)))
    with pytest.raises(
        BadCheckpoint, match=r"not all experts beside decoder\.layers\.1\.mlp\.experts\.gate_up have matrices of one rank"
    ):
        continue_adapter(model.load(base), folder)
    every = [f"model.layers.1.mlp.experts.{n}.gate_proj" for n in range(8)]
    folder = Folder(str(swifts(base, tmp_path / "dora", target_modules=every, use_dora=True)))
    with pytest.raises(BadCheckpoint, match="DoRA beside a part of a weight: it can be merged, not trained on"):
        continue_adapter(model.load(base), folder)
