"""The way that a GPU takes, on tensors without content: a value that is waited for, or a grouped product of shapes, strides or
types that CUDA refuses, raises there. What comes out is compared with the processor's in `test_parts.py`.
"""

import contextlib

import pytest
import torch
import torch.nn.functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from model.data.loader import _flat, _unflat, job, made_ahead, maker
from model.data.split import opened
from model.net import attention
from model.net.activation_checkpointing import checkpointed
from model.net.attention import compiled
from model.net.batch import batch, through
from model.net.config import tiny
from model.net.deepseek_ocr import DeepseekOcr
from model.net.tokenizer import byte_tokenizer
from model.train.log import by_source
from tests.model.drawn_rows import alone, pages
from tests.model.lines import EIGHT, line_crop, tokens_of


@pytest.fixture(autouse=True)
def without_autocast(monkeypatch):
    """Such tensors have none."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *_: False)


def test_a_step_of_the_trainer_waits_for_no_value(monkeypatch):
    """From a batch to gradients: rows of several samples, of which a part is learned. Flex attention itself is left out: it knows
    no such tensors."""
    masks = []

    def attends(q, k, v, block_mask):
        masks.append(block_mask)
        return F.scaled_dot_product_attention(q, k, v)

    monkeypatch.setattr(attention, "_flexes", lambda device: True)
    monkeypatch.setattr(attention, "_flex", lambda: attends)
    tokenizer = byte_tokenizer()
    samples = [tokens_of(line_crop(text), tokenizer) for text in EIGHT[:4]]
    one = batch([samples[:3], samples[3:]], tokenizer)
    with torch.device("meta"):
        net = DeepseekOcr(tiny().with_vocab(len(tokenizer))).to(torch.bfloat16).train()
    found = through(net, one.to("meta"), 0.1, 0.25)
    found.total.backward()
    assert found.each_T.shape == (one.num_tokens,) and masks[0].shape == (2, 1, *2 * one.ids_BL.shape[1:])
    by_source(found.each_T, one.to("meta").sources_T, 2)
    assert_all_have_gradients(net)


class Copies(TorchDispatchMode):
    """Counts what is copied to a device."""

    num = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.num += function is torch.ops.aten._to_copy.default
        return function(*args, **(kwargs or {}))


def test_all_images_of_a_batch_go_to_a_device_at_once(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)
    corpus = opened([pages("pages", 12)], byte_tokenizer(), 0.1)
    draws = [alone(corpus, 0, row, "gundam") for row in range(6)]
    make = maker(corpus, byte_tokenizer(), ["gundam"])
    jobs = [job(corpus, [draws[:2]]), job(corpus, [draws])]
    counts = []
    for plain, one in zip([make[each] for each in jobs], made_ahead(make, jobs, 0), strict=True):
        one = _unflat(_flat(one).pin_memory())  # as a worker and torch's thread do it for a GPU, but for the pinning
        with Copies() as copies:
            moved = one.to("meta")
        counts.append(copies.num)
        for image, other, on_device in zip(one.images, plain.images, moved.images, strict=True):
            assert all(torch.equal(*pair) for pair in zip(image.views, other.views, strict=True)) and image.grid == other.grid
            assert [view.shape for view in on_device.views] == [view.shape for view in image.views]
            assert {view.device.type for view in on_device.views} == {"meta"}
    assert counts == [9, 9]  # the pixels, and eight that say what is where


def assert_all_have_gradients(net):
    missing = [name for name, parameter in net.named_parameters() if parameter.grad is None and parameter.requires_grad]
    assert missing == []


@pytest.mark.slow
def test_what_is_compiled_is_one_operation_whose_result_checkpointing_saves():
    """As flex attention is on a GPU: the backward pass doesn't compute its products a second time."""

    def products(q_LK, k_LK):
        return (q_LK @ k_LK.T).softmax(-1) @ k_LK

    class Tower(torch.nn.Module):
        checkpointing = True

    counts = []
    for how in (compiled, torch.compile):
        torch._dynamo.reset()
        attends = how(products)
        x_LK, tower = torch.randn(16, 8, requires_grad=True), Tower()

        def forward(tower=tower, attends=attends, x_LK=x_LK):
            return checkpointed(tower, lambda x_LK: attends(x_LK.relu(), x_LK).cos(), x_LK).sum()

        forward().backward()  # compiles, and the compiler multiplies, too
        y, x_LK.grad = forward(), None
        with profile(activities=[ProfilerActivity.CPU]) as done:
            y.backward()
        counts.append(sum(event.count for event in done.key_averages() if event.key == "aten::mm"))
        found, x_LK.grad = x_LK.grad, None
        products(x_LK.relu(), x_LK).cos().sum().backward()
        assert torch.allclose(found, x_LK.grad, atol=1e-5)
    assert counts[0] < counts[1]
