"""What readers are trained and tested on: crops of lines with their text; and what degrades them on the way to training."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import simplejpeg
from PIL import Image, ImageFilter

from datagen.disk import manifest
from datagen.disk.shards import read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.engines.compact import normalise
from datagen.page.images import pixels
from datagen.record import Box
from flywheel.lines.line_wear import worn
from flywheel.pools.pools import Place
from flywheel.pools.typefaces import in_family, typeset

Row = dict[str, Any]
"""A row of a manifest, with the columns of `_COLUMNS`."""

_COLUMNS = [
    "key", "shard", "offset", "bytes", "record_offset", "record_bytes", "lang", "script", "verdict", "num_chars", "sha256",
    "page", "parent",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crop:
    """A line's encoded image, in which the line lies at `box`, and its text as readers learn it.

    A line without an image is typeset in one of these `families` whenever it is learned; its box says only about how wide it is.
    Families of a line with an image are those that it is at times set anew in (none: any text face that has its letters).
    `tall` says how many times as high as one of plain letters in the same size the box of its image is.
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


def crop_rows(dataset: Folder, wanted: Callable[[Row], bool]) -> Iterator[Row]:
    """The manifest's rows of the crops that have text and are `wanted`, shard by shard. No shard is opened."""
    for part in manifest.parts(dataset, [report.shard for report in read_reports(dataset)]):
        yield from (row for row in part.select(_COLUMNS).to_pylist() if row["num_chars"] and wanted(row))


def rows_of_pages(dataset: Folder, languages: Mapping[Place, str], script: str = "") -> Iterator[Row]:
    """The rows of the crops whose page is in `languages` with the crop's language; of one `script` alone, if it is given.

    A page that came twice, since its file lies in two folders, is taken as it came first.
    """
    parents: dict[Place, str] = {}

    def is_wanted(row: Row) -> bool:
        place = row["sha256"], row["page"]
        if languages.get(place) != row["lang"] or (script and row["script"] != script):
            return False
        return parents.setdefault(place, row["parent"]) == row["parent"]

    return crop_rows(dataset, is_wanted)


def read_crops(dataset: Folder, rows: Iterable[Row]) -> list[Crop]:
    """The crops of these rows in order of their keys. A crop whose text is empty after `normalise` is left out."""
    crops = []
    for sample in read_samples(dataset, rows):
        text = normalise(sample.text)
        if text and sample.image:
            crops.append(Crop(sample.key, sample.lang, sample.script, text, sample.image, sample.regions[0].box))
    return sorted(crops, key=lambda crop: crop.key)


def cut(pixels: numpy.ndarray, box: Box, left: float, top: float, right: float, bottom: float) -> numpy.ndarray:
    """`box` of an (H, W) image with margins, each in heights of the box, as far as the image goes."""
    h = box.y1 - box.y0
    y0, y1 = max(0, round(box.y0 - top * h)), round(box.y1 + bottom * h)
    x0, x1 = max(0, round(box.x0 - left * h)), round(box.x1 + right * h)
    return pixels[y0:y1, x0:x1]


def _somewhere_around(pixels: numpy.ndarray, box: Box, random: numpy.random.Generator) -> numpy.ndarray:
    """The line as a detector may frame it: from just around its ink, as PaddleOCR's does, to more than its font's whole
    height."""
    h = box.y1 - box.y0
    rows = numpy.flatnonzero((pixels[box.y0 : box.y1, box.x0 : box.x1] < 128).any(axis=1))
    first, last = (box.y0 + int(rows[0]), box.y0 + int(rows[-1]) + 1) if len(rows) > h // 4 else (box.y0, box.y1)
    top = random.uniform(box.y0 - 0.2 * h, first - 0.04 * h)
    bottom = random.uniform(last + 0.04 * h, box.y1 + 0.2 * h)
    left, right = random.uniform(-0.02, 0.3, 2)
    frame = Box(box.x0, max(0, round(top)), box.x1, round(bottom))
    return cut(pixels, frame, left, 0, right, 0)


def _anew(crop: Crop, random: numpy.random.Generator) -> tuple[numpy.ndarray, Box, float] | None:
    """The line's text in another typeface, the box there, and how tall it is."""
    if crop.families:
        return in_family(crop.families, crop.text, crop.lang, random)
    made = typeset(crop.text, random)
    return made and (*made, 1.0)


def tallness(crop: Crop, random: numpy.random.Generator) -> float:
    """How many times as high as one of plain letters the line is: as it is drawn, or else as its image is."""
    return in_family(crop.families, crop.text, crop.lang, random)[2] if crop.families else crop.tall


def degraded(crop: Crop, random: numpy.random.Generator, typeset_share: float = 0.0) -> numpy.ndarray:
    """The line, or its text in another typeface, as a poor scan, a small rendering or a careless detector would give it: (H, W)
    gray bytes."""
    set_anew = not crop.image or random.random() < typeset_share
    pixels, box, tall = (_anew(crop, random) if set_anew else None) or (crop.pixels(), crop.box, crop.tall)
    line = worn(_somewhere_around(pixels, box, random), random)
    image = Image.fromarray(numpy.ascontiguousarray(line))
    if random.random() < 0.6:  # small print, enlarged again when it is read
        height = round(int(random.integers(15, 30)) * tall)  # letters of any script get as small
        size = (max(4, round(image.width * height / image.height)), height)
        image = image.resize(size, Image.Resampling(int(random.choice([1, 2, 3]))))
    if random.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.2, 0.9))))
    if random.random() < 0.15:
        image = image.filter(ImageFilter.MinFilter(3) if image.height > 30 else ImageFilter.SMOOTH)
    gray = numpy.asarray(image, numpy.float32)
    if random.random() < 0.5:  # gray ink, gray paper
        dark, light = random.uniform(0, 90), random.uniform(180, 255)
        gray = dark + gray * ((light - dark) / 255)
    if random.random() < 0.4:
        gray = gray + float(random.uniform(2, 14)) * random.standard_normal(gray.shape, numpy.float32)
    if random.random() < 0.05:
        gray = 255 - gray
    out = numpy.clip(gray, 0, 255).astype(numpy.uint8)
    if random.random() < 0.2:
        jpeg = simplejpeg.encode_jpeg(numpy.ascontiguousarray(out[:, :, None]), int(random.integers(25, 80)), "GRAY")
        out = simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[:, :, 0]
    return out
