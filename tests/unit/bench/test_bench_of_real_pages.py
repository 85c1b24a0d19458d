"""The list of real pages that people judged, and how the benchmark counts it."""

import pytest

from tests.bench.coarse import real_pages
from tests.bench.coarse.real_pages import Judged


def test_the_committed_list_can_be_read():
    judged = real_pages.read_list()
    assert len(judged) >= 300
    assert len({page.script for page in judged}) >= 10
    assert len({(page.sha256, page.page) for page in judged}) == len(judged)


def test_judged_pages_are_counted_by_script_and_shown_where_the_verdict_differs():
    judged = [Judged("Latn", "ab", n, "a.pdf", "right" if n < 3 else "wrong", "") for n in range(5)]
    rows = {("ab", n): {"verdict": "suspect" if n in (2, 3) else "trusted", "reasons": ["form"]} for n in range(4)}
    first, _, latin, everything, *others = real_pages.report(judged, rows)
    assert first == "1 of 5 pages of the list are in none of these datasets"
    assert latin.split()[0] == "Latn" and "2/3" in latin and "0/1" in latin
    assert everything.split()[1:] == latin.split()[1:]
    assert others == ['right    but form: a.pdf page 2 ""']


def test_a_judgement_that_there_is_not_is_refused(tmp_path):
    path = tmp_path / "list.tsv"
    path.write_text("script\tsha256\tpage\tdocument\tjudgement\tnote\nLatn\tab\t0\ta.pdf\tgood\t\n")
    with pytest.raises(ValueError, match="'good'"):
        real_pages.read_list(path)
