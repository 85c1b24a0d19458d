"""Image files as samples: single files, and zips and tars of them, WebDataset's with their captions and metadata. This is the
worker's side; `image_files.py` decodes every image once, in the sandboxed child."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from datagen.child_loop import read_parts
from datagen.items import Inputs, Item, shards_of
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
    """Images with what lies beside them: a caption (`NAME.txt`) and metadata (`NAME.json`).

    An item is an image file, whose parts are its frames, or a zip or tar, whose parts are all its images in order: list them with
    `Listing(input, formats=FORMATS, whole_archives=True)`. An upright JPEG, PNG or WebP in gray or RGB keeps its bytes; any other
    image is turned, laid on white and written anew. Images with a side under `min_side` pixels, or of more than `max_pixels`, are
    dropped. A shard reads about `shard_images`. `task` is the samples'. They have no text yet.
    """

    version: ClassVar[int] = 1

    task: str = "scene"
    min_side: int = 16
    max_pixels: int = 100_000_000
    max_bytes: int = 2 << 30
    limits: Limits = field(default_factory=Limits)
    shard_images: int = 1000
    stage: str = "images"

    def engines(self) -> dict[str, str]:
        return {"pillow": importlib.metadata.version("pillow")}

    def split(self, items: Sequence[Item]) -> list[Inputs]:
        return shards_of(items, _expected_images, self.shard_images)

    def estimate(self, inputs: Inputs) -> Estimate:
        num_images = sum(map(_expected_images, inputs))
        return Estimate(num_images, sum(item.num_bytes for item in inputs), 0.02 * num_images)

    def probe(self, item: Item) -> Item:
        return item

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        kind = archive.kind_of(item.uri)
        is_empty = item.begins
        with archive_at(item.uri) if kind else fetched(item.uri, FORMATS, self.max_bytes, self.limits) as file:
            path = file if isinstance(file, str) else file.path
            values = {"min_side": self.min_side, "max_pixels": self.max_pixels, "max_bytes": self.max_bytes}
            for part in read_parts(READ, Picture, self.limits, noun="images", path=path, kind=kind, within=item.part, **values):
                is_empty = False
                if isinstance(part, Failed):
                    yield Drop("", item.uri, part.parts, type(self).__name__, part.reason, part.detail)
                else:
                    yield self._sample(item, part.number, part.value)
        if is_empty:
            yield Drop("", item.uri, None, type(self).__name__, "no_images", f"no {', '.join(FORMATS)} in it")

    def _sample(self, item: Item, number: int, picture: Picture) -> Sample:
        return Sample(
            key=f"{source_key(item.uri, picture.sha256)}-{number:06d}",
            task=self.task,
            image=picture.image,
            size=picture.size,
            lang=item.lang or "und",
            script="Zyyy",
            text="",
            regions=(),
            quality=Quality(),
            origin=Origin(item.uri, picture.sha256, number, item.licence, self.engines()),
            stage=self.stage,
            caption=picture.caption,
            metadata=picture.metadata,
        )


def _expected_images(item: Item) -> int:
    """How many images an item gives: known, or guessed from its bytes."""
    if item.stop >= 0 or item.count >= 0:
        return (item.stop if item.stop >= 0 else item.count) - item.first
    return max(1, item.num_bytes // _IMAGE_BYTES) if archive.kind_of(item.uri) else 1
