"""Word files as a dataset of three tasks, with a stand-in for the child: drops, keys, retry, forget, resume, training."""

from pathlib import Path

import pytest

from datagen.contract import check
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.formulas.check import CheckFormulas
from datagen.inputs.census import Listing
from datagen.inputs.formats import WORD
from datagen.reading.language import IdentifyLanguage
from datagen.record import Drop, Range, Sample
from datagen.word import source
from datagen.word.source import Entity, WordSource, entity_of
from datagen.work.pipeline import Pipeline
from model.data.ours import open_ours
from model.net.tokenizer import byte_tokenizer
from recipes import RECIPES
from recipes.__main__ import main as cli
from recipes.words.words import Entry
from tests import word_stand_in
from tests.inputs.udhr import UDHR
from tests.outputs import check_corpus, dataset_samples, files
from tests.word_stand_in import document

HTML = '<table><tr><td colspan="2">Heading</td></tr><tr><td>1</td><td>2</td></tr></table>'
RUSSIAN = UDHR["Cyrl"][1]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(source, "READ", word_stand_in.READ)
    monkeypatch.setattr(WordSource, "engines", lambda self: {"stand-in": "1"})
    monkeypatch.setitem(RECIPES, "small_word", Entry("tests.pipeline.word.test_word:small_word"))


def small_word(input: str = "", limit: int = 0):
    from recipes.word import word

    recipe = word(input, limit)
    pages = recipe.steps[0]
    small = Pipeline(pages.name, pages.census, WordSource(shard_pages=4), pages.stages, limit=limit)
    return type(recipe)("small_word", (small, *recipe.steps[1:]))


def read(folder: Path, **values: object) -> list[Sample | Drop]:
    pipeline = Pipeline("word", Listing(str(folder), WORD), WordSource(**values), (IdentifyLanguage(), CheckFormulas()))
    return list(pipeline.process(tuple(pipeline.census.items()), []))


def run(folder: Path, out: Path, *words: str) -> int:
    return cli(["small_word", "--input", str(folder), "--out", str(out), "--on", "inline", *words])


GOOD = document(
    pages=[
        {"text": RUSSIAN, "formulas": [[0, "E = mc^2", "E = mc^2"], [1, "x", "x"]], "tables": [[0, 0, HTML]]},
        {"text": RUSSIAN, "tables": [[0, 1, HTML]], "lost": [["formula", 2, "formula_not_converted"]]},
    ]
)
UNLIKE = document(pages=[{"text": RUSSIAN, "formulas": [[0, "E = mc^2", r"\int_0^1 f"]], "reason": "page_text_differs"}])


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    (path / "a.docx").write_bytes(GOOD)
    (path / "copy.docx").write_bytes(GOOD)
    (path / "b.docx").write_bytes(UNLIKE)
    return path


def test_pages_tables_and_formulas_are_samples_and_what_is_lost_is_a_drop(folder):
    (folder / "copy.docx").unlink()
    outcomes = read(folder)
    made = [o for o in outcomes if isinstance(o, Sample)]
    for one in made:
        check(one)
    by_suffix = {one.key.partition("-0000")[2]: one for one in made}
    assert list(by_suffix) == ["00", "00-f0000", "00-f0001", "00-t0000", "01", "01-t0000-1"]
    page, formula, piece = by_suffix["00"], by_suffix["00-f0000"], by_suffix["01-t0000-1"]
    assert [one.task for one in by_suffix.values()] == ["page", "formula", "formula", "table", "page", "table"]
    assert (page.lang, page.script) == (formula.lang, formula.script) == (piece.lang, piece.script) == ("ru", "Cyrl")
    assert by_suffix["00-f0001"].text == r"\(x\)" and by_suffix["00-f0001"].regions[0].text == "x"
    assert formula.text == r"\[E = mc^2\]" and formula.origin.parent == page.key and formula.origin.box == page.regions[1].box
    assert formula.quality.signals["formula_agreement"] > 0.75
    assert piece.text == HTML and piece.regions[0].format == "html"
    assert page.metadata == {"formulas": "2", "tables": "1", "shows_formulas": "0 1", "shows_tables": "0"}
    assert formula.metadata == {"formulas": "2", "tables": "1"}
    assert [entity_of(one.key) for one in made] == [
        None, Entity("formula", 0), Entity("formula", 1), Entity("table", 0), None, Entity("table", 0, 1)
    ]  # fmt: skip
    drops = [o for o in outcomes if isinstance(o, Drop)]
    assert sorted((Path(d.uri).name, d.stage, d.reason, d.part) for d in drops) == [
        ("a.docx", "WordSource", "formula_not_converted", Range(1, 2)),
        ("b.docx", "CheckFormulas", "formula_unlike", Range(0, 1)),
        ("b.docx", "WordSource", "page_text_differs", Range(0, 1)),
    ]
    assert {entity_of(d.key) for d in drops} == {None, Entity("formula", 2), Entity("formula", 0)}


