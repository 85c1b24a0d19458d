"""RESULTS.md: what the benchmarks printed last, a section each, with the day, the processor and the revision."""

import os
import re
import subprocess
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

from recipes.run.sample_costs import processor

PATH = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results of the benchmarks

`make bench` writes this file, and `make bench only=NAME` one section of it. A ratio compares two things that were measured in
the same run, and carries to other machines; a time doesn't. The head of `tests/bench/FOLDER/NAME.py` says what a benchmark
measures. A figure with `not met` behind its bar misses the bar.
"""


def record(path: Path, name: str, section: str, order: Sequence[str]) -> None:
    """Write `section` as the section `name` of the file, in `order`; the other sections stay as they are."""
    sections = _sections(path.read_text()) if path.exists() else {}
    sections[name] = section.strip()
    names = sorted(sections, key=lambda name: (order.index(name) if name in order else len(order), name))
    path.write_text(HEAD + "".join(f"\n## {name}\n\n{sections[name]}\n" for name in names))


def section(command: str, revision: str, load: float, output: str) -> str:
    """What a section says: how it was made, on what, beside how much else, and all that the benchmark printed.

    `revision` and `load`, the number of processes that wanted a core in the minute before, are those when the benchmark began.
    """
    busy = f"{load:.1f} processes of others wanted a core before it began" if load >= 0.5 else "nothing else ran before it began"
    made = f"`{command}`, {time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} cores, revision {revision}; {busy}."
    # Indented, not fenced: a line of the output can't be taken for a heading then.
    return f"{made}\n\n{textwrap.indent(output.strip(chr(10)), '    ')}"


def revision() -> str:
    """The commit that is checked out, with "and changes" where the tree differs from it."""
    command = ["git", "-C", str(PATH.parent), "describe", "--always", "--dirty= and changes", "--exclude=*", "--abbrev=10"]
    described = subprocess.run(command, capture_output=True, text=True)
    return described.stdout.strip() or "unknown"


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", text, flags=re.M)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
