"""GOT-OCR2.0 (arXiv 2409.01704) as a reader of lines, by transformers' class for it.

The released weights, Apache-2.0, are `stepfun-ai/GOT-OCR-2.0-hf` on a hub. A line is squeezed into the network's square, as the
released processing does with any image.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoTokenizer, GotOcr2ForConditionalGeneration
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.got_ocr2.processing_got_ocr2 import GotOcr2Processor

from datagen.engines import pretrained, token_reader
from datagen.engines.token_reader import MODEL, TokenReader, on_disk

PACKAGES = ("transformers", "tokenizers")
weights_sha256 = token_reader.weights_sha256


def engines() -> dict[str, str]:
    return token_reader.package_versions(PACKAGES)


@dataclass(frozen=True)
class Network:
    """GOT-OCR2.0 with what prepares its input. `net` may be wrapped for adapters."""

    net: Any
    processor: Any

    @functools.cached_property
    def end(self) -> int:
        """The token that ends an answer."""
        token: int = self.processor.tokenizer.convert_tokens_to_ids(self.processor.message_end_token)
        return token

    @property
    def pad(self) -> int:
        pad: int | None = self.processor.tokenizer.pad_token_id
        return self.end if pad is None else pad

    def asked(self, crops: Sequence[numpy.ndarray], formatted: bool = False) -> dict[str, Tensor]:
        """The inputs that ask for the text of each crop, (H, W) or (H, W, 3) bytes; `formatted`: with LaTeX for what isn't plain
        text. All are of one length, since images become squares."""
        vision = self.net.config.vision_config
        side = -(-(vision.image_size // vision.patch_size) // 4)  # in tokens, of which each is 4 patches wide and high
        images = [Image.fromarray(numpy.ascontiguousarray(crop)).convert("RGB") for crop in crops]
        asked = self.processor(images=images, num_image_tokens=side * side, format=formatted, return_tensors="pt")
        return {name: asked[name] for name in ("input_ids", "attention_mask", "pixel_values")}

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer, with the one that ends it."""
        return [*self.processor.tokenizer(text, add_special_tokens=False)["input_ids"], self.end]


def opened(where: str, dtype: torch.dtype, device: str = "cpu", revision: str = "main") -> Network:
    """The network in a folder on this machine's disk, or of a hub's name. Raises `ValueError`, naming `where`, if there is none,
    or if weights are missing in it."""
    net = pretrained.opened(GotOcr2ForConditionalGeneration, where, revision, dtype, device)
    place = pretrained.place(where)

    def processor() -> GotOcr2Processor:
        # Pillow's resizing, whatever else is installed: a network reads other pixels otherwise.
        image_processor = GotOcr2ImageProcessorPil.from_pretrained(place, revision=revision)
        return GotOcr2Processor(image_processor, AutoTokenizer.from_pretrained(place, revision=revision))

    return Network(net, pretrained.prepared(processor, where, "processor of GOT-OCR2.0"))


def written(
    network: Network, crops: Sequence[numpy.ndarray], max_tokens: int, formatted: bool = False
) -> list[tuple[str, list[float], bool]]:
    """What the network writes greedily of each crop, the logarithms of its tokens' probabilities, that of the end included, and
    whether the answer came to its end within `max_tokens`."""
    asked = {name: value.to(network.net.device) for name, value in network.asked(crops, formatted).items()}
    asked["pixel_values"] = asked["pixel_values"].to(network.net.dtype)
    answers = pretrained.written(network.net, asked, network.end, network.pad, max_tokens)
    decoded = (network.processor.tokenizer.decode(tokens, skip_special_tokens=True) for tokens, _ in answers)
    return [(text, logp, tokens[-1] == network.end) for text, (tokens, logp) in zip(decoded, answers, strict=True)]


class GotOcr(TokenReader):
    """The engine `got_ocr`: a reader that the flywheel trained."""

    kind, packages = "got_ocr", PACKAGES

    def _opened(self, device: str, dtype: torch.dtype) -> Network:
        with on_disk(self.folder.sub(MODEL)) as path:
            return opened(path, dtype, device)

    def _readings(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        answers = written(self.network, crops, self.config["max_new_tokens"])
        return [(text, float(numpy.exp(sum(logp))) if is_whole else 0.0) for text, logp, is_whole in answers]
