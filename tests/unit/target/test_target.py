"""Training text and back: prompts, boxes in bins, and text that looks like the format."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.labels import PICTURES, RUNNING
from datagen.markdown import content, markdown
from datagen.record import LABELS, Box, Line, Region
from datagen.target import (
    ANSWERS,
    IMAGE,
    PROMPTS,
    SPECIAL_TOKENS,
    Prompt,
    can_answer,
    decode,
    decode_lines,
    encode,
    is_fine,
    restore,
    usual,
)
from tests.inputs.samples import sample

PIECES = [
    *SPECIAL_TOKENS,
    *("\n\n", "\n", " ", "<", "<\u2060", "\u2060", "|ref|>", "[[0, 0, 999, 999]]", "\\( x^2 \\)"),
    *("<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nfake", "<table><tr><td>1</td></tr></table>"),
    *("Über", "東京 の 文", "ภาษาไทย", "नमस्ते", "مرحبا", "👩‍👩‍👧"),
]


def region(box, text, label="text", lines=(), format="markdown", **values):
    return Region(Box(*box), label, text, None, "pymupdf", lines=lines, format=format, **values)


def page(regions, size=(640, 480), **values):
    return sample(regions=tuple(regions), size=size, **values)


def fine(regions, size=(640, 480), **values):
    """A page of which a layout engine drew the regions."""
    regions = tuple(replace(region, detected_by=region.detected_by or "pymupdf-layout") for region in regions)
    return page(regions, size, text=markdown(regions), **values)


def test_prompts_are_the_released_ones():
    assert Prompt.FREE == "<image>\nFree OCR."
    assert Prompt.MARKDOWN == "<image>\n<|grounding|>Convert the document to markdown."
    assert Prompt.PLAIN_MARKDOWN == "<image>\nConvert the document to markdown."
    assert Prompt.LINES == "<image>\n<|grounding|>OCR this image."
    assert Prompt.LOCATE == "<image>\nLocate <|ref|>xxxx<|/ref|> in the image."
    assert Prompt.FIGURE == "<image>\nParse the figure."
    assert all(prompt.count(IMAGE) == 1 for prompt in Prompt)
    assert set(ANSWERS) == set(Prompt) and len({prompt.value for prompt in Prompt}) == len(Prompt)
    assert Prompt.DESCRIBE == "<image>\nDescribe this image in detail."
    assert Prompt.DETECT == "<image>\nIdentify all objects in the image and output them in bounding boxes."
    grounded = [Prompt.MARKDOWN, Prompt.LINES, Prompt.BLOCKS, Prompt.LOCATE, Prompt.DETECT]
    assert [prompt for prompt in Prompt if prompt.is_grounded] == grounded


def two_regions():
    lines = (Line(Box(64, 240, 320, 300), "A line of text"),)
    return [region((0, 0, 640, 240), "Title", "title"), region((64, 240, 320, 480), "A line of text", lines=lines)]


def test_coarse_pages_are_asked_for_text_and_fine_ones_for_markdown():
    coarse, other = page(two_regions()), fine(two_regions())
    assert not is_fine(coarse) and is_fine(other)
    asked = [{a.prompt for a in PROMPTS["page"] if can_answer(s, a.prompt)} for s in (coarse, other)]
    assert asked == [
        {Prompt.FREE, Prompt.FREE_LINES, Prompt.LOCATE},
        {Prompt.MARKDOWN, Prompt.PLAIN_MARKDOWN, Prompt.LOCATE},
    ]
    assert [usual(coarse), usual(other)] == [Prompt.FREE, Prompt.MARKDOWN]
    for s, prompt in ((coarse, Prompt.MARKDOWN), (coarse, Prompt.PLAIN_MARKDOWN), (other, Prompt.FREE)):
        with pytest.raises(ValueError, match=f"{prompt.name} needs"):
            encode(s, prompt)


def test_scripts_are_tags_in_markdown_and_characters_in_lines():
    lines = (Line(Box(0, 0, 640, 40), "12 km2 of land"),)
    regions = [region((0, 0, 640, 40), "12 km<sup>2</sup> of land", lines=lines)]
    for prompt in (Prompt.MARKDOWN, Prompt.PLAIN_MARKDOWN):
        assert restore(encode(fine(regions), prompt)[1]).endswith("12 km<sup>2</sup> of land")
    assert "<sup>" in ANSWERS[Prompt.PLAIN_MARKDOWN] and "<sub>" in ANSWERS[Prompt.PLAIN_MARKDOWN]
    plain = page([replace(regions[0], text="12 km2 of land")], text="12 km2 of land")
    for prompt in (Prompt.FREE, Prompt.FREE_LINES):
        assert encode(plain, prompt)[1] == "12 km2 of land"
    assert "no tags" in ANSWERS[Prompt.FREE_LINES] and "characters" in ANSWERS[Prompt.FREE]
    part = sample(task="crop", text="12 km<sup>2</sup>")
    assert restore(encode(part, Prompt.FREE)[1]) == part.text


@pytest.mark.parametrize("text", ["CC(=O)/C=C/[N+]<image>", "<table><tr><td>1</td></tr></table>"])
def test_the_text_of_a_figure_comes_back_whole(text):
    figure = sample(task="figure", text=text)
    assert usual(figure) == Prompt.FIGURE
    prompt, answer = encode(figure, Prompt.FIGURE)
    assert prompt == "<image>\nParse the figure." and restore(answer) == text
    assert IMAGE not in answer and ("<table>" in answer) == ("<table>" in text)  # a table's tags stay tokens


def test_what_can_answer_nothing_says_so():
    with pytest.raises(ValueError, match="can answer no prompt"):
        usual(sample(task="chart"))


def page_of_everything():
    return fine(
        [
            region((0, 0, 999, 9), "Running head", "header"),
            region((0, 10, 999, 20), "2.1 Encoders", "sub_title"),
            region((0, 20, 999, 30), "E = mc^2", "equation", format="latex"),
            region((0, 30, 999, 40), "", "chart"),
            region((0, 40, 999, 50), "Figure 1 | Errors.", "image_caption"),
            region((0, 50, 999, 60), "", "image"),
            region((0, 60, 999, 70), "Table 1.", "table_caption"),
            region((0, 70, 999, 80), "<table><tr><td>1</td></tr></table>", "table", format="html"),
            region((0, 80, 999, 90), "a: once", "table_footnote"),
            region((0, 90, 999, 100), "<table><tr><td>2</td></tr></table>", "table", format="html"),
            region((0, 100, 999, 110), "Table 2.", "table_caption"),
            region((0, 110, 999, 120), "• an item", "list"),
            region((0, 120, 999, 130), "", "equation", format="latex", is_unread=True),
            region((0, 990, 999, 999), "7", "page_number"),
        ],
        (999, 999),
    )


def test_blocks_look_as_the_released_model_writes_them():
    assert encode(page_of_everything(), Prompt.MARKDOWN)[1] == (
        "<|ref|>sub_title<|/ref|><|det|>[[0, 10, 999, 20]]<|/det|>\n## 2.1 Encoders\n\n"
        "<|ref|>equation<|/ref|><|det|>[[0, 20, 999, 30]]<|/det|>\n\\[E = mc^2\\]\n\n"
        "<|ref|>image<|/ref|><|det|>[[0, 30, 999, 40]]<|/det|>\n"
        "<|ref|>image_caption<|/ref|><|det|>[[0, 40, 999, 50]]<|/det|>\n<center>Figure 1 | Errors. </center>\n\n"
        "<|ref|>image<|/ref|><|det|>[[0, 50, 999, 60]]<|/det|>\n\n"
        "<|ref|>table<|/ref|><|det|>[[0, 70, 999, 80]]<|/det|>\n"
        "<|ref|>table_caption<|/ref|><|det|>[[0, 60, 999, 70]]<|/det|>\nTable 1.\n\n"
        "<table><tr><td>1</td></tr></table>\n\n"
        "<|ref|>table_footnote<|/ref|><|det|>[[0, 80, 999, 90]]<|/det|>\na: once\n\n"
        "<|ref|>table<|/ref|><|det|>[[0, 90, 999, 100]]<|/det|>\n\n<table><tr><td>2</td></tr></table>\n\n"
        "<|ref|>table_caption<|/ref|><|det|>[[0, 100, 999, 110]]<|/det|>\nTable 2.\n\n"
        "<|ref|>text<|/ref|><|det|>[[0, 110, 999, 120]]<|/det|>\n- an item"
    )


def test_what_the_released_model_wrote_is_read():
    """Written by hand after outputs that users of the released model published: spaces at line ends, a caption within a table."""
    answer = (
        "<|ref|>image<|/ref|><|det|>[[188, 264, 732, 417]]<|/det|>\n"
        "<|ref|>image_caption<|/ref|><|det|>[[115, 433, 509, 448]]<|/det|>\n<center>Figure 1.1: Players </center>  \n\n"
        "<|ref|>table<|/ref|><|det|>[[89, 794, 907, 904]]<|/det|>\n"
        "<|ref|>table_caption<|/ref|><|det|>[[91, 778, 353, 790]]<|/det|>\nTable 1. Conditions.   \n\n"
        '<table><tr><td rowspan="2">R</td></tr></table>\n\n'
        "<|ref|>equation<|/ref|><|det|>[[88, 160, 485, 191]]<|/det|>\n \\[ K_{1} = \\frac{1}{8} \\quad (18) \\]  \n\n"
        "<|ref|>text<|/ref|><|det|>[[90, 109, 488, 154]]<|/det|>\nThe damping function  "
    )
    assert [(r.label, r.text) for r in decode(answer, (1000, 1000))] == [
        ("image", ""),
        ("image_caption", "Figure 1.1: Players"),
        ("table_caption", "Table 1. Conditions."),
        ("table", '<table><tr><td rowspan="2">R</td></tr></table>'),
        ("equation", r"K_{1} = \frac{1}{8} \quad (18)"),
        ("text", "The damping function"),
    ]


def lines_of(*texts):
    return tuple(Line(Box(0, 20 * n, 320, 20 * n + 20), text) for n, text in enumerate(texts))


def test_a_line_is_located_wherever_it_stands():
    s = page([region((0, 0, 320, 80), "…", lines=lines_of("again", "again and more", "seldom", "twice", "twice", "so"))])
    assert can_answer(s, Prompt.LOCATE)
    places = {}
    for number in range(40):
        prompt, answer = encode(sample(f"a-{number}", regions=s.regions, size=s.size), Prompt.LOCATE)
        text = prompt.removeprefix("<image>\nLocate <|ref|>").removesuffix("<|/ref|> in the image.")
        places[text] = [(line.text, line.box.y0) for line in decode_lines(answer, s.size)]
    # "again" also stands in another line, and "so" is too short to be told.
    assert places == {
        "again and more": [("again and more", 20)],
        "seldom": [("seldom", 40)],
        "twice": [("twice", 60), ("twice", 80)],
    }


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


@pytest.mark.parametrize("prompt", [prompt for prompt in Prompt if prompt is not Prompt.FREE])
def test_what_needs_regions_says_so(prompt):
    for s in (sample(regions=()), fine([])):
        assert not can_answer(s, prompt)
        with pytest.raises(ValueError, match="needs regions"):
            encode(s, prompt)


@st.composite
def pages(draw):
    width, height = draw(st.integers(1, 4000)), draw(st.integers(1, 4000))
    regions = []
    for label in draw(st.lists(st.sampled_from(LABELS), max_size=8)):
        x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        box = (x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height)))
        text = "".join(draw(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=5)))
        form = "markdown"
        if label == "equation":
            text, form = text.replace("\\", ""), "latex"
        elif label == "table":
            text, form = f"<table><tr><td>{text.strip()}</td></tr></table>", "html"
        regions.append(region(box, text, label, format=form, is_unread=draw(st.integers(0, 9)) == 0))
    return fine(regions, (width, height))


@settings(deadline=None)
@given(pages())
def test_round_trip_within_a_bin(s):
    """The labels, the text and the order of all regions that have a block come back, and boxes within one bin."""
    blocks = [r for r in s.regions if content(r) or r.label in PICTURES]
    if not can_answer(s, Prompt.MARKDOWN):
        assert not any(content(r) for r in s.regions)
        return
    found = decode(encode(s, Prompt.MARKDOWN)[1], s.size)
    assert [content(r) for r in found] == [content(r).strip() for r in blocks]
    assert all(r.label in ("image", "text") or r.label == truth.label for r, truth in zip(found, blocks, strict=True))
    assert not {r.label for r in found} & (RUNNING | {"list", "code", "chart", "toc"})
    w, h = s.size
    for r, truth in zip(found, blocks, strict=True):
        assert 0 <= r.box.x0 < r.box.x1 <= w and 0 <= r.box.y0 < r.box.y1 <= h
        for value, wanted, side in zip(r.box, truth.box, (w, h, w, h), strict=True):
            assert abs(value - wanted) <= side / 999 + 1


@pytest.mark.parametrize(
    ("answer", "boxes"),
    [
        ("", []),
        ("<|ref|>text<|/ref|><|det|>[[1, 2]]<|/det|>\nx", []),
        ("<|ref|>cut<|ref|>text<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>\nx", [(0, 0, 100, 50)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 0, 0]]<|/det|>\nx", [(0, 0, 1, 1)]),
        ("<|ref|>text<|/ref|><|det|>[[900, 900, 100, 100]]<|/det|>\nx", [(90, 45, 91, 46)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 99, 99], [500, 500, 999, 999]]<|/det|>\nx", [(0, 0, 100, 50)]),
        ("<|ref|>text<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>", [(0, 0, 100, 50)]),
    ],
)
def test_what_a_model_may_say(answer, boxes):
    assert [tuple(r.box) for r in decode(answer, (100, 50))] == boxes
