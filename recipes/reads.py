"""A small model that reads, from nothing: the paper's two stages in small, on lines of text that are drawn as they are needed.

The paper starts from SAM's and CLIP's published weights. Here the first training replaces them: SAM alone learns the character in
each frame of a line (`model.net.frame_head`). Then full lines are learned in one go. At first one of the decoder's heads also
learns the place of the next character (`model.net.guided_attention`): otherwise it loses its place. The network that reads drawn
lines goes on with lines of documents, and from Latin to lines in other scripts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from datagen.coarse.raw_lines import ShortLineCrops
from datagen.drawing import typefaces
from datagen.drawing.endless_lines import Lines, ScriptLines
from datagen.work.pipeline import Pipeline
from datagen.work.samples_of import ShardsOf
from datagen.writing.scripts import name as name_of
from model.net.config import line_reader
from model.train.data_config import LINE_TEXTS, MEASURE, Data, DrawnLines
from model.train.step import RANDOM, Batches, Checkpoint, Compute, Evaluation, Optim, Schedule, Train
from recipes.recipe import Recipe, Report, Step
from recipes.words.values import path

LONGEST, FIRST_LONGEST = 60, 30
FIRST_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf", "DejaVuSansMono.ttf")
"""The typefaces with which SAM and stage 1 begin. With all in one go SAM learned next to nothing in 118 steps."""
FAMILIES = {
    "DejaVuSans": ("", "-Bold", "-Oblique", "Mono", "Mono-Bold", "Condensed"),
    "DejaVuSerif": ("", "-Bold", "-Italic", "Condensed"),
    "FreeSans": ("", "Bold", "Oblique"),
    "FreeSerif": ("", "Bold", "Italic", "BoldItalic"),
    "FreeMono": ("", "Bold"),
    "NotoSerif": ("-Regular", "-Bold", "-Italic"),
    "NotoSerifDisplay": ("-Regular", "-Italic"),
    "NotoSansMono": ("-Regular",),
    "Garuda": ("", "-Bold", "-Oblique"),
    "Kinnari": ("", "-Bold", "-Italic"),
    "Laksaman": ("", "-Bold", "-Italic"),
    "Loma": ("",),
    "Sawasdee": ("",),
    "Vazirmatn": ("-Regular",),
}
"""Typefaces of drawn lines, by family: `make setup` installs them. Missing ones are left out."""
FACES = tuple(f"{family}{style}.ttf" for family, styles in FAMILIES.items() for style in styles)
OTHER_FACES = ("NotoSans-Regular.ttf", "Norasi.ttf", "AnnapurnaSIL-Regular.ttf")
"""Typefaces that are only measured: without serifs, like Times, and like Charis."""


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
        looks_after=2000,  # before, no learned line is as long as the measured ones
    ),
    checkpoint=Checkpoint(checkpoint_every=250),
    # Its products are so small that bf16 takes longer, even on a processor that multiplies it: a step of 0.55 s in place of 0.31.
    compute=Compute(workers=1, threads=1, precision="float32"),
)
"""Stage 1 on drawn lines: the encoder before a dense decoder."""
FULL_LINES = LINES.but(
    steps=1400,
    rows_per_step=1,
    micro_rows=1,
    # One row, which packing fills with lines of similar length: each width of an image goes through the encoder by itself.
    length=1024,
    max_new_tokens=80,
    loss_every=400,
    loss_samples=32,
    looks_after=800,
    told=0.3,
    told_until=0.8,
    placed=0.3,
    placed_until=0.6,
)
EYES = FULL_LINES.but(
    steps=400,
    learning_rate=3e-3,
    min_learning_rate=3e-4,
    warmup=50,
    frozen=("clip", "projector", "embeddings", "decoder"),
    told=1.0,
    told_until=0.0,
    placed=0.0,
    answers=False,
    # It can't read yet.
    loss_samples=1,
    read_every=0,
    read_samples=1,
    looks_after=10**9,
    name="eyes",
)
"""SAM alone, taught at its neck. It replaces published weights, which `start_encoder` takes from a folder."""
TYPEFACES = FULL_LINES.but(
    steps=1800,
    learning_rate=7e-4,
    warmup=50,
    scans=0.2,
    told_until=0.5,
    placed=0.2,
    placed_until=0.4,
    name="typefaces",
)
"""Next, lines twice as long, in many typefaces, some of them scanned."""
REAL_LINES = FULL_LINES.but(
    steps=4100,
    learning_rate=5e-4,
    min_learning_rate=2e-5,
    warmup=50,
    held_out_share=0.16,
    looks_after=100,
    told=0.0,
    placed=0.0,
    name="real",
)
"""Next, lines of documents."""
OTHER_SCRIPTS = REAL_LINES.but(
    steps=5000,
    learning_rate=1e-3,
    told=0.3,
    told_until=0.8,
    placed=0.3,
    placed_until=0.6,
    read_samples=300,
    read_every=2000,
    max_new_tokens=180,  # a letter of Georgian is three bytes, each a token
    name="scripts",
)
"""Next, lines in other scripts beside Latin ones, with the places of their letters for SAM."""
LATIN, LATIN_SHARE, REAL_SHARE = "Latn", 0.35, 0.25
"""The share of Latin lines in that mixture, and of documents' lines in each script's, if there are any. Other scripts share the
rest by the root of their numbers of languages."""
LANGUAGES = {
    "Armn": ("hy",),
    "Cyrl": ("bg", "mn", "ru", "sr", "uk"),
    "Geor": ("ka",),
    "Grek": ("el",),
}
"""The other scripts of drawn lines, with languages that packages have text of: their letters follow one another from left to
right, so that each has its place, and most of `FACES` have them."""
SHORTEST, MARGIN = 6, 0.08
SHORT_LINES = ShortLineCrops(shortest=SHORTEST, longest=LONGEST, margin=MARGIN)
"""Lines of trusted pages, by default in Latin letters, cut as closely as drawn lines."""


@dataclass(frozen=True)
class InstallLines:
    """Makes the network of the last of these trainings (each goes on from the one before) the package's, with a card."""

    trainings: tuple[str, ...]
    name: str = "install"


