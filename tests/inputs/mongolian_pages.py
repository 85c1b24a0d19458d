"""A page of Mongolian as books set it: columns from left to right, in two tiers, each letter on its side."""

import io
import math
import random

import cairocffi
import pangocairocffi

from datagen.drawing.typeset import CREATED, Style, broken_lines, laid_out

WORDS = (
    "ᠬᠦᠮᠦᠨ ᠪᠦᠷ ᠲᠥᠷᠥᠵᠦ ᠮᠡᠨᠳᠡᠯᠡᠬᠦ ᠡᠷᠬᠡ ᠴᠢᠯᠥᠭᠡ ᠲᠡᠢ᠂ ᠠᠳᠠᠯᠢᠬᠠᠨ ᠲᠥᠷᠥ ᠲᠡᠢ᠂ ᠢᠵᠢᠯ "
    "ᠡᠷᠬᠡ ᠲᠡᠢ ᠪᠠᠢᠠᠭ᠃ ᠣᠶᠤᠨ ᠤᠬᠠᠭᠠᠨ᠂ ᠨᠠᠨᠳᠢᠨ ᠴᠢᠨᠠᠷ ᠵᠠᠶᠠᠭᠠᠰᠠᠨ ᠬᠦᠮᠦᠨ ᠬᠡᠭᠴᠢ ᠠᠬᠠᠨ "
    "ᠳᠡᠭᠦᠦ ᠢᠨ ᠦᠵᠢᠯ ᠰᠠᠨᠠᠭᠠ ᠥᠠᠷ ᠬᠠᠷᠢᠴᠠᠬᠥ ᠤᠴᠢᠷ ᠲᠠᠢ᠃"
).split()
_TIERS_PT, _HEIGHT_PT, _LEFT_PT, _PITCH_PT, _GAP_PT = (60, 440), 330, 60, 30, 16


def mongolian_page(size_pt: float = 18, num_paragraphs: int = 2, shuffled: bool = False) -> tuple[bytes, list[str]]:
    """The page as a PDF, and its paragraphs in order; drawn in order, or `shuffled`."""
    buffer, drawn, texts, kept = io.BytesIO(), [], [], []
    surface = cairocffi.PDFSurface(buffer, 595, 842)
    surface.set_metadata(cairocffi.PDF_METADATA_CREATE_DATE, CREATED)
    context = cairocffi.Context(surface)
    for tier, top in enumerate(_TIERS_PT):
        x = float(_LEFT_PT)
        for number in range(num_paragraphs):
            first = 7 * tier + 3 * number
            texts.append(" ".join((WORDS[first:] + WORDS[:first])[: 22 + number]))
            style = Style(width_pt=_HEIGHT_PT, margin_pt=0, size_pt=size_pt)
            kept.append(laid_out(context, texts[-1], "Noto Sans Mongolian", "mn-Mong", style))
            for line in broken_lines(kept[-1], texts[-1].encode()):
                drawn.append((x, top, line))
                x += _PITCH_PT
            x += _GAP_PT
    if shuffled:
        random.Random(0).shuffle(drawn)
    for x, top, line in drawn:
        with context:
            context.translate(x, top)
            context.rotate(math.pi / 2)
            context.move_to(line.left, 0)
            pangocairocffi.pangocairo.pango_cairo_show_layout_line(context._pointer, line.pointer)
    surface.finish()
    return buffer.getvalue(), texts
