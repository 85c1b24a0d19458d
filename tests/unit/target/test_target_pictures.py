"""Training text of scenes and of described pictures, and back: prompts, and boxes in bins."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.record import Box, Line, Region
from datagen.target import (
    IMAGE,
    PROMPTS,
    SPECIAL_TOKENS,
    Prompt,
    can_answer,
    decode,
    decode_lines,
    decode_objects,
    encode,
    restore,
    usual,
)
from tests.inputs.samples import sample
from tests.unit.target.test_target import region


def scene(*blocks, size=(1000, 500), **values):
    """A scene whose blocks are these lists of lines."""
    regions = []
    for n, texts in enumerate(blocks):
        lines = [Line(Box(100 * n, 20 * m, 100 * n + 90, 20 * m + 18), text) for m, text in enumerate(texts)]
        regions.append(region((100 * n, 0, 100 * n + 90, 20 * len(texts)), "\n".join(texts), lines=tuple(lines)))
    return sample(task="scene", size=size, regions=tuple(regions), text="\n\n".join(r.text for r in regions), **values)


def test_a_scenes_signs_are_read_in_order_by_line_and_by_block():
    s = scene(["出口", "EXIT 7"], ["مخرج", "# <|ref|>"])
    assert usual(s) == Prompt.FREE and encode(s, Prompt.FREE)[1].startswith("出口\nEXIT 7\n\nمخرج")
    lines = [line for r in s.regions for line in r.lines]
    assert [(line.text, line.box) for line in decode_lines(encode(s, Prompt.LINES)[1], s.size)] == [
        (line.text, line.box) for line in lines
    ]
    prompt, answer = encode(s, Prompt.BLOCKS)
    assert prompt == "<image>\n<|grounding|>OCR this image, block by block."
    assert answer.startswith("<|ref|>text<|/ref|><|det|>[[0, 0, 90, 80]]<|/det|>\n出口\nEXIT 7\n\n<|ref|>text<|/ref|>")
    assert [(r.label, r.text, r.box) for r in decode(answer, s.size)] == [(r.label, r.text, r.box) for r in s.regions]
    assert encode(s, Prompt.LOCATE)[1] == "<|ref|>EXIT 7<|/ref|><|det|>[[0, 40, 90, 76]]<|/det|>"


def picture(*named, caption="", size=(999, 999), label="image", **values):
    regions = tuple(Region(Box(*box), label, name, None, "stamps") for name, box in named)
    return sample(task="caption", text="", caption=caption, regions=regions, size=size, **values)


def test_a_picture_is_described_and_its_objects_are_found_by_name():
    objects = [("cat", (0, 0, 20, 30)), ("犬", (50, 60, 70, 80)), ("cat", (100, 0, 120, 30)), ("black dog", (5, 5, 9, 9))]
    s = picture(*objects, caption="Two cats and <image> dogs. ")
    for kind in ("detailed", "brief", "listed", "placed"):
        assert sum(asked.weight for asked in PROMPTS["caption"] if asked.kind in ("", kind)) == pytest.approx(1)
    assert usual(s) == Prompt.CAPTION
    assert restore(encode(s, Prompt.CAPTION)[1]) == "Two cats and <image> dogs." and IMAGE not in encode(s, Prompt.CAPTION)[1]
    answer = encode(s, Prompt.DETECT)[1]
    assert answer == (
        "<|ref|>cat<|/ref|><|det|>[[0, 0, 20, 30], [100, 0, 120, 30]]<|/det|>\n"
        "<|ref|>犬<|/ref|><|det|>[[50, 60, 70, 80]]<|/det|>\n<|ref|>black dog<|/ref|><|det|>[[5, 5, 9, 9]]<|/det|>"
    )
    assert {(r.text, tuple(r.box), r.label) for r in decode_objects(answer, s.size)} == {(n, b, "image") for n, b in objects}
    located = {encode(picture(*objects, key=f"a-{n}"), Prompt.LOCATE) for n in range(40)}
    assert {prompt.partition("<|ref|>")[2].partition("<|/ref|>")[0] for prompt, _ in located} == {"cat", "犬", "black dog"}
    assert all(answer.count("[[") == 1 and answer.startswith(prompt[prompt.index("<|ref|>") : -14]) for prompt, answer in located)


LONG = "Two cats sit on a wall of red bricks. Behind them a garden with old apple trees goes down to the river. It rains."
LANGUAGES = {
    ("de", "Latn"): " Answer in German.",
    ("zh-Hans", "Hans"): " Answer in Simplified Chinese.",
    ("und", "Cyrl"): " Answer in Cyrillic letters.",
    ("en-GB", "Latn"): "",
}


def test_a_caption_is_asked_for_as_what_it_is():
    cat, dog = ("A cat", (0, 0, 9, 9)), ("A dog", (20, 0, 29, 9))
    chinese = "两只猫坐在红砖墙上。它们身后是一个花园,里面有古老的苹果树。花园一直延伸到河边。"
    for caption, asked in {
        LONG: Prompt.DESCRIBE,
        chinese: Prompt.DESCRIBE,
        "Two cats. They sit.": Prompt.CAPTION,
        LONG.replace(". ", ", "): Prompt.CAPTION,
        "A cat\nA dog\nA cat": Prompt.NAMES,
        "A cat at the top left.\nA dog on the left.": Prompt.PLACES,
    }.items():
        s = picture(cat, dog, caption=caption, lang="en")
        assert usual(s) is asked and encode(s, asked) == (asked.value, caption)
        others = {Prompt.DESCRIBE, Prompt.CAPTION, Prompt.NAMES, Prompt.PLACES} - {asked}
        assert not any(can_answer(s, other) for other in others)


@pytest.mark.parametrize(("lang", "script"), LANGUAGES)
def test_the_prompt_says_in_which_language_a_picture_is_described(lang, script):
    says = LANGUAGES[lang, script]
    s = picture(("Ein Hund", (0, 0, 9, 9)), caption="Ein Hund", lang=lang, script=script)
    assert encode(s, Prompt.NAMES)[0] == Prompt.NAMES + says and encode(s, Prompt.DETECT)[0] == Prompt.DETECT + says
    assert encode(picture(caption=LONG, lang=lang, script=script), Prompt.DESCRIBE)[0] == Prompt.DESCRIBE + says
    # Objects that a caption doesn't list are named in the letters that their names have.
    assert encode(picture(("dog", (0, 0, 9, 9)), caption=LONG, lang=lang, script=script), Prompt.DETECT)[0] == Prompt.DETECT
    others = picture(("狗", (0, 0, 9, 9)), caption=LONG, lang=lang, script=script)
    assert "Chinese" in encode(others, Prompt.DETECT)[0] or "Japanese" in encode(others, Prompt.DETECT)[0]


@st.composite
def pictures(draw):
    width, height = draw(st.integers(1, 4000)), draw(st.integers(1, 4000))
    objects = []
    for name in draw(st.lists(st.one_of(st.sampled_from(["cat", "dog", *SPECIAL_TOKENS]), st.text(min_size=1)), max_size=6)):
        x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        objects.append((name, (x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height)))))
    return picture(*objects, size=(width, height))


@settings(deadline=None)
@given(pictures())
def test_objects_make_a_round_trip_within_a_bin(s):
    named = [r for r in s.regions if r.text.strip()]
    if not can_answer(s, Prompt.DETECT):
        assert not named
        return
    objects = decode_objects(encode(s, Prompt.DETECT)[1], s.size)
    order = list(dict.fromkeys(r.text.strip() for r in named))
    for r, truth in zip(objects, sorted(named, key=lambda r: order.index(r.text.strip())), strict=True):
        assert r.text == truth.text.strip()
        assert all(abs(a - b) <= side / 999 + 1 for a, b, side in zip(r.box, truth.box, (*s.size, *s.size), strict=True))
