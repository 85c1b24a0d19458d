"""Lines of text as crops. Training lines are typeset whenever they are learned, test lines once."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy
import simplejpeg

from datagen.drawing import typefaces
from datagen.drawing.line_by_pango import draws, width
from datagen.record import Box
from flywheel.lines.crops import Crop
from flywheel.pools.texts import Texts
from flywheel.pools.typefaces import in_family

_JPEG_QUALITY = 90
_LENDERS = ("DejaVu Sans", "Noto Sans")  # for signs that a script's own typefaces lack


def to_train(texts: Texts) -> list[Crop]:
    """The training lines, each with the typefaces that have its letters. A line that no typeface has whole is left out. Raises
    `ValueError` if the typefaces are no longer those with which the text was frozen."""
    texts.families.check(texts.lang)
    crops = []
    for number, text in enumerate(texts.train):
        if able := families_for(text, texts.families.train, texts.lang):
            box = Box(0, 0, max(1, round(width(text, able[0], texts.lang, 30))), 36)
            crops.append(Crop(f"text-{texts.lang}-{number:06d}", texts.lang, texts.script, text, b"", box, able))
    return crops


def anew(line: Crop, texts: Texts) -> Crop:
    """A line of a document with the typefaces in which it can be set anew: those of its language's text."""
    return replace(line, families=families_for(line.text, texts.families.train, texts.lang))


def to_test(texts: Texts, most: int, seed: int) -> list[Crop]:
    """At most `most` of the test lines, drawn in the test typefaces in turn, each with its typeface. Raises `ValueError` as
    `to_train` does."""
    texts.families.check(texts.lang)
    crops: list[Crop] = []
    for number, text in enumerate(texts.held_out):
        able = families_for(text, texts.families.test, texts.lang)
        if able and len(crops) < most:
            family = able[len(crops) % len(able)]
            pixels, box, tall = in_family((family,), text, texts.lang, numpy.random.default_rng([seed, number]))
            image = simplejpeg.encode_jpeg(numpy.ascontiguousarray(pixels)[:, :, None], _JPEG_QUALITY, "GRAY")
            key = f"test-{texts.lang}-{number:06d}"
            crops.append(Crop(key, texts.lang, texts.script, text, image, box, (family,), tall))
    return crops


def families_for(text: str, families: Sequence[str], lang: str) -> tuple[str, ...]:
    """The families that have the text's letters, marks and digits. Other typefaces lend characters that are plain in any text; if
    none has one, there is no family. A mark without a letter under it needs a dotted circle, which some typefaces lack."""
    signs = frozenset(text)
    own = frozenset(char for char in signs if not char.isascii() and unicodedata.category(char)[0] in "LMN")
    able = tuple(name for name in families if not typefaces.missing(name, own))
    if any(unicodedata.category(char)[0] == "M" for char in own):
        able = tuple(name for name in able if draws(text, name, lang))
    has = [name for name in (*able[:1], *_LENDERS) if name in typefaces.installed()]
    return able if all(any(not typefaces.missing(name, frozenset(char)) for name in has) for char in signs - own) else ()
