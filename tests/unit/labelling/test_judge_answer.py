"""What speaks for and against an answer, on a page of two columns whose text is known."""

import random
from dataclasses import replace

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFont

from datagen.asking.forms import Read
from datagen.labelling.against_text import compared
from datagen.labelling.judge_answer import Limits, judged
from datagen.markdown import markdown
from datagen.record import Box, Line, Origin, Quality, Region, Sample
from tests.inputs.damaged_answers import answered, damaged
from tests.inputs.small_pages import WORDS

SIZE = (1000, 1000)
OTHER = "Quiet rivers carry the boats of merchants past the walls of a town that nobody has seen for years."


@pytest.fixture(scope="module")
def known():
    """The page with its text layer, its picture, and the right regions."""
    draw, image = random.Random(0), Image.new("RGB", SIZE, "white")
    on, font, number = ImageDraw.Draw(image), ImageFont.load_default(22), 0
    layer, right = [], []
    for x in (60, 540):
        for y in (80, 480):
            lines = []
            for row in range(9):
                number += 1
                text = f"{number} {' '.join(draw.choices(WORDS, k=6))}"[:34]
                on.text((x, y + 36 * row), text, fill="black", font=font)
                lines.append(Line(Box(*map(int, on.textbbox((x, y + 36 * row), text, font=font))), text))
            box = Box(x - 5, y - 5, x + 415, y + 36 * 9)
            layer.append(Region(box, "text", "\n".join(line.text for line in lines), None, "textlayer", lines=tuple(lines)))
            right.append(Region(box, "text", " ".join(line.text for line in lines), None, "model"))
    origin = Origin("a.pdf", "0" * 64, 0)
    page = Sample("a-000000", "page", b"", SIZE, "en", "Latn", "", tuple(layer), Quality("trusted"), origin, "test")
    return page, numpy.asarray(image), tuple(right)


@pytest.mark.parametrize("is_plain", [False, True])
def test_what_the_text_layer_says_too_is_trusted_whatever_the_score(known, is_plain):
    page, image, right = known
    label = judged(page, answered(page, right, is_plain), None, image, Limits())
    assert (label.quality.verdict, label.quality.reasons) == ("trusted", ())
    assert label.difficulty < 0.1 and label.text == markdown(right)


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("kind", ["gone", "invented", "digits", "columns"])
def test_each_damage_is_seen_by_the_text_layer(known, kind, is_plain):
    page, image, right = known
    wrong = damaged(kind, right, [OTHER], SIZE, random.Random(1))
    label = judged(page, answered(page, wrong, is_plain), 0.99, image, Limits())
    assert label.quality.verdict == "suspect", label.quality.signals


@pytest.mark.parametrize(
    ("kind", "reason"), [("gone", "ink_without_text"), ("invented", "text_without_ink"), ("columns", "order_in_doubt")]
)
def test_some_are_seen_by_the_ink_alone(known, kind, reason):
    page, image, right = known
    bare = replace(page, regions=(), quality=Quality())
    assert judged(bare, answered(page, right, False), 0.99, image, Limits()).quality.verdict == "trusted"
    wrong = damaged(kind, right, [OTHER], SIZE, random.Random(1))
    assert reason in judged(bare, answered(page, wrong, False), 0.99, image, Limits()).quality.reasons


def test_without_a_text_layer_a_second_reading_speaks_for_an_answer_or_against_it(known):
    page, image, right = known
    read = tuple(replace(region, score=0.9, by="ppocr") for region in page.regions)
    second = replace(page, regions=read, quality=Quality("suspect", ("unscored_reading",)))
    label = judged(second, answered(page, right, False), None, image, Limits())
    assert (label.quality.verdict, label.quality.reasons) == ("trusted", ())
    assert label.quality.signals["worth"] > 0.9 and label.difficulty == 1.0 - label.quality.signals["worth"]
    other = tuple(replace(region, text=OTHER * 3) for region in right)
    assert "readers_disagree" in judged(second, answered(page, other, False), 0.99, image, Limits()).quality.reasons


def test_with_nothing_to_compare_the_score_decides(known):
    page, image, right = known
    bare, read = replace(page, regions=(), quality=Quality()), answered(page, right, False)
    reasons = [judged(bare, read, score, image, Limits()).quality.reasons for score in (None, 0.5, 0.95)]
    assert reasons == [("unscored_reading",), ("unsure_reading",), ()]


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (Read("a", num_odd=1), "boxes_amiss"),
        (Read("<table><tr><td>1</td></tr>"), "markup_broken"),
        (Read("All human beings"), "length_disputed"),
        (Read("a", (Region(Box(10, 10, 900, 60), "text", "a", None, "model"),)), "text_without_ink"),
        (Read("Все люди рождаются свободными и равными в своем достоинстве и правах. " * 9), "language_differs"),
    ],
)
def test_what_is_amiss_with_an_answer_itself_has_its_reason(known, read, reason):
    page, image, _ = known
    assert reason in judged(page, read, 0.99, image, Limits()).quality.reasons


@pytest.mark.parametrize("text", ["dpkg_<Version>_<Arch>.deb is a file", "'${Package} ${Version} ${Size}' is its form"])
def test_what_looks_like_a_tag_or_a_formula_and_is_text_is_compared(text):
    line = Line(Box(100, 400, 900, 430), text)
    assert compared(text, (), [line], SIZE, ()).agreement == 1.0
    assert compared("<b>is</b>", (), [line], SIZE, ()).missing > 0.5


def test_a_heading_is_there_although_a_running_head_above_says_the_same():
    head, heading = Line(Box(100, 10, 900, 40), "A history of Debian"), Line(Box(100, 300, 900, 340), "A history of Debian")
    assert compared("# A history of Debian", (), [head, heading], SIZE, ()).missing == 0.0
    assert compared("Something", (), [head, heading], SIZE, ()).lost == [heading.text]
