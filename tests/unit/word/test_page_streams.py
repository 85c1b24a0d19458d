"""What a page's stream says of marks, on streams by hand."""

import re

from datagen.word.file.copy_marks import CopyMarks, Original
from datagen.word.file.document import Cell, Document, Paragraph, Row, Table, Text
from datagen.word.pages.page_letters import Letter, PageLetters, colour_of_mark
from datagen.word.pages.page_streams import PageStream, PageStreams
from datagen.word.pages.placement import with_repeated_heads


def document(*paragraphs: Paragraph, marks: CopyMarks | None = None) -> Document:
    return Document(paragraphs, 99, 0, 0, {}, marks or CopyMarks())


def item(mark: int, marker: int = 0) -> Paragraph:
    return Paragraph((Text("words", mark),) if mark else (), marker_mark=marker)


def text(tag: str, colour: str = "0 0 0") -> str:
    return f"/{tag}<</MCID 1>>BDC\nq {colour} rg\nBT\n90 700 Td /F1 12 Tf[<01>2<02>]TJ\nET\nQ\nEMC\n"


def artifact(inside: str) -> str:
    return f"/Artifact BMC\n{inside}EMC\n"


def page(of: Document, *parts: str) -> PageStream:
    return PageStreams(of).page(f"0.1 w\nq 0 0.028 595 841 re\nW* n\n{''.join(parts)}Q\n".encode(), 842)


def marks(stream: PageStream) -> list[tuple[int, bool]]:
    """Of each colour that is set where the page is read: the mark, and whether it is light where it is shown."""
    colours = [[round(255 * float(part)) for part in operands] for operands in re.findall(rb"(\S+) (\S+) (\S+) rg", stream.read)]
    ats = [(red << 16 | green << 8 | blue) - colour_of_mark(0, False) for red, green, blue in colours]
    return [(at // 2, bool(at % 2)) for at in ats]


def dark(*of: int) -> list[tuple[int, bool]]:
    return [(mark, False) for mark in of]


def test_text_has_the_mark_that_its_style_is_called_by() -> None:
    inner = "/Span<</ActualText<FEFF0041>>>BDC\nq 0 0 0 rg\nBT\n<01>Tj\nET\nQ\nEMC\n"
    stream = page(
        document(item(1), item(2)), text("pagewheel1"), text("pagewheel2b17", "1 1 0.9"), text("Standard"), text("pagewheel1")
    )
    nested = page(document(item(1)), f"/pagewheel1<</MCID 0>>BDC\n{inner}EMC\n", text("Formula"))

    assert marks(stream) == [(1, False), (2, True), (0, False), (1, False)]
    assert marks(nested) == dark(1, 0)
    assert stream.shown.count(b"1 1 0.9 rg") == 1


def test_numbers_belong_to_the_paragraph_behind_them() -> None:
    of = document(item(1, 11), item(0, 12), item(2, 13), item(3), item(4, 14))
    stream = page(
        of,
        *(text("Lbl"), text("Lbl"), text("pagewheel1")),  # of several parts
        *(text("Lbl"), text("Lbl"), text("pagewheel2")),  # of an item without text, and of the one behind it
        *(text("H2"), text("pagewheel3"), text("H2"), text("pagewheel4")),
    )

    assert marks(stream) == dark(11, 11, 1, 12, 13, 2, 0, 3, 14, 4)


def test_signs_and_numbers_of_notes() -> None:
    sign, number = Text("", 2, is_generated=True), Text("", 5, is_generated=True)
    body = Paragraph((Text("said", 1), sign, Text("on", 3)))
    note = Paragraph((number, Text("foot", 6)), where="footnote")
    whole = page(document(body, note), text("pagewheel1"), text("Link"), text("pagewheel3"), text("Link"), text("pagewheel6"))
    last = page(document(body, note), text("pagewheel1"), text("Link"), text("Link"), text("pagewheel6"))

    assert marks(whole) == dark(1, 2, 3, 5, 6)
    assert marks(last) == dark(1, 2, 5, 6)


def test_heads_get_their_colours_back() -> None:
    head = Paragraph((Text("head", 4),), where="header")
    copied = CopyMarks(letters={0x050000: Original(4, 0xFFFFFF)})
    stream = page(document(item(1), head, marks=copied), artifact("q 0.0196078431 0 0 rg\nBT\nQ\n"), text("pagewheel1"))

    assert marks(stream) == [(4, True), (1, False)]
    assert b"1.000000 1.000000 1.000000 rg" in stream.shown and b"0.0196" not in stream.shown


def test_cells_say_where_they_are_and_look_as_in_the_file() -> None:
    copied = CopyMarks(fills={0xE0E000: Original(7, None), 0xE0E001: Original(8, 0xFF0000)})
    light, other = "0.8784313725 0.8784313725 0", "0.8784313725 0.8784313725 0.0039215686"
    stream = page(
        document(item(1), marks=copied),
        artifact(f"{light} rg\n50 700 100 20 re f*\n"),
        text("pagewheel1"),
        artifact("150 700 0.2 20 re f*\n"),  # LibreOffice sets no colour anew; this is no cell
        artifact("50 680 100 20 re f*\n"),
        artifact(f"{other} rg\n50 600 100 20 re f*\n"),
        artifact("0 0 1 rg\n0 0 9 9 re f*\n"),
    )

    assert stream.cells == {7: [(50, 122, 150, 162)], 8: [(50, 222, 150, 242)]}
    assert stream.shown.count(b" re n") == 3 and stream.shown.count(b" re f*") == 2
    assert b"1.000000 0.000000 0.000000 rg" in stream.shown


def test_a_head_that_is_drawn_again_has_the_marks_of_the_first() -> None:
    def letters(chars: str, y: float, marks: list[int]) -> list[Letter]:
        return [
            Letter(c, (10.0 + 9 * n, y, 18.0 + 9 * n, y + 8), mark, 0, 9, "")
            for n, (c, mark) in enumerate(zip(chars, marks, strict=True))
        ]

    place = (5.0, 5.0, 90.0, 20.0)
    cell = Cell((Paragraph((Text("ab", 3), Text("", 4, is_generated=True))),), 0, mark=7)
    table = Table(0, (Row((cell,), is_header=True),))
    first = PageLetters(tuple(letters("ab1", 8, [3, 3, 4]) + letters("x", 50, [9])), {7: [place]})
    again = PageLetters(tuple(letters("ab", 8, [0, 0]) + letters("y", 50, [0])), {7: [place]})

    _, page = with_repeated_heads([first, again], [table])

    assert [letter.mark for letter in page.letters] == [3, 3, 0]
