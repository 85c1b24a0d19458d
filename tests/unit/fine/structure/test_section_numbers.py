"""Headings that nothing but their numbers tells."""

import pytest

from datagen.fine.structure.section_numbers import number_of, sections


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2-1.1 概要", (2, 1, 1)),
        ("4.3. Results", (4, 3)),
        ("3.5mm", ()),
        ("1.2 Use 14", ()),
    ],
)
def test_the_number_a_heading_begins_with(text, number):
    assert number_of(text) == number


def test_numbers_that_go_on_are_of_headings_and_as_deep_as_they_have_levels():
    texts = ["2 Use", "2-1 The maze", "2-1.1 Aim", "", "", "2-1.2 Functions", "", "2-1.3 Data", "", "7.5 litres a day"]
    assert sections(texts) == {0: 1, 1: 2, 2: 3, 5: 3, 7: 3}


@pytest.mark.parametrize(
    "texts",
    [
        ["1. Tea", "", "2. Milk", "", "3. Sugar"],  # items of a list
        ["1.1 Aim", "1.2 Use", "1.3 Data", "1.4 Maze", "1.5 Player"],  # contents
        ["1.1 Aim", "", "1.2 Use", "", "1.3 Data", "", "1.2 Use"],  # said twice
    ],
)
def test_other_numbers_are_of_none(texts):
    assert sections(texts) == {}
