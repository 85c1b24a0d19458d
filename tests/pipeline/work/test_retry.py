"""What dropped for a reason is read again, and nothing else."""

import json
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from datagen.coarse.answers import PageContent
from datagen.coarse.source import TEXT_LAYER, PageFunction
from datagen.disk.shards import read_report, read_reports
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.record import Drop, Origin, Range, SampleError
from datagen.work import dataset, retry
from datagen.work.pipeline import DOCUMENT, Pipeline, Stage, run_shard
from datagen.work.runner import InProcess
from recipes.__main__ import main
from recipes.run.execute import Place, run
from recipes.verbs.status import status, verify
from tests.inputs import pdfs
from tests.inputs.samples import sample
from tests.outputs import check_corpus, files, make_small, recipe, samples, shards

pytestmark = pytest.mark.usefixtures("small_recipe")


def again(out, reason: str, *words: str) -> int:
    return main(["retry", str(out), "--on", "inline", "--reason", reason, *words])


def drops(out) -> Counter:
    return Counter(json.loads(line)["reason"] for line in (out / "coarse/drops.jsonl").read_text().splitlines())


@pytest.fixture
def lacking(corpus, tmp_path):
    """An output that lacks a file that wasn't there and one that needs a password."""
    (corpus / "late.pdf").symlink_to(tmp_path / "late.pdf")
    pdfs.encrypted(corpus / "locked.pdf")
    out = tmp_path / "out"
    assert make_small(corpus, out) == 0
    assert drops(out) == {"not_found": 1, "encrypted": 1}
    return out


def test_what_drops_again_is_told_once_and_read_when_it_is_there_and_nothing_new_with_it(lacking, corpus, tmp_path):
    before = shards(lacking)
    for _ in range(2):
        assert again(lacking, "not_found") == 0
        assert drops(lacking) == {"not_found": 1, "encrypted": 1}
    pdfs.write(tmp_path / "late.pdf", pdfs.LATIN, pdfs.LATIN)
    pdfs.write(corpus / "brand-new.pdf", pdfs.LATIN)
    assert again(lacking, "not_found") == 0
    assert before.items() < shards(lacking).items()
    assert len(samples(lacking)) == 9 + 2
    assert drops(lacking) == {"encrypted": 1}
    assert "dropped 1 encrypted" in status(str(lacking)) and "not_found" not in status(str(lacking))
    reports = read_reports(Folder(f"{lacking}/coarse"))
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (6, 1)
    assert verify(str(lacking))[1]
    check_corpus(lacking, "--datasets")
    assert make_small(corpus, lacking) == 0
    assert len(samples(lacking)) == 9 + 2 + 1
    state = files(lacking)
    assert make_small(corpus, lacking) == 0  # a run has nothing to add
    assert files(lacking) == state


def test_an_archive_that_was_repaired_is_not_called_broken_for_ever(corpus, tmp_path):
    out, path = tmp_path / "out", corpus / "a.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(300))
    assert make_small(corpus, out) == 0
    assert again(out, "broken_archive") == 0
    assert drops(out) == {"broken_archive": 1}
    with zipfile.ZipFile(path, "w") as made:
        made.write(pdfs.write(tmp_path / "x.pdf", pdfs.LATIN), "x.pdf")
    assert again(out, "broken_archive") == 0
    assert drops(out) == {"repaired_archive": 1}
    assert [s.origin.uri for s in samples(out) if "::" in s.origin.uri] == [f"zip://x.pdf::{path}"]


def test_passwords_open_what_was_encrypted_and_are_written_nowhere(lacking, tmp_path):
    words = tmp_path / "passwords.txt"
    words.write_text("wrong\nsecret\n")
    assert again(lacking, "encrypted", "--passwords", str(words)) == 0
    assert drops(lacking) == {"not_found": 1}
    (page,) = (s for s in samples(lacking) if s.origin.uri.endswith("locked.pdf"))
    assert page.text and pdfs.LATIN.startswith(page.text)
    assert not [p for p in lacking.rglob("*") if p.is_file() and b"secret" in p.read_bytes()]


