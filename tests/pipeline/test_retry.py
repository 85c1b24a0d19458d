"""What dropped for a reason is read again, and nothing else."""

import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from datagen import retry
from datagen.record import SampleError
from datagen.shards import read_reports
from datagen.sources.pdf import TEXT_LAYER, PageFunction
from datagen.sources.pdf_page import Reading
from datagen.storage import Folder
from recipes.__main__ import main
from recipes.run import Place, run
from recipes.status import status, verify
from tests import pdfs
from tests.outputs import ROOT, check_corpus, files, make, recipe, samples, shards


def coarse(folder, out, *words: str) -> int:
    return main(["coarse", "--input", str(folder), "--out", str(out), "--on", "inline", *words])


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
    assert coarse(corpus, out) == 0
    assert drops(out) == {"not_found": 1, "encrypted": 1}
    return out


def test_a_file_that_was_not_there_is_read_when_it_is(lacking, corpus, tmp_path):
    before = shards(lacking)
    pdfs.write(tmp_path / "late.pdf", pdfs.LATIN, pdfs.LATIN)
    assert again(lacking, "not_found") == 0
    assert before.items() < shards(lacking).items()
    assert len(samples(lacking)) == 9 + 2
    assert drops(lacking) == {"encrypted": 1}
    assert "dropped 1 encrypted" in status(str(lacking)) and "not_found" not in status(str(lacking))
    reports = read_reports(Folder(f"{lacking}/coarse"))
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (6, 1)
    assert verify(str(lacking))[1]
    check_corpus(lacking, "--datasets")
    state = files(lacking)
    assert coarse(corpus, lacking) == 0  # a run has nothing to add
    assert files(lacking) == state


def test_what_drops_again_is_told_once_and_can_be_tried_again(lacking, tmp_path):
    for _ in range(2):
        assert again(lacking, "not_found") == 0
        assert drops(lacking) == {"not_found": 1, "encrypted": 1}
    pdfs.write(tmp_path / "late.pdf", pdfs.LATIN)
    assert again(lacking, "not_found") == 0
    assert drops(lacking) == {"encrypted": 1}
    assert len(samples(lacking)) == 10


def test_an_archive_that_was_repaired_is_not_called_broken_for_ever(corpus, tmp_path):
    out, path = tmp_path / "out", corpus / "a.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(300))
    assert coarse(corpus, out) == 0
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
    assert coarse(corpus, tmp_path / "out", "--passwords", str(tmp_path / "words")) == 0
    assert len(samples(tmp_path / "out")) == 10
    assert coarse(corpus, tmp_path / "out", "--passwords", str(tmp_path / "words"), "--plan") == 0
    assert "secret" not in capsys.readouterr().out
    assert coarse(corpus, tmp_path / "out") == 0  # another list of them is no other recipe
    assert coarse(corpus, tmp_path / "out", "--passwords", "/nowhere") == 2


@pytest.mark.parametrize(("reason", "said"), [("", "1 not_found"), ("timeout", "dropped are: 1 ")])
def test_a_reason_for_which_nothing_dropped_changes_nothing(lacking, reason, said, capsys):
    before = files(lacking)
    assert again(lacking, reason) == 2
    assert said in capsys.readouterr().err
    assert files(lacking) == before


def test_an_output_whose_recipe_nobody_knows_is_left_alone(lacking, capsys):
    (lacking / "recipe.json").unlink()
    assert again(lacking, "not_found") == 2
    assert "run its recipe again first" in capsys.readouterr().err


def refuse_for_now(view):
    """A page function that refuses pages that say SOMETIMES, until a file beside the document says that it may not."""
    if "SOMETIMES" in view.page.get_text() and not Path(view.page.parent.name).with_suffix(".good").exists():
        raise SampleError("not_today")
    return Reading()


