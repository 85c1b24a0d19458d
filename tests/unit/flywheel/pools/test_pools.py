"""Which languages need a reader, how their documents are parted, and the file that freezes them."""

import hashlib

import pytest

from datagen.disk import marks
from datagen.disk.marks import Mark
from datagen.disk.storage import Folder
from flywheel.pools import pools_file
from flywheel.pools.pools import POOLS, Language, Scan, TextLines, assign, survey
from flywheel.pools.pools_file import FrozenPools
from tests.inputs.samples import page_sample
from tests.outputs import write_dataset


def language(lang="ru", script="Cyrl", **pages: int) -> Language:
    """A language with documents of so many pages, ten lines each."""
    documents = {doc: list(range(n)) for doc, n in pages.items()}
    return Language(lang, script, 0.3, documents, {doc: 10 * n for doc, n in pages.items()})


def docs(pool):
    return {doc for doc, _ in pool}


@pytest.mark.parametrize(
    "pages",
    [{"a": 40, "b": 30, "c": 20}, {"a": 40, "b": 30, "c": 20, "d": 2, "e": 9}, {"a": 40, "b": 2}, {"a": 40}, {"a": 2}, {}],
)
def test_no_page_is_in_two_pools(pages):
    (pools,) = assign([language(**pages)], seed=0, min_train_lines=1)
    places = [place for name in POOLS for place in getattr(pools, name)]
    assert len(places) == len(set(places))


def test_no_document_is_in_two_pools_or_two_folds():
    languages = [language("ru", **{f"r{i}": 20 + i for i in range(12)}), language("uk", **{f"u{i}": 20 + i for i in range(4)})]
    for pools in assign(languages, seed=3, min_train_lines=1):
        assert all(getattr(pools, name) for name in ("train", "held_out"))
        of_pools = [docs(getattr(pools, name)) for name in POOLS]
        assert sum(map(len, of_pools)) == len(frozenset().union(*of_pools))


def test_a_language_with_two_pages_is_only_held_out_and_served_by_its_script():
    many, few = assign([language("ru", a=40, b=30, c=20), language("sr", x=2)], seed=0, min_train_lines=300)
    assert (few.kind, few.not_served) == ("held_out_only", "")
    assert len(few.held_out) == 2
    assert not few.train
    assert not many.not_served
    (alone,) = assign([language("sr", x=2)], seed=0, min_train_lines=300)
    assert "0 lines of Cyrl to train on, at least 300" in alone.not_served


def test_a_document_is_of_one_language_alone(tmp_path):
    mostly_greek = [page_sample(f"g{n}", "αβγ", lang="el", script="Grek", page=n, sha256="d" * 64) for n in range(3)]
    stray = page_sample("r", "где", lang="ru", script="Cyrl", page=3, sha256="d" * 64)
    write_dataset(tmp_path / "coarse", [*mostly_greek, stray])
    greek, russian = survey(Folder(str(tmp_path / "coarse")), lambda letters: 0.0, 0.99)
    assert greek.documents == {"d" * 64: [0, 1, 2]}
    assert russian.documents == {}


def test_survey_counts_letters_and_trusts_trusted_pages_alone(tmp_path):
    def page(key, text, verdict, number):
        return page_sample(key, text, lang="el", script="Grek", verdict=verdict, page=number, sha256="d" * 64)

    pages = [page("a", "αβγ", "trusted", 0), page("b", "αβγab", "suspect", 1)]
    pages.append(page_sample("c", "hello", lang="en", script="Latn", verdict="trusted", page=0, sha256="e" * 64))
    write_dataset(tmp_path / "coarse", pages)
    known = frozenset("abcdefghijklmnopqrstuvwxyzα")
    share = lambda letters: sum(n for c, n in letters.items() if c in known) / sum(letters.values())  # noqa: E731
    (greek,) = survey(Folder(str(tmp_path / "coarse")), share, 0.99)
    assert greek == Language("el", "Grek", 2 / 6, {"d" * 64: [0]}, {"d" * 64: 1})


