"""Which readers a round has, and that none reads a document that it, or a reader before it, learned from."""

import random

import pytest

from datagen.disk.storage import Folder
from flywheel.pools import lineage
from flywheel.pools.lineage import RoundReader, of_round
from flywheel.pools.pools import FOLDS, Language, Pools, assign


def russian(num_documents: int = 9):
    documents = {f"d{i}": list(range(20 + i)) for i in range(num_documents)}
    return assign([Language("ru", "Cyrl", 0.3, documents, dict.fromkeys(documents, 200))], 0, 1)


def documents(pools, fold: str) -> frozenset[str]:
    return frozenset(doc for p in pools for doc, _ in p.fold(fold))


def test_one_reader_reads_both_folds_until_something_is_accepted():
    pools = russian()
    (first,) = of_round("Cyrl", pools, frozenset(), {})
    assert (first.name, first.folds, first.start, first.learns) == ("Cyrl", FOLDS, "", "")
    (second,) = of_round("Cyrl", pools, frozenset(), {"Cyrl": first.learned_from})
    assert (second.name, second.start, second.learned_from) == ("Cyrl", "Cyrl", first.learned_from)


def test_from_then_on_each_fold_has_a_reader_that_learns_from_the_other():
    pools = russian()
    (first,) = of_round("Cyrl", pools, frozenset(), {})
    accepted = documents(pools, "a") | documents(pools, "b")
    a, b = of_round("Cyrl", pools, accepted, {"Cyrl": first.learned_from})
    assert (a.name, a.folds, a.start, a.learns) == ("Cyrl-a", ("a",), "Cyrl", "b")
    assert a.learned_from == first.learned_from | documents(pools, "b")
    assert b.learned_from == first.learned_from | documents(pools, "a")
    later = of_round("Cyrl", pools, frozenset(), {a.name: a.learned_from, b.name: b.learned_from})
    assert [(r.name, r.start, r.learned_from) for r in later] == [(r.name, r.name, r.learned_from) for r in (a, b)]


def test_whatever_is_accepted_no_reader_reads_what_its_line_learned_from(tmp_path):
    draw, pools = random.Random(0), russian(30)
    waiting = sorted(documents(pools, "a") | documents(pools, "b"))
    for turn in range(20):
        folder, before, accepted = Folder(str(tmp_path / str(turn))), {}, frozenset()
        for _ in range(5):
            readers = of_round("Cyrl", pools, accepted, before)
            lineage.check(readers, pools)
            lineage.write(folder, readers)
            before = lineage.read(folder)
            assert before == {r.name: r.learned_from for r in readers}
            accepted = frozenset(draw.sample(waiting, draw.randint(0, len(waiting))))


def test_a_reader_that_would_read_what_it_learned_from_is_refused():
    pools = russian()
    for read in (documents(pools, "a"), frozenset(doc for doc, _ in pools[0].held_out)):
        with pytest.raises(AssertionError, match="which it is to read"):
            lineage.check([RoundReader("Cyrl-a", "Cyrl", ("a",), "Cyrl", "b", read)], pools)


def served_with(**documents: str) -> list[Pools]:
    return [Pools("ru", "Cyrl", 0.5, "documents", "", **{pool: ((doc, 0),) for pool, doc in documents.items()})]


def test_gold_of_a_document_that_waits_is_learned_by_the_reader_of_the_other_fold():
    served = served_with(train="t", fold_a="a")
    one, other = of_round("Cyrl", served, frozenset(), {"Cyrl": frozenset("t")}, frozenset("a"))
    assert (one.name, one.learns, one.learned_from) == ("Cyrl-a", "b", frozenset("t"))
    assert (other.name, other.learns, other.learned_from) == ("Cyrl-b", "a", frozenset("ta"))
    lineage.check([one, other], served)
    first = of_round("Cyrl", served, frozenset(), {}, frozenset("a"))
    assert [reader.start for reader in first] == ["", ""]


def test_gold_of_a_document_that_nobody_reads_is_learned_by_all():
    served = served_with(train="t", fold_a="a", fold_b="b")
    (only,) = of_round("Cyrl", served, frozenset(), {}, frozenset("x"))
    assert only.learned_from == frozenset("tx")
    readers = of_round("Cyrl", served, frozenset("a"), {"Cyrl": frozenset("t")}, frozenset("x"))
    assert [reader.learned_from for reader in readers] == [frozenset("tx"), frozenset("txa")]
