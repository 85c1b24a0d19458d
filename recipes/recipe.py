"""The parts of a recipe."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from datagen.curation.mark_similar import MarkAlike
from datagen.inputs.census import Census, Listing
from recipes.paper_mixture import Part
from recipes.words.values import BENCHMARKS


class Step(Protocol):
    """One step of a recipe: a frozen dataclass of plain values. Its `name` is its folder in the output. `recipes.steps.RUNNERS`
    has the class that plans and runs it."""

    @property
    def name(self) -> str: ...


@dataclass(frozen=True)
class Report:
    """The HTML report: sections of all steps that have some, and for each of the `datasets` a seeded sample of its pages, in at
    most `max_bytes`. It is also made after each of the steps `after`, so that people can look at it while the others run."""

    datasets: tuple[str, ...]
    seed: int = 0
    max_bytes: int = 28_000_000
    after: tuple[str, ...] = ()
    name: str = "report"


def read_passwords(file: str) -> tuple[str, ...]:
    """The lines of a text file; none without a file. Raises `ValueError` if it can't be read."""
    if not file:
        return ()
    try:
        return tuple(line for line in Path(file).read_text(encoding="utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"passwords={file}: a text file with a password a line is needed ({error})") from None


def listed(input: str, formats: tuple[str, ...]) -> Census:
    """The files of `formats` that `input` names, or the pages of a benchmark: `omnidocbench:DIR`, `fox:DIR`, `olmocr:DIR`. Raises
    `ValueError`, one sentence, if the folder isn't that benchmark."""
    name, _, folder = input.partition(":")
    if not folder or name not in BENCHMARKS:
        return Listing(input, formats)
    from datagen.score.benchmarks import BenchmarkPages  # slow to load

    pages = BenchmarkPages(name, folder)
    pages.items()
    return pages


def benchmark_folder(folder: str) -> str:
    """`folder` itself, "" for none. Raises `ValueError` if it isn't a local folder, before the corpus is made."""
    if folder and not Path(folder).expanduser().is_dir():
        raise ValueError(f"benchmarks={folder}: no such folder; one with PDFs, images or texts is needed, on a local disk")
    return folder


@dataclass(frozen=True)
class Recipe:
    """Steps, one after the other, each with a folder of its name in the output. Its `repr` is the whole plan. A `mixture` is the
    table of a corpus's parts, for its plan; a recipe without steps can only be planned. Raises `ValueError` if two steps share a
    name, if one has the name of another's dataset, or if a name can't be a folder's."""

    name: str
    steps: tuple[Step, ...]
    mixture: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        datasets = {name for step in self.steps for name in getattr(step, "makes", ())}
        for name in names:
            if name in datasets:
                raise ValueError(f"{self.name}: a step is called {name!r}: the flywheel has a dataset of that name")
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
                raise ValueError(f"{self.name}: a step is called {name!r}: allowed are letters, digits, _ and -")
            if names.count(name) > 1:
                raise ValueError(f"{self.name}: two steps are called {name!r}: names of steps must differ")


def corpus(
    name: str, made: Sequence[Step], benchmarks: str, *after: Step, seed: int = 0, mixture: tuple[Part, ...] = ()
) -> Recipe:
    """The recipe of the datasets of the steps `made`: alike samples are marked, and pages like those of `benchmarks`; then come
    the steps `after`, and a report. Raises `ValueError` as `benchmark_folder` does."""
    datasets = tuple(step.name for step in made)
    alike = MarkAlike(datasets=datasets, benchmarks=benchmark_folder(benchmarks))
    return Recipe(name, (*made, alike, *after, Report(datasets, seed=seed)), mixture)
