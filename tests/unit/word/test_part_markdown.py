"""Text of Word's paragraphs as Markdown."""

import pytest

from datagen.word.file.document import Paragraph
from datagen.word.pages.paragraph_parts import Part, Segment
from datagen.word.pages.part_markdown import marker_text, part_markdown


def markdown(*segments: Segment, stands_out: frozenset[tuple[bool, bool]] = frozenset({(True, False)}), **look: bool) -> str:
    part = Part(Paragraph((), **look), 0, [], [], segments=list(segments))
    return part_markdown(part, {3: r"\alpha"}, stands_out, lambda text: " ".join(text.split()))


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        (
            [Segment("H"), Segment("2", raised=-1), Segment("O, 5 m"), Segment("2 ", raised=1), Segment("each")],
            "H<sub>2</sub>O, 5 m<sup>2</sup> each",
        ),
        (
            [
                Segment("1", True),
                Segment("s", True, raised=1),
                Segment("t", True, raised=1),
                Segment(" Shift", True),
                Segment(" ends"),
            ],
            "**1<sup>st</sup> Shift** ends",
        ),
        ([Segment("a"), Segment(" ", raised=1), Segment("b")], "a b"),
        ([Segment("where "), Segment("", formula=3), Segment(" holds")], r"where \(\alpha\) holds"),
    ],
)
def test_segments_as_markdown(segments: list[Segment], text: str) -> None:
    assert markdown(*segments) == text


def test_code_has_no_tags() -> None:
    assert markdown(Segment("x = y"), Segment("2", raised=1), is_code=True) == "x = y2"


@pytest.mark.parametrize(("drawn", "marker"), [("10 .", "10."), ("( a )", "(a)"), ("2.1 .", "2.1."), ("§ 3", "§ 3")])
def test_number_of_an_item_has_no_room_before_its_signs(drawn: str, marker: str) -> None:
    assert marker_text(Part(Paragraph(()), 0, [], [], marker=drawn), str.strip) == marker
