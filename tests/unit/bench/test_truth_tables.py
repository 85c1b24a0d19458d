"""The counting under the benchmark of verdicts, on documents made by hand."""

from tests.bench.coarse.truth_tables import GOOD, Page, caught_by, damaged, falsely_trusted, report


def page(kind: str, error: float, verdict: str = "trusted", reasons=(), witnesses=(), number: int = 0, family: str = "Serif"):
    return Page("Latn", "eng", family, 10, kind, number, error, error, verdict, reasons, witnesses)


def test_a_document_is_falsely_trusted_by_most_of_its_pages():
    wrong = [page("permuted", 0.8, number=n) for n in range(3)]
    assert damaged(wrong) and falsely_trusted(wrong)
    refused = [page("permuted", 0.8, "suspect", ("ink_disagrees",), number=n) for n in range(2)]
    assert not falsely_trusted([wrong[0], *refused])
    assert not damaged([page("doubled", 0.01), page("doubled", 0.5, number=1)])


def test_a_reason_catches_what_it_alone_would_refuse():
    document = [page("permuted", 0.8, "suspect", ("ink_disagrees", "mixed_words"), ("lineup",))]
    document += [page("permuted", 0.8, "suspect", ("mixed_words",), number=1)] * 2
    assert caught_by(document, "mixed_words")
    assert not caught_by(document, "ink_disagrees")
    assert not caught_by(document, "lineup")


def test_the_report_counts_by_damage_script_and_reason():
    good = [page(GOOD, 0.0), page(GOOD, 0.0, "suspect", ("ink_disagrees",), ("letters",), number=1)]
    caught = page("permuted", 0.8, "suspect", ("ink_disagrees",), ("lineup",))
    missed = page("few_letters", 0.1)
    said = report([*good, caught, missed])
    of_lineup = [line.split() for line in said.splitlines() if line.startswith("lineup ")]
    assert (
        "2 damaged fonts over 1 scripts, false trust 1 (50.0%, 95% interval 1.3% to 98.7%, one-sided upper bound 97.47%)" in said
    )
    assert "lowest trusted share over scripts: Latn 50% of 2 pages" in said
    assert [row[1] for row in of_lineup] == ["1/2"]
    assert "nothing to compare" in report(good)
