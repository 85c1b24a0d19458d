"""What lists say of pictures, by the record's names; and which image is of which row, by its number."""

import json

import pytest

from datagen.pictures.join import Numbers
from datagen.pictures.metadata import about, why_missing
from datagen.pictures.tables import keys_of, opened, stems


def test_names_are_the_records_whatever_the_list_calls_them():
    row = {
        "URL": "https://example.org/a.jpg", "TEXT": " A sign. ", "LICENSE": "?", "NSFW": "UNSURE", "WIDTH": 640.0, "HEIGHT": 480,
        "width": 64, "original_width": 650, "similarity": 0.3125, "punsafe": 0.10000000149011612, "pwatermark": None,
        "hash": -123456789012345678, "SAMPLE_ID": 1.5e12, "LANGUAGE": "de", "optout": True, "exif": "{}", "status": "success",
        "objects": {"box": [1, 2]}, "embedding": [0.1] * 500, "mask": b"\0",
    }  # fmt: skip
    caption, metadata = about(row)
    assert caption == "A sign."
    assert metadata == {
        "url": "https://example.org/a.jpg", "nsfw": "UNSURE", "original_width": "650", "original_height": "480",
        "similarity": "0.3125", "punsafe": "0.1", "hash": "-123456789012345678", "sample_id": "1500000000000", "language": "de",
        "opt_out": "true", "objects": '{"box": [1, 2]}',
    }  # fmt: skip


PAIR = [{"raw": "A cat."}, {"raw": "A pet."}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"license": "CC-BY-4.0"}, ("", {"licence": "CC-BY-4.0"})),
        ({"captions": ["one", "two"]}, ("one", {"captions": '["one", "two"]'})),
        ({"caption": None, "text": "", "title": "at last"}, ("at last", {})),
        ({"sentences": {"raw": " A cat. ", "imgid": 1}}, ("A cat.", {})),
        ({"text": {}, "sentences": PAIR}, ("A cat.", {"text": "{}", "sentences": json.dumps(PAIR)})),
    ],
)
def test_a_licence_that_is_said_and_the_first_of_several_captions_are_taken(row, expected):
    assert about(row) == expected


def test_captions_before_addresses_keep_their_quotation_marks(tmp_path):
    captions = ['"A sign" says', '"half a quote', "plain"]
    path = tmp_path / "train.tsv"
    path.write_text("".join(f"{caption}\thttps://example.org/{n}.jpg\n" for n, caption in enumerate(captions)))
    table = opened(str(path))
    assert (table.columns, table.num_rows()) == (["caption", "url"], 3)
    assert [row["caption"] for _, row in table.rows(range(3))] == captions


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("HTTP Error 403: Forbidden", "http_403"),
        ("<urlopen error timed out>", "timed_out"),
        ("<urlopen error [Errno -2] Name or service not known>", "no_such_host"),
        ("Use of image disallowed by X-Robots-Tag directive", "opted_out"),
        ("<urlopen error this address is not public: 10.0.0.7>", "private_address"),
        ("", "not_downloaded"),
    ],
)
def test_what_img2dataset_says_of_a_failure_is_a_reason(error, reason):
    assert why_missing({"status": "failed_to_download", "error_message": error, "url": "u"})[0] == reason
    assert why_missing({"status": "failed_to_resize", "error_message": "Image decoding error"})[0] == "failed_to_resize"
    assert why_missing({"status": "success"})[0] == why_missing({})[0] == "no_image"


def test_files_are_named_by_their_folder_and_their_stem():
    assert stems("a/b/C.v2.JPG") == ["b/c.v2", "c.v2"]
    assert stems("C:\\pictures\\x.png") == ["pictures/x", "x"]
    assert (stems("x"), stems("a/"), stems("")) == (["x"], [], [])


def test_a_row_names_its_image_by_each_rule_and_by_one_alone():
    row = {"file_name": "train/0.png", "SAMPLE_ID": 12.0, "url": "https://[half", "id": None}
    keys = keys_of(row)
    assert keys[:3] == [("file_name", "train/0"), ("file_name", "0"), ("sample_id", "12")]
    assert {rule for rule, _ in keys} == {"file_name", "sample_id", "md5 of the url", "sha1 of the url", "sha256 of the url"}
    assert keys_of(row, "sample_id") == [("sample_id", "12")]
    assert keys_of({"url": "https://x.org/a%20b.jpg?w=3"}, "name in the url") == [("name in the url", "a b")]


def test_images_are_found_by_their_numbers():
    flat = Numbers.of(["00000.jpg", "00007.jpg"], 2)
    assert [flat.place(0, row, 1) for row in (0, 1, 7)] == [0, -1, 1]
    assert flat.place(0, 0, 2) == -1  # of two lists nobody knows which
    several = Numbers.of(["000/00000.jpg", "000/09999.jpg", "001/00000.jpg"], 3)
    assert [several.place(0, row, 1) for row in (0, 9_999, 10_000, 1)] == [0, 1, 2, -1]
    assert [several.place(table, 0, 2) for table in (0, 1)] == [0, 2]
    assert Numbers.of(["a/0.jpg", "b/0.jpg"], 2) is None
    assert Numbers.of(["0.jpg", "x.jpg"], 2) is None
    doubled = Numbers.of(["0.jpg", "00.png"], 2)
    assert doubled.place(0, 0, 1) == -1
