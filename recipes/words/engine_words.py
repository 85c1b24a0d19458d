"""The word `engines=` of recipes that annotate pages: the engine of each job, by name, parsed.

    engines=embedded                                        those that work with no download (default)
    engines=paper                                           those of the DeepSeek-OCR paper, by a hub's names
    engines=paper?device=cpu                                these, without a GPU
    engines=paper,tables:tables                             these, except for one kind
    engines=layout:pp-doclayout@FOLDER,tables:server@http://gpu-1:8000/v1#MODEL?together=64,orientation:none

    KIND:ENGINE[@WHERE][?name=value&name=value]

WHERE is a folder of weights or a hub's name, for `server` an address and a model, for `mineru` its output folder. Only the
standard library is imported here, so that make can check the word before anything is set up.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

BASES = ("embedded", "paper")
NONE = "none"


class Takes(NamedTuple):
    """An engine's parameters: the setting for WHERE, "" for none, and whether it is required; other settings."""

    where: str = ""
    is_needed: bool = False
    settings: tuple[str, ...] = ()


_HUB = ("revision", "device")
_WRITING = (*_HUB, "precision", "max_tokens")
_ASKING = "prompt family key together tries timeout_s wait_s max_tokens logprobs most_failed patience_s"
_SERVER = Takes("address", True, tuple(_ASKING.split()))
_CAPTIONER = Takes("address", True, (*_SERVER.settings, "long_side"))
_GOT = Takes("model", settings=_WRITING)

KINDS: Mapping[str, Mapping[str, Takes]] = {
    "pages": {"mineru": Takes("folder", True), "server": _SERVER},
    "layout": {
        "pymupdf-layout": Takes(),
        "cdla": Takes(),
        "pp-doclayout": Takes("model", settings=(*_HUB, "threshold")),
    },
    "equations": {"cdla": Takes()},
    "detector": {"ppocr-detector": Takes("model", settings=("device", "long_side"))},
    "lines": {"ppocr": Takes("model", settings=("device", "batch_size"))},
    "text": {"got": _GOT, "server": _SERVER},
    "tables": {"tables": Takes(), "slanet": Takes("model", settings=_HUB), "got": _GOT, "server": _SERVER},
    "formulas": {"pp-formulanet": Takes("model", settings=_WRITING), "got": _GOT, "server": _SERVER},
    "orientation": {"page-orientation": Takes()},
    "unwarping": {"page-unwarping": Takes()},
}
"""The engines for each kind of work. `pages` is all of it in one; `text` reads regions whose lines are read already."""
MAY_BE_NONE = ("pages", "equations", "text", "tables", "formulas", "orientation", "unwarping")
_TYPES: Mapping[str, type] = dict.fromkeys(("threshold", "timeout_s", "wait_s", "patience_s"), float) | dict.fromkeys(
    ("together", "tries", "most_failed", "max_tokens", "long_side", "batch_size", "logprobs"), int
)


class Asked(NamedTuple):
    """An engine for a kind of work; `name` is "" for none."""

    kind: str
    name: str
    settings: tuple[tuple[str, Any], ...] = ()


def parse(value: str) -> tuple[str, tuple[Asked, ...]]:
    """The base, one of `BASES`, perhaps with `?device=` and a device, and the engines beside it. Raises `ValueError`, one
    sentence with the allowed values."""
    first, _, rest = value.partition(",")
    name, _, option = first.partition("?")
    if option and name in BASES and not re.fullmatch(r"device=[\w:]+", option):
        raise ValueError(f"{first!r}: {name} takes ?device=cpu, and other settings are an engine's own")
    base, parts = (first, rest.split(",") if rest else []) if name in BASES else (BASES[0], value.split(","))
    asked = [_asked(part) for part in parts]
    kinds = [one.kind for one in asked]
    if twice := next((kind for kind in kinds if kinds.count(kind) > 1), ""):
        raise ValueError(f"{twice} has two engines: each kind takes one")
    return base, tuple(asked)


def absolute(value: str) -> str:
    """`value` with absolute paths, so that the next command may come from another folder. Raises as `parse`."""
    base, asked = parse(value)
    return ",".join([base, *map(written, asked)])


def written(asked: Asked) -> str:
    """The word for `asked`, which `parse` parses again."""
    if not asked.name:
        return f"{asked.kind}:{NONE}"
    takes, settings = KINDS[asked.kind][asked.name], dict(asked.settings)
    where = f"@{settings[takes.where]}" if takes.where in settings else ""
    if takes.where == "address":
        where = f"@{settings['url']}#{settings['model']}"
    others = "&".join(f"{name}={settings[name]}" for name in takes.settings if name in settings)
    return f"{asked.kind}:{asked.name}{where}{'?' if others else ''}{others}"


def server(value: str) -> tuple[tuple[str, Any], ...]:
    """The settings of a server, as `http://HOST:PORT/v1#MODEL?together=64&key=VARIABLE`, for the word `captioner`. Raises
    `ValueError`."""
    address, _, options = value.partition("?")
    settings = _address(address)
    for option in options.split("&") if options else []:
        settings |= _option(_CAPTIONER, "captioner", option, value)
    return tuple(sorted(settings.items()))


def _asked(part: str) -> Asked:
    kind, colon, rest = part.partition(":")
    if kind not in KINDS or not colon:
        raise ValueError(f"{part!r}: allowed are {', '.join(BASES)}, and KIND:ENGINE@WHERE with a kind of {', '.join(KINDS)}")
    engine, _, options = rest.partition("?")
    name, at, where = engine.partition("@")
    if name == NONE and kind in MAY_BE_NONE and not at and not options:
        return Asked(kind, "")
    if name not in KINDS[kind]:
        allowed = [*KINDS[kind], *([NONE] if kind in MAY_BE_NONE else [])]
        raise ValueError(f"{part!r}: for {kind} allowed are {', '.join(allowed)}")
    takes = KINDS[kind][name]
    if (takes.is_needed or at) and not (where and takes.where):
        raise ValueError(f"{part!r}: {name} {'needs @WHERE' if takes.is_needed else 'takes no @WHERE'}")
    settings = _where(takes.where, where) if where else {}
    for option in options.split("&") if options else []:
        settings |= _option(takes, name, option, part)
    return Asked(kind, name, tuple(sorted(settings.items())))


def _address(where: str) -> dict[str, Any]:
    url, _, model = where.partition("#")
    if not url.startswith(("http://", "https://")) or not model:
        raise ValueError(f"{where!r}: an address and a model are needed, as http://HOST:PORT/v1#MODEL")
    return {"url": url, "model": model}


def _where(setting: str, where: str) -> dict[str, Any]:
    """The settings for WHERE."""
    if setting == "address":
        return _address(where)
    path = os.path.expanduser(where)
    return {setting: os.path.abspath(path) if setting == "folder" or _is_path(where) else where}


def _is_path(where: str) -> bool:
    """Whether WHERE is a folder, not a hub's name: it looks like one, or exists."""
    return where.startswith((".", "/", "~")) or os.path.isdir(where)


def _option(takes: Takes, name: str, option: str, part: str) -> dict[str, Any]:
    setting, equals, value = option.partition("=")
    if setting not in takes.settings or not equals or not value:
        allowed = f"{name} takes {', '.join(takes.settings)}" if takes.settings else f"{name} has no settings"
        raise ValueError(f"{part!r}: {option!r} is no setting: {allowed}, as ?name=value&name=value")
    try:
        return {setting: _TYPES.get(setting, str)(value)}
    except ValueError:
        raise ValueError(f"{part!r}: {setting} needs a number, not {value!r}") from None
