"""Image files, and zips and tars of them, as samples. `image_files.py` decodes each image once, in the sandboxed child."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from datagen.child_loop import read_parts
from datagen.items import Inputs, Item, num_parts, shards_of
from datagen.parts import Failed
from datagen.pipeline import Estimate
from datagen.record import Drop, Origin, Quality, Sample, source_key
from datagen.sandbox import Limits
from datagen.sources import archive
from datagen.sources.image_files import FORMATS, Picture
from datagen.sources.local import archive_at, fetched

READ = "datagen.sources.image_files:read_images"
_IMAGE_BYTES = 150_000  # of an image in an archive that nobody has looked into


@dataclass(frozen=True)
class ImageSource:
    """Images, without text, and what lies beside them here or in an archive: a caption (`NAME.txt`) and metadata (`NAME.json`).

    An item is an image file, whose parts are its frames, or a zip or tar, whose parts are its images in order: list them with
    `Listing(input, formats=FORMATS, whole_archives=True)`. An upright JPEG, PNG or WebP keeps its bytes; any other image is
    turned, laid on white and written anew. So is one whose longer side is over `long_side` pixels (0: there is no such limit),
    scaled down to that. Images with a side under `min_side` pixels, or over `max_pixels`, are dropped.
    """

    version: ClassVar[int] = 2
    task: str = "scene"
    long_side: int = 0
    min_side: int = 16
    max_pixels: int = 100_000_000
    max_bytes: int = 2 << 30
    limits: Limits = field(default_factory=Limits)
    shard_images: int = 1000
    stage: str = "images"

    def engines(self) -> dict[str, str]:
        return {"pillow": importlib.metadata.version("pillow")}

    def split(self, items: Sequence[Item]) -> list[Inputs]:
        return shards_of(items, _num_images, self.shard_images)

    def estimate(self, inputs: Inputs) -> Estimate:
        num_images = sum(map(_num_images, inputs))
        return Estimate(num_images, sum(item.num_bytes for item in inputs), 0.02 * num_images)

    def probe(self, item: Item) -> Item:
        return item

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        kind, name, is_empty, stage = archive.kind_of(item.uri), archive.name_of(item.uri), item.begins, type(self).__name__
        bounds = (self.min_side, self.max_pixels, self.max_bytes, self.long_side)
        with archive_at(item.uri) if kind else fetched(item.uri, FORMATS, self.max_bytes, self.limits) as file:
            path = file if isinstance(file, str) else file.path
            for part in read_parts(READ, Picture, self.limits, path=path, name=name, kind=kind, within=item.part, bounds=bounds):
                is_empty = False
                if isinstance(part, Failed):
                    yield Drop("", item.uri, part.parts, stage, part.reason, part.detail)
                else:
                    yield self._sample(item, part.number, part.value)
        if is_empty:
            yield Drop("", item.uri, None, stage, "no_images", f"no {', '.join(FORMATS)} in it")

    def _sample(self, item: Item, number: int, picture: Picture) -> Sample:
        key = f"{source_key(item.uri, picture.sha256)}-{number:06d}"
        origin = Origin(item.uri, picture.sha256, number, item.licence, self.engines())
        lang = item.lang or "und"
        sample = Sample(key, self.task, picture.image, picture.size, lang, "Zyyy", "", (), Quality(), origin, self.stage)
        return replace(sample, caption=picture.caption, metadata=picture.metadata)


def _num_images(item: Item) -> int:
    return num_parts(item, _IMAGE_BYTES) if archive.kind_of(item.uri) else 1
