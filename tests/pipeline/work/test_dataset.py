"""A dataset over its life: made, made again, grown, damaged, refused."""

import json
import shutil
from dataclasses import replace

import datasets
import pytest

from datagen.coarse.answers import PageContent
from datagen.coarse.source import TEXT_LAYER, PageFunction, PdfSource
from datagen.disk.shards import read_report, read_reports
from datagen.disk.storage import Folder
from datagen.inputs.items import Item
from datagen.work import dataset
from datagen.work.assignment import assigned
from datagen.work.dataset import MEASURED, clear, lock, summarise
from datagen.work.needs import A_CORE
from datagen.work.runner import InProcess
from recipes.run.execute import Place, plan, run
from recipes.steps import pipeline as steps_pipeline
from recipes.verbs.status import status, verify
from tests.inputs import pdfs
from tests.outputs import check_corpus, files, make, make_small, recipe, samples, shards


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """The folder `corpus`, for reading alone."""
    return pdfs.write_corpus(tmp_path_factory.mktemp("documents") / "in")


@pytest.fixture(scope="module")
def made(documents):
    """What comes of them, for reading alone."""
    out = documents.parent / "out"
    assert make(documents, out) == 0
    return out


@pytest.fixture
def out(made, tmp_path):
    """A copy of it, to run in."""
    return shutil.copytree(made, tmp_path / "out")


def test_a_corpus_keeps_the_contract_with_a_blank_unlicensed_page_first(out):
    first = samples(out)[0]
    assert (first.text, first.regions, first.origin.licence, first.quality.verdict) == ("", (), "", "none")
    assert first.quality.reasons == ("blank",)
    assert len(samples(out)) == 9
    check_corpus(out, "--datasets")


def test_a_first_shard_without_a_sample_is_an_empty_tar(tmp_path):
    for i in range(3):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"a{i}.pdf").write_bytes(b"")
    pdfs.write(tmp_path / "in" / "good.pdf", pdfs.LATIN)
    pdfs.write(tmp_path / "in" / "better.pdf", pdfs.LATIN)
    out = tmp_path / "out"
    assert make(tmp_path / "in", out) == 3  # three of five documents gave nothing
    assert (read_report(Folder(f"{out}/coarse"), "coarse-000000") or None).num_samples == 0
    check_corpus(out, "--datasets")


def test_the_same_command_again_writes_nothing(documents, out):
    before = files(out)
    assert make(documents, out) == 0
    assert files(out) == before


def test_no_more_workers_start_than_there_are_shards(corpus, tmp_path, monkeypatch):
    asked = []

    class Sixteen(InProcess):
        def num_workers(self, needs=A_CORE):
            return 16

    def recorded(on, workers=0):
        asked.append(workers)
        return Sixteen()

    monkeypatch.setattr(steps_pipeline, "make_runner", recorded)
    assert make(corpus, tmp_path / "out", on="local") == 0
    assert asked == [0, len(read_reports(Folder(f"{tmp_path}/out/coarse")))] == [0, 3]


def test_inline_a_cluster_and_three_workers_give_the_same_bytes(documents, out, cluster, tmp_path):
    inline = shards(out)
    assert len(inline) >= 3
    for name, on, workers in (("cluster", cluster, 0), ("three", "local", 3)):
        assert make(documents, tmp_path / name, on, workers) == 0
        assert shards(tmp_path / name) == inline


def test_what_a_later_step_measured_stands_in_the_card(documents, out):
    folder = Folder(str(out / "coarse"))
    plain = folder.read("README.md").decode()
    folder.write(MEASURED, b"## What was measured\n\n17 of 20\n")
    summarise(folder, "coarse", [report.shard for report in read_reports(folder)])
    card = folder.read("README.md").decode()
    assert "17 of 20" in card and card.replace("## What was measured\n\n17 of 20\n\n", "") == plain
    make(documents, out)  # nothing new, so the card stays
    assert folder.read("README.md").decode() == card
    clear(folder)
    assert not folder.exists(MEASURED)


