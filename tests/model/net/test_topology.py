"""The network's names and sizes are the released checkpoint's, and a loss reaches every part of it."""

import dataclasses
import re

import pytest
import torch

from model.files.weights import released_tensors
from model.net.batch import batch
from model.net.config import ClipConfig, DecoderConfig, ModelConfig, full, line_reader, small_moe, stage1, tiny
from model.net.deepseek_ocr import PARTS, DeepseekOcr, build, part_of
from model.net.image import Views
from model.net.moe import Samples, balance
from model.net.tokenizer import train_tokenizer
from model.train.optim import freeze
from tests.model.lines import EIGHT, answer_loss, line_crop, tokens_of

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
UNUSED = {"encoder.clip.embeddings.patch_embedding.weight"}
TINY = tiny()


def on_meta(config: ModelConfig) -> DeepseekOcr:
    with torch.device("meta"):
        return DeepseekOcr(config)


def test_the_released_sizes():
    net = on_meta(full())
    assert len(released_tensors(net)) == 2711
    assert net.num_parameters()[0] == 3_336_106_240
    assert round(net.num_parameters()[1] / 1e6, 1) == 574.1
    shapes = {name: tuple(value.shape) for name, value in released_tensors(net).items()}
    assert shapes["model.sam_model.pos_embed"] == (1, 64, 64, 768)
    assert shapes["model.sam_model.blocks.0.attn.rel_pos_h"] == (27, 64)
    assert shapes["model.sam_model.blocks.2.attn.rel_pos_h"] == (127, 64)
    assert shapes["model.vision_model.embeddings.position_embedding.weight"] == (257, 1024)
    assert shapes["model.layers.11.mlp.experts.63.down_proj.weight"] == (1280, 896)
    assert shapes["model.layers.11.mlp.shared_experts.down_proj.weight"] == (1280, 1792)


@pytest.mark.parametrize("config", [tiny(), small_moe(), full()], ids=["tiny", "small_moe", "full"])
def test_names_are_the_released_ones(config):
    used = set()
    for name in released_tensors(on_meta(config)):
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


def test_stage_1_is_the_same_encoder_before_a_dense_decoder():
    first, second = on_meta(stage1()), on_meta(full())
    shapes = [{n: p.shape for n, p in net.encoder.named_parameters() if "projector" not in n} for net in (first, second)]
    marks = {"image_newline", "view_separator"}
    assert {n: s for n, s in shapes[0].items() if n not in marks} == {n: s for n, s in shapes[1].items() if n not in marks}
    assert not [name for name, _ in first.named_parameters() if "experts" in name or name.endswith("gate.weight")]
    total, active = first.num_parameters()
    assert round(total / 1e6) == 684 and round(active / 1e6) == 184  # of which embeddings and head take 99 million each


def test_a_line_reader_of_stage_1_hands_its_encoder_to_that_of_stage_2():
    first, second = on_meta(line_reader(1)), on_meta(line_reader())
    shapes = [{n: p.shape for n, p in net.encoder.named_parameters()} for net in (first, second)]
    assert shapes[0] == shapes[1]
    assert not [name for name, _ in first.named_parameters() if "experts" in name]
    assert [round(net.num_parameters()[0] / 1e6, 2) for net in (first, second)] == [1.94, 2.39]


