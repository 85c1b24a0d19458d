"""The training step: what it leaves behind, that a killed one ends in the same bytes, and that finished work is left alone."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from datagen import marks
from datagen.marks import Mark
from datagen.progress import State
from datagen.shards import read_sample
from datagen.storage import Folder
from model.checkpoint import load_model
from model.cpu import native_dtype
from model.loader import is_held_out
from model.step import Train
from model.train.loop import NothingToLearn, train
from recipes.recipe import Recipe
from recipes.report.train import IMAGES_BYTES, train_sections
from recipes.steps import Place
from recipes.steps.train import TrainRunner
from tests.model.lines import EIGHT, line_crop, write_dataset

ROOT = Path(__file__).parents[2]
STEP = Train(
    datasets=("coarse", "round-*"),
    steps=8,
    page_batch=2,
    crop_batch=2,
    crop_share=0.5,
    length=200,
    warmup=2,
    held_out_share=0.3,
    loss_samples=2,
    loss_every=4,
    read_samples=3,
    shown_samples=2,
    max_new_tokens=8,
    checkpoint_every=3,
    threads=1,
)
# A process that dies by SIGKILL in the sixth step, after the checkpoint of the third.
KILLED = """
import os, signal
import model.train.loop
from datagen.storage import Folder
from tests.model.test_train import STEP
update = model.train.loop._Training._update
def dying(self, batch):
    if self.progress["step"] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return update(self, batch)
