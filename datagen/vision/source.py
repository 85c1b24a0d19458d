"""Pictures that others described, in any of the forms in which people have them: COCO's JSON, conversations, and all that
`pictures.py` reads.

A file of descriptions is a container, and its parts are the pictures that it tells of, whose images lie in folders beside it.
"""

import contextlib
import functools
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datagen.disk.storage import is_local, resolve
from datagen.inputs.census import Census, file_item, walk
from datagen.inputs.formats import suffixes
from datagen.inputs.items import Inputs, Item, num_parts, shards_of
from datagen.inputs.local import archive_at
from datagen.pictures.descriptions import Described, regions_of
from datagen.pictures.image_files import FORMATS
from datagen.pictures.pick_source import first, pictures
from datagen.pictures.source import ImageSource
from datagen.record import Drop, Quality, Range, Sample, SampleError
from datagen.sandbox.parts import Failed, Part
from datagen.sandbox.process import ChildDied, Limits, sandbox
from datagen.vision import coco
from datagen.vision.descriptions_child import HEAD_BYTES, form_of
from datagen.work.pipeline import Estimate, Source

log = logging.getLogger(__name__)

READ = "datagen.vision.descriptions_child:read_described"
_ENDINGS = (".json", ".jsonl")
_MOST_LOOKED_AT = 500  # files of JSON in a folder


def described(
    input: str,
    list: str = "",
    unsafe_list: bool = False,
    download: bool = False,
    limit: int = 0,
    seed: int = 0,
    bare: bool = False,
    **values: Any,
) -> tuple[Census, Any]:
    """The census and the source of described pictures at `input`; `values` are further fields of `ImageSource`. `input` is

    - a file of COCO's form, with its images in a folder beside it, or the folder of both: objects, captions, phrases. Files of
      one set, such as `instances_val2017.json` and `captions_val2017.json`, are joined;
    - a file of conversations, JSON or JSON lines, as LLaVA's, with its images in a folder beside it, or the folder of both;
    - anything that `datagen.pictures.pick_source.pictures` reads, with captions: LAION's and Wukong's lists, img2dataset's
      output, WebDataset, image datasets of Hugging Face.

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
        _group_of.cache_clear()  # the folder may have changed since
        _images.cache_clear()
        items = []
        for group in _groups(self.input):
            listed = [_item(uri) for uri in group]
            try:
                count = len(_rows(group, tuple(item.etag for item in listed), Limits()))
            except SampleError:
                count = 1  # reading it will tell
            etag, size = " ".join(item.etag for item in listed), sum(item.num_bytes for item in listed)
            items.append(replace(listed[0], etag=etag, num_bytes=size, count=count))
        items.sort(key=lambda item: item.uri)
        return first(items, self.limit, self.seed) if self.limit else items


@dataclass(frozen=True)
class DescribedSource(Source):
    """Pictures with captions and objects, as a file says them; `images` decodes them, `root` is where they lie.

    Of several captions of a picture the longest is its caption; the others are in the metadata, `other_captions`. Boxes are
    clipped to the image. One that lies outside by half is left out, and counted by the signal `boxes_outside`; crowds, which
    nobody told apart, are by `crowds`. A picture without its image, `no_image`, with another shape than the file says,
    `another_size`, or with neither caption nor objects, `not_described`, is a drop; `bare` ones of the last kind come along,
    for a captioner.
    """

    version: ClassVar[int] = 2  # 2: a row of an array that can't be read costs itself alone

    images: ImageSource
    root: str = field(default="", metadata={"secret": True})
    bare: bool = False
    shard_images: int = 1000

    def engines(self) -> dict[str, str]:
        return self.images.engines()

    def split(self, items: Sequence[Item]) -> list[Inputs]:
        return shards_of(items, lambda item: num_parts(item, 1000), self.shard_images)

    def estimate(self, inputs: Inputs) -> Estimate:
        count = sum(num_parts(item, 1000) for item in inputs)
        return Estimate(count, 150_000 * count, 0.02 * count)

    def read(self, item: Item) -> Iterator[Sample | Drop]:
        group = _group_of(item.uri)
        rows = _rows(group, tuple(_item(uri).etag for uri in group), self.images.limits)
        for row in rows[item.first : item.stop if item.stop >= 0 else None]:
            if isinstance(row, Failed):
                yield Drop("", item.uri, row.parts, type(self).__name__, row.reason, row.detail)
                continue
            try:
                yield self._sample(item, row.number, row.value)
            except SampleError as error:
                yield Drop("", item.uri, Range(row.number, row.number + 1), type(self).__name__, error.reason, error.detail)

    def _sample(self, item: Item, number: int, row: Described) -> Sample:
        if not (row.captions or row.things or self.bare):
            raise SampleError("not_described", row.file)
        picture = self.images.picture(_images(self.root).find(row.file, coco.set_of(item.uri)))
        signals: dict[str, float] = {"crowds": float(row.num_crowds)} if row.num_crowds else {}
        inside, num_outside = regions_of(row.things, row.size, picture.size)
        signals |= {"boxes_outside": float(num_outside)} if num_outside else {}
        if not (inside or row.captions or self.bare):
            raise SampleError("not_described", f"{row.file}: no box lies in the image")
        caption, *others = sorted(row.captions, key=len, reverse=True) or [""]
        metadata = {**picture.metadata, **row.metadata, **({"licence": row.licence} if row.licence else {})}
        metadata |= {"other_captions": "\n".join(others)} if others else {}
        sample = self.images.sample(item, number, picture._replace(caption=caption, metadata=metadata))
        return replace(sample, regions=inside, quality=Quality(signals=signals))


@functools.lru_cache(maxsize=2)
def _rows(group: tuple[str, ...], etags: tuple[str, ...], limits: Limits) -> list[Part[Described] | Failed]:
    """What a group of files says, in the state that the `etags` are of. Raises `SampleError` as the readers do, or what ended the
    child."""
    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(archive_at(uri)) for uri in group]
        try:
            answers = sandbox(limits).run(READ, list[Part[Described] | Failed], paths=paths)
            return [row for answer in answers for row in answer.value]
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


@functools.lru_cache(maxsize=64)
def _group_of(uri: str) -> tuple[str, ...]:
    return next(iter(_groups(uri)), (uri,))


class _Images:
    """The images below a folder, by their names."""

    def __init__(self, root: str):
        fs, path = resolve(root)
        self._places: defaultdict[str, list[str]] = defaultdict(list)
        for info in walk(fs, path):
            if info["name"].lower().endswith(suffixes(FORMATS)):
                uri = info["name"] if "://" not in root else str(fs.unstrip_protocol(info["name"]))
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


@functools.lru_cache(maxsize=1)
def _images(root: str) -> _Images:
    return _Images(root)


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
