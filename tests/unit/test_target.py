"""Training text and back: prompts, boxes in bins, and text that looks like the format."""

import random

import pytest

from datagen.record import Box, Line, Region
from datagen.target import (
    ANSWERS,
    IMAGE,
    PROMPTS,
    SPECIAL_TOKENS,
    Prompt,
    can_answer,
    choose,
    decode,
    decode_plain,
    encode,
    neutralise,
    restore,
)
from tests.samples import sample

PIECES = [
    *SPECIAL_TOKENS,
    "\n\n",
    "\n",
    " ",
    "<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nfake",
    "<",
    "<\u2060",
    "\u2060",
    "|ref|>",
    "Über",
    "東京 の 文",
    "ภาษาไทย",
    "नमस्ते",
    "مرحبا",
    "👩‍👩‍👧",
    "[[0, 0, 999, 999]]",
    "<table><tr><td>1</td></tr></table>",
    "\\( x^2 \\)",
]


def region(box, text, label="text", lines=()):
    return Region(Box(*box), label, text, None, "pymupdf", lines=lines)


def page(regions, size=(640, 480), **values):
    return sample(regions=tuple(regions), size=size, **values)


def random_text(source):
    return "".join(source.choice(PIECES) for _ in range(source.randrange(8)))


def test_prompts_are_the_released_ones():
    assert Prompt.FREE == "<image>\nFree OCR."
    assert Prompt.MARKDOWN == "<image>\n<|grounding|>Convert the document to markdown."
    assert Prompt.LINES == "<image>\n<|grounding|>OCR this image."
    assert all(prompt.count(IMAGE) == 1 for prompt in Prompt)
    assert [prompt for prompt in Prompt if prompt.is_grounded] == [Prompt.MARKDOWN, Prompt.LINES]


def test_every_prompt_says_what_its_answer_holds_and_differs_from_the_others():
    assert set(ANSWERS) == set(Prompt)
    assert len({prompt.value for prompt in Prompt}) == len(Prompt)


def test_prompts_are_chosen_by_weight():
    source = random.Random(0)
    draws = [choose("page", source) for _ in range(4000)]
    for prompt, weight in PROMPTS["page"]:
        assert abs(draws.count(prompt) / 4000 - weight) < 0.03
    assert PROMPTS["page"][0].prompt is Prompt.FREE
    assert {choose("crop", source) for _ in range(20)} == {Prompt.FREE}


def test_the_format_by_hand():
    s = page([region((0, 0, 640, 240), "# Title", "title"), region((64, 240, 320, 480), "One\nTwo")])
    assert encode(s, Prompt.MARKDOWN)[1] == (
        "<|ref|>title<|/ref|><|det|>[[0, 0, 999, 500]]<|/det|>\n# Title\n\n"
        "<|ref|>text<|/ref|><|det|>[[100, 500, 500, 999]]<|/det|>\nOne\nTwo"
    )


def test_plain_text_is_the_samples_text():
    assert encode(sample(text="Über\n\n東京"), Prompt.FREE) == ("<image>\nFree OCR.", "Über\n\n東京")


def test_lines_come_one_a_block():
    lines = (Line(Box(0, 0, 320, 20), "one"), Line(Box(0, 20, 320, 40), "two"))
    s = page([region((0, 0, 320, 40), "one\ntwo", lines=lines), region((0, 40, 320, 60), "no lines")])
    assert [r.text for r in decode(encode(s, Prompt.LINES)[1], s.size)] == ["one", "two", "no lines"]


def broken_paragraph():
    lines = (Line(Box(0, 0, 320, 20), "A typeset-"), Line(Box(0, 20, 320, 40), "ter breaks words."))
    regions = [region((0, 0, 320, 40), "A typesetter breaks words.", lines=lines), region((0, 40, 320, 60), "no lines")]
    return page(regions, text="\n\n".join(r.text for r in regions))


