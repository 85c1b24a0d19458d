"""Which labels are right by what people typed."""

import pytest

from datagen.patching.form import Answer, PatchedSample
from datagen.record import Box, Region
from datagen.score import audit
from tests.inputs.samples import sample

TABLE = "<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>"


def counts(text, typed, format="markdown", label="text", verdict="typed", script="Latn", **fields):
    region = Region(Box(0, 0, 5, 5), label, text, None, "x", format=format, **fields)
    answers = (Answer(0, verdict, typed),)
    return audit.count([(PatchedSample("a", answers=answers), sample(regions=(region,), script=script))])


@pytest.mark.parametrize(
    ("label", "typed", "is_right"),
    [
        ("**Bold** and *thin* words", "Bold and thin words", True),
        ("CO<sub>2</sub> rises", "CO2 rises", True),
        ("one paragraph that goes on", "one para-\ngraph that\ngoes on", True),
        ("漢字が続く文", "漢字が\n続く文", True),
        ("end.", "end", False),
        ("рост", "рос", False),
    ],
)
def test_text_is_compared_as_it_is_drawn(label, typed, is_right):
    found = counts(label, typed, script="Cyrl" if "р" in label else "Latn")
    assert (found["all"].judged, found["all"].wrong, found["text"].wrong) == (1, int(not is_right), int(not is_right))


def test_formulas_are_compared_by_tokens_and_tables_by_cells_that_may_be_typed_in_pipes():
    assert not counts(r"\frac{a}{b}", r"$$\dfrac a b$$", "latex", "equation")["equation"].wrong
    assert counts(r"\frac{a}{b}", r"\frac{a}{c}", "latex", "equation")["equation"].wrong == 1
    right = counts(TABLE, "| a | 1 |\n| --- | --- |\n| b | 2 |", "html", "table")
    assert (right["table"].wrong, right["table cells"].judged, right["table cells"].wrong) == (0, 4, 0)
    assert counts(TABLE, "a\t1\nb\t2\n", "html", "table")["table"].wrong == 0
    assert counts(TABLE, "a\t1\nb\t3", "html", "table")["table cells"].wrong == 1
    spanned = '<table><tr><td colspan="2">a</td></tr><tr><td>b</td><td>2</td></tr></table>'
    assert counts(spanned, "a\nb\t2", "html", "table")["table"].wrong == 0
    assert counts(spanned, spanned.replace(' colspan="2"', ""), "html", "table")["table"].wrong == 1
    swapped = counts(TABLE, TABLE.replace("1", "3").replace("2", "1").replace("3", "2"), "html", "table")
    assert (swapped["table"].wrong, swapped["all"].wrong, swapped["table cells"].wrong) == (1, 1, 2)
    assert counts(TABLE, TABLE.replace("<tr><td>b</td><td>2</td></tr>", ""), "html", "table")["table cells"].wrong == 2
    assert counts(TABLE, "no table at all", "html", "table")["table"].wrong == 1


@pytest.mark.parametrize(
    "hostile", ["\\(" * 20_000, "_" * 100_000 + "a", "|" * 50_000 + "\n|", "$" * 50_000, "{" * 4_000, "<b" * 50_000]
)
def test_what_means_harm_is_wrong_and_soon_so(hostile):
    for form in ("markdown", "html", "latex"):
        assert counts("a label", hostile, form)["all"].wrong == 1
    assert counts(hostile, "typed", "latex")["all"].wrong == 1


def test_nothing_skip_and_what_has_no_label():
    assert counts("text", "", verdict="nothing")["all"].wrong == 1
    assert counts(" ", "", verdict="nothing")["all"].wrong == 0
    skipped = counts("text", "", verdict="skip")["all"]
    assert (skipped.judged, skipped.wrong, skipped.skipped) == (0, 0, 1)
    assert counts("", "typed", is_unread=True) == {}
    whole = sample(task="caption", regions=(), text="", caption="A dog")
    found = audit.count([(PatchedSample("a", answers=(Answer(-1, "typed", "A  dog"),)), whole)])
    assert (found["caption"].judged, found["caption"].wrong) == (1, 0)
