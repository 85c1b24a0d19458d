"""GOT-OCR2.0 (arXiv 2409.01704) as a reader of lines, by transformers' class for it.

The released weights, Apache-2.0, are `stepfun-ai/GOT-OCR-2.0-hf` on a hub. A line is squeezed into the network's square, as the
released processing does with any image.
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoTokenizer, GenerationConfig, GotOcr2ForConditionalGeneration
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.got_ocr2.processing_got_ocr2 import GotOcr2Processor
from transformers.utils import logging

from datagen.engines import token_reader
from datagen.engines.token_reader import MODEL, TokenReader, on_disk

logging.disable_progress_bar()  # a training and a run show their own progress

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

    def asked(self, crops: Sequence[numpy.ndarray]) -> dict[str, Tensor]:
        """The inputs that ask for the text of each crop. All are of one length, since images become squares."""
        vision = self.net.config.vision_config
        side = -(-(vision.image_size // vision.patch_size) // 4)  # in tokens, of which each is 4 patches wide and high
        images = [Image.fromarray(numpy.ascontiguousarray(crop)).convert("RGB") for crop in crops]
        asked = self.processor(images=images, num_image_tokens=side * side, return_tensors="pt")
        return {name: asked[name] for name in ("input_ids", "attention_mask", "pixel_values")}

    def answer(self, text: str) -> list[int]:
        """The tokens of an answer, with the one that ends it."""
        return [*self.processor.tokenizer(text, add_special_tokens=False)["input_ids"], self.end]


def opened(where: str, dtype: torch.dtype, device: str = "cpu") -> Network:
    """The network in a folder on this machine's disk, or of a hub's name. Raises `ValueError`, naming `where`, if there is none,
    or if weights are missing in it."""
    if where.startswith((".", "/", "~")) and not os.path.isdir(os.path.expanduser(where)):
        raise ValueError(f"{where} is no folder of weights")
    where = os.path.expanduser(where) if where.startswith("~") else where
    try:
        # What it returns with the information is typed as the network alone.
        with_information: Any = GotOcr2ForConditionalGeneration.from_pretrained(where, dtype=dtype, output_loading_info=True)
        net, loading = with_information
        image_processor = GotOcr2ImageProcessorPil.from_pretrained(where)
        # Pillow's resizing, whatever else is installed: a network reads other pixels otherwise.
        processor = GotOcr2Processor(image_processor, AutoTokenizer.from_pretrained(where))
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        message = " ".join(str(error).split())[:300]
        raise ValueError(f"{where} holds no GOT-OCR2.0: {type(error).__name__}: {message}") from None
    if lacking := sorted(loading["missing_keys"]) + sorted(str(key) for key in loading["mismatched_keys"]):
        raise ValueError(f"{where} holds no whole GOT-OCR2.0: {len(lacking)} weights are missing, such as {lacking[0]}")
    net.generation_config = GenerationConfig()  # reading is greedy, whatever the folder says of generation
    return Network(net.to(device).eval(), processor)


class GotOcr(TokenReader):
    """The engine `got_ocr`: a reader that the flywheel trained."""

    kind, packages = "got_ocr", PACKAGES

    def _opened(self, device: str, dtype: torch.dtype) -> Network:
        with on_disk(self.folder.sub(MODEL)) as path:
            return opened(path, dtype, device)

    def _readings(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        network: Network = self.network
        greedy = GenerationConfig(
            do_sample=False,
            max_new_tokens=self.config["max_new_tokens"],
            eos_token_id=network.end,
            pad_token_id=network.pad,
            return_dict_in_generate=True,
            output_logits=True,
        )
        asked = {name: value.to(network.net.device) for name, value in network.asked(crops).items()}
        asked["pixel_values"] = asked["pixel_values"].to(network.net.dtype)
        generated = network.net.generate(**asked, generation_config=greedy)
        answers_BN = generated.sequences[:, asked["input_ids"].shape[1] :]
        each_N = zip(generated.logits, answers_BN.unbind(1), strict=True)
        logp_BN = torch.stack([logits.float().log_softmax(-1).gather(1, chosen[:, None])[:, 0] for logits, chosen in each_N], 1)
        return [self._reading(network, *row) for row in zip(answers_BN.tolist(), logp_BN.tolist(), strict=True)]

    def _reading(self, network: Network, answer: list[int], logp: list[float]) -> tuple[str, float]:
        """The text of an answer and its probability; what stands behind the answer's end is padding."""
        num = answer.index(network.end) if network.end in answer else len(answer)
        text: str = network.processor.tokenizer.decode(answer[:num], skip_special_tokens=True)
        return text, float(numpy.exp(sum(logp[: num + 1]))) if num < len(answer) else 0.0
