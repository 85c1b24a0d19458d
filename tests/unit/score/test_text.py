"""Text, Markdown and matching: cases whose values are known by hand."""

import pytest

from datagen.score import parts
from datagen.score.matching import Truth, matches
from datagen.score.text import distance_within, normalised_distance, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [("H$_2$O", "H2O"), (r"\(\alpha\) and $x^{2}$", "αandx2"), (r"costs $5", "costs5"), (r"\t - Kompetenz\n", "Kompetenz")],
)
def test_formulas_within_text_are_what_they_show(text, expected):
    assert plain(text) == expected


def test_distances_are_over_the_longer_text_and_over_the_part():
    assert normalised_distance("abcd", "abxd") == 0.25
    assert normalised_distance("abcd", "") == 1
    assert normalised_distance("", "") == 0
    assert distance_within("bc", "abcd") == 0
    assert distance_within("abcd", "bc") == 1  # the longer one is in no shorter one
    assert distance_within("abcd", "xxabydxx") == 0.25


def test_markdown_is_cut_at_blank_lines_headings_tables_and_formulas():
    page = "# Head\nOne\nparagraph\n\n![a](b.png)\n\n$$x$$ then\n\n| a | b\\|c |\n|---|:-:|\n| 1 | 2 |\n\nend"
    table = "<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td>2</td></tr></table>"
    assert parts.parts(page) == [
        ("text", "# Head"), ("text", "One\nparagraph"), ("formula", "$$x$$"), ("text", "then"), ("table", table), ("text", "end"),
    ]  # fmt: skip


A, B, C = "thequickbrownfox", "jumpsoverthelazydog", "packmyboxwithjugs"


@pytest.mark.parametrize(
    ("truths", "read", "found"),
    [
        ([A, B], [B, A], [((0,), (1,), 0, 16), ((1,), (0,), 0, 19)]),
        ([A + B, C], [A, B, C], [((0,), (0, 1), 0, 35), ((1,), (2,), 0, 17)]),  # cut up, and put together
        # The rest of a block joins its first part, although that is near already.
        ([A + "tail", B], [A, "tail", B], [((0,), (0, 1), 0, 20), ((1,), (2,), 0, 19)]),
        ([A, B, C], [A + B + C], [((0, 1, 2), (0,), 0, 52)]),
        ([A, B], [B], [((0,), (), 16, 16), ((1,), (0,), 0, 19)]),  # nobody read the first
    ],
)
def test_blocks_and_their_readings_find_each_other(truths, read, found):
    assert matches([*map(Truth, truths)], read) == found


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        *((text, False) for text in ("whole", "<table><tr><td>a</td></tr></table> end", "$$a$$", "```\n<table>\n```")),
        *((text, True) for text in ("<table><tr><td>a</td>", "\\[a\\] \\[b", "$$a$$ $$b", "```\ncode")),
        ("<|ref|>text<|/ref|><|det|>[[1, 2", True),
    ],
)
def test_what_is_open_at_the_end_breaks_off(text, is_open):
    assert parts.breaks_off(text) is is_open
