"""What of the file system a program may open: Landlock, by which Linux takes rights from the process that asks, for good.

It needs no rights. A kernel before 5.13, or one that is told to do without, has none of it.
"""

import contextlib
import ctypes
import functools
import os
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, with the same numbers on all machines
_VERSION, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_EXECUTE, _WRITE, _READ, _LIST, _REMOVE_FILE, _MAKE_SOCKET, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 9, 1 << 14
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1}  # by the kernel's version of Landlock, 3 and above: with _TRUNCATE
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE


def version() -> int:
    """The kernel's version of Landlock; 0 if it has none."""
    return max(0, ctypes.CDLL(None).syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION))


@functools.cache
def holds() -> bool:
    """Whether the kernel keeps a process from files: tried in a child, since it is for good. A kernel may know Landlock, and a
    container's filter of system calls refuse it."""
    child = os.fork()
    if child == 0:
        is_refused = False
        with contextlib.suppress(Exception):
            if restrict([], []):
                try:
                    os.close(os.open("/etc/passwd", os.O_RDONLY))
                except PermissionError:
                    is_refused = True
        os._exit(0 if is_refused else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def restrict(readable: Iterable[str], writable: Iterable[str], with_sockets: Iterable[str] = ()) -> bool:
    """From now on this process, and what it starts, can open what is at or under the paths `readable` to read and run it, and
    what is at or under `writable` for all; under `with_sockets` it can make and delete Unix sockets. Paths that aren't there are
    passed over. Returns whether the kernel did it."""
    number = version()
    if number == 0:
        return False
    handled = _ALL.get(number, (1 << 15) - 1)
    call, prctl = ctypes.CDLL(None).syscall, ctypes.CDLL(None).prctl
    rules = call(_CREATE, struct.pack("=Q", handled), ctypes.c_size_t(8), 0)
    if rules < 0:
        return False
    try:
        for paths, rights in (
            (readable, _EXECUTE | _READ | _LIST),
            (writable, handled),
            (with_sockets, _MAKE_SOCKET | _REMOVE_FILE),
        ):
            for path in paths:
                with contextlib.suppress(FileNotFoundError):
                    at = os.open(path, os.O_PATH | os.O_CLOEXEC)
                    allowed = rights & handled if os.path.isdir(path) else rights & handled & _OF_FILES
                    call(_ADD, rules, _PATH_BENEATH, struct.pack("=Qi", allowed, at), 0)
                    os.close(at)
        return bool(prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and call(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)
