"""The typefaces of this machine: which font files there are, what characters each draws, and which are meant for what.

All that draws text asks here: the line-up of ink (`reference_faces`), training lines (`text_faces`), typeset pages (`families`).
"""

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont, features

from datagen.writing import scripts

_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_MAX_IN_COLLECTION = 64

# Text faces with all their letters in one file; Noto's others hold one script each.
_TEXT_FACES = re.compile(
    r"(DejaVu(Sans|Serif)|Free(Sans|Serif|Mono)|Liberation\w+-|Noto(Sans|Serif)(Display|Mono|CJK)?-).*\.(ttf|otf|ttc)"
)
# Reference faces: a script's own, by name, and those that draw many scripts.
_WIDE_FACES = (
    *("NotoSans-Regular.ttf", "NotoSerif-Regular.ttf", "DejaVuSansMono.ttf", "DejaVuSans.ttf", "FreeSerif.ttf"),
    *("FreeSans.ttf", "FreeMono.ttf", "NotoSansMono-Regular.ttf"),
)
# Those whose name doesn't tell the script that they draw.
_NAMED_OTHERWISE = {"Arab": ("NotoNastaliqUrdu-Regular.ttf", "NotoNastaliqUrdu-Bold.ttf"), "Yiii": ("NuosuSIL-Regular.ttf",)}
_CJK_FACES = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc")
# What the glyphs of signs are compared with.
_SIGN_FACES = (
    *_WIDE_FACES,
    "DejaVuSerif.ttf",
    "NotoSansMath-Regular.ttf",
    "NotoSansSymbols-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
)
_CJK_SCRIPTS = frozenset("Hans Hant Hani Jpan Kore Bopo".split())
_MAX_OWN_FACES = 4

# Families: text faces first, book before sans; then what is for screens, posters, labels and code.
_ODD = re.compile(r"Mono|Display|Looped|Condensed|Light|Kufi|Nastaliq|Rashi|Unjoined|Slanted|Supplement|Traditional|Tifinagh .")
_NO_TEXT = re.compile(r"Math|Symbols|Music|SignWriting|Siyaq|Numerals|Colored")  # Cairo writes no PDF of coloured letters
_NOTO_GENERAL = re.compile(r"Noto (Sans|Serif|Mono|Sans Mono|Sans Display|Serif Display)")
_UPRIGHT = ("Regular", "Book", "Roman", "Medium", "Normal")
_CJK = {"Hans": "SC", "Hant": "TC", "Jpan": "JP", "Kore": "KR", "Bopo": "TC"}
_PACKAGES = dict.fromkeys((*_CJK, "Hani"), "fonts-noto-cjk") | {"Yiii": "fonts-sil-nuosusil", "Brai": "fonts-freefont-ttf"}


@functools.cache
def files() -> dict[str, str]:
    """Paths of the font files by file name, in the order of names. May be none."""
    paths = (path for folder in _FOLDERS for path in sorted(folder.rglob("*")) if path.suffix in (".ttf", ".otf", ".ttc"))
    return dict(sorted({path.name: str(path) for path in paths}.items()))


@functools.cache
def characters(path: str, index: int = 0) -> frozenset[int]:
    """The code points that a font has glyphs for. `index`: which font of a collection."""
    with TTFont(path, lazy=True, fontNumber=index) as font:
        font.setGlyphOrder(range(font["maxp"].numGlyphs))  # half of the time went to glyphs' names
        return frozenset(font.getBestCmap() or ())


def draws(path: str, text: str) -> bool:
    """Whether the font, of a collection the first one, has all characters of `text`."""
    return all(ord(char) in characters(path) for char in set(text))