def test_a_page_with_a_formula_that_was_drawn_otherwise_is_suspect(tmp_path):
    lost = [["formula", 0, "formula_unlike"]]
    pages = [{"text": RUSSIAN, "formulas": [[0, "x", "x"]], "lost": lost}, {"text": RUSSIAN, "lost": lost}]
    (tmp_path / "a.docx").write_bytes(document(pages=pages))
    made = [o for o in read(tmp_path) if isinstance(o, Sample) and o.task == "page"]
    assert [(one.quality.verdict, one.quality.reasons) for one in made] == [("suspect", ("formula_unlike",)), ("trusted", ())]


def test_files_that_are_none_and_those_that_end_the_child(tmp_path):
    (tmp_path / "locked.docx").write_bytes(document(error=["encrypted", "needs a password"]))
    (tmp_path / "empty.doc").write_bytes(b"")
    (tmp_path / "page.rtf").write_bytes(b"<html>")
    (tmp_path / "dies.docx").write_bytes(document(pages=[{"text": "one"}, {"text": "two"}, {"text": "three"}], die=1))
    outcomes = read(tmp_path)
    drops = [(Path(o.uri).name, o.reason, o.part) for o in outcomes if isinstance(o, Drop)]
    assert sorted(drops, key=str) == [
        ("dies.docx", "crash", Range(1, 2)),
        ("dies.docx", "crash", Range(2, -1)),
        ("empty.doc", "empty", None),
        ("locked.docx", "encrypted", None),
        ("page.rtf", "other_format", None),
    ]
    assert [o.text for o in outcomes if isinstance(o, Sample)] == ["one"]


def test_a_dataset_is_made_once_and_two_copies_have_keys_of_their_own(folder, tmp_path):
    out = tmp_path / "out"
    assert run(folder, out) == 0
    samples = dataset_samples(Folder(f"{out}/word"))
    assert len({one.key for one in samples}) == len(samples) == 12
    assert sum(len(r.drops) for r in read_reports(Folder(f"{out}/word"))) == 4
    check_corpus(out, name="word")
    before = files(out)
    assert run(folder, out) == 0
    assert files(out) == before


def test_a_training_draws_pages_tables_and_formulas(folder, tmp_path):
    out = tmp_path / "out"
    (folder / "copy.docx").unlink()
    assert run(folder, out) == 0
    datasets = open_ours(Folder(str(out)), ["word"])
    assert [dataset.name for dataset in datasets] == ["word", "word table", "word formula"]
    columns = [dataset.columns(byte_tokenizer()) for dataset in datasets]
    # The second page says what the first one does: it is marked, and what was cut out of it is left out with it.
    assert [len(of_task.width_N) for of_task in columns] == [1, 1, 2]
    assert all("bad_record" not in of_task.skipped for of_task in columns)


def test_a_document_is_forgotten_with_its_tables_and_formulas(folder, tmp_path):
    out = tmp_path / "out"
    run(folder, out)
    assert cli(["forget", "--out", str(out), "--uri", str(folder / "a.docx")]) == 0
    left = dataset_samples(Folder(f"{out}/word"))
    assert len(left) == 6 and {Path(one.origin.uri).name for one in left} == {"copy.docx"}
    assert "a.docx" not in (out / "word/drops.jsonl").read_text()


def test_what_its_page_lost_isnt_read_again_beside_what_the_page_gave(folder, tmp_path, capsys):
    out = tmp_path / "out"
    run(folder, out)
    before = files(out / "word")
    assert cli(["retry", "--out", str(out), "--reason", "formula_not_converted"]) == 2
    assert "gave samples, too" in capsys.readouterr().err
    assert files(out / "word") == before
