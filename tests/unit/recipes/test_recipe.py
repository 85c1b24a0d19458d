"""What a recipe refuses: steps that would write into one folder."""

import pytest

from flywheel.step import Flywheel
from model.train.step import Train
from recipes.recipe import Recipe


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "a"), "two steps are called 'a'"),
        (("a", "lines"), "the flywheel has a dataset of that name"),
        (("a", "typeset-lines"), "the flywheel has a dataset of that name"),
        (("a", "a/b"), "allowed are letters, digits"),
    ],
)
def test_two_steps_never_share_a_folder(names, message):
    with pytest.raises(ValueError, match=message):
        Recipe("r", (Flywheel("coarse"), *(Train(datasets=(), name=name) for name in names)))
