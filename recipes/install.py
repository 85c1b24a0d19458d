"""Installs requirements into the environment of the Python that runs this: by uv, which is faster, or by pip if uv is missing.

    .venv/bin/python -m recipes.install [--no-deps] REQUIREMENT …
    .venv/bin/python -m recipes.install compile FOLDER …

uv gets pip's settings of indexes, folders of wheels, constraints and certificates; its own variables win. Only the imports of
this project's folders are compiled to bytecode: compiling everything takes half a gigabyte, and a minute.
"""

import ast
import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_UV = "uv>=0.5"
# pip's name of a setting, uv's variable, and uv's separator of several values.
_SETTINGS = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "constraint": ("UV_CONSTRAINT", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}
_ORDER = ("global", "user", "site", ":env:")  # a later one of pip's places wins over an earlier one


def settings(listed: str) -> dict[str, str]:
    """uv's variables for the output of `pip config list`: lines such as `global.index-url='https://…'`."""
    ranked: dict[str, tuple[int, str]] = {}
    for line in listed.splitlines():
        name, is_set, value = line.partition("=")
        place, _, key = name.rpartition(".")
        if not is_set or place not in _ORDER or key not in _SETTINGS:
            continue
        variable, between = _SETTINGS[key]
        rank = _ORDER.index(place)
        if rank >= ranked.get(variable, (-1, ""))[0]:
            ranked[variable] = rank, between.join(str(ast.literal_eval(value)).split())
    return {variable: value for variable, (_, value) in ranked.items()}


def install(requirements: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """The exit code. pip's and uv's output goes to the terminal."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    if subprocess.run([*pip, "install", "--quiet", _UV], capture_output=True).returncode == 0:
        listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True).stdout
        quiet = [] if sys.stderr.isatty() else ["--quiet"]  # bars on a terminal, and no list of 200 packages in a log
        uv = [sys.executable, "-m", "uv", "pip", "install", *quiet, "--python", sys.executable]
        if subprocess.run([*uv, *requirements], env={**settings(listed), **environ}).returncode == 0:
            return 0
        print("uv could not install that: trying pip, which takes longer", file=sys.stderr)
    return subprocess.run([*pip, "install", "--quiet", "--no-compile", *requirements]).returncode


def imports(folders: Sequence[str | Path]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The modules that these folders' files import, with the imported names of each."""
    for file in sorted(path for folder in folders for path in Path(folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                yield from ((alias.name, ()) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module, tuple(alias.name for alias in node.names)


def compile_imports(folders: Sequence[str | Path]) -> None:
    """Writes the bytecode of these folders' imports by importing them, despite PYTHONDONTWRITEBYTECODE: a child that may not
    write would compile them each time. Missing modules are skipped."""
    sys.dont_write_bytecode = False
    for module, names in dict.fromkeys(imports(folders)):
        with contextlib.suppress(Exception, SystemExit):
            imported = importlib.import_module(module)
            for name in names:  # some packages import their parts at the first use
                with contextlib.suppress(Exception, SystemExit):
                    getattr(imported, name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["compile"]:
        compile_imports(sys.argv[2:])
        sys.exit()
    sys.exit(install(sys.argv[1:]))
