"""The child process that native parsers run in: a hang, a crash or a bomb costs one page, not a worker.

The parent calls a generator function by name; the child runs it and sends back what it yields. Between two messages the child may
use `deadline_s` seconds of CPU (reproducible whatever else the machine does) and ten times that on the wall clock (a stuck file
system uses no CPU). Its address space is capped, so that a bomb meets a failed allocation instead of the kernel's killer.

A plain `Popen`, not multiprocessing: dask's workers are daemonic and may not have multiprocessing children, and a spawned child
re-imports the parent's main module. What the child sends is unpickled: the sandbox holds the accidents of hostile files, not an
attacker who already runs code in the parser.
"""

import ctypes
import math
import os
import pickle
import pkgutil
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil

from datagen.record import SampleError

WALL_FACTOR = 10
_PR_SET_PDEATHSIG = 1
_CHILD = "import sys; from datagen.sandbox import child; child(*map(int, sys.argv[1:]))"
_LOADING_S = 120.0  # of processor time, for our own code to be imported
MEMORY_MARKS = ("malloc", "calloc", "realloc", "out of memory", "cannot allocate")


@dataclass(frozen=True)
class Limits:
    """`deadline_s` is CPU seconds a message; `memory_bytes` caps the address space; a child is replaced after `num_messages`."""

    deadline_s: float = 30.0
    memory_bytes: int = 3 << 30
    num_messages: int = 5000


class ChildDied(Exception):
    """The child is gone. `reason` is `timeout`, `memory` or `crash`."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ChildBug(RuntimeError):
    """Our own code in the child raised what it should not: carries the child's traceback, and fails the shard."""


class Sandbox:
    """One child, started when it is first needed and after it was lost. Not shared between threads: see `sandbox()`.

    `call_s` is what the last call has taken of the child's processor so far, in seconds.
    """

    def __init__(self, limits: Limits):
        self.limits = limits
        self.call_s = 0.0
        self._is_busy = False
        self._process: subprocess.Popen | None = None

    def run(self, function: str, imports: Sequence[str] = (), **arguments: Any) -> Iterator[Any]:
        """What the generator `function` ("module:name") yields in the child. What it will import beside its own module, `imports`
        name likewise: our code takes its time to load, which is not the document's.

        Raises `SampleError` as the function raised it, `ChildDied` if the child broke a limit or crashed, `ChildBug` for any
        other exception. Closing the iterator early kills the child.
        """
        self.call_s = 0.0
        if self._is_busy:  # with a call that nobody came back to: its messages would be taken for this one's
            self.close()
        if self._process is not None and (self._process.poll() is not None or self._messages > self.limits.num_messages):
            self.close()
        if self._process is None:
            self._start()
        done, process = False, self._process
        self._is_busy, self._began_s = True, math.inf
        try:
            self._send((function, imports, arguments))
            deadline_s = _LOADING_S
            while True:
                kind, value = self._receive(deadline_s)
                if kind == "loaded":
                    deadline_s, self._began_s = self.limits.deadline_s, self._cpu_s
                    continue
                self.call_s = self._cpu_s - self._began_s
                if kind == "yield":
                    yield value
                    continue
                done = kind != "memory"
                if kind == "error":
                    raise value
                if kind == "bug":
                    raise ChildBug(value)
                if kind == "memory":
                    raise ChildDied("memory", value)
                return
        finally:
            if self._process is process:  # and not another call's
                self._is_busy = False
                if not done:
                    self.close()

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._connection.close()
            self._stderr.close()
            self._process = None
        self._is_busy = False

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a page's image in one go
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(theirs.fileno()), str(self.limits.memory_bytes), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            env=_environment(),
        )
        theirs.close()
        self._connection = Connection(ours.detach())
        self._messages = 0
        self._cpu_s, self._began_s = 0.0, math.inf
        if self._receive(_LOADING_S)[0] != "ready":
            raise ChildBug("the child did not start")

    def _send(self, call: tuple[str, Sequence[str], dict[str, Any]]) -> None:
        try:
            self._connection.send(call)
        except ConnectionError:  # it died while it waited: no matter of this call's, but the caller tries again
            raise self._post_mortem() from None

    def _receive(self, deadline_s: float) -> tuple[str, Any]:
        """The child's next message. Waits `deadline_s` for it, of its processor's time."""
        assert self._process is not None
        started = time.monotonic()
        try:
            while not self._connection.poll(min(1.0, deadline_s / 4)):
                now_s, wall_s = self._child_cpu_s(), time.monotonic() - started
                cpu_s, self.call_s = now_s - self._cpu_s, max(self.call_s, now_s - self._began_s)
                if cpu_s > deadline_s or wall_s > WALL_FACTOR * deadline_s:
                    raise ChildDied("timeout", f"over the deadline of {deadline_s:g} s")
        except ConnectionError:
            raise self._post_mortem() from None
        try:
            kind, value, self._cpu_s = self._connection.recv()
        except pickle.UnpicklingError as error:
            raise ChildDied("crash", f"garbled its answer: {error}") from None
        except (EOFError, OSError):  # a plain OSError where it died amid a message
            raise self._post_mortem() from None
        self._messages += 1
        return kind, value

    def _child_cpu_s(self) -> float:
        assert self._process is not None
        try:
            times = psutil.Process(self._process.pid).cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return times.user + times.system

    def _post_mortem(self) -> Exception:
        assert self._process is not None
        code = self._process.wait()
        self._stderr.seek(0)
        said = self._stderr.read()[-2000:].decode(errors="replace").strip()
        if code > 0 and "Traceback" in said and "MemoryError" not in said:
            return ChildBug(said)
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        out_of_memory = code == -signal.SIGKILL or any(m in said.lower() for m in (*MEMORY_MARKS, "memoryerror"))
        return ChildDied("memory" if out_of_memory else "crash", name)


def _environment() -> dict[str, str]:
    """The parent's environment, so that the child finds the same code, without what dask sets for its workers: with its
    MALLOC_TRIM_THRESHOLD_ every page's pixels are given back to the kernel and faulted in again."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return kept | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"}


_local = threading.local()


def sandbox(limits: Limits) -> Sandbox:
    """This thread's child with these limits, kept from shard to shard: starting one costs more than many pages."""
    held: Sandbox | None = getattr(_local, "sandbox", None)
    if held is None or held.limits != limits:
        if held is not None:
            held.close()
        _local.sandbox = held = Sandbox(limits)
    return held


def child(fd: int, memory_bytes: int, parent: int) -> None:
    """The child's main loop: one call at a time until the parent hangs up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # native code can't notice a closed pipe
        if os.getppid() != parent:
            return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = Connection(fd)

    def send(kind: str, value: Any = None) -> None:
        connection.send((kind, value, time.process_time()))

    send("ready")
    while True:
        try:
            function, imports, arguments = connection.recv()
        except (EOFError, ConnectionError):
            return
        try:
            run, *_ = map(pkgutil.resolve_name, (function, *imports))
            send("loaded")
            for value in run(**arguments):
                send("yield", value)
            send("return")
        except SampleError as error:
            send("error", error)
        except MemoryError as error:
            send("memory", str(error) or "allocation failed")
            os._exit(0)  # the heap may hold the bomb still
        except ConnectionError:
            return
        except Exception:  # whatever it is, the parent raises it as a bug, which fails the shard
            send("bug", traceback.format_exc())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a native library's exception says that an allocation failed."""
    return isinstance(error, MemoryError) or any(mark in str(error).lower() for mark in MEMORY_MARKS)
