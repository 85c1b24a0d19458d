"""How texts are compared, and where readings differ."""

import pytest

from datagen.agreement.spans import Text, spans
from datagen.agreement.words import about, exactly, words


def text(of: str, script: str = "Latn") -> Text:
    return Text(of, words(of, script))


def said(of: str, script: str) -> list[str]:
    return [word.exactly for word in words(of, script)]


@pytest.mark.parametrize(
    ("of", "script", "expected"),
    [
        ("A <b>bold</b> word, **so** 3.14!", "Latn", ["A", "bold", "word", "so", "3.14"]),
        ("a hyphen-\nated word, a well-known one", "Latn", ["a", "hyphenated", "word", "a", "well", "known", "one"]),
        ("H2O and x_1", "Latn", ["H2O", "and", "x", "1"]),
        ("中国 2024年、", "Hans", ["中", "国", "2024", "年"]),
        ("हिन्दी।", "Deva", ["हिन्दी"]),
        ("ประเทศ", "Thai", ["ป", "ร", "ะ", "เ", "ท", "ศ"]),
    ],
)
def test_words_are_what_is_read_without_markup_and_stops(of, script, expected):
    assert said(of, script) == expected


@pytest.mark.parametrize(
    ("one", "other", "script"),
    [
        ("Größe", "größe", "Latn"),
        ("Все", "Bce", "Cyrl"),  # drawn alike
        ("كتاب", "کتاب", "Arab"),
        ("١٢", "12", "Arab"),
        ("ﬁn", "fin", "Latn"),
        ("l0se", "lose", "Latn"),
    ],
)
def test_what_is_drawn_alike_is_about_the_same(one, other, script):
    assert about(one, script) == about(other, script)


def test_other_digits_are_not_about_the_same():
    assert about("1948", "Latn") != about("1943", "Latn")
    assert about("3.14", "Latn") != about("314", "Latn")
    assert exactly("Rome", "Latn") != exactly("rome", "Latn")


def differing(label: str, *others: str) -> list[tuple[list[str], list[list[str]]]]:
    base, readings = text(label), [text(other) for other in others]
    return [
        (
            [w.exactly for w in base.words[s.start : s.stop]],
            [[w.exactly for w in r.words[a:b]] for r, (a, b) in zip(readings, s.others, strict=True)],
        )
        for s in spans(base, readings)
    ]


def test_words_that_are_others_one_for_one_stay_apart():
    assert differing("one two three four", "one tvo thrce four") == [(["two"], [["tvo"]]), (["three"], [["thrce"]])]


def test_what_a_reading_has_more_stands_between_words():
    assert differing("a b", "a x y b", "a b") == [([], [["x", "y"], []])]


def test_all_readings_lack_the_same_one_of_two_that_are_alike():
    twice = "the law applies to all of us to all of us here"
    once = "the law applies to all of us here"
    ((own, others),) = differing(twice, once, once.replace("applies", "applies"))
    assert own == ["to", "all", "of", "us"]
    assert others == [[], []]


def test_a_word_that_is_cut_otherwise_is_one_stretch():
    assert differing("some thing else", "something else") == [(["some", "thing"], [["something"]])]


def test_readings_that_differ_in_different_places_have_the_label_elsewhere():
    assert differing("one two three", "one tvo three", "one two thrce") == [
        (["two"], [["tvo"], ["two"]]),
        (["three"], [["three"], ["thrce"]]),
    ]
