"""DeepEncoder and its mixture-of-experts decoder: the network, its training on shards, its reading and its weights."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.net.deepseek_ocr import DeepseekOcr


def load(folder: str | os.PathLike[str], **options: Any) -> "DeepseekOcr":
    """The network in a folder, with the released names or ours. See `model.files.weights.load`."""
    from model.files.weights import load  # torch: only a network needs it

    return load(folder, **options)
