"""SLANet and SLANeXt by transformers' classes: rows, columns and spans of a table's image, with the text of the lines in it.

The released weights, Apache-2.0, are `PaddlePaddle/SLANet_plus_safetensors`, `PaddlePaddle/SLANeXt_wired_safetensors` and so on,
on a hub. Unlike Paddle's own, transformers' networks tell no places of cells, so lines are put into cells by how they stand to
each other (`datagen.tables.fit`). The engine `tables`, which works with no download, has the places.
"""

import functools
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy
import torchvision  # noqa: F401  what the image processor needs
from transformers import SLANetForTableRecognition, SLANeXtForTableRecognition

from datagen.engines import pretrained, token_reader
from datagen.record import Line
from datagen.tables.cells import parse, to_html
from datagen.tables.fit import fitted

NETWORKS = {"slanet": SLANetForTableRecognition, "slanext": SLANeXtForTableRecognition}


class SLANet(pretrained.Network):
    """The network `model`, a folder or a hub's name, at a hub's `revision`. Raises `ValueError` at the first table if there is no
    such network."""

    format = "html"

    def __init__(self, model: str = "PaddlePaddle/SLANet_plus_safetensors", device: str = "", revision: str = "main"):
        self.model, self.device, self.revision = model, device, revision
        self.reasons: tuple[str, ...] = ()

    def versions(self) -> dict[str, str]:
        packages = token_reader.package_versions(("transformers", "torchvision"))
        return packages | pretrained.version("slanet", self.model, self.revision)

    def read(self, crops: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]], lang: str = "und") -> list[tuple[str, float]]:
        """The HTML of each crop, (H, W, 3) RGB bytes, with the text of its `lines`, and the mean probability of the structure's
        tokens. "" where the lines don't fit the structure, or the network wrote no whole table."""
        readings, reasons = [], []
        for (structure, score), of_crop in zip(pretrained.in_parts(self._structures, crops), lines, strict=True):
            text, reason = _filled(structure, of_crop)
            readings.append((text, score if text else 0.0))
            reasons.append(reason)
        self.reasons = tuple(reasons)
        return readings

    @functools.cached_property
    def _network(self) -> tuple[Any, Any]:
        """The network and what prepares its images and reads its tokens."""
        return pretrained.opened_with_images(NETWORKS, "SLANet", self.model, self.revision, self.device)

    def _structures(self, crops: Sequence[numpy.ndarray]) -> list[tuple[str, float]]:
        """The HTML of each crop's rows and cells, without text; "" for none."""
        net, processor = self._network
        images = []
        for crop in crops:
            lacking = [(0, max(0, 2 - side)) for side in crop.shape[:2]]  # its resizing needs two pixels on each side
            images.append(numpy.ascontiguousarray(numpy.pad(crop, [*lacking, (0, 0)], mode="edge")))
        asked = processor(images=images, return_tensors="pt")["pixel_values"].to(net.device)
        probabilities_BNC = net(asked).last_hidden_state
        structures = []
        for probabilities_1NC in probabilities_BNC.split(1):
            ends = probabilities_1NC[0].argmax(-1) == processor.eos_id
            if not bool(ends.any()) or bool(ends[0]):
                structures.append(("", 0.0))
                continue
            answers = processor.post_process_table_recognition(SimpleNamespace(last_hidden_state=probabilities_1NC))
            structures.append(("".join(answers["structure"]), round(float(answers["structure_score"]), 3)))
        return structures


def _filled(structure: str, lines: Sequence[Line]) -> tuple[str, str]:
    """The HTML of a structure with the lines in it, or why there is none."""
    if not structure:
        return "", "no_table"
    try:
        table = fitted(parse(structure, is_strict=True), lines)
    except ValueError:
        return "", "no_table"
    return (to_html(table), "") if table is not None else ("", "lines_do_not_fit" if lines else "no_lines")
