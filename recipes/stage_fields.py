"""Words whose value is that of a stage's fields: `only=`, which pictures are taken, by what their lists say of them; `judge=`,
what a scene that was read is worth.

    only=max_punsafe:0.1,min_similarity:0.28,licences:cc-by+cc0,min_size:256
    judge=min_score:0.95,negatives:0.02,languages:zh:0.5+other:0.1

A part is a field and its value; several values are joined by a plus, and those of pairs by a colon.
"""

from dataclasses import fields
from typing import Any, TypeVar

_FLAGS = {"0": False, "1": True}
Stage = TypeVar("Stage")


def stage_of(kind: type[Stage], word: str, given: str, **set_already: Any) -> Stage:
    """The stage with the fields that were `given`, and those that are `set_already`, which nobody may give; "" is the default.
    Raises `ValueError`, one sentence that says what is allowed."""
    usual = {f.name: f.default for f in fields(kind) if f.init and f.name not in set_already}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for part in given.split(",") if given else []:
        name, colon, value = part.partition(":")
        if name not in usual or not colon or not value:
            raise ValueError(f"{word}={given}: {part!r} is no NAME:VALUE with a name of {', '.join(usual)}")
        try:
            values[name] = _value(usual[name], value)
        except (KeyError, ValueError):
            raise ValueError(f"{word}={given}: {name} takes {_takes(usual[name])}, not {value!r}") from None
    try:
        return kind(**values, **set_already)
    except ValueError as wrong:
        raise ValueError(f"{word}={given}: {wrong}") from None


def _value(usual: Any, value: str) -> Any:
    if isinstance(usual, bool):
        return _FLAGS[value]
    return tuple(map(_element, value.split("+"))) if isinstance(usual, tuple) else type(usual)(value)


def _element(value: str) -> str | tuple[str, float]:
    name, colon, share = value.partition(":")
    return (name, float(share)) if colon else name


def _takes(usual: Any) -> str:
    kinds = {bool: "0 or 1", int: "a whole number", tuple: "values joined by a plus"}
    return kinds.get(type(usual), "a number")
