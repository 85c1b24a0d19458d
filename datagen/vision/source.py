"""Pictures that others described, in any of the forms in which people have them: COCO's JSON, conversations, and all that
`pictures.py` reads.

A file of descriptions is a container, and its parts are the pictures that it tells of, whose images lie in folders beside it.
"""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import msgspec

from datagen.disk.storage import is_local, resolve
from datagen.inputs.census import Census, file_item, spelt_out, walk
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import archive_at
from datagen.pictures.descriptions import Described, regions_of
from datagen.pictures.image_files import FORMATS
from datagen.pictures.pick_source import first, pictures
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Range, Sample, SampleError
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import ChildDied, Limits, sandbox
from datagen.vision import coco
from datagen.vision.descriptions_child import HEAD_BYTES, form_of
from datagen.work.joined_rows import WHOLE, JoinedRow, extents, rows_of
from datagen.work.pipeline import Estimate, Source

log = logging.getLogger(__name__)

READ = "datagen.vision.descriptions_child:read_described"
_ENDINGS = (".json", ".jsonl")
_MOST_LOOKED_AT = 500  # files of JSON in a folder


def described(
    input: str,
    list: str = "",
    unsafe_list: bool = False,
    download: str = "",
    limit: int = 0,
    seed: int = 0,
    bare: bool = False,
    **values: Any,
) -> tuple[Census, Any]:
    """The census and the source of described pictures at `input`; `values` are further fields of `ImageSource`. `input` is
    a file of COCO's form or of conversations, with its images in a folder beside it, or the folder of both; or anything that
    `datagen.pictures.pick_source.pictures` reads. Files of one set, such as `instances_val2017.json` and `captions_val2017.json`,
    are joined.

    COCO's pictures of which nothing is said are drops, unless `bare` ones are wanted, too, for a captioner; `pictures` has them
    anyway. At most `limit` pictures (0: all) are read, of files chosen by `seed`. Raises `ValueError` where there is nothing to
    read, or as `pictures` does.
    """
    if not _groups(input):
        return pictures(input, list, unsafe_list, download, limit, seed, task="caption", **values)
    if list or download:
        raise ValueError(f"input={input}: descriptions in JSON need neither list nor download: leave these words out")
    images = ImageSource(task="caption", **values)
    return DescribedCensus(input, limit, seed), DescribedSource(images, _root(input), bare)


@dataclass(frozen=True)
class DescribedCensus(Census):
    """The files of descriptions: an item is the first of each group of files, its etag that of all."""

    input: str
    limit: int = 0
    seed: int = 0

    def items(self) -> list[Item]:
        items = []
        for group in _groups(self.input):
            listed = [_item(uri) for uri in group]
            try:
                count = sum(1 for _ in _rows(group, Limits()))
            except SampleError:
                count = 1  # reading it will tell
            etag, size = " ".join(item.etag for item in listed), sum(item.num_bytes for item in listed)
            items.append(replace(listed[0], etag=etag, num_bytes=size, count=count))
        items.sort(key=lambda item: item.uri)
        return first(items, self.limit, self.seed) if self.limit else items


@dataclass(frozen=True)
class DescribedSource(Source):
    """Pictures with captions and objects, as a file says them; `images` decodes them, `root` is where they lie. `joined` are the
    files' rows with their images.

    Of several captions of a picture the longest is its caption; the others are in the metadata, `other_captions`. Boxes are
    clipped to the image. One that lies outside by half is left out, and counted by the signal `boxes_outside`; crowds, which
    nobody told apart, are by `crowds`. A picture without its image, `no_image`, with another shape than the file says,
    `another_size`, or with neither caption nor objects, `not_described`, is a drop; `bare` ones of the last kind come along,
    for a captioner.
    """

    version: ClassVar[int] = 3  # 3: images without EXIF and comments

    images: ImageSource
    root: str = field(default="", metadata={"secret": True})
    bare: bool = False
    shard_images: int = 1000
    joined: tuple[JoinedRow, ...] | None = field(default=None, repr=False, metadata={"secret": True})

    def engines(self) -> dict[str, str]:
        return self.images.engines()

    def split(self, items: Iterable[Item]) -> Iterator[Inputs]:
        return shards_of(items, lambda item: num_parts(item, 1000), self.shard_images)

    def estimate(self, inputs: Inputs) -> Estimate:
        count = sum(num_parts(item, 1000) for item in inputs)
        return Estimate(count, 150_000 * count, 0.02 * count)

    def join(self, items: Iterable[Item]) -> Iterator[JoinedRow]:
        """What the files say of each picture, and where its image lies."""
        images = _Images(self.root)
        for uri, within in extents(items).items():
            try:
                rows = enumerate(_rows(next(iter(_groups(uri)), (uri,)), self.images.limits))
                yield from (self._joined(uri, number, row, images) for number, row in rows if number in within)
            except SampleError as error:
                yield JoinedRow(uri, WHOLE, reason=error.reason, detail=error.detail)

    def _joined(self, uri: str, number: int, row: Described | Failed, images: "_Images") -> JoinedRow:
        if isinstance(row, Failed):
            return JoinedRow(uri, number, reason=row.reason, detail=row.detail)
        try:
            if not (row.captions or row.things or self.bare):
                raise SampleError("not_described", row.file)
            path = images.find(row.file, coco.set_of(uri))
        except SampleError as error:
            return JoinedRow(uri, number, reason=error.reason, detail=error.detail)
        return JoinedRow(uri, number, path, msgspec.msgpack.encode(row))

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        for number, row in rows_of(self, item).items():
            try:
                if row.reason:
                    raise SampleError(row.reason, row.detail)
                yield self._sample(item, number, row.path, msgspec.msgpack.decode(row.content, type=Described))
            except SampleError as error:
                part = Range(number, number + 1)
                yield Drop("", item.uri, part, type(self).__name__, error.reason, error.detail)

    def _sample(self, item: Item, number: int, image: str, row: Described) -> Sample:
        picture = self.images.picture(image)
        inside, quality = regions_of(row, picture.size)
        if not (inside or row.captions or self.bare):
            raise SampleError("not_described", f"{row.file}: no box lies in the image")
        caption, *others = sorted(row.captions, key=len, reverse=True) or [""]
        metadata = {**picture.metadata, **row.metadata, **({"licence": row.licence} if row.licence else {})}
        metadata |= {"other_captions": "\n".join(others)} if others else {}
        sample = self.images.sample(item, number, picture._replace(caption=caption, metadata=metadata))
        return replace(sample, regions=inside, quality=quality)


