"""The rounds that several files of tests look at."""

import shutil

import pytest

from recipes import RECIPES
from tests.inputs import wheel
from tests.outputs import SMALL


@pytest.fixture
def small_recipe(monkeypatch):
    monkeypatch.setitem(RECIPES, "small", SMALL)


@pytest.fixture(scope="module")
def turned(shared):
    """Documents in `in`, and two rounds of them in `out`, for reading alone."""
    return shared("flywheel", wheel.turn_twice)


@pytest.fixture
def output(turned, tmp_path):
    """A copy of the two rounds, to run in."""
    return shutil.copytree(turned / "out", tmp_path / "out")
