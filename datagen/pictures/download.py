"""Downloads of the images that lists of urls name, by img2dataset: the command for a list, and its run."""

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
"""The addresses that a download may reach: public ones, or all, those of one's own network included."""

_URLS = ("url", "image_url", "img_url", "image_link", "link")
_CAPTIONS = ("caption", "text", "alt_text", "title")
_COMPLETE = "complete.txt"
_TAKEN = frozenset(
    "key caption url width height original_width original_height status error_message exif md5 sha256 sha512".split()
)
"""Names of img2dataset's own columns: it refuses to save other columns of these names."""


def url_column(columns: Sequence[str]) -> str:
    """The column with addresses, "" if there is none."""
    small = {name.lower(): name for name in reversed(columns)}
    return next((small[name] for name in _URLS if name in small), "")


def command(where: str, columns: Sequence[str], out: str) -> list[str]:
    """The command for a list, or a folder of lists, with `columns`: img2dataset downloads the images into `out`, unchanged, in
    tars of 10,000, with each image's sha256 and all other columns. By default it obeys servers that forbid the use
    (X-Robots-Tag). Raises `ValueError` without a column of urls."""
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
    """The commands for lists, given with their columns, as people type them: one, if they lie in one folder and have the same
    columns."""
    first, columns = next(iter(lists.items()))
    alike = {(os.path.dirname(uri), os.path.splitext(uri)[1], tuple(names)) for uri, names in lists.items()}
    if len(lists) > 1 and len(alike) == 1:
        return shlex.join(command(f"{os.path.dirname(first)}/*{os.path.splitext(first)[1]}", columns, out))
    typed = [shlex.join(command(uri, names, f"{out}/{PurePosixPath(uri).stem}")) for uri, names in list(lists.items())[:3]]
    more = f"\n  … and so on for {len(lists) - 3} more" if len(lists) > 3 else ""
    return "\n  ".join(typed) + more


def download(lists: Mapping[str, Sequence[str]], out: Folder, reach: str = PUBLIC) -> None:
    """Let img2dataset download each list into a folder of its own in `out`, unless that is done. A stopped download goes on.
    Unless `reach` is `PRIVATE`, it connects to public addresses alone (`public_addresses.py`).

    Raises `ValueError` if img2dataset isn't installed or fails, if `out` isn't on a local disk, and if a proxy would connect in
    its place, since nobody here sees to which address.
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
    if reach == PRIVATE:
        return subprocess.run(command, check=False).returncode
    with temporary_folder() as folder:
        shutil.copyfile(public_addresses.__file__, Path(folder) / "sitecustomize.py")
        paths = os.pathsep.join(filter(None, (folder, os.environ.get("PYTHONPATH"))))
        return subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": paths}).returncode


def _folder_name(uri: str) -> str:
    """A name that changes with the list: img2dataset knows its downloads by numbers alone."""
    fs, path = resolve(uri)
    st = os.stat(path) if is_local(fs) else None
    state = stat_etag(st.st_size, st.st_mtime_ns) if st else str(fs.size(path))
    return f"{PurePosixPath(uri).stem}-{hashlib.sha256(f'{uri} {state}'.encode()).hexdigest()[:8]}"