@dataclass(frozen=True)
class LineTexts:
    """The text of drawn lines in the scripts of these `languages`, at most `most` lines a script; only lines that one of the
    `faces` draws whole."""

    languages: tuple[tuple[str, tuple[str, ...]], ...]
    faces: tuple[str, ...]
    most: int = 20_000
    name: str = LINE_TEXTS


@dataclass(frozen=True)
class ReadPages:
    """At most `max_pages` pages in Latin letters of `dataset`, of documents that the `training` held out, are read line by line
    by its network, and by Tesseract."""

    training: str
    dataset: str
    max_pages: int = 10
    name: str = "read-pages"


def reads(
    corpus: Annotated[
        str, "DIR", "an output of coarse or multilingual: lines of its trusted pages in these scripts are learned, too", path
    ] = "",
    scripts: Annotated[
        str, "A,B,…", "learn lines in these scripts, too, once Latin is learned: Armn, Cyrl, Geor, Grek (ISO 15924)"
    ] = "Latn",
    seed: int = 0,
    install: Annotated[bool, "0|1", "make stage 1, as it was before it saw a document, the package's network"] = False,
) -> Recipe:
    """A small model that reads lines of text, from nothing.

    SAM learns to see, then stage 1 to read drawn lines: first short ones in a few typefaces, then lines of up to 60 characters in
    many, and with a `corpus` those of its documents; then other `scripts` beside Latin. Stage 2 puts a mixture of experts behind
    that encoder, with SAM frozen. The models are measured on unseen drawn lines of 25 to 30 characters in each script, in Latin
    also in unseen typefaces, and on lines of held-out documents.
    """
    others = other_scripts(scripts)
    eyes = EYES.but(datasets=(first_lines(seed + 2000, 30_000),), seed=seed)
    first = FULL_LINES.but(
        datasets=(first_lines(seed, 60_000), *measured()), start_encoder=eyes.name, start_decoder=RANDOM, seed=seed, name="stage1"
    )
    last = TYPEFACES.but(datasets=(full_lines(seed + 4000, 50_000), *measured()), start=first.name, seed=seed)
    steps: list[Step] = [eyes, first, last]
    if install:
        steps.append(InstallLines(tuple(step.name for step in (eyes, first, last))))
    pages: tuple[Step, ...] = ()
    learned: tuple[Data, ...] = (full_lines(seed + 1000, 80_000),)
    if corpus:
        lines = Pipeline("short-lines", ShardsOf(f"{corpus}/coarse"), SHORT_LINES, (), max_drop=1.0)
        learned = (replace(learned[0], weight=0.5), Data(lines.name, weight=0.5))
        start = last.name
        last = REAL_LINES.but(datasets=(*learned, *measured()), start=start, read_samples=500, seed=seed)
        steps += [lines, last]
    if others:
        mixed, cut = mixture(others, corpus, seed)
        learned = (*_shared((full_lines(seed + 3000, 120_000), *learned[1:]), LATIN_SHARE), *mixed)
        last = OTHER_SCRIPTS.but(datasets=(*learned, *measured()), start=last.name, seed=seed)
        texts = LineTexts(tuple((script, LANGUAGES[script]) for script in others), installed(FACES))
        steps += [texts, *cut, last]
    if corpus:
        pages = (ReadPages(last.name, f"{corpus}/coarse"),)
    second = last.but(
        datasets=(*learned, *measured()),
        model=line_reader(2),
        start="",
        start_encoder=last.name,
        start_decoder=RANDOM,
        frozen=("sam",),
        steps=1800,
        learning_rate=FULL_LINES.optim.learning_rate,
        told=0.0,
        placed=0.3,
        placed_until=0.3,
        name="stage2",
    )
    return Recipe("reads", (*steps, *pages, second, Report(datasets=())))


