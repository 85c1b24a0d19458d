"""What the benchmark of lines counts, on pages whose lines were broken and joined by hand."""

from collections import Counter

from datagen.page.boxes import around
from datagen.record import Box, Line, Region
from tests.bench.coarse.lines import compared

FIRST, SECOND, THIRD = (Box(100, y, 500, y + 30) for y in (300, 340, 400))
TRUTH = ((FIRST, SECOND), (THIRD,))


def regions(*boxes: tuple[Box, ...]) -> list[Region]:
    return [Region(around(of), "text", "a", None, "markup", lines=tuple(Line(box, "a") for box in of)) for of in boxes]


def counted(*boxes: tuple[Box, ...]) -> Counter[str]:
    return +compared(regions(*TRUTH), regions(*boxes))


def test_broken_and_joined_lines_and_parted_and_merged_paragraphs_are_counted():
    whole = Counter(lines=3, within=1, between=1)
    assert counted(*TRUTH) == whole
    assert counted((FIRST,), (SECOND, THIRD)) == whole + Counter(parted=1, merged=1)
    assert counted((Box(100, 300, 250, 330), Box(300, 300, 500, 330), SECOND), (THIRD,)) == whole + Counter(broken=1)
    assert counted((FIRST, Box(100, 340, 500, 430))) == whole + Counter(joined=1, merged=1)
    assert counted((FIRST, SECOND)) == Counter(lines=2, within=1)
