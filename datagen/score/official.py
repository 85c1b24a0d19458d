"""The public scorers' own figures: the code of OmniDocBench, Fox or olmOCR-bench runs in a process of its own.

The user names the folder with that code, as it is cloned. Its `.venv`, where there is one, has what the code imports; otherwise
this project's Python runs it. olmOCR-bench is a package as well: `official=installed` runs the one beside this project.
"""

import contextlib
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from datagen.score.benchmarks import fox_pages, olmocr_files, omnidocbench_file
from datagen.score.pages import PredictedPage

INSTALLED = "installed"
CDM_PROGRAMS = {"xelatex": "texlive-xetex", "magick": "imagemagick", "gs": "ghostscript", "node": "nodejs"}
"""The programs that OmniDocBench's CDM calls, and Debian's packages of them. Its TeX also needs xeCJK, upgreek and the font
Source Han Sans SC."""

_PLACES = {
    "omnidocbench": ("pdf_validation.py", "github.com/opendatalab/OmniDocBench"),
    "fox": ("eval_tools/eval_ocr_test.py", "github.com/ucaslcl/Fox"),
    "olmocr": ("olmocr/bench/benchmark.py", "github.com/allenai/olmocr"),
}
_MEASURES = {
    "text_block": ["Edit_dist"],
    "display_formula": ["Edit_dist"],
    "table": ["TEDS", "Edit_dist"],
    "reading_order": ["Edit_dist"],
}
_OVERALL = ("text_block.page.Edit_dist.ALL", "table.page.TEDS.ALL", "display_formula.page.CDM.ALL")
_IMPORTS = "install its requirements into the folder's .venv; for official=installed: pip install 'olmocr[bench]'"
_ERROR = re.compile(r"^[\w.]*(?:Error|Exception)\b", re.MULTILINE)
_LONGEST = 300  # characters of an error that are passed on
_READ = "read"  # olmOCR-bench calls a folder of readings by its name
_OLMOCR_FIGURE = re.compile(rf"^ *({_READ}|\S+) *:(?: Average Score:)? ([\d.]+)%", re.MULTILINE)


class Figures(NamedTuple):
    """`values` are as the public code names and prints them. `notes` are for people."""

    values: Mapping[str, float]
    notes: tuple[str, ...] = ()


def figures(benchmark: str, folder: str, code: str, chosen: Mapping[str, PredictedPage]) -> Figures:
    """What the public code in the folder `code` says of the predictions, `chosen` by the page's image, or by the PDF, `#` and the
    page's number from 1. Pages without a prediction are left to that code. Raises `ValueError`, one sentence, where something
    that the code takes isn't there, and where the code fails."""
    file, address = _PLACES[benchmark]
    where = f"official={code}"
    place = Path(code).expanduser().resolve()
    python = next((path for path in (place / ".venv/bin/python", place / "bin/python") if path.exists()), Path(sys.executable))
    is_installed = benchmark == "olmocr" and (code == INSTALLED or str(python) != sys.executable)
    if not is_installed and not (place / file).is_file():
        raise ValueError(f"{where}: a clone of {address} is needed, with {file}")
    with tempfile.TemporaryDirectory(prefix="pagewheel-official-") as tmp:
        if benchmark == "omnidocbench":
            return _omnidocbench([str(python), str(place / file)], where, folder, Path(tmp), chosen)
        if benchmark == "fox":
            return _fox([str(python), str(place / file)], where, folder, Path(tmp), chosen)
        path = {"PYTHONPATH": str(place)} if (place / file).is_file() else {}
        return _olmocr([str(python), "-m", "olmocr.bench.benchmark"], where, folder, Path(tmp), chosen, path)


