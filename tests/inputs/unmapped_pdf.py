"""PDFs whose fonts map only a part of their glyphs to characters, as many programs write them."""

import io
from collections.abc import Sequence
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

from tests.inputs.pdfs import assemble, stream


def write(
    path: Path,
    lines: Sequence[str],
    face: str,
    hidden: str,
    names: bool = False,
    cmap: bool = False,
    renamed: dict[str, str] | None = None,
    told: dict[str, str] | None = None,
    font_name: str = "AAAAAA+Face",
    size_pt: int = 12,
) -> Path:
    """A page of upright `lines` in the TrueType font of a file, without ToUnicode for the characters of `hidden`.

    The embedded program has its glyphs' names if `names`, else none, and a Unicode map if `cmap`. `renamed`: other names for the
    glyphs of characters. `told`: what ToUnicode says in place of characters.
    """
    program, glyphs, widths = _program(face, "".join(lines), names, cmap, renamed or {})
    content = "BT /F 12 Tf\n".replace("12", str(size_pt))
    for i, line in enumerate(lines):
        codes = "".join(f"{glyphs[char]:04x}" for char in line)
        content += f"1 0 0 1 50 {800 - 2 * size_pt * i} Tm <{codes}> Tj\n"
    font = (
        f"<</Type/Font/Subtype/Type0/BaseFont/{font_name}/Encoding/Identity-H/DescendantFonts[6 0 R]/ToUnicode 5 0 R>>",
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{font_name}"
        "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor 7 0 R/CIDToGIDMap/Identity/W[0[{' '.join(map(str, widths))}]]>>",
        f"<</Type/FontDescriptor/FontName/{font_name}/Flags 4/FontBBox[0 -200 1000 800]/ItalicAngle 0/Ascent 800/Descent -200"
        "/CapHeight 700/StemV 80/FontFile2 9 0 R>>",
    )
    mapped = {glyphs[char]: (told or {}).get(char, char) for char in glyphs if char not in hidden}
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[8 0 R]/Count 1>>",
        stream((content + "ET").encode()),
        font[0].encode(),
        stream(_to_unicode(mapped)),
        font[1].encode(),
        font[2].encode(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</Font<</F 4 0 R>>>>>>",
        stream(program, f"/Length1 {len(program)}"),
    ]
    return assemble(path, objects)


def _program(face: str, text: str, names: bool, cmap: bool, renamed: dict[str, str]) -> tuple[bytes, dict[str, int], list[int]]:
    """A font program with the glyphs of `text`; the glyph of each character; and all glyphs' widths, in thousandths of an em."""
    options = subset.Options(glyph_names=True, notdef_outline=True, hinting=False)
    options.drop_tables += ["GDEF", "GPOS", "GSUB"]
    out = io.BytesIO()
    with TTFont(face) as font:
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=text)
        subsetter.subset(font)
        by_code = font.getBestCmap()
        order = font.getGlyphOrder()
        glyphs = {char: order.index(by_code[ord(char)]) for char in set(text)}
        widths = [round(1000 * font["hmtx"][name][0] / font["head"].unitsPerEm) for name in order]
        font["post"].formatType = 2.0 if names else 3.0
        if not cmap:
            del font["cmap"]
        font.save(out)
    for char, name in renamed.items():
        order[glyphs[char]] = name
    return _with_names(out.getvalue(), order) if renamed else out.getvalue(), glyphs, widths


def _with_names(program: bytes, names: list[str]) -> bytes:
    """A font program that has no names, with these. Its tables are copied as they are."""
    out = io.BytesIO()
    with TTFont(io.BytesIO(program)) as font:
        font.setGlyphOrder(names)
        font["post"].formatType, font["post"].extraNames, font["post"].mapping = 2.0, [], {}
        font.save(out)
    return out.getvalue()


def _to_unicode(characters: dict[int, str]) -> bytes:
    pairs = "\n".join(f"<{glyph:04x}> <{ord(char):04x}>" for glyph, char in sorted(characters.items()))
    return (
        "/CIDInit /ProcSet findresource begin begincmap /CMapType 2 def\n1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(characters)} beginbfchar\n{pairs}\nendbfchar\nendcmap end"
    ).encode()
