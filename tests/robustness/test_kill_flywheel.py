"""SIGKILL while a reader is trained, and while pages are read: the same command ends in the same reader and the same labels."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import wheel
from tests.outputs import ROOT, check_corpus

RUN = """
import sys
from pathlib import Path
from tests import wheel
sys.exit(wheel.turn(Path(sys.argv[1]), Path(sys.argv[2]), on=sys.argv[3]))
"""


def digests(out: Path) -> dict[str, str]:
    """What a round leaves that others build on: the reader, the labels, the figures."""
    kept = [
        *out.glob("round-1/reader/Cyrl/*"),
        *out.glob("round-1/shards/*.tar"),
        out / "round-1/metrics.json",
        out / "round-1/round.json",
    ]
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(kept)}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert wheel.turn(wheel.documents(folder / "in"), folder / "out") == 0
    return folder


def kill_when(folder: Path, out: Path, seen, on: str) -> None:
    """Run until `seen` says so, and kill."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(out), on],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
    )
    deadline = time.monotonic() + 200
    while not seen() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert run.poll() is None, "the run ended before it could be killed"
    os.kill(run.pid, signal.SIGKILL)
    run.wait()


@pytest.mark.timeout(600)
def test_killed_in_training_and_in_reading_it_ends_in_the_same_bytes(undisturbed, tmp_path):
    folder, out = undisturbed / "in", tmp_path / "out"
    reader, shards = out / "round-1" / "reader" / "Cyrl", out / "round-1" / "shards"
    kill_when(folder, out, lambda: list(reader.glob("checkpoint-*.safetensors")), "inline")
    assert not (reader / "config.json").exists()
    kill_when(folder, out, lambda: list(shards.glob("*.json")), "inline")
    assert not (out / "round-1" / "metrics.json").exists()
    assert len(list(shards.glob("*.json"))) < len(list((undisturbed / "out/round-1/shards").glob("*.json")))
    assert wheel.turn(folder, out) == 0
    assert digests(out) == digests(undisturbed / "out")
    assert not list(out.rglob(".tmp-*"))
    check_corpus(out)
