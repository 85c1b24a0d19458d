"""Words of signs are told from what a reader makes of letters that it doesn't know."""

import random
import string

import pytest

from datagen.scene.plausible_words import odd_share
from tests.inputs.udhr import UDHR


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Reduce your risk of infection", 0.0),
        ("Halt für Verschubfahrten", 0.0),
        ("PHARMACY 5km, 2nd floor", 0.0),
        ("植物医生 MEN 净含量120g", 0.0),
        ("第21节气标志着", 0.0),
        ("KFC HSBC BBQ", 0.0),  # nobody can tell
        ("XTRRNK XTRRN", 1.0),
        ("3iteitit fa3tar", 1.0),
        ("MaTEPHa KPbIXX", 1.0),
        ("Fresh XTRRN", 0.5),
        ("", 0.0),
        ("1234", 0.0),
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
