"""Pages that filters drop, by the reason that they give, and pages that they leave."""

import pytest

from datagen.coarse.verdict.filters import DropBoilerplate, DropLowInformation, DropRepetition
from datagen.engines import OPEN
from datagen.record import Box, Drop, Line, Origin, Region
from tests.inputs.samples import sample
from tests.inputs.udhr import UDHR


def page(*lines: str, number: int = 0):
    box = Box(0, 0, 90, 9)
    region = Region(box, "text", "\n".join(lines), None, "pymupdf", lines=tuple(Line(box, line) for line in lines))
    origin = Origin("a.pdf", "ab" * 32, number)
    return sample(f"page-{number}", text=region.text, regions=(region,) if lines else (), origin=origin)


def fate(stage, *pages) -> list[str]:
    """The reason for which each page drops, "" for those that stay."""
    return [item.reason if isinstance(item, Drop) else "" for item in stage(pages, OPEN)]


def words(script: str) -> list[str]:
    """A text in lines of 30 characters."""
    text = UDHR[script][1]
    return [text[i : i + 30] for i in range(0, len(text), 30)]


@pytest.mark.parametrize("script", ["Latn", "Thai", "Hans"])
def test_an_article_stays(script):
    for stage in (DropRepetition(), DropLowInformation(), DropBoilerplate()):
        assert fate(stage, page(*words(script))) == [""]


@pytest.mark.parametrize("script", ["Latn", "Thai", "Hans"])
def test_a_run_that_comes_back_within_lines_is_repetition(script):
    text = "".join(c for c in UDHR[script][1] if c.isalpha())
    lines = [f"{text[:13]}{text[20 + 3 * i : 23 + 3 * i]}" for i in range(20)]
    assert fate(DropRepetition(), page(*lines)) == ["repetition"]


def test_pages_of_a_documents_lines_are_boilerplate_whatever_their_numbers():
    pages = [page("Confidential", f"Page {n} of 9", "All rights reserved by the author", number=n) for n in range(4)]
    body = page("Confidential", "Page 5 of 9", *words("Latn"), number=5)
    assert fate(DropBoilerplate(), *pages, body) == ["boilerplate"] * 4 + [""]
    assert fate(DropBoilerplate(), *pages[:2], body) == ["", "", ""]  # on two pages it is no habit yet


def test_numbers_and_leaders_are_low_information():
    assert fate(DropLowInformation(), page("12.5 33.1 8,080 (3) [7] 99% 12.5 33.1 8,080 and so on, for pages")) == [
        "low_information"
    ]
    assert fate(DropLowInformation(), page("Chapter", ".........................")) == ["low_information"]
