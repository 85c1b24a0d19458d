"""What an answer makes of a record: its regions, its text, its verdict, its key."""

import json
from dataclasses import replace

import pytest

from datagen.markdown import markdown
from datagen.patching.apply import corrected
from datagen.patching.form import PatchedRegion, PatchedSample, PatchError
from datagen.record import Box, Line, Quality, Region
from datagen.target import is_fine
from tests.inputs.samples import sample


def region(text, label="text", y=0, by="pp-doclayout", **fields):
    box = Box(1, y, 30, y + 8)
    return Region(box, label, text, 0.9, by, lines=(Line(box, text),), **fields)


FINE = (region("One", "title"), region("two", y=9), region("<table><tr><td>1</td></tr></table>", "table", 18, format="html"))


def fine(**fields):
    regions = fields.pop("regions", FINE)
    return sample(
        regions=regions, text=markdown(regions), quality=Quality("suspect", ("ink_without_text",), {"ink": 0.5}), **fields
    )


def said(old, *changed, **fields):
    """An answer that keeps the old regions, but for those given as (number, changes)."""
    names = ("label", "text", "format", "polygon", "is_unread", "continues")
    regions = [
        {name: getattr(region, name) for name in names} | {"box": tuple(region.box), "of": i} | dict(changed).get(i, {})
        for i, region in enumerate(old.regions)
    ]
    return PatchedSample(old.key, verdict="corrected", regions=tuple(PatchedRegion(**values) for values in regions), **fields)


def test_a_changed_region_is_the_persons_and_the_others_stay():
    old = fine()
    new = corrected(old, said(old, (1, {"text": "zwei"})), "Ada")
    assert new.regions[0] is old.regions[0] and new.regions[2] is old.regions[2]
    mine = new.regions[1]
    assert (mine.text, mine.by, mine.detected_by, mine.score, mine.lines) == ("zwei", "person/Ada", "pp-doclayout", None, ())
    assert new.text == "# One\n\nzwei\n\n<table><tr><td>1</td></tr></table>"
    assert new.quality == Quality("trusted", (), {"ink": 0.5, "person": 1.0})


def test_lines_stay_where_the_text_does_and_a_stale_polygon_goes():
    old = fine(regions=(region("One", polygon=((1.0, 0.0), (30.0, 0.0), (30.0, 8.0))), *FINE[1:]))
    moved = corrected(old, said(old, (0, {"box": (2, 0, 31, 8)})), "Ada").regions[0]
    assert (moved.box, moved.polygon, moved.by, moved.detected_by) == ((2, 0, 31, 8), (), "person/Ada", "")
    assert moved.lines == old.regions[0].lines
    halves = [PatchedRegion((1, 9, 15, 17), "text", "two", of=1), PatchedRegion((15, 9, 30, 17), "text", "two", of=1)]
    regions = said(old).regions
    split = corrected(old, PatchedSample(old.key, verdict="corrected", regions=(regions[0], *halves, regions[2])), "Ada")
    assert [r.lines for r in split.regions[1:3]] == [(), ()]


def test_the_text_follows_as_it_did_before():
    coarse = sample(regions=(region("# one", by="pymupdf"), region("two", y=9, by="pymupdf")), text="# one\n\ntwo")
    assert corrected(coarse, said(coarse, (1, {"text": " • three"})), "Ada").text == "# one\n\n • three"
    boxed = corrected(coarse, said(coarse, (0, {"box": (2, 0, 30, 8)})), "Ada")
    assert not is_fine(boxed) and is_fine(corrected(coarse, said(coarse, (0, {"label": "title"})), "Ada"))
    scene = sample(task="scene", regions=(region("A"), region("", y=9, is_unread=True)), text="A")
    assert corrected(scene, said(scene, (1, {"text": "B", "is_unread": False})), "Ada").text == "A\n\nB"
    chart = sample(task="figure", regions=(region("a,b", "chart"),), text="a,b")
    assert corrected(chart, said(chart, (0, {"text": "a,c"})), "Ada").text == "a,c"
    inline = sample(task="formula", regions=(region("x", "equation", format="latex"),), text=r"\(x\)")
    assert corrected(inline, said(inline, (0, {"text": "y"})), "Ada").text == r"\(y\)"
    objects = sample(task="caption", regions=(region("dog", "image"),), text="", caption="A dog")
    assert corrected(objects, said(objects, (0, {"text": "cat"})), "Ada").text == ""
    cat = corrected(objects, PatchedSample(objects.key, verdict="corrected", caption="A cat"), "Ada")
    assert (cat.caption, cat.regions) == ("A cat", objects.regions)
    alone = sample(task="text", image=None, size=(0, 0), regions=(), text="old")
    assert corrected(alone, PatchedSample(alone.key, verdict="corrected", text="new"), "Ada").text == "new"


def test_a_key_tells_what_the_record_says_and_which_it_follows():
    old = fine()
    first = corrected(old, said(old, (1, {"text": "b"})), "Ada")
    second = corrected(first, said(first, (1, {"text": "c"})), "Ada")
    again = corrected(second, said(second, (1, {"text": "b"})), "Ada")
    assert {new.key.rpartition("-p")[0] for new in (first, second, again)} == {old.key}
    assert len({first.key, second.key, again.key}) == 3
    assert first.key == corrected(old, said(old, (1, {"text": "b"})), "Ada").key
    with pytest.raises(PatchError, match="too long"):
        corrected(replace(old, key="a" * 85), PatchedSample("a" * 85, verdict="right"), "Ada")


def test_decisions_of_regions_that_stay_get_their_new_numbers():
    entries = [{"region": i, "outcome": "kept", "why": str(i)} for i in range(3)]
    old = fine(metadata={"decisions": json.dumps(entries)})
    by_number = said(old, (1, {"text": "other"})).regions
    new = corrected(old, PatchedSample(old.key, verdict="corrected", regions=(by_number[2], by_number[1], by_number[0])), "Ada")
    assert [(e["region"], e["why"]) for e in json.loads(new.metadata["decisions"])] == [(0, "2"), (2, "0")]
    broken = fine(metadata={"decisions": "[{"})
    assert corrected(broken, said(broken, (1, {"text": "x"})), "Ada").metadata == {"decisions": "[{"}


@pytest.mark.parametrize(
    ("change", "said_so"),
    [
        ({"box": (0, 0, 65, 8)}, "outside of 64 x 32"),
        ({"box": (5, 5, 5, 8)}, "empty"),
        ({"label": "paragraph"}, "allowed are title"),
        ({"format": "svg"}, "allowed are markdown"),
        ({"of": 3}, "region 3 of 3"),
        ({"polygon": ((0.0, 500.0),)}, "outside"),
        ({"is_unread": True}, "unread and has a text"),
        ({"text": "a\x07"}, r"U\+0007"),
        ({"text": "x" * 1_000_001}, "at most"),
    ],
)
def test_what_cannot_stand_in_a_record_is_refused(change, said_so):
    old = fine()
    with pytest.raises(PatchError, match=said_so):
        corrected(old, said(old, (1, change)), "Ada")


def test_text_is_for_what_has_no_regions_and_an_old_strange_character_may_stay():
    old = fine()
    with pytest.raises(PatchError, match="give regions"):
        corrected(old, PatchedSample(old.key, verdict="corrected", text="x"), "Ada")
    strange = fine(regions=(region("a\x07"), *FINE[1:]))
    assert corrected(strange, said(strange, (1, {"text": "b"})), "Ada").regions[0].text == "a\x07"
