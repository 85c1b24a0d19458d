"""The word `data` of a training: datasets, or a file with a mixture of them."""

from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

import msgspec

from model.train.data_config import Data
from recipes.words.fields import parts
from recipes.words.values import GROUPS

_OBJECTS = {"langs": dict[str, float], "members": dict[str, Any], "difficulty": dict[str, float]}
"""The fields of `Data` that are pairs there, and objects in a file."""


def mixture(text: str) -> dict[str, Any]:
    """The fields of `Train` in `data=`: `datasets`, and `groups` if a mixture's file has them.

    `text` is datasets joined by commas, each with its group before it if that isn't "ocr"; or one .json file with an object:
    `datasets` is a list of objects with the fields of `Data`, whose `where` may be relative to the file, and `groups` maps groups
    to shares. A .json file with a list is rows to learn. Raises `ValueError` for other files.
    """
    mixed = None if "," in text or not text.endswith(".json") else _read(text)
    if mixed is None:
        return {"datasets": tuple(Data(where, group or GROUPS[0]) for group, where in parts(text, GROUPS))}
    datasets = []
    for one in mixed.datasets:
        pairs = {name: tuple(getattr(one, name).items()) for name in _OBJECTS}
        images = _beside(text, one.images, is_name=False) if one.images else ""
        datasets.append(Data(**msgspec.structs.asdict(one) | pairs | {"where": _beside(text, one.where), "images": images}))
    return {"datasets": tuple(datasets)} | ({"groups": tuple(mixed.groups.items())} if mixed.groups else {})


def _field(of: Field[Any]) -> tuple[Any, ...]:
    """A field of `Data`, as msgspec reads it."""
    if of.name in _OBJECTS:
        return of.name, _OBJECTS[of.name], {}
    return (of.name, of.type) if of.default is MISSING else (of.name, of.type, of.default)


_DATASET = [_field(of) for of in fields(Data) if of.name != "drawn"]
_Dataset: Any = msgspec.defstruct("_Dataset", _DATASET, forbid_unknown_fields=True)


class _Mixture(msgspec.Struct, forbid_unknown_fields=True):
    datasets: list[_Dataset]
    groups: dict[str, float] = {}


def _read(path: str) -> _Mixture | None:
    """The mixture in a file; None if the file has a list."""
    try:
        content = Path(path).read_bytes().removeprefix(b"\xef\xbb\xbf")
        return None if content.lstrip()[:1] == b"[" else msgspec.json.decode(content, type=_Mixture)
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"data={path}: {error}") from None


def _beside(file: str, where: str, is_name: bool = True) -> str:
    """The place of something that a file names: beside the file. An address stays, and so does a name that may be a hub's."""
    path = Path(file).parent / Path(where).expanduser()
    is_file = not is_name or where.startswith((".", "/", "~")) or where.endswith((".jsonl", ".tar", ".parquet")) or path.exists()
    return str(path) if is_file and "://" not in where else where
