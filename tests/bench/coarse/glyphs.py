"""Glyphs whose characters are known, read without their map: how many are read right, wrong, or not at all.

    python -m tests.bench.coarse.glyphs [--pages 6] [FILE.pdf ...]

First, glyphs of the typefaces that shapes are compared with, each compared with the typefaces of other families. Then the mapped
glyphs of real documents, in fonts that nothing was compared with, on `--pages` pages of each: of FILE, or of the default run's
documents that are on this machine. A document's own map says what is right. Where it is wrong, so is the count.
"""

import collections
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymupdf

from datagen.coarse import glyph_names, glyph_shapes, unmapped
from datagen.drawing import typefaces
from datagen.samples import documents
from datagen.writing import scripts
from tests.bench.measuring import options

_FLAGS = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
Tally = dict[tuple[str, str], collections.Counter[str]]


def kind(char: str) -> str:
    """What a row of the table is about: the character's script, or what sort of sign it is."""
    category = unicodedata.category(char)
    if char.isalpha():
        return f"letters {scripts.script(char)}"
    if category[0] == "N":
        return "digits"
    return "arrows" if "ARROW" in unicodedata.name(char, "") else "punctuation" if category[0] == "P" else "symbols"


def verdict(char: str, reading: str) -> str:
    return "refused" if not reading else "right" if glyph_shapes.is_alike(char, reading) else "wrong"


def of_typefaces() -> Tally:
    """Glyphs of this machine's typefaces, by their shapes alone; a family is what its files' first four letters say."""
    tally: Tally = collections.defaultdict(collections.Counter)
    for face in typefaces.sign_faces():
        font = pymupdf.Font(fontfile=face)
        for char in (*glyph_shapes.SIGNS, *glyph_shapes.LETTERS):
            number = font.has_glyph(ord(char))
            drawn = glyph_shapes.shape(font.this, number) if number else None
            if drawn:
                tally[kind(char), "shape"][verdict(char, glyph_shapes.sign(drawn, without=Path(face).name[:4]))] += 1
    return tally


def of_documents(paths: list[str], num_pages: int) -> tuple[Tally, collections.Counter[str]]:
    """Glyphs of documents, each of a font once; and what was read wrong."""
    tally: Tally = collections.defaultdict(collections.Counter)
    wrong: collections.Counter[str] = collections.Counter()
    for path in paths:
        for char, font, number in _glyphs(path, num_pages):
            drawn = glyph_shapes.shape(font, number)
            name = pymupdf.mupdf.fz_get_glyph_name2(font, number)
            readings = {
                "name": glyph_names.character(name, font.m_internal.name),
                "shape": glyph_shapes.sign(drawn) if drawn else "",
            }
            for way, reading in readings.items():
                is_right = verdict(char, reading)
                tally[kind(char), way][is_right] += 1
                if is_right == "wrong":
                    wrong[f"{char} as {reading}, by its {way}"] += 1
    return tally, wrong


def _glyphs(path: str, num_pages: int) -> Iterator[tuple[str, Any, int]]:
    """Mapped glyphs on pages on which shapes would be read: the character, MuPDF's font, the glyph's number in it."""
    seen: set[tuple[str, int]] = set()
    with pymupdf.open(path) as doc:
        for page in list(doc)[:: max(1, len(doc) // num_pages)]:
            numbers = {tuple(c[2]): c[1] for span in page.get_texttrace() for c in span["chars"]}
            textpage = pymupdf.TextPage(page.get_displaylist().get_textpage(_FLAGS))
            if not unmapped.is_plain("".join(set(textpage.extractText()))):
                continue
            for line in unmapped.lines(textpage):
                for char in line:
                    number = numbers.get((char.origin.x, char.origin.y), -1)
                    new = number > 0 and (char.font.name, number) not in seen and char.font.buffer
                    if new and glyph_names.is_drawn(chr(char.c)):
                        seen.add((char.font.name, number))
                        yield chr(char.c), pymupdf.mupdf.FzFont(pymupdf.mupdf.ll_fz_keep_font(char.font)), number


def show(title: str, tally: Tally) -> None:
    print(f"\n{title}\n{'':24}{'by':>8}{'right':>8}{'wrong':>8}{'refused':>9}")
    for (name, way), counts in sorted(tally.items()):
        print(f"{name:24}{way:>8}{counts['right']:8}{counts['wrong']:8}{counts['refused']:9}")


def main() -> None:
    parser = options(__doc__, pages=6)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    files = arguments.files or sorted(str(path) for path in documents.cache_folder().rglob("*.pdf"))
    show("Glyphs of this machine's typefaces", of_typefaces())
    tally, wrong = of_documents(files, arguments.pages)
    show(f"Mapped glyphs of {len(files)} documents", tally)
    print("\nread wrong: " + "; ".join(f"{what} ({n})" for what, n in wrong.most_common(20)))


if __name__ == "__main__":
    main()
