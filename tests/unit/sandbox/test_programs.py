"""What the child starts: none of it outlives the child, and what it takes of the processor counts."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from datagen.sandbox import process
from datagen.sandbox.process import ChildDied, Limits, Sandbox
from tests.unit.sandbox.test_process import until_death, values

HERE, THERE = "tests.unit.sandbox.test_programs:", "tests.unit.sandbox.test_process:"

# What a program that was started by a parser may do to stay: nothing, or leave its session, its parent and its signals behind.
LEAVE = """
import os, signal, sys, time
if os.fork(): os._exit(0)
os.setsid()
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
if os.fork(): os._exit(0)
open(sys.argv[1], "w").write(os.readlink("/proc/self"))
time.sleep(600)
"""
STAY = "import os, sys, time; open(sys.argv[1], 'w').write(os.readlink('/proc/self')); time.sleep(600)"
SPIN = "import os, sys\nopen(sys.argv[1], 'w').write(os.readlink('/proc/self'))\nwhile True: pass"


def start(programs: dict[str, str], folder: str, then: str = "spin") -> Iterator[str]:
    """Start programs that write their numbers into files in `folder`; then hang, wait, end, crash, or go on answering."""
    for name, code in programs.items():
        subprocess.Popen([sys.executable, "-c", code, f"{folder}/.{name}"])
    for name in programs:
        while not os.path.exists(f"{folder}/.{name}") or not os.path.getsize(f"{folder}/.{name}"):
            time.sleep(0.01)
        os.rename(f"{folder}/.{name}", f"{folder}/{name}")
    yield "started"
    if then == "crash":
        ctypes.string_at(0)
    while then == "spin":
        pass
    while then == "wait":
        time.sleep(0.1)
    while then == "answer":
        yield "on"
        time.sleep(0.1)


@pytest.fixture
def box():
    box = Sandbox(Limits(deadline_s=1.0, memory_bytes=2 << 30))
    yield box
    box.close()


def family(folder) -> list[psutil.Process]:
    """The processes whose numbers stand in the files in `folder`, all of them alive."""
    processes = [psutil.Process(int(path.read_text())) for path in sorted(folder.iterdir())]
    assert all(process.is_running() for process in processes)
    return processes


def survivors(processes, timeout: float = 10) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=timeout)[1]


PROGRAMS = {"stays": STAY, "leaves": LEAVE}


def test_the_deadline_ends_what_the_child_started(box, tmp_path):
    stream = box.run(HERE + "start", str, programs=PROGRAMS, folder=str(tmp_path))
    assert next(stream).value == "started"
    processes = family(tmp_path)
    assert until_death(stream) == ([], "timeout")
    assert survivors(processes, timeout=0) == []


def test_closing_ends_what_the_child_started(box, tmp_path):
    stream = box.run(HERE + "start", str, programs=PROGRAMS, folder=str(tmp_path), then="wait")
    assert next(stream).value == "started"
    processes = family(tmp_path)
    box.close()
    assert survivors(processes, timeout=0) == []


def test_a_crash_ends_what_the_child_started(box, tmp_path):
    stream = box.run(HERE + "start", str, programs=PROGRAMS, folder=str(tmp_path), then="crash")
    assert until_death(stream) == (["started"], "crash")
    assert survivors(family_of(tmp_path)) == []


def family_of(folder) -> list[psutil.Process]:
    processes = []
    for path in folder.iterdir():
        with contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(int(path.read_text())))
    return processes


PARENT = f"""
import sys
from datagen.sandbox.process import Limits, Sandbox
from tests.unit.sandbox.test_programs import PROGRAMS
box = Sandbox(Limits(deadline_s=100))
stream = box.run({HERE!r} + "start", str, programs=PROGRAMS, folder=sys.argv[1], then=sys.argv[2])
next(stream)
print(box._process.pid, flush=True)
next(stream)
"""


@pytest.mark.parametrize(("which", "then"), [("worker", "spin"), ("worker", "wait"), ("supervisor", "spin")])
def test_whoever_is_killed_nothing_that_the_child_started_lives_on(box, tmp_path, which, then):
    """With `spin`, while the parser is in code that looks at no pipe."""
    if which == "supervisor" and not box.walls().has_pid_namespace:
        pytest.skip("this kernel refuses a PID namespace: a supervisor that is killed leaves what it watched")
    worker = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), then], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    supervisor = psutil.Process(int(worker.stdout.readline()))
    processes = [*family(tmp_path), supervisor, *supervisor.children(recursive=True)]
    assert len({process.pid for process in processes}) >= 4
    (worker if which == "worker" else supervisor).send_signal(signal.SIGKILL)
    assert survivors(processes) == []
    worker.wait(120)


def test_a_child_of_no_namespace_leaves_nothing_either(box, tmp_path, monkeypatch):
    """As where the kernel refuses: the supervisor finds what detached itself."""
    monkeypatch.setattr("datagen.sandbox.process._CHILD", NO_NAMESPACE)
    assert box.walls() == (False, False)
    for then in ("spin", "crash", "wait"):
        (tmp_path / then).mkdir()
        stream = box.run(HERE + "start", str, programs=PROGRAMS, folder=str(tmp_path / then), then=then)
        next(stream)
        processes = family_of(tmp_path / then)
        if then != "wait":
            until_death(stream)
        box.close()
        assert survivors(processes, timeout=0) == []


NO_NAMESPACE = """
import sys
from datagen.sandbox import walls
walls._has_pid_namespace = walls._network_is_closed = lambda: False
walls.main(*map(int, sys.argv[1:]))
"""


def test_a_worker_that_is_killed_leaves_nothing_without_a_namespace(tmp_path):
    parent = f"import datagen.sandbox.process\ndatagen.sandbox.process._CHILD = {NO_NAMESPACE!r}\n{PARENT}"
    worker = subprocess.Popen(
        [sys.executable, "-c", parent, str(tmp_path), "spin"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    supervisor = psutil.Process(int(worker.stdout.readline()))
    processes = [*family(tmp_path), supervisor, *supervisor.children(recursive=True)]
    worker.kill()
    worker.wait()
    assert survivors(processes) == []


def test_a_busy_program_trips_the_deadline_though_the_child_itself_sleeps(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "WALL_FACTOR", 1000)  # the wall clock ends nothing here: what ends it is processor time
    box = Sandbox(Limits(deadline_s=1.0))
    stream = box.run(HERE + "start", str, programs={"spins": SPIN}, folder=str(tmp_path), then="wait")
    with pytest.raises(ChildDied) as death:
        list(stream)
    assert death.value.reason == "timeout"
    assert death.value.cpu_s > 1.0
    assert survivors(family_of(tmp_path)) == []


def test_a_program_that_was_waited_for_counts_too(box):
    assert values(box.run(THERE + "run_and_wait", str, seconds=0.3)) == ["before", "after"]
    assert until_death(box.run(THERE + "run_and_wait", str, seconds=30)) == (["before"], "timeout")


def test_what_a_program_took_before_an_answer_is_not_counted_against_the_next(tmp_path):
    """One that runs through many answers, as an office or a browser does, takes more in all than one answer may."""
    box = Sandbox(Limits(deadline_s=1.0))
    stream = box.run(HERE + "start", str, programs={"spins": SPIN}, folder=str(tmp_path), then="answer")
    spent_s, started = 0.0, time.monotonic()
    for answer in stream:
        spent_s += answer.cpu_s
        if spent_s > 2.5:
            break
        assert time.monotonic() - started < 240
    stream.close()
    assert survivors(family_of(tmp_path), timeout=0) == []
