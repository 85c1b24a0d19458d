"""Chinese characters of which one font has two glyphs: it draws two characters, and the file says one of both.

A font has one glyph for each of its Chinese characters. Where a page draws several glyphs for which the file says one character,
the map from glyphs to characters is wrong: for glyphs that it doesn't know, say, it has the character of a neighbour. So few
signs are wrong then that a look at some lines may miss them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping

from datagen.coarse.unmapped import lines
from datagen.engines.light_pymupdf import pymupdf
from datagen.writing import scripts

_HAN, _FIRST = re.compile(f"[{scripts.IDEOGRAPHS}]"), 0x2E80  # below that are none
_MIN_SHARED = 3  # characters of a font: one or two may have a second form
Glyph = tuple[str, int]
"""A character and the number of the glyph that is drawn for it."""


def num_shared(page: pymupdf.Page, textpage: pymupdf.TextPage, alphabet: str) -> int:
    """How many of a page's Chinese characters may be others, as their font has more glyphs for them than one: of each, all but
    those with the glyph that is drawn most. `alphabet` holds the characters of the page. Nothing is known of rotated pages. MuPDF
    may raise anything."""
    if page.rotation or not _HAN.search(alphabet):
        return 0
    drawn: dict[tuple[float, float, int], int] = {}
    of_names: dict[str, Counter[Glyph]] = defaultdict(Counter)
    for span in page.get_texttrace():
        for code, number, (x, y), _ in span["chars"]:
            if code >= _FIRST and _HAN.match(chr(code)):
                drawn[_place(x, y, code)] = number
                of_names[span["font"]][chr(code), number] += 1
    if not any(map(_shared, of_names.values())):
        return 0
    # Several fonts of a file may have one name, as parts of one that each hold some pages' glyphs.
    of_fonts: dict[int, Counter[Glyph]] = defaultdict(Counter)
    for char in (char for line in lines(textpage) for char in line):
        place = _place(char.origin.x, char.origin.y, char.c)
        if place in drawn:
            of_fonts[int(char.font.this)][chr(char.c), drawn[place]] += 1
    return sum(map(_shared, of_fonts.values()))


def _shared(glyphs: Mapping[Glyph, int]) -> int:
    nums: dict[str, list[int]] = defaultdict(list)
    for (char, _), num in glyphs.items():
        nums[char].append(num)
    several = [of_char for of_char in nums.values() if len(of_char) > 1]
    return sum(sum(of_char) - max(of_char) for of_char in several) if len(several) >= _MIN_SHARED else 0


def _place(x: float, y: float, code: int) -> tuple[float, float, int]:
    return round(x, 1), round(y, 1), code
