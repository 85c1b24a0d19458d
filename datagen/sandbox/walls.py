"""The child's side of the sandbox: the walls around it, the supervisor that ends whatever it leaves, and the loop that answers.

    worker ── supervisor ── child ── whatever the child starts

The supervisor does nothing but wait. When the child ends, when the worker asks (SIGTERM) or when the worker dies (the kernel then
sends SIGTERM), it kills all that is left and ends as the child did. It inherits orphans (PR_SET_CHILD_SUBREAPER), so that a
process which detached itself is found, too. Where the kernel lets one, the child is the first process of a PID namespace of its
own: the kernel then ends everything inside with it, even if the supervisor itself is killed. Root needs no more than its rights
for that, a plain user a user namespace. Containers often refuse both; the supervisor alone has to do then.

This file is what the child loads before it knows its task: it imports little.
"""

import contextlib
import ctypes
import inspect
import os
import pkgutil
import platform
import resource
import signal
import socket
import sys
import time
import traceback
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import msgspec

from datagen.record import SampleError, clean_text

MEMORY_MARKS = ("malloc", "calloc", "realloc", "out of memory", "cannot allocate")
LENGTH_BYTES = 4  # of the number, most significant byte first, that precedes every message

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_CLONE_NEWUSER, _CLONE_NEWPID = 0x10000000, 0x20000000


class Message(NamedTuple):
    """What the child sends. `cpu_s` is the processor time so far, of the child and of the processes that it has waited for.

    `body` depends on `kind`: an answer (yield), a traceback (bug), reason and detail (error), a text (memory), `Walls` (ready).
    """

    kind: str
    cpu_s: float
    has_children: bool
    body: msgspec.Raw


class Walls(NamedTuple):
    """What the kernel let the child have: a PID namespace of its own, and no network."""

    has_pid_namespace: bool
    network_is_closed: bool


class Request(NamedTuple):
    """A generator function ("module:name"), what it will import beside its own module, and its arguments."""

    function: str
    imports: list[str]
    arguments: dict[str, Any]


def main(fd: int, memory_bytes: int, worker: int) -> NoReturn:
    """Build the walls, fork the child, and wait for its end or the worker's."""
    signals = {signal.SIGTERM, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a worker may have been told to ignore it, and that is inherited
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != worker:
            os._exit(0)
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    walls = Walls(_has_pid_namespace(), _network_is_closed())
    child = os.fork()
    if child == 0:
        if sys.platform == "linux":
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # native code can't notice a closed socket
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        with contextlib.suppress(ConnectionError, EOFError):  # the worker hung up
            _answer(socket.socket(fileno=fd), walls)
        os._exit(0)
    os.close(fd)
    _end_as(_supervised(child, signals))


def _supervised(child: int, signals: set[signal.Signals]) -> int:
    """The status with which the child ended, once all that it started is gone, too."""
    status: int | None = None
    while status is None and signal.sigwait(signals) != signal.SIGTERM:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                status = ended[1] if ended[0] == child else status
    while True:  # orphans of what is killed become ours, so this takes as many turns as their tree is high
        for pid in _own_children():
            os.kill(pid, signal.SIGKILL)
        try:
            pid, last = os.waitpid(-1, 0)
        except ChildProcessError:
            return 0 if status is None else status
        status = last if pid == child else status


def _own_children() -> list[int]:
    pids = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            parent = file.read().rpartition(b")")[2].split()[1]
            pids += [int(name)] * (int(parent) == os.getpid())
    return pids


def _end_as(status: int) -> NoReturn:
    """End this process as the child ended, so that the worker learns of the signal."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _has_pid_namespace() -> bool:
    """Whether the next child becomes the first process of a PID namespace; asks the kernel for it."""
    if sys.platform != "linux":
        return False
    uid, gid = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None).unshare
    if unshare(_CLONE_NEWPID) == 0:
        return True
    if unshare(_CLONE_NEWUSER | _CLONE_NEWPID) != 0:
        return False
    # A new user namespace knows nobody: without a map, files would belong to "nobody" in the child's eyes.
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(line)
    return True


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("jump_true", ctypes.c_uint8), ("jump_false", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


# Of each machine: its number in seccomp's data, and the numbers of the system calls `socket` and `seccomp`.
_MACHINES = {"x86_64": (0xC000003E, 41, 317), "aarch64": (0xC00000B7, 198, 277)}
_LOAD, _IS_EQUAL, _IS_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 13  # EACCES
_IO_URING_SETUP = 425  # through which sockets are to be had, too
_SECCOMP_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4


def _network_is_closed() -> bool:
    """Whether from now on no process here can open a socket, but for Unix ones; asks the kernel for it (seccomp)."""
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        return False
    machine, socket_call, seccomp_call = _MACHINES[platform.machine()]
    steps = [
        (_LOAD, 0, 0, 4),
        (_IS_EQUAL, 0, 7, machine),  # another machine's calls have other numbers: none is allowed
        (_LOAD, 0, 0, 0),
        (_IS_AT_LEAST, 5, 0, 0x40000000),  # nor are those of the x32 interface
        (_IS_EQUAL, 4, 0, _IO_URING_SETUP),
        (_IS_EQUAL, 0, 2, socket_call),
        (_LOAD, 0, 0, 16),
        (_IS_EQUAL, 0, 1, socket.AF_UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    program = _Program(len(steps), (_Instruction * len(steps))(*(_Instruction(*step) for step in steps)))
    return ctypes.CDLL(None).syscall(seccomp_call, _SECCOMP_SET_MODE_FILTER, _SPEC_ALLOW, ctypes.byref(program)) == 0


def _answer(connection: socket.socket, walls: Walls) -> None:
    """One call after the other, until the worker hangs up."""
    requests = msgspec.msgpack.Decoder(Request)
    _send(connection, "ready", walls)
    while True:
        request = requests.decode(_exactly(connection, int.from_bytes(_exactly(connection, LENGTH_BYTES))))
        try:
            function, *_ = map(pkgutil.resolve_name, (request.function, *request.imports))
            arguments = _typed(function, request.arguments)
            _send(connection, "loaded")
            for value in function(**arguments):
                _send(connection, "yield", value)
            _send(connection, "return")
        except SampleError as error:
            _send(connection, "error", (clean_text(error.reason), clean_text(error.detail)))
        except MemoryError as error:
            _send(connection, "memory", clean_text(str(error)) or "allocation failed")
            os._exit(0)  # the heap may hold the bomb still
        except ConnectionError:
            return
        except Exception:  # whatever it is, the worker raises it as a bug, which fails the shard
            _send(connection, "bug", clean_text(traceback.format_exc()))


def _typed(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as the types that the function's signature names; those that it doesn't annotate stay plain values."""
    hints = typing.get_type_hints(inspect.unwrap(function))
    return {name: msgspec.convert(value, hints.get(name, Any)) for name, value in arguments.items()}


_ENCODER = msgspec.msgpack.Encoder()


def _send(connection: socket.socket, kind: str, value: Any = None) -> None:
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = time.process_time() + waited.ru_utime + waited.ru_stime
    message = _ENCODER.encode((kind, cpu_s, _has_children(), value))
    connection.sendall(len(message).to_bytes(LENGTH_BYTES))
    connection.sendall(message)


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _exactly(connection: socket.socket, num_bytes: int) -> bytearray:
    data = bytearray(num_bytes)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return data


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a native library's exception says that an allocation failed."""
    return isinstance(error, MemoryError) or any(mark in str(error).lower() for mark in MEMORY_MARKS)
