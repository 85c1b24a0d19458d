"""CDM of formulas (Wang et al., arXiv 2409.03643): how many of a formula's signs stand where they should, as TeX draws them.

It is computed by OmniDocBench's own code, out of a clone of it, in a process of its own: its tokenizer is a KaTeX that its
authors changed, and no package has it. That code says 0 of whatever fails, be it a program, a font or a scikit-image that is too
new; so a formula is compared with itself first. What it imports is taken from the clone's `.venv`, where there is one.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

Pair = tuple[str, str]
"""What a formula is, and what was read, as they stand there."""

PROGRAMS = {"xelatex": "texlive-xetex", "magick": "imagemagick", "gs": "ghostscript", "node": "nodejs"}
"""What that code calls, and Debian's packages of it; it takes the font Source Han Sans SC, xeCJK and upgreek besides."""
_CODE = Path("metrics/cdm_metric.py")
_SELF = r"\frac{a}{b} + x^{2} = y"
_CHILD = """
import concurrent.futures, json, os.path, sys, types
sys.path.insert(0, sys.argv[1])
package = sys.modules["metrics"] = types.ModuleType("metrics")  # its own imports all of the benchmark
package.__path__ = [os.path.join(sys.argv[1], "metrics")]
from metrics import cdm_metric

def score(numbered):
    number, (truth, read) = numbered
    return float(cdm_metric.CDM(sys.argv[2]).evaluate(truth, read, str(number))["F1_score"])

with concurrent.futures.ProcessPoolExecutor() as pool:
    said = list(pool.map(score, enumerate(json.load(sys.stdin))))
with open(sys.argv[3], "w") as file:
    json.dump(said, file)
"""
_BEGIN_S, _EACH_S = 600, 60
"""How long that may take, and each formula."""


def scores(clone: str, pairs: Iterable[Pair]) -> dict[Pair, float]:
    """The F1 of each pair, from 0 to 1; of those without a formula on one side 0. Raises `ValueError`, one sentence, where
    something that it takes isn't there."""
    where = f"cdm={clone}"
    folder = Path(clone).expanduser().resolve()
    if not (folder / _CODE).is_file():
        raise ValueError(f"{where}: a clone of github.com/opendatalab/OmniDocBench is needed, with {_CODE}")
    if missing := [f"{name} ({package})" for name, package in PROGRAMS.items() if not shutil.which(name)]:
        raise ValueError(f"{where}: CDM is drawn with programs that aren't installed: {', '.join(missing)}")
    result: dict[Pair, float] = dict.fromkeys(pairs, 0.0)
    drawn = [pair for pair in result if all(map(str.strip, map(stripped, pair)))]
    own = folder / ".venv/bin/python"
    with tempfile.TemporaryDirectory(prefix="pagewheel-cdm-") as tmp:
        result_file = Path(tmp, "scores.json")  # programs that it calls may print
        command = [str(own) if own.exists() else sys.executable, "-c", _CHILD, str(folder), tmp, str(result_file)]
        asked = [(_SELF, _SELF), *((stripped(truth), stripped(read)) for truth, read in drawn)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=tmp,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,
        ) as process:
            try:
                seconds = _BEGIN_S + _EACH_S * len(drawn)
                _, errors = process.communicate(json.dumps(asked).encode(), timeout=seconds)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)  # with what it started
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                raise ValueError(f"{where}: its code hadn't ended after {seconds:,} seconds") from None
        if process.returncode:
            raise ValueError(
                f"{where}: its code ended with {(errors.decode(errors='replace').strip() or 'nothing').splitlines()[-1]}"
            )
        itself, *others = json.loads(result_file.read_bytes())
    if itself != 1:
        raise ValueError(
            f"{where}: a formula and itself have a CDM of {itself}: TeX, its font or scikit-image aren't as it needs them"
        )
    return result | dict(zip(drawn, others, strict=True))


def stripped(latex: str) -> str:
    """LaTeX as that code hands it to CDM: without dollars around it, or the fence of a block of code."""
    return latex.rpartition("```latex")[2].partition("```")[0].strip("$").strip().strip("$").strip()
