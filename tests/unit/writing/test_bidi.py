"""The order of right-to-left text against python-bidi, which goes forwards only, from what is read to what is drawn."""

import itertools
import textwrap

import pytest
from bidi import get_display

from datagen.coarse import line_crops
from datagen.record import Box, Line
from datagen.writing.bidi import levels, logical_order, mirror, visual_order
from datagen.writing.direction import as_it_is_read, as_it_stands
from tests.inputs.udhr import UDHR

RIGHT_TO_LEFT = [script for script in ("Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Mand", "Samr") if script in UDHR]
SENTENCES = (
    "صدر الإصدار 18 من Debian Linux (12.5) في عام 2024، والإصدار ١٩ بعده.",
    "גרסה 18 של Debian Linux (12.5) יצאה בשנת 2024, ב-10:30 (שעון ישראל) [א].",
    "می‌خواهم ۵۰٪ از آن را «به‌زودی» بخوانم، یا -12.5% و 3/4 (Linux) [۵].",
    "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔",
    "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם וְאֵת הָאָרֶץ׃",
)
LINES = [line for script in RIGHT_TO_LEFT for line in textwrap.wrap(UDHR[script][1], 60)] + list(SENTENCES)


def drawn(text: str, rtl: bool) -> str:
    order = levels(text, rtl)
    return "".join(mirror(text[i]) if order[i] % 2 else text[i] for i in visual_order(order))


def read(visual: str, rtl: bool) -> str:
    return "".join(mirror(visual[i]) if is_rtl else visual[i] for i, is_rtl in logical_order(visual, rtl))


@pytest.mark.parametrize("base", "LR")
def test_the_algorithm_agrees_with_a_library_on_lines_of_many_scripts(base):
    assert len(RIGHT_TO_LEFT) > 3
    for text in LINES:
        assert "".join(text[i] for i in visual_order(levels(text, base == "R"))) == get_display(text, base_dir=base), text


@pytest.mark.parametrize("base", "LR")
def test_the_algorithm_agrees_with_a_library_on_numbers_and_brackets_between_directions(base):
    words = ("שלום", "abc", "18", "(א)", "كتاب", "١٢", "[x", "-3%", "y]")
    for chosen in itertools.permutations(words, 3):
        text = " ".join(chosen)
        assert "".join(text[i] for i in visual_order(levels(text, base == "R"))) == get_display(text, base_dir=base), text
        end = "סוף" if base == "R" else "end"
        visual = drawn(f"{end} {text} {end}.", base == "R")
        if {*chosen} <= {*words[:5]}:  # the look of the others doesn't tell their order
            assert drawn(read(visual, base == "R"), base == "R") == visual, text


def test_lines_come_back_as_they_were_read():
    assert [read(drawn(text, True), True) for text in LINES] == LINES


def test_a_line_of_a_right_to_left_text_begins_on_the_right_unless_it_has_no_such_letter():
    text = "Debian 12 (نظام) and more"
    assert as_it_stands(text, "Arab") == "and more (ماظن) Debian 12"
    assert as_it_stands(text, "Latn") == "Debian 12 (ماظن) and more"
    assert as_it_stands("Linux (12)", "Arab") == "Linux (12)"
    assert all(as_it_is_read(as_it_stands(line, "Arab"), "Arab") == line for line in SENTENCES)


def test_lines_from_right_to_left_are_cropped_and_vertical_ones_in_scripts_with_columns_alone():
    box = Box(0, 0, 100, 20)
    assert line_crops._unfit(Line(box, "שלום", direction="rtl"), "Hebr") == ""
    assert line_crops._unfit(Line(box, "abc", direction="ttb"), "Latn") == "vertical"
    column = Line(Box(0, 0, 20, 100), "ᠮᠣᠩᠭᠣᠯ", direction="ttb")
    assert [line_crops._unfit(column, script) for script in ("Mong", "Cyrl")] == ["", "vertical"]


NAMES = ["$name", "print()", r"\mbox{}", r"\begin{table}"]


@pytest.mark.parametrize(
    ("visual", "text"),
    [
        # A sign that a Latin name begins with is its own; one behind a short name is drawn in front of it.
        *((f"{name} םולש", f"שלום {name}") for name in NAMES),
        ("#C םולש", "שלום C#"),
        # Names between which a comma stands on the left are read from the right.
        ("וא bcrypt ,scrypt (V9) ,Argon2 םולש", "שלום Argon2, scrypt (V9), bcrypt או"),
        # Brackets typed between Hebrew letters run from the right.
        ("םולש (SAMM) OWASP", "OWASP (SAMM) שלום"),
        ("םולש (דחא) password_hash()", "password_hash() (אחד) שלום"),
    ],
)
def test_latin_names_and_brackets_in_lines_that_are_read_from_the_right(visual, text):
    assert read(visual, True) == text
