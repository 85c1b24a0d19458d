"""Read characters that a PDF doesn't map (U+FFFD) from their glyphs: by name, by the font program's own map, or by shape.

A reading depends only on the glyph and its page. So a page reads the same in any range of pages, and a glyph that is read on two
pages reads the same on both.
"""

import functools
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from fontTools.ttLib import TTFont

from datagen.coarse import glyph_names
from datagen.coarse.page import textpage_of
from datagen.engines.light_pymupdf import pymupdf
from datagen.writing import scripts

_UNMAPPED, _NOTDEF = 0xFFFD, 0  # a code, a glyph
_SPACE, NOTHING = 0x20, 0x2060  # written for strokes of a picture; written for the second piece of an arrow
_WORTH_A_LOOK = re.compile(f"[\ufffd{scripts.PRIVATE}]")
_FIRST_PRIVATE, _LAST_PRIVATE = 0xE000, 0xF8FF
_FIRST_ACCENTED, _LAST_ACCENTED = 0xC0, 0x24F
_HEADS = (b"\0\1\0\0", b"OTTO", b"true")  # of font programs with tables
_MAX_PROGRAM_BYTES = 8 << 20
# Glyphs of these stand in the order of drawing, which isn't the order of the text.
_REORDERED = re.compile(f"[{scripts.CLUSTERED}]")
# A shape is read if all letters are of these scripts. Other scripts have letters and marks that look like signs.
_PLAIN_SCRIPTS = frozenset("Latn Grek Cyrl Armn Geor".split()) | scripts.NO_SCRIPT
_MIN_PLAIN_LETTERS = 10
_WITHIN_WORDS = frozenset("'\u2019-\u2013\u00b7.,:")  # signs that stand between letters and don't look like letters
_LAST_OF_BMP, _LAST = 0xFFFF, 0x10FFFF

Char = Any  # of MuPDF's structured text: `c`, `font`, `origin`
Line = list[Char]
Font = Any  # MuPDF's


def worth_a_look(alphabet: str, fonts: Iterable[str]) -> bool:
    """Whether `read` might read any of these characters, in fonts of these names."""
    return bool(_WORTH_A_LOOK.search(alphabet)) or any(
        glyph_names.draws_strokes(font) or glyph_names.has_no_letters(font) for font in fonts
    )


def read(page: pymupdf.Page, textpage: pymupdf.TextPage, flags: int, alphabet: str, fonts: Iterable[str]) -> int:
    """Reads unmapped characters of `textpage` and writes them into it. Returns their number. `textpage` is the page's text by
    `flags`, with these `alphabet` and `fonts`.

    A reading must be sure. Either a name or a map gives one character, and a letter is of its word's script. Or the shape is like
    that of one sign only, on a page whose letters don't look like signs. Strokes of a picture become spaces. A character that
    can't be read stays U+FFFD. MuPDF may raise anything.
    """
    num_read = 0
    plain = is_plain(alphabet)
    draws_strokes = any(map(glyph_names.draws_strokes, fonts))
    if any(map(glyph_names.has_no_letters, fonts)):
        _deny_letters(textpage)
    coded = [(line, [char.c for char in line]) for line in lines(textpage)]
    asked = [line[i] for line, codes in coded for i, code in enumerate(codes) if code == _UNMAPPED or code > _LAST]
    # A walk through a page's characters takes longer than an extraction of its text, so only columns that may be needed are read.
    columns = {char.origin.x for char in asked}
    has_lost = any(char.c > _LAST for char in asked)
    whole = _by_place(page, flags | pymupdf.TEXT_PRESERVE_LIGATURES, columns) if has_lost else {}
    numbers = _by_place(page, flags | pymupdf.TEXT_USE_GID_FOR_UNKNOWN_UNICODE, columns) if asked else {}
    maps: dict[int, Mapping[int, tuple[str, ...]]] = {}
    signs: dict[tuple[int, int], str] = {}
    for line, codes in coded:
        for i, code in enumerate(codes):
            if draws_strokes and glyph_names.draws_strokes(line[i].font.name):
                line[i].c = _SPACE
            elif _FIRST_PRIVATE <= code <= _LAST_PRIVATE:
                if char := glyph_names.private_character(code, line[i].font.name):
                    line[i].c = ord(char)
                    num_read += 1
            elif code == _UNMAPPED or code > _LAST:
                place = _place(line[i])
                # When MuPDF takes ligatures apart, it loses U+FD3E and U+FD3F, and writes some number.
                line[i].c = whole.get(place, _UNMAPPED) if code > _LAST else _UNMAPPED
                if line[i].c == _UNMAPPED and numbers.get(place, _NOTDEF) != _NOTDEF:
                    glyph = pymupdf.mupdf.FzFont(pymupdf.mupdf.ll_fz_keep_font(line[i].font)), numbers[place]
                    num_read += _read_by_program(line, i, *glyph, maps) or (plain and _read_by_shape(line, i, *glyph, signs))
    return num_read


def _deny_letters(textpage: pymupdf.TextPage) -> None:
    """Write U+FFFD for accented letters in fonts that have no letters: the file's maker took their codes for a text font's."""
    for line in lines(textpage):
        for char in line:
            if (
                _FIRST_ACCENTED <= char.c <= _LAST_ACCENTED
                and chr(char.c).isalpha()
                and glyph_names.has_no_letters(char.font.name)
            ):
                char.c = _UNMAPPED


