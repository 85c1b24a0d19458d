"""What a batch holds, and that samples which share a row don't see each other."""

import dataclasses
import random
import warnings

import pytest
import torch
from torch.nn.attention.flex_attention import create_block_mask, create_mask

from model.net import attention
from model.net.attention import PADDING
from model.net.batch import IGNORED, batch, packed
from model.net.config import tiny
from model.net.deepseek_ocr import build
from tests.model.lines import LONG, answer_loss, line_crop, tokens_of


def text_alone(text: str):
    return dataclasses.replace(line_crop(text, task="text"), image=None, size=(0, 0))


def a_sample_a_row(samples, tokenizer):
    return batch([[tokens_of(sample, tokenizer)] for sample in samples], tokenizer)


def test_a_batch_by_hand(tokenizer):
    short, long = line_crop("Ab", "a"), line_crop(LONG, "b")
    batch = a_sample_a_row([short, long], tokenizer)
    assert [image.whole_3HW.shape for image in batch.images] == [(3, 512, 512)] * 2
    assert (batch.image_T // batch.ids_BL.shape[1]).bincount().tolist() == [73, 73]
    for row, sample in enumerate((short, long)):
        learned = batch.labels_BL[row] != IGNORED
        answer = batch.labels_BL[row][learned].tolist()
        assert tokenizer.decode(answer[:-1]) == sample.text and answer[-1] == tokenizer.eos
        # The label at a position is the token after it.
        assert torch.equal(batch.labels_BL[row][learned], batch.ids_BL[row].roll(-1)[learned])
    assert batch.num_tokens == sum(len(tokenizer.encode(s.text)) + 1 for s in (short, long))
    assert batch.num_upsampled == 1
    assert batch.samples_BL[0, -1] == PADDING and (batch.samples_BL[1] == 0).all()


def balancing(alpha: float):
    return dataclasses.replace(tiny(), decoder=dataclasses.replace(tiny().decoder, balance_alpha=alpha))


def test_packed_rows_give_what_samples_give_alone(tokenizer):
    """Loss, and every gradient, that of a large balance loss among them: images and text alone, in rows of several and one by
    one."""
    samples = [line_crop("Ab"), text_alone(LONG), line_crop(LONG), text_alone("c"), line_crop("d")]
    sequences = [tokens_of(sample, tokenizer) for sample in samples]
    rows = packed(sequences, 260)
    assert any(len(row) > 1 for row in rows) and len(rows) > 1
    results = []
    for arranged in (rows, [[one] for one in sequences]):
        net = build(balancing(0.1).with_vocab(len(tokenizer)), seed=1).train()
        loss = answer_loss(net, batch(arranged, tokenizer))
        loss.backward()
        results.append((loss.item(), {name: p.grad for name, p in net.named_parameters()}))
    (loss, gradients), (loss_alone, gradients_alone) = results
    assert loss == pytest.approx(loss_alone, rel=1e-5)
    for name, gradient in gradients.items():
        if gradient is not None:
            assert torch.allclose(gradient, gradients_alone[name], rtol=1e-3, atol=1e-4 * gradients_alone[name].abs().max()), name


@pytest.mark.parametrize("lengths", [[5, 64, 1, 17, 1, 8], [1], [3, 3, 3, 3]])
def test_short_samples_attend_together_as_they_do_one_by_one(lengths, monkeypatch):
    """Two rows of them, with gradients, whose sums over keys are in fp32."""
    source = torch.Generator().manual_seed(sum(lengths))
    inputs = [torch.randn(2, 3, sum(lengths), 8, generator=source, dtype=torch.float64) for _ in range(4)]
    results = []
    for short in (0, 64):
        monkeypatch.setattr(attention, "_SHORT", short)
        q, k, v, upstream = (x.clone().requires_grad_() for x in inputs)
        y = attention.attend(q, k, v, lengths + lengths)
        results.append([y.detach(), *torch.autograd.grad(y, (q, k, v), upstream)])
    assert all(torch.allclose(one, other, atol=1e-8) for one, other in zip(*results, strict=True))


def test_what_a_gpu_attends_with_keeps_to_samples_too(tokenizer, monkeypatch):
    """flex attention, not compiled, forward: all that a processor has of it."""
    samples = [line_crop("Ab"), text_alone(LONG), line_crop(LONG), text_alone("c"), line_crop("d")]
    rows = packed([tokens_of(sample, tokenizer) for sample in samples], 260)
    net, one = build(tiny().with_vocab(len(tokenizer)), seed=1).eval(), batch(rows, tokenizer)
    outputs = []
    for flexes in (False, True):
        monkeypatch.setattr(attention, "_flexes", lambda device, flexes=flexes: flexes)
        monkeypatch.setattr(attention, "_flex", lambda: attention.flex_attention)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it is slow so
            seen = attention.places(net.config.decoder, one.ids_BL.shape[1], one.ids_BL.device, one.samples_BL, one.lengths).seen
            assert isinstance(seen, attention.BlockMask) == flexes
            outputs.append(net(one.ids_BL, one.images, one.image_T, one.samples_BL)[one.samples_BL != PADDING])
    assert torch.allclose(*outputs, atol=1e-4)


def row_of(draw: random.Random, length: int) -> list[int]:
    """Samples of a row that is full, or isn't, or has one or none; some of them end where a block does."""
    lengths, rest = [], draw.choice((0, length, length, draw.randint(0, length)))
    while rest:
        lengths.append(min(rest, draw.choice((1, draw.randint(1, 40), draw.randint(100, 400), 128, 256, length))))
        rest -= lengths[-1]
    return lengths


@pytest.mark.parametrize("length", [1, 127, 128, 129, 700])
def test_blocks_from_lengths_are_those_that_torch_finds_from_a_whole_mask(length):
    for seed in range(8):
        draw = random.Random(1000 * length + seed)
        lengths = [row_of(draw, length) for _ in range(3)]
        numbers = [[n for n, num in enumerate(row) for _ in range(num)] for row in lengths]
        samples_BL = torch.tensor([row + [PADDING] * (length - len(row)) for row in numbers])
        assert attention.lengths_of(samples_BL) == lengths
        mask = attention._block_mask(samples_BL, lengths)
        expected = create_block_mask(mask.mask_mod, 3, None, length, length, "cpu")
        of_torch, ours = expected.as_tuple(flatten=False), mask.as_tuple(flatten=False)
        assert len(ours) == len(of_torch)
        for one, other in zip(ours, of_torch, strict=True):
            is_tensor = isinstance(one, torch.Tensor)
            assert (torch.equal(one, other) and one.dtype == other.dtype) if is_tensor else one == other
        at_L = torch.arange(length)
        sees_BLL = (samples_BL[:, :, None] == samples_BL[:, None]) & (at_L[:, None] >= at_L)
        assert torch.equal(create_mask(mask.mask_mod, 3, None, length, length, "cpu")[:, 0], sees_BLL)


def test_batches_of_a_step_add_up_to_it(tokenizer):
    """Two batches under the scales of the whole give the gradients of the whole, the balance loss's too; and each token's loss
    is its own, whichever batch it is in."""
    samples = [line_crop("Ab"), text_alone(LONG), line_crop(LONG), text_alone("c")]
    sequences = [tokens_of(sample, tokenizer) for sample in samples]
    whole = batch([sequences], tokenizer)
    results = []
    for batches in ([whole], [batch([sequences[:1]], tokenizer), batch([sequences[1:]], tokenizer)]):
        net = build(balancing(0.1).with_vocab(len(tokenizer)), seed=1).train()
        found = []
        for one in batches:
            scales = {"scale": 1 / whole.num_tokens, "balance_scale": 1 / whole.num_samples}
            found.append(net(one.ids_BL, one.images, one.image_T, one.samples_BL, labels_BL=one.labels_BL, **scales))
            found[-1].total.backward()
        each_T = torch.cat([one.each_T for one in found])
        assert sum(one.total.item() for one in found) == pytest.approx(each_T.mean().item(), rel=1e-5)
        results.append((each_T, {name: p.grad for name, p in net.named_parameters() if p.grad is not None}))
    (each_T, gradients), (each_apart_T, gradients_apart) = results
    assert torch.allclose(each_T, each_apart_T, atol=1e-4) and len(each_T) == whole.num_tokens
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, gradients_apart[name], rtol=1e-3, atol=1e-4 * gradient.abs().max()), name
