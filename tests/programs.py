"""Programs that stand on the PATH in place of those of the machine, and those that are killed."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
SRUN = f"""#!{sys.executable}
# As srun of SLURM 24.11 was seen to: a task on each of two machines, and the code of the worst. At TERM it kills them. USR1 it
# hands on to all processes of all tasks. With a task that fails the others get a TERM.
import contextlib, signal, subprocess, sys, time
import psutil
def to_all(number):
    for one in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)
signal.signal(signal.SIGTERM, lambda *_: to_all(signal.SIGKILL))
signal.signal(signal.SIGUSR1, lambda number, _: to_all(number))
command = sys.argv[1:]
while command[0].startswith("--"):
    del command[0]
tasks, has_failed = [subprocess.Popen(command) for _ in range(2)], False
while any(task.poll() is None for task in tasks):
    if not has_failed and any(task.returncode for task in tasks):
        has_failed = True
        to_all(signal.SIGTERM)
    time.sleep(0.1)
sys.exit(max(task.returncode if task.returncode >= 0 else 128 - task.returncode for task in tasks))
"""


def stand_in(folder: Path, name: str, text: str) -> str:
    """A PATH on which the program `name`, a script of this text in `folder`, comes before all others."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def killed_when(seen: Callable[[], object], program: str, *arguments: object) -> list[psutil.Process]:
    """Start Python on this program, and kill its own process when `seen` says so. Its workers and their children have to notice:
    those that are left half a minute later."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True)
    while not seen():
        assert run.poll() is None, "the run ended before it could be killed"
        time.sleep(0.005)
    family = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    return [one for one in psutil.wait_procs(family, timeout=30)[1] if _is_alive(one)]


def _is_alive(process: psutil.Process) -> bool:
    """Whether it runs on: a dead one whose parent doesn't ask for it is left to nobody."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def is_running(name: str) -> bool:
    """Whether a descendant of this process has `name` in its own. One that ends while it is asked has none."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if name in process.name():
                return True
    return False


@contextlib.contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file grows beyond so many bytes: what writes more gets an error, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def until(is_so: Callable[[], object], log: Path | None = None, seconds: float = 240) -> None:
    """Wait, and say what stands in the log if it takes too long."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, log and log.read_text()
        time.sleep(0.1)
