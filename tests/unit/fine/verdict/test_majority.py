"""What two of three readers read alike."""

import pytest

from datagen.fine.verdict.read_again import Change, confirmed, mended, outvoted
from datagen.record import Box, Line, Region

RIGHT = "segmentu filtracja rzeczywistą i urojoną częścią filtru"


@pytest.mark.parametrize(
    ("text", "second", "third", "words"),
    [
        ("filtracja rzeczywista i", "filtracja rzeczywistą i", "flltracja rzeczywistą i", [("rzeczywista", "rzeczywistą")]),
        ("the modem way", "the modern way", "the modern way", [("modem", "modern")]),
        ("a katów z", "a kątów z", "a któw z", []),  # each reads another word
        ("a naïve way", "a naive way", "a naive way", []),  # they may not know the mark
        ("with ∆an(t) of", "with Aa,(t) of", "with Aa,(t) of", []),
        ("to hoffen? yes", "to ? yes", "to ? yes", []),  # most of the word is another
        ("say 'yes' now", "say ‘yes’ now", "say “yes” now", []),  # quotes don't count
        ("All human", "• Allhuman", "« Allhuman", []),
    ],
)
def test_a_word_that_two_others_read_alike_is_wrong(text, second, third, words):
    changes = outvoted(text, second, third)
    assert [(text.split()[change.place], change.word) for change in changes] == words


@pytest.mark.parametrize(
    ("second", "third", "is_confirmed"),
    [
        ("the long way hone", "tbe long way home", True),  # each errs in another word
        ("the long wayhome", "the long way home", True),
        ("the long way hone", "", False),
    ],
)
def test_a_line_stands_where_the_third_reader_has_each_word_that_the_second_one_has_otherwise(second, third, is_confirmed):
    assert confirmed("the long way home", second, third) is is_confirmed


def region(text: str, *lines: str) -> Region:
    box = Box(0, 0, 100, 20)
    return Region(box, "text", text, 0.9, "ppocr", lines=tuple(Line(box, line) for line in lines))


def test_a_word_that_stands_otherwise_in_its_region_or_twice_stays():
    broken = region("the modems", "the mo-", "dems")
    assert mended(broken, broken.lines[0], [Change(1, "no-")]) is None
    twice = region("the modem the modem", "the modem", "the modem")
    assert mended(twice, twice.lines[1], [Change(1, "modern")]) is None
