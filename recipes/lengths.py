"""The lengths of a training's samples, counted before it by workers, beside the datasets."""

from dataclasses import dataclass

from model.train.data_config import Data
from recipes.recipe import Recipe
from recipes.words.training_data import mixture


@dataclass(frozen=True)
class CountLengths:
    """Counts the tokens of all samples of `datasets`, by the tokenizer in `start`."""

    datasets: tuple[Data, ...]
    start: str
    name: str = "lengths"


def lengths(data: str = "", start: str = "") -> Recipe:
    """How many tokens samples have, counted on workers: a training that starts from there then counts none."""
    if not data or not start:
        raise ValueError("lengths needs data=A,B,… and start=FOLDER, as the training has them: its tokenizer counts")
    return Recipe("lengths", (CountLengths(mixture(data)["datasets"], start),))
