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


def test_documents_are_taken_until_a_language_has_its_pages():
    weights = Weights((Share(100, ("en",)), Share(60)), temperature=1)
    new = documents(en=50, ru=40, el=20)
    chosen = list(weigh(new, [], weights, lambda d: d.count))
    assert pages(chosen) == {"en": 100, "ru": 40, "el": 20}
    assert [d.uri for d in chosen] == sorted(d.uri for d in chosen)
    larger = Weights((Share(200, ("en",)), Share(120)), temperature=1)
    assert {d.uri for d in chosen} < {d.uri for d in weigh(new, [], larger, lambda d: d.count)}


def test_what_is_held_counts():
    weights = Weights((Share(100),), temperature=1)
    new = documents(en=50)
    chosen = list(weigh(new, [], weights, lambda d: d.count))
    left = [d for d in new if d not in chosen]
    assert list(weigh(left, chosen, weights, lambda d: d.count)) == []
    assert pages(weigh(left, chosen[:4], weights, lambda d: d.count)) == {"en": 60}


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
    [("zho", "zh"), ("cmn-Hans", "zh"), ("zh_TW", "zh"), ("eng", "en"), ("pt-BR", "pt"), ("arb", "ar"), ("", "und"), ("?", "?")],
)
def test_tags_of_one_language_are_one(tag, known_as):
    assert language(tag) == known_as


def test_a_language_is_known_by_its_primary_subtag():
    new = [
        Item("a.pdf", lang="zh-Hant", count=5),
        Item("b.pdf", lang="ZH_cn", count=5),
        Item("c.pdf", count=5),
    ]
    chosen = list(weigh(new, [], Weights((Share(10, ("zh",)), Share(0))), lambda d: d.count))
    assert [d.uri for d in chosen] == ["a.pdf", "b.pdf"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (((Share(1, ("en",)), Share(2, ("en", "zh"))), 1.0), "two shares"),
        (((Share(1), Share(2)), 1.0), "two shares"),
        (((Share(1),), 0.0), "above 0"),
    ],
)
def test_wrong_weights_are_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Weights(*values)
