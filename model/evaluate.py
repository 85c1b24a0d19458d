"""What the network is worth on samples that it never saw: its loss, and its readings' distance from the truth.

B samples · L positions · D width · T tokens of answers · V vocabulary
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from model.deepseek_ocr import DeepseekOcr
from model.loader import IGNORED, Batch


def answer_loss(net: DeepseekOcr, batch: Batch, reduction: str = "mean") -> Tensor:
    """Cross-entropy over the answers' tokens alone. The head, much of a small network's work, sees no other position."""
    h_BLD = net.model(batch.ids_BL, batch.x_B3SS, batch.image_BL, real_BL=batch.real_BL)
    answers_BL = batch.labels_BL != IGNORED
    logits_TV = net.logits(h_BLD[answers_BL])
    return F.cross_entropy(logits_TV, batch.labels_BL[answers_BL], reduction=reduction)


@torch.no_grad()
def mean_loss(net: DeepseekOcr, batches: Iterable[Batch]) -> float:
    """The mean over all answer tokens of `batches`, in nats: a batch counts by its tokens."""
    net.eval()
    total, num_tokens = 0.0, 0
    for batch in batches:
        total += answer_loss(net, batch, "sum").item()
        num_tokens += batch.num_tokens
    net.train()
    return total / num_tokens


def edit_distance(truth: str, reading: str) -> float:
    """Levenshtein distance in characters over the longer text's length, as OmniDocBench has it: 0 is exact, 1 nothing right."""
    return Levenshtein.normalized_distance(truth, reading)
