"""A benchmark's figure that misses its bar is printed with that."""

import pytest

from tests.bench.bars import at_least, at_most


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (at_least(0.8, 0.8), "at least 0.8"),
        (at_least(0.79, 0.8), "at least 0.8: not met"),
        (at_most(0.02, 0.02), "at most 0.02"),
        (at_most(0.0243, 0.02), "at most 0.02: not met"),
        (at_most(0.6, 0.5, "%"), "at most 0.5%: not met"),
    ],
)
def test_a_bar_says_whether_it_is_met(printed, expected):
    assert printed == expected
