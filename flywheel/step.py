"""The flywheel as a step of a recipe: its values, and the folders that it makes in an output.

Recipes, verbs and the report read this file without loading what trains and reads.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from datagen.disk.storage import Folder
from datagen.work import dataset

CROPS = "crops"
"""The dataset of line crops that all rounds share."""

LINES = "lines"
"""The dataset of the lines that the detector finds on pages to be read. All rounds share it."""

TYPESET = "typeset"
"""The dataset of pages that are typeset to calibrate gates, in languages that have text. All rounds share it."""

TYPESET_LINES = "typeset-lines"
"""The dataset of the lines that the detector finds on typeset pages."""

SHARED = (CROPS, LINES, TYPESET, TYPESET_LINES)
"""The datasets that are made once, before the first round, and that all rounds share."""

GOLD = "gold"
"""The dataset of lines that people corrected. There is none before the first correction."""

ROUNDS = "round-*"
"""The pattern of the rounds' names, for a later step that reads all of them."""

PAGES_OF_ROUNDS = "pages-round-*"
"""The pattern of the names of the datasets of pages that rounds labelled nearly whole."""

DISTANCES = "errors.json"
"""The file of a round that says, by reader, language and held-out line, how many edits a reading is from the truth, and how long
the truth is."""

CALIBRATION = "calibration.json"
"""The file of a round that has, by reader, the pieces that calibrated its gate: language, stratum, confidence, whether it is
right, and how many characters it has."""

METRICS = "metrics.json"
"""The file of a round that is written last. A round that has it is whole, and never changes again."""

ORIGIN = "round.json"
"""The file of a round that is written first. It says what the round is made from."""

ASIDE = "aside.json"
"""The file that sets a round aside, and says why. `flywheel.rounds.set_aside` writes it, and moves the round's folder away."""

COMPACT = "compact"
READERS = (COMPACT, "got_ocr", "ours")
"""The kinds of readers: `flywheel.readers.kinds` says how each is trained."""

AUTO = -1
"""As a number of rounds: as many as bring something."""

LEARNED_FROM = "learned_from.json"
"""The file of a round that maps the name of each of its readers to the sha256s of the documents that it, and the readers that it
started from, learned from."""


PRECISIONS = ("", "bfloat16", "float32")


