"""Ended before any one of the files that it commits or deletes, and gone on with: a run ends as one that nobody disturbed.

Real kills, which also end a write half-way and leave children, are in test_kill.py.
"""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from datagen.disk.storage import Folder
from datagen.work import tombstones
from datagen.work.retry import retry
from recipes.recipe import Recipe
from recipes.run.execute import Place, run
from recipes.verbs.forget import forget
from recipes.verbs.status import verify
from tests.commits import at_every_commit
from tests.inputs import pdfs
from tests.outputs import check_corpus, recipe, samples


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Three documents of a page each in English, the second again under another name, and one that drops."""
    folder = tmp_path_factory.mktemp("commits") / "in"
    for name in "abc":
        pdfs.write(folder / f"{name}.pdf", pdfs.lines(f"Document {name}. {pdfs.LATIN}"))
    shutil.copy(folder / "b.pdf", folder / "d.pdf")
    pdfs.encrypted(folder / "locked.pdf")
    return folder


def dataset(inputs) -> Recipe:
    """Small shards, and no report, which has one commit point and takes as long as the rest."""
    made = recipe(inputs, shard_pages=2)
    return replace(made, steps=made.steps[:1])


def make(inputs, out, overwrite: bool = False) -> int:
    return run(dataset(inputs), Place(str(out), "inline", overwrite=overwrite))


def state(out) -> dict[str, str]:
    """What a run leaves of a corpus: all of its files but those that say when and how often it ran."""
    files = [p for p in sorted((out / "coarse").rglob("*")) if p.is_file() and p.name not in ("run.json", "progress.json")]
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files if p.suffix != ".json"}


def check_finished(out: Path, whole: Path, name: str) -> None:
    """A run that was ended at the commit `name` and gone on with is as `whole`."""
    assert state(out) == state(whole), name
    assert verify(str(out))[1], name
    shutil.rmtree(out)


@pytest.mark.slow
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_goes_on_from_any_commit(inputs, tmp_path, overwrite):
    whole = tmp_path / "whole"
    assert make(inputs, whole) == 0

    def end(number: int) -> None:
        out = tmp_path / f"out{number}"
        if overwrite:
            shutil.copytree(whole, out)
        make(inputs, out, overwrite=overwrite)

    def goes_on(number: int, name: str) -> None:
        out = tmp_path / f"out{number}"
        assert make(inputs, out, overwrite=overwrite) == 0, name
        check_finished(out, whole, name)

    names = at_every_commit(end, goes_on)
    assert {"shards/coarse-000001.tar", "shards/coarse-000001.json", "drops.jsonl", "README.md", "run.json"} <= set(names)


@pytest.mark.slow
def test_a_source_that_is_being_forgotten_goes_whatever_the_moment(inputs, tmp_path):
    made, whole = tmp_path / "made", tmp_path / "whole"
    make(inputs, made)
    digest = hashlib.sha256((inputs / "b.pdf").read_bytes()).hexdigest()
    shutil.copytree(made, whole)
    forget(str(whole), sha256=digest, recipe=dataset(inputs))
    make(inputs, whole)

    def end(number: int) -> None:
        forget(str(shutil.copytree(made, tmp_path / f"out{number}")), sha256=digest, recipe=dataset(inputs))

    def is_finished(number: int, name: str) -> None:
        out = tmp_path / f"out{number}"
        assert make(inputs, out) == 0, name
        if number:
            assert digest not in {s.origin.sha256 for s in samples(out)}, name
            assert all(t.done for t in tombstones.read(Folder(str(out)))), name
        check_finished(out, whole if number else made, name)  # at first nobody knows yet that anything was to be forgotten

    names = at_every_commit(end, is_finished)
    assert names[0] == tombstones.NAME
    assert {name.split("/")[0] for name in names} >= {"shards", "manifest"}
    check_corpus(whole)


@pytest.mark.slow
def test_a_retry_that_was_ended_is_gone_on_with_by_the_recipe(tmp_path):
    """What dropped is read once, and no drop is lost."""
    inputs, before, whole = tmp_path / "in", tmp_path / "before", tmp_path / "whole"
    inputs.mkdir()
    for name in "abc":
        (inputs / f"{name}.pdf").symlink_to(tmp_path / f"late-{name}.pdf")
    pdfs.write(inputs / "there.pdf", pdfs.LATIN)
    assert make(inputs, before) == 3  # more than half of the documents gave nothing
    for name in "abc":
        pdfs.write(tmp_path / f"late-{name}.pdf", pdfs.lines(f"Document {name}. {pdfs.LATIN}"))

    def read_again(out: Path) -> None:
        pages, folder = dataset(inputs).steps[0], Folder(f"{out}/coarse")
        retry(pages, folder, pages.census.items(), "not_found")
        assert make(inputs, out) == 0

    def end(number: int) -> None:
        read_again(shutil.copytree(before, tmp_path / f"out{number}", symlinks=True))

    def is_gone_on_with(number: int, name: str) -> None:
        out = tmp_path / f"out{number}"
        if len(list((out / "coarse/census").glob("*.parquet"))) == 1:
            read_again(out)  # the retry had not come to say what it reads again
        else:
            assert make(inputs, out) == 0, name
        assert not (out / "coarse/drops.jsonl").read_bytes(), name
        check_finished(out, whole, name)

    read_again(shutil.copytree(before, whole, symlinks=True))
    assert len(samples(whole)) == 4
    names = at_every_commit(end, is_gone_on_with)
    assert {name.split("/")[0] for name in names} >= {"census", "shards", "manifest", "drops.jsonl"}
    check_corpus(whole)
