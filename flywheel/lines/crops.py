"""The lines on which readers are trained and tested: crops with their text, their weights, and their degradation."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy

from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.drawing import wear
from datagen.page.images import pixels
from datagen.record import Box
from datagen.writing.line_text import normalise
from flywheel.pools.pools import Place
from flywheel.pools.typefaces import in_family, typeset

Row = dict[str, Any]
"""A row of a manifest, with the columns of `_COLUMNS`."""

_ENOUGH_LINES = 1_000  # of documents: with so many they are half of the learned lines of a language

# Damage to a line on paper, and damage when it is seen. Most lines get one or two.
_FADED = partial(wear.tone, dark=(60, 110), bright=(180, 225))
_PRINTED: wear.Steps = (
    (0.15, wear.neighbours),
    (0.06, wear.rules),
    (0.08, wear.gaps),
    (0.2, wear.lean),
    (0.07, wear.bleed_through),
    (0.08, wear.ground),
    (0.1, _FADED),
    (0.1, partial(wear.light, strengths=(0.05, 0.2), shadows=0.1)),
)
_READ: wear.Steps = (
    (0.3, wear.blur),
    (0.15, wear.spread),
    (0.5, partial(wear.tone, dark=(0, 90), bright=(180, 255))),
    (0.4, wear.grain),
    (0.05, wear.invert),
    (0.2, partial(wear.jpeg, qualities=(25, 80))),
)

_COLUMNS = [
    "key", "shard", "offset", "bytes", "record_offset", "record_bytes", "lang", "script", "verdict", "num_chars", "sha256",
    "page", "parent",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crop:
    """A line's encoded image with the line at `box`, and its text as readers learn it.

    A line without an image is typeset in one of these `families` whenever it is learned; its box only tells about its width. A
    line with an image is at times set anew in these families (none: any text face with its letters). `tall` is the height of the
    image's box divided by that of plain letters in the same size.
    """

    key: str
    lang: str
    script: str
    text: str
    image: bytes
    box: Box
    families: tuple[str, ...] = ()
    tall: float = 1.0

    def pixels(self) -> numpy.ndarray:
        """The whole crop as (H, W) gray bytes."""
        return pixels(self.image, "L")

    def line(self, margin: float = 0.1) -> numpy.ndarray:
        """The line with `margin` of its height around it."""
        return cut(self.pixels(), self.box, margin, margin, margin, margin)


def rows_of_pages(dataset: Folder, languages: Mapping[Place, str], script: str = "") -> Iterator[Row]:
    """The rows of crops whose page is in `languages` with the crop's language, and of `script` ("": any). If a file lies in two
    folders, a page's first copy is taken. No shard is opened."""
    parents: dict[Place, str] = {}
    for part in manifest.parts(dataset, [report.shard for report in read_reports(dataset)]):
        for row in part.select(_COLUMNS).to_pylist():
            place = row["sha256"], row["page"]
            is_wanted = row["num_chars"] and languages.get(place) == row["lang"] and script in ("", row["script"])
            if is_wanted and parents.setdefault(place, row["parent"]) == row["parent"]:
                yield row


def read_crops(dataset: Folder, rows: Iterable[Row]) -> list[Crop]:
    """The crops of these rows in order of documents, pages and lines, wherever the documents lie. A crop whose text is empty
    after `normalise` is left out."""
    crops = []
    for sample in read_samples(dataset, rows):
        text = normalise(sample.text)
        if text and sample.image:
            crop = Crop(sample.key, sample.lang, sample.script, text, sample.image, sample.regions[0].box)
            crops.append(((sample.origin.sha256, sample.origin.page or 0, sample.key), crop))
    return [crop for _, crop in sorted(crops, key=lambda entry: entry[0])]


def weights_of(crops: Sequence[Crop]) -> list[float]:
    """The weight of each line in training. A language's share grows by the square root of its number of lines. If a language has
    text to typeset, lines of documents are at most half of its share, and less if they are few."""
    counts, images = Counter(c.lang for c in crops), Counter(c.lang for c in crops if c.image)
    weights = []
    for crop in crops:
        num, num_images = counts[crop.lang], images[crop.lang]
        weight = num**-0.5
        if 0 < num_images < num:
            share = min(0.5, num_images / _ENOUGH_LINES)
            weight *= num * (share / num_images if crop.image else (1 - share) / (num - num_images))
        weights.append(weight)
    return weights


def shares_of(crops: Sequence[Crop]) -> numpy.ndarray:
    """The probability of each line in a draw."""
    weights = numpy.array(weights_of(crops))
    return weights / weights.sum()


def cut(pixels: numpy.ndarray, box: Box, left: float, top: float, right: float, bottom: float) -> numpy.ndarray:
    """`box` of an (H, W) image with margins, each in heights of the box, within the image."""
    h = box.y1 - box.y0
    y0, y1 = max(0, round(box.y0 - top * h)), round(box.y1 + bottom * h)
    x0, x1 = max(0, round(box.x0 - left * h)), round(box.x1 + right * h)
    return pixels[y0:y1, x0:x1]


def _somewhere_around(pixels: numpy.ndarray, box: Box, random: numpy.random.Generator) -> numpy.ndarray:
    """The line as a detector may frame it: from just around its ink, as PaddleOCR does, to more than its font's height."""
    h = box.y1 - box.y0
    rows = numpy.flatnonzero((pixels[box.y0 : box.y1, box.x0 : box.x1] < 128).any(axis=1))
    first, last = (box.y0 + int(rows[0]), box.y0 + int(rows[-1]) + 1) if len(rows) > h // 4 else (box.y0, box.y1)
    top = random.uniform(box.y0 - 0.2 * h, first - 0.04 * h)
    bottom = random.uniform(last + 0.04 * h, box.y1 + 0.2 * h)
    left, right = random.uniform(-0.02, 0.3, 2)
    frame = Box(box.x0, max(0, round(top)), box.x1, round(bottom))
    return cut(pixels, frame, left, 0, right, 0)


def _anew(crop: Crop, random: numpy.random.Generator) -> tuple[numpy.ndarray, Box, float] | None:
    """The line's text in another typeface, its box there, and its tallness."""
    if crop.families:
        return in_family(crop.families, crop.text, crop.lang, random)
    made = typeset(crop.text, random)
    return made and (*made, 1.0)


def tallness(crop: Crop, random: numpy.random.Generator) -> float:
    """The line's height divided by that of plain letters: in its typefaces, or else in its image."""
    return in_family(crop.families, crop.text, crop.lang, random)[2] if crop.families else crop.tall


def degraded(crop: Crop, random: numpy.random.Generator, typeset_share: float = 0.0) -> numpy.ndarray:
    """The line, or its text in another typeface, like a poor scan, a small rendering or a careless detector's crop: (H, W) gray
    bytes."""
    set_anew = not crop.image or random.random() < typeset_share
    pixels, box, tall = (_anew(crop, random) if set_anew else None) or (crop.pixels(), crop.box, crop.tall)
    small = partial(wear.shrink, heights=(15, 30), tall=tall)  # to the same size of letters in any script
    return wear.worn(_somewhere_around(pixels, box, random), random, (*_PRINTED, (0.6, small), *_READ))[0]
