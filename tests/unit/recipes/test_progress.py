"""Progress where there is no terminal: a line a piece of work when it is time, and states that travel by files."""

import time

import pytest

from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.work import progress
from datagen.work.progress import State
from recipes.run import progress as display
from recipes.run.progress import shown, watched


def shard(num_samples: int) -> ShardReport:
    return ShardReport("coarse-000000", 0, "", "", 0, num_samples, 1, 0, (), 0.0, 0.0)


def test_a_state_that_ends_the_work_is_a_line_and_those_before_wait_their_time(capsys, monkeypatch):
    with shown("train") as show:
        for done in (1, 2, 3):
            show(State(done, 3, "steps", f"loss {3 - done}.00", 9.0 - done))
    assert capsys.readouterr().err == "train: 3/3 steps, loss 0.00, 6 s left\n"
    monkeypatch.setattr(display, "_LINE_EVERY_S", 0.0)
    with shown("train") as show:
        show(State(1, 3, "steps"))
    assert capsys.readouterr().err == "train: 1/3 steps\n"


def test_a_state_travels_by_a_file(tmp_path):
    folder = Folder(str(tmp_path))
    assert progress.read(folder) is None
    state = State(3, 9, "steps", "loss 1.20 nats a character", 7.5)
    progress.write(folder, state)
    assert progress.read(folder) == state
    (tmp_path / progress.NAME).write_text("{")
    assert progress.read(folder) is None


@pytest.mark.parametrize("script", ["Cyrl", "Grek"])
def test_what_work_elsewhere_writes_is_shown(tmp_path, capsys, monkeypatch, script):
    monkeypatch.setattr(display, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(display, "_LINE_EVERY_S", 0.0)
    folder = Folder(str(tmp_path / script))
    with watched("round-1", {script: folder}):
        progress.write(folder, State(3, 9, "steps", "loss 1.20", 7.5))
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines and set(lines) == {f"round-1: {script}: 3/9 steps, loss 1.20, 8 s left"}