def digest(paths: Iterable[str]) -> str:
    """The sha256 of the names and bytes of font files, in hex: for the fingerprint of what is drawn with them."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{Path(path).name} {_sha256(path)}\n".encode())
    return total.hexdigest()


@functools.cache
def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def text_faces() -> tuple[str, ...]:
    """Paths of the text faces that training lines are set in, by name. May be none."""
    if not features.check("raqm"):  # Pillow without it draws complex scripts wrong
        return ()
    return tuple(path for name, path in files().items() if _TEXT_FACES.fullmatch(name))


@functools.cache
def reference_faces(script: str) -> tuple[str, ...]:
    """Paths of some ten upright text faces for a script, or that may have it, which ink is compared with. May be none."""
    if not features.check("raqm"):
        return ()
    if script in _CJK_SCRIPTS:
        wanted = [*_CJK_FACES]
    else:
        name = re.sub("[ _']", "", scripts.name(script))
        own = [file for file in _regular_noto() if name and name in file]
        wanted = [*own[:_MAX_OWN_FACES], *_NAMED_OTHERWISE.get(script, ()), *_WIDE_FACES, *_CJK_FACES[:1]]
    return tuple(files()[file] for file in wanted if file in files())


def all_reference_faces() -> tuple[str, ...]:
    """Paths of all faces that `reference_faces` chooses from."""
    named = (*_WIDE_FACES, *_CJK_FACES, *(file for faces in _NAMED_OTHERWISE.values() for file in faces))
    return tuple(files()[file] for file in sorted({*_regular_noto(), *named} & set(files())))


def sign_faces() -> tuple[str, ...]:
    """Paths of the typefaces that unmapped glyphs are compared with. May be none."""
    return tuple(files()[file] for file in _SIGN_FACES if file in files())


def _regular_noto() -> list[str]:
    return [file for file in files() if file.startswith("Noto") and file.endswith(("-Regular.ttf", "-Regular.otf"))]


@functools.cache
def installed() -> dict[str, tuple[str, int]]:
    """The installed families: the path of each one's upright font, and the font's index in that file, by family name."""
    fonts: dict[str, tuple[bool, str, int]] = {}
    for path in files().values():
        for index in range(_MAX_IN_COLLECTION if path.endswith(".ttc") else 1):
            try:
                name, style = ImageFont.truetype(path, index=index).getname()
            except OSError:  # there are no more
                break
            if name and (name not in fonts or (style in _UPRIGHT and not fonts[name][0])):
                fonts[name] = style in _UPRIGHT, path, index
    return {name: (path, index) for name, (_, path, index) in sorted(fonts.items())}


def missing(name: str, letters: frozenset[str]) -> frozenset[str]:
    """Those of `letters` that the family `name` doesn't have."""
    return frozenset(map(chr, frozenset(map(ord, letters)) - characters(*installed()[name])))


@functools.lru_cache(maxsize=1024)
def has_pictures(name: str, letters: frozenset[str]) -> bool:
    """Whether the family `name` draws letters, and not one box for all of them, as Nakula and Sahadeva do for Greek.

    Capitals may look like small letters, and some letters like others: half of the small ones have pictures of their own.
    """
    path, index = installed()[name]
    font = ImageFont.truetype(path, 24, index=index)
    small = {char.lower() for char in letters if unicodedata.category(char)[0] == "L"}
    return 2 * len({(bytes(font.getmask(char)), font.getbbox(char)) for char in small}) >= len(small)


def ranked(text: str, lang: str = "und") -> Iterator[str]:
    """The installed families that have every letter of the text's main script, the usual ones first, looked for one by one.

    The text's other characters, such as digits or names in another script, may come from other fonts. Han typefaces are those of
    the text's own tradition, by its letters or `lang` (BCP-47). Typefaces that are for other scripts first are left out.
    """
    script, letters = _script_letters(text, lang)

    def is_meant(name: str) -> bool:
        if _NO_TEXT.search(name):
            return False
        if script in _CJK and "CJK" in name:
            return name.endswith(f" {_CJK[script]}")
        return not name.startswith("Noto ") or script not in ("Latn", "Cyrl", "Grek") or bool(_NOTO_GENERAL.fullmatch(name))

    def rank(name: str) -> tuple[bool, bool, bool, str]:
        return not name.startswith("Noto "), bool(_ODD.search(name)), "Sans" in name, name

    for name in sorted(filter(is_meant, installed()), key=rank):
        if not missing(name, letters) and has_pictures(name, letters):
            yield name


def what_to_install(text: str, lang: str = "und") -> str:
    """A sentence for people whose machine has no family for `text`: which letters lack, and which package has them."""
    script, letters = _script_letters(text, lang)
    best = max(installed(), key=lambda name: -len(missing(name, letters)), default="")
    lacking = "".join(sorted(missing(best, letters) if best else letters))[:20]
    package = _PACKAGES.get(script, "fonts-noto-core")
    return f"no installed font has the {script} letters of the text, {lacking!r} among them: apt-get install {package}"


def _script_letters(text: str, lang: str) -> tuple[str, frozenset[str]]:
    """The text's main script, and the letters and marks of it that the text holds."""
    text = unicodedata.normalize("NFC", text)
    script = scripts.main_script(text)[0]
    if script == "Hani":
        by_lang = {"ja": "Jpan", "ko": "Kore", "zh-hant": "Hant", "zh-tw": "Hant", "zh-hk": "Hant", "yue": "Hant"}
        script = next((by_lang[key] for key in by_lang if lang.lower().startswith(key)), "Hans")
    parts = scripts.parts(script)
    letters, inside = set(), False
    for char in text:
        own = scripts.script(char)
        inside = own in parts or (inside and own == "Zinh")  # marks belong to the letter before
        if inside and unicodedata.category(char)[0] in "LM":
            letters.add(char)
    return script, frozenset(letters)
