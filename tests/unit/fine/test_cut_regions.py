"""Regions and lines cut out of pages, as samples of their own."""

import numpy
import pytest
from PIL import Image

from datagen.contract import check
from datagen.engines import OPEN
from datagen.fine.cut_regions import CutLines, CutRegions
from datagen.page.images import pixels
from datagen.record import Box, Drop, Line, Origin, Region
from tests.inputs.samples import encoded, sample

PAPER, INK = (250, 245, 230), (20, 20, 30)
TABLE, FORMULA, TEXT = Box(20, 20, 180, 80), Box(20, 100, 180, 130), Box(20, 150, 180, 190)
HTML = "<table><tr><td>1</td></tr></table>"


def page(*regions: Region, key: str = "a-000000"):
    image = numpy.full((400, 200, 3), PAPER, numpy.uint8)
    for region in regions:
        x0, y0, x1, y1 = region.box
        image[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4] = INK
    png = encoded(Image.fromarray(image), "PNG")
    origin = Origin("/in/a.pdf", "ab" * 32, 3, "", {"pymupdf-layout": "1"})
    return sample(key, image=png, size=(200, 400), regions=regions, origin=origin, stage="regions", difficulty=0.5)


def table(**values):
    return Region(TABLE, "table", HTML, None, "tables", format="html", **values)


def formula(**values):
    return Region(FORMULA, "equation", "E = mc^2", 0.9, "formulas", format="latex", **values)


def text(box=TEXT, words="Some words.", label="text", **values):
    return Region(box, label, words, None, "pymupdf", **values)


def cut(one, stage=CutRegions, **values):
    outcomes = list(stage(**values)([one], OPEN))
    return [o for o in outcomes if not isinstance(o, Drop)], {o.key: o.reason for o in outcomes if isinstance(o, Drop)}


def test_tables_formulas_and_paragraphs_are_samples():
    one = page(table(), formula(), text(), text(Box(20, 380, 180, 395), "7", "page_number"))
    made, drops = cut(one)
    assert drops == {}
    assert [(s.key, s.task, s.text) for s in made] == [
        ("a-000000-r000", "table", HTML),
        ("a-000000-r001", "formula", r"\[E = mc^2\]"),
        ("a-000000-r002", "crop", "Some words."),
    ]
    for s, box in zip(made, (TABLE, FORMULA, TEXT), strict=True):
        check(s)
        assert (s.origin.parent, s.origin.box, s.split_group) == (one.key, box, one.split_group)
        assert s.size == (box.x1 - box.x0 + 16, box.y1 - box.y0 + 16)
        assert s.regions[0].box == (8, 8, s.size[0] - 8, s.size[1] - 8)
        assert (s.difficulty, s.stage, s.quality.verdict) == (0.5, "regions", "trusted")
        shown = pixels(s.image).astype(int)
        assert abs(shown[:8] - PAPER).max() < 8 and abs(shown[14:-14, 14:-14] - INK).max() < 8


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        (Region(TABLE, "table", "", None, "x", is_unread=True), "unread"),
        (Region(TABLE, "table", "1 2 3", None, "x"), "unformatted"),
        (Region(Box(20, 20, 180, 31), "text", "x", None, "x"), "small"),
        (Region(FORMULA, "equation", "x", 0.4, "x", format="latex"), "little_score"),
    ],
)
def test_what_cannot_be_cut_out_is_a_drop(region, reason):
    made, drops = cut(page(region, text()), min_score=0.5)
    assert drops == {"a-000000-r000": reason} and len(made) == 1


def test_what_another_region_reaches_into_is_a_drop():
    made, drops = cut(page(table(), text(Box(100, 60, 190, 95))))
    assert drops == {"a-000000-r000": "overlapped", "a-000000-r001": "overlapped"} and not made
    made, drops = cut(page(table(), text(Box(20, 79, 180, 95))))
    assert len(made) == 1 and drops == {"a-000000-r001": "overlapped"}  # a row of 16 of the paragraph, one of 60 of the table


@pytest.mark.parametrize("one", [page(), page(text(label="image"))])
def test_a_page_of_nothing_drops(one):
    assert cut(one) == ([], {"a-000000": "no_regions"})


def lines_of(*words: str, x0: int = 20, height: int = 20, **values) -> tuple[Line, ...]:
    return tuple(Line(Box(x0, 150 + 25 * n, 180, 150 + 25 * n + height), one, **values) for n, one in enumerate(words))


def test_a_line_is_a_sample():
    one = page(text(lines=lines_of("Some *words*,", "and more.")), text(Box(20, 380, 180, 396), "7", "page_number"))
    made, drops = cut(one, CutLines)
    assert drops == {}
    assert [(s.key, s.task, s.text) for s in made] == [
        ("a-000000-l000", "crop", "Some *words*,"),
        ("a-000000-l001", "crop", "and more."),
    ]
    for s, line in zip(made, one.regions[0].lines, strict=True):
        check(s)
        assert (s.size, s.origin.parent, s.origin.box) == ((164, 24), one.key, line.box)
        assert s.split_group == one.split_group and s.regions[0].lines[0].box == (2, 2, 162, 22)
    assert abs(pixels(made[0].image).astype(int)[8:16, 16:144] - INK).max() < 8  # the page's own pixels