def test_a_marked_copy_counts_neither_its_letters_nor_its_page(tmp_path):
    folder = Folder(str(tmp_path / "coarse"))
    pages = [page_sample(key, "αβγab", lang="el", script="Grek", page=n, sha256="d" * 64) for n, key in enumerate("ab")]
    pages.append(page_sample("c", "γγγγ", lang="el", script="Grek", page=2, sha256="d" * 64))
    pages.append(page_sample("d", "слово", lang="ru", page=0, sha256="e" * 64))
    write_dataset(tmp_path / "coarse", pages)
    marks.write(folder, [Mark(key, "duplicate", "a", 1.0) for key in "cd"], "")
    counted = []
    (greek,) = survey(folder, lambda letters: counted.append(dict(letters)) or 0.5, 0.99)
    assert counted == [{"α": 2, "β": 2, "γ": 2}]
    assert (greek.lang, greek.documents) == ("el", {"d" * 64: [0, 1]})


def test_frozen_pools_come_back_as_they_were(tmp_path):
    languages = [language("ru", a=40, b=30, c=20), language("el", "Grek", x=2)]
    pools = FrozenPools([1, 0, 0.99], {"coarse-000000": "ab" * 32}, tuple(assign(languages, seed=0, min_train_lines=300)))
    folder = Folder(str(tmp_path))
    assert pools_file.read(folder) is None
    folder.write(pools_file.NAME, pools.to_json())
    assert pools_file.read(folder) == pools
    assert pools.sha256 == pools_file.read(folder).sha256 == hashlib.sha256(folder.read(pools_file.NAME)).hexdigest()
    assert [p.lang for p in pools.served] == ["ru"]


def test_pools_of_another_version_are_refused_in_a_sentence(tmp_path):
    folder = Folder(str(tmp_path))
    folder.write(pools_file.NAME, b'{"values": [1], "shards": {}, "pools": [{"lang": "ru", "train": [], "test": []}]}')
    with pytest.raises(ValueError, match=r"pools\.json: it was made by another version of pagewheel.*overwrite=1"):
        pools_file.read(folder)


def test_documents_without_a_text_layer_wait_beside_those_of_their_language_or_alone(tmp_path):
    pages = [page_sample(f"r{n}", "где", lang="ru", script="Cyrl", page=n, sha256="d" * 64) for n in range(3)]
    write_dataset(tmp_path / "coarse", pages)
    scans = [
        Scan("ru", "Cyrl", "e" * 64, {"г": 9}, [1, 0]),
        Scan("am", "Ethi", "f" * 64, {"ሀ": 9}, [0]),
        Scan("am", "Ethi", "0" * 64, {}, [0]),
        Scan("de", "Latn", "1" * 64, {"g": 9}, [0]),
        Scan("ru", "Latn", "2" * 64, {"ŝ": 9}, [0]),
    ]
    languages = survey(Folder(str(tmp_path / "coarse")), lambda letters: float("g" in letters), 0.99, scans)
    assert [(one.lang, [*one.documents], [*one.scans]) for one in languages] == [
        ("am", [], ["f" * 64, "0" * 64]), ("ru", ["d" * 64], ["e" * 64]), ("ru-Latn", [], ["2" * 64]),
    ]  # fmt: skip
    typed = Scan("de", "Latn", "", {"ſ": 9, "g": 99}, [], is_named=True)
    with_german = survey(Folder(str(tmp_path / "coarse")), lambda letters: float("g" in letters), 0.99, [*scans, typed])
    assert ["1" * 64, ""] in [[*one.scans] for one in with_german if one.lang == "de"]
    amharic, russian, _ = assign(languages, 0, 1, {"am": TextLines("t", 400, 100)})
    assert (amharic.kind, amharic.not_served, amharic.num_text_lines) == ("scans", "", 400)
    assert {*amharic.scans} == {*amharic.unlabelled} == {("f" * 64, 0), ("0" * 64, 0)}
    assert (russian.scans, russian.held_out) == ((("e" * 64, 0), ("e" * 64, 1)), tuple(("d" * 64, n) for n in range(3)))


def test_scans_without_a_text_to_test_with_are_not_served():
    (amharic,) = assign([Language("am", "Ethi", 0.0, scans={"f": [0]})], 0, 1)
    assert "no text is there to test with" in amharic.not_served
