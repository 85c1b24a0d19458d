"""Runs the benchmarks one after the other, or the one that is named, and records in RESULTS.md what each printed.

    make bench [only=NAME]          python -m tests.bench [NAME]

Each is a program of its own, `python -m tests.bench.FOLDER.NAME`, whose head says what it measures and which options it takes.
"""

import os
import subprocess
import sys

from tests.bench import results

# By folder: the benchmarks in it; and by name the folder.
_FOLDERS = {
    "coarse": "extraction lines language truth",
    "fine": "fine fine_digital fine_photos page_tests tables",
    "word": "word",
    "markup": "markup",
    "figures": "figures",
    "scene": "scene",
    "work": "parts documents",
    "flywheel": "reader gate wheel",
    "label": "label",
    "agree": "agree",
    "network": "model",
}
BENCHES = {name: folder for folder, names in _FOLDERS.items() for name in names.split()}


def chosen(only: str) -> list[str]:
    """The benchmarks to run: the one that is named, or those of `make bench`. Raises `ValueError` for a name that none has."""
    if only and only not in BENCHES:
        raise ValueError(f"only={only}: there is no such benchmark; allowed are {', '.join(BENCHES)}")
    return [only] if only else list(BENCHES)


def run(name: str) -> None:
    """Run a benchmark, show what it prints, and record it. A benchmark that fails ends this program, and its section stays."""
    arguments = ["-m", f"tests.bench.{BENCHES[name]}.{name}"]
    print(f"== {name}", flush=True)
    revision, load, lines = results.revision(), os.getloadavg()[0], []
    unbuffered = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, env=unbuffered) as bench:
        assert bench.stdout is not None
        for line in bench.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if bench.returncode:
        sys.exit(f"the benchmark {name} ended with {bench.returncode}; its section of {results.PATH.name} stays as it was")
    section = results.section(" ".join(["python", *arguments]), revision, load, "".join(lines))
    results.record(results.PATH, name, section, list(BENCHES))


def main(only: str = "") -> None:
    try:
        names = chosen(only)
    except ValueError as wrong:
        sys.exit(str(wrong))
    for name in names:
        run(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
