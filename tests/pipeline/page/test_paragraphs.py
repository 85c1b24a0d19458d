"""Paragraphs of PDFs as regions, and their text as a person would type it, on pages whose paragraphs are known."""

import random
from dataclasses import replace
from typing import Any

import pytest
from rapidfuzz.distance import Levenshtein

from datagen.drawing.typeset import Style
from datagen.record import Region
from tests.inputs.paragraph_pages import KINDS, SCRIPTS, ParagraphPage, pages
from tests.opened import read
from tests.pipeline.page.test_right_to_left import WRONG, placed, plain

STYLE = Style(width_pt=300, height_pt=2000, margin_pt=0, size_pt=10, line_spacing=1.3)


def a_page(script: str = "Latn", **style: Any) -> ParagraphPage:
    return ParagraphPage(script, random.Random(1), replace(STYLE, **style))


def regions(page: ParagraphPage) -> tuple[Region, ...]:
    return read(page.doc.tobytes()).regions


def texts(page: ParagraphPage) -> list[str]:
    return [region.text for region in regions(page)]


def drawn(*lines: tuple[float, float, str]) -> tuple[Region, ...]:
    """The regions of a page with these lines at places of their own."""
    return read(placed(*lines)).regions


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_paragraph_is_one_region_however_far_its_lines_stand_apart(script):
    page = a_page(script, line_spacing=2.2)
    for _ in range(3):
        assert page.put(page.prose(30))
        page.space(14)
    paragraphs = regions(page)
    assert [len(region.lines) for region in paragraphs] == [len(lines) for lines in page.lines]
    assert all("\n" not in region.text for region in paragraphs)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("kind", KINDS)
def test_paragraphs_headings_and_items_are_apart(kind, script):
    (page,) = pages(kind, 1, 7, script)
    made = regions(page)
    assert [len(region.lines) for region in made] == [len(lines) for lines in page.lines]
    assert len(made) > 2
    typed, page_text = ("\n".join(map(plain, texts)) for texts in (page.truths, (region.text for region in made)))
    assert 100 * Levenshtein.normalized_distance(typed, page_text) <= WRONG.get(script, 0)


@pytest.mark.parametrize(
    "steps",
    [
        [(25, {"indent": indent}) for indent in (0, 15, 15, 15)],
        [("General rules", {"weight": 700}), (25, {})],
        # Ragged lines are joined; an address is not.
        [(40, {}), 12, ("Johann Sebastian Bach\nThomaskirchhof 16\n04109 Leipzig", {})],
        # So are those of a quotation that is set in on both sides.
        [(40, {}), 6, (40, {"left": 24, "right": 24})],
    ],
)
def test_paragraphs_are_as_they_were_typed(steps):
    """A step is a gap, or a text or its number of words, and how it is set."""
    page = a_page()
    for step in steps:
        if isinstance(step, int):
            page.space(step)
        else:
            text, how = step
            page.put(page.prose(text) if isinstance(text, int) else text, **how)
    assert texts(page) == page.truths


def test_indents_part_paragraphs_of_one_full_line():
    long = "it rained on the hills and on the town for so many days that the river"
    got = drawn(
        (60, 100, "They came to the old town in the morning, and nobody had seen them for"),
        (60, 113, "a long time."),
        (75, 126, "Nobody in the old town had ever seen them go out by its western gate."),
        (75, 139, "Then " + long),
        (60, 152, "rose above the bridge, and they had to wait for the water to go back to"),
        (60, 165, "where it had been."),
        (75, 178, "They went."),
    )
    assert [len(region.lines) for region in got] == [2, 1, 3, 1]


def test_hyphens_of_the_typesetter_are_undone_and_those_of_the_writer_stay():
    page = a_page(width_pt=150)
    page.put("A user-friendly rule")
    page.space(12)
    page.put(
        "All human beings are inter\u00adnational, well-known and user-friendly, "
        "as inter\u00adnational brother\u00adhood demands."
    )
    _, region = regions(page)
    assert [line.text for line in region.lines] == page.lines[1] and sum(line.endswith("-") for line in page.lines[1]) > 1
    assert region.text == page.truths[1]


def test_code_keeps_its_breaks_and_is_labelled():
    page = a_page()
    page.put(page.prose(25))
    page.space(10)
    page.put("int main(void) {\n    return 0;\n}", family="DejaVu Sans Mono")
    prose, code = regions(page)
    assert (prose.label, code.label) == ("text", "code")
    assert code.text == "int main(void) {\nreturn 0;\n}"


def test_contents_are_one_region_with_a_line_an_entry():
    entries = [(72.0, "Preface"), (72.0, "Getting started"), (87.0, "Before you begin"), (87.0, "Hardware"), (72.0, "Index")]
    paragraphs = drawn(*((x, 100 + 13 * i, f"{title} {'. ' * 40}{i + 1}") for i, (x, title) in enumerate(entries)))
    assert len(paragraphs) == 1 and paragraphs[0].text.count("\n") == len(entries) - 1


def test_a_paragraph_that_goes_on_in_the_next_column_continues():
    lines = [
        "which are as long as these are, and fill it",
        "so that the next one goes on in the same",
        "sentence, as anybody can see who reads the",
    ]
    left = [(60, 100 + 12 * i, line) for i, line in enumerate(lines * 8)]
    right = [
        (320, 100 + 12 * i, line)
        for i, line in enumerate(["column to its end, and stops.", "Another paragraph follows here, which ends."])
    ]
    paragraphs = drawn(*left, *right)
    assert [region.continues for region in paragraphs][:1] == [True]
    assert not any(region.continues for region in paragraphs[1:])


def test_a_note_across_both_columns_that_ends_between_them_is_no_edge_of_the_first():
    left = (
        "a ragged column of these words,",
        "in which each line begins with a",
        "so short word that it fits before",
        "us if the edge is that of the note",
    )
    rows = [(40, 100 + 13 * n, text) for n, text in enumerate(left)]
    right = [(220, 100 + 13 * n, "the other column is as ragged") for n in range(4)]
    note = (40, 300, "one note that ends right before the lines")
    assert drawn(*rows, *right, note)[0].text == " ".join(left)
