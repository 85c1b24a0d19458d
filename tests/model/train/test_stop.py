"""A training that is told to stop, as clusters do it: what it leaves, and that it goes on to the same bytes."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from model.train.checkpoint import Checkpoints
from model.train.process import STOPPED
from model.train.trainer import train
from tests.model.trainings import STEP, WEIGHTS, in_child, make_corpus, same_results


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = make_corpus(tmp_path_factory.mktemp("whole"))
    assert train(STEP, out)
    return out


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_of_that_very_step(whole, tmp_path):
    other, states = make_corpus(tmp_path), []
    assert in_child(STEP, other, 4, signal.SIGTERM) == STOPPED
    assert Checkpoints(other.sub("train/checkpoint")).steps() == [3, 5]
    assert train(STEP, other, on_state=states.append)
    assert states[0].note == "resumed from step 5"
    same_results(whole, other)


@pytest.mark.slow
def test_sigterm_to_all_processes_of_a_job_leaves_it_too(whole, tmp_path):
    """Its worker as well."""
    other = make_corpus(tmp_path)
    helped = STEP.but(workers=1)
    assert in_child(helped, other, 4, lambda: os.killpg(0, signal.SIGTERM)) == STOPPED
    assert Checkpoints(other.sub("train/checkpoint")).steps() == [3, 5]
    assert train(helped, other)
    assert [other.read(name) for name in (WEIGHTS, "train/loss.jsonl")] == [
        whole.read(name) for name in (WEIGHTS, "train/loss.jsonl")
    ]


@pytest.mark.slow
def test_a_worker_ends_when_its_training_is_killed(tmp_path):
    other, pids = make_corpus(tmp_path / "out"), tmp_path / "pids"

    def killed() -> None:
        pids.write_text(" ".join(str(child.pid) for child in psutil.Process().children()))
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(STEP.but(workers=1), other, 1, killed) == -signal.SIGKILL
    (worker,) = map(int, pids.read_text().split())
    until = time.monotonic() + 30
    while is_running(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(worker)


def is_running(pid: int) -> bool:
    """A zombie isn't: nobody may be there to ask how it ended."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
