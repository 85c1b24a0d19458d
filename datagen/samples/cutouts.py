"""Cut-outs with names in many languages, and photographs to set them on, out of Debian's packages.

The cut-outs are the stamps of Tux Paint (`tuxpaint-stamps-default`): pictures with transparency, each with a phrase about it in
some 70 languages. Left out are the letters of alphabets, of which several look alike under different names, and stamps whose
phrase is a sentence or names no thing. So are names that aren't in the script of their language: all of Tamil's were stored in
another coding.

The photographs are backgrounds of desktops that show no thing of its own, but grass, sand, clouds, mountains: what is set on them
is all that there is to find.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from datagen.samples import documents
from datagen.samples.documents import Package
from datagen.writing.languages import script_of
from datagen.writing.scripts import LATIN, main_script, parts

_MAX_NAME = 60  # characters
_STORY = re.compile(r"[.!?…]\s+\S|[。．！？]\s*\S|(しよう|みよう|だね|るよ)\W*$|^\W*[–-]|—|[<>\ufffd]")
_SENTENCE = re.compile(
    r"\b(is|are|was|saw|means|must|have|carry|carries|eat|enter|say|remember|another|boom|knitting|down at)\b", re.I
)
_ENDS = " \t?\ufeff\u200b\u200e\u200f.!…。．！।۔։።|"
_LINE = re.compile(r"([\w@]+)\.utf8=(.*)")
_BCP47 = {"zh_CN": "zh-Hans", "zh_TW": "zh-Hant", "sr": "sr-Cyrl", "sr@latin": "sr-Latn"}
_LEFT_OUT = ("symbols/alphabets", "symbols/faces", "symbols/math/operators")
# English words in Malayalam's letters; what a machine translated word by word, in the order of English.
_UNFIT = frozenset({"ml", "ar", "he"})
_STYLES = frozenset({"cartoon", "toys", "plastic"})
_LATIN_LETTERS = re.compile(f"[{LATIN}]")
# Latin letters that were read in another coding: UTF-8's bytes as Latin-1's, and signs that no word has within.
_MOJIBAKE = re.compile(r"[ÃÂÅÄ][\x80-\xbf]|[^\W\d_][¡-¬®-´¶¸»-¿][^\W\d_]|[\x80-\x9f]")
_QUOTES = re.compile(r"[\"“„«](.*)[\"”“»]")


class Stamp(NamedTuple):
    """A cut-out: the path of its picture; the kind of thing that it shows, as `animals/birds`; whether its mirror image shows the
    same; and its names by language (BCP-47). A name is the phrase without its full stop."""

    path: str
    kind: str
    may_mirror: bool
    names: dict[str, str]


class Photograph(NamedTuple):
    """A picture to set cut-outs on, and the beginnings of the kinds of which it shows something itself."""

    path: str
    shows: tuple[str, ...] = ()


_GREEN, _SKY = ("plants", "naturalforces"), ("naturalforces", "space")
STAMPS = Package("tuxpaint-stamps-default", "GPL-2.0-or-later", formats=("png",), endings=(".txt", ".dat"))
PHOTOGRAPHS = (
    Package("mate-backgrounds", "GPL-2.0-or-later", formats=("jpeg",)),
    Package("lomiri-wallpapers-16.04", "CC-BY-4.0 AND CC-BY-SA-4.0", formats=("jpeg",)),
    Package("ukui-wallpapers", "CC-BY-SA-3.0", formats=("jpeg",)),
)
LICENCE = " AND ".join(dict.fromkeys(package.licence for package in (STAMPS, *PHOTOGRAPHS)))
"""Of what is made of these packages."""
_SHOWN = {
    "2004default.jpg": (),
    "Blinds.jpg": _GREEN,
    "Bridge_by_Sander_Klootwijk.jpg": (*_SKY, "town"),
    "Dune.jpg": _GREEN,
    "Elephants.jpg": ("animals",),
    "GreenMeadow.jpg": _GREEN,
    "RainDrops.jpg": _GREEN,
    "Storm.jpg": (*_SKY, "town"),
    "Wood.jpg": ("plants",),
    "aitzgorri_by_Aitzol_Berasategi.jpg": (*_GREEN, *_SKY),
    "analogpattern_by_Peter_Nerlich.jpg": (),
    "life_by_Aitzol_Berasategi.jpg": _GREEN,
    "rhythm.jpg": (),
    "string.jpg": (),
    "sunset_by_Aitzol_Berasategi.jpg": (*_GREEN, *_SKY),
    "umang_by_Abhishek_Mudgal.jpg": (),
}


def missing() -> list[str]:
    """The packages that making pictures would download."""
    return documents.missing((STAMPS, *PHOTOGRAPHS))


@functools.cache
def versions() -> dict[str, str]:
    """The packages, which are fetched first where they aren't there, and their versions. Raises `ValueError` as
    `debian.unpacked`."""
    folders = documents.unpacked((STAMPS, *PHOTOGRAPHS))
    return dict(folder.name.split("_", 1) for folder in folders)


@functools.cache
def packaged() -> tuple[tuple[Stamp, ...], tuple[Photograph, ...]]:
    """The cut-outs and the photographs of the packages, in the order of their paths. Raises `ValueError` as `debian.unpacked`."""
    stamps, *photographs = documents.unpacked((STAMPS, *PHOTOGRAPHS))
    paths = sorted(path for folder in photographs for path in folder.rglob("*.jpg") if path.name in _SHOWN)
    return read(next(stamps.rglob("stamps"))), tuple(Photograph(str(path), _SHOWN[path.name]) for path in paths)


def read(folder: Path) -> tuple[Stamp, ...]:
    """The cut-outs below a folder, each a PNG with a file of its names beside it, `NAME.txt`: a line in English, then lines as
    `de.utf8=Ein Frosch.`; `nomirror` in `NAME.dat` says that its mirror image is another thing."""
    stamps = [stamp for path in sorted(folder.rglob("*.txt")) if (stamp := _stamp(path, folder)) is not None]
    return tuple(stamp for stamp in stamps if "en" in stamp.names)


def _stamp(described: Path, folder: Path) -> Stamp | None:
    picture = described.with_suffix(".png")
    kind = described.parent.relative_to(folder)
    if not picture.exists() or kind.as_posix().startswith(_LEFT_OUT):
        return None
    first, *lines = described.read_text(encoding="utf-8", errors="replace").split("\n")
    phrases = {"en": first} | {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line.strip()))}
    if _STORY.search(first.strip()) or _SENTENCE.search(first):
        return None
    english = first.strip(_ENDS)
    names = dict(_named(phrases, english))
    about = described.with_suffix(".dat")
    may_mirror = not about.exists() or "nomirror" not in about.read_text(encoding="utf-8", errors="replace")
    kinds = [part for part in kind.parts if part not in _STYLES]
    return Stamp(str(picture), "/".join(kinds), may_mirror, names)


def _named(phrases: dict[str, str], english: str) -> Iterator[tuple[str, str]]:
    """The names by language, without what isn't translated, and what isn't in the language's script."""
    for code, phrase in phrases.items():
        name = " ".join(phrase.strip(_ENDS).split())
        name = quoted[1].strip(_ENDS) if (quoted := _QUOTES.fullmatch(name)) else name
        lang = _BCP47.get(code, code.replace("_", "-").replace("@", "-"))
        is_english = code == "en" or code.startswith("en_")
        if (
            code in _UNFIT
            or not name
            or len(name) > _MAX_NAME
            or _STORY.search(phrase.strip())
            or not any(c.isalpha() for c in name)
            or not in_script_of(lang, name)
        ):
            continue
        if is_english or name.casefold() != english.casefold():
            yield lang, name


def in_script_of(lang: str, name: str) -> bool:
    """Whether a name is in the script that CLDR says of its language (BCP-47): what was stored in another coding isn't, nor what
    nobody translated. Beside letters of another script no Latin ones stand."""
    script, of_language = main_script(name)[0], script_of(lang)
    if of_language == "Latn":
        return script == "Latn" and not _MOJIBAKE.search(name)
    # A few characters don't tell which of the scripts that share them it is.
    return bool(parts(script) & parts(of_language)) and not _LATIN_LETTERS.search(name)
