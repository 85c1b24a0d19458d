"""Adapters that other tools wrote, in the form of each: merged here they are what peft's own merge makes of its network."""

import json
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn

import model
from datagen.disk.storage import Folder
from model.files.adapters import merge_adapter, transformers_name
from model.files.safetensors_files import BadCheckpoint
from model.files.weights import released_tensors
from model.net.deepseek_ocr import DeepseekOcr, build
from recipes.__main__ import main
from tests.parity.reference import NARROW, loaded


class Released(nn.Module):
    """The modules of the released code, by their names: a linear layer for each matrix, also of an expert."""

    def __init__(self, net: DeepseekOcr):
        super().__init__()
        of_modules: dict[str, dict[str, torch.Tensor]] = {}
        for key, value in released_tensors(net).items():
            above, _, own = key.rpartition(".")
            of_modules.setdefault(above, {})[own] = value
        for above, values in of_modules.items():
            module: nn.Module = self
            *outer, last = above.split(".")
            for name in outer:
                if not hasattr(module, name):
                    module.add_module(name, nn.Module())
                module = getattr(module, name)
            if not hasattr(module, last):
                module.add_module(last, _linear(above, values) or nn.Module())
            module = getattr(module, last)
            for own, value in values.items():
                if value.is_floating_point():
                    setattr(module, own, nn.Parameter(value.clone()))


def _linear(name: str, values: dict[str, torch.Tensor]) -> nn.Linear | None:
    weight = values.get("weight")
    if weight is None or weight.ndim != 2 or "embed" in name or name.endswith("mlp.gate"):
        return None
    return nn.Linear(weight.shape[1], weight.shape[0], bias="bias" in values)


def stirred(adapted: PeftModel) -> PeftModel:
    """As if all that is trained had learned."""
    source = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if parameter.requires_grad:
                scale = parameter.abs().mean() if "magnitude" in name else 0.1
                parameter.add_(scale * torch.randn(parameter.shape, generator=source))
    return adapted


def merged_by_both(base: Path, theirs: nn.Module, config: LoraConfig, folder: Path) -> tuple[set[str], float]:
    """(what changed, by its names there; the largest difference between peft's merge and ours)"""
    adapted = stirred(get_peft_model(theirs, config))
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    expected = {n: p.detach() for n, p in adapted.merge_and_unload().named_parameters()}
    net = model.load(base)
    before = {key: value.clone() for key, value in named(net, expected).items()}
    merge_adapter(net, Folder(str(folder)))
    after = named(net, expected)
    changed = {key for key in after if not torch.equal(after[key], before[key])}
    return changed, max((after[key] - expected[key]).abs().max().item() for key in after)


def named(net: DeepseekOcr, names: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our weights by the names that the other network has for them."""
    found = {}
    for key, value in released_tensors(net).items():
        found |= {key: value, transformers_name(key): value}
        if ".qkv_proj." in key:
            parts = zip("qkv", value.chunk(3), strict=True)
            found |= {transformers_name(key).replace(".qkv_proj.", f".{layer}_proj."): part for layer, part in parts}
    for name, value in net.state_dict().items():
        if name.endswith((".gate_up", ".down")):
            found[f"model.language_model.{name.removeprefix('decoder.')}_proj"] = value
    return {name: found[name] for name in names if name in found}


def test_unsloths_form_with_stacked_experts(base, tmp_path):
    """`target_parameters` of transformers' class, beside attention and shared experts."""
    config = LoraConfig(
        r=4,
        lora_alpha=6,
        target_modules=r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)",
        target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
    )
    changed, difference = merged_by_both(base, loaded(base), config, tmp_path)
    assert difference < 2e-6
    layers = "model.language_model.layers"
    of_experts = {f"{layers}.1.mlp.experts.gate_up_proj", f"{layers}.2.mlp.experts.down_proj"}
    assert of_experts | {f"{layers}.0.mlp.up_proj.weight"} <= changed
    assert not any("vision" in name or "norm" in name for name in changed)


