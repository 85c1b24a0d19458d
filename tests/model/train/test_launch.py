"""Ranks by torchrun: lost and started again, stopped, wrong. What they train is `small_ranks.train`, but for the last tests."""

import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest

from datagen.disk.storage import Folder
from model.train import launch as launch_module
from model.train.launch import RESTARTS, Machines, launch
from model.train.process import STOPPED
from model.train.trainer import NothingToLearn, train
from tests.model.trainings import FEW, STEP, make_corpus, same_results
from tests.programs import SRUN, stand_in, until

SMALL = STEP.but(steps=6, checkpoint_every=2)
TWO = Machines(2)
SUM = sum(3 * number for number in range(6))  # of two ranks


@pytest.fixture
def out(tmp_path, monkeypatch):
    """An output, where ranks are small ones."""
    command = Machines.command
    monkeypatch.setattr(launch_module, "PAUSE_S", 0.0)
    monkeypatch.setattr(
        Machines,
        "command",
        lambda *args: [
            "tests.model.small_ranks" if n > 3 and word == "model.train.launch" else word for n, word in enumerate(command(*args))
        ],
    )
    return Folder(str(tmp_path))


def run(out: Folder, monkeypatch, faults: str = "", machines: Machines = TWO) -> tuple[bool, list]:
    monkeypatch.setenv("FAULTS", faults)
    states = []
    return launch(SMALL, out, frozenset({"b", "a"}), machines, states.append), states


def results(out: Folder) -> dict:
    return json.loads(out.read("train/metrics.json"))


def turns(out: Folder) -> int:
    return len([*Path(out.url).glob("train/rank-0-*")])


def test_what_torchrun_is_told(tmp_path):
    words = Machines(8).command(tmp_path, 0)
    assert words[1:4] == ["-m", "model.train.launch", "torchrun"]
    assert words[5:] == ["--nnodes=1", "--nproc-per-node=8", "--max-restarts=0", "--standalone", *RANK, str(tmp_path)]
    words = Machines(8, 20, ("srun", "--nodes=20"), "a100-7:20001").command(tmp_path, 3)
    assert words[:2] == ["srun", "--nodes=20"] and words[6] == "0"
    meet = ["--rdzv-backend=c10d", "--rdzv-endpoint=a100-7:20001", "--rdzv-id=3"]
    assert words[7:] == ["--nnodes=20", "--nproc-per-node=8", "--max-restarts=0", *meet, *RANK, str(tmp_path)]


RANK = ["--module", "model.train.launch", "rank"]


@pytest.mark.slow
def test_a_lost_rank_ends_the_others_and_all_begin_again_from_the_checkpoint(out, monkeypatch, caplog):
    made, states = run(out, monkeypatch, "0 1 3 kill")
    assert made and results(out)["sum"] == SUM and turns(out) == 2
    assert [state.note for state in states if state.note] == ["from step 0", "from step 2"]
    (line,) = caplog.messages
    assert line == f"train: rank 1 was ended by SIGKILL; all ranks begin again from step 2 (1 of {RESTARTS})"


@pytest.mark.slow
def test_a_rank_that_hangs_ends_the_others_and_all_begin_again(out, monkeypatch, caplog):
    """And so does one whose disk fails, which is not for people."""
    monkeypatch.setenv("PATIENCE_S", "4")
    made, _ = run(out, monkeypatch, "0 1 3 wait,1 0 3 disk")
    assert made and results(out)["sum"] == SUM and turns(out) == 3
    hung, disk = (message for message in caplog.messages if "begin again" in message)
    assert hung.startswith("train: rank 0 ended with ") and "all ranks begin again from step 2" in hung
    assert disk.startswith("train: rank 0 ended with OSError: a disk fails; all ranks begin again from step 2")


@pytest.mark.parametrize("error", [*launch_module.FOR_PEOPLE, ValueError, NothingToLearn])
def test_what_another_try_does_not_change_is_raised_as_in_one_process(error):
    ended = {0: launch_module.Ended(2.0, error="OSError"), 1: launch_module.Ended(1.0, error=error.__name__, message="no such")}
    with pytest.raises(error, match="no such"):
        launch_module._raise_what_is_for_people(ended)


def test_a_rank_that_was_killed_is_named_though_its_neighbour_tells_first():
    ended = {0: launch_module.Ended(1.0, error="RuntimeError", message="Connection closed by peer [127.0.0.1]:2")}
    lost = [launch_module.Lost(1.2, 0, 1), launch_module.Lost(1.5, 1, -9)]
    assert launch_module._reason(1, ended, lost) == "rank 1 was ended by SIGKILL"
    assert launch_module._reason(1, ended, lost[:1]).startswith("rank 0 ended with RuntimeError")