def _omnidocbench(command: Sequence[str], where: str, folder: str, tmp: Path, chosen: Mapping[str, PredictedPage]) -> Figures:
    missing = [f"{name} ({package})" for name, package in CDM_PROGRAMS.items() if not shutil.which(name)]
    measures = {kind: {"metric": [*names]} for kind, names in _MEASURES.items()}
    if not missing:
        measures["display_formula"]["metric"].append("CDM")
    (tmp / "pages").mkdir()
    for image, page in chosen.items():
        (tmp / "pages" / f"{image[:-4]}.md").write_text(page.markdown, encoding="utf-8")
    dataset = {
        "dataset_name": "end2end_dataset",
        "ground_truth": {"data_path": str(omnidocbench_file(folder).resolve())},
        "prediction": {"data_path": str(tmp / "pages")},
        "match_method": "quick_match",
    }
    config = tmp / "config.yaml"  # JSON is YAML
    config.write_text(json.dumps({"end2end_eval": {"metrics": measures, "dataset": dataset}}), encoding="utf-8")
    (tmp / "result").mkdir()
    output = _run([*command, "--config", str(config)], where, tmp)
    results = sorted((tmp / "result").glob("*_metric_result.json"))
    if not results:
        raise ValueError(f"{where}: its code wrote no figures, and ended with {_last_line(output)}")
    values = dict(_numbers(json.loads(results[0].read_bytes())))
    notes = [f"without CDM, and so without Overall: {', '.join(missing)} aren't installed"] if missing else []
    if values.get(_OVERALL[2]) == 0:
        notes.append("its code says a CDM of 0 wherever TeX, a font or scikit-image isn't as the code needs it")
    if all(name in values for name in _OVERALL):
        text, table, formula = (values[name] for name in _OVERALL)
        values["overall"] = 100 * (1 - text + table + formula) / 3
    return Figures(values, tuple(notes))


def _numbers(results: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The figures of all pages, by their path in the public code's JSON: those `all`, and of those by `page` the ones of
    `ALL`."""
    numbers = []
    for kind, of_kind in results.items():
        for how, metrics in of_kind.items():
            for metric, values in metrics.items() if how in ("all", "page") else ():
                for name, value in values.items() if isinstance(values, Mapping) else ():
                    is_whole = how == "all" or name == "ALL"
                    if is_whole and isinstance(value, int | float) and not math.isnan(value):
                        numbers.append((f"{kind}.{how}.{metric}.{name}", float(value)))
    return numbers


def _fox(command: Sequence[str], where: str, folder: str, tmp: Path, chosen: Mapping[str, PredictedPage]) -> Figures:
    truths = {page.image.name: page.text for page in fox_pages(folder)}
    answers = [{"label": truths[image], "answer": page.markdown} for image, page in chosen.items()]
    file = tmp / "answers.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    output = _run([*command, "--out_file", str(file)], where, tmp)
    try:
        values = json.loads(output[output.rindex("{") :])
    except ValueError:
        raise ValueError(f"{where}: its code wrote no figures, and ended with {_last_line(output)}") from None
    return Figures({name: float(value) for name, value in values.items()})


def _olmocr(
    command: Sequence[str],
    where: str,
    folder: str,
    tmp: Path,
    chosen: Mapping[str, PredictedPage],
    environment: Mapping[str, str],
) -> Figures:
    files = olmocr_files(folder)
    bench = tmp / "bench"
    bench.mkdir()
    (bench / "pdfs").symlink_to(files.pdfs.resolve())
    for file in files.files:
        (bench / file.name).symlink_to(file.resolve())
    for page, prediction in chosen.items():
        pdf, _, number = page.partition("#")
        path = bench / _READ / f"{pdf.removesuffix('.pdf')}_pg{number}_repeat1.md"
        if not path.resolve().is_relative_to(bench.resolve() / _READ):  # whoever wrote the tests chose the name
            raise ValueError(f"gt=olmocr:{folder}: {pdf} lies outside of its folder pdfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(prediction.markdown, encoding="utf-8")
    output = _run([*command, "--dir", str(bench), "--candidate", _READ, "--force"], where, tmp, environment)
    summary = output.partition("Final Summary")[2]
    values = {name.replace(_READ, "overall"): float(value) for name, value in _OLMOCR_FIGURE.findall(summary)}
    if "overall" not in values:
        raise ValueError(f"{where}: its code says no score: {_last_line(summary or output)}")
    return Figures(values)


def _run(command: Sequence[str], where: str, tmp: Path, environment: Mapping[str, str] | None = None) -> str:
    """All that a command prints. What it started ends with it, and both if this process is interrupted. Raises `ValueError` if
    it fails."""
    log = tmp / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=tmp,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        try:
            process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    output = log.read_text(encoding="utf-8", errors="replace")
    if process.returncode:
        hint = f"; {command[0]} lacks what it imports: {_IMPORTS}" if "No module named" in output else ""
        error = list(_ERROR.finditer(output))
        message = " ".join(output[error[-1].start() :].replace("*", "").split()) if error else _last_line(output)
        raise ValueError(f"{where}: its code ended with {message[:_LONGEST]}{hint}")
    return output


def _last_line(output: str) -> str:
    return (output.strip() or "nothing").splitlines()[-1]
