"""The worth of labels: the same network, from the same start and in the same number of steps, learns two or three corpora, with
several seeds each. All are measured on the same truth, which none of them learned.

Without GPUs this works for short lines, which a small network learns in minutes: the package's network, which `reads` trained on
drawn lines, goes on. The word `of` names three such ablations that come with the recipe.
"""

import dataclasses
from typing import Annotated

from datagen.coarse.raw_lines import RawLines, ShortLineCrops
from datagen.disk.storage import Folder
from datagen.drawing.endless_lines import Lines
from datagen.work.pipeline import Pipeline
from datagen.work.samples_of import SamplesOf, ShardsOf, ShortSamples
from flywheel.lines.wear_stage import WearLines
from flywheel.step import CROPS, is_whole, numbers, round_name
from model.net.config import line_reader
from model.train.data_config import MEASURE, TRAIN, Data, DrawnLines
from model.train.step import PACKAGED, RANDOM, Train
from recipes import finetune
from recipes.multilingual import multilingual
from recipes.reads import LINES
from recipes.recipe import Recipe, Report, Step
from recipes.words.training_data import mixture
from recipes.words.values import datasets, path

NOTHING = 1e-9
"""The share of documents that a training holds out by itself: `HoldOut` chooses the others."""
SHARE = 0.15  # of the documents, if the truth is a part of the arms' data
SCANS, PHOTOS = 0.3, 0.2

LINE_ARM = LINES.but(
    learning_rate=5e-4,
    frozen=("sam",),
    held_out_share=NOTHING,
    loss_samples=200,
    read_samples=300,
    read_every=0,
    shown_samples=300,
    max_new_tokens=64,
)
"""An arm of short lines, from a network that reads drawn ones. With a fresh decoder behind its encoder, 200 steps on 2,700 lines
brought the loss to 3.18 nats with a line's own image and 3.43 with another's: it learned the texts. From the whole network these
were 2.93 and 3.74 after 100 steps (one seed each, a network with half of its characters wrong)."""
FRESH_ARM = LINE_ARM.but(model=line_reader(2), start_decoder=RANDOM, learning_rate=LINES.optim.learning_rate)
"""The same arm with only the encoder of its start: the paper's stage 2 in small."""
PAGE_ARM = finetune.FULL.but(epochs=0.0, held_out_share=NOTHING, read_samples=300, shown_samples=300, read_first=False)
"""An arm of whole pages, from a network that reads them. It needs a GPU, and nobody has run it."""
UNSEEN = Data("unseen lines", drawn=DrawnLines(Lines(), count=0), only=MEASURE)
"""Lines in typefaces of this machine, whose letters are known since the lines are drawn. No arm learns such lines."""


@dataclasses.dataclass(frozen=True)
class HoldOut:
    """Documents that no later step trains on: a `share` of those of `datasets`, chosen by a hash, at least one; all of them at a
    share of 1. They are identified by group and sha256, so they are held out of any dataset that has them. A dataset is a folder
    of the output by its name, or another folder or .jsonl file; each row of such a file must have a `group`."""

    datasets: tuple[str, ...]
    share: float = 1.0
    name: str = "held-out"

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"share is {self.share}: it must be above 0, and at most 1")


@dataclasses.dataclass(frozen=True)
class Arm:
    """An arm of the comparison: a training by its name for each seed, in the seeds' order."""

    name: str
    trainings: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Compare:
    """The arms' errors on the same `truths` (datasets as in the trainings' `Data`), with intervals: by `num_draws` of a paired
    bootstrap over samples, by as many over whole documents, and over seeds. For each pair, the `num_worst` samples that one arm
    reads better than the other are kept with their pictures."""

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


@dataclasses.dataclass(frozen=True)
class _Ablation:
    """An ablation: steps that make the data, the arms by their names, and the truths."""

    steps: tuple[Step, ...]
    arms: dict[str, Train]
    truths: tuple[str, ...]


