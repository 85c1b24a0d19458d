"""How good the network is on samples that it never saw: its loss, and its readings' distance from the truth.

B samples · L positions · D width · T tokens of answers · V vocabulary
"""

from collections.abc import Iterable

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from model.batch import IGNORED, Batch
from model.deepseek_ocr import DeepseekOcr
from model.loss import cross_entropy


def answer_loss(net: DeepseekOcr, batch: Batch) -> tuple[Tensor, Tensor]:
    """(cross-entropy over the answers' tokens in nats a token, balance loss). The head is computed for the answers alone."""
    h_BLD, balance = net(batch.ids_BL, batch.images, batch.image_BL, batch.samples_BL)
    answers_BL = batch.labels_BL != IGNORED
    return cross_entropy(h_BLD[answers_BL], net.lm_head.weight, batch.labels_BL[answers_BL], 1 / batch.num_tokens), balance


@torch.no_grad()
def mean_loss(net: DeepseekOcr, batches: Iterable[Batch]) -> float:
    """The mean loss over all answer tokens of `batches`, in nats. Each token counts the same, whichever batch it is in."""
    net.eval()
    total, num_tokens = 0.0, 0
    for batch in batches:
        total += answer_loss(net, batch)[0].item() * batch.num_tokens
        num_tokens += batch.num_tokens
    net.train()
    return total / num_tokens


def edit_distance(truth: str, reading: str) -> float:
    """The Levenshtein distance in characters over the longer text's length, as in OmniDocBench: 0 is exact, 1 all wrong."""
    return Levenshtein.normalized_distance(truth, reading)
