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

SCANS = "scans"
"""The dataset of the pages that tell the language of documents without a valid text layer."""

GOLD_IMAGES = "gold-images"
"""The dataset of images of lines with the text that a person wrote."""

GOLD_IMAGE_LINES = "gold-image-lines"
"""The dataset of those of these lines that calibrate gates, as readers see them."""

SHARED = (CROPS, SCANS, LINES, TYPESET, TYPESET_LINES, GOLD_IMAGES, GOLD_IMAGE_LINES)
"""The datasets that all rounds share. Images of gold may come between two rounds; the others are made before the first."""

GOLD = "gold"
"""The dataset of lines that people corrected. There is none before the first correction."""

ROUNDS = "round-*"
"""The pattern of the rounds' names, for a later step that reads all of them."""

PAGES_OF_ROUNDS = "pages-round-*"
"""The pattern of the names of the datasets of pages that rounds labelled nearly whole."""

DISTANCES = "errors.json"
"""A round's file of errors: by reader, language and held-out line, the reading's edits from the truth, and the truth's length."""

CALIBRATION = "calibration.json"
"""A round's file of calibration pieces, by reader: their language, stratum, confidence, number of characters, and whether they
are right."""

METRICS = "metrics.json"
"""The file of a round that is written last. A round with this file is whole, and never changes again."""

ORIGIN = "round.json"
"""The file of a round that is written first. It says what the round is made from."""

ASIDE = "aside.json"
"""The file that sets a round aside, and gives the reason. `flywheel.rounds.set_aside` writes it, and moves the round's folder."""

COMPACT = "compact"
READERS = (COMPACT, "got_ocr", "ours")
"""The kinds of readers: `flywheel.readers.kinds` says how each is trained."""

AUTO = -1
"""A number of rounds: rounds are made until one brings nothing."""

TYPED_TIMES = 20
"""How often a line that a person typed is drawn for each time that another line is drawn. Fifty of them are half of what a
script without documents learns (`flywheel.lines.crops.weights_of`)."""

LEARNED_FROM = "learned_from.json"
"""A round's file of documents: it maps a reader's name to the sha256s of the documents that the reader learned from. Documents of
the readers that it started from are included."""


PRECISIONS = ("", "bfloat16", "float32")


@dataclass(frozen=True)
class Pretrained:
    """The network that a reader of another kind than `compact` starts from, and how it is trained.

    `weights` is a folder. For `got_ocr` it may be a name on a hub, for `ours` the name of a training in the output. If `lora`
    isn't 0, adapters of that rank are trained beside the decoder's layers, and the weights stay. A step learns `lines` lines;
    `at_once` of them go through the network together. `device` is "cpu", "cuda", or "" for a GPU where there is one. Products and
    saved weights have the `precision`: "bfloat16", "float32", or "" for bfloat16 on a GPU and float32 on a processor.
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
    the share `least_share` of `steps`. Typeset lines count for less. The lines of a step are `batch_width` pixels wide in all.
    The share `typeset_share` of the lines is set anew in typefaces of this machine. A language's share of the lines grows with
    the square root of its number of lines.

    A reader that starts from nothing is told about where each letter stands, in the first `told_share` of its steps. It sees
    only short lines in its first `short_steps` steps. A reader of the kind `compact` starts from the package's reader of its
    script, if `packaged` is that reader's sha256. A reader of another kind starts from `pretrained`, which also sets the lines
    of a step. The number of `threads` is a value here because it changes the weights.
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
    """The step of a flywheel. A round trains readers, measures them, and lets them label pages that nobody has labelled.

    `pages` is the dataset of pages. A language needs a reader if less than the share `min_alphabet_share` of its letters is in
    the embedded reader's alphabet. The language gets a reader if its script has `min_train_lines` lines to train on. A reader's
    gate accepts lines from some confidence on. From this confidence on, the share `precision` of lines is right letter for
    letter, by a lower bound from calibration lines. At most `max_held_out` lines of a language test a round, and at most
    `max_calibration_pages` of its pages calibrate gates. At most `max_scan_pages` of its pages without a valid text layer are
    read (0: all). If a script's calibration pages have less than `calibration_lines`
    lines, typeset pages of its text are added.

    A round is kept if no language got worse and some language got better (`flywheel.rounds.keep_rule`). If `needs_gain` is
    False, it is enough that no language got worse. Other rounds are set aside. `rounds` says how many rounds should exist; rounds
    that the rule set aside count. A number below the existing rounds changes nothing. With `AUTO`, rounds are made until one is
    set aside, or nothing is left to read.

    A language with less than `text_below` training lines gets text to typeset: at most `max_text_lines` lines, from
    `text_packages`. `text` is a folder of text by language. A language in this folder gets a reader even without a document.
    With `serve_by_text`, a language of the corpus gets a reader if the packages have text in it.

    `lang` is the language (BCP-47) of all documents without a valid text layer, which needs a reader whatever its letters.
    Without it their lines tell the language.

    `gold` is a file of people's corrections, as a sheet of `make flywheel review=…` saves it. Corrections train the next round,
    and stay once they are taken in. Or it is a folder with images of lines and their texts, NAME.gt.txt. Half of these lines
    train, and the others test readers and calibrate gates (`flywheel.people.gold_images`).

    `reader` is the kind of the readers, one of `READERS`. With `packaged`, readers of the kind `compact` start from the package's
    readers, else from nothing. `existing` names readers that are compared with Tesseract: "ppocr", or a folder with a recogniser
    of PP-OCR. The best of all these votes.

    The step's folder has the step's `name`, and holds pools.json. The datasets beside the folder have fixed names, such as
    `crops`, `typeset` and `round-N`, so an output has one flywheel.
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
    max_scan_pages: int = 0
    calibration_lines: int = 2_500
    first: Fit = field(default_factory=lambda: Fit(steps=3000, learning_rate=2e-3, short_steps=330))
    later: Fit = field(default_factory=lambda: Fit(steps=2500, learning_rate=1.2e-3))
    passwords: tuple[str, ...] = field(default=(), repr=False, metadata={"secret": True})
    gold: str = ""
    lang: str = ""
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
    """The name of the dataset of pages that the round `name` labelled nearly whole. A round that read nothing has none."""
    return f"pages-{name}"


