"""Endless drawn lines of text, for a small model to learn reading from.

What a line says, and how it looks, follows from a seed, its number and the longest text alone. So any line can be drawn again, in
any order, on any number of machines.

The text is English prose that any machine with Python has: the docstrings of the standard library, and the licences of a Debian
system. Its files are split: lines that a model is measured on come from files that no training line comes from. Lines in another
script have a text that is given to them.
"""

import functools
import hashlib
import io
import platform
import random
import re
import sysconfig
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy
from PIL import Image

from datagen.drawing import line_by_pillow, typefaces
from datagen.record import SampleError

HEIGHT = 64
SOURCES = f"the docstrings of Python {platform.python_version()}'s library, and licences and typefaces of this machine"
"""What lines follow from beside their fields: another minor version of Python, or another system, draws others."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-()"
_PRINTED = {
    "'": "’‘´",
    '"': "“”„«»",
    "-": "–—−·",
    "*": "•·×",
    ".": "…",
    "?": "¿",
    "!": "¡",
    "(": "°",
    "+": "±",
    "<": "«‹",
    ">": "»›",
}
_PRINTED |= {"d": "đð", "o": "øœº", "a": "æª", "l": "łı", "s": "ß§", "D": "Đ", "O": "Ø", "c": "©¢", "S": "§", "E": "€"}
_ACCENTED = 0.15  # of the letters of a line that has such
_LICENCES = Path("/usr/share/common-licenses")
_NOT_PROSE = {"test", "tests", "idlelib", "pydoc_data", "site-packages", "dist-packages"}
_HELD_OUT = 20  # of 256 files
_AFTER = 4  # pixels right of the text
_MARGIN = HEIGHT  # a line is never moved by more


@dataclass(frozen=True)
class DrawnLine:
    text: str
    image: bytes  # grey PNG, 64 pixels high, as wide as the text and a few pixels more
    size: tuple[int, int]
    look: "_Look"

    def ends(self) -> list[float]:
        """The right edge of each character, in pixels."""
        path, size, left = self.look[:3]
        return [left + line_by_pillow.width(path, size, self.text[: n + 1]) for n in range(len(self.text))]


class _Look(NamedTuple):
    """How a line is drawn: its font file and size, the pixels left of it and above it, and how dark the ink is."""

    path: str
    size: int
    left: int
    above: int
    dark: int


@dataclass(frozen=True)
class Lines:
    """The lines of a seed, of 1 to `longest` characters, in the typefaces of these files.

    Texts of up to `random_to` characters are random, so that nothing but the image says what comes next. Of longer ones
    `random_share` are. In em sizes of `sizes` pixels, a line that long fills the image's height. In the share `accented` of the
    lines some letters have accents, and some signs are those of print: prose has none of either.
    """

    version: ClassVar[int] = 1  # goes up whenever a line would come out otherwise

    seed: int = 0
    longest: int = 12
    faces: tuple[str, ...] = ("DejaVuSans.ttf",)
    sizes: tuple[int, int] = (40, 48)
    random_to: int = 4
    random_share: float = 0.3
    accented: float = 0.0

    @property
    def lang(self) -> str:
        """The language that the lines count as, BCP-47."""
        return "en"

    def paths(self) -> tuple[str, ...]:
        """Where the font files lie. Raises `ValueError`, naming them, for those that this machine doesn't have."""
        files = typefaces.files()
        if missing := [name for name in self.faces if name not in files]:
            raise ValueError(f"no font file {', '.join(missing)}: apt-get install fonts-dejavu-core, or name other faces")
        return tuple(files[name] for name in self.faces)

    def line(self, number: int) -> DrawnLine:
        return self._drawn(*self._made(number))

    def planned(self, number: int) -> tuple[str, int]:
        """What line `number` says, and how many pixels wide it is, without drawing it."""
        text, look = self._made(number)
        return text, _width(text, look)

    def width(self, text: str, source: random.Random) -> int:
        """How many pixels wide `text` would be `drawn` from `source`."""
        return _width(text, self._look(text, source))

    def drawn(self, text: str, source: random.Random) -> DrawnLine:
        """`text` as an image. Where it stands, how large and how dark it is, is drawn from `source`."""
        return self._drawn(text, self._look(text, source))

    def prose(self, held_out: bool) -> str:
        """What lines are cut from."""
        return prose(held_out)

    def unseen(self, count: int, shortest: int, longest: int, seed: int = 0) -> list[str]:
        """`count` different texts of held-out prose that are nowhere in the training text, of `shortest` to `longest` characters.

        Raises `SampleError` if the held-out prose has not as many.
        """
        known, text, source = self.prose(held_out=False), self.prose(held_out=True), random.Random(f"unseen {seed}")
        phrases: dict[str, None] = {}
        for _ in range(100 * count):
            phrase = _phrase(text, source, source.randint(shortest, longest))
            if len(phrase) >= shortest and phrase not in known:
                phrases[phrase] = None
            if len(phrases) == count:
                return list(phrases)
        raise SampleError("too_short", f"the held-out prose has {len(phrases)} unseen lines, {count} are needed")

    def _made(self, number: int) -> tuple[str, "_Look"]:
        source = random.Random(f"{self.version} {self.seed} {number} {self.longest}")
        text = self._text(source)
        look = self._look(text, source)
        if self.accented and source.random() < self.accented:
            text = _accented(text, look.path, source)
        return text, look

    def _drawn(self, text: str, look: "_Look") -> DrawnLine:
        path, size, left, above, dark = look
        ink, box = line_by_pillow.line(path, size, text, _MARGIN)
        ink = ink[_MARGIN - above : _MARGIN - above + HEIGHT, _MARGIN - left : box.x1 + _AFTER]
        image = Image.fromarray((255 - ink.astype(numpy.uint16) * dark // 255).astype(numpy.uint8))
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        return DrawnLine(text, file.getvalue(), image.size, look)

    def _look(self, text: str, source: random.Random) -> "_Look":
        path = source.choice(self._able(text))
        size = min(source.randint(*self.sizes), line_by_pillow.size_of_height(path, HEIGHT - 2))
        room = HEIGHT - line_by_pillow.height(path, size)
        return _Look(path, size, source.randint(2, 8), source.randint(0, room), source.randint(195, 255))

    def _able(self, text: str) -> tuple[str, ...]:
        """The font files that have all of the text: of prose, and the accents that each has, all."""
        return self.paths()

    def _text(self, source: random.Random) -> str:
        text, length = self.prose(held_out=False), source.randint(1, self.longest)
        if self.longest <= self.random_to or source.random() < self.random_share:
            chosen = (source.choice(text) if source.random() < 0.8 else source.choice(_LETTERS) for _ in range(length))
            return re.sub(" +", " ", "".join(chosen).strip()) or source.choice(_LETTERS)
        return _phrase(text, source, length) or source.choice(_LETTERS)

    def engines(self) -> dict[str, str]:
        """What decides how a line comes out, beside the fields: Pillow, the font files and the prose."""
        faces = typefaces.digest(self.paths())
        text = hashlib.sha256(self.prose(held_out=False).encode()).hexdigest()
        return line_by_pillow.VERSIONS | {"faces": faces, "prose": text, "lines": str(self.version)}


@dataclass(frozen=True)
class ScriptLines(Lines):
    """Lines in `script` (ISO 15924), one whose letters stand one behind the other from left to right, each in a typeface that has
    all of it. What they say is cut from `text`, and unseen lines from `other_text`: a training fills both in, from its recipe's
    `line-texts`."""

    script: str = "Cyrl"
    text: str = field(default="", repr=False)
    other_text: str = field(default="", repr=False)

    @property
    def lang(self) -> str:
        return f"und-{self.script}"

    def prose(self, held_out: bool) -> str:
        """Raises `ValueError` where no text was given."""
        if not self.text or not self.other_text:
            raise ValueError(f"lines in {self.script} have no text to be drawn from")
        return self.other_text if held_out else self.text

    def engines(self) -> dict[str, str]:
        return super().engines() | {"unseen": hashlib.sha256(self.other_text.encode()).hexdigest()}

    def _able(self, text: str) -> tuple[str, ...]:
        """Raises `ValueError` where no typeface has all of it."""
        if not (able := tuple(path for path in self.paths() if typefaces.draws(path, text))):
            raise ValueError(f"none of {', '.join(self.faces)} has all characters of {text!r}")
        return able


def _phrase(text: str, source: random.Random, length: int) -> str:
    """At most `length` characters from the beginning of a word on."""
    start = text.find(" ", source.randrange(len(text) - 2 * HEIGHT)) + 1
    return text[start : start + length].strip()


def _width(text: str, look: _Look) -> int:
    return look.left + max(1, round(line_by_pillow.width(look.path, look.size, text))) + _AFTER


def _accented(text: str, path: str, source: random.Random) -> str:
    """`text` with other letters and signs of the same kind in the place of some, as far as the font has them."""
    others = _others(path)
    return "".join(source.choice(others[c]) if c in others and source.random() < _ACCENTED else c for c in text)


@functools.cache
def _others(path: str) -> dict[str, str]:
    """What may stand in the place of a letter or a sign: the letter with accents, and signs of print."""
    others = dict(_PRINTED)
    for char in map(chr, (*range(0xC0, 0x180), *map(ord, "ƠơƯưȘșȚț"), *range(0x1EA0, 0x1EFA))):
        base = unicodedata.normalize("NFD", char)[0]
        if base != char:
            others[base] = others.get(base, "") + char
    drawn = typefaces.characters(path)
    able = {base: "".join(char for char in chars if ord(char) in drawn) for base, chars in others.items()}
    return {base: chars for base, chars in able.items() if chars}


@functools.cache
def prose(held_out: bool) -> str:
    """The prose of this machine in one piece: printable ASCII, white space as single spaces."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [(str(path.relative_to(library)), path) for path in library.rglob("*.py") if not _NOT_PROSE & set(path.parts)]
    if _LICENCES.is_dir():
        found += [(path.name, path) for path in _LICENCES.iterdir() if not path.is_symlink()]
    pieces: list[str] = []
    for name, path in sorted(found):
        if (hashlib.sha256(name.encode()).digest()[0] < _HELD_OUT) == held_out:
            text = path.read_text(encoding="utf-8", errors="ignore")
            pieces += re.findall(r'"""(.*?)"""', text, re.DOTALL) if path.suffix == ".py" else [text]
    return re.sub(r"[^\x21-\x7e]+", " ", " ".join(pieces)).strip()
