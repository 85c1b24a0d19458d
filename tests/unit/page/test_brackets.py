"""Brackets of right-to-left lines, told by what they stand close to."""

import pytest

from datagen.page.brackets import as_they_look

WORD, OTHER, THIRD = "םלוע", "םולש", "ישילש"  # as they stand from left to right


def look(line: str, opens=lambda x0, x1: 0) -> str:
    """The line as it looks; `opens` is the image's word."""
    clusters = [(char, 10.0 * i, 10.0 * i + 9) for i, char in enumerate(line)]
    return "".join(cluster[0] for cluster in as_they_look(clusters, opens))


@pytest.mark.parametrize(
    ("said", "looks"),
    [
        # The file says of each glyph the other bracket: what it was first used for.
        (f"{WORD} ){OTHER}( {THIRD}", f"{WORD} ({OTHER}) {THIRD}"),
        (f"{WORD} {OTHER}( {THIRD}", f"{WORD} {OTHER}) {THIRD}"),  # its partner is on the next line
    ],
)
def test_a_bracket_opens_towards_what_it_stands_close_to(said, looks):
    assert look(said) == looks
