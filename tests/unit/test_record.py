import json

import pytest

from datagen.record import Box, Drop, Line, Quality, Region, Sample, SampleError, check, clean_text
from tests.samples import image, sample


def test_record_round_trips():
    original = sample(regions=(*sample().regions, Region(Box(0, 0, 5, 5), "table", "<table>", 0.25, "x", ((0.0, 1.5),))))
    assert Sample.from_json(original.to_json(), original.image) == original


def test_record_on_disk_holds_no_null_and_the_documented_keys():
    record = json.loads(sample().to_json())
    assert list(record) == "schema key task lang script size text regions quality origin stage round".split()
    assert record["regions"][0]["score"] == -1.0
    assert record["round"] == -1
    assert record["regions"][0]["lines"] == [{"box": [1, 2, 30, 12], "text": "Über 東京", "font": "Noto", "direction": "ltr"}]
    assert record["quality"]["signals"] == [{"name": "hidden_share", "value": 0.0}]
    assert record["origin"]["engines"] == [{"name": "pymupdf", "version": "2.0"}]
    assert b"null" not in sample().to_json()


def test_scores_have_three_decimals():
    region = Region(Box(0, 0, 1, 1), "text", "x", 0.123456, "ppocr")
    assert json.loads(sample(regions=(region,)).to_json())["regions"][0]["score"] == 0.123


def test_another_schema_is_refused():
    data = sample().to_json().replace(b'"schema":1', b'"schema":2')
    with pytest.raises(ValueError, match="schema is 2"):
        Sample.from_json(data)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"key": "a.b"}, "key 'a.b'"),
        ({"key": "A"}, "key 'A'"),
        ({"task": "poem"}, "allowed are page"),
        ({"image": None}, "needs an image"),
        ({"size": (20, 32)}, "outside 20 x 32"),
    ],
)
def test_check_names_the_fault(values, said):
    with pytest.raises(ValueError, match=said):
        check(sample(**values))


def test_check_looks_at_lines_too():
    line = Line(Box(5, 5, 5, 9), "x")
    with pytest.raises(ValueError, match="empty"):
        check(sample(regions=(Region(Box(1, 1, 9, 9), "text", "x", None, "x", lines=(line,)),)))


def test_text_alone_needs_no_image():
    check(sample(task="text", image=None))


def test_lone_surrogates_become_replacement_characters():
    assert clean_text("a\ud800b") == "a\ufffdb"
    assert Drop("", "/x\udcff.pdf", -1, "s", "r").to_dict()["uri"] == "/x\ufffd.pdf"


def test_sample_error_survives_pickling():
    import pickle

    error = pickle.loads(pickle.dumps(SampleError("encrypted", "a password")))
    assert (error.reason, error.detail) == ("encrypted", "a password")


def test_image_helper_makes_what_it_says():
    assert image(kind="PNG").startswith(b"\x89PNG")


def test_words_hold_on_a_page_that_merely_lacks_some():
    assert Quality("trusted").words_hold
    assert Quality("suspect", ("ink_without_text", "incomplete")).words_hold
    assert not Quality("suspect", ("incomplete", "ink_disagrees")).words_hold
    assert not Quality("none", ("blank",)).words_hold