def test_single_pages_are_read_again_and_their_neighbours_are_not(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    texts = [pdfs.lines(f"{'SOMETIMES' if n in (0, 3, 4, 7) else 'always'} {n} {pdfs.LATIN}") for n in range(9)]
    pdfs.write(inputs / "a.pdf", *texts)
    pdfs.write(inputs / "b.pdf", pdfs.LATIN)
    flaky = (TEXT_LAYER, PageFunction("tests.pipeline.test_retry:refuse_for_now"))
    made = recipe(inputs, page_functions=flaky)
    assert run(made, Place(str(out), "inline")) == 0
    before = shards(out)
    assert drops(out) == {"not_today": 4}
    inputs.joinpath("a.good").touch()
    folder, pages = Folder(f"{out}/coarse"), made.steps[0]
    assert retry.retry(pages, folder, pages.census.documents(), "not_today") == 4
    assert run(made, Place(str(out), "inline")) == 0
    assert before.items() < shards(out).items()
    assert drops(out) == {}
    assert sorted(s.origin.page for s in samples(out) if s.origin.uri.endswith("a.pdf")) == list(range(9))
    assert len({s.key for s in samples(out)}) == 10
    reports = read_reports(folder)
    assert (sum(r.num_documents for r in reports), sum(r.num_barren for r in reports)) == (2, 0)
    check_corpus(out)


def test_a_page_of_a_file_that_changed_is_not_mixed_with_the_others(tmp_path):
    inputs, out = tmp_path / "in", tmp_path / "out"
    pdfs.write(inputs / "a.pdf", f"SOMETIMES {pdfs.LATIN}", pdfs.LATIN)
    made = recipe(inputs, page_functions=(TEXT_LAYER, PageFunction("tests.pipeline.test_retry:refuse_for_now")))
    assert run(made, Place(str(out), "inline")) == 0
    pdfs.write(inputs / "a.pdf", pdfs.LATIN, pdfs.LATIN, pdfs.LATIN)
    before = files(out)
    with pytest.raises(ValueError, match="has changed since its other pages were read"):
        retry.retry(made.steps[0], Folder(f"{out}/coarse"), made.steps[0].census.documents(), "not_today")
    assert files(out) == before


RETRY = """
import sys
from datagen import retry
from datagen.storage import Folder
from recipes.run import Place, run
from tests.outputs import recipe
made = recipe(sys.argv[1], shard_pages=1)
(pages, _), folder = made.steps, Folder(sys.argv[2] + "/coarse")
retry.retry(pages, folder, pages.census.documents(), "not_found")
sys.exit(run(made, Place(sys.argv[2], "inline")))
"""


@pytest.mark.parametrize("num_shards", [0, 2])
def test_killed_at_it_the_recipe_goes_on(tmp_path, num_shards):
    inputs, out, undisturbed = tmp_path / "in", tmp_path / "out", tmp_path / "undisturbed"
    inputs.mkdir()
    for i in range(6):
        (inputs / f"{i}.pdf").symlink_to(tmp_path / f"late-{i}.pdf")
    pdfs.write(inputs / "there.pdf", pdfs.LATIN)
    assert make(inputs, out, shard_pages=1) == 3  # more than half of the documents gave nothing
    shutil.copytree(out, undisturbed)
    for i in range(6):
        pdfs.write(tmp_path / f"late-{i}.pdf", *[pdfs.lines(f"Document {i}, page {p}. {pdfs.LATIN}") for p in range(20)])
    commands = [[sys.executable, "-c", RETRY, str(inputs), str(folder)] for folder in (undisturbed, out)]
    assert subprocess.run(commands[0], cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0
    before = len(shards(out))
    retrying = subprocess.Popen(commands[1], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and retrying.poll() is None:
        if len(list((out / "coarse/census").glob("0*.parquet"))) > 1 and len(shards(out)) >= before + num_shards:
            break
        time.sleep(0.002)
    retrying.kill()
    assert retrying.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert len(shards(out)) < len(shards(undisturbed))
    assert make(inputs, out, shard_pages=1) == 0
    assert shards(out) == shards(undisturbed)
    assert drops(out) == {}
    check_corpus(out)
