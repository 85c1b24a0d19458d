"""Twenty thousand real pages in one output: memory over the run, pages/s, and killed twice on the way.

    python -m tests.bench.work.long_run [--pages 20000] [--kills 2] [--out DIR]

Debian's installation guides of six architectures, in some twenty languages each, and manuals of LaTeX packages, by the recipe
`coarse` from the command line, ink, marks and report included. Each kill is SIGKILL to the run's own process; the same command
goes on. Every two seconds the resident memory of all of the run's processes is noted, and of its own one; printed as a curve over
the pages that were there, for each stretch. About nine gigabytes are written.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.samples.documents import PACKAGES, DebianSamples, Package
from tests.bench.measuring import options

_ARCHITECTURES = "amd64 arm64 armhf ppc64el riscv64 s390x".split()
_MANUALS = "texlive-latex-recommended-doc"
_BAR = 40


def documents() -> DebianSamples:
    (guide,) = (p for p in PACKAGES if p.name == "installation-guide-amd64")
    guides = [replace(guide, name=f"installation-guide-{name}") for name in _ARCHITECTURES]
    manuals = Package(_MANUALS, "LPPL-1.3c and others", ((r"\.pdf", "en"),))
    return DebianSamples((*PACKAGES, *(g for g in guides if g != guide), manuals))


def main() -> None:
    args = options(__doc__, pages=20_000, kills=2, out="").parse_args()
    with tempfile.TemporaryDirectory(prefix="pagewheel-long-") as folder:
        listed = Path(folder) / "list.jsonl"
        found = documents().items()
        rows = ({"uri": d.uri, "lang": d.lang, "licence": d.licence, "bytes": d.num_bytes} for d in found)
        listed.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        print(f"{len(found)} documents", flush=True)
        measure(str(listed), args.out or f"{folder}/out", args.pages, args.kills)


def measure(listed: str, out: str, pages: int, kills: int) -> None:
    command = [sys.executable, "-m", "recipes", "coarse", "--input", listed, "--out", out]
    for turn in range(kills + 1):
        until = pages * (turn + 1) // (kills + 1)
        began, held = time.monotonic(), num_pages(out)
        curve: list[tuple[int, int, int]] = []
        run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        done = held
        while run.poll() is None and (turn == kills or done < until):
            time.sleep(2)
            done = num_pages(out)
            if (sizes := memory(run.pid)) is not None:
                curve.append((done, *sizes))
        if turn < kills:
            if run.poll() is not None:
                sys.exit(f"the run ended with {run.returncode} before it could be killed")
            family = psutil.Process(run.pid).children(recursive=True)
            run.kill()
            run.wait()
            left = len(psutil.wait_procs(family, timeout=60)[1])
            print(f"killed at {num_pages(out)} pages; {left} of its {len(family)} processes outlived it", flush=True)
        else:
            print(f"ended with {run.returncode}", flush=True)
        seconds = time.monotonic() - began
        done = num_pages(out)
        print(f"stretch {turn + 1}: {held} to {done} pages in {seconds:.0f} s, {(done - held) / seconds:.1f} pages/s")
        draw(curve)
    reports = read_reports(Folder(f"{out}/coarse"))
    drops = sum(len(r.drops) for r in reports)
    print(f"{done} pages, {drops} drops in {len(reports)} shards, {sum(r.num_bytes for r in reports) / 1e9:.1f} GB")
    checked = subprocess.run([sys.executable, "-m", "recipes", "verify", out], capture_output=True, text=True)
    print(checked.stdout.strip())


def num_pages(out: str) -> int:
    """Of committed shards."""
    total = 0
    for path in Path(out, "coarse/shards").glob("*.json"):
        if path not in _known:
            _known[path] = int(re.search(rb'"num_samples": (\d+)', path.read_bytes())[1])  # type: ignore[index]
        total += _known[path]
    return total


_known: dict[Path, int] = {}


def memory(pid: int) -> tuple[int, int] | None:
    """Resident bytes of a process and all of its children, shared pages counted once; and of itself."""
    try:
        process = psutil.Process(pid)
        family = process.children(recursive=True)
        own = process.memory_full_info().pss
        return own + sum(_pss(child) for child in family), own
    except psutil.Error:
        return None


def _pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def draw(curve: list[tuple[int, int, int]], num_rows: int = 12) -> None:
    """Means over equal parts of the stretch, as rows of text."""
    peak = max((total for _, total, _ in curve), default=1)
    for i in range(num_rows):
        part = curve[i * len(curve) // num_rows : (i + 1) * len(curve) // num_rows]
        if part:
            total, own = (sum(column) / len(part) for column in list(zip(*part, strict=True))[1:])
            bar = "#" * round(_BAR * total / peak)
            print(f"{part[-1][0]:8} pages {bar:<{_BAR}} {total / 1e6:6.0f} MB, the run's own process {own / 1e6:4.0f} MB")
    print(f"         at most {peak / 1e6:.0f} MB, {os.cpu_count()} cores", flush=True)


if __name__ == "__main__":
    main()
