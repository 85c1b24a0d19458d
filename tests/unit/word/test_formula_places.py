"""Which formula of the file is which of the page: by their order, and by their letters."""

from datagen.word.file.document import Formula
from datagen.word.pages.formula_places import formula_places, formula_text
from datagen.word.pages.page_letters import Letter, Rect
from datagen.word.pages.tagged_places import Tagged
from tests.inputs import word_formulas as maths
from tests.inputs.word_xml import M


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


def test_formulas_and_places_are_in_one_order() -> None:
    assert paired(["a+b", "x", "a+b"], ["a+b", "𝑥", "a + b"]) == {0: 0, 1: 1, 2: 2}


def test_formula_that_the_page_lacks_shifts_no_other() -> None:
    assert paired(["a+b", "gone", "x=7"], ["a+b", "x=7"]) == {0: 0, 2: 1}


def test_place_that_shows_something_else_is_nobodys() -> None:
    assert paired(["a+b", "x=7"], ["a+b", "other"]) == {0: 0}


def test_two_out_of_order_are_known_by_their_letters() -> None:
    assert paired(["a+b", "x=7", "uvw"], ["uvw", "a+b", "x=7"]) == {0: 1, 1: 2, 2: 0}


def test_text_of_a_formula_is_that_of_its_elements() -> None:
    assert formula_text(omml("n+1")) == "n+1"
    assert formula_text("no XML") == ""
