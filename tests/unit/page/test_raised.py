"""Sub- and superscripts of running text, and formulas in it, by the fonts, sizes and places of spans."""

import pytest

from datagen.coarse.formula_share import num_in_formulas
from datagen.page import raised
from datagen.page.line_pieces import Piece

EM = 10.0


def spans(*parts: tuple[str, float, float], font: str = "Times") -> list[dict]:
    """Spans beside each other, of 5 points a letter: text, size in em, and how far it is raised."""
    result, x = [], 50.0
    for text, size, rise in parts:
        wide, y = 5.0 * size * len(text), 100 - rise * EM
        result.append(
            {"text": text, "size": size * EM, "font": font, "flags": 0, "origin": (x, y), "bbox": (x, y - size * EM, x + wide, y)}
        )
        x += wide
    return result


def written(*parts: tuple[str, float, float]) -> str:
    """The line's text with its scripts in tags."""
    return raised.written("".join(part[0] for part in parts), (50.0, 85.0, 600.0, 105.0), raised.scripts(spans(*parts)), False)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([("about 12 km", 1, 0), ("2", 0.7, 0.36), (" of land", 1, 0)], "about 12 km<sup>2</sup> of land"),
        (
            [("In 2011", 1, 0), ("1", 0.65, 0.33), (" and 11", 1, 0), ("11", 0.65, 0.33)],
            "In 2011<sup>1</sup> and 11<sup>11</sup>",
        ),
        ([("H", 1, 0), ("2", 0.7, -0.15), ("O and CO", 1, 0), ("2", 0.7, -0.15)], "H<sub>2</sub>O and CO<sub>2</sub>"),
        # No script: the A of LaTeX, small capitals, a word in small type, an accent, what is beside a drop capital.
        ([("L", 1, 0), ("A", 0.7, 0.2), ("TEX", 1, 0)], "LATEX"),
        ([("N", 1, 0), ("ATO", 0.8, 0), (" and", 1, 0)], "NATO and"),
        ([("T", 3, 0), ("he time", 1, 1.8)], "The time"),
        ([("CO\u2082 and m\u00b3\u2081", 1, 0)], "CO<sub>2</sub> and m<sup>3</sup><sub>1</sub>"),
    ],
)
def test_scripts_are_told_by_size_and_baseline(parts, text):
    assert written(*parts) == text


def piece(text: str) -> Piece:
    return Piece((50.0, 85.0, 600.0, 105.0), text, "Times", EM)


def test_formulas_in_a_line_are_told_from_the_name_of_a_variable():
    formula = spans(("Here ", 1, 0)) + [dict(s, font="CMMI10") for s in spans(("", 1, 0), ("E=mc", 1, 0), ("q", 0.7, 0.4))[1:]]
    assert num_in_formulas([piece("Here E=mcq")], raised.by_height(formula)) >= 4
    name = [*spans(("The variable ", 1, 0)), dict(spans(("xyz", 1, 0))[0], font="CMMI10")]
    assert num_in_formulas([piece("The variable xyz")], raised.by_height(name)) == 0
