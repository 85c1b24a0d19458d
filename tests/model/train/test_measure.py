"""What is measured on held-out samples: which can be read, losses without images in memory, and stops in between."""

import dataclasses
import json
import os
import pickle
import signal

import numpy as np
import pytest
import torch

from datagen.disk.storage import Folder
from model.data.jsonl import Jsonl
from model.data.loader import job, maker, read
from model.data.plan import packed
from model.data.rows import Columns
from model.data.split import Corpus, opened
from model.data.tokens import made
from model.net.batch import through
from model.net.config import line_reader
from model.net.deepseek_ocr import build
from model.net.tokenizer import byte_tokenizer
from model.train import evaluate, readings
from model.train.checkpoint import Checkpoints
from model.train.lines import read_lines
from model.train.process import STOPPED
from model.train.trainer import train
from recipes.report.train import train_sections
from tests.model.lines import EIGHT, rendered
from tests.model.trainings import FEW, WEIGHTS, make_corpus

MODES = ("line",)
SYSTEM = {"role": "system", "content": "Be brief."}


@pytest.fixture(scope="module")
def tokenizer():
    return byte_tokenizer()


@pytest.fixture(scope="module")
def net(tokenizer):
    return build(line_reader().with_vocab(len(tokenizer)), seed=1).train()


def asked(text, answer):
    return [SYSTEM, {"role": "user", "content": text}, {"role": "assistant", "content": answer}]


def corpus_of(rows, tmp_path, tokenizer):
    """All of it is held out, but for what must be trained on."""
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row | {"group": f"{n}"}) + "\n" for n, row in enumerate(rows)))
    corpus = opened([Jsonl(str(tmp_path / "rows.jsonl"))], tokenizer, 0.5)
    everything = (*corpus.train, *corpus.held_out)
    return dataclasses.replace(corpus, held_out=(torch.cat([torch.tensor(rows) for rows in everything]).numpy(),))


