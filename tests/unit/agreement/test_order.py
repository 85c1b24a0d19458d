"""The order of reading, decided by pairs."""

import pytest

from datagen.agreement.order import ordered
from datagen.record import Box, Region

SIZE = (400, 600)


def column(x: int, names: str) -> list[Region]:
    return [Region(Box(x, 20 + 60 * n, x + 150, 60 + 60 * n), "text", name, None, "m") for n, name in enumerate(names)]


PAGE = [*column(20, "abc"), *column(220, "def")]


def decided(label: str, direction: str = "ltr", **orders: str):
    by_name = {region.text: region for region in PAGE}
    regions = [by_name[name] for name in label]
    places = {voter: [float(order.index(name)) if name in order else None for name in label] for voter, order in orders.items()}
    made = ordered(regions, "own", places, direction, SIZE)
    return "".join(regions[n].text for n in made.order), made.outcome


@pytest.mark.parametrize(
    ("label", "orders", "expected"),
    [
        ("abcdef", {"one": "abcdef", "two": "defabc"}, ("abcdef", "kept")),
        ("bacdef", {"one": "abcdef", "two": "abcdef"}, ("abcdef", "replaced")),
        ("defabc", {"one": "abcdef", "two": "abcdef"}, ("abcdef", "replaced")),
        ("defabc", {"direction": "ttb", "one": "abcdef"}, ("defabc", "kept")),  # Chinese
        ("acbdef", {"rules": "abcdef"}, ("acbdef", "unread")),  # they alone only doubt
        ("bacdef", {"one": "bcdef", "two": "acdef"}, ("bacdef", "kept")),  # who lacks a region says nothing of it
        ("abc", {"one": "cab", "two": "bca"}, ("abc", "unread")),  # pairs that contradict each other
    ],
)
def test_voters_keep_or_turn_pairs(label, orders, expected):
    assert decided(label, **orders) == expected
