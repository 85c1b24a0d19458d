"""A paragraph on its pages: columns, what it has of each piece there, the texts of its lines, and its Markdown."""

import pytest

from datagen.word.file.document import Formula, Paragraph, Text
from datagen.word.pages.page_letters import Letter
from datagen.word.pages.page_region import marker_text, part_markdown
from datagen.word.pages.paragraph_parts import Part, Segment, line_text, line_texts, paragraph_parts

SIZE = 10.0


def line(text: str, mark: int, y: float, number: int, x: float = 50.0) -> list[Letter]:
    """Letters of five points' width from `x` on."""
    return [Letter(c, (x + 5 * n, y, x + 5 * n + 5, y + SIZE), mark, number, SIZE, "Serif") for n, c in enumerate(text)]


def said(part: Part) -> str:
    return "".join(segment.text or f"<{segment.formula}>" for segment in part.segments)


def test_text_that_goes_on_further_up_is_in_another_column() -> None:
    paragraph = Paragraph((Text("one two three four", 1),))
    letters = [
        *line("one", 1, 700, 1),
        *line("two", 1, 712, 2),
        *line("three", 1, 100, 3, x=300),
        *line("four", 1, 112, 4, x=300),
    ]

    first, second = paragraph_parts(paragraph, {0: letters}, {})

    assert (said(first), said(second)) == ("one two ", "three four")
    assert (first.continues, second.continues) == (True, False)
    assert (first.box, second.box) == ((50, 700, 65, 722), (300, 100, 325, 122))


def test_lines_above_and_below_a_picture_are_two_parts() -> None:
    paragraph = Paragraph((Text("one two three", 1),))
    letters = {0: [*line("one", 1, 100, 1), *line("two", 1, 112, 2), *line("three", 1, 300, 3)]}

    first, second = paragraph_parts(paragraph, letters, {}, {0: [(40.0, 124.0, 200.0, 296.0)]})

    assert (said(first), said(second), first.continues) == ("one two ", "three", True)
    assert len(paragraph_parts(paragraph, letters, {}, {0: [(400.0, 124.0, 500.0, 296.0)]})) == 1  # beside the text


@pytest.mark.parametrize(
    ("paragraph", "letters", "expected"),
    [
        pytest.param(
            Paragraph((Text("A part\t12", 1),)),
            line("A part . . . . . . . 12", 1, 100, 1),
            ("A part. . . . . . .12", "", ["A part. . . . . . .12"]),
            id="a tab that draws leaders is these",
        ),
        pytest.param(
            Paragraph((Text("Page ", 1), Text("7", 2, is_generated=True), Text(" secret", 3))),
            [*line("Page ", 1, 10, 1), *line("12", 2, 10, 1, x=75)],
            ("Page 12", "", ["Page 12"]),
            id="a hidden piece is left out, and a generated one is the page's",
        ),
        pytest.param(
            Paragraph((Text("Small caps", 1),)),
            line("SMALL CAPS", 1, 10, 1),
            ("SMALL CAPS", "", ["SMALL CAPS"]),
            id="capitals are the page's",
        ),
        pytest.param(
            Paragraph((Text("First of them", 1),), list_depth=1, marker_mark=2),
            [*line("1.", 2, 10, 1), *line("First of them", 1, 10, 2, x=70)],
            ("First of them", "1.", ["1. First of them"]),
            id="the number of an item is its marker",
        ),
    ],
)
def test_text_and_lines_of_a_paragraph_on_one_page(paragraph, letters, expected) -> None:
    (part,) = paragraph_parts(paragraph, {0: letters}, {})

    assert (said(part), part.marker, line_texts(part)) == expected


def test_pages_share_pieces_and_formulas() -> None:
    paragraph = Paragraph(
        (Text("for all ", 1), Formula(0, ""), Text(" holds, and ", 2, is_bold=True), Formula(1, ""), Text(" too", 3))
    )
    letters = {
        0: [*line("for all", 1, 700, 1), *line("holds,", 2, 700, 2, x=120)],
        1: [*line("and", 2, 60, 1), *line("too", 3, 60, 2, x=90)],
    }
    places = {0: [(0, (88.0, 698.0, 118.0, 712.0))], 1: [(1, (67.0, 58.0, 88.0, 72.0))]}

    first, second = paragraph_parts(paragraph, letters, places)

    assert (said(first), said(second)) == ("for all <0> holds, ", "and <1> too")
    assert first.continues
    assert [segment.is_bold for segment in first.segments] == [False, False, True]