def test_a_new_document_makes_a_new_generation_and_old_shards_stay(corpus, tmp_path):
    out = tmp_path / "out"
    make(corpus, out)
    before = files(out / "coarse/shards")
    assert len(datasets.load_dataset(str(out / "coarse"), split="train", cache_dir=str(tmp_path / "hf"))) == 9
    pdfs.write(corpus / "a-new-one-first-by-name.pdf", pdfs.LATIN)
    make(corpus, out)
    after = files(out / "coarse/shards")
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 2
    newest = read_report(Folder(f"{out}/coarse"), f"coarse-{len(after) // 2 - 1:06d}")
    assert newest.generation == 1
    assert len(samples(out)) == 10
    # What is read is the grown corpus, and not a cached one.
    assert len(datasets.load_dataset(str(out / "coarse"), split="train", cache_dir=str(tmp_path / "hf"))) == 10
    check_corpus(out)


def test_another_recipe_is_refused_and_the_difference_named(documents, out):
    with pytest.raises(ValueError, match=r"jpeg_quality 90 -> 50.*overwrite=1"):
        make(documents, out, jpeg_quality=50)


def test_overwrite_deletes_only_what_is_ours_and_nothing_before_it_has_something_to_read(documents, out, tmp_path):
    (out / "coarse/notes.txt").write_text("mine")
    (out / "thesis.tex").write_text("mine")
    before = files(out)
    with pytest.raises(ValueError, match="no such file or folder"):
        make(tmp_path / "mistyped", out, overwrite=True)
    assert files(out) == before
    make(documents, out, overwrite=True)
    assert (out / "coarse/notes.txt").exists()
    assert (out / "thesis.tex").exists()


def test_a_kill_between_tar_and_report_or_a_lost_tar_is_mended(documents, out):
    before = shards(out)
    (out / "coarse/shards/coarse-000000.json").unlink()
    (out / "coarse/shards/coarse-000000.tar").write_bytes(b"half a tar of a killed run, swept in by hand")
    (out / "coarse/shards/coarse-000001.tar").unlink()
    assert make(documents, out) == 0
    assert shards(out) == before
    assert verify(str(out))[1]


def test_shards_that_do_not_belong_to_the_census_are_refused(corpus, tmp_path):
    """As a kill inside overwrite, or a hand, may leave them."""
    out = tmp_path / "out"
    make(corpus, out)
    shutil.rmtree(out / "coarse/census")
    (corpus / "english.pdf").unlink()
    with pytest.raises(ValueError, match="comes from another recipe or other inputs"):
        make(corpus, out)
    assert not verify(str(out / "coarse"))[1]


@pytest.mark.parametrize("name", ["run.json", "shards/coarse-000000.json"])
def test_damaged_records_are_one_clear_line(documents, out, name):
    (out / "coarse" / name).write_text("{")
    with pytest.raises(ValueError, match=r"coarse-000000\.json: not a shard's report|run\.json is damaged"):
        make(documents, out)


def test_run_json_says_what_made_it(out):
    record = json.loads((out / "coarse/run.json").read_text())
    assert record["description"]["source"]["engines"]["pymupdf"]
    assert record["runs"][0]["processor"]
    assert record["description"]["stages"][0]["engines"]["lid.176.ftz"].startswith("sha256:")
    assert record["description"]["source"]["version"] == PdfSource.version
    (run,) = record["runs"]
    assert run["step"]["source"]["seed"] == 0
    assert {"git", "python", "versions", "started", "finished", "shards", "failed"} <= set(run)


