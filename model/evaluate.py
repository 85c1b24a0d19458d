"""How good the network is on samples that it never saw: its loss, and its readings' distance from the truth."""

from collections.abc import Iterable

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from model.batch import Batch
from model.deepseek_ocr import DeepseekOcr, Losses


def answer_loss(net: DeepseekOcr, batch: Batch) -> Tensor:
    """The cross-entropy over the answers' tokens in nats a token. The head is computed for the answers alone."""
    found: Losses = net(
        batch.ids_BL, batch.images, batch.image_BL, batch.samples_BL, labels_BL=batch.labels_BL, scale=1 / batch.num_tokens
    )
    return found.total


@torch.no_grad()
def mean_loss(net: DeepseekOcr, batches: Iterable[Batch]) -> float:
    """The mean loss over all answer tokens of `batches`, in nats. Each token counts the same, whichever batch it is in."""
    net.eval()
    total, num_tokens = 0.0, 0
    for batch in batches:
        total += answer_loss(net, batch).item() * batch.num_tokens
        num_tokens += batch.num_tokens
    net.train()
    return total / num_tokens


def edit_distance(truth: str, reading: str) -> float:
    """The Levenshtein distance in characters over the longer text's length, as in OmniDocBench: 0 is exact, 1 all wrong."""
    return Levenshtein.normalized_distance(truth, reading)
