"""Text, Markdown and matching: cases whose values are known by hand."""

import pytest

from datagen.score import parts
from datagen.score.matching import Match, Truth, best, matches
from datagen.score.text import bare, distance_within, normalised_distance, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Ein *Titel*, 2.", "EinTitel2"),
        ("<table><tr><td>a &amp; b</td></tr></table>", "ab"),
        ("a < b > c", "abc"),  # signs, and no tag
        ("e\u0301", "é"),
        ("東京、「大」", "東京大"),
        ("", ""),
    ],
)
def test_bare_text_is_letters_and_digits(text, expected):
    assert bare(text) == expected


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


def test_a_table_within_a_table_is_part_of_it_and_an_open_one_goes_to_the_end():
    nested = "<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table>"
    assert parts.parts(f"a {nested} b") == [("text", "a"), ("table", nested), ("text", "b")]
    assert parts.parts("a <table><tr><td>x") == [("text", "a"), ("table", "<table><tr><td>x")]


def test_what_a_model_fences_as_a_whole_is_its_content_and_code_is_text():
    assert parts.parts("```markdown\nOne\n\nTwo\n```") == [("text", "One"), ("text", "Two")]
    assert parts.parts("One\n\n```\n| a | b |\n|---|---|\n```") == [("text", "One"), ("text", "```\n| a | b |\n|---|---|\n```")]


def test_lines_are_parts_where_nothing_else_parts_them():
    assert parts.parts("one\ntwo") == [("text", "one"), ("text", "two")]
    assert parts.finer([parts.Part("text", "one\ntwo"), parts.Part("formula", r"$$\begin{aligned}a\\b\end{aligned}$$")]) == [
        ("text", "one"), ("text", "two"), ("formula", "a"), ("formula", "b"),
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
        (["aaaa"], ["bbbbb"], [((0,), (0,), 5, 5)]),  # a bad reading counts by its distance
        ([], ["x"], []),
        (["ab"], [], [((0,), (), 2, 2)]),
    ],
)
def test_blocks_and_their_readings_find_each_other(truths, read, found):
    assert matches([*map(Truth, truths)], read) == found


def test_what_stands_beside_the_text_takes_its_reading_with_it():
    whole = matches([Truth(C, beside=True), Truth(A)], [A, C])
    assert whole == [Match((0,), (1,), 0, 17), Match((1,), (0,), 0, 16)]
    # The reading of a running head that is far off isn't taken for it, and it isn't looked for inside the text.
    assert matches([Truth("page7", beside=True), Truth(A)], [A + "page7"])[0] == Match((0,), (), 5, 5)


def test_the_grain_that_fits_best_is_taken_and_the_first_of_equals():
    assert best([Truth(A), Truth(B)], [[A + "x" + B], [A, "x", B]])[0] == 1
    assert best([Truth(A)], [[A], [A]])[0] == 0


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
