"""The flywheel as a step of a recipe: its values, and which rounds an output has, so that recipes and reports load nothing
more."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from datagen import dataset
from datagen.storage import Folder

CROPS = "crops"
"""The dataset of line crops that all rounds share."""


@dataclass(frozen=True)
class Fit:
    """How a reader is trained. The budget is `steps` of lines that are `batch_width` pixels wide together, for `num_lines` of
    them or more; fewer lines get fewer steps, by the square root, and `least_share` of them at least. Weights depend on
    `threads`, so it is a value here.

    `typeset_share` of the lines are set anew in typefaces of this machine. Languages are drawn by the square root of how many
    lines they have. In the first `short_steps` of a reader that starts from nothing, lines are short.
    """

    steps: int
    learning_rate: float
    short_steps: int = 0
    num_lines: int = 8_000
    least_share: float = 0.25
    typeset_share: float = 0.35
    batch_width: int = 3_000
    warmup: float = 0.1
    weight_decay: float = 0.01
    checkpoint_every: int = 400
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Flywheel:
    """`rounds` of: train a reader, measure it, let it read what nobody has labelled, keep what the gate lets through.

    It serves the languages of the dataset `pages` that have less than `min_alphabet_share` of their letters in the alphabet of
    the embedded reader, if their script has `min_train_lines` lines to train on. The gate asks of calibration lines that
    `precision` of those accepted are right, letter for letter. At most `max_held_out` lines of a language test a round, and as
    many calibrate its gate. `rounds` says how many should exist; fewer than exist changes nothing.
    """

    runs: ClassVar[str] = "recipes.steps.flywheel:FlywheelRunner"

    pages: str
    rounds: int = 2
    seed: int = 0
    min_alphabet_share: float = 0.99
    min_train_lines: int = 300
    precision: float = 0.97
    max_held_out: int = 300
    first: Fit = field(default_factory=lambda: Fit(steps=3000, learning_rate=2e-3, short_steps=330))
    later: Fit = field(default_factory=lambda: Fit(steps=2500, learning_rate=1.2e-3))
    passwords: tuple[str, ...] = field(default=(), repr=False, metadata={"secret": True})
    name: str = "flywheel"


def round_folders(out: Folder) -> list[str]:
    """The names of the rounds in an output, whole or not, in order."""
    return _consecutive(out, "")


def clear_round(folder: Folder) -> None:
    """Delete a round, the mark that it is whole first."""
    folder.remove("metrics.json")
    folder.remove("reader")
    if folder.exists("census") or folder.exists("run.json"):
        dataset.clear(folder)
    folder.remove("pages_to_read.json")
    folder.remove("round.json")


def round_metrics(out: Folder) -> list[dict[str, Any]]:
    """What metrics.json says of each round that is whole, in order."""
    return [json.loads(out.read(f"{name}/metrics.json")) for name in _consecutive(out, "/metrics.json")]


def _consecutive(out: Folder, within: str) -> list[str]:
    names: list[str] = []
    while out.exists(f"round-{len(names) + 1}{within}"):
        names.append(f"round-{len(names) + 1}")
    return names