def test_passwords_can_be_given_from_the_start(corpus, tmp_path, capsys):
    pdfs.encrypted(corpus / "locked.pdf")
    (tmp_path / "words").write_text("secret")
    assert make_small(corpus, tmp_path / "out", "--passwords", str(tmp_path / "words")) == 0
    assert len(samples(tmp_path / "out")) == 10
    assert make_small(corpus, tmp_path / "out", "--passwords", str(tmp_path / "words"), "--plan") == 0
    assert "secret" not in capsys.readouterr().out
    assert make_small(corpus, tmp_path / "out") == 0  # another list of them is no other recipe
    assert make_small(corpus, tmp_path / "out", "--passwords", "/nowhere") == 2


def test_a_reason_for_which_nothing_dropped_and_an_unknown_recipe_change_nothing(lacking, capsys):
    before = files(lacking)
    for reason, message in (("", "1 not_found"), ("timeout", "dropped are: 1 ")):
        assert again(lacking, reason) == 2
        assert message in capsys.readouterr().err
    assert files(lacking) == before
    (lacking / "recipe.json").unlink()
    assert again(lacking, "not_found") == 2
    assert "run its recipe again first" in capsys.readouterr().err


def refuse_for_now(view):
    """A page function that refuses pages that say SOMETIMES or OTHERWISE, until a file beside the document says that it may
    not."""
    text = view.page.get_text()
    if not Path(view.page.parent.name).with_suffix(".good").exists():
        for word, reason in (("SOMETIMES", "not_today"), ("OTHERWISE", "not_ever")):
            if word in text:
                raise SampleError(reason)
    return PageContent()


FLAKY = (TEXT_LAYER, PageFunction("tests.pipeline.work.test_retry:refuse_for_now"))


