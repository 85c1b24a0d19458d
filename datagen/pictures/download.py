"""Downloading what lists of urls name, which is the job of img2dataset: the right command for a list, and running it."""

import hashlib
import importlib.util
import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from datagen.disk.storage import Folder, is_local, resolve, stat_etag
from datagen.disk.temporary import temporary_folder
from datagen.pictures import public_addresses

log = logging.getLogger(__name__)

PUBLIC, PRIVATE = "public", "private"
"""What may be downloaded: urls that lead to public addresses, or any, of one's own network, too."""

_URLS = ("url", "image_url", "img_url", "image_link", "link")
_CAPTIONS = ("caption", "text", "alt_text", "title")
_COMPLETE = "complete.txt"
_TAKEN = frozenset(
    "key caption url width height original_width original_height status error_message exif md5 sha256 sha512".split()
)
"""What img2dataset calls columns of its own: it refuses to save others of these names."""


def url_column(columns: Sequence[str]) -> str:
    """The column with addresses, "" if none has them."""
    small = {name.lower(): name for name in reversed(columns)}
    return next((small[name] for name in _URLS if name in small), "")


def command(where: str, columns: Sequence[str], out: str) -> list[str]:
    """The command by which img2dataset downloads into `out` what a list with `columns`, or a folder of such lists, names: images
    as they come, in tars of 10,000, with the sha256 of each and all other columns. It heeds servers that forbid the use
    (X-Robots-Tag) unless it is told otherwise. Raises `ValueError` if there is no column of urls."""
    url = url_column(columns)
    if not url:
        raise ValueError(f"{where}: it has neither images nor a column of urls (its columns are {', '.join(columns[:8])})")
    small = {name.lower(): name for name in reversed(columns)}
    caption = next((small[name] for name in _CAPTIONS if name in small), "")
    others = [name for name in columns if name not in (url, caption) and name not in _TAKEN and not name.startswith("__")]
    ending = where.rpartition(".")[2].lower()
    words = {
        "url_list": os.path.dirname(where) if "*" in where else where,
        "input_format": {"ndjson": "jsonl"}.get(ending, ending),
        "url_col": url,
        "caption_col": caption,
        "save_additional_columns": json.dumps(others, separators=(",", ":")) if others else "",
        "output_folder": out,
        "output_format": "webdataset",
        "resize_mode": "no",
        "skip_reencode": "True",
        "compute_hash": "sha256",
        "processes_count": str(os.cpu_count() or 1),
        "thread_count": "64",
        "incremental_mode": "incremental",
    }
    return ["img2dataset", *(f"--{name}={value}" for name, value in words.items() if value)]


def commands(lists: Mapping[str, Sequence[str]], out: str) -> str:
    """The commands for lists, by their columns, as people type them: one, if they lie in one folder and have the same columns."""
    first, columns = next(iter(lists.items()))
    alike = {(os.path.dirname(uri), os.path.splitext(uri)[1], tuple(names)) for uri, names in lists.items()}
    if len(lists) > 1 and len(alike) == 1:
        return shlex.join(command(f"{os.path.dirname(first)}/*{os.path.splitext(first)[1]}", columns, out))
    typed = [shlex.join(command(uri, names, f"{out}/{PurePosixPath(uri).stem}")) for uri, names in list(lists.items())[:3]]
    more = f"\n  … and so on for {len(lists) - 3} more" if len(lists) > 3 else ""
    return "\n  ".join(typed) + more


def download(lists: Mapping[str, Sequence[str]], out: Folder, reach: str = PUBLIC) -> None:
    """Have img2dataset download all lists, each into a folder of its own in `out`, unless it did before. It goes on where it was
    stopped. Unless `reach` is `PRIVATE`, it connects to public addresses alone (`public_addresses.py`).

    Raises `ValueError` where it isn't installed or fails, unless `out` is on a local disk, and where a proxy would connect in its
    place: nobody here sees to which address.
    """
    if all(out.sub(_folder_name(uri)).exists(_COMPLETE) for uri in lists):
        return
    program = ["img2dataset"] if shutil.which("img2dataset") else [sys.executable, "-m", "img2dataset.main"]
    if program[0] != "img2dataset" and importlib.util.find_spec("img2dataset") is None:
        raise ValueError(f"download=1: pip install img2dataset first, or run it elsewhere, as\n  {commands(lists, out.url)}")
    if out.local is None:
        raise ValueError(
            f"download=1 needs an output on a local disk: run img2dataset yourself, as\n  {commands(lists, out.url)}"
        )
    if reach != PRIVATE and (proxies := {name: at for name, at in urllib.request.getproxies().items() if name != "no"}):
        raise ValueError(
            f"download=1 connects to public addresses alone, and {' and '.join(sorted(proxies))} go by a proxy here, which "
            "doesn't say where to: unset it, or download=private allows all addresses that the proxy reaches"
        )
    for uri, columns in lists.items():
        folder = out.sub(_folder_name(uri))
        if folder.exists(_COMPLETE):
            continue
        arguments = command(uri, columns, folder.path(""))
        log.info("downloading: %s", shlex.join(arguments))
        os.makedirs(folder.path(""), exist_ok=True)
        code = _run([*program, *arguments[1:]], reach)
        if code != 0:
            raise ValueError(f"img2dataset ended with {code} at {uri}: the same again goes on where it stopped")
        folder.write(_COMPLETE, f"{uri}\n".encode())


def _run(command: Sequence[str], reach: str) -> int:
    """The code with which a Python program ended, kept from private addresses unless `reach` allows them."""
    if reach == PRIVATE:
        return subprocess.run(command, check=False).returncode
    with temporary_folder() as folder:
        shutil.copyfile(public_addresses.__file__, Path(folder) / "sitecustomize.py")
        paths = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        return subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": paths}).returncode


def _folder_name(uri: str) -> str:
    """Another one for a list that has changed: img2dataset knows what it has downloaded by numbers alone."""
    fs, path = resolve(uri)
    st = os.stat(path) if is_local(fs) else None
    state = stat_etag(st.st_size, st.st_mtime_ns) if st else str(fs.size(path))
    return f"{PurePosixPath(uri).stem}-{hashlib.sha256(f'{uri} {state}'.encode()).hexdigest()[:8]}"
