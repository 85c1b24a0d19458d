"""How a training of the labeller is set; apart, since it loads nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How the network is trained."""

    epochs: int = 30
    learning_rate: float = 1.5e-3
    seed: int = 0
    width: int = 160
    depth: int = 5