def test_a_document_in_ranges_that_cannot_be_read_is_a_drop_a_range(tmp_path):
    pdfs.encrypted(tmp_path / "in/secret.pdf")
    pdfs.write(tmp_path / "in/good.pdf", *["text"] * 4)
    rows = [{"uri": "secret.pdf", "pages": 30}, {"uri": "good.pdf", "pages": 2}, {"uri": "foo://no/such/protocol.pdf"}]
    (tmp_path / "in/list.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert make(tmp_path / "in/list.jsonl", tmp_path / "out") == 3
    drops = [json.loads(line) for line in (tmp_path / "out/coarse/drops.jsonl").read_text().splitlines()]
    assert [d["first"] for d in drops if d["reason"] == "encrypted"] == list(range(0, 30, 3))
    assert [d["reason"] for d in drops if d["reason"] != "encrypted"] == ["bad_uri"]
    reports = read_reports(Folder(f"{tmp_path}/out/coarse"))
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (3, 2)
    assert [s.origin.page for s in samples(tmp_path / "out")] == [0, 1, 2, 3]  # the list said 2, and was wrong
    check_corpus(tmp_path / "out")


def test_a_strangers_licence_is_no_markup_in_the_card(tmp_path):
    pdfs.write(tmp_path / "in/a.pdf", "text")
    (tmp_path / "in/list.jsonl").write_text(json.dumps({"uri": "a.pdf", "licence": "CC0 | 9 |\n\n# Owned <img src=x>"}))
    make(tmp_path / "in/list.jsonl", tmp_path / "out")
    card = (tmp_path / "out/coarse/README.md").read_text()
    assert "\n# Owned" not in card
    assert "<img" not in card


def test_the_sweep_takes_only_what_a_run_left(corpus, tmp_path):
    kept = [tmp_path / "out/.tmp-thesis", tmp_path / "out/coarse/shards/.tmp-mine", tmp_path / f"out/.tmp-{'0' * 32}"]
    left = tmp_path / f"out/coarse/shards/.tmp-{'0' * 32}"
    for path in (*kept, left):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "out/coarse/census").mkdir()
    make(corpus, tmp_path / "out")
    assert all(path.exists() for path in kept)
    assert not left.exists()


def test_two_runs_at_once_are_refused(corpus, tmp_path):
    with lock(Folder(str(tmp_path / "out"))), pytest.raises(ValueError, match="another run is writing"):
        make(corpus, tmp_path / "out")
    assert make(corpus, tmp_path / "out") == 0


def test_limit_grows_and_never_shrinks(corpus, tmp_path):
    counts = []
    for limit in (2, 3, 1, 0):
        pages = recipe(corpus).steps[0]
        limited = replace(recipe(corpus), steps=(replace(pages, limit=limit),))
        run(limited, Place(str(tmp_path / "out"), "inline"))
        counts.append(len({s.origin.uri for s in samples(tmp_path / "out")}))
    assert counts == [2, 3, 3, 4]


def test_deep_looks_inside_before_it_shards(corpus, tmp_path):
    pages = replace(recipe(corpus).steps[0], deep=True)
    run(replace(recipe(corpus), steps=(pages,)), Place(str(tmp_path / "out"), "inline"))
    found = {d.uri.rsplit("/", 1)[1]: d for shard in assigned(Folder(f"{tmp_path}/out/coarse")) for d in shard.inputs}
    assert (found["russian.pdf"].count, found["russian.pdf"].lang) == (3, "ru")
    assert len(found["russian.pdf"].sha256) == 64
    assert len(samples(tmp_path / "out")) == 9


def test_ranges_keep_their_order_whichever_is_probed_first(tmp_path):
    class Backwards(InProcess):
        def map(self, function, tasks, *, needs=A_CORE):
            return reversed([*super().map(function, tasks, needs=needs)])

    ranges = [Item("/gone.pdf", stop=3), Item("/gone.pdf", first=5)]
    assert list(dataset._probed(recipe(tmp_path).steps[0], ranges, Backwards())) == ranges


def test_pages_are_drawn_by_seed(tmp_path):
    pdfs.write(tmp_path / "in" / "long.pdf", *[f"Page number {i}" for i in range(30)])
    drawn = {}
    for seed in (0, 0, 1):
        make(tmp_path / "in", tmp_path / f"out{len(drawn)}{seed}", max_pages=5, seed=seed, shard_pages=99)
        pages = tuple(s.origin.page for s in samples(tmp_path / f"out{len(drawn)}{seed}"))
        assert drawn.setdefault(seed, pages) == pages
        assert len(pages) == 5
    assert drawn[0] != drawn[1]