def reader_name(name: str) -> str:
    """The folder of the reader `name`, in its round's folder."""
    return f"reader/{name}"


def has_reader(round_folder: Folder, name: str) -> bool:
    """Whether the round's reader `name` is trained."""
    return round_folder.exists(f"{reader_name(name)}/config.json")


def aside_name(name: str) -> str:
    """The name of a round's folder `name` once it is set aside. Neither `ROUNDS` nor `PAGES_OF_ROUNDS` matches this name."""
    return f"aside-{name}"


def dataset_of(out: Folder, name: str) -> Folder:
    """The dataset `name` of an output, also if its round was set aside since."""
    return out.sub(name if out.exists(name) else aside_name(name))


def round_folders(out: Folder) -> list[str]:
    """The names of an output's rounds, whole or not, in order. Rounds that are set aside are left out."""
    return [round_name(number) for number in numbers(out)]


def numbers(out: Folder) -> list[int]:
    """The numbers of the rounds that have begun and aren't set aside, in order."""
    gone = frozenset(numbers_aside(out))
    begun = [number for number in _numbered(out, "") if number not in gone]
    return [number for number in begun if out.exists(f"{round_name(number)}/{ORIGIN}")]


def numbers_aside(out: Folder) -> list[int]:
    """The numbers of the rounds that are set aside, in order, whether their folders have moved yet or not."""
    moved = {number for number in _numbered(out, "aside-") if out.exists(f"{aside_name(round_name(number))}/{ASIDE}")}
    return sorted(moved | {number for number in _numbered(out, "") if out.exists(f"{round_name(number)}/{ASIDE}")})


def page_folders(out: Folder) -> list[str]:
    """The names of the datasets of pages that rounds labelled, in order. Rounds that are set aside are left out."""
    return [name for number in numbers(out) if out.exists(name := pages_name(round_name(number)))]


def next_number(out: Folder) -> int:
    """The number of the round to make: the last round's if it isn't whole, else a number that no round ever had."""
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
    """Delete a round and its pages, metrics.json first: from then on the round isn't whole."""
    folder, pages = out.sub(round_name(number)), out.sub(pages_name(round_name(number)))
    folder.remove(METRICS)
    if pages.exists("census") or pages.exists("run.json"):
        dataset.clear(pages)
    pages.remove("marks")
    folder.remove("reader")
    if folder.exists("census") or folder.exists("run.json"):
        dataset.clear(folder)
    folds = ("fold_a", "fold_b", "gold_for_a", "gold_for_b", "gold_for_ab")
    of_pages = [f"{name}.json" for name in (*folds, *_OF_ROUND)]
    of_pages += [name for name in folder.names(".json") if name.startswith("scans_")]
    for name in (*of_pages, CALIBRATION, DISTANCES, LEARNED_FROM, ORIGIN):
        folder.remove(name)


_OF_ROUND = ("pages_to_calibrate", "typeset_to_calibrate", "gold_to_calibrate", "pages_to_train", "gold_images_to_train")


def _numbered(out: Folder, before: str) -> list[int]:
    """The numbers of the folders whose name is `before` followed by a round's name, in order."""
    matches = (re.fullmatch(f"{before}round-([1-9][0-9]*)", name) for name in out.folders())
    return sorted(int(match[1]) for match in matches if match)
