"""Descriptions of pictures, as the readers of other people's files make them."""

import json
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from datagen.labels import OBJECT, PHRASE
from datagen.record import Box, Quality, Region, SampleError, clean_text

_INSIDE = 0.5  # of a box's area: so much must lie in the image
_SAME_SHAPE = 0.02
UNREAD_OBJECTS = "unread_objects"
"""In a sample's metadata: the reason why the objects in its source give no region."""


class Thing(NamedTuple):
    """Something on a picture: an object's name, or a phrase about a place. `box` is x0, y0, x1, y1 in pixels of the image's
    file."""

    text: str
    box: tuple[float, float, float, float]
    is_phrase: bool = False


class Described(NamedTuple):
    """A file's description of a picture. `file` is the image's name there. `size` is (0, 0) if unknown. `num_crowds` counts
    groups of objects without single boxes."""

    file: str
    captions: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    size: tuple[int, int] = (0, 0)
    num_crowds: int = 0
    licence: str = ""
    metadata: Mapping[str, str] = MappingProxyType({})

    def cleaned(self) -> "Described":
        """The description with texts that UTF-8 can hold."""
        return self._replace(
            file=clean_text(self.file),
            captions=tuple(map(clean_text, self.captions)),
            things=tuple(thing._replace(text=clean_text(thing.text)) for thing in self.things),
            licence=clean_text(self.licence),
            metadata={name: clean_text(value) for name, value in self.metadata.items()},
        )

    def joined(self, other: "Described") -> "Described":
        """The description together with that of another file."""
        return self._replace(
            captions=tuple(dict.fromkeys(self.captions + other.captions)),
            things=tuple(dict.fromkeys(self.things + other.things)),
            size=self.size if all(self.size) else other.size,
            num_crowds=max(self.num_crowds, other.num_crowds),
            licence=self.licence or other.licence,
            metadata={**other.metadata, **self.metadata},
        )


class Detected(NamedTuple):
    """The objects in a table's row beside its picture. `size` and `num_crowds` are as in `Described`. If the row has objects and
    none could be read, `fault` is the reason: `ambiguous_boxes`, `unnamed_objects`, `bad_objects`."""

    things: tuple[Thing, ...] = ()
    size: tuple[int, int] = (0, 0)
    num_crowds: int = 0
    fault: str = ""


def regions_of(of: Described | Detected, size: tuple[int, int]) -> tuple[tuple[Region, ...], Quality]:
    """The things in pixels of an image of `size`, clipped to the image, which may be scaled. The quality counts `crowds`, and
    `boxes_outside`: things that lie half outside are left out. Raises `SampleError` (`another_size`) for an image of another
    shape."""
    regions = [_region(thing, of.size, size) for thing in of.things]
    counts = {"crowds": of.num_crowds, "boxes_outside": regions.count(None)}
    quality = Quality(signals={name: float(num) for name, num in counts.items() if num})
    return tuple(region for region in regions if region is not None), quality


def _region(thing: Thing, stated: tuple[int, int], size: tuple[int, int]) -> Region | None:
    scale_x, scale_y = (size[0] / stated[0], size[1] / stated[1]) if all(stated) else (1.0, 1.0)
    if abs(scale_x / scale_y - 1) > _SAME_SHAPE:
        raise SampleError(
            "another_size", f"the image is {size[0]} x {size[1]}, and was {stated[0]} x {stated[1]} when it was described"
        )
    x0, y0, x1, y1 = (value * scale for value, scale in zip(thing.box, (scale_x, scale_y) * 2, strict=True))
    if not all(map(math.isfinite, (x0, y0, x1, y1))) or x1 <= x0 or y1 <= y0:
        return None
    left, top, right, bottom = max(0.0, x0), max(0.0, y0), min(float(size[0]), x1), min(float(size[1]), y1)
    if max(0.0, right - left) * max(0.0, bottom - top) < _INSIDE * (x1 - x0) * (y1 - y0):
        return None
    box = Box(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))
    return Region(box, PHRASE if thing.is_phrase else OBJECT, thing.text, None, "annotation")


def decoded(data: bytes | msgspec.Raw, type: Any) -> Any:
    """JSON as values of a type. `NaN` and `Infinity`, as Python writes them, are read, too. Raises `SampleError`
    (`broken_json`)."""
    try:
        try:
            return msgspec.json.decode(data, type=type)
        except msgspec.DecodeError as error:
            if isinstance(error, msgspec.ValidationError):
                raise
            return msgspec.convert(json.loads(bytes(data)), type)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise SampleError("broken_json", str(error)[:300]) from None
