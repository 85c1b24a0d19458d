"""What a recipe is made of."""

from dataclasses import dataclass
from pathlib import Path

from datagen.alike import MarkAlike
from datagen.pipeline import Pipeline
from flywheel.step import Flywheel
from model.step import Train
from recipes.mixture import Part


@dataclass(frozen=True)
class Report:
    """The HTML report over the `datasets` of earlier steps, with a seeded sample of their pages, over the flywheel's rounds and
    over the training, where there are any, in at most `max_bytes`."""

    datasets: tuple[str, ...]
    seed: int = 0
    max_bytes: int = 28_000_000
    name: str = "report"


def read_passwords(file: str) -> tuple[str, ...]:
    """The lines of a text file; none of no file. Raises `ValueError` if it can't be read."""
    if not file:
        return ()
    try:
        return tuple(line for line in Path(file).read_text(encoding="utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"passwords={file}: a text file with a password a line is needed ({error})") from None


Step = Pipeline | MarkAlike | Flywheel | Train | Report


@dataclass(frozen=True)
class Recipe:
    """Steps, one after the other, each with a folder of its name in the output. Its `repr` is the whole plan.

    A `mixture` is the table of what a corpus is made of, for its plan; without steps a recipe can only be planned.
    """

    name: str
    steps: tuple[Step, ...]
    mixture: tuple[Part, ...] = ()