def test_ms_swifts_form_with_a_pair_beside_each_experts_matrix(base, tmp_path):
    """Its `all-linear` over the released code is a list of all layers but the head."""
    theirs = Released(model.load(base))
    layers = [name for name, module in theirs.named_modules() if isinstance(module, nn.Linear) and name != "lm_head"]
    config = LoraConfig(r=3, lora_alpha=8, target_modules=layers, use_rslora=True, alpha_pattern={"self_attn.q_proj": 5})
    changed, difference = merged_by_both(base, theirs, config, tmp_path)
    assert difference < 2e-6 and changed == {f"{name}.weight" for name in layers}
    assert "model.layers.2.mlp.experts.7.down_proj.weight" in changed and "model.projector.layers.weight" in changed
    keys = load_file(tmp_path / "adapter_model.safetensors")
    assert "base_model.model.model.layers.1.mlp.experts.0.gate_proj.lora_A.weight" in keys


def test_pefts_form_with_dora_modules_to_save_biases_and_patterns(base, tmp_path):
    config = LoraConfig(
        r=4,
        lora_alpha=8,
        use_dora=True,
        target_modules=r".*(language_model.*\.(q_proj|down_proj)|vision_encoder.*\.(q_proj|k_proj|fc1)|sam_encoder.*\.qkv)",
        modules_to_save=["multi_modal_projector", "lm_head"],
        rank_pattern={r".*\.q_proj": 2},
        bias="lora_only",
    )
    changed, difference = merged_by_both(base, loaded(base), config, tmp_path)
    assert difference < 3e-6
    clip = "model.vision_tower.vision_encoder.encoder.layers.0"
    assert {"model.multi_modal_projector.weight", "model.multi_modal_projector.bias", "lm_head.weight"} <= changed
    assert {f"{clip}.self_attn.k_proj.weight", f"{clip}.mlp.fc1.bias"} <= changed
    assert f"{clip}.self_attn.v_proj.weight" not in changed


def test_a_fine_tuning_goes_on_from_it(words, capsys):
    """Merged, it is what is trained on; and what is exported with it."""
    words = [*words, "steps=1"]
    theirs = Released(model.load("start"))
    config = LoraConfig(r=2, target_modules=["model.layers.1.mlp.experts.0.gate_proj"])
    stirred(get_peft_model(theirs, config)).save_pretrained("adapter")
    assert main([*words, "adapter=adapter", "freeze=experts", "out=out"]) == 0
    name = "decoder.layers.1.mlp.experts.gate_up"
    expected = model.load("start")
    merge_adapter(expected, Folder("adapter"))
    tuned, before = model.load("out/train/model").state_dict(), model.load("start").state_dict()
    assert torch.equal(tuned[name], expected.state_dict()[name].bfloat16())
    assert not torch.equal(tuned[name], before[name].bfloat16())
    assert main([*words, "adapter=nowhere/at/all", "out=other"]) == 2
    assert "nowhere/at/all has no adapter_config.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda config, state: config.update(peft_type="IA3"), "IA3 can't be merged: LoRA and DoRA can"),
        (lambda config, state: config.update(use_qalora=True), "use_qalora can't be merged"),
        (lambda config, state: config.update(init_lora_weights="pissa_niter_4"), "it began with pissa_niter_4"),
        (lambda config, state: state.pop(f"{Q}.lora_A.weight"), r"q_proj has no lora_A, and its other matrix stands alone"),
        (lambda config, state: state.update({f"{Q}.lora_A.weight": torch.zeros(2, 7)}), r"q_proj should be beside \(48, 48\)"),
        (
            lambda config, state: state.update({f"{Q}.lora_B.weight": torch.full((48, 2), torch.nan)}),
            "with it .*q_proj isn't finite",
        ),
        (
            lambda config, state: state.update({"base_model.model.model.other.weight": torch.zeros(2)}),
            "model.other.weight has no place",
        ),
        (
            lambda config, state: state.update({"base_model.model.lm_head.weight": torch.zeros(2)}),
            r"lm_head.weight should be \(400, 48\)",
        ),
    ],
)
def test_an_adapter_of_something_else_is_told(tmp_path, damage, message):
    state = {f"{Q}.lora_A.weight": torch.ones(2, 48), f"{Q}.lora_B.weight": torch.ones(48, 2)}
    config = {"peft_type": "LORA", "lora_alpha": 2, "r": 2}
    damage(config, state)
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    save_file(state, tmp_path / "adapter_model.safetensors")
    with pytest.raises(BadCheckpoint, match=message):
        merge_adapter(build(NARROW), Folder(str(tmp_path)))


Q = "base_model.model.model.layers.0.self_attn.q_proj"
