"""Paragraphs that are whole once the page's columns are known."""

from dataclasses import replace

from datagen.fine.whole_paragraphs import whole
from datagen.page.line_pieces import Piece
from datagen.page.paragraphs import Paragraph

LEFT, RIGHT, SIZE, PITCH = 100.0, 500.0, 16.0, 18.0


def line(text: str, row: float, x0: float = LEFT, x1: float = RIGHT, size: float = SIZE, mono: float = 0.0) -> Piece:
    top = 100 + PITCH * row
    return Piece((x0, top, x1, top + size), text, "Serif", size, baseline=top + 12, mono_share=mono)


def paragraph(*lines: Piece, label: str = "text") -> Paragraph:
    return Paragraph(lines, (True,) * (len(lines) - 1), label)


BODY = [
    paragraph(line("A first line of it", row, LEFT + 40), line("and another one", row + 1), line("of text", row + 2))
    for row in (0, 4)
]


def test_an_item_of_one_full_line_goes_on_at_the_left_edge():
    item, rest = paragraph(line("4) It goes on", 10, LEFT + 100), label="list"), paragraph(line("and ends", 11, x1=300))
    made = whole([*BODY, item, rest])[2:]
    assert [(p.label, len(p.pieces), p.soft) for p in made] == [("list", 2, (True,))]
    short = paragraph(line("4) It ends", 10, LEFT + 100, 400), label="list")
    closed = paragraph(line("4) It ends here.", 10, LEFT + 100), label="list")
    far = paragraph(line("Another", 13))
    for pair in ((short, rest), (closed, rest), (item, far)):
        assert whole([*BODY, *pair])[2:] == list(pair)


def test_the_word_o_goes_on_with_the_line_above_and_the_sign_in_a_typeface_for_code_is_an_items():
    above, word = paragraph(line("A. In this school", 10), label="list"), paragraph(line("o Doctorado", 11, x1=300), label="list")
    assert [len(p.pieces) for p in whole([*BODY, above, word])[2:]] == [2]
    sign = paragraph(replace(word.pieces[0], mono_share=0.1), label="list")
    assert whole([*BODY, above, sign])[2:] == [above, sign]


def test_the_head_of_a_table_of_contents_is_a_paragraph_of_its_own():
    entries = [line(f"Part {n} ........ {n}", n) for n in (1, 2)]
    head = line("Contents", 0, size=20)
    assert [len(p.pieces) for p in whole([paragraph(head, *entries)])] == [1, 2]
    assert len(whole([paragraph(line("Part one, which", 0), *entries)])) == 1
