"""What a training writes down: lines that go on after a kill, boards, seconds, the use of experts, operations."""

import json
import math
from collections import Counter

import pytest
import torch
from torch import nn

from datagen.disk.storage import Folder
from model.net.config import DecoderConfig
from model.net.moe import Router
from model.train.journal import Journal, Speed
from model.train.lines import Lines, read_lines
from model.train.log import ExpertUse, Routing, memory, of_experts


def measured(line):
    return "held" in line


@pytest.mark.parametrize("url", ["{}", "memory://lines"])
def test_lines_go_on_after_the_step_of_the_checkpoint(tmp_path, url):
    folder = Folder(url.format(tmp_path))
    lines = Lines(folder, "loss.jsonl", 0, measured)
    for step in range(5):
        lines.add(step=step, loss=step / 2, **({"held": 1.0} if step == 1 else {}))
        if step == 3:
            lines.flush()
    lines.flush()
    assert [line["step"] for line in read_lines(folder, "loss.jsonl")] == list(range(5))
    again = Lines(folder, "loss.jsonl", 2, measured)
    assert (again.kept, again.last) == ([{"step": 1, "loss": 0.5, "held": 1.0}], {"step": 2, "loss": 1.0})
    again.add(step=3, loss=9.0)
    again.flush()
    assert [line["loss"] for line in read_lines(folder, "loss.jsonl")] == [0.0, 0.5, 1.0, 9.0]
    again.close()
    assert [json.loads(line)["step"] for line in folder.read("loss.jsonl").splitlines()] == [0, 1, 2, 3]


def test_a_line_that_was_cut_by_a_kill_is_dropped(tmp_path):
    (tmp_path / "loss.jsonl").write_text('{"step": 0}\n{"step": 1}\n{"st')
    folder = Folder(str(tmp_path))
    assert [line["step"] for line in read_lines(folder, "loss.jsonl")] == [0, 1]
    assert [line["step"] for line in Lines(folder, "loss.jsonl").kept] == [0, 1]
    assert (tmp_path / "loss.jsonl").read_text() == '{"step": 0}\n{"step": 1}\n'


def test_the_use_of_experts():
    config = DecoderConfig(width=4, num_experts=4, num_experts_per_token=1)
    router = Router(config)
    router.weight.data = torch.eye(4)
    use = ExpertUse(nn.ModuleList([router]))
    router(torch.eye(4))
    of_one = of_experts([use.take()])
    probability = torch.eye(4).softmax(-1)[0]
    entropy = -(probability * probability.log()).sum().item() / math.log(4)
    assert of_one == {"expert_load": [1.0], "dead_experts": [0], "router_entropy": [pytest.approx(entropy, abs=1e-4)]}
    assert use.take() == {}
    router(torch.eye(4)[[2, 2, 2, 1]])
    router.eval()(torch.eye(4)[[0, 0]])  # what is read isn't counted
    taken = use.take()
    assert of_experts([taken])["expert_load"] == [3.0] and of_experts([taken])["dead_experts"] == [2]
    # Of ranks that have other rows of a layer, and of stages that have other layers.
    other = {name: Routing([0, 1, 0, 3], 4 * math.log(4), 4) for name in taken}
    more = [{"layers.10.gate": Routing([1, 1], math.log(2), 1)}, {"layers.9.gate": Routing([2, 0], 0.0, 2)}]
    together = of_experts([taken, other, *more])
    assert together["expert_load"] == [1.5, 2.0, 1.0] and together["dead_experts"] == [1, 1, 0]
    assert together["router_entropy"] == [pytest.approx((entropy + 1) / 2, abs=1e-4), 0.0, 1.0]


def test_memory_is_told_of_the_steps_since_the_last_time(monkeypatch):
    """With a stand-in for a GPU's counts, which reads as torch's do."""
    counts = {"allocated": [5, 3], "reserved": [9, 4]}
    for name, values in counts.items():
        monkeypatch.setattr(torch.cuda, f"max_memory_{name}", lambda device, values=values: max(values))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: [values.pop(0) for values in counts.values()])
    of_a_gpu = [memory(torch.device("cuda")) for _ in range(2)]
    assert of_a_gpu == [{"memory": 5, "reserved": 9}, {"memory": 3, "reserved": 4}]
    folder = Folder("memory://told")
    journal = Journal(folder, 0, torch.device("cpu"))
    journal.speed(1, 1.0, Counter(), [Speed({}, one, {}) for one in ({"memory": 5, "reserved": 6}, {"memory": 3, "reserved": 9})])
    journal.close()
    (line,) = read_lines(folder, "speed.jsonl")
    assert (line["memory"], line["reserved"]) == (5, 9)
    assert memory(torch.device("cpu")).keys() == {"memory"}
