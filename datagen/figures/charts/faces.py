"""The typefaces that charts are lettered in: which a language has here, by their files, and which characters they draw."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from datagen.drawing import typefaces
from datagen.figures.charts.words import LANGUAGES, Words
from datagen.writing import scripts

_CJK = {"zh-Hans": "SC", "zh-Hant": "TC", "ja": "JP", "ko": "KR"}
_SANS = {"Latn": ("Noto Sans", "DejaVu Sans", "Liberation Sans", "FreeSans"), "Arab": ("Noto Sans Arabic",)}
_SERIF = {"Latn": ("Noto Serif", "DejaVu Serif", "Liberation Serif"), "Arab": ("Noto Naskh Arabic",)}
_FALLBACKS = ("Noto Sans", "DejaVu Sans")  # for digits and signs that a script's own typeface lacks
_WIDE = ("Latn", "Cyrl", "Grek")


@dataclass(frozen=True)
class Face:
    """A family by name, its upright and its bold file (the same where there is none), and the font's index in them."""

    family: str
    path: str
    bold_path: str
    index: int


@dataclass(frozen=True)
class Faces:
    """A language's typefaces, the usual one first; `fallbacks` draw what those lack."""

    lang: str
    script: str
    sans: tuple[Face, ...]
    serif: tuple[Face, ...]
    fallbacks: tuple[Face, ...]

    def can_draw(self, text: str) -> bool:
        """Whether every typeface of the language has all characters of `text`, itself or by the fallbacks."""
        return self._characters.issuperset(map(ord, text))

    @functools.cached_property
    def _characters(self) -> frozenset[int]:
        own = [typefaces.characters(face.path, face.index) for face in (*self.sans, *self.serif)]
        others = [typefaces.characters(face.path, face.index) for face in self.fallbacks]
        return frozenset.intersection(*own).union(*others, map(ord, " \u200c\u200d"))


@functools.cache
def faces(lang: str) -> Faces | None:
    """The typefaces of a language of `words.LANGUAGES`; None if this machine has none for it."""
    words = Words(lang)
    sample = "".join([*words.months(False), *words.days(False), *words.countries[:60]])
    script = scripts.main_script(sample)[0]
    sans: tuple[str, ...]
    serif: tuple[str, ...]
    if lang in _CJK:
        sans, serif = (f"Noto Sans CJK {_CJK[lang]}",), (f"Noto Serif CJK {_CJK[lang]}",)
    elif script in _WIDE:
        sans, serif = _SANS["Latn"], _SERIF["Latn"]
    else:
        name = scripts.name(script)
        sans = _SANS.get(script, (f"Noto Sans {name}",))
        serif = _SERIF.get(script, (f"Noto Serif {name}",))
    needed = frozenset(char for char in sample if char.isalpha())
    able = [
        [face for face in map(_face, names) if face and not typefaces.missing(face.family, needed)] for names in (sans, serif)
    ]
    if not (able[0] or able[1]):
        return None
    fallbacks = tuple(face for face in map(_face, _FALLBACKS) if face)
    return Faces(lang, script, tuple(able[0] or able[1]), tuple(able[1] or able[0]), fallbacks)


def languages() -> dict[str, int]:
    """The languages that charts can be in on this machine, with how often each comes."""
    return {lang: weight for lang, (_, weight) in LANGUAGES.items() if faces(lang)}


def digest() -> str:
    """The sha256 of all typefaces that charts may be lettered in here, in hex."""
    every = [faces(lang) for lang in LANGUAGES]
    return typefaces.digest({*_paths(face for some in every if some for face in (*some.sans, *some.serif, *some.fallbacks))})


def _paths(some: Iterable[Face]) -> list[str]:
    return [path for face in some for path in (face.path, face.bold_path)]


@functools.cache
def _face(family: str) -> Face | None:
    if family not in typefaces.installed():
        return None
    path, index = typefaces.installed()[family]
    name = Path(path).name
    stem = name.replace("-Regular", "-Bold") if "-Regular" in name else f"{Path(name).stem}-Bold{Path(name).suffix}"
    return Face(family, path, typefaces.files().get(stem, path), index)


def needed(face: Face, fallbacks: Sequence[Face], words: str) -> list[Face]:
    """The typeface, and those of the others that have what it lacks of the words: each one more takes its time."""
    lacking = {ord(char) for char in words} - {0x20}
    used = []
    for able in (face, *fallbacks):
        has = typefaces.characters(able.path, able.index)
        if able is face or lacking & has:
            used.append(able)
            lacking -= has
    return used
