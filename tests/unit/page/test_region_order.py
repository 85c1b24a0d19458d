"""The order of a page's regions, on layouts that a plain cut gets wrong."""

import random

import pytest

from datagen.page.region_order import in_reading_order
from datagen.record import Box, Line, Region

EM = 10


def region(
    name: str, x0: int, y0: int, x1: int, y1: int, label: str = "text", num_lines: int = 0, standing: bool = False
) -> Region:
    """A region with as many lines as fit, or one, if it is no text."""
    count = num_lines or (max(1, (y1 - y0) // EM) if label in ("text", "list", "footnote") else 1)
    if standing:
        width = (x1 - x0) / (num_lines or max(1, (x1 - x0) // EM))
        lines = [
            Line(Box(round(x1 - (n + 1) * width), y0, round(x1 - n * width), y1), "") for n in range(num_lines or (x1 - x0) // EM)
        ]
    else:
        height = (y1 - y0) / count
        lines = [Line(Box(x0, round(y0 + n * height), x1, round(y0 + (n + 1) * height)), "") for n in range(count)]
    return Region(Box(x0, y0, x1, y1), label, name, None, "", lines=tuple(lines))


def order(*regions: Region, direction: str = "ltr") -> str:
    """The names of the regions in order; the same, however they were shuffled."""
    results = set()
    for seed in range(4):
        shuffled = list(regions)
        random.Random(seed).shuffle(shuffled)
        results.add(" ".join(r.text for r in in_reading_order(shuffled, direction)))
    (result,) = results
    return result


def page(said: str) -> list[Region]:
    """Regions between bars, as NAME X0 Y0 X1 Y1, behind which a label other than text stands, and `standing` if its lines do."""
    made = []
    for name, x0, y0, x1, y1, *is_of in (one.split() for one in said.split("|")):
        labels = [word for word in is_of if word != "standing"]
        made.append(region(name, int(x0), int(y0), int(x1), int(y1), *labels, standing="standing" in is_of))
    return made


@pytest.mark.parametrize(
    ("names", "regions", "direction"),
    [
        # Columns below a title, one after the other though their paragraphs end at one height.
        ("t a b c d", "t 100 0 500 30 title|a 0 50 290 150|b 0 150 290 300|c 310 50 600 150|d 310 150 600 300", "ltr"),
        # Columns above and below what runs across are two blocks.
        ("a b c d e", "a 0 0 290 100|b 310 0 600 100|c 0 120 600 180|d 0 200 290 300|e 310 200 600 300", "ltr"),
        # A heading that stands in the left column alone belongs to what runs across below it.
        ("a b h c", "a 0 0 290 100|b 310 0 600 100|h 0 120 200 135 sub_title|c 0 145 600 250", "ltr"),
        # The longer left column of an article is read to its end first.
        ("a b c t d", "a 0 0 290 100|b 0 110 290 200|c 310 0 600 90|t 0 260 600 300 title|d 0 310 600 400", "ltr"),
        # Articles of a newspaper, one by one, each with its own columns.
        (
            "A a0 a1 a2 a3 C c p q D d0 d1 d2 B b1 b2",
            "A 50 0 550 40 title|a0 0 60 140 300|a1 150 60 290 300|a2 300 60 440 300|a3 450 60 590 300"
            "|B 620 0 790 30 title|b1 610 50 695 600|b2 705 50 790 600|C 0 330 140 350 title|c 0 360 140 600"
            "|p 160 330 590 450 image|q 200 455 500 470 image_caption"
            "|D 200 480 560 510 title|d0 160 520 290 600|d1 310 520 440 600|d2 460 520 590 600",
            "ltr",
        ),
        # A heading that stands to the right of its text comes first.
        # A caption stands beside its picture though a column lies nearer to the top.
        ("a p q b", "a 0 0 290 200|p 0 210 290 400 image|q 10 405 280 430 image_caption|b 310 0 600 430", "ltr"),
        # Running heads come first, footnotes behind all text, feet last.
        (
            "h 1 a b n f",
            "h 0 0 100 10 header|1 580 0 600 10 page_number|f 0 580 300 590 footer"
            "|a 0 30 290 500|b 310 30 600 560|n 0 520 290 560 footnote",
            "ltr",
        ),
        # The right column first; of lines from top to bottom the upper half, from the right.
        ("a b c d", "a 300 0 600 280 standing|b 0 0 290 280 standing|c 300 310 600 600 standing|d 0 310 290 600 standing", "ttb"),
    ],
)
def test_regions_are_read_in_order(names, regions, direction):
    assert order(*page(regions), direction=direction) == names


@pytest.mark.parametrize("direction", ["ltr", "rtl", "ttb"])
def test_every_region_is_there_once_whatever_lies_over_whatever(direction):
    draw = random.Random(7)
    for _ in range(20):
        regions = []
        for number in range(draw.randrange(1, 25)):
            x0, y0 = draw.randrange(500), draw.randrange(500)
            label = draw.choice(["text", "text", "title", "image", "image_caption", "table", "footnote", "header", "page_number"])
            regions.append(region(str(number), x0, y0, x0 + draw.randrange(5, 200), y0 + draw.randrange(5, 200), label))
        ordered = in_reading_order(regions, direction)
        assert sorted(r.text for r in ordered) == sorted(r.text for r in regions)
        assert ordered == in_reading_order(regions, direction)
    assert in_reading_order([], direction) == []


def test_a_spread_is_read_page_by_page_with_the_heads_and_feet_of_each():
    spread = page("h 40 10 260 20 header|a 40 40 260 300|1 140 380 160 390 page_number")
    spread += page("b 340 40 560 200|c 340 210 560 350|2 440 380 460 390 page_number")
    assert [r.text for r in in_reading_order(spread, "ltr", (600, 400))] == "h a 1 b c 2".split()
    assert [r.text for r in in_reading_order(spread, "rtl", (600, 400))] == "b c 2 h a 1".split()
    # One page with two columns: it is higher than wide, or a heading runs across.
    assert [r.text for r in in_reading_order(spread, "ltr", (600, 800))] == "h a b c 1 2".split()
    across = [*spread, region("T", 40, 24, 560, 36, "title")]
    assert [r.text for r in in_reading_order(across, "ltr", (600, 400))] == "h T a b c 1 2".split()
