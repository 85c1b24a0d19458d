"""SIGKILL amid a shard, and the same command again: it finishes, and every shard is that of an undisturbed run.

Every other moment is tried in the process, in test_commit_points.py; an output on object storage in pipeline/test_s3.py.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.inputs import pdfs
from tests.outputs import ROOT, check_corpus, make, shards
from tests.programs import killed_when

RUN = "import sys; from tests.outputs import make; sys.exit(make(*sys.argv[1:4], 2))"


def make_undisturbed(folder: Path) -> None:
    """Documents in `in`, and what comes of them in `out`."""
    for i in range(8):
        pdfs.write(folder / f"in/{i}.pdf", *[pdfs.lines(f"Document {i}, page {p}. {pdfs.LATIN}") for p in range(24)])
    assert make(folder / "in", folder / "out") == 0


@pytest.fixture(scope="module")
def folder(shared):
    return shared("kill", make_undisturbed) / "in"


@pytest.fixture(scope="module")
def undisturbed(shared):
    return shards(shared("kill", make_undisturbed) / "out")


@pytest.mark.parametrize(("on", "seen"), [("inline", ".tmp-*"), pytest.param("local", "*.json", marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_to_the_same_bytes(folder, undisturbed, tmp_path, on, seen):
    """While it writes its first shard, or when it has written one."""
    out = tmp_path / "out"
    assert killed_when(lambda: [*(out / "coarse/shards").glob(seen)], RUN, folder, out, on) == []
    committed = shards(out)
    assert committed.items() <= undisturbed.items()
    assert len(committed) < len(undisturbed)
    assert make(folder, out) == 0
    assert shards(out) == undisturbed
    assert not list(out.rglob(".tmp-*"))
    check_corpus(out)


def _hear_ctrl_c() -> None:
    """What a shell starts in its background is deaf to Ctrl-C, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt(command: list[str], out: Path) -> tuple[int, str]:
    """Run `command` until it writes a shard, send Ctrl-C to all its processes, and return its exit code and its messages."""
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=_hear_ctrl_c)
    while run.poll() is None and not list((out / "coarse/shards").glob(".tmp-*")):
        time.sleep(0.01)
    os.killpg(run.pid, signal.SIGINT)
    _, messages = run.communicate(timeout=240)
    return run.returncode, messages


def test_ctrl_c_says_how_to_go_on(folder, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "recipes", "coarse", "--input", str(folder), "--out", str(out), "--on", "inline"]
    code, messages = interrupt(command, out)
    assert code == 130
    assert "the same command goes on" in messages
    assert "Traceback" not in messages


@pytest.mark.slow
def test_ctrl_c_is_not_answered_by_every_worker(folder, tmp_path):
    code, messages = interrupt([sys.executable, "-c", RUN, str(folder), str(tmp_path / "out"), "local"], tmp_path / "out")
    assert code != 0
    assert messages.count("\nKeyboardInterrupt") == 1  # that of this test's own main program
    assert make(folder, tmp_path / "out") == 0
