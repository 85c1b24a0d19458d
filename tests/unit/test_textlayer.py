import pytest

from datagen.record import Quality
from datagen.stages.textlayer import JudgeTextLayer
from tests.samples import sample

LONG = "all human beings are born free and equal " * 10


def judge(text: str = LONG, lang: str = "en", **signals: float):
    given = {"lang_score": 0.9, "script_share": 1.0, **signals}
    (found,) = JudgeTextLayer()([sample(text=text, lang=lang, quality=Quality(signals=given))])
    return found.quality.verdict, found.quality.reasons


def test_a_clean_layer_is_trusted():
    assert judge() == ("trusted", ())


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"unmapped_share": 0.001}, "unmapped_characters"),
        ({"private_use_share": 0.02}, "private_use"),
        ({"control_share": 0.02}, "control_characters"),
        ({"presentation_share": 0.3}, "presentation_forms"),
        ({"hidden_share": 1.0}, "hidden_text"),
        ({"image_share": 0.9}, "picture_page"),
        ({"script_share": 0.6}, "mixed_scripts"),
    ],
)
def test_one_sign_makes_it_suspect(signals, reason):
    assert judge(**signals) == ("suspect", (reason,))


def test_enough_text_in_no_language_is_suspect_and_little_is_not():
    assert judge(lang="und", lang_score=0.1) == ("suspect", ("unknown_language",))
    assert judge(text="Fig. 1", lang="und", lang_score=0.0) == ("trusted", ())


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"blank": 1.0}, "blank"),
        ({"image_share": 1.0, "blank": 1.0}, "picture_page"),
        ({"blank": 0.0}, "no_text"),
    ],
)
def test_no_text_says_what_is_there_instead(signals, reason):
    assert judge(text="", **signals) == ("none", (reason,))
