"""PP-DocLayoutV2, V3 and V4 by transformers' classes: regions in the networks' own reading order, on a GPU where there is one.

The released weights, Apache-2.0, are `PaddlePaddle/PP-DocLayoutV2_safetensors` and so on, on a hub. The three are told apart by
their config.json.

What the networks give is repaired as PaddleX does by default (`filter_boxes` in paddlex/inference/models/layout_analysis): of two
boxes of which one lies in the other, the smaller goes. So does a formula inside a paragraph, which is the paragraph's.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy
import torchvision  # noqa: F401  the three image processors need it, and don't name it as others do
from transformers import PPDocLayoutV2ForObjectDetection, PPDocLayoutV3ForObjectDetection, PPDocLayoutV4ForObjectDetection

from datagen.engines import pretrained, token_reader
from datagen.labels import label_of
from datagen.page.boxes import area, shared
from datagen.record import Box, Line, Polygon, Region

NETWORKS = {
    "pp_doclayout_v2": PPDocLayoutV2ForObjectDetection,
    "pp_doclayout_v3": PPDocLayoutV3ForObjectDetection,
    "pp_doclayout_v4": PPDocLayoutV4ForObjectDetection,
}

_NAME = "pp-doclayout"
_INSIDE = 0.7
"""The share of the smaller of two boxes that lies in the larger where one of them goes."""
_SMALLEST = 6
# The released config.json files call displayed formulas and those in lines "formula" alike. This is the class of the latter.
_INLINE = 15
_PICTURES = frozenset({"image", "seal", "chart"})


class PPDocLayout(pretrained.Network):
    """The layout network `model`, a folder or a hub's name, at a hub's `revision`. Boxes with a score under `threshold` are left
    out; 0: under the one that the network's config.json has for their class, as V2's does, or else 0.5. Raises `ValueError` at
    the first page if there is no such network."""

    is_ordered: ClassVar[bool] = True

    def __init__(
        self,
        model: str = "PaddlePaddle/PP-DocLayoutV3_safetensors",
        threshold: float = 0.0,
        device: str = "",
        revision: str = "main",
    ):
        self.model, self.threshold, self.device, self.revision = model, threshold, device, revision

    def versions(self) -> dict[str, str]:
        packages = token_reader.package_versions(("transformers", "torchvision"))
        return packages | pretrained.version("pp-doclayout", self.model, self.revision)

    def regions(self, images: Sequence[numpy.ndarray], lines: Sequence[Sequence[Line]] = ()) -> list[tuple[Region, ...]]:
        """The regions of each image, (H, W, 3) RGB bytes, in reading order, with scores and no text. The networks don't look at
        `lines`."""
        return pretrained.in_parts(self._looked_at, images)

    @functools.cached_property
    def _network(self) -> tuple[Any, Any]:
        """The network and what prepares its images."""
        net, processor = pretrained.opened_with_images(NETWORKS, "PP-DocLayout", self.model, self.revision, self.device)
        for name in net.config.id2label.values():
            label_of(_NAME, name)  # a class without a label is an error now, and not on the page that has one
        return net, processor

    def _looked_at(self, images: Sequence[numpy.ndarray]) -> list[tuple[Region, ...]]:
        net, processor = self._network
        sizes = [image.shape[:2] for image in images]
        asked = processor(images=[numpy.array(image) for image in images], return_tensors="pt")
        own = getattr(net.config, "class_thresholds", None) or [0.5] * len(net.config.id2label)
        least = [self.threshold or own_of_class for own_of_class in own]
        answers = processor.post_process_object_detection(
            net(asked["pixel_values"].to(net.device)), threshold=min(least), target_sizes=sizes
        )
        return [_regions(answer, net.config.id2label, least, size) for answer, size in zip(answers, sizes, strict=True)]


def _regions(answer: dict[str, Any], names: dict[int, str], least: Sequence[float], size: tuple[int, ...]) -> tuple[Region, ...]:
    """The regions of an image of `size` (height, width), from what the image processor gives. `least` is the lowest score of each
    class."""
    height, width = size
    classes = answer["labels"].tolist()
    outlines = answer.get("polygon_points")
    found: list[tuple[str, Region]] = []
    for i, (index, score, corners) in enumerate(zip(classes, answer["scores"].tolist(), answer["boxes"].tolist(), strict=True)):
        name = "inline_formula" if index == _INLINE and names[index] == "formula" else names[index]
        x0, y0, x1, y1 = corners
        box = Box(max(0, math.floor(x0)), max(0, math.floor(y0)), min(width, math.ceil(x1)), min(height, math.ceil(y1)))
        if score < least[index] or box.x1 - box.x0 < _SMALLEST or box.y1 - box.y0 < _SMALLEST:
            continue
        outline = _outline(outlines[i], box) if outlines is not None else ()
        found.append(
            (name, Region(box, label_of(_NAME, name), "", round(score, 3), _NAME, outline, detected_by=_NAME, is_unread=True))
        )
    return captioned([region for _, region in _without_doubles(found)])


def _outline(points: Any, box: Box) -> Polygon:
    """The region's outline, if it isn't its box."""
    corners = numpy.asarray(points if points is not None else [], dtype=float).reshape(-1, 2)
    x0, y0, x1, y1 = box
    on_edge = [min(abs(x - x0), abs(x - x1)) <= 2 and min(abs(y - y0), abs(y - y1)) <= 2 for x, y in corners]
    return () if len(corners) < 3 or all(on_edge) else tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners)


def _without_doubles(found: Sequence[tuple[str, Region]]) -> list[tuple[str, Region]]:
    """What is left of classes and regions when what lies in another is gone."""
    gone: set[int] = set()
    for i, (name, region) in enumerate(found):
        for j in range(i + 1, len(found)):
            if i in gone or j in gone:
                continue
            if (loser := _of_two(i, name, region, j, *found[j])) is not None:
                gone.add(loser)
    return [one for i, one in enumerate(found) if i not in gone]


def _of_two(i: int, name: str, region: Region, j: int, other_name: str, other: Region) -> int | None:
    """Which of two regions goes, if one does."""
    common = shared(region.box, other.box) / min(area(region.box), area(other.box))  # of the smaller one
    names = {name, other_name}
    if "inline_formula" in names and len(names) == 2:
        return (i if name == "inline_formula" else j) if common > 0.5 else None
    if common <= _INSIDE:
        return None
    if names == {"reference", "reference_content"}:  # a list of references, and one of them
        return i if name == "reference" else j
    is_picture = names & (_PICTURES | {"table"}) and len(names) > 1
    if is_picture and ("table" not in names or names <= _PICTURES | {"table"}):
        return None  # a seal on text, a caption inside a figure's box
    if area(region.box) == area(other.box):
        return j if (region.score or 0) >= (other.score or 0) else i
    return j if area(region.box) > area(other.box) else i


def captioned(regions: Sequence[Region]) -> tuple[Region, ...]:
    """The regions, with captions and notes named by what they are nearest to, of tables and pictures: the networks have one class
    for captions of both, and one for notes."""
    floats = [other for other in regions if other.label in ("table", "image", "chart")]
    named = []
    for region in regions:
        if region.label in ("image_caption", "table_footnote") and floats:
            nearest = min(floats, key=lambda other: _distance(region.box, other.box))
            is_table = nearest.label == "table"
            caption = "table_caption" if is_table else "image_caption"
            region = replace(region, label=caption if region.label == "image_caption" or not is_table else "table_footnote")
        named.append(region)
    return tuple(named)


def _distance(one: Box, other: Box) -> float:
    return math.hypot(max(0, one.x0 - other.x1, other.x0 - one.x1), max(0, one.y0 - other.y1, other.y0 - one.y1))
