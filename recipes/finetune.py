"""Fine-tuning: from the released folder, or one that transformers or a training here saved, on rows that people write themselves.

All of the network learns, or all but frozen parts, or adapters beside the decoder's layers. Held-out rows are read before and
after.
"""

from pathlib import Path
from typing import Unpack

from model.files import hub
from model.net.config import ModelConfig
from model.train.step import Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from recipes.recipe import Recipe, Report
from recipes.words.training import TrainingWords, with_words

FULL = Train(
    datasets=(),
    groups=(),  # rows come equally often, and epochs count them
    schedule=Schedule(steps=20_000, epochs=3.0, min_learning_rate=2e-6, warmup=50),
    optim=Optim(learning_rate=2e-5, weight_decay=0.0),
    batches=Batches(rows_per_step=2, rows_follow=True, micro_rows=1, length=8192, modes=(("base", 1.0), ("gundam", 1.0))),
    evaluation=Evaluation(loss_samples=64, loss_every=50, read_samples=32, read_first=True, shown_samples=8, max_new_tokens=4096),
    checkpoint=Checkpoint(checkpoint_every=100),
    compute=Compute(checkpointing=None, workers=8, threads=8),
)
"""For the released network and a GPU, or several. A step learns from some eight pages, on eight GPUs from 30."""
TINY = FULL.but(
    steps=40,
    epochs=0.0,
    rows_per_step=1,
    length=1024,
    modes=(("tiny", 1.0),),
    learning_rate=1e-3,
    min_learning_rate=1e-4,
    warmup=4,
    loss_samples=16,
    loss_every=20,
    read_samples=8,
    max_new_tokens=64,
    checkpoint_every=20,
    checkpointing=(),
    workers=0,
    threads=2,
)
"""A minute on two cores, for a tiny network."""


def finetune(
    data: str = "",
    start: str = "",
    variant: str = "full",
    **words: Unpack[TrainingWords],
) -> Recipe:
    """A model that goes on from the released weights, or others, on your own images, prompts and answers."""
    if not data:
        raise ValueError("finetune needs data=FILE.jsonl: rows with an image, a prompt and an answer")
    if not start:
        raise ValueError(
            "finetune needs start=FOLDER: the released weights, or others, with their config.json and tokenizer.json"
        )
    if variant not in ("full", "tiny"):
        raise ValueError(f"variant={variant}: allowed are full and tiny")
    step = FULL if variant == "full" else TINY
    most = _max_positions(start)
    step = step.but(
        start=start,
        length=min(step.batches.length, most) if most else step.batches.length,
        steps=FULL.schedule.steps if words.get("epochs") else step.schedule.steps,
    )
    return Recipe("finetune", (with_words(step, words, data), Report(datasets=())))


def _max_positions(start: str) -> int:
    """The number of positions of the network in `start`; 0 if unknown. The training reports a folder's faults: recipes are also
    built for an output whose start is gone. Weights fetched from the hub before aren't fetched again."""
    try:
        place = hub.place(hub.place(start, hub.CONFIG_ALONE, fetches=False), hub.CONFIG_ALONE)
        return ModelConfig.from_json((Path(place).expanduser() / "config.json").read_bytes()).decoder.max_positions
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0
