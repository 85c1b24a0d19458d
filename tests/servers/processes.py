"""Servers of others, each in a folder of its own and on free ports of loopback, and ended with all their children."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest


def need(*programs: str) -> None:
    """Skip the test, and say what is missing, unless all `programs` can be run."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"make setup-servers found no {', '.join(missing)} for this machine")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    ready: Callable[[], bool],
    seconds: float = 60,
    env: Mapping[str, str] = os.environ,
) -> Iterator[subprocess.Popen]:
    """A server in the foreground: `command`, run in `folder`, from when `ready()` holds until the block ends.

    What it prints is in `folder/NAME.log`. Raises `RuntimeError` with the end of that log if the server ends, or isn't ready
    after `seconds`. At the end it and all its descendants get a TERM, and a KILL after ten seconds.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        server = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        until = time.monotonic() + seconds
        while not ready():
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} isn't ready, exit code {server.poll()}: {log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield server
    finally:
        end(server.pid)
        server.wait()


def end(pid: int) -> None:
    """End a process and its descendants, those in sessions of their own among them."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=10)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=10)


def answers(url: str) -> bool:
    """Whether an HTTP server answers at `url`, whatever it answers."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
