"""What a sample of each part of the mixture costs: processor seconds, and bytes in a shard, by the parts' own recipes over the
documents of packages that they take by default.

    python -m tests.bench.work.parts [--only fine,word,scene,vision,texts] [--documents 6] [--seed 0]

Counted are the seconds of this process and of the children that parse, for all that a pipeline does to a document, with one
thread; the first document of each is not counted, since engines and children start with it. Scenes are photographs that PP-OCR
reads on the processor. Of vision half are pictures made here, and half the same ones read again as others' pictures with
captions. Texts come in samples of about the paper's 8,192 tokens. These rates are what `make recipe=corpus30m plan=1` reckons
with, beside those of coarse pages, measured by tests/bench/coarse/extraction.py, of figures by figures.py and charts.py, and of
minority languages by reader.py.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from pkgutil import resolve_name
from typing import NamedTuple

from datagen.inputs.selection import choose
from datagen.record import Sample
from datagen.texts.source import TextSource
from datagen.work.pipeline import Pipeline
from recipes import RECIPES
from recipes.run.sample_costs import record
from tests.bench.measuring import options, spent_s
from tests.inputs.picture_files import tar

TEXT_CHARS = 30_000  # of the longest text
RECORD_BYTES = 1500  # of a sample in a shard, beside its image and its record: the archive's blocks
TARS = 3


class Part(NamedTuple):
    """The pipelines of a recipe that make a part, what its rates are called, and how many documents count as one, since some are
    short, or how many are one, since some are blocks of draws."""

    recipe: str
    pipelines: tuple[str, ...]
    rates: tuple[str, ...]
    documents: float = 1


PARTS = {
    "fine": Part("fine", ("fine",), ("fine.page_core_s",)),
    "word": Part("word", ("word",), ("word.sample_core_s", "word.sample_bytes")),
    "scene": Part("scene", ("scene",), ("scene.picture_core_s", "scene.picture_bytes"), 2),
    "vision": Part("vision", ("vision",), ("vision.picture_core_s", "vision.picture_bytes"), 0.25),
    "texts": Part("texts", ("texts",), ("texts.sample_core_s", "texts.sample_bytes"), 10),
}


class Cost(NamedTuple):
    num_documents: int
    num_samples: int
    core_s: float
    num_bytes: int
    drops: Counter[str]


def main() -> None:
    arguments = options(__doc__, only=",".join(PARTS), documents=6, seed=0).parse_args()
    print(f"{'a sample of':<26}{'core-s':>9}{'kB':>8}{'samples':>9}{'documents':>11}  dropped")
    for name in arguments.only.split(","):
        measure(name, round(arguments.documents * PARTS[name].documents), arguments.seed)


def measure(name: str, num_documents: int, seed: int) -> None:
    part, costs = PARTS[name], []
    for pipeline in pipelines(part):
        cost, samples = cost_of(pipeline, num_documents, seed, keeps=name == "vision")
        show(f"{name}: {pipeline.name}", cost)
        costs.append(cost)
    if name == "vision":
        with tempfile.TemporaryDirectory() as folder:
            write_tars(Path(folder), samples)
            (pipeline,) = pipelines(part, input=folder)
            costs.append(cost_of(pipeline, TARS - 1, seed)[0])
            show("vision: others' captions", costs[-1])
    num_samples = sum(cost.num_samples for cost in costs)
    values = (sum(cost.core_s for cost in costs) / num_samples, sum(cost.num_bytes for cost in costs) / num_samples)
    record("parts", dict(zip(part.rates, values, strict=False)))


def pipelines(part: Part, **words: str) -> Iterator[Pipeline]:
    for step in resolve_name(RECIPES[part.recipe].function)(**words).steps:
        if isinstance(step, Pipeline) and step.name in part.pipelines:
            is_text = isinstance(step.source, TextSource)
            yield replace(step, source=replace(step.source, max_chars=TEXT_CHARS)) if is_text else step  # type: ignore[type-var]


def show(name: str, cost: Cost) -> None:
    each = f"{cost.core_s / cost.num_samples:>9.4f}{cost.num_bytes / cost.num_samples / 1000:>8.1f}"
    drops = ", ".join(f"{num} {reason}" for reason, num in cost.drops.most_common(3)) or "none"
    print(f"{name:<26}{each}{cost.num_samples:>9}{cost.num_documents:>11}  {drops}", flush=True)


def cost_of(pipeline: Pipeline, num_documents: int, seed: int, keeps: bool = False) -> tuple[Cost, list[Sample]]:
    """The cost of so many documents of the census, drawn by seed, but for the first one's; and the samples if it `keeps` them."""
    first, *items = choose(pipeline.census.items(), num_documents + 1, seed)
    for _ in pipeline.process((first,), []):
        pass
    num_samples = num_bytes = 0
    drops: Counter[str] = Counter()
    kept: list[Sample] = []
    before_s = spent_s()
    for outcome in pipeline.process(tuple(items), []):
        if isinstance(outcome, Sample):
            num_samples += 1
            num_bytes += len(outcome.image or b"") + len(outcome.to_json()) + RECORD_BYTES
            kept += [outcome] if keeps else []
        else:
            drops[outcome.reason] += 1
    return Cost(len(items), num_samples, spent_s() - before_s, num_bytes, drops), kept


def write_tars(folder: Path, samples: list[Sample]) -> None:
    """The samples as others have theirs: tars of WebDataset, with a caption beside each picture."""
    for number in range(TARS):
        files: dict[str, bytes] = {}
        for at, sample in enumerate(samples[number::TARS]):
            files |= {f"{at:06d}.jpg": sample.image or b"", f"{at:06d}.txt": sample.caption.encode()}
        tar(folder / f"{number:06d}.tar", files)


if __name__ == "__main__":
    main()