def _read_by_program(line: Line, i: int, font: Font, number: int, maps: dict[int, Mapping[int, tuple[str, ...]]]) -> bool:
    """Reads the glyph of character `i` of a line by its name or the program's map, and writes the reading into the line. Returns
    whether it was read. `maps` keeps the maps of the page's fonts, since to copy a program out of MuPDF takes milliseconds.
    """
    name = pymupdf.mupdf.fz_get_glyph_name2(font, number)
    piece = glyph_names.other_piece(name)
    if piece:
        before, arrow = piece
        k = i + 1 if before else i - 1
        if not (0 <= k < len(line) and line[k].c == ord(arrow)):
            return False
        line[k].c = NOTHING
    near = {scripts.script(char) for char in _word(line, i) if char.isalpha()} - scripts.NO_SCRIPT
    by_name = glyph_names.character(name, line[i].font.name)
    if not by_name and (key := font.m_internal_value()) not in maps:
        maps[key] = _by_map(_program(line[i].font))
    char = _fitting([by_name] if by_name else maps[key].get(number, ()), near)
    if char:
        line[i].c = ord(char)
    return bool(char)


def _read_by_shape(line: Line, i: int, font: Font, number: int, signs: dict[tuple[int, int], str]) -> bool:
    """Reads the glyph of character `i` of a line as a sign that fits there, and writes the sign into the line. Returns whether it
    was read. `signs` keeps the signs of the page's glyphs, by font and number.
    """
    # Imported here: few pages need shapes, and to load the module and draw the characters takes half a second.
    from datagen.coarse import glyph_shapes

    key = font.m_internal_value(), number
    if key not in signs:
        drawn = glyph_shapes.shape(font, number) if line[i].font.buffer else None  # else a Type 3 font, of whatever size
        signs[key] = glyph_shapes.sign(drawn) if drawn else ""
    before, after = (chr(line[k].c) if 0 <= k < len(line) else " " for k in (i - 1, i + 1))
    if not signs[key] or (before.isalpha() and after.isalpha() and signs[key] not in _WITHIN_WORDS):
        return False
    line[i].c = ord(signs[key])
    return True


def is_plain(alphabet: str) -> bool:
    """Whether shapes may be read on a page of these characters: none of its letters looks like a sign."""
    letters = [char for char in alphabet if char.isalpha()]
    return len(letters) >= _MIN_PLAIN_LETTERS and {scripts.script(char) for char in letters} <= _PLAIN_SCRIPTS


def _fitting(candidates: Sequence[str], near: set[str]) -> str:
    """The first of the characters that may stand in a word with letters of the scripts `near`; "" if there is none."""
    for char in candidates:
        script = scripts.script(char)
        if ord(char) > _LAST_OF_BMP or _REORDERED.match(char) or unicodedata.category(char)[0] == "M":
            continue
        if not char.isalpha() or script in scripts.NO_SCRIPT or not near or script in near or near <= scripts.EAST_ASIAN:
            return char
    return ""


def _word(line: Line, i: int) -> str:
    """The other characters of the word that character `i` stands in."""
    text = "".join(chr(char.c) for char in line)
    start = max(text.rfind(" ", 0, i), text.rfind("\u00a0", 0, i)) + 1
    return text[start:i] + re.split(r"\s", text[i + 1 :], maxsplit=1)[0]


def _by_place(page: pymupdf.Page, flags: int, columns: Set[float]) -> dict[tuple[float, float, str], int]:
    """The code at each place (x, y, font) of the page's text by `flags`, for characters that start at one of `columns`. Places
    with two different codes are left out."""
    codes: dict[tuple[float, float, str], int] = {}
    shared = set()
    for char in (char for line in lines(textpage_of(page, flags)) for char in line if char.origin.x in columns):
        place = _place(char)
        if codes.setdefault(place, char.c) != char.c:
            shared.add(place)
    return {place: code for place, code in codes.items() if place not in shared}


def _place(char: Char) -> tuple[float, float, str]:
    return char.origin.x, char.origin.y, char.font.name


def lines(textpage: pymupdf.TextPage) -> Iterator[Line]:
    """The characters of each line of a text page. They are valid as long as the page lives."""
    for block in textpage.this:
        if block.m_internal.type == pymupdf.mupdf.FZ_STEXT_BLOCK_TEXT:
            for line in block:
                chars, char = [], line.m_internal.first_char
                while char:  # a third of the time that the line's iterator takes
                    chars.append(char)
                    char = char.next
                yield chars


def _program(font: Any) -> bytes:
    """The font program; empty if there is none, or if it is too large."""
    if font.buffer is None:
        return b""
    program = pymupdf.JM_BinFromBuffer(pymupdf.mupdf.FzBuffer(pymupdf.mupdf.ll_fz_keep_buffer(font.buffer)))
    return program if len(program) <= _MAX_PROGRAM_BYTES else b""


@functools.lru_cache(maxsize=4)
def _by_map(program: bytes) -> Mapping[int, tuple[str, ...]]:
    """The characters that the program's Unicode map gives each glyph, by the glyph's number. Empty without such a map."""
    if program[:4] not in _HEADS:
        return {}
    characters: dict[int, set[str]] = {}
    try:
        with TTFont(io.BytesIO(program), lazy=True) as font:
            for code, name in (font.getBestCmap() or {}).items():
                if glyph_names.is_drawn(chr(code)):
                    characters.setdefault(font.getGlyphID(name), set()).add(chr(code))
    except MemoryError:
        raise
    except Exception:  # whatever fontTools raises on a hostile program
        return {}
    return {number: tuple(sorted(chars)) for number, chars in characters.items()}
