"""Languages by weight: budgets, temperature, what a language lacks, and runs that grow."""

import pytest

from datagen.inputs.items import Item
from datagen.inputs.language_weights import Share, Weights, language, weigh

PAGES = 10


def documents(**count):
    """So many documents of `PAGES` pages of each language."""
    return [Item(f"{lang}/{i}.pdf", lang=lang, count=PAGES) for lang, n in count.items() for i in range(n)]


def pages(chosen):
    counts = {}
    for document in chosen:
        counts[document.lang] = counts.get(document.lang, 0) + document.count
    return counts


def test_a_temperature_of_one_keeps_proportions_and_a_large_one_levels_them():
    available = {"ru": 8_000, "el": 1_000}
    assert Weights((Share(900),), temperature=1).targets(available) == {"ru": 800, "el": 100}
    assert Weights((Share(900),), temperature=3).targets(available) == {"ru": 600, "el": 300}  # cube roots: 20 to 10
    assert Weights((Share(900),), temperature=1e6).targets(available) == {"ru": 450, "el": 450}


def test_what_a_language_lacks_goes_to_the_others_of_its_share():
    weights = Weights((Share(1_000, ("zh", "en")), Share(600)), temperature=1e6)
    assert weights.targets({"zh": 5_000, "en": 5_000, "ru": 5_000, "el": 50, "ko": 5_000}) == {
        "zh": 500, "en": 500, "el": 50, "ru": 275, "ko": 275,
    }  # fmt: skip
    assert weights.targets({"zh": 3, "ru": 4}) == {"zh": 3, "ru": 4}
    assert weights.targets({}) == {}


def test_a_list_that_grows_stays_within_its_share():
    weights = Weights((Share(100, ("zh", "en")),), temperature=1)
    chosen = list(weigh(documents(en=50), [], weights, lambda d: d.count))
    assert pages(chosen) == {"en": 100}
    assert list(weigh(documents(zh=50), chosen, weights, lambda d: d.count)) == []
    more = Weights((Share(160, ("zh", "en")),), temperature=1)
    assert pages(weigh(documents(zh=50), chosen, more, lambda d: d.count)) == {"zh": 60}


def test_a_share_that_nothing_is_for_is_said(caplog):
    Weights((Share(100, ("zh", "en")), Share(0))).targets({"ru": 5})
    assert "no document is in zh or en" in caplog.text


@pytest.mark.parametrize(
    ("tag", "known_as"),
    [("zho", "zh"), ("eng", "en"), ("pt-BR", "pt"), ("", "und"), ("?", "?")],
)
def test_tags_of_one_language_are_one(tag, known_as):
    assert language(tag) == known_as


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (((Share(1, ("en",)), Share(2, ("en", "zh"))), 1.0), "two shares"),
        (((Share(1),), 0.0), "above 0"),
    ],
)
def test_wrong_weights_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Weights(*values)
