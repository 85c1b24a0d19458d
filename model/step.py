"""A recipe's training step as plain values. This file loads no torch, so that a recipe is quick to build and to show."""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from model.config import ModelConfig, tiny


@dataclass(frozen=True)
class Train:
    """A training: which network learns from which datasets, in how many steps. Budgets are in steps, because a budget in seconds
    would not give the same weights twice.

    datasets            folders of the output. A name with * is a pattern, and may match none
    num_samples         the number of samples that `steps` is meant for. See `worth`
    crop_share          the share of steps that take line crops. The others take pages. If there are no pages, all take crops
    length              tokens of a sequence at most, placeholders included. A longer answer is cut, and counted
    held_out_share      the share of groups, usually documents, that are never trained on
    loss_samples        held-out samples of each task whose loss is measured
    read_samples        held-out samples of each task that are read at the end
    shown_samples       samples of each task that the report shows, of those read
    """

    runs: ClassVar[str] = "recipes.steps.train:TrainRunner"

    datasets: tuple[str, ...]
    model: ModelConfig = field(default_factory=tiny)
    steps: int = 450
    num_samples: int = 1
    page_batch: int = 2
    crop_batch: int = 8
    crop_share: float = 0.25
    mode: str = "tiny"
    length: int = 640
    learning_rate: float = 3e-3
    min_learning_rate: float = 1e-4
    warmup: int = 20
    weight_decay: float = 0.05
    max_norm: float = 1.0
    tokenizer_samples: int = 1500
    held_out_share: float = 0.1
    loss_samples: int = 16
    loss_every: int = 90
    read_samples: int = 16
    shown_samples: int = 4
    max_new_tokens: int = 400
    checkpoint_every: int = 50
    seed: int = 0
    threads: int = 2
    name: str = "train"

    def __post_init__(self) -> None:
        for name in (
            "steps",
            "page_batch",
            "crop_batch",
            "length",
            "checkpoint_every",
            "loss_every",
            "loss_samples",
            "read_samples",
            "num_samples",
            "threads",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least 1")
        if not 0 <= self.crop_share <= 1:
            raise ValueError(f"crop_share is {self.crop_share}: it must be from 0 to 1")
        if not 0 < self.held_out_share < 1:
            raise ValueError(f"held_out_share is {self.held_out_share}: it must be between 0 and 1")

    def worth(self, num_samples: int) -> "Train":
        """This step with fewer `steps` if there are fewer than `num_samples`: by the square root, and 0.3 of them at least."""
        share = min(1.0, max(0.3, math.sqrt(num_samples / self.num_samples)))
        return replace(self, steps=max(1, round(self.steps * share)))

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step: up in a line over `warmup` steps, then down along a cosine."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.min_learning_rate + (self.learning_rate - self.min_learning_rate) * (1 + math.cos(math.pi * done)) / 2