def ablate(
    a: Annotated[str, "DATASET", "the first dataset to compare, as data= of train; b and c are the others", datasets] = "",
    b: Annotated[str, "DATASET", "the second dataset", datasets] = "",
    c: Annotated[str, "DATASET", "a third dataset", datasets] = "",
    truth: Annotated[str, "DATASET", "the test set for all; its documents are kept out of a, b and c", datasets] = "",
    of: Annotated[
        str, "KIND", "a ready comparison in place of a and b: raw_text (with ours), rounds (1 with 2), degradations"
    ] = "",
    corpus: Annotated[str, "DIR", "with of=: an output of multilingual to compare pages or rounds of", path] = "",
    input: str = "",
    limit: int = 0,
    start: str = "",
    start_encoder: str = "",
    steps: Annotated[int, "N", "how many steps to train on each dataset"] = 750,
    seeds: Annotated[int, "N", "how many seeds to train each with"] = 5,
    variant: Annotated[str, "NAME", "what to train: lines, a small reader of lines; full, the released sizes"] = "lines",
    modes: str = "",
) -> Recipe:
    """What a label is worth: the same training on two corpora, with seeds and intervals, measured on one truth.

    Without a `truth`, or if it is one of the corpora, a share of the documents is held out of all arms, and all are measured on
    them, by each corpus's labels. With `of`, short lines of `corpus` are compared, and a `truth` is measured, too; raw_text and
    degradations may also read documents of their own: `input`, `limit`.

    All arms start from the network in `start`, or from the encoder alone of that in `start_encoder`, before a fresh decoder; by
    default they start from the package's network of lines.
    """
    kinds = {"raw_text": _raw_text, "rounds": _rounds, "degradations": _degradations}
    if bool(of) == bool(a or b or c):
        raise ValueError(f"ablate compares a=DATASET and b=DATASET, or what of= says: {', '.join(kinds)}")
    if of and of not in kinds:
        raise ValueError(f"of={of}: allowed are {', '.join(kinds)}")
    if not of and not (a and b):
        raise ValueError("ablate needs both a=DATASET and b=DATASET: there is nothing to compare one with")
    if not of and (corpus or input or limit):
        raise ValueError("corpus, input and limit are for of=KIND: a=DATASET and b=DATASET say what is learned from")
    if of == "rounds" and not corpus:
        raise ValueError("of=rounds needs corpus=DIR: an output of multilingual that has two rounds of the flywheel")
    if corpus and (input or limit):
        raise ValueError("give corpus=DIR, whose pages are there already, or input=WHERE and limit=N, not both")
    if seeds < 1:
        raise ValueError("seeds=0: at least one is needed; five show how far seeds alone lie apart")
    if variant not in ("lines", "full"):
        raise ValueError(f"variant={variant}: allowed are lines and full")
    if start and start_encoder:
        raise ValueError("give start=FOLDER for a whole network or start_encoder=FOLDER for its encoder alone, not both")
    if variant == "full" and not start:
        raise ValueError("variant=full needs start=FOLDER: the released weights, or others that read pages")
    base = _base(start, start_encoder, variant, modes, steps)
    made = kinds[of](base, corpus, input, limit) if of else _of_corpora(base, [one for one in (a, b, c) if one], truth)
    if of and truth:
        made = dataclasses.replace(
            made,
            steps=(*made.steps, HoldOut((truth,), name="truth-of-others")),
            arms={name: _measured_on(arm, truth) for name, arm in made.arms.items()},
            truths=(*made.truths, truth),
        )
    trainings = [
        dataclasses.replace(arm, seed=seed, name=f"{name}-{seed}") for seed in range(seeds) for name, arm in made.arms.items()
    ]
    arms = tuple(Arm(name, tuple(f"{name}-{seed}" for seed in range(seeds))) for name in made.arms)
    compare = Compare(arms, made.truths)
    return Recipe("ablate", (*made.steps, *trainings, compare, Report(datasets=())))


