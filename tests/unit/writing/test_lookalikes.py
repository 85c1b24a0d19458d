"""Signs that look alike in two scripts, told by what stands beside them."""

import pytest

from datagen.writing.lookalikes import in_context, with_lone_capital


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        *(
            ("入カする", "入力する"),
            ("人エ知能", "人工知能"),
            ("同ーです", "同一です"),
            ("すベて", "すべて"),
            ("比ベ、", "比べ、"),
        ),
        *(("東京ヘ行く", "東京へ行く"), ("あリます", "あります"), ("メ二ュー", "メニュー"), ("ユ一ザ一は", "ユーザーは")),
        *(("no SlAFE, UNlDADE", "no SIAFE, UNIDADE"), ("da lA nos, lEEE", "da IA nos, IEEE")),
    ],
)
def test_a_sign_is_what_its_word_says(read, meant):
    assert in_context(read) == meant


@pytest.mark.parametrize(
    "text",
    [
        *"二カ月 三カ所 日ロ関係 ハ長調 口コミ 生ハム サーバー ヘルプ アップロード これは一つ 第一章 力".split(),
        "HClO, AlGaN, MySQLlite, all, l'A, lAb",
    ],
)
def test_what_is_written_so_stays(text):
    assert in_context(text) == text


@pytest.mark.parametrize(
    ("reading", "text", "same"),
    [
        (
            "is completed, | can say that |'m done",
            "is completed, I can say that I'm done",
            "is completed, I can say that I'm done",
        ),
        ("In this l explained", "In this I explained", "In this I explained"),
        ("I took 5 l of it, d'l and a|b || c", "I took 5 l of it, d'l and a|b || c", "I took 5 l of it, d'l and a|b || c"),
        ("is done, (| can", "is now done, (I can", "is done, (I can"),
    ],
)
def test_a_stroke_alone_is_the_capital_that_another_reader_saw(reading, text, same):
    assert with_lone_capital(reading, text) == same