@dataclass(frozen=True)
class Pretrained:
    """The network that a reader of another kind than `compact` starts from, and how it is trained.

    `weights` is a folder; for `got_ocr` also a name on a hub, and for `ours` also the name of a training in the output. With
    `lora` adapters of that rank are trained beside the decoder's layers, in place of all weights. A step learns `lines`, of
    which `at_once` go through the network together. `device` is "cpu", "cuda", or "" for a GPU where there is one. `precision`
    is that of products, and of the weights that are saved: "bfloat16", "float32", or "" for bfloat16 on a GPU and float32 on a
    processor.
    """

    weights: str
    lora: int = 0
    lines: int = 16
    at_once: int = 4
    device: str = ""
    precision: str = ""

    def __post_init__(self) -> None:
        if not self.weights:
            raise ValueError("weights is empty: a folder of weights is needed, or a name")
        for name, least in (("lora", 0), ("lines", 1), ("at_once", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be at least {least}")
        if self.device not in ("", "cpu", "cuda"):
            raise ValueError(f"device is {self.device!r}: allowed are cpu, cuda, and none for a GPU where there is one")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}: allowed are bfloat16, float32, and none for the device's own")


@dataclass(frozen=True)
class Fit:
    """How a reader is trained.

    A script with `num_lines` lines or more gets `steps` steps. Fewer lines get fewer steps, by the square root, but at least
    `least_share` of them; lines of text that is typeset count for less. In a step the lines are `batch_width` pixels wide
    together. In the first `told_share` of its steps, a reader that starts from nothing is told about where each letter stands.
    `typeset_share` of the lines are set anew in typefaces of this machine. A language's share of the lines grows by the
    square root of how many it has. A reader that starts from nothing sees only short lines in its first `short_steps` steps.
    Weights depend on the number of `threads`, so it is a value here. A reader of the kind `compact` starts from the one of its
    script that comes with the package, if `packaged` says that one's sha256. A reader of another kind starts from what is
    `pretrained`, which says how many lines a step has, too.
    """

    steps: int
    learning_rate: float
    short_steps: int = 0
    num_lines: int = 8_000
    least_share: float = 0.25
    told_share: float = 0.15
    typeset_share: float = 0.35
    batch_width: int = 3_000
    warmup: float = 0.1
    weight_decay: float = 0.01
    checkpoint_every: int = 400
    threads: int = 1
    seed: int = 0
    packaged: str = ""
    pretrained: Pretrained | None = None


@dataclass(frozen=True)
class Flywheel:
    """`rounds` rounds, each of which trains readers, measures them, and lets them label pages that nobody has labelled.

    `pages` is the dataset of pages. A language needs a reader if less than `min_alphabet_share` of its letters are in the
    alphabet of the embedded reader. It gets one if its script has `min_train_lines` lines to train on. The gate of a
    reader opens at the confidence from which on a share of `precision` of its lines is right, letter for letter, by a lower bound
    from calibration lines. At most `max_held_out` lines of a language test a round, and at most `max_calibration_pages` of its
    pages calibrate gates. Where those of a script have less than `calibration_lines` lines, typeset pages of its text fill up.

    A round is kept if no language got worse and some got better (`flywheel.rounds.keep_rule`); with `needs_gain` False, if none
    got worse. Others are set aside. `rounds` says how many rounds should exist, those included that the rule set aside; a number
    smaller than what exists changes nothing. `AUTO`: rounds are made until one is set aside, or nothing is left to read.

    A language of which less than `text_below` lines train gets text to typeset, at most `max_text_lines` lines, from
    `text_packages`. `text` is a folder of text by language; the languages in it get a reader even if there
    is no document of theirs. With `serve_by_text` the packages' text, too, is enough for a language of the corpus.

    `gold` is a file of corrections, as a sheet of `make flywheel review=…` saves it: they train the next round. Those that
    were taken in once stay.

    `reader` is the kind of the readers, one of `READERS`. Those of the kind `compact` start from the package's, if
    they are `packaged`, and else from nothing. `existing` are readers that are compared with Tesseract, of which the
    best one votes: "ppocr", or a folder with a recogniser of PP-OCR.

    The step's folder, with pools.json, has the step's `name`. The datasets beside it are `crops`, `typeset` and `round-N`, so an
    output has one flywheel.
    """

    makes: ClassVar[tuple[str, ...]] = (*SHARED, GOLD)

    pages: str
    rounds: int = 2
    needs_gain: bool = True
    seed: int = 0
    min_alphabet_share: float = 0.99
    min_train_lines: int = 300
    precision: float = 0.97
    max_held_out: int = 300
    max_calibration_pages: int = 30
    calibration_lines: int = 2_500
    first: Fit = field(default_factory=lambda: Fit(steps=3000, learning_rate=2e-3, short_steps=330))
    later: Fit = field(default_factory=lambda: Fit(steps=2500, learning_rate=1.2e-3))
    passwords: tuple[str, ...] = field(default=(), repr=False, metadata={"secret": True})
    gold: str = ""
    text: str = ""
    text_packages: tuple[str, ...] = ()
    text_below: int = 4_000
    max_text_lines: int = 8_000
    serve_by_text: bool = False
    reader: str = COMPACT
    packaged: bool = True
    existing: tuple[str, ...] = ()
    name: str = "flywheel"

    def __post_init__(self) -> None:
        if self.reader not in READERS:
            raise ValueError(f"reader is {self.reader!r}: allowed are {', '.join(READERS)}")
        for name, fit in (("first", self.first), ("later", self.later)):
            if self.reader == COMPACT and fit.pretrained is not None:
                raise ValueError(f"{name}.pretrained has weights: a reader of the kind {COMPACT} starts from none")
            if self.reader != COMPACT and fit.pretrained is None:
                raise ValueError(f"reader is {self.reader!r}: {name}.pretrained must say which weights it starts from")


def round_name(number: int) -> str:
    """The name of a round's folder. Rounds count from 1."""
    return f"round-{number}"


def pages_name(name: str) -> str:
    """The name of the dataset of the pages that the round `name` labelled nearly whole. A round that read nothing has none."""
    return f"pages-{name}"


def reader_name(name: str) -> str:
    """The folder of the reader `name`, in its round's folder."""
    return f"reader/{name}"


def has_reader(round_folder: Folder, name: str) -> bool:
    """Whether the round's reader `name` is trained."""
    return round_folder.exists(f"{reader_name(name)}/config.json")


def aside_name(name: str) -> str:
    """The name of the folder `name` of a round that is set aside. `ROUNDS` doesn't match it, nor `PAGES_OF_ROUNDS`."""
    return f"aside-{name}"


def dataset_of(out: Folder, name: str) -> Folder:
    """The dataset `name` of an output, wherever it is by now: a round may have been set aside."""
    return out.sub(name if out.exists(name) else aside_name(name))


def round_folders(out: Folder) -> list[str]:
    """The names of the rounds in an output, in order, whether they are whole or not. Numbers of rounds that are set aside are
    missing."""
    return [round_name(number) for number in numbers(out)]


def numbers(out: Folder) -> list[int]:
    """The numbers of the rounds that have begun and aren't set aside, in order."""
    gone = frozenset(numbers_aside(out))
    begun = [number for number in _numbered(out, "") if number not in gone]
    return [number for number in begun if out.exists(f"{round_name(number)}/{ORIGIN}")]


def numbers_aside(out: Folder) -> list[int]:
    """The numbers of the rounds that are set aside, in order, wherever their folders are by now."""
    moved = {number for number in _numbered(out, "aside-") if out.exists(f"{aside_name(round_name(number))}/{ASIDE}")}
    return sorted(moved | {number for number in _numbered(out, "") if out.exists(f"{round_name(number)}/{ASIDE}")})


def page_folders(out: Folder) -> list[str]:
    """The names of the datasets of pages that rounds labelled, in order; not of rounds that are set aside."""
    return [name for number in numbers(out) if out.exists(name := pages_name(round_name(number)))]


def next_number(out: Folder) -> int:
    """The number of the round to make: that of the round that was begun and isn't whole, else one that no round ever had."""
    known = numbers(out)
    if known and not is_whole(out.sub(round_name(known[-1]))):
        return known[-1]
    return max([0, *known, *numbers_aside(out)]) + 1


def whole_rounds(out: Folder) -> list[str]:
    """The names of the rounds that are whole, in order."""
    return [name for name in round_folders(out) if is_whole(out.sub(name))]


def is_whole(folder: Folder) -> bool:
    """Whether the round in `folder` is finished."""
    return folder.exists(METRICS)


def round_metrics(out: Folder) -> list[dict[str, Any]]:
    """The contents of metrics.json of each whole round, in order."""
    return [json.loads(out.read(f"{name}/{METRICS}")) for name in whole_rounds(out)]


def clear_round(out: Folder, number: int) -> None:
    """Delete a round, and its pages. The file that says that it is whole goes first."""
    folder, pages = out.sub(round_name(number)), out.sub(pages_name(round_name(number)))
    folder.remove(METRICS)
    if pages.exists("census") or pages.exists("run.json"):
        dataset.clear(pages)
    pages.remove("marks")
    folder.remove("reader")
    folder.remove("plausible")  # which earlier versions wrote
    if folder.exists("census") or folder.exists("run.json"):
        dataset.clear(folder)
    of_pages = [f"{name}.json" for name in ("fold_a", "fold_b", "gold_for_a", "gold_for_b", "gold_for_ab")]
    for name in (
        *of_pages,
        "pages_to_calibrate.json",
        "typeset_to_calibrate.json",
        "pages_to_train.json",
        CALIBRATION,
        DISTANCES,
        LEARNED_FROM,
        ORIGIN,
    ):
        folder.remove(name)


def _numbered(out: Folder, before: str) -> list[int]:
    """The numbers of the folders that are called `before` and a round's name, in order."""
    matches = (re.fullmatch(f"{before}round-([1-9][0-9]*)", name) for name in out.folders())
    return sorted(int(match[1]) for match in matches if match)
