"""The steps of an ablation as plain values: what is kept out of every arm, and how arms are compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HoldOut:
    """Documents that no later step trains on: of `datasets` those that a hash chooses, a `share` of them, at least one; all of
    them at a share of 1. They are named by their groups and their sha256, so that they are held out of any dataset that has them.

    A dataset is a folder of the output by its name, or else a folder or a .jsonl file; of such a file each row must have a
    `group`.
    """

    datasets: tuple[str, ...]
    share: float = 1.0
    name: str = "held-out"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}: it must be above 0, and at most 1")


@dataclass(frozen=True)
class Arm:
    """One of what is compared: a training by its name for each seed, in the seeds' order."""

    name: str
    trainings: tuple[str, ...]


@dataclass(frozen=True)
class Compare:
    """The arms' errors on the same `truths`, datasets as the trainings' `Data` name them, with intervals: by `num_draws` of a
    paired bootstrap over samples, by as many over whole documents, and over seeds. Of each pair the `num_worst` samples that each
    of the two reads better than the other are kept with their pictures."""

    arms: tuple[Arm, ...]
    truths: tuple[str, ...]
    num_draws: int = 2000
    num_worst: int = 6
    seed: int = 0
    name: str = "compare"

    def __post_init__(self) -> None:
        if len(self.arms) < 2:
            raise ValueError(f"{len(self.arms)} arms can't be compared: two at least are needed")
        if len({len(arm.trainings) for arm in self.arms}) != 1:
            raise ValueError("arms must have as many seeds each as the others")
