"""What others say of a picture: the readers of their files make these."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from datagen.record import SampleError


class Thing(NamedTuple):
    """What is somewhere on a picture: an object's name, or a phrase about a place. `box` is x0, y0, x1, y1 in pixels of the image
    as its file says it."""

    text: str
    box: tuple[float, float, float, float]
    is_phrase: bool = False


class Described(NamedTuple):
    """What a file says of a picture. `file` is the image's, as it is named there; `size` is (0, 0) where it isn't said;
    `num_crowds` are groups of objects that nobody told apart."""

    file: str
    captions: tuple[str, ...] = ()
    things: tuple[Thing, ...] = ()
    size: tuple[int, int] = (0, 0)
    num_crowds: int = 0
    licence: str = ""
    metadata: Mapping[str, str] = MappingProxyType({})

    def joined(self, other: "Described") -> "Described":
        """This, with what another file says of the same picture."""
        return self._replace(
            captions=tuple(dict.fromkeys(self.captions + other.captions)),
            things=tuple(dict.fromkeys(self.things + other.things)),
            size=self.size if all(self.size) else other.size,
            num_crowds=max(self.num_crowds, other.num_crowds),
            licence=self.licence or other.licence,
            metadata={**other.metadata, **self.metadata},
        )


def decoded(data: bytes, type: Any) -> Any:
    """JSON as values of a type. Python's `NaN` and `Infinity`, which no standard knows, are numbers, too. Raises `SampleError`
    (`broken_json`)."""
    try:
        try:
            return msgspec.json.decode(data, type=type)
        except msgspec.DecodeError as error:
            if isinstance(error, msgspec.ValidationError):
                raise
            return msgspec.convert(json.loads(data), type)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise SampleError("broken_json", str(error)[:300]) from None
