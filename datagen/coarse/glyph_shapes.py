"""What sign a glyph is by its shape: its picture is compared with those of characters in the typefaces of this machine.

MuPDF draws all glyphs at one size an em. Two are alike if their ink is, and if it is about as wide and as high, and stands as
high over the baseline: a comma and an apostrophe differ in nothing else. Letters and digits are compared, too, but never the
answer: typefaces differ in them by as much as small and capital letters do.
"""

import functools
from typing import Any, NamedTuple

import numpy
from PIL import Image, ImageFilter

from datagen.drawing import typefaces
from datagen.engines.light_pymupdf import pymupdf

SIGNS = (
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¢£¥§©«®°±¶·»¿×÷–—‘’“”„†‡•…‰‹›€№™←↑→↓↔↕↗↘↩↪⇐⇒⇔−≈≠≤≥∞√"
    "■□▪▫▲▶▷►▼◀◁◄◆◇○●◦★☆☎☐☑☒☛☞☹☺♠♣♥♦♪✂✉✏✓✔✗✘❖➔➜➢➤"
)
# Signs that only differ in what a typeface makes of them. Any of them may be said.
_ALIKE = ("-–", "▪■", "▫□☐", "▶►", "◀◄", "✓✔", "✗✘", "➔➜", "○◦", "●•")
LETTERS = (
    "0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzÆØßæøı"
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρςστυφχψωάέήίόύώϊϋΐΰ"
    "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюяіїєґ"
    "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև"
    "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ"
)
_EM = 40  # pixels
_SIDE, _PAPER, _BLUR = 24, 3, 1.2  # of the pictures that are compared: the ink's side, the paper around it
_INK = 96
_SIZE, _PLACE = 0.15, 0.4  # what likeness loses where width or height is twice as large; where bottom or top is an em off
_LEAST_EM = 0.1  # added to sizes: a dash is thin, and how thin says little
_MIN_LIKENESS, _MIN_MARGIN = 0.8, 0.08
_NEAR = 0.12  # of the best likeness: what another typeface's must reach that agrees


class Shape(NamedTuple):
    """A glyph's ink: its picture, stretched to a square, of mean 0 and length 1; its bottom, width and height in ems."""

    picture: numpy.ndarray
    bottom: float  # over the baseline
    width: float
    height: float


def shape(font: Any, number: int) -> Shape | None:
    """The shape of a glyph of MuPDF's font; None if it has no ink to speak of. MuPDF may raise anything."""
    mupdf = pymupdf.mupdf
    bounds = mupdf.FzIrect(-_EM, -3 * _EM, 4 * _EM, 2 * _EM)
    drawn = mupdf.fz_render_glyph_pixmap(font, number, mupdf.FzMatrix(_EM, 0, 0, -_EM, 0, 0), bounds, 8)
    if not drawn.m_internal:
        return None
    pixmap = pymupdf.Pixmap("raw", drawn)
    if pixmap.n != 1 or not pixmap.width or not pixmap.height:
        return None
    image = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width)
    rows, columns = numpy.flatnonzero(image.max(axis=1) > _INK), numpy.flatnonzero(image.max(axis=0) > _INK)
    if not len(rows):
        return None
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    square = Image.new("L", (_SIDE + 2 * _PAPER, _SIDE + 2 * _PAPER))
    square.paste(Image.fromarray(ink).resize((_SIDE, _SIDE), Image.Resampling.BOX), (_PAPER, _PAPER))
    picture = numpy.asarray(square.filter(ImageFilter.GaussianBlur(_BLUR)), numpy.float32).ravel()
    picture = picture - picture.mean()
    height, width = ink.shape
    bottom = -(pixmap.y + int(rows[-1]) + 1)
    length = float(numpy.linalg.norm(picture))
    return Shape(picture / length, bottom / _EM, width / _EM, height / _EM)


class _References(NamedTuple):
    """Shapes of characters in typefaces, a row each. Look-alikes are of one class. `sizes` are bottom, width and height."""

    characters: numpy.ndarray
    classes: numpy.ndarray
    faces: numpy.ndarray
    pictures: numpy.ndarray
    sizes: numpy.ndarray


@functools.cache
def _references() -> _References | None:
    """The shapes of signs, letters and digits in the typefaces of this machine; None if it has none of these."""
    classes = {char: alike[0] for alike in _ALIKE for char in alike}
    rows = []
    for face in typefaces.sign_faces():
        font = pymupdf.Font(fontfile=face)
        for char in (*SIGNS, *LETTERS):
            number = font.has_glyph(ord(char))
            drawn = shape(font.this, number) if number else None
            if drawn:
                rows.append((char, classes.get(char, char), face, drawn.picture, drawn[1:]))
    return _References(*map(numpy.array, zip(*rows, strict=True))) if rows else None


def sign(drawn: Shape) -> str:
    """The sign that a shape surely is. "" if it may be a letter or a digit, or another sign, or if typefaces don't agree."""
    known = _references()
    if known is None:
        return ""
    likeness = _likeness(drawn, known)
    best = int(likeness.argmax())
    same = known.classes == known.classes[best]
    margin = likeness[best] - likeness[~same].max()
    agreeing = set(known.faces[same & (likeness > likeness[best] - _NEAR)])
    char = str(known.characters[best])
    is_sure = likeness[best] >= _MIN_LIKENESS and margin >= _MIN_MARGIN and len(agreeing) > 1
    return char if char in SIGNS and is_sure else ""


def _likeness(drawn: Shape, known: _References) -> numpy.ndarray:
    """How like a shape is to each of those known: 1 for the same."""
    bottom, width, height = known.sizes.T
    wider = numpy.log2((width + _LEAST_EM) / (drawn.width + _LEAST_EM))
    higher = numpy.log2((height + _LEAST_EM) / (drawn.height + _LEAST_EM))
    places = abs(bottom - drawn.bottom) + abs(bottom + height - drawn.bottom - drawn.height)
    likeness = known.pictures @ drawn.picture - _SIZE * (abs(wider) + abs(higher)) - _PLACE * places
    return numpy.round(likeness, 4)  # processors differ in the last bits
