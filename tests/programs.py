"""Programs that stand on the PATH in place of those of the machine, and those that are killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def stand_in(folder: Path, name: str, text: str) -> str:
    """A PATH on which the program `name`, a script of this text in `folder`, comes before all others."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def killed_at_its_first_line(program: str, *arguments: str) -> str:
    """Start Python on this program, kill it when it has printed a line, and return that."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as going:
        assert going.stdout is not None
        line = going.stdout.readline().strip()
        os.kill(going.pid, signal.SIGKILL)
    return line
