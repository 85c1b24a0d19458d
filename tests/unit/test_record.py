import json

import pytest

from datagen.contract import check
from datagen.record import Box, Drop, Line, Origin, Quality, Range, Reading, Region, Sample, clean_text
from tests.inputs.samples import sample


def test_record_round_trips():
    corners = ((0.0, 1.5), (3.0, 4.5))
    line = Line(Box(0, 0, 5, 5), "x", score=0.5, polygon=corners)
    table = Region(Box(0, 0, 5, 5), "table", "<table>", 0.25, "x", corners, (line,), "html", "layout", continues=True)
    unread = Region(Box(0, 0, 5, 5), "image", "", None, "", is_unread=True)
    origin = Origin("/in/a.tar", "ab" * 32, 3, "CC0-1.0", {}, "parent-key", Box(5, 5, 9, 9))
    original = sample(
        regions=(*sample().regions, table, unread),
        origin=origin,
        group="draw-1",
        difficulty=0.25,
        caption="A table",
        metadata={"url": "https://example.org/a.jpg", "punsafe": "0.01"},
    )
    assert Sample.from_json(original.to_json(), original.image) == original


def test_record_on_disk_holds_no_null_and_the_documented_keys():
    record = json.loads(sample().to_json())
    names = "schema key task lang script size text caption regions masked quality difficulty group metadata origin stage round"
    assert list(record) == names.split()
    assert record["regions"][0]["score"] == -1.0
    assert record["round"] == -1
    assert record["regions"][0]["lines"] == [
        {"box": [1, 2, 30, 12], "polygon": [], "text": "Über 東京", "score": -1.0, "font": "Noto", "direction": "ltr"}
    ]
    assert record["quality"]["signals"] == [{"name": "hidden_share", "value": 0.0}]
    assert record["origin"]["engines"] == [{"name": "pymupdf", "version": "2.0"}]
    assert b"null" not in sample().to_json()


def test_another_schema_is_refused():
    data = sample().to_json().replace(b'"schema":3', b'"schema":1')
    with pytest.raises(ValueError, match="made by another version of pagewheel \\(schema 1, this version has 3\\)"):
        Sample.from_json(data)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"key": "a.b"}, "key 'a.b'"),
        ({"task": "poem"}, "allowed are page"),
        ({"size": (20, 32)}, "outside 20 x 32"),
        ({"regions": (Region(Box(0, 0, 9, 9), "poem", "x", None, "x"),)}, "label 'poem': allowed are title"),
        ({"regions": (Region(Box(0, 0, 9, 9), "text", "x", None, "x", format="xml"),)}, "format 'xml'"),
        ({"regions": (Region(Box(0, 0, 9, 9), "text", "x", None, "x", is_unread=True),)}, "is_unread and has text"),
        ({"difficulty": float("nan")}, "not finite"),
        ({"regions": (Region(Box(1, 1, 9, 9), "text", "x", None, "x", lines=(Line(Box(5, 5, 5, 9), "x"),)),)}, "empty"),
    ],
)
def test_check_names_the_fault(values, said):
    with pytest.raises(ValueError, match=said):
        check(sample(**values))
    check(sample(task="text", image=None))


def test_lone_surrogates_become_replacement_characters():
    assert clean_text("a\ud800b") == "a\ufffdb"
    assert Drop("", "/x\udcff.pdf", None, "s", "r").to_dict()["uri"] == "/x\ufffd.pdf"


@pytest.mark.parametrize("part", [None, Range(3, 4), Range(5, -1)])
def test_a_drop_round_trips_with_what_machines_read_of_it(part):
    drop = Drop("k", "/a.pdf", part, "ReadPages", "low_confidence", "", (Reading("ru", Box(1, 2, 3, 4), "текст", 0.5),))
    assert Drop.from_dict(json.loads(json.dumps(drop.to_dict()))) == drop


def test_a_range_knows_its_parts():
    assert [n for n in range(6) if n in Range(2, 4)] == [2, 3]
    assert 99 in Range(2)
    assert [str(r) for r in (Range(3, 4), Range(3, 6), Range(3))] == ["3", "3 to 5", "from 3 on"]


def test_words_hold_on_a_page_that_merely_lacks_some():
    assert Quality("trusted").words_hold
    assert Quality("suspect", ("ink_without_text", "incomplete")).words_hold
    assert not Quality("suspect", ("incomplete", "ink_disagrees")).words_hold
    assert not Quality("none", ("blank",)).words_hold
