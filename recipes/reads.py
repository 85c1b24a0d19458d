"""A small model that reads, from nothing: the paper's two stages in small, on lines of text that are drawn as they are needed.

It shows that the network learns to read, not only to talk. Lines grow from a single character on, because on whole lines at once
it learns the language and never looks at the image.

Where the lines grow was measured, one seed each, in steps of 32 lines. On single characters the loss falls under 0.75 nats after
10,000 lines. From 2 characters lines may grow to 5 at once: random ones of up to 5 then had half of their characters wrong after
46,000 lines in all. Growing by one whenever the loss was under 0.6, a network was still at 3 by then, and came to 4 after 81,000.
At a rate of 3e-3 the loss on single characters was still 2.0 after 29,000 of them. Steps of 64 lines took as much time to get as
far, steps of 128 at twice the rate took longer.
"""

from dataclasses import replace

from datagen.drawing import typefaces
from datagen.drawing.line_curriculum import Curriculum, Lines
from model.net.config import line_reader
from model.train.data_config import Data, DrawnLines
from model.train.step import RANDOM, Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from recipes.recipe import Recipe, Report

# From which line on, up to how many characters: random ones, until texts of 8, which are prose mostly.
STAGES = ((0, 1), (14_000, 2), (27_000, 5), (85_000, 8), (104_000, 12))
NUM_LINES = 320_000  # more than the steps of stage 1 take, which is some 280,000
OTHER_FACE = "NotoSans-Regular.ttf"


LINES = Train(
    datasets=(),
    model=line_reader(1),
    schedule=Schedule(steps=8000, min_learning_rate=5e-5, warmup=100),
    optim=Optim(learning_rate=1e-3, betas=(0.9, 0.98), weight_decay=0.01),
    batches=Batches(rows_per_step=3, micro_rows=3, length=256, modes=(("line", 1.0),), tokenizer_samples=0),
    evaluation=Evaluation(
        loss_samples=100,
        loss_every=250,
        read_samples=300,
        read_every=1000,
        shown_samples=12,
        max_new_tokens=24,
        looks_after=2000,  # before, it has seen no line as long as those that it is measured on
    ),
    checkpoint=Checkpoint(checkpoint_every=250),
    compute=Compute(workers=1, threads=1),
)
"""Stage 1 on drawn lines: the encoder before a dense decoder."""


def reads(seed: int = 0) -> Recipe:
    """A small model that reads lines of text, from nothing and without any input.

    Stage 1, and then its encoder, with SAM frozen, before a mixture of experts: stage 2. Both are measured on the same 300 unseen
    lines of 8 to 12 characters, and on those lines in a typeface that they never saw.
    """
    first = replace(LINES, datasets=(drawn(seed), *_in_another_typeface()), seed=seed, name="stage1")
    second = first.but(
        datasets=(drawn(seed + 1000, ((0, 12),), NUM_LINES // 2), *_in_another_typeface()),
        model=line_reader(2),
        start_encoder=first.name,
        start_decoder=RANDOM,
        frozen=("sam",),
        steps=1800,
        read_every=600,
        looks_after=500,
        name="stage2",
    )
    return Recipe("reads", (first, second, Report(datasets=())))


def drawn(seed: int, stages: tuple[tuple[int, int], ...] = STAGES, count: int = NUM_LINES) -> Data:
    """Lines to learn from, and unseen ones."""
    return Data("lines", drawn=DrawnLines(Curriculum(Lines(seed=seed, random_to=5), stages), count))


def _in_another_typeface() -> tuple[Data, ...]:
    """The unseen lines alone, in a typeface that isn't learned; nothing where it isn't installed."""
    if OTHER_FACE not in typefaces.files():
        return ()
    return (Data("lines in another typeface", drawn=DrawnLines(Curriculum(Lines(faces=(OTHER_FACE,))), count=0)),)
