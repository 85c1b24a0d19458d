"""Running the command line on small inputs, and looking at what it leaves."""

import contextlib
import hashlib
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.curation.mark_similar import MarkAlike
from datagen.disk import manifest
from datagen.disk.shards import ShardReport, ShardWriter, read_samples, read_shard, shard_name
from datagen.disk.storage import Folder
from datagen.inputs.census import Listing
from datagen.inputs.items import Item
from datagen.reading.language import IdentifyLanguage
from datagen.record import Drop, Sample
from datagen.work.assignment import add_generation
from datagen.work.pipeline import Pipeline
from recipes.__main__ import main
from recipes.recipe import Recipe, Report, read_passwords
from recipes.run.execute import Place, run
from recipes.words.words import Entry

ROOT = Path(__file__).parents[1]


def recipe(folder: Path | str, shard_pages: int = 3, **source: Any) -> Recipe:
    """The coarse recipe with small shards."""
    pages = Pipeline(
        "coarse",
        Listing(str(folder)),
        PdfSource(long_side=512, shard_pages=shard_pages, **source),
        (IdentifyLanguage(), JudgeTextLayer()),
    )
    return Recipe("test", (pages, Report(("coarse",))))


def small(input: str = "", limit: int = 0, passwords: str = "", benchmarks: str = "") -> Recipe:
    """The coarse recipe by its words, with small images and without a look at the ink."""
    stages = (IdentifyLanguage(), JudgeTextLayer())
    source = PdfSource(long_side=512, passwords=read_passwords(passwords))
    pages = Pipeline("coarse", Listing(input), source, stages, limit=limit)
    return Recipe("small", (pages, MarkAlike(("coarse",), benchmarks=benchmarks), Report(("coarse",))))


SMALL = Entry("tests.outputs:small")


def make_small(folder: Path, out: Path, *words: str) -> int:
    """The small recipe on the command line, so that the output knows its recipe. It is there by the fixture `small_recipe`."""
    return main(["small", "--input", str(folder), "--out", str(out), "--on", "inline", *words])


def make(folder: Path | str, out: Path, on: str = "inline", workers: int = 0, overwrite: bool = False, **source: Any) -> int:
    return run(recipe(folder, **source), Place(str(out), on, workers, overwrite))


def shards(out: Path, name: str = "coarse") -> dict[str, str]:
    """The sha256 of every committed shard of the datasets whose names match `name`."""
    tars = sorted(out.glob(f"{name}/shards/*.tar"))
    return {t.name: hashlib.sha256(t.read_bytes()).hexdigest() for t in tars if t.with_suffix(".json").exists()}


def files(out: Path) -> dict[str, tuple[int, int, str]]:
    """Every file with its time, inode and content: what a run that writes nothing leaves as it is."""
    found = sorted(p for p in out.rglob("*") if p.is_file() and p.name != ".lock")
    return {
        str(p.relative_to(out)): (p.stat().st_mtime_ns, p.stat().st_ino, hashlib.sha256(p.read_bytes()).hexdigest())
        for p in found
    }


def samples(out: Path) -> list[Sample]:
    """All samples of the dataset `coarse`, by its shards alone."""
    of_shards = []
    for tar in sorted((out / "coarse" / "shards").glob("*.tar")):
        with open(tar, "rb") as file:
            of_shards += [sample for sample, _ in read_shard(file)]
    return of_shards


def dataset_samples(folder: Folder) -> list[Sample]:
    """All samples of a dataset, by its manifest."""
    return list(read_samples(folder, manifest.rows(folder)))


def check_corpus(out: Path, *flags: str, name: str = "coarse") -> None:
    """The on-disk contract, by the program that uses none of the project's code. Within this process, which starts faster than
    another one; with flags in a process of its own."""
    program = ROOT / "tests/check_corpus.py"
    if not flags:
        told = io.StringIO()
        with contextlib.redirect_stdout(told), pytest.raises(SystemExit) as end, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [str(program), str(out / name)])
            runpy.run_path(str(program), run_name="__main__")
        assert not end.value.code, told.getvalue()
        return
    env = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parent / "hf")}
    command = [sys.executable, str(program), str(out / name), *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def write_dataset(folder: Path, samples: list[Sample], name: str = "coarse") -> None:
    """A dataset of one committed shard that has these samples."""
    write_shard(Folder(str(folder)), shard_name(name, 0), samples)


def write_run(folder: Path, *shards: list[Sample], first: int = 0) -> None:
    """A dataset of these shards, as a run leaves it; from the number `first` on, where it has others."""
    target = Folder(str(folder))
    items = [tuple({Item(s.origin.uri): 0 for s in samples}) for samples in shards]
    add_generation(target, items)
    for index, samples in enumerate(shards, first):
        write_shard(target, shard_name(folder.name, index), samples)
    description = {"source": {"type": "PdfSource", "version": 6, "engines": {"pymupdf": "2.0"}}, "stages": []}
    run = {"schema": 3, "fingerprint": "f" * 64, "description": description, "runs": [{"recipe": "coarse"}]}
    target.write("run.json", json.dumps(run).encode())


def write_shard(dataset: Folder, shard: str, samples: Iterable[Sample], drops: Sequence[Drop] = ()) -> None:
    part = manifest.PartBuilder(shard)
    with dataset.create(f"shards/{shard}.tar") as file:
        writer = ShardWriter(file)
        for sample in samples:
            part.add(sample, writer.write(sample))
        sha256 = writer.close()
    part.write(dataset)
    report = ShardReport(shard, 0, "", sha256, writer.num_bytes, writer.num_samples, 1, 0, tuple(drops), 0.0, 0.0)
    dataset.write(f"shards/{shard}.json", report.to_json())
