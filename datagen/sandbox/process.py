"""The child process that native parsers run in: a hang, a crash or a bomb costs one page, not a worker.

The worker calls a generator function by name; the child runs it and sends back what it yields. Between two answers the child and
whatever it starts may use `deadline_s` seconds of CPU (reproducible whatever else the machine does), and ten times that on the
wall clock (a stuck file system uses no CPU). The address space of each of its processes is capped, so that a bomb meets a failed
allocation instead of the kernel's killer.

What this protects from:

- A parser that hangs, crashes or swells, and the programs that it started: none outlives its deadline, `close()`, or the worker.
- A parser that is talked into reading an address on the network: it can open no socket but Unix ones, where the kernel filters
  system calls (`Sandbox.walls()` says so).
- A parser that leaks its environment: it gets a short list of variables, none of them a credential, and an empty home.
- A worker that runs what a broken parser wrote: answers are MessagePack, decoded into the types that the caller names.

What this doesn't protect from: an attacker who already runs code in the parser. The child is the same user as the worker: it can
read and write every file that the user can, and look into the worker through /proc. If you expect such attackers, run pagewheel
in a container or a virtual machine of its own.

A plain `Popen`, not multiprocessing: dask's workers are daemonic and may not have multiprocessing children, and a spawned child
re-imports the parent's main module. `walls.py` is the other side.
"""

import contextlib
import functools
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec
import psutil

from datagen.disk.temporary import temporary_folder
from datagen.record import SampleError
from datagen.sandbox.walls import LENGTH_BYTES, MEMORY_MARKS, Message, Request, Walls

log = logging.getLogger(__name__)

T = TypeVar("T")

WALL_FACTOR = 10
_CHILD = "import sys; from datagen.sandbox.walls import main; main(*map(int, sys.argv[1:]))"
_LOADING_S = 120.0  # of processor time, for our own code to be imported
_ENDING_S = 10.0  # on the wall clock, for the supervisor to end all that is left
_MAX_ANSWER_BYTES = 1 << 28
# What of the worker's environment a child may see: what it takes to find programs, libraries and fonts, and to read text.
_ENVIRONMENT = ("PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH")


@dataclass(frozen=True)
class Limits:
    """`deadline_s` is CPU seconds an answer; `memory_bytes` caps the address space; a child is replaced after `num_messages`."""

    deadline_s: float = 30.0
    memory_bytes: int = 3 << 30
    num_messages: int = 5000


class Answer(NamedTuple, Generic[T]):
    """One value that the child's function yielded. `cpu_s` is what it took of the processor since the one before."""

    value: T
    cpu_s: float


class ChildDied(Exception):
    """The child is gone. `reason` is `timeout`, `memory` or `crash`. `cpu_s` is the processor time since its last answer, as far
    as it was seen."""

    def __init__(self, reason: str, detail: str, cpu_s: float = 0.0):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.cpu_s = cpu_s


class ChildBug(RuntimeError):
    """Our own code in the child raised what it should not: carries the child's traceback, and fails the shard."""