def _base(start: str, start_encoder: str, variant: str, modes: str, steps: int) -> Train:
    """The common part of all arms."""
    base = (
        (PAGE_ARM if variant == "full" else FRESH_ARM if start_encoder else LINE_ARM)
        .but(loss_every=max(1, steps // 8), looks_after=max(1, steps // 2))
        .lasting(max(1, steps))
    )
    if modes:
        base = base.but(modes=tuple((mode, 1.0) for mode in modes.split(",") if mode))
    if start_encoder:
        return base.but(start_encoder=start_encoder)
    return base.but(start=start or PACKAGED)


def _of_corpora(base: Train, corpora: list[str], truth: str) -> _Ablation:
    learned = {name: mixture(corpus) for name, corpus in zip("abc", corpora, strict=False)}
    places = [one.where for of_arm in learned.values() for one in of_arm["datasets"]]
    if len(corpora) != len(set(corpora)):
        raise ValueError("a, b and c must be different corpora")
    truths = (truth,) if truth else tuple(dict.fromkeys(places))
    held_out = HoldOut(truths, 1.0 if truth and truth not in places else SHARE)
    arms = {}
    for name, of_arm in learned.items():
        own = tuple(
            one if one.where in truths else dataclasses.replace(one, only=one.only or TRAIN) for one in of_arm["datasets"]
        )
        arm = base.but(**(of_arm | {"datasets": own}))
        for one in truths:
            arm = _measured_on(arm, one)
        arms[name] = arm
    return _Ablation((held_out,), arms, truths)


def _measured_on(arm: Train, truth: str) -> Train:
    if truth in (one.where for one in arm.data):
        return arm
    return dataclasses.replace(arm, datasets=(*arm.datasets, Data(truth, arm.data[0].group, only=MEASURE)))


def _lines(corpus: str, input: str, limit: int) -> tuple[tuple[Step, ...], ShardsOf]:
    """Short lines by our text, in the dataset `ours`; and their pages."""
    pages = ShardsOf(f"{corpus}/coarse" if corpus else "coarse")
    first: tuple[Step, ...] = () if corpus else multilingual(input, limit).steps[:1]
    return (*first, Pipeline("ours", pages, ShortLineCrops(), (), max_drop=1.0)), pages


def _raw_text(base: Train, corpus: str, input: str, limit: int) -> _Ablation:
    """MuPDF's raw text against our text, which has joined lines and restored spaces, and lacks pages with an implausible layer.
    Both arms are measured on our lines of other documents, and on drawn lines, which are neither's."""
    steps, pages = _lines(corpus, input, limit)
    raw = Pipeline("raw", pages, RawLines(), (), max_drop=1.0)
    arms = {
        "raw": dataclasses.replace(base, datasets=(Data("raw", only=TRAIN), Data("ours", only=MEASURE), UNSEEN)),
        "ours": dataclasses.replace(base, datasets=(Data("ours"), UNSEEN)),
    }
    return _Ablation((*steps, raw, HoldOut(("ours",), SHARE)), arms, ("ours", UNSEEN.where))


def _degradations(base: Train, corpus: str, input: str, limit: int) -> _Ablation:
    """The same lines clean, and scanned or photographed; measured on other documents' lines, clean and worn. The flywheel's code
    wears those, and the trainer's code the arm's lines, so neither knows the other's damage."""
    steps, _ = _lines(corpus, input, limit)
    worn = Pipeline("worn", ShardsOf("ours"), SamplesOf(stage="worn"), (WearLines(),))
    plain = dataclasses.replace(base, datasets=(Data("ours"), Data("worn", only=MEASURE)))
    arms = {"plain": plain, "degraded": plain.but(scans=SCANS, photos=PHOTOS)}
    return _Ablation((*steps, worn, HoldOut(("ours",), SHARE)), arms, ("ours", "worn"))


def _rounds(base: Train, corpus: str, input: str, limit: int) -> _Ablation:
    """The lines that the flywheel's first round accepted, against those of its last one. The truth are lines of text layers of
    its other documents, in the same languages."""
    out = Folder(corpus)
    last = max((number for number in numbers(out) if is_whole(out.sub(round_name(number)))), default=2)
    if last == 1:
        raise ValueError(f"corpus={corpus} has one round of the flywheel: make another one first, with rounds=2")
    labels = {number: f"labels-{number}" for number in (1, last)}
    made = [
        Pipeline(name, ShardsOf(f"{corpus}/{round_name(number)}"), ShortSamples(), (), max_drop=1.0)
        for number, name in labels.items()
    ]
    beside = tuple(f"{corpus}/{round_name(number)}" for number in labels)
    truth = Pipeline("truth", ShardsOf(f"{corpus}/{CROPS}"), ShortSamples(beside=beside), (), max_drop=1.0)
    arms = {
        f"round{number}": dataclasses.replace(base, datasets=(Data(name, only=TRAIN), Data("truth", only=MEASURE)))
        for number, name in labels.items()
    }
    return _Ablation((*made, truth, HoldOut(("truth",))), arms, ("truth",))
