from dataclasses import replace

import pytest

from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.engines import OPEN
from datagen.record import Box, Line, Quality
from tests.inputs.samples import sample

LONG = "all human beings are born free and equal " * 10


def judge(text: str = LONG, lang: str = "en", script: str = "Latn", **signals: float):
    given = {"lang_score": 0.9, "script_share": 1.0, **signals}
    (found,) = JudgeTextLayer()([sample(text=text, lang=lang, script=script, quality=Quality(signals=given))], OPEN)
    return found.quality.verdict, found.quality.reasons


def test_a_clean_layer_is_trusted():
    assert judge() == ("trusted", ())


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        ({"unmapped_share": 0.01}, "unmapped_characters"),
        ({"private_use_share": 0.02}, "private_use"),
        ({"control_share": 0.02}, "control_characters"),
        ({"presentation_share": 0.3}, "presentation_forms"),
        ({"hidden_share": 1.0}, "hidden_text"),
        ({"image_share": 0.9}, "picture_page"),
        ({"ink_checked_share": 1.0, "ink_lies_share": 0.1}, "ink_disagrees"),
        ({"ink_checked_share": 0.5}, "ink_unchecked"),
        ({"silent_share": 0.03}, "silent_characters"),
        ({"shared_codes_share": 0.01}, "glyphs_share_codes"),
        ({"num_notes": 1.0}, "text_in_annotations"),
    ],
)
def test_one_sign_makes_it_suspect(signals, reason):
    assert judge(**signals) == ("suspect", (reason,))


def test_a_third_script_is_suspect_and_a_second_one_is_not():
    korean = "모든 인간은 태어날 때부터 자유로우며 " * 15
    assert judge(text=LONG + korean, script_share=0.7) == ("trusted", ())
    greek = "όλοι οι άνθρωποι γεννιούνται ελεύθεροι " * 9
    assert judge(text=LONG + korean + greek, script_share=0.6) == ("suspect", ("mixed_scripts",))
    assert judge(text=LONG + korean + "全ての人間は", script="Jpan", script_share=0.7) == ("trusted", ())


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


def test_a_page_that_lacks_text_is_incomplete_and_its_words_still_hold():
    (found,) = JudgeTextLayer()([sample(text=LONG, quality=Quality(signals={"ink_recall": 0.9}))], OPEN)
    assert (found.quality.verdict, found.quality.reasons) == ("suspect", ("ink_without_text", "incomplete"))
    assert found.quality.words_hold


@pytest.mark.parametrize("signal", ["unmapped_share", "private_use_share"])
def test_a_few_unmapped_signs_leave_the_other_lines(signal):
    (found,) = JudgeTextLayer()([sample(text=LONG, quality=Quality(signals={signal: 0.001}))], OPEN)
    assert (found.quality.verdict, found.quality.reasons) == ("suspect", ("few_unmapped", "incomplete"))
    assert found.quality.words_hold


def test_spaces_put_in_by_gaps_need_a_reader_in_arabic_and_in_scripts_of_clusters():
    spaced = {"spaces_added_share": 0.1, "ink_checked_share": 1.0}
    assert judge(script="Gran", **spaced) == ("suspect", ("spaces_unchecked",))
    assert judge(script="Gran", spaces_added_share=0.1) == ("trusted", ())  # the ink wasn't asked of anything
    assert judge(script="Khmr", reader_error=0.05, **spaced) == ("trusted", ())
    assert judge(script="Arab", reader_error=0.05, **spaced) == ("trusted", ())
    assert judge(script="Arab", reader_error=0.7, **spaced) == ("suspect", ("spaces_unchecked",))
    assert judge(script="Latn", **spaced) == ("trusted", ())


def test_a_formula_in_a_line_of_text_makes_a_page_incomplete():
    assert judge(math_share=0.01, num_chars=400) == ("suspect", ("formula_in_text", "incomplete"))
    assert judge(math_share=0.01, num_chars=200) == ("trusted", ())


def test_a_language_that_nobody_knows_is_trusted_if_the_ink_agrees():
    assert judge(lang="und", lang_score=0.1, ink_checked_share=1.0) == ("trusted", ())


def test_vowel_signs_without_their_consonants_say_that_letters_are_lacking():
    whole = "ဆောင်ရွက်နိုင်စေရမည် လည်းကောင်း လာစေရန် " * 9
    assert judge(text=whole, lang="my") == ("trusted", ())
    lacking = whole.replace("ဆေ", "ေ").replace("စေ", "ေ").replace("ကေ", "ေ")
    assert judge(text=lacking, lang="my") == ("suspect", ("stranded_signs",))


@pytest.mark.parametrize(
    ("lang", "whole", "lacking"),
    [
        ("lo", "ນຳໃຊ້ ຄຳສັ່ງ ທີ່ຜູ້ ໂຈມຕີ", "ນ າໃຊ້ ຄ າສັັ່ງ ທ ຶ່ຜູ້ ໂຈມຕ"),
        ("th", "กำลัง คำสั่ง ทำงาน", "ก าลัง ค าสั่ง ท างาน"),
        ("th", "ผลการศึกษา สำรวจ กำราบ ดำริ น้ำฝน", "ผลกำรศึกษำ สำรวจ"),
        ("th", "พนักงาน สำคัญ", "พนักงำน สำคัญ"),
        ("hi", "प्रयोक्ता की किताब", "प्रयोक्ता क ीक िताब"),
        ("th", "จำนวน ลำดับ ทำการ", "จำานวน ลำดับ ทำการ"),
        ("te", "ప్రాంప్ట్ సంఖ్య", "ప్రాంప్ట్ సంంఖ్య"),
    ],
)
def test_signs_that_begin_words_or_come_twice_say_the_same(lang, whole, lacking):
    assert judge(text=f"{whole} " * 9, lang=lang) == ("trusted", ())
    assert judge(text=f"{lacking} " * 9, lang=lang) == ("suspect", ("stranded_signs",))


def test_a_table_of_signs_lacks_no_letters():
    assert judge(text="က ာ ိ ီ ု ူ ံ ့ း " * 9, lang="my") == ("trusted", ())


def test_words_in_two_scripts_are_what_garbled_clusters_look_like():
    garbled = "प्रयोक्ता योЭा होस्ट " * 20
    assert judge(text=garbled, lang="hi") == ("suspect", ("mixed_words",))
    assert judge(text="ປະຊາŊຊົນ ທຸກໆĒຄົນ " * 20, lang="lo") == ("suspect", ("mixed_words",))
    borrowed = "\U0001e93c\U0001e92b\u014b\U0001e93c\U0001e92d " + "\U0001e93c\U0001e92b\U0001e93c " * 99
    assert judge(text=borrowed * 3) == ("trusted", ())
    assert judge(text="ԱրմTEX και μm 東京タワー Tシャツ한글 " * 20) == ("trusted", ())


def test_the_kind_of_a_page_is_said_of_trusted_ones_too():
    assert judge(num_fields=3.0) == ("trusted", ("form",))
    big = replace(sample().regions[0], lines=(Line(Box(0, 0, 60, 12), "TITLE"),))
    cover = sample(text="TITLE", regions=(big,), origin=replace(sample().origin, page=0))
    (found,) = JudgeTextLayer()([cover], OPEN)
    assert (found.quality.verdict, found.quality.reasons) == ("trusted", ("cover",))
