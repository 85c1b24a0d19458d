import random
from pathlib import Path

from datagen.word.colours import NUM_SHARED, Colours, Marks
from datagen.word.content import read
from datagen.word.document import Table, Text
from datagen.word.package import opened
from datagen.word.paragraph_parts import paragraphs_of
from tests import word_xml as xml


def colours_of(num: int, num_alone: int = 0) -> Colours:
    """The marks 1 to `num` in order, then `num_alone` others."""
    colours = Colours()
    for mark in range(1, num + num_alone + 1):
        colours.add(mark, is_in_order=mark <= num)
    return colours


def test_marks_of_few_pieces_have_colours_of_their_own() -> None:
    colours = colours_of(NUM_SHARED, 100)

    assert len({colours.of(mark) for mark in range(1, NUM_SHARED + 101)}) == NUM_SHARED + 100


def test_marks_are_known_in_a_long_document_that_shares_colours() -> None:
    rng = random.Random(0)
    colours = colours_of(9 * NUM_SHARED + 17, 50)
    drawn = []
    for start in range(1, 9 * NUM_SHARED + 18, 300):  # a page: a head, the text, somewhat out of order, a note
        page = list(range(start, min(start + 300, 9 * NUM_SHARED + 18)))
        rng.shuffle(page)
        drawn += [9 * NUM_SHARED + 18, *page, 9 * NUM_SHARED + 18 + rng.randrange(1, 50)]

    marks = Marks(colours)

    assert [marks.mark(colours.of(mark)) for mark in drawn] == drawn


def test_pieces_that_draw_nothing_dont_lose_the_place() -> None:
    colours = colours_of(3 * NUM_SHARED)
    drawn = [1, 2, 900, 901, 1800, 2700, 3600, 3601, 4600, 5500, 3 * NUM_SHARED]
    marks = Marks(colours)

    assert [marks.mark(colours.of(mark)) for mark in drawn] == drawn


def test_other_colours_are_no_marks() -> None:
    marks = Marks(colours_of(10, 10))

    assert [marks.mark(colour) for colour in (0, 1, 0x80, 0xFF, 0x0563C1, 0xFF0000, 0xFFFFFF)] == [0] * 7
    assert marks.mark(marks.colours.of(10) + 1) == marks.mark(marks.colours.of(20) + 1) == 0


def test_the_head_of_a_table_has_colours_that_nothing_else_has(tmp_path: Path) -> None:
    cells = [[(xml.paragraph(xml.run(text)), 1, 1)] for text in ("head", "body")]
    body = xml.table(cells, head=1) + xml.paragraph(xml.run("after")) + xml.section()
    document, _, _ = read(opened(str(xml.write_docx(tmp_path / "a.docx", body))))

    table = next(block for block in document.blocks if isinstance(block, Table))
    head, below = (piece for paragraph in paragraphs_of([table]) for piece in paragraph.pieces)
    assert isinstance(head, Text) and isinstance(below, Text)
    assert document.colours.alone == [head.mark]
    assert document.colours.in_order[0] == below.mark
