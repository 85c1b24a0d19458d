"""Words of signs are told from what a reader makes of letters that it doesn't know."""

import random
import string

import pytest

from datagen.scene.plausible_words import odd_share
from tests.inputs.udhr import UDHR


@pytest.mark.parametrize(
    ("text", "share"),
    [
        *((text, 0.0) for text in ("Reduce your risk of infection", "Halt für Verschubfahrten", "PHARMACY 5km, 2nd floor")),
        *((text, 0.0) for text in ("植物医生 MEN 净含量120g", "第21节气标志着", "", "1234")),
        ("KFC HSBC BBQ", 0.0),  # nobody can tell
        *((text, 1.0) for text in ("XTRRNK XTRRN", "3iteitit fa3tar", "MaTEPHa KPbIXX")),
        ("Fresh XTRRN", 0.5),
    ],
)
def test_the_share_of_letters_in_words_that_no_language_has(text, share):
    assert odd_share(text) == share


def test_few_words_of_many_languages_are_odd_and_most_random_letters_are():
    latin = [word for _, text in [UDHR["Latn"]] for word in text.split() if len(word) >= 4 and word.isalpha()]
    assert sum(odd_share(word) > 0 for word in latin) <= 0.05 * len(latin)
    source = random.Random(1)
    letters = ["".join(source.choice(string.ascii_lowercase) for _ in range(source.randint(4, 9))) for _ in range(300)]
    assert sum(odd_share(word) > 0 for word in letters) > 0.8 * len(letters)
