"""What a recipe is made of."""

from dataclasses import dataclass

from datagen.pipeline import Pipeline


@dataclass(frozen=True)
class Report:
    """The HTML report over the `datasets` of earlier steps, with a seeded sample of their pages, in at most `max_bytes`."""

    datasets: tuple[str, ...]
    seed: int = 0
    max_bytes: int = 28_000_000
    name: str = "report"


Step = Pipeline | Report


@dataclass(frozen=True)
class Recipe:
    """Steps, one after the other, each with a folder of its name in the output. Its `repr` is the whole plan."""

    name: str
    steps: tuple[Step, ...]
