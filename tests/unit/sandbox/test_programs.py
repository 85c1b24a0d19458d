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
from tests.unit.sandbox.test_process import until_death

HERE = "tests.unit.sandbox.test_programs:"

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


def family(folder, is_alive: bool = True) -> list[psutil.Process]:
    """The processes whose numbers stand in the files in `folder`: all of them alive, or those that still are."""
    processes = []
    for path in sorted(folder.iterdir()):
        with contextlib.nullcontext() if is_alive else contextlib.suppress(psutil.NoSuchProcess):
            processes.append(psutil.Process(int(path.read_text())))
    assert all(process.is_running() for process in processes) or not is_alive
    return processes


def survivors(processes, timeout: float = 10) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=timeout)[1]


PROGRAMS = {"stays": STAY, "leaves": LEAVE}


# A child where the kernel refuses a PID namespace: the supervisor finds what detached itself.
NO_NAMESPACE = """
import sys
from datagen.sandbox import walls
walls._has_pid_namespace = walls._network_is_closed = lambda: False
walls.main(*map(int, sys.argv[1:]))
"""


@pytest.mark.parametrize(("child", "then"), [("", "spin"), ("", "crash"), ("", "wait"), (NO_NAMESPACE, "spin")])
def test_nothing_that_the_child_started_outlives_its_deadline_its_crash_or_its_closing(box, tmp_path, monkeypatch, child, then):
    if child:
        monkeypatch.setattr("datagen.sandbox.process._CHILD", child)
        assert box.walls() == (False, False)
    stream = box.run(HERE + "start", str, programs=PROGRAMS, folder=str(tmp_path), then=then)
    assert next(stream).value == "started"
    processes = family(tmp_path, is_alive=then != "crash")
    if then == "wait":
        box.close()
    else:
        assert until_death(stream) == ([], "timeout" if then == "spin" else "crash")
    assert survivors(processes, timeout=10 if then == "crash" else 0) == []


PARENT = f"""
import sys
from datagen.sandbox import process
from datagen.sandbox.process import Limits, Sandbox
from tests.unit.sandbox.test_programs import PROGRAMS
process._CHILD = sys.argv[3] or process._CHILD
box = Sandbox(Limits(deadline_s=100))
stream = box.run({HERE!r} + "start", str, programs=PROGRAMS, folder=sys.argv[1], then=sys.argv[2])
next(stream)
print(box._process.pid, flush=True)
next(stream)
"""


@pytest.mark.parametrize(
    ("which", "then", "child"),
    [("worker", "spin", ""), ("supervisor", "spin", ""), ("worker", "spin", NO_NAMESPACE)],
)
def test_whoever_is_killed_nothing_that_the_child_started_lives_on(box, tmp_path, which, then, child):
    """With `spin`, while the parser is in code that looks at no pipe."""
    if which == "supervisor" and not box.walls().has_pid_namespace:
        pytest.skip("this kernel refuses a PID namespace: a supervisor that is killed leaves what it watched")
    worker = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), then, child], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    supervisor = psutil.Process(int(worker.stdout.readline()))
    processes = [*family(tmp_path), supervisor, *supervisor.children(recursive=True)]
    assert len({process.pid for process in processes}) >= 4 - bool(child)
    (worker if which == "worker" else supervisor).send_signal(signal.SIGKILL)
    assert survivors(processes) == []
    worker.wait(120)


def test_a_busy_program_trips_the_deadline_though_the_child_itself_sleeps(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "WALL_FACTOR", 1000)  # the wall clock ends nothing here: what ends it is processor time
    box = Sandbox(Limits(deadline_s=1.0))
    stream = box.run(HERE + "start", str, programs={"spins": SPIN}, folder=str(tmp_path), then="wait")
    with pytest.raises(ChildDied) as death:
        list(stream)
    assert death.value.reason == "timeout"
    assert death.value.cpu_s > 1.0
    assert survivors(family(tmp_path, is_alive=False)) == []


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
    assert survivors(family(tmp_path, is_alive=False), timeout=0) == []