def other_scripts(named: str) -> tuple[str, ...]:
    """The named scripts without Latin, which is always learned. Raises `ValueError` for one that can't be drawn."""
    asked = dict.fromkeys(script.strip().title() for script in named.split(",") if script.strip())
    for script in asked:
        if script not in (LATIN, *LANGUAGES):
            why = f"{name_of(script)} isn't among the scripts that are drawn letter by letter" if name_of(script) else "no script"
            raise ValueError(f"scripts={named}: {script}: {why}; allowed are {', '.join(sorted((LATIN, *LANGUAGES)))}")
    return tuple(script for script in asked if script != LATIN)


def mixture(scripts: tuple[str, ...], corpus: str, seed: int) -> tuple[tuple[Data, ...], list[Step]]:
    """Drawn lines in each of the scripts, and with a corpus those of its trusted pages, which the steps cut."""
    data: list[Data] = []
    steps: list[Step] = []
    for number, script in enumerate(scripts):
        lines = ScriptLines(
            seed=seed + 5000 + number, longest=LONGEST, faces=installed(FACES), sizes=(36, 50), random_share=0.2, script=script
        )
        of_script = [replace(_placed_lines(lines, 120_000), where=f"lines in {script}")]
        if corpus:
            crops = replace(SHORT_LINES, scripts=(script,))
            steps.append(Pipeline(f"short-lines-{script}", ShardsOf(f"{corpus}/coarse"), crops, (), max_drop=1.0))
            of_script.append(Data(steps[-1].name))
        roots = {one: len(LANGUAGES[one]) ** 0.5 for one in scripts}
        data += _shared(of_script, (1 - LATIN_SHARE) * roots[script] / sum(roots.values()))
    return tuple(data), steps


def _shared(data: Sequence[Data], share: float) -> list[Data]:
    """One script's drawn lines and those of documents, if there are any, as a share of the mixture."""
    drawn, *real = data
    of_real = REAL_SHARE if real else 0.0
    return [replace(drawn, weight=share * (1 - of_real)), *(replace(one, weight=share * of_real) for one in real)]


def first_lines(seed: int, count: int) -> Data:
    """Lines of up to 30 characters in a few typefaces that are on any machine with this package."""
    return _placed_lines(Lines(seed=seed, longest=FIRST_LONGEST, faces=FIRST_FACES, random_to=5), count)


def full_lines(seed: int, count: int) -> Data:
    """Lines of all lengths in many typefaces, letters with accents among them."""
    faces = installed(FACES)
    lines = Lines(seed=seed, longest=LONGEST, faces=faces, sizes=(36, 50), random_to=5, random_share=0.2, accented=0.25)
    return _placed_lines(lines, count)


def _placed_lines(lines: Lines, count: int) -> Data:
    """Drawn lines to learn, with the places of their characters; and unseen ones of 25 to 30 characters to measure."""
    return Data("lines", drawn=DrawnLines(lines, count, shortest=25, longest=30, tells=True))


def installed(faces: tuple[str, ...]) -> tuple[str, ...]:
    """The faces that this machine has; the first ones, if it has none."""
    return tuple(face for face in faces if face in typefaces.files()) or FIRST_FACES


def measured() -> tuple[Data, ...]:
    """Lines in installed typefaces that aren't learned."""
    faces = tuple(face for face in OTHER_FACES if face in typefaces.files())
    unseen = DrawnLines(Lines(faces=faces), 0, shortest=25, longest=30)
    return (Data("lines in other typefaces", drawn=unseen, only=MEASURE),) if faces else ()
