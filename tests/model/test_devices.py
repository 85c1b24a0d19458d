"""The way that a GPU takes, on tensors without content: a value that is waited for, or a grouped product of shapes, strides or
types that CUDA refuses, raises there. Of rows of one sample each: those of several ask which samples there are. What comes out
is compared with the processor's in `test_parts.py`.
"""

import contextlib

import pytest
import torch

from model.checkpointing import set_checkpointing
from model.config import full, tiny
from model.deepseek_ocr import DeepseekOcr
from model.image import Views
from model.loss import cross_entropy


@pytest.fixture(autouse=True)
def without_autocast(monkeypatch):
    """Such tensors have none."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *_: False)


def pixels(side: int) -> torch.Tensor:
    return torch.empty(3, side, side, dtype=torch.bfloat16)


@pytest.mark.parametrize(("config", "checkpointing"), [(full(), False), (tiny(), True)], ids=["full", "checkpointed"])
def test_a_step_waits_for_no_value(config, checkpointing):
    """Of a page in gundam beside one in tiny, in bf16."""
    with torch.device("meta"):
        net = DeepseekOcr(config).to(torch.bfloat16).train()
        gundam = Views(pixels(1024), torch.stack([pixels(640)] * 6), (2, 3))
        pages = [gundam, Views(pixels(512))]
        ids_BL = torch.zeros(2, 1200, dtype=torch.long)
        labels_T = torch.zeros(1000, dtype=torch.long)
        set_checkpointing(net, checkpointing)
        hidden_BLD = net(ids_BL, pages, ids_BL == 5)
        cross_entropy(hidden_BLD[0, -1000:], net.lm_head.weight, labels_T).backward()
    assert hidden_BLD.shape == (2, 1200, config.decoder.width)
    missing = [name for name, parameter in net.named_parameters() if parameter.grad is None and parameter.requires_grad]
    assert missing == []
