"""The font files of this machine, and which characters each of them draws."""

import functools
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))


@functools.cache
def font_files() -> dict[str, str]:
    """Paths by file name, sorted by it. May be none."""
    found = {p.name: str(p) for folder in _FOLDERS for p in sorted(folder.rglob("*")) if p.suffix in (".ttf", ".otf", ".ttc")}
    return dict(sorted(found.items()))


def draws(path: str, text: str) -> bool:
    """Whether the font has all characters of `text`; of a collection, its first font."""
    return all(ord(c) in _characters(path) for c in set(text))


@functools.cache
def _characters(path: str) -> frozenset[int]:
    if path.endswith(".ttc"):
        with TTCollection(path, lazy=True) as collection:
            return frozenset(collection.fonts[0].getBestCmap() or ())
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap() or ())
