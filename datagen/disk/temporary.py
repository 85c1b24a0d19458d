"""Temporary folders that don't outlive their process by long, even if it is killed.

    TMPDIR/pagewheel-HOST-…/      HOST: a digest of the machine's name, since several may share the folder

Each is locked by the process that made it, and the kernel lets go of the lock when that dies, however it dies. So what nobody has
locked is left over, and goes when the next process of the same user makes a temporary folder on the same machine.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import socket
import tempfile
import weakref

_MEMORY = "/dev/shm"


def temporary_folder(parent: str = "") -> tempfile.TemporaryDirectory:
    """A new folder in `parent` ("": the usual one), to be used with `with`, or until the object goes. Raises `OSError` as making
    a folder does."""
    parent = parent or tempfile.gettempdir()
    _sweep_once(parent)
    while True:
        folder = tempfile.TemporaryDirectory(prefix=_prefix(), dir=parent, ignore_cleanup_errors=True)
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(folder.name, os.O_RDONLY)
            weakref.finalize(folder, os.close, fd)
            with contextlib.suppress(OSError):  # a file system without locks, where nothing is swept either
                fcntl.flock(fd, fcntl.LOCK_EX)
            if os.path.exists(folder.name):
                return folder
        folder.cleanup()  # swept by another process before it was locked


def in_memory(free_bytes: int = 1 << 30) -> str:
    """A parent of folders whose files take no disk, where there is one with so much room; else the usual parent."""
    with contextlib.suppress(OSError):
        state = os.statvfs(_MEMORY)
        if os.access(_MEMORY, os.W_OK) and state.f_bavail * state.f_frsize >= free_bytes:
            return _MEMORY
    return tempfile.gettempdir()


def sweep(parent: str = "") -> int:
    """Delete what killed processes of this user left here in `parent` ("": the usual one); returns how many folders."""
    with os.scandir(parent or tempfile.gettempdir()) as entries:
        paths = [entry.path for entry in entries if entry.name.startswith(_prefix())]
    return sum(map(_swept, paths))


_sweep_once = functools.cache(sweep)


def _swept(path: str) -> bool:
    with contextlib.suppress(OSError):  # in use, or another user's
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(fd).st_uid == os.getuid():
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
                return True
        finally:
            os.close(fd)
    return False


@functools.cache
def _prefix() -> str:
    return f"pagewheel-{hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]}-"
