"""Words of signs are told from what a reader makes of letters that it doesn't know."""

import pytest

from datagen.scene.plausible_words import odd_share


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
