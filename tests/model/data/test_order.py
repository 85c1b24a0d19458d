"""The shuffle without a list, and the wheel that deals turns out by weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.data.order import Wheel, permuted


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1))
def test_a_shuffle_is_one_to_one(n, seed):
    assert sorted(permuted(np.arange(n), n, np.array([seed], np.uint64))) == list(range(n))


def test_each_place_can_be_asked_for_alone():
    n, keys = 1000, np.array([7], np.uint64)
    together = permuted(np.arange(n), n, keys)
    assert [int(permuted(np.array([i]), n, keys)[0]) for i in range(0, n, 97)] == together[::97].tolist()


def test_a_shuffle_of_many_takes_no_list():
    n = 10**11
    places = permuted(np.array([0, 1, n - 1]), n, np.array([1, 1, 1], np.uint64))
    assert len(set(places.tolist())) == 3 and places.min() >= 0 and places.max() < n


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=6), st.integers(0, 2**64 - 1), st.integers(0, 3000), st.integers(0, 500))
def test_the_wheel_knows_what_it_dealt(weights, seed, start, num):
    wheel = Wheel(weights, seed)
    dealt = np.bincount(wheel.shares(start, start + num), minlength=len(weights)).tolist()
    before, after = wheel.before(start), wheel.before(start + num)
    assert dealt == [a - b for a, b in zip(after, before, strict=True)] and sum(before) == start


@pytest.mark.parametrize("n", [100, 5000, 10**9])
def test_the_wheel_keeps_to_the_weights(n):
    weights = [0.7, 0.2, 0.0999, 0.0001]
    for got, weight in zip(Wheel(weights, 3).before(n), weights, strict=True):
        assert abs(got - n * weight) < 5
