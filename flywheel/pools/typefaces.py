"""Known text in other typefaces: a training line set anew in a font of this machine.

A reader reads well only typefaces that it has seen, and documents of one language rarely have many.
"""

import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import regex

from datagen.drawing import line_by_pillow, typefaces
from datagen.drawing.typefaces import installed
from datagen.record import Box
from datagen.writing import scripts, vertical_lines

_MARGIN = 0.3  # of the line's height
# Pixels an em: letters are about as high as in crops of documents. The sizes are few, so Pango and cairo have most letters at
# hand: a line takes 0.6 ms, and 2.3 ms in a size of its own. Readers see lines stretched and resized anyway.
_SIZES = (23, 30, 39)
_BOLD, _ITALIC = 0.2, 0.1  # shares of lines
_COLUMNS = 0.3  # of the lines of scripts whose characters stand upright in columns
_FREQUENT = 2e-4  # of a text's characters: a typeface may lack the others
_HELD_OUT = 64  # of 256 families
_TWO_MARKS = regex.compile(r"\p{L}\p{Mn}{2}(?!\p{M})")
_STACKED, _HIDDEN = 8, 0.5  # tested letters with two marks; the share of the second mark's ink on the first


@functools.cache
def sha256() -> str:
    """A digest of the text faces' files, on which readers that were trained with these lines depend."""
    return typefaces.digest(typefaces.text_faces())


def typeset(text: str, random: numpy.random.Generator, heights: tuple[int, int] = (28, 48)) -> tuple[numpy.ndarray, Box] | None:
    """`text` in a random face that has all of it, as (H, W) gray bytes, dark on white, with a margin; and the line's box, which
    is `heights` pixels high. None if there is no such face."""
    able = [path for path in typefaces.text_faces() if typefaces.draws(path, text)]
    if not able:
        return None
    path = able[int(random.integers(len(able)))]
    size = line_by_pillow.size_of_height(path, int(random.integers(heights[0], heights[1] + 1)))
    ink, box = line_by_pillow.line(path, size, text, margin=round(_MARGIN * line_by_pillow.height(path, size)))
    return 255 - ink, box


def in_family(families: Sequence[str], text: str, lang: str, random: numpy.random.Generator) -> tuple[numpy.ndarray, Box, float]:
    """`text` drawn in one of these families: (H, W) gray bytes, dark on white; the line's box; and the line's height divided by
    that of plain letters in the same size (above 1 if letters are stacked). Some lines are bold or italic. In scripts of upright
    characters some are laid-down columns. Raises `ValueError` if no installed font has one of the characters."""
    from datagen.drawing.line_by_pango import PLAIN, line  # Pango: only typeset languages need it

    name = families[int(random.integers(len(families)))]
    weight = 700 if random.random() < _BOLD else 400
    italic = bool(random.random() < _ITALIC)
    size = float(random.choice(_SIZES))
    of_column = scripts.main_script(text)[0] in vertical_lines.UPRIGHT and bool(random.random() < _COLUMNS)
    pixels, box = line(text, name, lang, size, round(_MARGIN * size), weight, italic, of_column)
    return pixels, box, (box.y1 - box.y0) / (PLAIN * size)


@dataclass(frozen=True)
class Families:
    """The typefaces of a language, for training and for tests, and the sha256 of their files. A language with two typefaces has
    none for tests alone: `test` are then those of training."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    sha256: str

    @property
    def has_held_out(self) -> bool:
        """Whether readers see none of the test typefaces."""
        return not set(self.train) & set(self.test)

    def check(self, lang: str) -> None:
        """Raises `ValueError` if this machine has other typefaces."""
        missing = [name for name in (*self.train, *self.test) if name not in installed()]
        if missing or _files(sorted({*self.train, *self.test})) != self.sha256:
            raise ValueError(
                f"{lang}: the text was frozen with typefaces that this machine lacks ({', '.join(missing) or 'other versions'}): "
                "install those, or make the rounds anew with overwrite=1"
            )


def families_of(lines: Sequence[str], lang: str) -> Families | None:
    """The typefaces that have the frequent letters of these lines; None if there are none. A hash of its name makes a typeface
    one for tests."""
    counts = Counter(char for text in lines for char in text)
    letters = "".join(sorted(char for char, n in counts.items() if n > _FREQUENT * counts.total() and not char.isascii()))
    sample = letters + " ".join(lines[:: max(1, len(lines) // 40)])
    frequent = "".join(char for char in sample if char in letters or char == " ")
    from datagen.drawing import families  # Pango: only typeset languages need it

    able = sorted((name for name in families.families(frequent, lang) if stacks(name, lines, lang)), key=_hash)
    if not able:
        return None
    test = [name for name in able if _hash(name)[0] < _HELD_OUT]
    if len(able) < 3:
        test = train = able
    elif not test or len(able) - len(test) < 2:
        test, train = able[:1], able[1:]
    else:
        train = [name for name in able if name not in test]
    return Families(tuple(sorted(train)), tuple(sorted(test)), _files(sorted(able)))


def stacks(name: str, lines: Sequence[str], lang: str) -> bool:
    """Whether the family draws a letter's second mark beside its first one. Noto Looped Thai draws the tone on the vowel, where
    it can't be seen; such lines would teach readers to see signs that aren't there."""
    from datagen.drawing.line_by_pango import line  # Pango: only typeset languages need it

    def ink(text: str) -> int:
        return int((255 - line(text, name, lang, _SIZES[-1], 0)[0].astype(int)).sum())

    counts = Counter(stacked for text in lines for stacked in _TWO_MARKS.findall(text) if stacked[1] != stacked[2])
    hidden = []
    for letter, first, second in (tuple(stacked) for stacked, _ in counts.most_common(_STACKED)):
        alone = ink(letter + second) - ink(letter)
        if alone > 0:
            hidden.append(1 - (ink(letter + first + second) - ink(letter + first)) / alone)
    return not hidden or float(numpy.median(hidden)) < _HIDDEN


def _hash(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def _files(names: Sequence[str]) -> str:
    return typefaces.digest(installed()[name][0] for name in names)