def test_paragraphs_and_lines_are_told_apart_by_the_prompt():
    s = broken_paragraph()
    assert encode(s, Prompt.FREE)[1] == "A typesetter breaks words.\n\nno lines"
    assert encode(s, Prompt.FREE_LINES) == (
        "<image>\nFree OCR, line by line.",
        "A typeset-\nter breaks words.\n\nno lines",
    )
    assert decode_plain(encode(s, Prompt.FREE_LINES)[1]) == [["A typeset-", "ter breaks words."], ["no lines"]]
    assert decode_plain(encode(s, Prompt.FREE)[1]) == [["A typesetter breaks words."], ["no lines"]]


def test_lines_of_random_pages_make_a_round_trip():
    source = random.Random(2)
    words = [piece for piece in PIECES if "\n" not in piece]
    for _ in range(200):
        blocks = [
            ["x" + source.choice(words) + source.choice(words) for _ in range(source.randrange(1, 4))]
            for _ in range(source.randrange(1, 5))
        ]
        s = page(
            region((0, 0, 9, 9), " ".join(texts), lines=tuple(Line(Box(0, 0, 9, 9), text) for text in texts)) for texts in blocks
        )
        assert decode_plain(encode(s, Prompt.FREE_LINES)[1]) == blocks


@pytest.mark.parametrize("prompt", [prompt for prompt in Prompt if prompt is not Prompt.FREE])
def test_what_needs_regions_says_so(prompt):
    assert not can_answer(sample(regions=()), prompt)
    with pytest.raises(ValueError, match="needs regions"):
        encode(sample(regions=()), prompt)


def test_round_trip_of_random_pages():
    source = random.Random(0)
    for _ in range(400):
        w, h = source.randrange(1, 4000), source.randrange(1, 4000)
        regions = []
        for _ in range(source.randrange(1, 6)):
            x0, y0 = source.randrange(w), source.randrange(h)
            box = (x0, y0, source.randrange(x0 + 1, w + 1), source.randrange(y0 + 1, h + 1))
            regions.append(region(box, random_text(source), source.choice(["text", "title", "table", "a <|/ref|> b", ""])))
        s = page(regions, (w, h))
        answer = encode(s, Prompt.MARKDOWN)[1]
        found = decode(answer, s.size)
        assert [(r.label, r.text) for r in found] == [(r.label, r.text) for r in regions]
        for r, truth in zip(found, regions, strict=True):
            assert 0 <= r.box.x0 < r.box.x1 <= w and 0 <= r.box.y0 < r.box.y1 <= h
            for value, wanted, side in zip(r.box, truth.box, (w, h, w, h), strict=True):
                assert abs(value - wanted) <= side / 999 + 1


def test_neutralised_text_holds_no_token_of_the_format_and_is_not_lost():
    source = random.Random(1)
    table = ("<td>", "</td>", "<tr>", "</tr>")
    for _ in range(2000):
        text = random_text(source)
        safe = neutralise(text)
        assert not any(token in safe for token in SPECIAL_TOKENS if token not in table)
        assert restore(safe) == text


def test_table_tags_stay_tokens():
    html = "<table><tr><td>1</td></tr></table>"
    assert neutralise(html) == html


@pytest.mark.parametrize(
    ("answer", "boxes"),
    [
        ("", []),
        ("nothing grounded", []),
        ("<|ref|>text<|/ref|>", []),
        ("<|ref|>text<|/ref|><|det|>[[1, 2]]<|/det|>\nx", []),
        ("<|ref|>cut<|ref|>text<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>\nx", [(0, 0, 100, 50)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 0, 0]]<|/det|>\nx", [(0, 0, 1, 1)]),
        ("<|ref|>text<|/ref|><|det|>[[999, 999, 999, 999]]<|/det|>\nx", [(99, 49, 100, 50)]),
        ("<|ref|>text<|/ref|><|det|>[[900, 900, 100, 100]]<|/det|>\nx", [(90, 45, 91, 46)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 99, 99], [500, 500, 999, 999]]<|/det|>\nx", [(0, 0, 100, 50)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>", [(0, 0, 100, 50)]),
    ],
)
def test_what_a_model_may_say(answer, boxes):
    assert [tuple(r.box) for r in decode(answer, (100, 50))] == boxes
