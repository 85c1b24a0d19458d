"""What each comparison's largest difference came to goes with its test's report, for the table at the end."""

import pytest


@pytest.fixture
def differ(record_property):
    """`differ(part, case, ours, theirs)` is the largest absolute difference, and a row of the table."""

    def differ(part: str, case: str, ours, theirs, relative: bool = False) -> float:
        assert ours.shape == theirs.shape, f"{part}, {case}: {tuple(ours.shape)} and {tuple(theirs.shape)}"
        scale = theirs.abs().max().item()
        difference = (ours - theirs).abs().max().item() / (scale if relative and scale else 1)
        record_property("parity", (part, case, difference, scale))
        return difference

    return differ