def _rows(group: tuple[str, ...], limits: Limits) -> Iterator[Described | Failed]:
    """What a group of files says, row by row. Raises `SampleError` as the readers do, or what ended the child."""
    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(archive_at(uri)) for uri in group]
        try:
            for answer in sandbox(limits).run(READ, list[Part[Described] | Failed], paths=paths):
                yield from (row.value if isinstance(row, Part) else row for row in answer.value)
        except ChildDied as death:
            raise SampleError(death.reason, death.detail) from None


def _groups(input: str) -> list[tuple[str, ...]]:
    """The files of descriptions in a folder, those of one set of images together, or the set that a file is of; none if there is
    nothing of the kind."""
    fs, path = resolve(input)
    if not fs.exists(path) or not (fs.isdir(path) or path.endswith(_ENDINGS)):
        return []
    infos = walk(fs, path) if fs.isdir(path) else fs.ls(path.rpartition("/")[0], detail=True)
    names = [info["name"] for info in infos if info["type"] != "directory"]
    shown = {name.rpartition(".")[0] for name in names if name.lower().endswith(suffixes(FORMATS))}
    files = sorted(name for name in names if name.endswith(_ENDINGS) and name.rpartition(".")[0] not in shown)
    if len(files) > _MOST_LOOKED_AT:
        log.warning("descriptions: of %d files of JSON in %s only the first %d are looked at", len(files), path, _MOST_LOOKED_AT)
    sets: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    unreadable = []
    for name in files[:_MOST_LOOKED_AT]:
        in_folder, _, last = name.rpartition("/")
        uri = name if "://" not in input else str(fs.unstrip_protocol(name))
        try:
            with fs.open(name, "rb") as file:
                form = form_of(file.read(HEAD_BYTES))
        except OSError:
            unreadable.append(uri)
            continue
        if form:
            sets[(in_folder, coco.set_of(last)) if form == "coco" else (name, "")].append(uri)
    groups = [tuple(group) for _, group in sorted(sets.items())]
    groups += [(uri,) for uri in unreadable if groups]  # reading them tells why
    return groups if fs.isdir(path) else [group for group in groups if any(resolve(uri)[1] == path for uri in group)]


class _Images:
    """The images below a folder, by their names."""

    def __init__(self, root: str):
        fs, path = resolve(root)
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        for info in walk(fs, path):
            if info["name"].lower().endswith(suffixes(FORMATS)):
                uri = spelt_out(info["name"] if "://" not in root else str(fs.unstrip_protocol(info["name"])))
                self._places[uri.rpartition("/")[2]].append(uri)

    def find(self, file: str, folder: str) -> str:
        """Where the image called `file` lies: of several of that name, the one whose folders are those that `file` says, or that
        lies in a folder of this name. Raises `SampleError`."""
        parts = [part for part in file.replace("\\", "/").split("?")[0].split("/") if part not in ("", ".", "..")]
        places = sorted(self._places.get(parts[-1], ())) if parts else []
        for start in range(len(parts)):
            ending = "/" + "/".join(parts[start:])
            fitting = [place for place in places if place.endswith(ending)]
            if len(fitting) > 1:
                fitting = [place for place in fitting if f"/{folder}/" in place]
            if len(fitting) == 1:
                return fitting[0]
        raise SampleError("ambiguous_image" if places else "no_image", file)


def _root(input: str) -> str:
    """The folder that images lie below: that of the input, or its parent, if there are none in it."""
    fs, path = resolve(input)
    folder = path.rstrip("/") if fs.isdir(path) else path.rpartition("/")[0]
    if not fs.isdir(path) and not any(info["name"].lower().endswith(suffixes(FORMATS)) for info in walk(fs, folder)):
        folder = folder.rpartition("/")[0]
    return folder if "://" not in input else str(fs.unstrip_protocol(folder))


def _item(uri: str) -> Item:
    fs, path = resolve(uri)
    return file_item(fs, {"name": path} if is_local(fs) else fs.info(path))