model.train.loop._Training._update = dying
model.train.loop.train(STEP, Folder({url!r}))
"""


def make_corpus(root: Path) -> Folder:
    out = Folder(str(root))
    pages = [line_crop(f"{EIGHT[n % 8]} {n}", f"p{n}", f"document {n % 12}", "page") for n in range(24)]
    crops = [line_crop(f"{EIGHT[n % 8]} {n}", f"c{n}", f"document {n % 12}") for n in range(24)]
    write_dataset(out, "coarse", [pages])
    write_dataset(out, "round-1", [crops])
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = make_corpus(tmp_path_factory.mktemp("whole"))
    states: list[State] = []
    assert train(STEP, out, on_state=states.append)
    return out, states


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p.relative_to(folder)): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_is_left(whole):
    out, states = whole
    root = Path(out.url) / "train"
    assert sorted(files(root)) == [
        "loss.jsonl",
        "metrics.json",
        "model/config.json",
        "model/model.safetensors",
        "model/tokenizer.json",
        "readback.json",
        "run.json",
    ]
    lines = [json.loads(line) for line in (root / "loss.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(9))
    assert [line["step"] for line in lines if "held_out_loss" in line] == [0, 4, 8]
    assert all({"loss", "lr", "num_tokens"} <= set(line) for line in lines[1:])
    assert any("held out" in state.note for state in states)
    metrics = json.loads((root / "metrics.json").read_text())
    assert metrics["step"] == 8 and metrics["num_samples"] == 16 and metrics["threads"] == 1
    assert metrics["num_tokens"] == lines[-1]["num_tokens"] > 0
    assert metrics["precision"] == str(native_dtype()).removeprefix("torch.")
    assert metrics["held_out_loss_last"] < metrics["held_out_loss_first"]
    assert set(metrics["edit_distance"]) == {"all", "page", "crop"}


def test_the_folder_loads_as_a_network(whole):
    out, _ = whole
    net, tokenizer = load_model(out.sub("train/model"))
    assert net.config.decoder.vocab_size == len(tokenizer)
    assert net.num_parameters()[0] == json.loads(out.read("train/metrics.json"))["num_parameters"]


def test_read_back_rows_lead_to_their_samples(whole):
    out, _ = whole
    rows = json.loads(out.read("train/readback.json"))
    assert {row["task"] for row in rows} == {"page", "crop"}
    trained = {line_crop("x", document=f"document {n}").origin.sha256 for n in range(12)}
    for row in rows:
        sample = read_sample(out.sub(row["dataset"]), row["shard"], row["offset"], row["bytes"])
        assert sample.key == row["key"] and sample.text in row["truth"] and sample.origin.sha256 in trained


def test_the_same_step_again_touches_nothing(whole):
    out, _ = whole
    root = Path(out.url) / "train"
    before = files(root)
    assert train(STEP, out) is False
    assert files(root) == before


def test_a_finished_training_is_good_on_another_processor(whole, monkeypatch):
    out, _ = whole
    before = files(Path(out.url) / "train")
    another = torch.float16 if native_dtype() != torch.float16 else torch.float32
    monkeypatch.setattr("model.train.loop.native_dtype", lambda: another)
    states: list = []
    assert train(STEP, out, on_state=states.append) is False
    assert (states, files(Path(out.url) / "train")) == ([], before)


def test_the_model_is_named_for_the_documents_that_it_learned_from(whole):
    out, _ = whole
    runner = TrainRunner(STEP, Recipe("small", (STEP,)), Place(out.url))
    documents = [line_crop("x", document=f"document {n}").origin.sha256 for n in range(12)]
    learned = {sha256 for sha256 in documents if runner.learned_from(frozenset({sha256})) == ["train/model"]}
    assert learned == {sha256 for sha256 in documents if not is_held_out(sha256, STEP.held_out_share)} and 0 < len(learned) < 12
    assert runner.learned_from(frozenset({"ab" * 32})) == []


def test_two_trainings_stand_beside_each_other(whole):
    out, _ = whole
    before = files(Path(out.url) / "train")
    second = dataclasses.replace(STEP, name="second", steps=1, loss_samples=1, read_samples=1)
    assert train(second, out) is True and train(second, out) is False
    assert json.loads(out.read("second/metrics.json"))["step"] == 1
    assert train(STEP, out) is False and files(Path(out.url) / "train") == before


@pytest.mark.parametrize("change", [{"steps": 9}, {"learning_rate": 1e-4}, {"threads": 2}])
def test_another_step_is_refused(whole, change):
    out, _ = whole
    before = files(Path(out.url) / "train")
    with pytest.raises(ValueError, match=r"overwrite=1 .* out="):
        train(dataclasses.replace(STEP, **change), out)
    assert files(Path(out.url) / "train") == before


def test_a_finished_training_stays_when_its_corpus_grows(tmp_path):
    out, states = make_corpus(tmp_path), []
    few = dataclasses.replace(STEP, steps=2, loss_samples=1, read_samples=1)
    assert train(few, out)
    before = files(tmp_path / "train")
    write_dataset(out, "round-2", [[line_crop("a line more", "new", "document 3")]])
    assert train(few, out, frozenset({"ab" * 32}), states.append) is False
    assert "older than the corpus, by 1 shards" in states[-1].note and "marks" not in states[-1].note
    assert files(tmp_path / "train") == before
    (tmp_path / "train" / "metrics.json").unlink()  # as one that was killed leaves it: it begins again, with all there is
    assert train(few, out) is True
    assert len(json.loads(out.read("train/run.json"))["shards"]) == 3


def test_marks_that_come_later_are_told_of_and_a_killed_training_begins_again_without_what_they_name(tmp_path):
    out, states = make_corpus(tmp_path), []
    few = dataclasses.replace(STEP, steps=2, loss_samples=1, read_samples=1, checkpoint_every=1)
    assert train(few, out)
    before = files(tmp_path / "train")
    marks.write(out.sub("coarse"), [Mark("p3", "contaminated", "a benchmark's page", 0.9)], "")
    assert train(few, out, on_state=states.append) is False
    assert states == [State(note="the model is older than the corpus, by marks, and stays; overwrite=1 trains it anew")]
    assert files(tmp_path / "train") == before
    (tmp_path / "train" / "metrics.json").unlink()  # as one that was killed leaves it
    (tmp_path / "train" / "checkpoint").mkdir()
    (tmp_path / "train" / "checkpoint" / "state.safetensors").touch()  # which nobody is to go on from
    assert train(few, out, on_state=states.append) is True
    assert json.loads(out.read("train/metrics.json"))["num_skipped"] == {"marked": 1}


def test_without_anything_to_learn_nothing_is_written(tmp_path):
    out = Folder(str(tmp_path))
    write_dataset(out, "coarse", [[line_crop("alone", "a", "one", "page")]])
    with pytest.raises(NothingToLearn, match="no two trusted pages or crops"):
        train(STEP, out)
    assert not out.exists("train")


def test_killed_and_run_again_ends_in_the_same_bytes(whole, tmp_path):
    out, _ = whole
    other = make_corpus(tmp_path)
    code = KILLED.format(url=other.url)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert other.exists("train/checkpoint/state.safetensors") and not other.exists("train/metrics.json")
    states: list[State] = []
    assert train(STEP, other, on_state=states.append)
    assert states[0].note == "resumed from step 3"
    weights = ("model/model.safetensors", "model/config.json", "model/tokenizer.json")
    for name in (*weights, "loss.jsonl", "readback.json", "run.json"):
        assert other.read(f"train/{name}") == out.read(f"train/{name}"), name
    timing = ("seconds", "seconds_training", "tokens_per_s")
    resumed, uninterrupted = (json.loads(folder.read("train/metrics.json")) for folder in (other, out))
    assert {k: v for k, v in resumed.items() if k not in timing} == {k: v for k, v in uninterrupted.items() if k not in timing}
    assert not other.exists("train/checkpoint")


def test_weights_are_finite_and_moved(whole):
    weights = load(whole[0].read("train/model/model.safetensors"))
    assert all(value.isfinite().all() for value in weights.values())
    assert weights["model.sam_model.blocks.2.attn.rel_pos_h"].any()  # zero before the first step


def test_the_report_shows_it_and_escapes_it(whole):
    out, _ = whole
    rows = json.loads(out.read("train/readback.json"))
    hostile = "<script>alert(1)</script>\u202e"
    train_folder = Folder(out.url + "/hostile")
    for name in ("metrics.json", "loss.jsonl"):
        train_folder.write(name, out.read(f"train/{name}"))
    rows = [row | {"truth": hostile, "reading": hostile, "lang": hostile} for row in rows]
    train_folder.write("readback.json", json.dumps(rows).encode())
    sections = train_sections(
        "train", train_folder, lambda row: read_sample(out.sub(row["dataset"]), row["shard"], row["offset"], row["bytes"])
    )
    html = "".join(section.html for section in sections)
    assert "<script" not in html and "\u202e" not in html and "&lt;script&gt;" in html
    assert html.count("<svg") == 1 and html.count("data:image/webp;base64,") == len(rows)
    assert len(html) < IMAGES_BYTES + 40_000
    assert train_sections("train", Folder(out.url + "/nothing"), lambda row: line_crop("x")) == []
