"""The kinds of readers: the training of each kind, and the engine that reads with it.

A kind is a name in `flywheel.step.READERS`. Its function in `TRAININGS` writes a reader into a folder, config.json, which names
the kind, last; it goes on after a kill to the same bytes. Its engine has the same name in `datagen.engines.ENGINES`, is opened
with the `folder` and the weights' `sha256`, and its `read(crops)` gives texts, and scores from 0 to 1.
"""

import functools
import json
import logging
from collections.abc import Sequence
from pkgutil import resolve_name
from typing import Any

from datagen.disk.storage import Folder
from datagen.engines import ENGINES, OPEN, Choice, Engines, needed_by, packaged
from datagen.work.needs import Needs
from datagen.work.runner import Runner
from datagen.work.specification import describe
from flywheel.lines.crops import Crop
from flywheel.step import COMPACT, READERS, TYPED_TIMES, Fit

ANY = "any-script"
"""The engine that reads if no folder is named."""

ENGINES[ANY] = "flywheel.readers.any_script:AnyScript"
ENGINES["ours"] = "flywheel.readers.ours_engine:OurReader"  # datagen knows no package above it

TRAININGS = {
    COMPACT: "flywheel.readers.compact:fit",
    "got_ocr": "flywheel.readers.got_ocr:fit",
    "ours": "flywheel.readers.ours:fit",
}
"""The function that trains a reader of each kind."""

log = logging.getLogger(__name__)


def fit(
    kind: str,
    config: Fit,
    crops: Sequence[Crop],
    folder: Folder,
    start: Folder | None,
    mark: str,
    unlabelled: Sequence[Crop] = (),
    typed: Sequence[Crop] = (),
) -> str:
    """Train a reader on `crops` of one script, into `folder`. Returns the sha256 of its weights.

    The training starts from the reader in `start`, if that reader is of this kind. `mark` identifies the training. If the folder
    has a reader with this mark, the reader stays as it is. After a kill the same call goes on from the last checkpoint. Raises
    `ValueError` if there are no crops, if the folder has a reader of another training, or if the weights to start from are
    missing. Readers of the kind `compact` also learn their own readings of `unlabelled` lines. Lines that people `typed` are
    learned most often; readers of the kind `compact` learn them last.
    """
    if start is not None and kind_of(start) != kind:
        start = None
    with needed_by(kind):
        more = {"unlabelled": unlabelled, "typed": typed} if kind == COMPACT else {}
        learned = crops if kind == COMPACT else [*crops, *TYPED_TIMES * list(typed)]
        resolve_name(TRAININGS[kind])(config, learned, folder, start, mark, **more)
    return weights_sha256(folder)


def kind_of(folder: Folder) -> str:
    """The kind of the reader in `folder`. Raises `ValueError` if there is none."""
    try:
        kind = json.loads(folder.read("config.json")).get("kind", COMPACT)
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{folder.url} holds no reader: {type(error).__name__}: {error}") from None
    if kind not in READERS:
        raise ValueError(f"{folder.url} holds a reader of the kind {kind!r}: allowed are {', '.join(READERS)}")
    return str(kind)


def packaged_sha256(kind: str, script: str) -> str:
    """The sha256 of the package's reader of a script, if a reader of this kind can start from it; else ""."""
    if kind != COMPACT:
        return ""
    return packaged.reader_sha256(script) if script in packaged.available() else ""


def needs(kind: str, device: str = "") -> Needs:
    """The needs of a worker that trains, or reads with, readers of this kind on a `device`: "cpu", "cuda", or "" for a GPU."""
    return Needs(gpus=Choice.of(kind, device=device).gpus)


def device(kind: str, asked: str, runner: Runner) -> str:
    """The device on which the runner's workers train readers of this kind and read with them, as in `Pretrained.device`. This is
    the device that is `asked` for. If `asked` is "" and the runner has no GPU, it is "cpu", and the log says so. Raises
    `ValueError` if the runner hasn't the device that is asked for."""
    try:
        runner.num_workers(needs(kind, asked))
    except ValueError as error:
        if asked:
            raise
        log.warning("readers %s work on a processor: %s", kind, error)
        return "cpu"
    return asked


def reader(folder: str, sha256: str = "", engines: Engines = OPEN, device: str = "") -> Any:
    """The engine that reads with the reader in `folder` ("": the package's readers). Its weights must have the `sha256` ("":
    any)."""
    if not folder:
        return engines.get(ANY)
    kind = kind_of(Folder(folder))
    on = {} if kind == COMPACT or not device else {"device": device}
    return engines.get(kind, folder=folder, sha256=sha256, **on)


@functools.cache
def engines(kind: str) -> dict[str, str]:
    """The versions that decide, beside the weights, what a reader of this kind reads. Cached: each accepted piece asks for
    them."""
    names_to_versions: dict[str, str] = _of_engine(kind, "engines")()
    return names_to_versions


def weights_sha256(folder: Folder) -> str:
    """The sha256 of the weights of the reader in `folder`. Raises `ValueError` if there is no reader."""
    sha256: str = _of_engine(kind_of(folder), "weights_sha256")(folder)
    return sha256


def sizes(kind: str) -> Any:
    """The sizes of a network of this kind, as plain values. None if the pretrained weights decide the sizes."""
    if kind != COMPACT:
        return None
    from datagen.engines.compact import CompactConfig  # loads torch

    return describe(CompactConfig())


def weights_of(config: Fit, out: Folder) -> str:
    """The folder of the weights that trainings of the output `out` start from, or their name on a hub; "" if there are none. A
    name without a slash names a training in the output. Raises `ValueError` if no such training has finished."""
    if config.pretrained is None:
        return ""
    name = config.pretrained.weights
    if "/" in name:
        return name
    if not out.exists(f"{name}/metrics.json"):
        raise ValueError(f"weights is {name}: {out.url} has no training of that name that has finished")
    return out.sub(f"{name}/model").url


def known_as(config: Fit, out: Folder) -> dict[str, str]:
    """The hash of the weights that trainings start from, by the weights' name. Exchanged weights have another hash. Weights on a
    hub have only their name. Empty if trainings start from no weights."""
    if config.pretrained is None:
        return {}
    from model.train.start import starts
    from model.train.step import Train, Weights

    return starts(Train(datasets=(), weights=Weights(start=config.pretrained.weights)), out)


def _of_engine(kind: str, name: str) -> Any:
    """The function `name` in the module of this kind's engine."""
    with needed_by(kind):
        return resolve_name(f"{ENGINES[kind].partition(':')[0]}:{name}")
