"""What the card of a dataset says of its tests."""

from collections import Counter

from datagen.publishing.card import _tests
from datagen.publishing.files import Table, Tests


def test_a_card_says_of_no_folder_of_tests_that_is_not_there():
    none = Table("pages", tests=Tests("a", 2, without=Counter({"no_image": 2})))
    assert "None could be made." in _tests([none]) and "it has no image" in _tests([none])
    assert "bench_data" not in _tests([none]) and _tests([Table("pages")]) == ""
    some = Table("more", tests=Tests("a", 1, types=Counter({"present": 3})))
    assert "bench_data" in _tests([none, some]) and "None could" not in _tests([none, some])
