"""About where the symbols of a line stand, and the loss that tells a reader so."""

import pytest
import torch

from flywheel.readers import symbol_places

STEPS = 20  # 160 pixels


def test_marks_have_no_room_of_their_own_and_spaces_little():
    letter, mark, behind = symbol_places.frames("a\u0301b", STEPS, 2)
    assert letter < mark < behind  # above the letter's end
    assert list(symbol_places.frames("ab", STEPS, 2)) == [letter, behind]
    wide, narrow = (symbol_places.frames(text, STEPS, 2)[2] for text in ("axb", "a b"))
    assert narrow - symbol_places.frames("a b", STEPS, 2)[0] < wide - symbol_places.frames("axb", STEPS, 2)[0] + 10
    assert list(symbol_places.frames("\u0301", STEPS, 2)) == [1]


def test_the_loss_falls_as_symbols_come_near_their_place():
    (place,) = symbol_places.frames("a", STEPS, 2)

    def loss(frame: int) -> float:
        p = torch.full((1, 2 * STEPS, 3), 0.005)
        p[0, :, 0] = 0.99
        p[0, frame] = torch.tensor([0.05, 0.05, 0.9])
        return float(symbol_places.loss(p.log(), [[2]], ["a"], [STEPS]))

    assert loss(place) < 0.11
    assert [loss(place + aside) for aside in (-2, 2)] == pytest.approx([loss(place)] * 2, abs=1e-5)
    assert loss(place + 3) > 3
