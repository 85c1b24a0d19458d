"""Doubts that lie in a few regions: these are set aside, and the rest of the page stays."""

from dataclasses import replace

from datagen.fine.verdict.doubtful_regions import doubtful, set_aside
from datagen.markdown import lacks_text
from datagen.record import Box, Quality, Region, Sample
from tests.inputs.samples import sample
from tests.unit.fine.structure.test_looks import BOLD, TEXT, region

HEAD, BODY = region("## 1 Aims", 60, BOLD, "sub_title"), [region(TEXT, y) for y in (100, 300, 500)]
LONE, ITEM = (replace(region(text, y), box=Box(100, y, 300, y + 25)) for text, y in (("Beam search", 700), ("a) an item", 800)))


def page(*regions: Region, **signals: float) -> Sample:
    made = sample("a-000000", size=(1000, 1400), lang="en", regions=regions, quality=Quality("trusted", (), signals))
    return replace(made, text="as it was")


def test_what_is_in_doubt_is_told_region_by_region():
    assert doubtful(page(HEAD, *BODY), (), 0.2) == frozenset()
    assert doubtful(page(HEAD, *BODY, LONE, ITEM, region(TEXT, 900)), (), 0.2) == {4, 5}
    assert doubtful(page(HEAD, *BODY, LONE, region(TEXT, 900)), [1], 0.5) == {1, 4}
    wide = replace(LONE, box=Box(100, 700, 500, 725))  # it may go on in the next one
    assert doubtful(page(HEAD, *BODY, wide, region(TEXT, 900)), (), 0.5) == {4, 5}


def test_too_much_or_what_no_region_makes_stays_a_doubt_of_the_page():
    mixed = page(HEAD, *BODY, LONE, ITEM, region(TEXT, 900))
    assert doubtful(mixed, (), 0.01) is None
    assert doubtful(replace(mixed, quality=Quality("trusted", (), {"layout_agreement": 0.9})), (), 0.2) is None
    unread = replace(BODY[0], is_unread=True, text="")
    assert doubtful(page(HEAD, unread, *BODY[1:], LONE, region(TEXT, 900)), (), 0.2) is None  # unread text counts, too


def test_a_head_that_may_be_a_heading_is_a_text_that_nobody_has_read():
    lone = page(region("Of other things", 20, label="header"), *BODY, lone_running=1.0)
    assert doubtful(lone, (), 0.2) == {0}
    made = set_aside(lone, {0})
    assert made.regions[0].label == "text" and lacks_text(made.regions[0]) and made.regions[0].lines
    assert made.text == "\n\n".join(part.text for part in BODY)


def test_a_paragraph_that_goes_on_is_in_doubt_as_a_whole():
    begun, rest = replace(region("a) an item goes", 700), continues=True), region("on and ends here.", 1000)
    assert doubtful(page(HEAD, *BODY, begun, region("1", 900, label="footnote"), rest), (), 0.5) >= {4, 6}
