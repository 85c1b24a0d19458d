"""Loops are found, and neither tables of equal cells nor leaders of dots are taken for one."""

import pytest

from datagen.asking.loops import is_loop
from tests.inputs import answers


def test_planted_loops_are_found_and_right_answers_are_none():
    loops, right = answers.planted(500), answers.rights(2000)
    missed = [text for text, is_cut in loops if not is_loop(text, is_cut)]
    taken = [text for text in right if is_loop(text, False)]
    assert len(missed) <= 5, [text[-200:] for text in missed]
    assert len(taken) <= 10, [text[:300] for text in taken]


@pytest.mark.parametrize(
    "text",
    [
        "<table>" + "<tr><td>0</td><td>0</td><td>0</td></tr>" * 60 + "</table>",
        "Contents\n" + "\n".join(f"Chapter {n} {'.' * 80} {n}" for n in range(30)),
        "",
    ],
)
def test_what_pages_repeat_is_no_loop(text):
    assert not is_loop(text, False)
