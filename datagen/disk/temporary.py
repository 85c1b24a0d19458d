"""Temporary folders that don't outlive their process by long, even if the process is killed.

    TMPDIR/pagewheel-HOST-…/      HOST: a digest of the machine's name, since several may share the folder

The process that made a folder locks it, and the kernel drops the lock when the process dies. So an unlocked folder is left over.
The next process of the same user that makes a temporary folder on the same machine deletes it.
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
    """A new folder in `parent` ("": the usual one). It goes when the `with` block ends, or with the object. Raises `OSError` as
    making a folder does."""
    parent = parent or tempfile.gettempdir()
    _sweep_once(parent)
    while True:
        folder = tempfile.TemporaryDirectory(prefix=_prefix(), dir=parent, ignore_cleanup_errors=True)
        with contextlib.suppress(FileNotFoundError):
            fd = os.open(folder.name, os.O_RDONLY)
            weakref.finalize(folder, os.close, fd)
            with contextlib.suppress(OSError):  # a file system without locks; `sweep` deletes nothing there
                fcntl.flock(fd, fcntl.LOCK_EX)
            if os.path.exists(folder.name):
                return folder
        folder.cleanup()  # swept by another process before it was locked


def in_memory(free_bytes: int = 1 << 30) -> str:
    """A parent for folders in memory, if it has `free_bytes` of room; else the usual parent."""
    with contextlib.suppress(OSError):
        state = os.statvfs(_MEMORY)
        if os.access(_MEMORY, os.W_OK) and state.f_bavail * state.f_frsize >= free_bytes:
            return _MEMORY
    return tempfile.gettempdir()


def sweep(parent: str = "") -> int:
    """Delete the folders in `parent` ("": the usual one) that killed processes of this user left; returns their number."""
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