def test_status_and_verify_say_what_is_there(corpus, tmp_path):
    out = tmp_path / "out"
    (corpus / "empty.pdf").write_bytes(b"")
    make(corpus, out)
    assert "shards done, 0 left; 9 samples" in status(str(out))
    assert "dropped 1 empty" in status(str(out))
    said, clean = verify(str(out))
    assert clean
    assert "0 faults" in said
    tar = out / "coarse/shards/coarse-000001.tar"
    tar.write_bytes(tar.read_bytes()[:-5000])
    (out / "coarse/manifest/coarse-000000.parquet").unlink()
    (out / "coarse/shards/coarse-000002.json").unlink()
    said, clean = verify(str(out))
    assert not clean
    assert "coarse-000001.tar" in said
    assert "manifest/coarse-000000.parquet" in said
    assert "coarse-000002.tar: no report commits it" in said
    assert "1 left" in status(str(out))


@pytest.mark.parametrize("damage", ["none", "tar"])
def test_a_manifest_part_that_is_lost_is_rebuilt_from_its_tar_or_made_with_it(damage, corpus, tmp_path, small_recipe):
    assert make_small(corpus, tmp_path / "out") == 0
    before = files(tmp_path / "out")
    tar, part, report = (
        f"coarse/{kind}/coarse-000000.{suffix}"
        for kind, suffix in (("shards", "tar"), ("manifest", "parquet"), ("shards", "json"))
    )
    (tmp_path / "out" / part).unlink()
    if damage == "tar":
        (tmp_path / "out" / tar).write_bytes(b"\0" * 10240)
    assert make_small(corpus, tmp_path / "out") == 0
    after = files(tmp_path / "out")
    assert (after[part][2], after[tar][2]) == (before[part][2], before[tar][2])
    assert (after[report] == before[report]) is (damage == "none")


def test_plan_runs_nothing(corpus, tmp_path):
    said = plan(recipe(corpus), Place(str(tmp_path / "out"), "inline"))
    assert "4 documents in" in said
    assert "MB" in said
    assert not (tmp_path / "out").exists()


def test_a_shard_that_fails_lets_the_others_finish(corpus, tmp_path, caplog):
    out = tmp_path / "out"
    broken = (TEXT_LAYER, PageFunction("tests.pipeline.work.test_dataset:break_on", arguments=(("word", "russian"),)))
    assert make(corpus, out, page_functions=broken) == 1
    assert "ZeroDivisionError" in caplog.text
    done = len(shards(out))
    assert done >= 2
    assert "1 shards failed" in caplog.text
    assert json.loads((out / "coarse/run.json").read_text())["runs"][-1]["failed"] == ["coarse-000001"]


def break_on(view, word):
    if word in view.page.parent.name:
        return 1 / 0
    return PageContent()


def test_an_output_of_another_schema_is_refused_in_one_sentence(tmp_path):
    """As the version before wrote it: no schema in run.json, number 1 in the reports, and other columns in the census."""
    pdfs.write(tmp_path / "in/a.pdf", pdfs.lines(pdfs.LATIN))
    out = tmp_path / "out"
    assert make(tmp_path / "in", out) == 0
    for name, old, new in (("run.json", '"schema": 3,', ""), ("shards/coarse-000000.json", '"schema": 3', '"schema": 1')):
        path = out / "coarse" / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))
    census = Folder(f"{out}/coarse/census")
    census.write_table("000000.parquet", census.read_table("000000.parquet").rename_columns({"first": "first_page"}))
    before = files(out)
    for look in (lambda: status(str(out)), lambda: verify(str(out)), lambda: make(tmp_path / "in", out)):
        with pytest.raises(ValueError, match=r"made by another version of pagewheel.*start a new output with out=…, or replace"):
            look()
    assert files(out) == before
    assert make(tmp_path / "in", out, overwrite=True) == 0
    assert len(samples(out)) == 1
