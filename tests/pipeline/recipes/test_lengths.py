"""Lengths counted before a training: a task a shard, by workers, and a training that then counts none; equal ones."""

import json
from pathlib import Path

import pytest

from datagen.disk.storage import Folder
from model.data import our_rows
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train.data import corpus_of, open_all
from model.train.export import export
from recipes.__main__ import main
from recipes.recipe import Recipe
from recipes.steps import Place
from recipes.steps.train import TrainRunner
from recipes.train import train
from tests.model.lines import EIGHT, line_crop, write_dataset

SHARDS = 6


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A dataset of six shards, a file of rows, and a start with a tokenizer."""
    monkeypatch.chdir(tmp_path)
    shards = [[line_crop(f"{text} {n}", f"p{n}-{m}", f"{n}", "page") for m, text in enumerate(EIGHT[:3])] for n in range(SHARDS)]
    write_dataset(Folder(str(tmp_path)), "coarse", shards)
    Path("rows.jsonl").write_text("".join(json.dumps({"text": f"Text alone, {n}."}) + "\n" for n in range(9)))
    export(Folder("start"), build(line_reader(), 3), byte_tokenizer())
    return tmp_path


def kept() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path("coarse/lengths").glob("*/*.parquet")}


def test_workers_count_what_a_training_then_finds(here, monkeypatch, caplog, cluster):
    data = ["data=./coarse,text:rows.jsonl", "start=start"]
    assert main(["lengths", *data, "out=counted", f"on={cluster}"]) == 0
    assert f"lengths: {3 * SHARDS + 9} rows in {SHARDS + 1} parts are counted" in caplog.text
    by_workers = kept()
    assert by_workers.keys() == {f"coarse-{n:06d}.parquet" for n in range(SHARDS)}
    step = train(data="./coarse,text:rows.jsonl", start="./start").steps[0]

    def counts(self, part):
        raise AssertionError("it is counted again")

    with monkeypatch.context() as patched:
        patched.setattr(our_rows.Index, "_count", counts)
        corpus = corpus_of(open_all(step, Folder("out")), byte_tokenizer(), 0.1)
    assert sum(map(len, (*corpus.train, *corpus.held_out))) == 3 * SHARDS + 9
    # A second time nothing is left of it but the file, which is read as it is kept.
    caplog.clear()
    assert main(["lengths", *data, "out=counted", "on=inline"]) == 0 and "9 rows in 1 parts are counted" in caplog.text
    for path in Path("coarse/lengths").glob("*/*.parquet"):
        path.unlink()
    corpus_of(open_all(step, Folder("out")), byte_tokenizer(), 0.1)
    assert kept() == by_workers


def test_before_ranks_are_started_they_are_counted(here, monkeypatch):
    step = train(data="./coarse", start="./start", variant="tiny", rows_per_step=2).steps[0]
    monkeypatch.setattr("recipes.steps.lengths._FEW", SHARDS)
    seen = []
    monkeypatch.setattr("recipes.steps.train.launch", lambda *given: seen.append(len(kept())) or True)
    runner = TrainRunner(step, Recipe("train", (step,)), Place(str(here / "out"), gpus=2))
    assert runner.run() == 0 and seen == [SHARDS]


def test_what_is_lacking_is_told(here, capsys):
    assert main(["lengths", "data=coarse", "on=inline"]) == 2
    assert "lengths needs data=A,B,… and start=FOLDER" in capsys.readouterr().err
    assert main(["lengths", "data=./coarse", "start=./coarse", "on=inline"]) == 2
    assert "has no tokenizer.json" in capsys.readouterr().err
