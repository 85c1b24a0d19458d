"""Which regions can't be believed, by what was found of their lines and of their neighbours."""

from dataclasses import replace

import pytest

from datagen.fine.verdict.line_witness import Spoken
from datagen.fine.verdict.region_witness import Witnesses, doubted
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(10, 10, 90, 30)
GOOD = Spoken(40)


def region(text: str = "some words of a text", by: str = "ppocr", font: str = "", **values) -> Region:
    return replace(Region(BOX, "text", text, 0.99, by, lines=(Line(BOX, text, font),)), **values)


def reasons(found: dict[int, Spoken], *regions: Region, script: str = "Latn"):
    page = sample(regions=regions, text="", script=script)
    witnesses = {i: Witnesses({script: [line]}) for i, line in found.items()}
    return doubted(page, witnesses, 0.9, 0.6, 0.5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Spoken(40, differing=5), "readers_disagree"),
        (Spoken(40, differing=5, kept=4), ""),
        # What the first reader was sure of.
        (Spoken(40, differing=18, score=0.97), "readers_disagree"),
        (Spoken(40, differing=4, score=0.97), ""),
    ],
)
def test_what_speaks_against_a_region_that_an_engine_read(line, reason):
    assert reasons({0: line}, region()) == ({0: reason} if reason else {}, set())


def test_a_second_reader_that_fails_on_what_the_first_was_sure_of_says_nothing():
    assert Spoken(20, differing=12, score=0.96).says_nothing and not Spoken(20, differing=9, score=0.96).says_nothing
    assert Spoken(20, differing=19, score=0.9).says_nothing and not Spoken(20, differing=12, score=0.9).says_nothing
    assert not Spoken(20, differing=20, score=0.7).says_nothing and not Spoken(20, differing=20).says_nothing


def test_a_region_that_nobody_read_again_is_worth_what_its_neighbours_are():
    assert reasons({0: GOOD}, region(), region()) == ({}, set())
    assert reasons({0: Spoken(40, differing=30)}, region(), region()) == (dict.fromkeys((0, 1), "readers_disagree"), set())


def test_a_table_needs_its_readers_score_and_the_letters_of_its_lines():
    html = "<table><tr><td>Name</td><td>D E G H</td></tr></table>"
    lines = (Line(BOX, "Name"), Line(BOX, "D E G H"))
    table = Region(BOX, "table", html, 0.9, "tables", lines=lines, format="html")
    assert reasons({0: GOOD}, table) == ({}, set())
    assert reasons({0: GOOD}, replace(table, score=0.0)) == ({0: "unsure_table"}, set())
    lost = (Line(BOX, "Name"), Line(BOX, "A B C D E F G H"))
    assert reasons({0: GOOD}, replace(table, lines=lost)) == ({0: "unsure_table"}, set())
