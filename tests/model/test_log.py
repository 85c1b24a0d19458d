"""What a training writes down: lines that go on after a kill, seconds, the use of experts, operations."""

import json
import time

import pytest
import torch
from torch import nn

from datagen.storage import Folder
from datagen.target import Prompt
from model import flops
from model.batch import collate
from model.config import DecoderConfig, tiny
from model.moe import Router
from model.plan import PARTS, SET_UPS, SetUp
from model.tokenizer import train_tokenizer
from model.train.log import Clock, ExpertLoad, Lines, by_source, operations
from tests.model.lines import EIGHT, line_crop


@pytest.mark.parametrize("url", ["{}", "memory://lines"])
def test_lines_go_on_after_the_step_of_the_checkpoint(tmp_path, url):
    folder = Folder(url.format(tmp_path))
    lines = Lines(folder, "loss.jsonl", 0)
    for step in range(5):
        lines.add(step=step, loss=step / 2)
    lines.flush()
    assert len(folder.read("loss.jsonl").splitlines()) == 5
    again = Lines(folder, "loss.jsonl", 2)
    again.add(step=3, loss=9.0)
    again.flush()
    assert [json.loads(line) for line in folder.read("loss.jsonl").splitlines()] == again.lines
    assert [line["loss"] for line in again.lines] == [0.0, 0.5, 1.0, 9.0]


def test_a_line_that_was_cut_by_a_kill_is_dropped(tmp_path):
    (tmp_path / "loss.jsonl").write_text('{"step": 0}\n{"step": 1}\n{"st')
    assert [line["step"] for line in Lines(Folder(str(tmp_path)), "loss.jsonl").lines] == [0, 1]
    assert (tmp_path / "loss.jsonl").read_text() == '{"step": 0}\n{"step": 1}\n'


def test_a_clock_tells_parts_apart():
    clock = Clock(torch.device("cpu"))
    for _ in range(2):
        with clock.part("data", waits=True):
            time.sleep(0.02)
        with clock.part("forward"):
            pass
    taken = clock.take()
    assert taken["data"] > 0.03 > taken["forward"] and clock.take() == {}


def test_the_load_of_experts():
    config = DecoderConfig(width=4, num_experts=4, num_experts_per_token=1)
    router = Router(config)
    router.weight.data = torch.eye(4)
    load = ExpertLoad(nn.ModuleList([router]))
    router(torch.eye(4))
    assert load.take() == [1.0] and load.take() == []
    router(torch.eye(4)[[2, 2, 2, 1]])
    router.eval()(torch.eye(4)[[0, 0]])  # what is read isn't counted
    assert load.take() == [3.0]


def test_losses_of_each_source():
    sums = by_source(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]), 3)
    assert sums.tolist() == [[2.0, 1.0], [0.0, 0.0], [5.0, 2.0]]


def test_operations_are_those_of_each_sample():
    tokenizer = train_tokenizer(EIGHT, 400)
    one = collate([(line_crop("Ab"), Prompt.FREE), (line_crop("cd", "d"), Prompt.FREE)], tokenizer, "tiny", 300)
    config = tiny().with_vocab(len(tokenizer))
    lengths = [int((one.samples_BL == n).sum()) for n in range(2)]
    assert operations(config, one, SET_UPS[0]) == flops.training(config, [512, 512], lengths, one.num_tokens)
    line = collate([(line_crop("Ab"), Prompt.FREE)], tokenizer, "line", 300)
    assert flops.view(config, (64, line.images[0].whole_3HW.shape[2])) < flops.view(config, 512) / 20
    assert operations(config, line, SET_UPS[0]) < operations(config, one, SET_UPS[0]) / 20
    # What is frozen counts for its forward pass alone.
    frozen = flops.training(config, [512, 512], lengths, one.num_tokens) - 2 * 2 * flops.sam(config.sam, 512)
    assert operations(config, one, SetUp("SAM frozen", PARTS[1:])) == frozen
