"""A source is taken out of everything, stays out whatever runs later, and is taken out whole by whoever comes after a kill."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest

from datagen.disk import marks
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work import tombstones
from datagen.work.tombstones import Tombstone
from model.train.step import Train
from recipes.__main__ import main
from recipes.run import recipe_json
from recipes.verbs.forget import forget
from recipes.verbs.status import status, verify
from tests.inputs import pdfs
from tests.outputs import check_corpus, dataset_samples, files, make, make_small, samples, shards

pytestmark = pytest.mark.usefixtures("small_recipe")


def sha256_of(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def traces(out, word: bytes) -> set[str]:
    """The files of an output that hold `word`, but for the census, which says what was read, and the tombstones."""
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and word in p.read_bytes()}
    return {name for name in found if "census" not in name and name != tombstones.NAME}


@pytest.fixture
def made(corpus, tmp_path):
    """The nine pages, and one that drops."""
    pdfs.truncated(corpus / "russian-too.pdf")
    assert make_small(corpus, tmp_path / "out") == 0
    return tmp_path / "out"


def test_a_source_goes_from_shards_manifest_drops_card_and_report(made, corpus):
    """So does one that gave nothing, and the tar of an interrupted run, which may hold the source: no report commits it."""
    assert traces(made, b"russian-too.pdf") != set()
    assert "0 samples" in forget(str(made), uri=str(corpus / "russian-too.pdf"))[0]
    assert traces(made, b"russian-too.pdf") == set()
    left = made / "coarse/shards/coarse-000007.tar"
    shutil.copy(next((made / "coarse/shards").glob("*.tar")), left)
    uri = str(corpus / "russian.pdf")
    message, done = forget(str(made), uri=uri)
    assert not left.exists()
    assert done and "3 samples taken out" in message
    assert len(samples(made)) == 6
    assert {s.origin.uri for s in samples(made)} == {str(corpus / n) for n in ("a-blank.pdf", "english.pdf", "sub/chinese.pdf")}
    assert traces(made, b"russian.pdf") == set()
    assert "Страница" not in (made / "report/index.html").read_text()
    assert (made / "report/index.html").exists()
    check_corpus(made, "--datasets")
    assert verify(str(made))[1]
    assert f"forgotten: uri={uri}" in status(str(made))


def test_what_stays_is_what_a_run_that_never_saw_it_makes(corpus, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    make(corpus, out)
    forget(str(out), uri=str(corpus / "english.pdf"))
    other.mkdir()
    tombstones.write(Folder(str(other)), [Tombstone(uri=str(corpus / "english.pdf"), done=True)])
    make(corpus, other)
    kept = [s.to_json() for s in samples(out)]
    assert kept == [s.to_json() for s in samples(other)]
    assert all(b"english" not in data for data in kept)


def test_no_later_run_brings_it_back(made, corpus, tmp_path):
    forget(str(made), uri=str(corpus / "russian.pdf"))
    forget(str(made), sha256=sha256_of(corpus / "english.pdf"))
    before = files(made)
    assert make_small(corpus, made) == 0
    assert files(made) == before
    for shard in shards(made):
        (made / "coarse/shards" / shard).unlink()  # the shards are made again, of what is left
    assert make_small(corpus, made) == 0
    assert len(samples(made)) == 2
    shutil.copy(corpus / "english.pdf", corpus / "copy.pdf")  # its content, under a name that nobody forgot
    pdfs.write(corpus / "new.pdf", pdfs.LATIN)
    assert make_small(corpus, made) == 0
    assert sorted(s.origin.uri.rpartition("/")[2] for s in samples(made)) == ["a-blank.pdf", "chinese.pdf", "new.pdf"]
    assert make_small(corpus, made, "--overwrite") == 0
    assert sorted(s.origin.uri.rpartition("/")[2] for s in samples(made)) == ["a-blank.pdf", "chinese.pdf", "new.pdf"]


@pytest.mark.parametrize("limit", [[], ["--limit", "5"]])
def test_where_a_content_is_forgotten_another_file_may_come(made, corpus, limit):
    """A redacted one, say; the shards that were made before know the path."""
    english, before = corpus / "english.pdf", samples(made)
    forget(str(made), sha256=sha256_of(english))
    state = files(made)
    assert make_small(corpus, made, *limit) == 0
    if not limit:  # which recipe.json remembers
        assert files(made) == state
    pdfs.write(english, pdfs.lines(f"Redacted. {pdfs.LATIN}"))
    assert make_small(corpus, made, *limit) == 0
    (page,) = (s for s in samples(made) if s.origin.uri == str(english))
    assert page.text.startswith("Redacted.")
    assert len(samples(made)) == len(before) - 4 + 1
    (made / "coarse/shards/coarse-000000.tar").unlink()  # made again, it leaves the file to the shard that read it
    state = shards(made)
    assert make_small(corpus, made, *limit) == 0
    assert state.items() < shards(made).items() and len(samples(made)) == len(before) - 4 + 1
    assert verify(str(made))[1]
    pdfs.write(corpus / "russian.pdf", pdfs.LATIN)
    assert make_small(corpus, made, *limit) == 2


@pytest.mark.slow
def test_what_tells_of_no_page_goes_with_the_pages_beside_it(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    pdfs.write(inputs / "a.pdf", *[pdfs.lines(f"Page {p}. {pdfs.LATIN}") for p in range(3)])
    assert make(inputs, out, max_document_s=1e-9) == 0  # gives up after a page
    assert [(d.key, d.reason) for r in read_reports(Folder(f"{out}/coarse")) for d in r.drops] == [("", "timeout")]
    forget(str(out), sha256=sha256_of(inputs / "a.pdf"))
    assert traces(out, b"a.pdf") == set()
    (tar,) = (out / "coarse/shards").glob("*.tar")
    tar.unlink()
    assert make(inputs, out, max_document_s=1e-9) == 0
    assert traces(out, b"a.pdf") == set()


def test_copies_are_told_of_and_go_by_their_content(corpus, tmp_path):
    shutil.copy(corpus / "english.pdf", corpus / "sub" / "copy.pdf")
    out, digest = tmp_path / "out", sha256_of(corpus / "english.pdf")
    make(corpus, out)
    message, _ = forget(str(out), uri=str(corpus / "english.pdf"))
    assert f"stays under {corpus / 'sub' / 'copy.pdf'}" in message and f"sha256={digest}" in message
    assert "4 samples" in forget(str(out), sha256=digest)[0]
    assert not [s for s in samples(out) if s.origin.sha256 == digest]


def test_a_table_is_forgotten_whole_by_one_entry_and_a_row_by_its_own_content(tmp_path, capsys):
    table, other, out = tmp_path / "in/rows.jsonl", tmp_path / "in/other.jsonl", tmp_path / "out"
    table.parent.mkdir()
    rows = [f"The harbour wakes before the sun does, on day {n} as on any other day." for n in range(3)]
    for path, some in ((table, rows), (other, [rows[2].upper()])):
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in some))
    again = ["texts", "--input", str(table.parent), "--filters", "none", "--out", str(out), "--on", "inline"]

    def pages() -> list[tuple[str, int]]:
        return [(s.origin.uri.rpartition("/")[2], s.origin.page) for s in dataset_samples(Folder(f"{out}/texts"))]

    assert main(again) == 0 and len(pages()) == 4
    assert main(["forget", str(out), "--sha256", sha256_of(table)]) == 2
    assert "uri=… forgets the whole file" in capsys.readouterr().err
    assert main(["forget", str(out), "--sha256", hashlib.sha256(rows[1].encode()).hexdigest()]) == 0
    assert pages() == [("other.jsonl", 0), ("rows.jsonl", 0), ("rows.jsonl", 2)]
    assert main(["forget", str(out), "--uri", str(table)]) == 0
    assert [len(request.sources) for request in tombstones.read(Folder(str(out)))] == [1, 1]
    assert traces(out, b"rows.jsonl") == set()
    assert main([*again, "--overwrite"]) == 0 and pages() == [("other.jsonl", 0)]


def test_a_wrong_word_changes_nothing(made, capsys):
    before = files(made)
    for words, said in (
        ([], "one of uri=… and sha256=…"),
        (["--uri", "a", "--sha256", "b"], "one of uri=… and sha256=…"),
        (["--sha256", "123"], "64 digits in hex"),
        (["--sha256", "0" * 64], "nothing in"),
        (["--uri", "rusian.pdf"], "the nearest is"),
    ):
        assert main(["forget", str(made), *words]) == 2
        assert said in capsys.readouterr().err
    assert main(["forget", str(made / "coarse"), "--uri", "english.pdf"]) == 2
    assert "name the output folder" in capsys.readouterr().err
    assert files(made) == before


@pytest.mark.parametrize("damage", ["no recipe", "damaged recipe", "no benchmark"])
def test_marks_stay_where_they_cannot_be_made_anew_and_the_next_run_makes_them(corpus, tmp_path, capsys, damage):
    benchmark, out = tmp_path / "benchmark", tmp_path / "out"
    pdfs.write(benchmark / "page.pdf", pdfs.lines(f"Page 2. {pdfs.LATIN}"))
    assert make_small(corpus, out, "--benchmarks", str(benchmark)) == 0
    excluded = marks.excluded(Folder(f"{out}/coarse"))
    assert excluded
    if damage == "no recipe":
        (out / "recipe.json").unlink()
    elif damage == "damaged recipe":
        (out / "recipe.json").write_text("{")
    else:
        benchmark.rename(tmp_path / "elsewhere")
    capsys.readouterr()
    assert main(["forget", str(out), "--uri", str(corpus / "russian.pdf")]) == 1
    said = capsys.readouterr().out
    assert "not finished: " in said
    if damage == "no recipe":
        assert "until its recipe runs again" in said and not (out / "report/index.html").exists()
    assert traces(out, b"russian.pdf") <= {"report/index.html"} - ({"report/index.html"} if damage != "no benchmark" else set())
    assert excluded <= marks.excluded(Folder(f"{out}/coarse"))
    assert not tombstones.read(Folder(str(out)))[0].done
    if damage == "no benchmark":
        (tmp_path / "elsewhere").rename(benchmark)
    assert make_small(corpus, out, "--benchmarks", str(benchmark)) == 0
    assert tombstones.read(Folder(str(out)))[0].done
    left = {s.key for s in samples(out)}
    assert marks.excluded(Folder(f"{out}/coarse")) == excluded & left


def test_what_no_step_of_the_recipe_made_is_named_and_keeps_the_request_open(made, corpus):
    (made / "old").mkdir()
    (made / "old/run.json").write_text("{}")
    message, done = forget(str(made), uri=str(corpus / "english.pdf"))
    assert not done and "old: no step of small makes it" in message
    (made / "old/run.json").unlink()
    message, done = forget(str(made), uri=str(corpus / "russian.pdf"))
    assert done and all(t.done for t in tombstones.read(Folder(str(made))))


def test_damaged_tombstones_stop_everything(made, corpus):
    (made / tombstones.NAME).write_text('{"uri": "a"}\n')
    assert make_small(corpus, made) == 2


def names(out) -> list[str]:
    return [r.shard for r in read_reports(Folder(f"{out}/coarse"))]


def test_the_readback_of_a_training_loses_it(made, corpus):
    """Of a model that is whole, what it read stays but for the source; one that isn't whole begins again."""
    keys = {s.origin.uri.rpartition("/")[2]: s.key for s in samples(made)}
    coarse = recipe_json.again(Folder(str(made)))
    trains = (Train(("coarse",), name="first"), Train(("coarse",), name="second"), Train(("coarse",), name="begun"))
    run_json = {"step": {"held_out_share": 1e-9}, "folders": ["coarse"], "shards": dict.fromkeys(names(made), "")}
    for train in trains:
        folder = made / train.name
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(run_json))
        if train.name != "begun":
            rows = [{"key": keys[n], "truth": n} for n in ("russian.pdf", "english.pdf")]
            (folder / "readback.json").write_text(json.dumps(rows))
            (folder / "metrics.json").write_text("{}")
    (made / "report/index.html").unlink()  # there is no whole training to show
    _, done = forget(str(made), uri=str(corpus / "russian.pdf"), recipe=replace(coarse, steps=(*coarse.steps, *trains)))
    assert done
    for name in ("first", "second"):
        assert [row["truth"] for row in json.loads((made / name / "readback.json").read_text())] == ["english.pdf"]
    assert not (made / "begun/run.json").exists()
    (tombstone,) = tombstones.read(Folder(str(made)))
    assert tombstone.trained == ("first/model", "second/model")
