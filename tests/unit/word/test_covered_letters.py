"""Letters that something covers are in the page's text layer, and nobody sees them."""

import pymupdf

from datagen.word.pages.document_pages import covered_letters, overlaps
from datagen.word.pages.page_letters import Letter


def test_letters_under_a_shape_are_covered_and_those_on_it_are_not() -> None:
    pdf = pymupdf.open()
    page = pdf.new_page(width=200, height=100)
    stream = (
        b"BT /helv 12 Tf 10 60 Td (under) Tj ET\n0.5 0.5 0.5 rg 0 50 30 30 re f\n"
        b"0 0 0 rg BT /helv 12 Tf 10 20 Td (beside) Tj ET\n"
        b"0.9 0.9 0.9 rg 100 0 90 90 re f\n0 0 0 rg BT /helv 12 Tf 110 60 Td (upon) Tj ET "
    )
    page.insert_font("helv")
    xref = pdf.get_new_xref()
    pdf.update_object(xref, "<<>>")
    pdf.update_stream(xref, stream)
    page.set_contents(xref)
    chars = [c for b in page.get_text("rawdict")["blocks"] for ln in b["lines"] for s in ln["spans"] for c in s["chars"]]
    letters = [Letter(c["c"], c["bbox"], 1, 1, 12, "") for c in chars]

    covered = covered_letters(page, xref, stream, letters, [(0, 0, 200, 100)])

    assert "".join(letters[n].char for n in sorted(covered)) == "und"
    assert covered_letters(page, xref, stream, letters, [(0, 60, 200, 100)]) == set()  # nothing near them
    assert pdf.xref_stream(xref) == stream


def test_tables_over_each_other_share_a_place() -> None:
    cells = {1: [(0, 0, 50, 20)], 2: [(50, 0, 100, 20)], 3: [(40, 10, 80, 60)], 4: [(0, 21, 30, 40)]}

    assert overlaps(cells, {1: 0, 2: 0, 3: 7, 4: 8}) == [(40, 10, 80, 20)]
    assert overlaps(cells, dict.fromkeys(cells, 0)) == []
