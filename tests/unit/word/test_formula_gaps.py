"""Formulas without a tag stand between the letters before and behind them."""

from datagen.word.file.document import Formula, Paragraph, Text
from datagen.word.pages.formula_places import gaps
from datagen.word.pages.page_letters import Letter
from tests.unit.word.test_formula_places import omml


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
