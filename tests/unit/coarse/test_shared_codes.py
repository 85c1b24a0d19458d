"""Characters of which a font has two glyphs, and notes that somebody put on a page: the text that is there isn't what is seen."""

import re

import pymupdf
import pytest

from datagen.coarse.page import pictures
from tests.opened import read

TEXT = "結合協同技術還能夠為未來城市和許多非凡的功用"


def pdf(said: dict[str, str], rotation: int = 0) -> bytes:
    """A page with `TEXT`, whose font says other characters of some glyphs."""
    font = pymupdf.Font("cjk")
    with pymupdf.open() as doc:
        page = doc.new_page()
        for i in range(2):
            writer = pymupdf.TextWriter(page.rect)
            writer.append((72, 100 + 30 * i), TEXT, font=font, fontsize=12)
            writer.write_text(page)
        page.set_rotation(rotation)
        codes = "\n".join(f"<{font.has_glyph(ord(c)):04x}> <{ord(said.get(c, c)):04x}>" for c in sorted(set(TEXT)))
        cmap = (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
            f"{len(set(TEXT))} beginbfchar\n{codes}\nendbfchar\nendcmap end end"
        )
        for xref in range(1, doc.xref_length()):
            if map_at := re.search(r"/ToUnicode (\d+)", doc.xref_object(xref)):
                doc.update_stream(int(map_at[1]), cmap.encode())
        return doc.tobytes()


@pytest.mark.parametrize(
    ("said", "num"),
    [
        ({}, 0),
        ({"結": "合", "還": "能"}, 0),  # a second form, perhaps
        ({"結": "合", "還": "能", "非": "凡"}, 6),
    ],
)
def test_characters_whose_font_has_several_glyphs_for_them_are_counted_where_they_are_many(said, num):
    signals = read(pdf(said)).signals
    assert signals.get("shared_codes_share", 0.0) == pytest.approx(num / signals["num_chars"])
    assert ("shared_codes_share" in signals) is (num > 0)


def test_texts_that_somebody_put_on_a_page_are_counted_and_hidden_ones_are_not():
    with pymupdf.open() as doc:
        page = doc.new_page()
        page.add_freetext_annot((50, 50, 200, 80), "read input")
        page.add_freetext_annot((50, 90, 200, 120), "  ")
        hidden = page.add_freetext_annot((50, 150, 200, 180), "not seen")
        hidden.set_flags(2)
        hidden.update()
        page.add_highlight_annot((50, 200, 200, 210))
        assert read(doc.tobytes(), function=pictures).signals["num_notes"] == 1.0
        assert "num_notes" not in read(pdf({}), function=pictures).signals
