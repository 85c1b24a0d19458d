"""Wheels of PyPI, fetched by pip for the files in them. Nothing of a package is installed, and none of its code is run."""

import subprocess
import sys
from pathlib import Path


def wheel(requirement: str, folder: Path) -> Path:
    """The wheel of a requirement, such as `chemicals==1.5.2`, in `folder`, which is empty before. Raises `ValueError` if it can't
    be had."""
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--retries", "1", "--timeout", "30", "--dest", str(folder), requirement),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(f"{requirement} could not be had from PyPI: {type(error).__name__}: {error}") from error
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise ValueError(f"{requirement} could not be had from PyPI: {done.stderr.strip()[-500:]}")
    return wheels[0]
