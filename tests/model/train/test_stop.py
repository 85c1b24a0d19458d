"""A training that is told to stop, as clusters do it: what it leaves, and that it goes on to the same bytes."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from model.train.checkpoint import Checkpoints
from model.train.process import STOPPED
from model.train.trainer import train
from tests.model.trainings import STEP, in_child, make_corpus, same_results
from tests.programs import until


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_of_that_very_step(tmp_path):
    """Sent to all processes of a job, a worker among them."""
    whole, other = make_corpus(tmp_path / "whole"), make_corpus(tmp_path / "stopped")
    states, step = [], STEP.but(workers=1)
    assert train(step, whole)
    assert in_child(step, other, 4, lambda: os.killpg(0, signal.SIGTERM)) == STOPPED
    assert Checkpoints(other.sub("train/checkpoint")).steps() == [3, 5]
    assert train(step, other, on_state=states.append)
    assert states[0].note == "resumed from step 5"
    same_results(whole, other)


@pytest.mark.slow
def test_a_worker_ends_when_its_training_is_killed(tmp_path):
    other, pids = make_corpus(tmp_path / "out"), tmp_path / "pids"

    def killed() -> None:
        pids.write_text(" ".join(str(child.pid) for child in psutil.Process().children()))
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(STEP.but(workers=1), other, 1, killed) == -signal.SIGKILL
    (worker,) = map(int, pids.read_text().split())
    until(lambda: not is_running(worker), seconds=30)


def is_running(pid: int) -> bool:
    """A zombie isn't: nobody may be there to ask how it ended."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