def test_a_loss_reaches_every_parameter():
    batch, vocab = noisy_batch()
    net = build(TINY.with_vocab(vocab)).train()
    loss = answer_loss(net, batch)
    loss.backward()
    still = {name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    assert still == UNUSED


@pytest.mark.parametrize(
    "parts", [("sam",), ("clip",), ("projector",), ("experts",), ("embeddings",), ("decoder",), tuple(PARTS)]
)
def test_what_is_frozen_gets_no_gradient_and_the_rest_does(parts):
    batch, vocab = noisy_batch()
    net = build(TINY.with_vocab(vocab)).train()
    freeze(net, [part for part in PARTS if part not in parts])
    loss = answer_loss(net, batch)
    loss.backward()
    moved = {name for name, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    assert moved == {name for name, _ in net.named_parameters() if part_of(name) in parts} - UNUSED


def noisy_batch():
    """Noise for pixels: a fresh network takes alike images to alike experts, and one that no token chose gets no gradient."""
    tokenizer = train_tokenizer(EIGHT, 512)
    one = batch([[tokens_of(line_crop(text), tokenizer) for text in EIGHT]], tokenizer)
    source = torch.Generator().manual_seed(0)
    images = tuple(Views(torch.randn(image.whole_3HW.shape, generator=source)) for image in one.images)
    return dataclasses.replace(one, images=images), len(tokenizer)


def test_weights_follow_from_the_seed():
    a, b, c = build(TINY, 1).state_dict(), build(TINY, 1).state_dict(), build(TINY, 2).state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["lm_head.weight"], c["lm_head.weight"])
    assert all(value.isfinite().all() for value in a.values())


def test_balance_by_hand():
    """Two samples of two positions, three experts, two chosen: sum_e f_e P_e, f_e = count_e * E / (S * K)."""
    probs = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6], [0.1, 0.8, 0.1], [0.4, 0.5, 0.1]])
    chosen = torch.tensor([[0, 1], [2, 0], [1, 0], [1, 0]])
    first = (2 * 3 / 4) * 0.35 + (1 * 3 / 4) * 0.25 + (1 * 3 / 4) * 0.4
    second = (2 * 3 / 4) * 0.25 + (2 * 3 / 4) * 0.65
    assert balance(probs, chosen, Samples(torch.tensor([0, 0, 1, 1]), 2, 1 / 2)).item() == pytest.approx((first + second) / 2)
    # The second sample's second position is padding: it counts neither in the choices nor in the mean.
    second = (1 * 3 / 2) * 0.1 + (1 * 3 / 2) * 0.8
    assert balance(probs, chosen, Samples(torch.tensor([0, 0, 1, 2]), 2, 1 / 2)).item() == pytest.approx((first + second) / 2)


def test_balance_is_its_formula_in_float64():
    """Value and gradient, on many samples of uneven length."""
    source = torch.Generator().manual_seed(1)
    of_T = torch.randint(0, 7, (200,), generator=source)  # 6 samples, and padding
    logits = torch.randn(200, 16, generator=source).requires_grad_()
    probs = logits.softmax(-1)
    chosen = probs.topk(3).indices
    ours = balance(probs, chosen, Samples(of_T, 6, 1 / 6))
    (gradient,) = torch.autograd.grad(ours, logits)
    exact = logits.detach().double().requires_grad_()
    total = torch.zeros((), dtype=torch.float64)
    for sample in range(6):
        at = of_T == sample
        p = exact.softmax(-1)[at].mean(0)
        f = torch.stack([(chosen[at] == expert).sum() for expert in range(16)]).double() * 16 / (at.sum() * 3)
        total = total + (f * p).sum()
    (exact_gradient,) = torch.autograd.grad(total / 6, exact)
    assert ours.item() == pytest.approx(total.item() / 6, rel=1e-6)
    assert torch.allclose(gradient.double(), exact_gradient, rtol=1e-4, atol=1e-8)


def test_even_use_of_experts_balances_to_one():
    probs = torch.full((4, 4), 0.25)
    chosen = torch.tensor([[0, 1], [2, 3], [0, 1], [2, 3]])
    assert balance(probs, chosen, Samples(torch.zeros(4, dtype=torch.long), 1, 1.0)).item() == pytest.approx(1)


def test_padding_changes_nothing_before_it():
    net = build(TINY).eval()
    ids = torch.randint(3, 4000, (1, 30), generator=torch.Generator().manual_seed(0))
    padded = torch.cat([ids, torch.full((1, 9), 2)], 1)
    with torch.no_grad():
        assert torch.allclose(net(ids), net(padded)[:, :30], atol=1e-4)


def test_a_decoder_may_be_dense_alone():
    dense = dataclasses.replace(
        TINY, decoder=DecoderConfig(vocab_size=64, width=32, depth=2, heads=2, dense_width=64, num_dense_layers=2)
    )
    net = build(dense).train()
    hidden = net(torch.randint(0, 64, (2, 9)))
    assert hidden.shape == (2, 9, 32)
