"""Temporary folders: what a killed process left goes, and nothing that another one uses."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from datagen.disk import temporary
from datagen.disk.temporary import in_memory, sweep, temporary_folder
from tests.outputs import ROOT

BUILDS = """
import sys
from datagen.disk.storage import Folder
with Folder("memory://pagewheel-test-temporary").create("shards/a.tar") as file:
    file.write(bytes(1000))
    file.flush()
    print("under way", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def building():
    """A process amid building an object."""
    process = subprocess.Popen([sys.executable, "-c", BUILDS], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "under way\n"
    yield process
    process.kill()
    process.wait()


def test_what_a_killed_process_left_goes_and_what_a_living_one_builds_stays(building, place):
    (left,) = place.iterdir()
    assert [p.stat().st_size for p in left.iterdir()] == [1000]
    assert sweep() == 0 and left.exists()
    building.send_signal(signal.SIGKILL)
    building.wait()
    assert sweep() == 1 and list(place.iterdir()) == []


def test_what_is_not_ours_stays(place, monkeypatch):
    ours = temporary._prefix()
    kept = [place / "other", place / "pagewheel-00000000-elsewhere", place / f"{ours}link"]
    kept[0].mkdir()
    kept[1].mkdir()
    kept[2].symlink_to(kept[0])
    (place / f"{ours}gone").mkdir()
    with monkeypatch.context() as other:
        other.setattr("os.getuid", lambda: 12345)
        assert sweep() == 0
    assert sweep() == 1
    assert sorted(place.iterdir()) == sorted(kept)


def test_a_folder_swept_before_it_is_locked_is_made_again(place, monkeypatch):
    """As another process may, that looks in between."""
    lock, swept = temporary.fcntl.flock, []

    def late(fd, how):
        if not swept:
            swept.append(next(place.iterdir()))
            swept[0].rmdir()
        lock(fd, how)

    monkeypatch.setattr(temporary.fcntl, "flock", late)
    with temporary_folder() as folder:
        assert Path(folder).exists() and Path(folder) != swept[0]


def test_memory_is_taken_only_where_there_is_room(place, monkeypatch):
    monkeypatch.setattr(temporary, "_MEMORY", str(place / "gone"))
    assert in_memory() == str(place)
    monkeypatch.setattr(temporary, "_MEMORY", "/dev/shm")
    assert in_memory(1 << 60) == str(place)
