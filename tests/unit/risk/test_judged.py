"""The table of judged pages, and what follows from it for the verdict."""

from dataclasses import replace

import pytest

from datagen.layouts import labeller
from datagen.risk import judged
from datagen.risk.bounds import NOBODY
from datagen.risk.judged import JudgedPage, curve, judged_pages, threshold

PAGE = JudgedPage("pdf", "Latn", "a.pdf", "ab", 0, labeller.versions()["layouts"], 0.9, 1.0, True, True, "")


def pages(num: int, **values) -> list[JudgedPage]:
    return [replace(PAGE, sha256=f"{values} {i}", **values) for i in range(num)]


@pytest.fixture
def table(monkeypatch):
    def of(*made: JudgedPage) -> None:
        monkeypatch.setattr(judged, "judged_pages", lambda: made)
        threshold.cache_clear()

    yield of
    threshold.cache_clear()


def test_every_line_of_the_table_says_which_page_and_what_is_wrong():
    places = [(page.uri, page.page) for page in judged_pages()]
    assert len({*places}) == len(places)
    for page in judged_pages():
        assert page.kind in judged.KINDS and len(page.sha256) == 64 and 0 < page.chance <= 1 and 0 <= page.score <= 1, page
        assert bool(page.fault) == (not (page.text and page.structure)), page


def test_a_kind_has_its_own_threshold_and_one_without_judged_pages_has_none(table):
    table(*pages(100, score=0.7), *pages(30, score=0.2, structure=False))
    assert threshold("pdf", 0.05, 0.1).confidence == 0.7
    assert threshold("image", 0.05, 0.1).confidence == NOBODY


def test_pages_of_other_weights_and_vetoed_pages_calibrate_nothing(table):
    table(*pages(100, labeller="another"), *pages(100, score=0.0, text=False, structure=False))
    assert threshold("pdf", 0.05, 0.1).num_lines == 0


def test_a_curve_counts_all_pages_that_were_drawn_by_their_chance():
    drawn = [*pages(10, score=0.8), *pages(5, score=0.4, chance=0.5, structure=False), *pages(30, score=0.0, text=False)]
    high, low = curve("pdf", [0.5, 0.3], drawn)
    assert (high.share, high.num_documents, high.wrong_text, high.wrong_structure) == (10 / 50, 10, 0, 0)
    assert (low.share, low.num_documents, low.wrong_text, low.wrong_structure) == (20 / 50, 15, 0, 5)
