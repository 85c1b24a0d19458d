import re

import pytest

from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.engines import OPEN
from datagen.record import Quality
from tests.inputs.samples import sample

LONG = "all human beings are born free and equal " * 10


def judge(text: str = LONG, lang: str = "en", script: str = "Latn", **signals: float):
    given = {"lang_score": 0.9, "script_share": 1.0, **signals}
    (found,) = JudgeTextLayer()([sample(text=text, lang=lang, script=script, quality=Quality(signals=given))], OPEN)
    return found.quality.verdict, found.quality.reasons


KOREAN, GREEK = "모든 인간은 태어날 때부터 자유로우며 " * 15, "όλοι οι άνθρωποι γεννιούνται ελεύθεροι " * 9
BURMESE = "ဆောင်ရွက်နိုင်စေရမည် လည်းကောင်း လာစေရန် " * 9
ADLAM = "\U0001e93c\U0001e92b\u014b\U0001e93c\U0001e92d " + "\U0001e93c\U0001e92b\U0001e93c " * 99
SPACED = {"spaces_added_share": 0.1, "ink_checked_share": 1.0}
NO_LANGUAGE = {"lang": "und", "lang_score": 0.1}


@pytest.mark.parametrize(
    ("page", "reasons"),
    [
        ({}, ()),
        ({"unmapped_share": 0.01}, ("unmapped_characters",)),
        ({"private_use_share": 0.02}, ("private_use",)),
        ({"hidden_share": 1.0}, ("hidden_text",)),
        ({"ink_checked_share": 1.0, "ink_lies_share": 0.1}, ("ink_disagrees",)),
        ({"shared_codes_share": 0.01}, ("glyphs_share_codes",)),
        # A second script is none too many.
        ({"text": LONG + KOREAN, "script_share": 0.7}, ()),
        ({"text": LONG + KOREAN + GREEK, "script_share": 0.6}, ("mixed_scripts",)),
        ({"text": LONG + KOREAN + "全ての人間は", "script": "Jpan", "script_share": 0.7}, ()),
        # Enough text in no language, unless the ink agrees.
        (NO_LANGUAGE, ("unknown_language",)),
        (NO_LANGUAGE | {"ink_checked_share": 1.0}, ()),
        # Spaces that gaps showed need a reader in Arabic and in scripts of clusters.
        ({"script": "Gran", **SPACED}, ("spaces_unchecked",)),
        ({"script": "Khmr", "reader_error": 0.05, **SPACED}, ()),
        ({"script": "Arab", "reader_error": 0.7, **SPACED}, ("spaces_unchecked",)),
        ({"math_share": 0.01, "num_chars": 400}, ("formula_in_text", "incomplete")),
        # Vowel signs without their consonants; a table of signs lacks none.
        ({"text": BURMESE, "lang": "my"}, ()),
        ({"text": re.sub("[ဆစက]ေ", "ေ", BURMESE), "lang": "my"}, ("stranded_signs",)),
        ({"text": "က ာ ိ ီ ု ူ ံ ့ း " * 9, "lang": "my"}, ()),
        # Words in two scripts are what garbled clusters look like.
        ({"text": "प्रयोक्ता योЭा होस्ट " * 20, "lang": "hi"}, ("mixed_words",)),
        ({"text": ADLAM * 3}, ()),
        ({"text": "ԱրմTEX και μm 東京タワー Tシャツ한글 " * 20}, ()),
    ],
)
def test_one_sign_makes_a_page_suspect(page, reasons):
    assert judge(**page) == ("suspect" if reasons else "trusted", reasons)


@pytest.mark.parametrize(
    ("signals", "reason"),
    [({"blank": 1.0}, "blank"), ({"image_share": 1.0, "blank": 1.0}, "picture_page"), ({"blank": 0.0}, "no_text")],
)
def test_no_text_says_what_is_there_instead(signals, reason):
    assert judge(text="", **signals) == ("none", (reason,))


@pytest.mark.parametrize(
    ("signal", "share", "reason"),
    [
        ("ink_recall", 0.9, "ink_without_text"),
        ("unmapped_share", 0.001, "few_unmapped"),
    ],
)
def test_a_page_that_lacks_text_is_incomplete_and_its_words_still_hold(signal, share, reason):
    (found,) = JudgeTextLayer()([sample(text=LONG, quality=Quality(signals={signal: share}))], OPEN)
    assert (found.quality.verdict, found.quality.reasons) == ("suspect", (reason, "incomplete"))
    assert found.quality.words_hold
