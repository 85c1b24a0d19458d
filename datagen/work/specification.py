"""The description of all that decides a dataset's bytes, as plain values with a fingerprint, and its check on workers."""

import dataclasses
import hashlib
import json
import socket
from collections.abc import Callable, Iterable
from typing import Any

from datagen.disk.storage import Folder

PLACE = {"place": True}
"""The metadata of a field with a place of weights. No byte depends on the place: `engines` identifies the weights."""
_VERIFIED: set[str] = set()


def describe(value: Any) -> Any:
    """A dataclass, however nested, as plain JSON values with its type's name, and its version and engines if it has them. Secret
    fields are left out, and a `PLACE` becomes its default. An object with `described` becomes its value."""
    if hasattr(value, "described"):
        value = value.described
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        described = {"type": type(value).__name__}
        if hasattr(value, "version"):
            described["version"] = value.version
        fields = (f for f in dataclasses.fields(value) if not f.metadata.get("secret"))
        described |= {f.name: describe(f.default if f.metadata == PLACE else getattr(value, f.name)) for f in fields}
        return described | ({"engines": value.engines()} if hasattr(value, "engines") else {})
    if isinstance(value, (tuple, list)):
        return [describe(v) for v in value]
    return value


def fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def differences(one: Any, other: Any) -> dict[str, tuple[Any, Any]]:
    """The values that differ between two descriptions, by name, such as `source.engines.pymupdf`. A missing value is None."""
    ours, theirs = _flat(one), _flat(other)
    return {name: (ours.get(name), theirs.get(name)) for name in ours | theirs if ours.get(name) != theirs.get(name)}


def verify_worker(describe_here: Callable[[], Any], planned: str, folder: Folder) -> None:
    """Raise `RuntimeError` with the differences if this process has other engines, fonts or weights than the run was planned
    with. `describe_here` makes this process's description. `planned` is the fingerprint of the description in the folder's
    run.json. The check runs once a process."""
    if planned in _VERIFIED:
        return
    description = json.loads(json.dumps(describe_here()))
    if fingerprint(description) != planned:
        run = json.loads(folder.read("run.json")) if folder.exists("run.json") else {}
        differing = differences(description, run.get("description")) if run.get("fingerprint") == planned else {}
        detail = "; ".join(f"{name.rpartition('.')[2]} {ours}, not {theirs}" for name, (ours, theirs) in differing.items())
        raise RuntimeError(f"worker {socket.gethostname()} has other engines than the run was planned with: {detail}")
    _VERIFIED.add(planned)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        items = value.items()
    elif _is_pairs(value):
        items = dict(value).items()
    elif isinstance(value, list) and len(value) == 2 and _is_pairs(value[1]):  # an engine with its settings
        items = [("", value[0]), *dict(value[1]).items()]
    elif isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value):
        items = {str(v.get("type", i) if isinstance(v, dict) else i): v for i, v in enumerate(value)}.items()
    else:
        return {name: value}
    return {k: v for key, item in items for k, v in _flat(item, f"{name}.{key}".strip(".")).items()}


def _is_pairs(value: Any) -> bool:
    """Whether `value` is a list of names with their values."""
    pairs = value if isinstance(value, list) else []
    are_named = all(isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs)
    return bool(pairs) and are_named and len(dict(pairs)) == len(pairs)
