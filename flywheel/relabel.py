"""Reading pages that nobody has labelled, as images.

PaddleOCR's detector finds the lines, a round's reader reads them, and the gate decides which readings are accepted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

import numpy
import simplejpeg
from PIL import Image

from datagen.engines import OPEN, Quad, compact, versions
from datagen.images import pixels
from datagen.items import Inputs, Item
from datagen.pipeline import Estimate
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample
from datagen.sources.dataset import ShardSource
from flywheel.places import PlaceFile

STAGE = "ReadPages"
_MIN_HEIGHT = 10
_MARGINS = (0.06, 0.18)  # the margins of the two views of a line, in heights of its box


@dataclass(frozen=True)
class Gate:
    """The reader of a language, and the confidence that its readings need. `sha256` is of the weights of the script's reader."""

    lang: str
    script: str
    sha256: str
    threshold: float


@dataclass(frozen=True)
class ReadPages(ShardSource):
    """Reads pages; gives a crop for each line that is accepted, and a drop for each line that is refused.

    The file `pages_to_read` names the pages. Nobody looks at their text layers. The folder `readers` has a compact reader for
    each script, from the round `round`. An accepted crop's origin says which page it is from and where it lies there. A drop has
    the reading that was refused. Its reason is `too_small` (for the reader), `turned` (higher than wide), `nothing_read`,
    `low_confidence` (under the language's threshold) or `views_differ` (the line reads otherwise with another margin). A page
    without a line is a drop, `no_lines`.
    """

    version: ClassVar[int] = 1

    readers: str = ""
    round: int = 0
    gates: tuple[Gate, ...] = ()
    pages_to_read: PlaceFile = field(default_factory=PlaceFile)
    long_side: int = 960
    jpeg_quality: int = 92

    def engines(self) -> dict[str, str]:
        return versions("ppocr-detector") | compact.engines()

    def estimate(self, inputs: Inputs) -> Estimate:
        pages = sum(max(0, item.count) for item in inputs)
        return Estimate(pages, 10_000 * pages, 0.1 * pages)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        wanted = self.pages_to_read.languages()
        gates = {gate.lang: gate for gate in self.gates}
        num_items = 0
        for page in self.samples(item, lambda row: (row["sha256"], row["page"]) in wanted, images=True):
            num_items += 1
            yield from self._page(page, gates[wanted[page.origin.sha256, page.origin.page]])
        if not num_items:
            yield Drop("", item.uri, None, STAGE, "no_pages", "no page to read")

    def _page(self, page: Sample, gate: Gate) -> Iterator[Sample | Drop]:
        assert page.image is not None
        image = pixels(page.image)
        gray = numpy.asarray(Image.fromarray(image).convert("L"))
        boxes = [_box(quad, page.size) for quad, _ in OPEN.get("ppocr-detector", long_side=self.long_side).detect([image])[0]]
        views = [_views(gray, box) for box in boxes]
        reader = OPEN.get("compact", folder=f"{self.readers}/{gate.script}", sha256=gate.sha256)
        if not boxes:
            yield page.drop("no_lines", STAGE, readings=(Reading(gate.lang, Box(0, 0, *page.size), "", 0.0),))
            return
        readings = reader.read([plain for plain, _ in views])
        # A line that its first reading refuses needs no second one.
        promising = [i for i, (text, score) in enumerate(readings) if not refusal(boxes[i], text, text, score, gate.threshold)]
        again = dict(zip(promising, reader.read([views[i][1] for i in promising]), strict=True))
        for number, (box, (text, score)) in enumerate(zip(boxes, readings, strict=True)):
            other, other_score = again.get(number, (text, score))
            score = min(score, other_score)
            reason = refusal(box, text, other, score, gate.threshold)
            key = f"{page.key}-r{self.round}-{number:04d}"
            if reason:
                part = Range(page.origin.page, page.origin.page + 1)
                yield Drop(key, page.origin.uri, part, STAGE, reason, readings=(Reading(gate.lang, box, text, score),))
            else:
                yield self._accepted(page, gate, key, box, views[number][0], text, score)

    def _accepted(self, page: Sample, gate: Gate, key: str, place: Box, crop: numpy.ndarray, text: str, score: float) -> Sample:
        height, width = crop.shape
        box, by, o = Box(0, 0, width, height), f"flywheel/round-{self.round}", page.origin
        return Sample(
            key=key,
            task="crop",
            image=simplejpeg.encode_jpeg(numpy.ascontiguousarray(crop)[:, :, None], self.jpeg_quality, "GRAY"),
            size=(width, height),
            lang=gate.lang,
            script=gate.script,
            text=text,
            regions=(Region(box, "text", text, score, by, lines=(Line(box, text),)),),
            quality=Quality("trusted", signals={"confidence": score}),
            origin=Origin(o.uri, o.sha256, o.page, o.licence, self.engines() | {by: gate.sha256}, page.key, place),
            stage=by,
            round=self.round,
            group=page.group,
        )


def refusal(box: Box, text: str, other: str, score: float, threshold: float) -> str:
    """Why a reading is not accepted; "" if it is."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if height < _MIN_HEIGHT:
        return "too_small"
    if height > 1.5 * width and len(text) > 2:
        return "turned"
    if not text:
        return "nothing_read"
    if text != other:
        return "views_differ"
    return "low_confidence" if score < threshold else ""


def _box(quad: Quad, size: tuple[int, int]) -> Box:
    """The upright box around a quad, at least a pixel large and inside the image."""
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, min(size[0] - 1, int(min(xs)))), max(0, min(size[1] - 1, int(min(ys))))
    return Box(x0, y0, max(x0 + 1, min(size[0], round(max(xs)))), max(y0 + 1, min(size[1], round(max(ys)))))


def _views(gray: numpy.ndarray, box: Box) -> list[numpy.ndarray]:
    """The two views of a line."""
    views = []
    for margin in _MARGINS:
        pad = max(1, round(margin * (box.y1 - box.y0)))
        views.append(gray[max(0, box.y0 - pad) : box.y1 + pad, max(0, box.x0 - pad) : box.x1 + pad])
    return views
