"""What judges a text layer sees the same text, whatever a page's regions are."""

from dataclasses import replace

from datagen.markdown import all_text, markdown
from datagen.record import Box, Line, Region
from tests.inputs.samples import sample

BOX = Box(1, 2, 30, 12)


def region(label: str, text: str, **values: object) -> Region:
    return replace(Region(BOX, label, text, None, "pymupdf", lines=(Line(BOX, "as it stands"),)), **values)


def test_all_text_has_what_the_markdown_leaves_out():
    regions = (
        region("header", "Running"),
        region("text", "Body"),
        region("table", "<table><tr><td>as it stands</td></tr></table>", format="html"),
        region("equation", "", format="latex", is_unread=True),
        region("image", ""),
    )
    made = sample(regions=regions, text=markdown(regions))
    assert all_text(made) == "Running\n\nBody\n\nas it stands\n\nas it stands\n\nas it stands"
    assert made.text == "Body\n\n<table><tr><td>as it stands</td></tr></table>"


def test_all_text_of_paragraphs_is_the_text():
    regions = (region("text", "One"), region("list", "• two"))
    assert all_text(sample(regions=regions, text="One\n\n• two")) == "One\n\n• two"
    assert all_text(sample(regions=(), text="no regions")) == "no regions"


def test_tags_of_tables_are_no_letters():
    table = region("table", "<table><tr><td>\u6c49\u5b57 &amp; x</td></tr></table>", format="html", lines=())
    made = sample(regions=(table,), text=markdown((table,)))
    assert all_text(made).split() == ["\u6c49\u5b57", "&", "x"]
