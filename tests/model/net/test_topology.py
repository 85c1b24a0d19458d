"""The network's names and sizes are the released checkpoint's, and a loss reaches every part of it."""

import dataclasses

import pytest
import torch

from model.files.weights import released_tensors
from model.net.batch import batch
from model.net.config import ClipConfig, ModelConfig, full, stage1, tiny
from model.net.deepseek_ocr import PARTS, DeepseekOcr, build, part_of
from model.net.image import Views
from model.net.moe import Samples, balance
from model.net.tokenizer import train_tokenizer
from model.train.optim import freeze
from tests.model.lines import EIGHT, answer_loss, line_crop, tokens_of

UNUSED = {"encoder.clip.embeddings.patch_embedding.weight"}
TINY = tiny()


def on_meta(config: ModelConfig) -> DeepseekOcr:
    with torch.device("meta"):
        return DeepseekOcr(config)


def test_the_released_sizes():
    net = on_meta(full())
    assert len(released_tensors(net)) == 2710
    assert sum(2 * value.numel() for value in released_tensors(net).values()) == 6_672_212_480  # bytes in bf16
    assert net.num_parameters()[0] == 3_336_106_240
    assert round(net.num_parameters()[1] / 1e6, 1) == 574.1
    shapes = {name: tuple(value.shape) for name, value in released_tensors(net).items()}
    assert shapes["model.sam_model.pos_embed"] == (1, 64, 64, 768)
    assert shapes["model.sam_model.blocks.0.attn.rel_pos_h"] == (27, 64)
    assert shapes["model.sam_model.blocks.2.attn.rel_pos_h"] == (127, 64)
    assert shapes["model.vision_model.embeddings.position_embedding.weight"] == (257, 1024)
    assert shapes["model.vision_model.embeddings.patch_embedding.weight"] == (1024, 3, 14, 14)
    assert shapes["model.layers.11.mlp.experts.63.down_proj.weight"] == (1280, 896)
    assert shapes["model.layers.11.mlp.shared_experts.down_proj.weight"] == (1280, 1792)


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


@pytest.mark.parametrize("parts", [("sam",), ("clip", "projector"), ("experts",), ("embeddings",), ("decoder",)])
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
