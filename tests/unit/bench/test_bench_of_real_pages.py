"""The lists of the benchmarks on real pages, and how these count."""

import pytest

from tests.bench.coarse import real_pages, sentences
from tests.bench.coarse.real_pages import Judged

TEXT = "1.2 Name of the\nproject\n\nA typesetter breaks  words – “often”."


@pytest.mark.parametrize(
    ("test", "is_right"),
    [
        ({"type": "present", "text": 'A typesetter breaks words - "often".'}, True),
        ({"type": "present", "text": "Name of the project"}, False),
        ({"type": "absent", "text": "Name of the project"}, False),
        ({"type": "absent", "text": "project Name"}, True),
        ({"type": "order", "before": "1.2 Name", "after": "words"}, True),
        ({"type": "order", "before": "words", "after": "1.2 Name"}, False),
        ({"type": "order", "before": "1.2 Name of", "after": "Name"}, False),
        ({"type": "order", "before": "missing", "after": "Name"}, False),
    ],
)
def test_a_sentence_holds(test, is_right):
    assert sentences.holds(test, TEXT) is is_right


def test_a_strange_type_of_test_is_refused():
    with pytest.raises(ValueError, match="'near'"):
        sentences.holds({"type": "near"}, TEXT)


def test_the_committed_lists_can_be_read():
    assert len(sentences.read_list()) >= 10
    assert {test["type"] for test in sentences.read_list()} == {"present", "absent", "order"}
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


def test_pages_are_drawn_by_content_and_few_of_one_document():
    rows = {(doc, n): {"script": "Latn", "sha256": doc, "page": n} for doc in ("ab", "cd") for n in range(30)}
    drawn = real_pages.drawn(rows, seed=1)
    assert len(drawn) == 2 * real_pages.EACH_OF_A_DOCUMENT
    assert drawn == real_pages.drawn(dict(reversed(rows.items())), seed=1) != real_pages.drawn(rows, seed=2)
