"""What shows that engines divided an image wrongly."""

from dataclasses import replace

import pytest

from datagen.fine.verdict.read_doubts import doubts
from datagen.record import Box, Line, Region

EM, PITCH = 20, 60  # lines far apart, as in a thesis


def region(label: str, top: int, *texts: str, by: str = "ppocr", **values) -> Region:
    lines = tuple(
        Line(Box(100, top + PITCH * n, 100 + 10 * len(text), top + PITCH * n + EM), text) for n, text in enumerate(texts)
    )
    box = Box(100, top, max(line.box.x1 for line in lines), lines[-1].box.y1)
    return Region(box, label, " ".join(texts), 0.9, by, lines=lines, **values)


def test_an_item_that_goes_on_far_below_is_torn():
    item, rest = region("list", 100, "• Next we present the prior art"), region("list", 160, "involved with slack techniques.")
    assert doubts([item, rest]) == {"torn": 1}
    assert doubts([region("list", 100, "• Next we present."), rest]) == {}
    assert doubts([item, region("list", 160, "b) another item")]) == {}
    assert doubts([item, region("list", 500, "involved with it.")]) == {}
    assert doubts([item, replace(rest, is_unread=True, text="")]) == {}
    assert doubts([replace(item, by="pymupdf"), replace(rest, by="pymupdf")]) == {}  # other rules know its typefaces


@pytest.mark.parametrize(
    ("regions", "num"),
    [
        ([region("sub_title", 100, "• Boosting"), region("text", 160, "Then it is.")], 1),
        ([region("sub_title", 100, "LIBRO PRIMO"), region("text", 160, "solino, and on it goes.")], 1),
        (
            [
                region("sub_title", 100, "Conclusions"),
                region("sub_title", 160, "6.1. Aims"),
                region("sub_title", 300, "6.2 Ways"),
            ],
            1,
        ),
        ([region("sub_title", 100, "3. Manual"), region("sub_title", 160, "a. Help"), region("sub_title", 300, "b. Clear")], 1),
        ([region("sub_title", 100, "6.1 Aims"), region("sub_title", 300, "6.2 Ways")], 0),
        ([region("sub_title", 100, "Aims"), region("sub_title", 300, "Ways"), region("text", 360, "These are.")], 0),
    ],
)
def test_headings_of_one_level_are_alike_and_begin_a_text(regions, num):
    assert doubts(regions)["heading"] == num


def test_headings_of_two_levels_may_be_numbered_otherwise():
    deeper = [replace(region("sub_title", y, text), text=f"### {text}") for y, text in ((160, "6.1 Aims"), (300, "6.2 Ways"))]
    assert doubts([replace(region("sub_title", 100, "Conclusions"), text="## Conclusions"), *deeper]) == {}
    assert doubts([replace(region("sub_title", 100, "Conclusions"), text="### Conclusions"), *deeper]) == {"heading": 1}


def test_a_number_alone_is_no_text():
    assert doubts([region("text", 100, "89.26")]) == {"items": 1}
    assert doubts([region("text", 100, "89.26 of all")]) == {}