class Sandbox:
    """One child, started when it is first needed and after it was lost. Not shared between threads: see `sandbox()`."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self._is_busy = False
        self._process: subprocess.Popen | None = None

    def run(
        self, function: str, answer_type: type[T], imports: Sequence[str] = (), **arguments: Any
    ) -> Generator[Answer[T], None, None]:
        """What the generator `function` ("module:name") yields in the child, each value an `answer_type`.

        `imports` names, in the same form, what the function will import beside its own module: our code takes its time to load,
        which is not the document's. Arguments arrive as the types that the function's signature names.

        Raises `SampleError` as the function raised it, `ChildDied` if the child broke a limit, crashed, or answered what is no
        `answer_type`, and `ChildBug` for any other exception. Closing the iterator early kills the child.
        """
        decoder = _decoder(cast(Any, answer_type))
        if self._is_busy:  # with a call that nobody came back to: its messages would be taken for this one's
            self.close()
        if self._process is not None and (self._process.poll() is not None or self._messages > self.limits.num_messages):
            self.close()
        if self._process is None:
            self._start()
        is_done, process = False, self._process
        self._is_busy = True
        try:
            self._send(Request(function, list(imports), arguments))
            deadline_s = _LOADING_S
            while True:
                message, cpu_s = self._receive(deadline_s)
                is_done = message.kind in ("return", "error", "bug")
                if message.kind == "loaded":
                    deadline_s = self.limits.deadline_s
                elif message.kind == "yield":
                    yield Answer(_decoded(decoder, message.body), cpu_s)
                elif message.kind == "return":
                    return
                elif message.kind == "error":
                    raise SampleError(*_decoded(_decoder(tuple[str, str]), message.body))
                elif message.kind == "bug":
                    raise ChildBug(_decoded(_decoder(str), message.body))
                elif message.kind == "memory":
                    raise ChildDied("memory", _decoded(_decoder(str), message.body), cpu_s)
                else:
                    raise ChildDied("crash", f"garbled its answer: no message is a {message.kind!r}", cpu_s)
        finally:
            if self._process is process:  # and not another call's
                self._is_busy = False
                if not is_done:
                    self.close()

    def walls(self) -> Walls:
        """What the kernel let the child have. Starts it."""
        if self._process is None:
            self._start()
        return self._walls

    def close(self) -> None:
        """End the child and all that it started. They are gone when this returns."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_ENDING_S)
            except subprocess.TimeoutExpired:  # somebody stopped it
                self._process.kill()
                self._process.wait()
            self._socket.close()
            self._stderr.close()
            self._home.cleanup()
            self._process = None
        self._is_busy = False

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        for end in (self._socket, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a page's image in one go
        self._home = temporary_folder()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(theirs.fileno()), str(self.limits.memory_bytes), str(os.getpid())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            env=_environment(self._home.name),
            start_new_session=True,
        )
        theirs.close()
        self._messages, self._cpu_s = 0, 0.0
        self._walls = _decoded(_decoder(Walls), self._receive(_LOADING_S)[0].body)
        if not self._walls.network_is_closed:
            log.info("parsers run with the network open: this kernel filters no system calls")

    def _send(self, request: Request) -> None:
        message = msgspec.msgpack.encode(request)
        self._socket.settimeout(None)
        try:
            self._socket.sendall(len(message).to_bytes(LENGTH_BYTES) + message)
        except ConnectionError:  # it died while it waited: no matter of this call's, but the caller tries again
            raise self._post_mortem(0.0) from None

    def _receive(self, deadline_s: float) -> tuple[Message, float]:
        """The child's next message, and the processor time since the last. Raises `ChildDied` after `deadline_s` of it."""
        started = time.monotonic()
        length = int.from_bytes(self._exactly(LENGTH_BYTES, deadline_s, started))
        if length > _MAX_ANSWER_BYTES:
            raise ChildDied("crash", f"garbled its answer: {length} bytes")
        message = _decoded(_MESSAGE, self._exactly(length, deadline_s, started))
        before_s = self._cpu_s
        # A child that has children of its own can't say what those took that still run.
        self._cpu_s = max(before_s, self._tree_cpu_s() if message.has_children else message.cpu_s)
        self._messages += 1
        return message, self._cpu_s - before_s

    def _exactly(self, num_bytes: int, deadline_s: float, started: float) -> bytearray:
        """The next bytes that the child sends. Looks at its clocks now and then, also while bytes trickle in."""
        data = bytearray(num_bytes)
        view = memoryview(data)
        interval_s, looked, spent_s = min(1.0, deadline_s / 4), started, 0.0
        self._socket.settimeout(interval_s)
        while view:
            try:
                count = self._socket.recv_into(view)
                if count == 0:
                    raise self._post_mortem(spent_s)
                view = view[count:]
            except TimeoutError:
                pass
            except OSError:  # a connection that is reset amid a message
                raise self._post_mortem(spent_s) from None
            now = time.monotonic()
            if view and now - looked >= interval_s:
                looked, spent_s = now, max(spent_s, self._tree_cpu_s() - self._cpu_s)
                if spent_s > deadline_s or now - started > WALL_FACTOR * deadline_s:
                    raise ChildDied("timeout", f"over the deadline of {deadline_s:g} s", spent_s)
                # Whoever keeps the line open, a supervisor that was killed watches nobody.
                if self._process is None or self._process.poll() is not None:
                    raise self._post_mortem(spent_s)
        return data

    def _tree_cpu_s(self) -> float:
        """What the child, and all that it started, took of the processor."""
        assert self._process is not None
        seconds = 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self._process.pid)
            times = supervisor.cpu_times()
            seconds = times.children_user + times.children_system  # of orphans that it inherited
            for process in supervisor.children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    seconds += times.user + times.system + times.children_user + times.children_system
        return seconds

    def _post_mortem(self, cpu_s: float) -> Exception:
        """What the child died of, as an exception."""
        assert self._process is not None
        try:
            code = self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            return ChildDied("crash", "hung up", cpu_s)
        self._stderr.seek(0)
        output = self._stderr.read()[-2000:].decode(errors="replace").strip()
        if code > 0 and "Traceback" in output and "MemoryError" not in output:
            return ChildBug(output)
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        is_memory = code == -signal.SIGKILL or any(mark in output.lower() for mark in (*MEMORY_MARKS, "memoryerror"))
        return ChildDied("memory" if is_memory else "crash", name, cpu_s)


_MESSAGE = msgspec.msgpack.Decoder(Message)


@functools.cache
def _decoder(answer_type: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(answer_type)


def _decoded(decoder: msgspec.msgpack.Decoder[T], data: msgspec.Raw | bytearray) -> T:
    """Raises `ChildDied` for what isn't MessagePack or not of the decoder's type: it executes nothing."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ChildDied("crash", f"garbled its answer: {error}") from None


def _environment(home: str) -> dict[str, str]:
    """The environment of a child: what it takes to find our code, programs and fonts. It holds no credentials.

    Nor does it hold what dask sets for its workers: with its MALLOC_TRIM_THRESHOLD_ every page's pixels would be given back to
    the kernel and faulted in again.
    """
    passed = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith("LC_")}
    code = os.pathsep.join(path for path in sys.path if path)
    return passed | {"HOME": home, "TMPDIR": home, "PYTHONPATH": code, "OMP_NUM_THREADS": "1"}


_local = threading.local()


def sandbox(limits: Limits) -> Sandbox:
    """This thread's child with these limits, kept from shard to shard: starting one costs more than many pages."""
    box: Sandbox | None = getattr(_local, "sandbox", None)
    if box is None or box.limits != limits:
        if box is not None:
            box.close()
        _local.sandbox = box = Sandbox(limits)
    return box
