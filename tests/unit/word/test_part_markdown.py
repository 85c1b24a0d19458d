"""Text of Word's paragraphs as Markdown."""

import pytest

from datagen.word.file.document import Paragraph
from datagen.word.pages.paragraph_parts import Part, Segment
from datagen.word.pages.part_markdown import marker_text, part_markdown


def markdown(*segments: Segment, stands_out: frozenset[tuple[bool, bool]] = frozenset({(True, False)}), **look: bool) -> str:
    part = Part(Paragraph((), **look), 0, [], [], segments=list(segments))
    return part_markdown(part, {3: r"\alpha"}, stands_out, lambda text: " ".join(text.split()))


def test_raised_and_lowered_text_is_in_tags() -> None:
    assert markdown(Segment("H"), Segment("2", raised=-1), Segment("O, 5 m"), Segment("2 ", raised=1), Segment("each")) == (
        "H<sub>2</sub>O, 5 m<sup>2</sup> each"
    )


def test_neighbours_share_a_tag_and_the_emphasis_around_it() -> None:
    bold = [Segment("1", True), Segment("s", True, raised=1), Segment("t", True, raised=1), Segment(" Shift", True)]

    assert markdown(*bold, Segment(" ends")) == "**1<sup>st</sup> Shift** ends"


def test_code_and_white_space_have_no_tags() -> None:
    assert markdown(Segment("x = y"), Segment("2", raised=1), is_code=True) == "x = y2"
    assert markdown(Segment("a"), Segment(" ", raised=1), Segment("b")) == "a b"


def test_formula_that_is_known_stands_in_its_text() -> None:
    assert markdown(Segment("where "), Segment("", formula=3), Segment(" holds")) == r"where \(\alpha\) holds"


@pytest.mark.parametrize(("drawn", "marker"), [("10 .", "10."), ("( a )", "(a)"), ("2.1 .", "2.1."), ("§ 3", "§ 3")])
def test_number_of_an_item_has_no_room_before_its_signs(drawn: str, marker: str) -> None:
    assert marker_text(Part(Paragraph(()), 0, [], [], marker=drawn), str.strip) == marker