@pytest.fixture
def corpus(tmp_path, tokenizer):
    for n, text in enumerate((*EIGHT[:4], EIGHT[0])):
        (tmp_path / f"{n}.jpg").write_bytes(rendered(text[:9]))
    damaged = rendered("damaged, in its midst")
    (tmp_path / "damaged.jpg").write_bytes(damaged[: len(damaged) // 2])
    rows = [
        {"messages": asked("<image>Read.", "one"), "images": ["0.jpg"]},
        {"messages": asked("<image>Read.", "two"), "images": ["1.jpg"]},
        {"images": ["2.jpg", "3.jpg"], "prompt": "<image> and <image>?", "answer": "both"},
        {"image": "damaged.jpg", "prompt": "<image>\nRead.", "answer": "nothing"},
        {"image": "4.jpg", "prompt": "<image>\nRead.", "answer": "three"},
        {"text": "Text alone."},
    ]
    return corpus_of(rows, tmp_path, tokenizer)


def test_what_can_be_read_is_read_and_the_rest_counted(corpus, net, tokenizer):
    """A text of the system's, several images; one of the images is damaged."""
    draws = evaluate.held_out_draws(corpus, MODES, 400, 10)
    found = readings.readings(net, tokenizer, corpus, draws, MODES, 3)
    assert {row["truth"]: row["prompt"] for row in found.rows} == {
        "one": "Be brief.\n<image>Read.",
        "two": "Be brief.\n<image>Read.",
        "three": "<image>\nRead.",
        "both": "<image> and <image>?",
    }
    assert found.passed_over == {"bad_image": 1, "no_image": 1} and found.summary["all"]["num"] == 4
    assert {row["mode"] for row in found.rows} == {"line"} and net.training


def test_a_prompt_is_what_the_sample_was_trained_with(corpus, tokenizer):
    for draw in evaluate.held_out_draws(corpus, MODES, 400, 10):
        example = read(corpus, draw)
        if not example.images or example.key.endswith(":4"):
            continue
        tokens = made(example, draw, MODES, tokenizer)
        head = tokenizer.prompt(readings.asked(example), *[image.num_tokens for image in tokens.images])
        assert tokens.ids[: tokens.learned.index(True)] == head


def in_memory(corpus, tokenizer, net, length, count):
    """The losses of all batches at once, each with its own images and with those of the next one of their size."""
    draws = evaluate.held_out_draws(corpus, MODES, length, count)
    rows = packed([draw.length for draw in draws], length)
    assert all(len(row) == 1 for row in rows)
    make = maker(corpus, tokenizer, MODES)
    batches = [make[job(corpus, [[draws[at]]])] for (at,) in rows]
    of_size = {}
    for number, one in enumerate(batches):
        of_size.setdefault(one.images[0].num_tokens, []).append(number)
    net.eval()
    own, other = [], []
    with torch.no_grad():
        for number, one in enumerate(batches):
            alike = of_size[one.images[0].num_tokens]
            own.append(through(net, one).each_T)
            if len(alike) > 1:
                images = batches[alike[(alike.index(number) + 1) % len(alike)]].images
                other.append(through(net, dataclasses.replace(one, images=images)).each_T)
    net.train()
    return round(torch.cat(own).mean().item(), 5), round(torch.cat(other).mean().item(), 5)


@pytest.mark.parametrize("threads", [1, 3])
def test_losses_are_measured_without_images_in_memory(threads, tmp_path, net, tokenizer):
    for n in range(6):
        (tmp_path / f"{n}.jpg").write_bytes(rendered(f"{EIGHT[n][: 6 + n % 2]} {n}"))
    rows = [{"image": f"{n}.jpg", "answer": EIGHT[n]} for n in range(6)]
    corpus = corpus_of(rows, tmp_path, tokenizer)
    length = max(draw.length for draw in evaluate.held_out_draws(corpus, MODES, 400, 6))
    data = evaluate.HeldOut(corpus, tokenizer, MODES, length, 1, 6, threads)
    pixels = sum(image.whole_3HW.nbytes for _, own, _ in data.batches() for image in own.images)
    assert len(pickle.dumps(data.measured)) < pixels / 4
    with torch.autocast("cpu", enabled=False) as exact:
        found = evaluate.losses(net, data, exact)
    assert (found["held_out_loss"], found["other_image_loss"]) == in_memory(corpus, tokenizer, net, length, 6)
    assert found["own_image_loss"] != found["other_image_loss"]


@pytest.mark.slow
def test_a_stop_within_a_reading_is_not_kept_waiting_and_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    step = FEW.but(steps=3, read_every=2, loss_every=2, max_new_tokens=6, checkpoint_every=100)
    whole, out = make_corpus(tmp_path / "whole"), make_corpus(tmp_path / "stopped")
    assert train(step, whole)
    read_tokens, num = readings.tokens, []

    def told(*arguments):
        for pair in read_tokens(*arguments):
            if not num:
                os.kill(os.getpid(), signal.SIGTERM)
            num.append(pair)
            yield pair

    with monkeypatch.context() as patched:
        patched.setattr(readings, "tokens", told)
        with pytest.raises(SystemExit) as stopped:
            train(step, out)
    assert stopped.value.code == STOPPED and len(num) <= 2
    assert Checkpoints(out.sub("train/checkpoint")).steps() == [2]
    folder = out.sub("train")
    assert [line["step"] for line in read_lines(folder, "loss.jsonl")] == [0, 1]
    assert [line["step"] for line in read_lines(folder, "speed.jsonl")] == []
    (shown, _) = train_sections("train", folder)
    assert "<svg" in shown.html and "steps so far" in shown.html
    assert train(step, out)
    for name in (WEIGHTS, "train/loss.jsonl", "train/readback.json"):
        assert out.read(name) == whole.read(name)
    assert "read" in list(read_lines(folder, "loss.jsonl"))[2]


def test_a_curve_of_many_steps_is_thinned(tmp_path):
    folder = Folder(str(tmp_path))
    lines = [{"step": n, "loss": 2.0 + (n == 7_777), "num_tokens": n} for n in range(20_001)]
    folder.write("loss.jsonl", "".join(json.dumps(line) + "\n" for line in lines).encode())
    (shown, _) = train_sections("train", folder)
    (each,) = (part for part in shown.html.split("<polyline ") if part.startswith('class="each"'))
    points = each.partition('points="')[2].partition('"')[0].split()
    assert 400 < len(points) <= 1_000 and len({point.split(",")[1] for point in points}) == 2


def test_held_out_samples_are_from_all_over_a_dataset():
    """Its first documents would tell of its first language."""
    count, num = 20, 1000
    small = np.full(num, 64, np.uint16)
    group_N = np.arange(num, dtype=np.uint64) // 10
    columns = Columns(small, small, np.full((num, 1), 9, np.int32), np.zeros(num, np.int16), group_N, ("de",))
    rows = np.arange(num, dtype=np.int32)
    draws = evaluate.held_out_draws(Corpus((None,), (columns,), (rows[:0],), (rows,)), MODES, 400, count)
    chosen = [draw.row for draw in draws]
    assert chosen == sorted(chosen) and [draw.number for draw in draws] == list(range(count))
    assert len({row // 10 for row in chosen}) > 0.7 * count  # of about as many documents
    assert max(chosen) > 0.75 * num > 0.25 * num > min(chosen)