@pytest.mark.slow
def test_without_a_newer_checkpoint_the_launcher_gives_up(out, monkeypatch, caplog):
    faults = ["0 0 1 bug", "1 0 3 bug", *(f"{turn} 1 {2 + turn % 2} bug" for turn in range(2, 9))]
    with pytest.raises(
        ChildProcessError, match="rank 1 ended with RuntimeError: out of memory; 4 times in turn nothing"
    ) as error:
        run(out, monkeypatch, ",".join(faults))
    assert "the same command goes on from step 2" in str(error.value)
    assert turns(out) == 2 + RESTARTS
    counts = [line.partition("begin again ")[2] for line in caplog.messages if "begin again" in line]
    assert counts == ["from the beginning (1 of 3)", *(f"from step 2 ({n} of 3)" for n in (1, 2, 3))]
    assert "in befall" in caplog.text


@pytest.mark.slow
def test_what_is_wrong_with_the_input_is_not_tried_again(out, monkeypatch):
    with pytest.raises(ValueError, match=r"^the data has changed: begin anew$"):
        run(out, monkeypatch, "0 1 1 wrong")
    assert turns(out) == 1


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_of_that_very_step(out, monkeypatch):
    machines = two_machines(out)
    monkeypatch.setattr("tests.model.train.test_launch.SMALL", SMALL.but(steps=10**6, checkpoint_every=10**6))
    begun = threading.Thread(target=lambda: (until(lambda: turns(out)), time.sleep(3), os.kill(os.getpid(), signal.SIGTERM)))
    begun.start()
    with pytest.raises(SystemExit) as end:
        run(out, monkeypatch, machines=machines)
    begun.join()
    assert end.value.code == STOPPED and turns(out) == 1
    (checkpoint,) = Path(out.url).glob("train/checkpoint/*/progress.json")
    progress = json.loads(checkpoint.read_text())
    assert progress["sum"] == sum(3 * number for number in range(progress["step"]))


def test_ranks_have_their_environment_and_end_with_the_launcher(out, monkeypatch):
    monkeypatch.setattr("tests.model.train.test_launch.SMALL", SMALL.but(deterministic=True))
    context = multiprocessing.get_context("fork")
    process = context.Process(target=run, args=(out, monkeypatch, "0 0 1 wait,0 1 1 wait"))
    process.start()
    try:
        until(lambda: len([*Path(out.url).glob("train/rank-*")]) == 2)
        below = psutil.Process(process.pid).children(recursive=True)
        environs = [one.environ() for one in below]
    finally:
        process.kill()
        process.join()
    assert len(below) >= 3
    ranks = [environ for environ in environs if "RANK" in environ]
    assert {environ["RANK"] for environ in ranks} == {"0", "1"}
    for environ in ranks:
        assert environ["PYTORCH_ALLOC_CONF"] == "expandable_segments:True" and environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert environ["TORCH_FR_BUFFER_SIZE"] == "2000" and environ["TORCH_FR_DUMP_TEMP_FILE"] == f"{out.url}/train/flight-"
    until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in below))


def test_srun_is_told_to_stop_by_the_signal_that_it_hands_on(out, monkeypatch, tmp_path):
    """At SIGTERM it kills its tasks, and at SIGUSR1 lets them end."""
    stand_in(tmp_path / "bin", "srun", "#!/bin/bash\ntrap 'echo USR1 > heard; exit' USR1\n> heard\nwhile sleep 0.1; do :; done\n")
    monkeypatch.chdir(tmp_path)
    heard = tmp_path / "heard"
    asking = threading.Thread(target=lambda: (until(heard.exists), os.kill(os.getpid(), signal.SIGTERM)))
    asking.start()
    with pytest.raises(SystemExit) as end:
        run(out, monkeypatch, machines=Machines(1, 2, (f"{tmp_path}/bin/srun",), "nowhere:1"))
    asking.join()
    assert end.value.code == STOPPED and heard.read_text() == "USR1\n"


def two_machines(out: Folder) -> Machines:
    """Two torchruns on one machine stand for them."""
    stand_in(Path(out.url) / "bin", "srun", SRUN)
    return Machines(1, 2, (f"{out.url}/bin/srun",), f"127.0.0.1:{free_port()}")


@pytest.mark.slow
def test_the_same_weights_by_a_rank_as_in_this_process(tmp_path):
    one, other = make_corpus(tmp_path / "one"), make_corpus(tmp_path / "other")
    step = FEW.but(device="cpu")
    assert train(step, one) and launch(step, other, frozenset(), Machines())
    same_results(one, other)
    assert not launch(step, other, frozenset(), Machines())


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
