"""The table of regions whose outcome is known, and the probability from which on regions are accepted."""

from datagen.layouts import labeller
from datagen.layouts.annotated_pages import annotated_pages
from datagen.layouts.training import is_held_out
from datagen.risk.bounds import NOBODY
from datagen.risk.region_outcomes import PageOutcomes, cutoff, region_outcomes, threshold, written


def test_the_table_is_of_the_weights_that_ship_and_of_repositories_that_taught_nothing():
    pages = region_outcomes()
    assert len(pages) > 300 and {page.kind for page in pages} == {"pdf"}
    assert {page.document for page in pages} <= {page.repository for page in annotated_pages()}
    assert all(is_held_out(page.document, 3) and not is_held_out(page.document, 3, "measured") for page in pages)


def test_a_smaller_risk_asks_for_more_and_a_kind_without_outcomes_has_no_threshold():
    at_ten, at_five = threshold("pdf", 0.10), threshold("pdf", 0.05)
    assert at_ten.confidence < at_five.confidence < NOBODY and at_ten.bound >= 0.9 and at_five.bound >= 0.95
    assert at_ten.num_right >= 0.9 * at_ten.num_above
    assert threshold("image", 0.10).confidence == NOBODY


def test_a_table_is_read_as_it_was_written_and_lines_of_other_weights_dont_count(tmp_path):
    now = labeller.versions()["layouts"]
    pages = (PageOutcomes("pdf", now, "a/b", ((0.912, True), (0.4, False))), PageOutcomes("image", now, "c/d", ()))
    table = tmp_path / "outcomes.tsv"
    table.write_text(written([*pages, PageOutcomes("pdf", "older", "a/b", ((0.5, True),))]), encoding="utf-8")
    assert region_outcomes(table) == pages


def test_a_repository_that_is_wrong_as_one_closes_the_gate():
    now = labeller.versions()["layouts"]

    def pages(is_right):
        regions = [tuple((0.9, is_right(i, k)) for k in range(50)) for i in range(40)]
        return [PageOutcomes("pdf", now, f"owner/{i}", of) for i, of in enumerate(regions)]

    assert cutoff(pages(lambda i, k: k % 16 != 0), 0.1).confidence == 0.9
    assert cutoff(pages(lambda i, k: i > 1), 0.1).confidence == NOBODY
