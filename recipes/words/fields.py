"""Words with several values are the fields of a frozen dataclass, all in one form: parts joined by commas, each a field's
NAME:VALUE, or the name alone of a true one, or the value of the unnamed field.

    only=max_punsafe:0.1,min_similarity:0.28,licences:cc-by+cc0
    judge=min_sure:0.95,negatives:0.02,languages:zh:0.5+other:0.1
    text=DIR,packages

Several values of a field are joined by a plus, and pairs by a colon. Only the standard library is imported here.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

UNNAMED: Mapping[str, Any] = {"unnamed": True}
"""The metadata of the field whose value comes without its name."""
_FLAGS = {"": True, "0": False, "1": True}
Fields = TypeVar("Fields")


def parts(text: str, names: Collection[str]) -> list[tuple[str, str]]:
    """The parts of `text`, each with the one of `names` before its first colon; "" without such a name."""
    split = [part.partition(":") for part in text.split(",")]
    return [(name, value) if colon and name in names else ("", name + colon + value) for name, colon, value in split]


def parse(kind: type[Fields], given: str, **set_already: Any) -> Fields:
    """The dataclass with the fields in `given` ("": none), and those in `set_already`, which a user can't give. Raises
    `ValueError`, one sentence with the allowed values."""
    hints, own = get_type_hints(kind), [f for f in fields(kind) if f.init and f.name not in set_already]  # type: ignore[arg-type]
    types = {f.name: hints[f.name] for f in own if not f.metadata.get("unnamed")}
    unnamed = [f.name for f in own if f.metadata.get("unnamed")]
    values: dict[str, Any] = {}
    for name, value in parts(given, types) if given else []:
        if not name and types.get(value) is bool:
            name, value = value, ""
        elif not name and value and unnamed:
            name = unnamed[0]
        elif not name or not value:
            raise ValueError(f"{(name and f'{name}:') + value!r} is no NAME:VALUE with a name of {', '.join(types)}")
        if name in values:
            raise ValueError(f"{name} is given twice{'; several values are joined by a plus' if name in types else ''}")
        try:
            values[name] = _value(hints[name], value)
        except (KeyError, ValueError):
            raise ValueError(f"{name} takes {_takes(hints[name])}, not {value!r}") from None
    return kind(**values, **set_already)


def of_word(kind: type[Fields], word: str, given: str, **set_already: Any) -> Fields:
    """As `parse`, for the value `given` of the word `word`, which the error names."""
    try:
        return parse(kind, given, **set_already)
    except ValueError as wrong:
        raise ValueError(f"{word}={given}: {wrong}") from None


def _value(type: Any, value: str) -> Any:
    if type is bool:
        return _FLAGS[value]
    if type is str:
        return value
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
