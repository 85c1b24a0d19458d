"""Words whose value is that of a stage's fields: `only=`, which pictures are taken, by what their lists say of them; `judge=`,
what a scene that was read is worth.

    only=max_punsafe:0.1,min_similarity:0.28,licences:cc-by+cc0,min_size:256
    judge=min_score:0.95,negatives:0.02,languages:zh:0.5+other:0.1

A part is a field and its value; several values are joined by a plus, and those of pairs by a colon.
"""

import math
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_FLAGS = {"0": False, "1": True}
Stage = TypeVar("Stage")


def stage_of(kind: type[Stage], word: str, given: str, **set_already: Any) -> Stage:
    """The stage with the fields that were `given`, and those that are `set_already`, which nobody may give; "" is the default.
    Raises `ValueError`, one sentence that says what is allowed."""
    hints = get_type_hints(kind)
    types = {f.name: hints[f.name] for f in fields(kind) if f.init and f.name not in set_already}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for part in given.split(",") if given else []:
        name, colon, value = part.partition(":")
        if name not in types or not colon or not value:
            raise ValueError(f"{word}={given}: {part!r} is no NAME:VALUE with a name of {', '.join(types)}")
        if name in values:
            raise ValueError(f"{word}={given}: {name} is given twice; several values are joined by a plus")
        try:
            values[name] = _value(types[name], value)
        except (KeyError, ValueError):
            raise ValueError(f"{word}={given}: {name} takes {_takes(types[name])}, not {value!r}") from None
    try:
        return kind(**values, **set_already)
    except ValueError as wrong:
        raise ValueError(f"{word}={given}: {wrong}") from None


def _value(type: Any, value: str) -> Any:
    if type is bool:
        return _FLAGS[value]
    if get_origin(type) is tuple:
        return tuple(map(_pair if _has_pairs(type) else str, value.split("+")))
    number = type(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _has_pairs(type: Any) -> bool:
    return get_origin(get_args(type)[0]) is tuple


def _pair(value: str) -> tuple[str, float]:
    name, colon, share = value.rpartition(":")
    if not colon:
        raise ValueError(value)
    return name, float(share)


def _takes(type: Any) -> str:
    if get_origin(type) is tuple:
        return f"{'pairs such as en:0.5' if _has_pairs(type) else 'values'}, joined by a plus"
    return {bool: "0 or 1", int: "a whole number"}.get(type, "a number")
