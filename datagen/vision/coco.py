"""COCO's JSON: objects, captions and phrases about places, by image; one file of them, or several of one set of images.

    {"images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480, "license": 3, "coco_url": "https://…"}],
     "annotations": [{"image_id": 1, "category_id": 18, "bbox": [x, y, width, height], "iscrowd": 0},
                     {"image_id": 1, "caption": "…"}],
     "categories": [{"id": 18, "name": "dog"}], "licenses": [{"id": 3, "name": "…", "url": "…"}]}

An annotation with both a box and words (`caption`, `phrase`, `expression`, `sentence`, `sentences`), as of RefCOCO and Visual
Genome, is a phrase about that place. Masks, keypoints and panoptic segments are left alone.
"""

from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec

from datagen.pictures.descriptions import Described, Thing, decoded
from datagen.record import SampleError

_WORDS = ("caption", "phrase", "expression", "sentence", "sentences")


class _File(msgspec.Struct):
    """What is read of a file. What is wrong with one image or annotation costs that one."""

    images: list[Any] = []
    annotations: list["_Annotation"] = []
    categories: list[Any] = []
    licenses: list[Any] = []


class _Annotation(msgspec.Struct):
    image_id: Any = None
    category_id: Any = None
    bbox: Any = None
    iscrowd: Any = 0
    caption: Any = None
    phrase: Any = None
    expression: Any = None
    sentence: Any = None
    sentences: Any = None


def set_of(name: str) -> str:
    """Which images a file tells of, by its name: `instances_val2017.json` and `captions_val2017.json` tell of the same."""
    stem = PurePosixPath(name).stem
    return stem.partition("_")[2] or stem


def read(path: str, rows: dict[str, Described | SampleError]) -> None:
    """Add to `rows`, by the image's name, what a file says of each, to what other files of its set say. Raises `SampleError`
    (`broken_json`)."""
    with open(path, "rb") as file:
        of_file: _File = decoded(file.read().removeprefix(BOM_UTF8), _File)
    for name, row in _rows(of_file):
        before = rows.get(name)
        if before is None or isinstance(before, SampleError):
            rows[name] = row
        elif isinstance(row, Described):
            rows[name] = before.joined(row)


def _rows(file: _File) -> Iterator[tuple[str, Described | SampleError]]:
    names = {_key(one.get("id")): str(one.get("name") or "").strip() for one in file.categories if isinstance(one, dict)}
    licences = {
        _key(one.get("id")): str(one.get("url") or one.get("name") or "") for one in file.licenses if isinstance(one, dict)
    }
    of_image: defaultdict[str | None, list[_Annotation]] = defaultdict(list)
    for annotation in file.annotations:
        of_image[_key(annotation.image_id)].append(annotation)
    of_image.pop(None, None)
    names_of: defaultdict[str | None, set[str]] = defaultdict(set)
    for image in filter(lambda one: isinstance(one, dict), file.images):
        names_of[_key(image.get("id"))].add(str(image.get("file_name")))
    for number, image in enumerate(file.images):
        if not isinstance(image, dict):
            yield f"\0{number}", SampleError("bad_row", f"an image is {type(image).__name__}, not an object")
            continue
        name = image.get("file_name") or str(image.get("coco_url") or "").rpartition("/")[2]
        if not isinstance(name, str) or not name:
            yield f"\0{number}", SampleError("bad_row", f"image {image.get('id')!r} has no file_name")
            continue
        annotations = of_image.get(_key(image.get("id")), [])
        if annotations and len(names_of[_key(image.get("id"))]) > 1:
            yield name, SampleError("ambiguous_id", f"{name}: another image has its id {image.get('id')!r}, too")
            continue
        metadata = {"url": str(image.get("coco_url") or image.get("flickr_url") or ""), "image_id": str(image.get("id", ""))}
        captions = [image.get("caption"), *(one.caption for one in annotations if one.bbox is None)]
        yield (
            name,
            Described(
                file=name,
                captions=tuple(
                    dict.fromkeys(" ".join(text.split()) for text in captions if isinstance(text, str) and text.strip())
                ),
                things=tuple(dict.fromkeys(thing for one in annotations if (thing := _thing(one, names)) is not None)),
                size=(_whole(image.get("width")), _whole(image.get("height"))),
                num_crowds=sum(one.bbox is not None and bool(one.iscrowd) for one in annotations),
                licence=licences.get(_key(image.get("license")), ""),
                metadata={name: value for name, value in metadata.items() if value},
            ),
        )


def _thing(one: _Annotation, names: dict[str | None, str]) -> Thing | None:
    """An object or a phrase with its box; None for a crowd, for what has no name, and for no box."""
    if one.iscrowd or not isinstance(one.bbox, list) or len(one.bbox) != 4:
        return None
    try:
        x, y, width, height = map(float, one.bbox)
    except (TypeError, ValueError, OverflowError):
        return None
    phrase = next((text for name in _WORDS if (text := _phrase(getattr(one, name)))), "")
    name = phrase or names.get(_key(one.category_id), "")
    return Thing(name, (x, y, x + width, y + height), bool(phrase)) if name else None


def _phrase(words: Any) -> str:
    """The first phrase of a text, of a list of texts, or of RefCOCO's sentences."""
    if isinstance(words, list):
        words = words[0] if words else None
    if isinstance(words, dict):
        words = words.get("raw") or words.get("sent")
    return " ".join(words.split()) if isinstance(words, str) else ""


def _key(value: Any) -> str | None:
    """An id that dictionaries take, None for what is none. A number and its digits are the same."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | str) else None


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int | float) and 0 < value < 1 << 31 else 0
