import pytest

from datagen.writing.homoglyphs import in_one_script


@pytest.mark.parametrize(
    ("word", "script", "written"),
    [
        ("N\u041e\u03a4\u0415", "Latn", "NOTE"),
        ("C\u0410\u0309\u039d\u0397", "Latn", "C\u1ea2NH"),
        ("W\u0410R\u039d\u0406\u039d\u050c", "Cyrl", "WARNING"),  # only Latin has these letters
        ("\u0413\u0415\u041eM\u0415T\u0420\u0418\u042f", "Cyrl", "\u0413\u0415\u041e\u041c\u0415\u0422\u0420\u0418\u042f"),
        ("T\u0410\u0422A", "Cyrl", "\u0422\u0410\u0422\u0410"),  # both have them: the page's script
        ("T\u0410\u0422A", "Latn", "TATA"),
    ],
)
def test_a_word_of_look_alike_letters_is_in_one_script(word, script, written):
    assert in_one_script(word, script) == written


@pytest.mark.parametrize(
    "word",
    [
        *("\u03bcA", "\u03b1x\u0434", "TEX\u043d\u0438\u043a\u0438", "LATEX2\u03b5"),
        *("\u0422\u0415\u0425\u041d\u0418\u041a\u0410", "NOTE", "T\u30b7\u30e3\u30c4"),
    ],
)
def test_other_words_stay(word):
    assert in_one_script(word, "Latn") == word
