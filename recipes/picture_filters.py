"""The word `only=`: which pictures are taken, by what their lists say of them.

    only=max_punsafe:0.1,min_similarity:0.28,licences:cc-by+cc0,min_size:256

A part is a field of `FilterPictures` and its value; several values are joined by a plus.
"""

from dataclasses import fields
from typing import Any

from datagen.stages.filter_pictures import FilterPictures

_FLAGS = {"0": False, "1": True}


def of_word(only: str) -> FilterPictures:
    """The filter that the word asks for; "" is the default. Raises `ValueError`, one sentence that says what is allowed."""
    usual = {field.name: field.default for field in fields(FilterPictures) if field.init}
    values: dict[str, Any] = {}
    for part in only.split(",") if only else []:
        name, colon, value = part.partition(":")
        if name not in usual or not colon or not value:
            raise ValueError(f"only={only}: {part!r} is no NAME:VALUE with a name of {', '.join(usual)}")
        try:
            values[name] = _value(usual[name], value)
        except (KeyError, ValueError):
            raise ValueError(f"only={only}: {name} takes {_takes(usual[name])}, not {value!r}") from None
    return FilterPictures(**values)


def _value(usual: Any, value: str) -> Any:
    if isinstance(usual, bool):
        return _FLAGS[value]
    return tuple(value.split("+")) if isinstance(usual, tuple) else type(usual)(value)


def _takes(usual: Any) -> str:
    return "0 or 1" if isinstance(usual, bool) else "a whole number" if isinstance(usual, int) else "a number"
