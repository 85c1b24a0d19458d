"""The order of reading, decided by pairs."""

from datagen.agreement.order import ordered
from datagen.record import Box, Region
from datagen.writing.vertical_lines import FROM_LEFT

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


def test_one_who_agrees_keeps_it():
    assert decided("abcdef", one="abcdef", two="defabc") == ("abcdef", "kept")


def test_two_against_it_turn_the_pairs_that_they_read_otherwise():
    assert decided("bacdef", one="abcdef", two="abcdef") == ("abcdef", "replaced")
    assert decided("defabc", one="abcdef", two="abcdef") == ("abcdef", "replaced")


def test_one_against_it_turns_it_where_the_places_say_the_same():
    assert decided("acbdef", one="abcdef") == ("abcdef", "replaced")
    assert decided("abc", one="acb") == ("abc", "kept")


def test_columns_of_mongolian_are_read_from_the_left_and_those_of_chinese_from_the_right():
    assert decided("defabc", direction=FROM_LEFT, one="abcdef") == ("abcdef", "replaced")
    assert decided("defabc", direction="ttb", one="abcdef") == ("defabc", "kept")


def test_the_rules_alone_only_doubt():
    assert decided("acbdef", rules="abcdef") == ("acbdef", "unread")


def test_who_lacks_a_region_says_nothing_of_it():
    assert decided("bacdef", one="bcdef", two="acdef") == ("bacdef", "kept")


def test_pairs_that_contradict_each_other_change_nothing():
    assert decided("abc", one="cab", two="bca") == ("abc", "unread")
