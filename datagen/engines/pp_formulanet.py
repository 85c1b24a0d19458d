"""PP-FormulaNet by transformers' class: LaTeX of formulas, on a GPU where there is one.

The released weights, Apache-2.0, are `PaddlePaddle/PP-FormulaNet_plus-L_safetensors` on a hub.
"""

import functools
from collections.abc import Sequence
from typing import Any

import ftfy  # noqa: F401  what the processor mends its answers with: it says nothing if that is missing
import numpy
import torch
import torchvision  # noqa: F401  what the image processor needs
from transformers import AutoProcessor, PPFormulaNetForConditionalGeneration

from datagen.asking.answers import mean_probability
from datagen.engines import pretrained, token_reader
from datagen.markdown import bare_latex
from datagen.record import Line


class PPFormulaNet(pretrained.Network):
    """The network `model`, a folder or a hub's name, at a hub's `revision`. A formula of over `max_tokens` tokens isn't read.
    Raises `ValueError` at the first formula if there is no such network."""

    format = "latex"

    def __init__(
        self,
        model: str = "PaddlePaddle/PP-FormulaNet_plus-L_safetensors",
        max_tokens: int = 1024,
        device: str = "",
        precision: str = "",
        revision: str = "main",
    ):
        self.model, self.max_tokens, self.device, self.revision = model, max_tokens, device, revision
        self.precision = precision
        self.reasons: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        packages = token_reader.package_versions(("transformers", "torchvision", "ftfy"))
        return packages | pretrained.version("pp-formulanet", self.model, self.revision)

    def read(
        self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]] = (), lang: str = "und"
    ) -> list[tuple[str, float]]:
        """The bare LaTeX of each crop, (H, W, 3) RGB bytes, and the mean probability of its tokens; "" for an answer that came to
        no end."""
        answers = pretrained.in_parts(self._read, crops)
        self.reasons = tuple("" if text else "no_end" for text, _ in answers)
        return answers

    @functools.cached_property
    def _network(self) -> tuple[Any, Any]:
        """The network and what prepares its images and reads its tokens."""
        device = pretrained.device_of(self.device)
        dtype = pretrained.dtype_of(self.precision, device)
        net = pretrained.opened(PPFormulaNetForConditionalGeneration, self.model, self.revision, dtype, device)
        where = pretrained.place(self.model)
        processor = pretrained.prepared(
            lambda: AutoProcessor.from_pretrained(where, revision=self.revision), self.model, "processor of PP-FormulaNet"
        )
        return net, processor

    def _read(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        net, processor = self._network
        # Its image processor stacks what it cuts margins off, so that each image is prepared on its own.
        asked = [processor(images=numpy.array(crop), return_tensors="pt")["pixel_values"] for crop in crops]
        pixels = torch.cat(asked).to(net.device, net.dtype)
        text = net.config.text_config
        written = pretrained.written(net, {"pixel_values": pixels}, text.eos_token_id, text.pad_token_id, self.max_tokens)
        return [
            (bare_latex(processor.post_process([tokens])[0]), mean_probability(logp))
            if tokens[-1] == text.eos_token_id
            else ("", 0.0)
            for tokens, logp in written
        ]
