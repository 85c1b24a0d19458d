"""How texts are compared, and where readings differ."""

import pytest

from datagen.agreement.signs import are_confirmed, only_lost
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
        ("中国 2024年、", "Hans", ["中", "国", "2024", "年"]),
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
        ("l0se", "lose", "Latn"),
    ],
)
def test_what_is_drawn_alike_is_about_the_same(one, other, script):
    assert about(one, script) == about(other, script)


def test_other_digits_are_not_about_the_same():
    assert about("1948", "Latn") != about("1943", "Latn")
    assert about("3.14", "Latn") != about("314", "Latn")
    assert exactly("Rome", "Latn") != exactly("rome", "Latn")


def differing(label: str, *others: str) -> list[tuple[str, list[str]]]:
    def between(of: Text, start: int, stop: int) -> str:
        return " ".join(word.exactly for word in of.words[start:stop])

    base, readings = text(label), [text(other) for other in others]
    return [
        (between(base, s.start, s.stop), [between(r, *place) for r, place in zip(readings, s.others, strict=True)])
        for s in spans(base, readings)
    ]


TWICE, ONCE = "the law applies to all of us to all of us here", "the law applies to all of us here"


@pytest.mark.parametrize(
    ("label", "others", "expected"),
    [
        ("one two three four", ["one tvo thrce four"], [("two", ["tvo"]), ("three", ["thrce"])]),
        ("a b", ["a x y b", "a b"], [("", ["x y", ""])]),
        (TWICE, [ONCE, ONCE], [("to all of us", ["", ""])]),
        ("one two three", ["one tvo three", "one two thrce"], [("two", ["tvo", "two"]), ("three", ["three", "thrce"])]),
    ],
)
def test_readings_differ_from_the_label_in_stretches_of_words(label, others, expected):
    assert differing(label, *others) == expected


@pytest.mark.parametrize(
    ("label", "one", "other", "is_confirmed"),
    [
        ("781", "7781", "78", True),
        ("57.29", "5728", "2", False),
        ("1914", "914", "94", False),
        ("επιστημονική", "επιστημονκή", "επιστημονιχή", True),
        ("all", "ail", "ail", False),  # both have an i
        ("all", "", "all", False),  # one alone
        ("old", "old man and the sea", "bold", False),
    ],
)
def test_signs_are_confirmed_one_by_one(label, one, other, is_confirmed):
    assert are_confirmed(label, {"a": [one], "b": [other]}) is is_confirmed


def test_readers_that_lose_some_digits_say_nothing_against_the_others():
    assert only_lost("1914", {"a": ["914"], "b": ["94"]})
    assert not only_lost("1914", {"a": ["914"], "b": ["9"]})
    assert not only_lost("1914", {"a": ["914"], "b": ["97"]})
    assert not only_lost("1914", {"a": ["914"]})
