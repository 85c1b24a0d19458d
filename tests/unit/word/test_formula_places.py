"""Which formula of the file is which of the page: by their order, by their letters, or between the letters around it."""

import pytest

from datagen.word.file.document import Formula, Paragraph, Text
from datagen.word.pages.formula_places import formula_places, gaps
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.tagged_places import Tagged
from tests.inputs.word import formulas as maths
from tests.inputs.word.xml import M


def omml(text: str) -> str:
    return maths.inline(maths.text(text)).replace("<m:oMath>", f'<m:oMath xmlns:m="{M}">')


def place(n: int, text: str) -> tuple[Tagged, list[Letter]]:
    """A place on page 0, its n-th line, with what the page shows there."""
    box: Rect = (50.0, 30.0 * n, 50.0 + 10 * len(text), 30.0 * n + 20)
    letters = [Letter(c, (50.0 + 10 * k, 30.0 * n, 60.0 + 10 * k, 30.0 * n + 20), 0, n, 10, "") for k, c in enumerate(text)]
    return Tagged("formula", 0, box), letters


def paired(formulas: list[str], shown: list[str]) -> dict[int, int]:
    """Which of the places each formula has."""
    places = [place(n, text) for n, text in enumerate(shown)]
    result = formula_places(
        [Formula(n, omml(text)) for n, text in enumerate(formulas)],
        [tagged for tagged, _ in places],
        {0: [letter for _, letters in places for letter in letters]},
    )
    boxes = [tagged.box for tagged, _ in places]
    return {number: boxes.index(box) for number, (_, box) in result.items()}


@pytest.mark.parametrize(
    ("formulas", "shown", "places"),
    [
        (["a+b", "x", "a+b"], ["a+b", "𝑥", "a + b"], {0: 0, 1: 1, 2: 2}),
        (["a+b", "gone", "x=7"], ["a+b", "x=7"], {0: 0, 2: 1}),  # what the page lacks shifts no other
        (["a+b", "x=7"], ["a+b", "other"], {0: 0}),
        (["a+b", "x=7", "uvw"], ["uvw", "a+b", "x=7"], {0: 1, 1: 2, 2: 0}),  # out of order, known by their letters
    ],
)
def test_formulas_are_known_by_their_order_and_their_letters(formulas, shown, places) -> None:
    assert paired(formulas, shown) == places


def page(*words: tuple[str, int]) -> list[Letter]:
    """Letters of these words with their marks, in one line."""
    letters: list[Letter] = []
    for word, mark in words:
        letters += [Letter(c, (10.0 * n, 0, 10.0 * n + 10, 20), mark, 1, 10, "") for n, c in enumerate(word, len(letters))]
    return letters


def test_formula_has_the_place_of_its_letters() -> None:
    paragraph = Paragraph((Text("where", 1), Formula(0, omml("x+1")), Text("holds", 2)))

    found = gaps([paragraph], {}, [page(("where", 1), ("x+1", 0), ("holds", 2))])

    assert found.placed == {0: (0, (50.0, 0, 80.0, 20))} and not found.strange


def test_gap_with_something_else_is_strange_and_one_over_two_pages_is_nobodys() -> None:
    formulas = Paragraph((Formula(0, omml("x+1")),))
    around = [Paragraph((Text("before", 1),)), formulas, Paragraph((Text("behind", 2),))]

    assert gaps(around, {}, [page(("before", 1), ("quite other", 0), ("behind", 2))]).strange == {0: (0, (60.0, 0, 170.0, 20))}
    divided = gaps(around, {}, [page(("before", 1), ("x", 0)), page(("+1", 0), ("behind", 2))])
    assert not divided.placed and not divided.strange


def test_known_formulas_are_left_alone() -> None:
    paragraph = Paragraph((Formula(0, omml("x")), Text("and", 1), Formula(1, omml("y"))))

    assert gaps([paragraph], {0: ()}, [page(("and", 1), ("y", 0))]).placed == {1: (0, (30.0, 0, 40.0, 20))}
