"""A small model that reads, from nothing: the paper's two stages in small, on lines of text that are drawn as they are needed.

The paper starts from SAM's and CLIP's published weights. Here nothing is known at first, so the first training stands for them:
SAM alone is told which character stands in each frame of a line (`model.net.told`). Then full lines are learned at once. At first
one of the decoder's heads is told, too, where the next character stands (`model.net.guided`): without that it loses its place.
"""

from datagen.drawing import typefaces
from datagen.drawing.line_curriculum import Curriculum, Lines
from model.net.config import line_reader
from model.train.data_config import MEASURE, Data, DrawnLines
from model.train.step import RANDOM, Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from recipes.recipe import Recipe, Report

LONGEST = 30
NUM_LINES = 320_000  # more than the steps of stage 1 take
FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf")
"""Those that any machine has on which this runs."""
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
FULL_LINES = LINES.but(
    steps=4000,
    rows_per_step=2,
    micro_rows=2,
    length=512,
    max_new_tokens=40,
    looks_after=500,
    told=0.3,
    told_until=0.8,
    placed=0.3,
    placed_until=0.6,
)
EYES = LINES.but(
    steps=400,
    learning_rate=3e-3,
    min_learning_rate=3e-4,
    warmup=50,
    rows_per_step=1,
    micro_rows=1,
    length=1024,
    frozen=("clip", "projector", "embeddings", "decoder"),
    told=1.0,
    told_until=0.0,
    answers=False,
    # Nothing of it reads yet.
    loss_every=400,
    loss_samples=1,
    read_every=0,
    read_samples=1,
    looks_after=10**9,
    name="eyes",
)
"""SAM alone, told at its neck: it stands for published weights, which `start_encoder` takes where a folder has them."""


def reads(seed: int = 0) -> Recipe:
    """A small model that reads lines of text, from nothing and without any input.

    SAM learns to see, then stage 1 to read lines of up to 30 characters. Stage 2 puts a mixture of experts behind that encoder,
    with SAM frozen. Both are measured on the same 300 unseen lines of 8 to 12 characters and 300 of 25 to 30, and on these in a
    typeface that they never saw.
    """
    eyes = EYES.but(datasets=(full_lines(seed + 2000),), seed=seed)
    first = FULL_LINES.but(
        datasets=(full_lines(seed), *_measured()), start_encoder=eyes.name, start_decoder=RANDOM, seed=seed, name="stage1"
    )
    second = first.but(
        datasets=(full_lines(seed + 1000, NUM_LINES // 2), *_measured()),
        model=line_reader(2),
        start_encoder=first.name,
        frozen=("sam",),
        steps=1800,
        read_every=600,
        told=0.0,
        name="stage2",
    )
    return Recipe("reads", (eyes, first, second, Report(datasets=())))


def full_lines(seed: int, count: int = NUM_LINES) -> Data:
    """Lines of all lengths to learn from, with the places of their characters, and unseen ones of 8 to 12."""
    lines = Lines(seed=seed, faces=FACES, random_to=5)
    return Data("lines", drawn=DrawnLines(Curriculum(lines, ((0, LONGEST),)), count, tells=True))


def _measured() -> tuple[Data, ...]:
    """Long lines, and lines in a typeface that isn't learned, where it is installed."""
    faces = {"": FACES} | ({" in another typeface": (OTHER_FACE,)} if OTHER_FACE in typefaces.files() else {})
    spans = {"lines": (8, 12), "long lines": (25, LONGEST)}
    return tuple(
        Data(f"{name}{where}", drawn=DrawnLines(Curriculum(Lines(faces=of)), 0, shortest=shortest, longest=longest), only=MEASURE)
        for where, of in faces.items()
        for name, (shortest, longest) in spans.items()
        if name != "lines" or where
    )


def drawn(seed: int, stages: tuple[tuple[int, int], ...], count: int = NUM_LINES) -> Data:
    """Lines that grow from a single character on, and unseen ones."""
    return Data("lines", drawn=DrawnLines(Curriculum(Lines(seed=seed, random_to=5), stages), count))
