"""The costs of a sample on this machine, measured by `make bench`, or guessed."""

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

BY_PAGE = "page_core_s"
"""The ending of the names of rates by page, for stages."""
DOCUMENT_PAGES = 10
"""The pages of the documents that gave `coarse.ink_core_s`, whose cost is by document."""

# Core-seconds a sample, or bytes, until they are measured.
GUESSES = {
    "coarse.read_core_s": 0.02,
    "coarse.ink_core_s": 0.12,
    "coarse.page_bytes": 440_000.0,
    "fine.page_core_s": 0.9,  # of the default documents, where one page in fourteen is read from its image
    "minority.page_core_s": 2.5,
    "figures.chart_core_s": 0.07,
    "figures.chart_bytes": 35_000.0,
    "figures.molecule_core_s": 0.01,
    "figures.molecule_bytes": 15_000.0,
    "figures.geometry_core_s": 0.01,
    "figures.geometry_bytes": 20_000.0,
    # A page, and its cut tables and formulas, are samples.
    "word.sample_core_s": 0.15,
    "word.sample_bytes": 150_000.0,
    "scene.picture_core_s": 1.5,  # read by PP-OCRv6 small on a processor
    "scene.picture_bytes": 150_000.0,
    "vision.picture_core_s": 0.03,
    "vision.picture_bytes": 150_000.0,
    "texts.sample_core_s": 0.005,
    "texts.sample_bytes": 8_000.0,
}

# Costs of labelling, beside the paper's table.
LABELLING = {
    "label.page_core_s": 0.2,  # rendered, checked, judged
    "label.page_bytes": 374_000.0,
    "label.answer_bytes": 6_600.0,  # all tries of a page
    "label.pages_s": 2.31,  # of one server
}
SOURCES = {
    "label.page_bytes": "325 labels of the default documents at 1,684 px",
    "label.answer_bytes": "469 answers with boxes about 354 pages of the default documents",
    "label.pages_s": "DeepSeek-OCR's paper, abstract: 200,000 pages a day on an A100-40G",
}
"""Sources of values that no benchmark of this machine measured, by name; the others are guesses."""
_NAMES = GUESSES | LABELLING


@dataclass(frozen=True)
class Rate:
    """`by` names the benchmark, its day and its machine; "" means that the value is a guess."""

    value: float
    by: str = ""


def path() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "pagewheel" / "rates.json"


def record(by: str, values: Mapping[str, float]) -> None:
    """Keep the measurements of the benchmark `by`, by names of `GUESSES` or `LABELLING`. Raises `ValueError` for other names."""
    measured = _read()
    where = f"{by}, {time.strftime('%Y-%m-%d')}, {processor()}"
    for name, value in values.items():
        if name not in _NAMES:
            raise ValueError(f"no rate is called {name}: {', '.join(_NAMES)}")
        measured[name] = Rate(value, where)
    path().parent.mkdir(parents=True, exist_ok=True)
    path().write_text(json.dumps({name: asdict(rate) for name, rate in measured.items()}, indent=1))


def rates() -> dict[str, Rate]:
    """All rates by name."""
    return {name: Rate(value) for name, value in _NAMES.items()} | _read()


def _read() -> dict[str, Rate]:
    try:
        measured = json.loads(path().read_text())
        return {name: Rate(float(measured[name]["value"]), str(measured[name]["by"])) for name in _NAMES if name in measured}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no file, or a foreign one: `make bench` writes it anew
        return {}


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()