def test_lines_are_cut_from_the_text_in_logical_order() -> None:
    # the page's letters from left to right, as they stand: the second word of a line comes first
    paragraph = Paragraph((Text("אבג דהו זחט", 1),), is_right_to_left=True)
    letters = [*line("והד גבא", 1, 100, 1), *line("טחז", 1, 112, 2)]

    (part,) = paragraph_parts(paragraph, {0: letters}, {})

    assert line_texts(part) == ["אבג דהו", "זחט"]
    assert [line_text(own, True) for own in part.lines] == ["אבג דהו", "זחט"]


def test_order_of_marks_over_letters_is_the_text_layers_if_the_label_has_it() -> None:
    base, mark = line("ب", 1, 100, 1), line("ٰ", 1, 100, 1)

    assert line_text([*base, *mark], True, "بٰ") == "بٰ"
    assert line_text(line("והד גבא", 1, 100, 1), True, "גבאוהד") == "אבג דהו"  # as it stands, not as it is read


def test_lines_are_unsure_beside_a_formula_and_where_letters_are_missing() -> None:
    (with_formula,) = paragraph_parts(
        Paragraph((Text("so ", 1), Formula(0, ""))), {0: line("so", 1, 10, 1)}, {0: [(0, (70.0, 10.0, 90.0, 20.0))]}
    )
    (unlike,) = paragraph_parts(Paragraph((Text("office", 1),)), {0: line("o\ufb03ce", 1, 10, 1)}, {})

    assert line_texts(with_formula) is None
    assert line_texts(unlike) is None


def test_sign_of_a_note_that_stands_elsewhere_makes_its_text_unsure() -> None:
    paragraph = Paragraph((Text("one", 1), Text("", 2, raised=1, is_generated=True), Text(" two", 3)))
    text = [*line("one", 1, 100, 1), *line("7", 2, 98, 1, x=65), *line("two", 3, 100, 1, x=75)]

    (part,) = paragraph_parts(paragraph, {0: text}, {})
    assert (said(part), part.is_found) == ("one7 two", True)
    assert not paragraph_parts(paragraph, {0: [*text, *line("8", 2, 700, 2)]}, {})[0].is_found  # the number of another one
    assert [part.is_found for part in paragraph_parts(paragraph, {0: text, 1: line("8", 2, 700, 3)}, {})] == [True, False]


def markdown(*segments: Segment, **look: bool) -> str:
    part = Part(Paragraph((), **look), 0, [], [], segments=list(segments))
    return part_markdown(part, {3: r"\alpha"}, {(True, False)}, lambda text: " ".join(text.split()))


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        (
            [Segment("H"), Segment("2", raised=-1), Segment("O, 5 m"), Segment("2 ", raised=1), Segment("each")],
            "H<sub>2</sub>O, 5 m<sup>2</sup> each",
        ),
        (
            [Segment("1", True), *(Segment(c, True, raised=1) for c in "st"), Segment(" Shift", True), Segment(" ends")],
            "**1<sup>st</sup> Shift** ends",
        ),
        ([Segment("a"), Segment(" ", raised=1), Segment("b")], "a b"),
        ([Segment("where "), Segment("", formula=3), Segment(" holds")], r"where \(\alpha\) holds"),
    ],
)
def test_segments_as_markdown(segments: list[Segment], text: str) -> None:
    assert markdown(*segments) == text
    assert markdown(Segment("x = y"), Segment("2", raised=1), is_code=True) == "x = y2"


@pytest.mark.parametrize(("drawn", "marker"), [("10 .", "10."), ("( a )", "(a)"), ("2.1 .", "2.1."), ("§ 3", "§ 3")])
def test_number_of_an_item_has_no_room_before_its_signs(drawn: str, marker: str) -> None:
    assert marker_text(Part(Paragraph(()), 0, [], [], marker=drawn), str.strip) == marker
