"""Pictures as samples: image files, archives of them, tables that have them, and lists whose images lie in a folder.

`listing.py` lists them; `image_files.py` and `tables.py` decode each image once, in the sandboxed child.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import PIL

from datagen.inputs import archive
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import archive_at, fetched
from datagen.pictures.descriptions import UNREAD_OBJECTS, Detected, regions_of
from datagen.pictures.image_files import FORMATS
from datagen.pictures.join import join
from datagen.pictures.listing import PACKED, is_table, listed_rows, look, scan, sidecar_of
from datagen.pictures.metadata import Bounds, Picture
from datagen.record import Drop, Origin, Quality, Range, Sample, SampleError, source_key
from datagen.sandbox.loop import read_parts
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import Limits
from datagen.work.joined_rows import WHOLE, JoinedRow, extents, rows_of
from datagen.work.pipeline import Estimate, Source

READ = "datagen.pictures.image_files:read_images"
READ_TABLE = "datagen.pictures.tables:read_pictures"
_IMAGE_BYTES = 150_000  # the guessed size of an image in an unread archive


@dataclass(frozen=True)
class ImageSource(Source):
    """Images without text, with their captions and with metadata by the names of `metadata.py`. The licence goes into the
    sample's origin.

    An item is one of

    - an image file. Its parts are its frames, with the files `NAME.txt` and `NAME.json` beside it;
    - a zip or tar. Its parts are its images in order, with such files beside them in the archive. If img2dataset wrote a table
      beside a tar, the table's rows without an image in the tar follow as drops (`not_downloaded`, `http_404`, …);
    - a table with images. Its parts are its rows;
    - a list. Its parts are its rows, each joined with its image below the folder of `input` (`join.py` says how);
    - the folder of a list's images, with a slash at its end. Its parts are the images that no row names, which become drops
      (`not_in_list`).

    An upright JPEG, PNG or WebP keeps its bytes. Any other image is turned, laid on white and written anew (`images.upright`). An
    image whose longer side is over `long_side` pixels (0: no limit) is scaled down to that and written anew, too. Images with a
    side under `min_side` pixels, or with more than `max_pixels`, are dropped. `list_name` becomes `list` in the metadata.
    `joined` has the places of the images of lists' rows. For the task caption, the objects of a table (`objects.py`) become
    regions, as in `DescribedSource`; if they can't be read, `unread_objects` in the metadata says why.
    """

    version: ClassVar[int] = 4  # 4: images without EXIF and comments
    task: str = "scene"
    long_side: int = 0
    min_side: int = 16
    max_pixels: int = 100_000_000
    max_bytes: int = 2 << 30
    limits: Limits = field(default_factory=Limits)
    shard_images: int = 1000
    stage: str = "images"
    list_name: str = ""
    input: str = field(default="", metadata={"secret": True})
    joined: tuple[JoinedRow, ...] | None = field(default=None, repr=False, metadata={"secret": True})

    def engines(self) -> dict[str, str]:
        return {"pillow": PIL.__version__}

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, _num_images, self.shard_images)

    def estimate(self, inputs: Inputs) -> Estimate:
        num_images = sum(map(_num_images, inputs))
        return Estimate(num_images, sum(item.num_bytes for item in inputs), 0.02 * num_images)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        is_empty = item.begins
        for outcome in self._outcomes(item):
            is_empty = False
            yield outcome
        if is_empty:
            yield Drop("", item.uri, None, type(self).__name__, "no_images", f"no {', '.join(FORMATS)} in it")

    def _outcomes(self, item: Item) -> Iterator[Sample | Drop]:
        if is_table(item.uri):
            looked = look(item.uri, self.limits)
            yield from self._table(item) if looked.image else self._listed(item)
        elif item.uri.endswith("/"):
            for number, row in rows_of(self, item).items():
                yield Drop("", item.uri, Range(number, number + 1), type(self).__name__, "not_in_list", row.path)
        else:
            yield from self._files(item)

    def _files(self, item: Item) -> Iterator[Sample | Drop]:
        kind, name = archive.kind_of(item.uri), archive.name_of(item.uri)
        if name.lower().endswith(PACKED):
            raise SampleError("unsupported_archive", f"{name}: unpack it to a plain tar first, as gunzip does")
        with archive_at(item.uri) if kind else fetched(item.uri, FORMATS, self.max_bytes, self.limits) as file:
            path = file if isinstance(file, str) else file.path
            with sidecar_of(item.uri) as sidecar:
                parts = read_parts(
                    READ, Picture, self.limits,
                    path=path, name=name, kind=kind, within=item.part, bounds=self._bounds, sidecar=sidecar,
                )  # fmt: skip
                yield from self._outcomes_of(item, parts)

    def _table(self, item: Item) -> Iterator[Sample | Drop]:
        with archive_at(item.uri) as path:
            parts = read_parts(
                READ_TABLE, Picture, self.limits,
                noun="rows", path=path, within=item.part, bounds=self._bounds, root=self.input,
            )  # fmt: skip
            yield from self._outcomes_of(item, parts)

    def _outcomes_of(
        self, item: Item, parts: Iterable[Part | Failed], picture: Callable[[Part], Picture] = lambda part: part.value
    ) -> Iterator[Sample | Drop]:
        for part in parts:
            if isinstance(part, Failed):
                yield Drop("", item.uri, part.parts, type(self).__name__, part.reason, part.detail)
                continue
            try:
                yield self.sample(item, part.number, picture(part))
            except SampleError as error:
                lost = Range(part.number, part.number + 1)
                yield Drop("", item.uri, lost, type(self).__name__, error.reason, error.detail)

    def join(self, items: Iterable[Item]) -> Iterator[JoinedRow]:
        """The places of the images of lists' rows, with the rule that finds them; and images that no row names, as rows of the
        folder."""
        read = extents(item for item in items if is_table(item.uri) or item.uri.endswith("/"))
        if not read:
            return
        try:
            lists = scan(self.input, self.limits).lists
            read = {uri: within for uri, within in read.items() if uri in lists or uri.endswith("/")}
            joined = join(self.input, self.limits) if read else None
        except ValueError as error:
            yield from (JoinedRow(uri, WHOLE, reason="no_images", detail=str(error)) for uri in read)
            return
        for uri, within in read.items():
            assert joined is not None
            if uri.endswith("/"):
                yield from (JoinedRow(uri, number, path) for number, path in enumerate(joined.strays()) if number in within)
            else:
                yield from joined.rows(uri, within)
        join.cache_clear()  # a join takes much memory

    def _listed(self, item: Item) -> Iterator[Sample | Drop]:
        """The rows of a list, each with its image. All rows are read before the first image, since a thread has one child."""
        joined = rows_of(self, item)
        if WHOLE not in joined:
            raise SampleError("no_images", "it was no list that could be read when the run was planned")
        rule = joined[WHOLE].detail
        rows = [*listed_rows(item.uri, item.part, self.limits)]
        yield from self._outcomes_of(item, rows, lambda row: self._joined(joined.get(row.number), row, rule))

    def _joined(self, joined: JoinedRow | None, row: Part, rule: str) -> Picture:
        """A row's image. The row's caption and metadata win over those of files beside the image. Raises `SampleError`."""
        if joined is None:
            name = next((key for by, key in row.value.keys if by == rule), f"row {row.number}")
            raise SampleError("no_image", f"no image by {rule}: {row.value.metadata.get('url', '') or name}")
        picture = self.picture(joined.path)
        return picture._replace(
            caption=row.value.caption or picture.caption,
            metadata={**picture.metadata, **row.value.metadata, "name": picture.metadata["name"]},
            detected=row.value.detected,
        )

    def picture(self, uri: str) -> Picture:
        """The image at `uri`, with the files beside it and the image's file name. Raises `SampleError`."""
        name = archive.name_of(uri)
        with fetched(uri, FORMATS, self.max_bytes, self.limits) as file:
            first = Range(0, 1)
            parts = read_parts(READ, Picture, self.limits, path=file.path, name=name, kind="", within=first, bounds=self._bounds)
            (part,) = parts
        if isinstance(part, Failed):
            raise SampleError(part.reason, f"{name}: {part.detail}")
        return part.value._replace(metadata={**part.value.metadata, "name": name})

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.min_side, self.max_pixels, self.max_bytes, self.long_side)

    def sample(self, item: Item, number: int, picture: Picture) -> Sample:
        """The sample of a part of an item. Raises `SampleError` (`another_size`) if its objects belong to an image of another
        shape."""
        key = f"{source_key(item.uri, picture.sha256)}-{number:06d}"
        metadata = dict(picture.metadata)
        licence = metadata.pop("licence", "") or item.licence
        if self.list_name:
            metadata["list"] = self.list_name
        origin = Origin(item.uri, picture.sha256, number, licence, self.engines())
        lang = item.lang or "und"
        sample = Sample(key, self.task, picture.image, picture.size, lang, "Zyyy", "", (), Quality(), origin, self.stage)
        if self.task == "caption" and picture.detected:
            sample = replace(sample, **self._detected(picture.detected, picture.size, metadata))
        return replace(sample, caption=picture.caption, metadata=metadata)

    def _detected(self, detected: Detected, size: tuple[int, int], metadata: dict[str, str]) -> dict[str, Any]:
        """The regions and the quality of a picture's objects. If there are no regions, the metadata gets the reason in their
        place."""
        regions, quality = regions_of(detected, size)
        metadata.pop("objects", None)
        fault = detected.fault or ("boxes_outside" if detected.things and not regions else "")
        metadata |= {UNREAD_OBJECTS: fault} if fault else {}
        return {"regions": regions, "quality": quality}


def _num_images(item: Item) -> int:
    return num_parts(item, _IMAGE_BYTES) if archive.kind_of(item.uri) or is_table(item.uri) or item.count >= 0 else 1


def images_to_read(item: Item, min_side: int) -> Iterator[Sample | Drop]:
    """The images of a file that is only read. A child process decodes them once, so a damaged image costs itself alone. A file
    that is no image, and an image with a side under `min_side` pixels, become drops."""
    try:
        yield from ImageSource(min_side=min_side, stage="read").read(item)
    except SampleError as error:
        yield Drop("", item.uri, None, "read", error.reason, error.detail)
