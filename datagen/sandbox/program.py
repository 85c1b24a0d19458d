"""Programs of their own, such as LibreOffice, run by the sandboxed child with a deadline, and kept from files by Landlock."""

import contextlib
import os
import resource
import select
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from datagen.record import SampleError
from datagen.sandbox import landlock
from datagen.sandbox.process import WALL_FACTOR

SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")
"""What each program of the system reads."""


def run_program(
    name: str,
    command: Sequence[str],
    deadline_s: float,
    environment: Mapping[str, str],
    readable: Sequence[str],
    writable: Sequence[str],
    with_sockets: Sequence[str] = (),
) -> tuple[int, str]:
    """The program's exit code, negative for a signal, and the end of what it printed.

    `name` is what people call it; `environment` is set beside that of the caller. The program opens nothing but what is at or
    under these paths, where the kernel has Landlock. Nothing that it started runs on when this returns or raises.

    Raises `SampleError` (`timeout`) after `deadline_s` processor seconds, or `WALL_FACTOR` times that on the wall clock."""
    seconds = max(1, round(deadline_s))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # of a signal before its end LibreOffice makes a crash
        if not landlock.restrict(readable, writable, with_sockets) and landlock.holds():
            raise OSError("Landlock held before, and doesn't now")  # the program isn't started

    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            env=os.environ | environment,
            start_new_session=True,
            preexec_fn=limit,  # the child has one thread
        )
        before_s = _waited_s()
        try:
            is_done = _ends_within(process.pid, WALL_FACTOR * deadline_s)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _reap(process.pid)
        printed.seek(0)
        output = printed.read()[-4000:].decode(errors="replace")
    if not is_done:
        raise SampleError("timeout", f"{name} took over {WALL_FACTOR * deadline_s:g} s on the wall clock")
    # The limit counts by ticks, which on a busy machine are far more than what was taken: 0.79 s of 1 s, once.
    if process.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL) and _waited_s() - before_s > 0.5 * seconds:
        raise SampleError("timeout", f"{name} took over {seconds} s of processor time")
    return process.returncode, output


def ending(code: int) -> str:
    """How a program with that exit code ended, in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def _reap(group: int) -> None:
    """Wait for what the program started and left behind, all of it killed: a sandboxed child inherits it, and while it has
    children of whom nobody knows what they took, each answer of its costs a look at all processes."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _waited_s() -> float:
    """Processor seconds of the children that this process has waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return waited.ru_utime + waited.ru_stime


def _ends_within(pid: int, seconds: float) -> bool:
    """Wait for a child of this process, without looking now and then: that would cost a conversion some percent."""
    fd = os.pidfd_open(pid)
    try:
        waiting = select.poll()
        waiting.register(fd, select.POLLIN)
        return bool(waiting.poll(1000 * seconds))
    finally:
        os.close(fd)