def test_single_pages_are_read_again_and_their_neighbours_are_not(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    texts = [pdfs.lines(f"{'SOMETIMES' if n in (0, 3, 4, 7) else 'always'} {n} {pdfs.LATIN}") for n in range(9)]
    pdfs.write(inputs / "a.pdf", *texts)
    pdfs.write(inputs / "b.pdf", pdfs.LATIN)
    made = recipe(inputs, page_functions=FLAKY)
    assert run(made, Place(str(out), "inline")) == 0
    before = shards(out)
    assert drops(out) == {"not_today": 4}
    inputs.joinpath("a.good").touch()
    folder, pages = Folder(f"{out}/coarse"), made.steps[0]
    assert retry.retry(pages, folder, pages.census.items(), "not_today") == 4
    assert run(made, Place(str(out), "inline")) == 0
    assert before.items() < shards(out).items()
    assert drops(out) == {}
    assert sorted(s.origin.page for s in samples(out) if s.origin.uri.endswith("a.pdf")) == list(range(9))
    assert len({s.key for s in samples(out)}) == 10
    reports = read_reports(folder)
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (2, 0)
    check_corpus(out)


@pytest.mark.parametrize("num_mended", [3, 1, 0])
def test_documents_whose_every_page_dropped_count_as_what_they_give_now(tmp_path, num_mended):
    inputs, out = tmp_path / "in", tmp_path / "out"
    for n in range(3):
        pdfs.write(inputs / f"{n}.pdf", *[pdfs.lines(f"SOMETIMES {n} {p} {pdfs.LATIN}") for p in range(2)])
    made = recipe(inputs, page_functions=FLAKY)
    assert run(made, Place(str(out), "inline")) == 3
    for n in range(num_mended):
        (inputs / f"{n}.good").touch()
    folder, pages = Folder(f"{out}/coarse"), made.steps[0]
    assert retry.retry(pages, folder, pages.census.items(), "not_today") == 6
    assert run(made, Place(str(out), "inline")) == (0 if num_mended == 3 else 3)
    reports = read_reports(folder)
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (3, 3 - num_mended)
    assert len(samples(out)) == 2 * num_mended
    assert sum(drops(out).values()) == 6 - 2 * num_mended


def test_a_document_that_dropped_for_two_reasons_is_barren_until_both_are_mended(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    pdfs.write(inputs / "a.pdf", f"SOMETIMES {pdfs.LATIN}", f"OTHERWISE {pdfs.LATIN}")
    made = recipe(inputs, page_functions=FLAKY)
    assert run(made, Place(str(out), "inline")) == 3
    (inputs / "a.good").touch()
    folder, pages = Folder(f"{out}/coarse"), made.steps[0]
    for reason, code, read in (("not_today", 3, [0]), ("not_ever", 0, [0, 1])):
        assert retry.retry(pages, folder, pages.census.items(), reason) == 1
        assert run(made, Place(str(out), "inline")) == code
        assert sorted(s.origin.page for s in samples(out)) == read
    assert drops(out) == {}
    check_corpus(out)


def test_a_page_of_a_file_that_changed_is_not_mixed_with_the_others(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    pdfs.write(inputs / "a.pdf", f"SOMETIMES {pdfs.LATIN}", pdfs.LATIN)
    made = recipe(inputs, page_functions=FLAKY)
    assert run(made, Place(str(out), "inline")) == 0
    pdfs.write(inputs / "a.pdf", pdfs.LATIN, pdfs.LATIN, pdfs.LATIN)
    before = files(out)
    with pytest.raises(ValueError, match="has changed since its other parts were read"):
        retry.retry(made.steps[0], Folder(f"{out}/coarse"), made.steps[0].census.items(), "not_today")
    assert files(out) == before


def test_a_file_that_goes_away_between_its_shards_is_a_drop_a_part_and_each_is_read_again(tmp_path):
    inputs, out, away = tmp_path / "in", tmp_path / "out", tmp_path / "away.pdf"
    pdfs.write(inputs / "a.pdf", *[pdfs.lines(f"Page {n}. {pdfs.LATIN}") for n in range(8)])
    made = recipe(inputs)
    deep = replace(made, steps=(replace(made.steps[0], deep=True), *made.steps[1:]))
    folder, pages = Folder(f"{out}/coarse"), deep.steps[0]
    todo = dataset.plan(pages, folder, pages.census.items(), InProcess(), commit=True)
    assert [(d.first, d.stop) for task in todo.todo() for d in task.inputs] == [(0, 3), (3, 6), (6, -1)]
    run_shard(next(todo.todo()))
    (inputs / "a.pdf").rename(away)
    todo = dataset.plan(pages, folder, [], InProcess(), commit=True)
    dataset.build(pages, folder, todo, InProcess(), {})
    reports = read_reports(folder)
    assert [len(r.drops) for r in reports] == [0, 1, 1]
    assert drops(out) == {"not_found": 2}
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (1, 0)
    before = shards(out)
    away.rename(inputs / "a.pdf")
    assert retry.retry(pages, folder, pages.census.items(), "not_found") == 2
    assert run(deep, Place(str(out), "inline")) == 0
    assert before.items() < shards(out).items()
    assert drops(out) == {}
    assert [s.origin.page for s in samples(out)] == list(range(8))
    reports = read_reports(folder)
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (1, 0)
    check_corpus(out)


def test_the_drop_of_one_part_says_nothing_of_another(tmp_path):
    """A part that dropped for another reason stays told of."""
    parts = [Item("a.pdf", first=n, stop=n + 2) for n in (0, 2, 4)]
    drops = [Drop("", "a.pdf", item.part, "PdfSource", "timeout") for item in parts]
    again = [[retry._is_read_again(drop, read, (item,)) for drop, read in zip(drops, parts, strict=True)] for item in parts]
    assert again == [[True, False, False], [False, True, False], [False, False, True]]


def test_a_shard_made_again_leaves_to_later_ones_what_they_read(tmp_path):
    """Single pages, a whole document, and one whose page dropped again."""
    inputs, out = tmp_path / "in", tmp_path / "out"
    texts = [pdfs.lines(f"{'SOMETIMES' if n in (1, 2) else 'always'} {n} {pdfs.LATIN}") for n in range(4)]
    pdfs.write(inputs / "a.pdf", *texts)
    pdfs.write(inputs / "b.pdf", pdfs.lines(f"SOMETIMES {pdfs.LATIN}"))
    pdfs.write(inputs / "c.pdf", *texts[1:])
    (inputs / "late.pdf").symlink_to(tmp_path / "late.pdf")
    made = recipe(inputs, shard_pages=99, few_pages=0, page_functions=FLAKY)
    assert run(made, Place(str(out), "inline")) == 0
    (first,) = shards(out)
    for name in "ab":
        (inputs / f"{name}.good").touch()
    pdfs.write(tmp_path / "late.pdf", pdfs.lines(pdfs.LATIN))
    folder, pages = Folder(f"{out}/coarse"), made.steps[0]
    assert retry.retry(pages, folder, pages.census.items(), "not_today") == 5
    assert retry.retry(pages, folder, pages.census.items(), "not_found") == 1
    assert run(made, Place(str(out), "inline")) == 0
    before, told = shards(out), drops(out)
    reports = [(r.num_documents, r.num_barren, r.drops) for r in read_reports(folder)]
    assert told == {"not_today": 2}
    (out / "coarse/shards" / first).unlink()
    for name in "abc":  # were a page read here, it would be no drop any more
        (inputs / f"{name}.good").touch()
    assert run(made, Place(str(out), "inline")) == 0
    assert shards(out) == before
    assert drops(out) == told
    assert [(r.num_documents, r.num_barren, r.drops) for r in read_reports(folder)] == reports
    assert verify(str(out))[1]


def test_what_later_parts_do_not_reach_is_told_where_it_was():
    """A shard made again comes to other pages before it gives up."""
    document, tail = Item("a.pdf"), Item("a.pdf", first=3, again=True)

    @dataclass(frozen=True)
    class GivesUp:
        num_pages: int

        def read(self, document):
            yield from (sample(f"{n}", origin=Origin("a.pdf", "ab" * 32, n)) for n in range(self.num_pages))
            yield Drop("", "a.pdf", Range(self.num_pages), "GivesUp", "timeout")

    for num_pages, kept in ((3, ["0", "1", "2"]), (4, ["0", "1", "2"]), (2, ["0", "1", ""])):
        pipeline = Pipeline("test", Listing(""), GivesUp(num_pages), ())
        assert [item.key for item in pipeline.process((document,), [], later=(tail,))] == kept


def test_a_key_in_two_shards_is_a_fault(lacking):
    left, copy = (lacking / "coarse/shards" / f"coarse-{n:06d}" for n in (0, 9))
    for suffix in (".tar", ".json"):
        shutil.copy(left.with_suffix(suffix), copy.with_suffix(suffix))
    shutil.copy(lacking / "coarse/manifest/coarse-000000.parquet", lacking / "coarse/manifest/coarse-000009.parquet")
    report = read_report(Folder(f"{lacking}/coarse"), "coarse-000009")
    copy.with_suffix(".json").write_bytes(replace(report, shard="coarse-000009").to_json())
    said, clean = verify(str(lacking))
    assert not clean
    assert said.count("is in coarse-000000 and coarse-000009") == report.num_samples > 0


@dataclass(frozen=True)
class DropLast(Stage):
    """A stage that needs a document's pages together."""

    batch_size: int = DOCUMENT

    def __call__(self, batch, engines):
        yield from batch[:-1]
        yield batch[-1].drop("last", "DropLast")


def test_what_dropped_beside_other_pages_is_not_tried_alone(corpus, tmp_path):
    out, made = tmp_path / "out", recipe(corpus)
    made = replace(made, steps=(replace(made.steps[0], stages=(DropLast(),)),))
    run(made, Place(str(out), "inline"))
    before, pages = files(out), made.steps[0]
    with pytest.raises(ValueError, match=r"DropLast compares a document's pages, .* overwrite=1"):
        retry.retry(pages, Folder(f"{out}/coarse"), pages.census.items(), "last")
    assert files(out) == before
