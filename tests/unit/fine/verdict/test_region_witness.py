"""Which regions can't be believed, by what was found of their lines and of their neighbours."""

from dataclasses import replace

import pytest

from datagen.fine.verdict.line_witness import Spoken, Swap
from datagen.fine.verdict.region_witness import Witnesses, doubted, swapped_letters
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(10, 10, 90, 30)
GOOD = Spoken(40, "words")


def region(text: str = "some words of a text", by: str = "ppocr", font: str = "", **values) -> Region:
    return replace(Region(BOX, "text", text, 0.99, by, lines=(Line(BOX, text, font),)), **values)


def reasons(found: dict[int, Spoken], *regions: Region, script: str = "Latn", **values):
    page = sample(regions=regions, text="", script=script)
    witnesses = {i: Witnesses({script: [line]}, **values) for i, line in found.items()}
    return doubted(page, witnesses, 0.9, 0.6, 0.5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (Spoken(40, differing=5), "readers_disagree"),
        (Spoken(40, differing=5, kept=4), ""),
        (Spoken(40, differing=1, wrong=1, misread=1), "ink_disagrees"),
        (Spoken(40, spaces=True), "spaces_disagree"),
        # What the first reader was sure of.
        (Spoken(40, differing=18, score=0.97), "readers_disagree"),
        (Spoken(40, differing=1, wrong=1, misread=1, score=0.97), ""),
        (Spoken(40, differing=2, wrong=2, misread=2, score=0.97), "ink_disagrees"),
    ],
)
def test_what_speaks_against_a_region_that_an_engine_read(line, reason):
    assert reasons({0: line}, region()) == ({0: reason} if reason else {}, set())


def test_ink_that_says_more_speaks_against_what_was_read():
    assert reasons({0: GOOD}, region(), num_stretched=1) == ({0: "ink_says_more"}, set())
    assert reasons({0: GOOD}, region(), num_stretched=2, num_compared=12) == ({}, set())  # justified lines of a narrow column


def test_a_second_reader_that_fails_on_what_the_first_was_sure_of_says_nothing():
    assert Spoken(20, differing=12, score=0.96).says_nothing and not Spoken(20, differing=9, score=0.96).says_nothing
    assert Spoken(20, differing=19, score=0.9).says_nothing and not Spoken(20, differing=12, score=0.9).says_nothing
    assert not Spoken(20, differing=20, score=0.7).says_nothing and not Spoken(20, differing=20).says_nothing


def test_a_region_that_nobody_read_again_is_worth_what_its_neighbours_are():
    assert reasons({0: GOOD}, region(), region()) == ({}, set())
    assert reasons({0: Spoken(40, differing=30)}, region(), region()) == (dict.fromkeys((0, 1), "readers_disagree"), set())
    # A word is the region's own.
    assert reasons({0: Spoken(40, differing=1, wrong=1, misread=1)}, region(), region()) == ({0: "ink_disagrees"}, set())


def test_a_table_needs_its_readers_score_and_the_letters_of_its_lines():
    html = "<table><tr><td>Name</td><td>D E G H</td></tr></table>"
    lines = (Line(BOX, "Name"), Line(BOX, "D E G H"))
    table = Region(BOX, "table", html, 0.9, "tables", lines=lines, format="html")
    assert reasons({0: GOOD}, table) == ({}, set())
    assert reasons({0: GOOD}, replace(table, score=0.0)) == ({0: "unsure_table"}, set())
    lost = (Line(BOX, "Name"), Line(BOX, "A B C D E F G H"))
    assert reasons({0: GOOD}, replace(table, lines=lost)) == ({0: "unsure_table"}, set())


def test_a_letter_that_is_often_read_as_another_speaks_against_all_regions_in_its_font():
    lie = Spoken(40, "a", differing=4, swaps=tuple(Swap("a", "e", 0.02) for _ in range(4)))
    by_file = [
        region(text, "pymupdf", font, score=None) for text, font in (("tan man", "f"), ("want", "f"), ("lot", "f"), ("as", "g"))
    ]
    assert reasons({0: lie}, *by_file)[0] == dict.fromkeys((0, 1), "ink_disagrees")
    assert swapped_letters([lie], "a" * 16) == {"a"} and swapped_letters([lie], "a" * 17) == set()
    kept = lie._replace(swaps=tuple(Swap("a", "e", -0.02) for _ in range(4)))
    assert swapped_letters([kept], "aaaa") == set()
