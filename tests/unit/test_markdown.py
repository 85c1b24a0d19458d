"""A page's Markdown from its regions; and all of their text, which what judges a text layer sees whatever the regions are."""

import pytest

from datagen.markdown import all_text, bare_latex, content, markdown
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample


def region(text, label="text", format="markdown", **values):
    return Region(Box(0, 0, 100, 20), label, text, None, "pymupdf", format=format, **values)


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (region("Optical\nCompression", "title"), "# Optical Compression"),
        (region("1 Introduction", "sub_title"), "## 1 Introduction"),
        (region("### 2.1 Encoders", "sub_title"), "### 2.1 Encoders"),
        (region("#hashtag", "sub_title"), "## #hashtag"),
        (region("• first\n◦ second", "list"), "- first\n- second"),
        (region("10<sup>3</sup> m<sub>i</sub>"), "10<sup>3</sup> m<sub>i</sub>"),
        (region("#include <a.h>\n  x = 1", "code"), "```\n#include <a.h>\n  x = 1\n```"),
        (region("```c\nint x;\n```", "code"), "```c\nint x;\n```"),
        (region("E = mc^2", "equation", "latex"), r"\[E = mc^2\]"),
        (region("$$a\n\nb$$", "equation", "latex"), "\\[a\nb\\]"),
        (region("<table><tr><td>1</td></tr></table>\n", "table", "html"), "<table><tr><td>1</td></tr></table>"),
        (
            region("<table>\n <tr>\n  <td colspan='2'> a <b>b</b> <i>c</i>\n</td></tr> </table>", "table", "html"),
            "<table><tr><td colspan='2'>a <b>b</b> <i>c</i></td></tr></table>",
        ),
        (region("read by mistake", "equation", "latex", is_unread=True), ""),
    ],
)
def test_what_a_region_is_in_markdown(one, wanted):
    assert content(one) == wanted


@pytest.mark.parametrize("label", ["image", "header"])
def test_pictures_and_what_stands_on_every_page_have_none(label):
    assert content(region("Bluetooth SIG Proprietary", label)) == ""


def test_blocks_are_parted_by_a_blank_line_and_items_of_a_list_are_not():
    page = [
        region("Page head", "header"),
        region("Title", "title"),
        region("One."),
        region("• a", "list"),
        region("• b", "list"),
        region("c without a bullet", "list"),
        region("• d", "list"),
        region("", "image"),
        region("Two."),
        region("7", "page_number"),
    ]
    assert markdown(page) == "# Title\n\nOne.\n\n- a\n- b\n\nc without a bullet\n\n- d\n\nTwo."


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        ([], ""),
        ([region("x", "header"), region("", "image")], ""),
        ([region("a", "code", continues=True), region("b", "code")], "```\na\n```\n\n```\nb\n```"),
        ([region("a", "equation", "latex", continues=True), region("b", "equation", "latex")], "\\[a\\]\n\n\\[b\\]"),
        # A paragraph doesn't go on behind a heading, or on another page.
        (
            [region("It goes on", continues=True), region("Results", "sub_title"), region("elsewhere", continues=True)],
            "It goes on\n\n## Results\n\nelsewhere",
        ),
    ],
)
def test_what_is_never_joined(page, wanted):
    assert markdown(page) == wanted


@pytest.mark.parametrize(
    ("text", "bare"),
    [(text, "x") for text in (r"\[x\]", "$$x$$", r"\(x\)", "$x$", " x ")]
    + [(text, text) for text in ("$a$ and $b$", "$$a$$ $$b$$", r"\[a\] \[b\]")],
)
def test_latex_loses_what_displays_it_and_two_formulas_stay(text, bare):
    assert bare_latex(text) == bare


def test_a_paragraph_that_goes_on_in_the_next_column_is_one():
    page = [
        region("The encoder is con-", continues=True),
        region("", "image"),
        region("Figure 1", "image_caption"),
        region("nected to a decoder,", continues=True),
        region("and that is all."),
        region("Another."),
    ]
    assert markdown(page) == "The encoder is connected to a decoder, and that is all.\n\nFigure 1\n\nAnother."


def test_all_text_has_what_the_markdown_leaves_out():
    lines = (Line(Box(1, 2, 30, 12), "as it stands"),)
    regions = (
        region("Running", "header", lines=lines),
        region("Body", lines=lines),
        region("<table><tr><td>as it stands</td></tr></table>", "table", "html", lines=lines),
        region("", "equation", "latex", is_unread=True, lines=lines),
        region("", "image", lines=lines),
    )
    made = sample(regions=regions, text=markdown(regions))
    assert all_text(made) == "Running\n\nBody\n\nas it stands\n\nas it stands\n\nas it stands"
    assert made.text == "Body\n\n<table><tr><td>as it stands</td></tr></table>"
    paragraphs = (region("One", lines=lines), region("• two", "list", lines=lines))
    assert all_text(sample(regions=paragraphs, text="One\n\n• two")) == "One\n\n• two"
    assert all_text(sample(regions=(), text="no regions")) == "no regions"
