"""The network's names and sizes are the released checkpoint's, and a loss reaches every part of it."""

import dataclasses
import re

import pytest
import torch

from datagen.target import Prompt
from model.config import RELEASED, TINY, ClipConfig, ModelConfig
from model.deepseek_ocr import DeepseekOcr, build
from model.evaluate import answer_loss
from model.image import MODES, num_tokens
from model.loader import collate
from model.moe import balance
from model.tokenizer import train_tokenizer
from tests.model.lines import EIGHT, line_crop

RELEASED_NAMES = (
    r"lm_head\.weight",
    r"model\.(embed_tokens|norm)\.weight",
    r"model\.(image_newline|view_seperator)",
    r"model\.projector\.layers\.(weight|bias)",
    r"model\.layers\.\d+\.(input_layernorm|post_attention_layernorm)\.weight",
    r"model\.layers\.\d+\.self_attn\.[qkvo]_proj\.weight",
    r"model\.layers\.0\.mlp\.(gate|up|down)_proj\.weight",
    r"model\.layers\.[1-9]\d*\.mlp\.experts\.\d+\.(gate|up|down)_proj\.weight",
    r"model\.layers\.[1-9]\d*\.mlp\.gate\.weight",
    r"model\.layers\.[1-9]\d*\.mlp\.shared_experts\.(gate|up|down)_proj\.weight",
    r"model\.sam_model\.pos_embed",
    r"model\.sam_model\.patch_embed\.proj\.(weight|bias)",
    r"model\.sam_model\.neck\.[02]\.weight",
    r"model\.sam_model\.neck\.[13]\.(weight|bias)",
    r"model\.sam_model\.net_[23]\.weight",
    r"model\.sam_model\.blocks\.\d+\.norm[12]\.(weight|bias)",
    r"model\.sam_model\.blocks\.\d+\.attn\.(qkv|proj)\.(weight|bias)",
    r"model\.sam_model\.blocks\.\d+\.attn\.rel_pos_[hw]",
    r"model\.sam_model\.blocks\.\d+\.mlp\.lin[12]\.(weight|bias)",
    r"model\.vision_model\.embeddings\.(class_embedding|position_ids)",
    r"model\.vision_model\.embeddings\.(patch_embedding|position_embedding)\.weight",
    r"model\.vision_model\.pre_layrnorm\.(weight|bias)",
    r"model\.vision_model\.transformer\.layers\.\d+\.self_attn\.(qkv_proj|out_proj)\.(weight|bias)",
    r"model\.vision_model\.transformer\.layers\.\d+\.mlp\.fc[12]\.(weight|bias)",
    r"model\.vision_model\.transformer\.layers\.\d+\.layer_norm[12]\.(weight|bias)",
)
UNUSED = {"model.vision_model.embeddings.patch_embedding.weight"}


def on_meta(config: ModelConfig) -> DeepseekOcr:
    with torch.device("meta"):
        return DeepseekOcr(config)


def test_the_released_sizes():
    net = on_meta(RELEASED)
    assert len(net.state_dict()) == 2711
    assert net.num_parameters()[0] == 3_336_106_240
    assert round(net.num_parameters()[1] / 1e6, 1) == 574.1
    shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert shapes["model.sam_model.pos_embed"] == (1, 64, 64, 768)
    assert shapes["model.sam_model.blocks.0.attn.rel_pos_h"] == (27, 64)
    assert shapes["model.sam_model.blocks.2.attn.rel_pos_h"] == (127, 64)
    assert shapes["model.vision_model.embeddings.position_embedding.weight"] == (257, 1024)
    assert shapes["model.layers.11.mlp.experts.63.down_proj.weight"] == (1280, 896)
    assert shapes["model.layers.11.mlp.shared_experts.down_proj.weight"] == (1280, 1792)


@pytest.mark.parametrize("config", [TINY, RELEASED], ids=["tiny", "released"])
def test_names_are_the_released_ones(config):
    used = set()
    for name in on_meta(config).state_dict():
        matches = [pattern for pattern in RELEASED_NAMES if re.fullmatch(pattern, name)]
        assert len(matches) == 1, f"{name} matches {matches}"
        used |= set(matches)
    assert used == set(RELEASED_NAMES)


def test_tiny_has_every_kind_of_part():
    assert 0 < len(TINY.sam.global_blocks) < TINY.sam.depth
    assert 0 < TINY.decoder.num_dense_layers < TINY.decoder.depth
    assert TINY.decoder.num_experts > TINY.decoder.num_experts_per_token > 1 < TINY.decoder.num_shared_experts


def test_widths_that_do_not_meet_are_refused():
    with pytest.raises(ValueError, match=r"clip\.width is 64"):
        ModelConfig(clip=ClipConfig(width=64))


def test_placeholders_of_the_modes():
    assert {mode: num_tokens(mode) for mode in MODES} == {"tiny": 73, "small": 111, "base": 273, "large": 421}


def test_a_loss_reaches_every_parameter():
    tokenizer = train_tokenizer(EIGHT, 512)
    batch = collate([(line_crop(text), Prompt.FREE) for text in EIGHT], tokenizer, "tiny", 200)
    # Noise for pixels: a fresh network takes alike images to alike experts, and an expert that no token chose gets no gradient.
    batch = dataclasses.replace(batch, x_B3SS=torch.randn(batch.x_B3SS.shape, generator=torch.Generator().manual_seed(0)))
    net = build(TINY.with_vocab(len(tokenizer))).train()
    (answer_loss(net, batch) + net.balance_loss()).backward()
    still = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    assert still == UNUSED


def test_weights_follow_from_the_seed():
    a, b, c = build(TINY, 1).state_dict(), build(TINY, 1).state_dict(), build(TINY, 2).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["lm_head.weight"], c["lm_head.weight"])
    assert all(value.isfinite().all() for value in a.values())


def test_balance_by_hand():
    """Two samples of two positions, three experts, two chosen: sum_e f_e P_e, f_e = count_e * E / (S * K)."""
    probs = torch.tensor([[[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], [[0.1, 0.8, 0.1], [0.4, 0.5, 0.1]]])
    chosen = torch.tensor([[[0, 1], [2, 0]], [[1, 0], [1, 0]]])
    real = torch.ones(2, 2, dtype=torch.bool)
    first = (2 * 3 / 4) * 0.35 + (1 * 3 / 4) * 0.25 + (1 * 3 / 4) * 0.4
    second = (2 * 3 / 4) * 0.25 + (2 * 3 / 4) * 0.65
    assert balance(probs, chosen, real).item() == pytest.approx((first + second) / 2)
    # The second sample's second position is padding: it counts neither in the choices nor in the mean.
    real[1, 1] = False
    second = (1 * 3 / 2) * 0.1 + (1 * 3 / 2) * 0.8
    assert balance(probs, chosen, real).item() == pytest.approx((first + second) / 2)


def test_even_use_of_experts_balances_to_one():
    probs = torch.full((1, 4, 4), 0.25)
    chosen = torch.tensor([[[0, 1], [2, 3], [0, 1], [2, 3]]])
    assert balance(probs, chosen, torch.ones(1, 4, dtype=torch.bool)).item() == pytest.approx(1)


def test_padding_changes_nothing_before_it():
    net = build(TINY).eval()
    ids = torch.randint(3, 4000, (1, 30), generator=torch.Generator().manual_seed(0))
    padded = torch.cat([ids, torch.full((1, 9), 2)], 1)
    with torch.no_grad():
        assert torch.allclose(net.model(ids), net.model(padded)[:, :30], atol=1e-4)
