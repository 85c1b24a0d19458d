"""The kinds of readers: how each is trained, and which engine reads with it.

A kind is a name in `flywheel.step.READERS`. Its engine has the same name in `datagen.engines.ENGINES`, and reads with what the
training wrote into a folder. The folder's config.json says of which kind the reader is.
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
from flywheel.step import COMPACT, READERS, Fit

ANY = "any-script"
"""The engine that reads where no folder is named."""

ENGINES[ANY] = "flywheel.readers.any_script:AnyScript"
ENGINES["ours"] = "flywheel.readers.ours_engine:OurReader"  # datagen knows nothing of what stands above it

TRAININGS = {
    COMPACT: "flywheel.readers.compact:fit",
    "got_ocr": "flywheel.readers.got_ocr:fit",
    "ours": "flywheel.readers.ours:fit",
}
"""The function that trains a reader of each kind."""

log = logging.getLogger(__name__)


def fit(kind: str, config: Fit, crops: Sequence[Crop], folder: Folder, start: Folder | None, mark: str) -> str:
    """Train a reader on `crops`, which are of one script, into `folder`; returns the sha256 of its weights.

    It starts from the reader in `start`, if there is one of this kind. `mark` tells the training from others. A reader of that
    mark which is there already is left as it is. After a kill the same call goes on from the last checkpoint. Raises `ValueError`
    if there are no crops, if the folder has a reader of another training, or if there are no weights to start from.
    """
    if start is not None and kind_of(start) != kind:
        start = None
    with needed_by(kind):
        resolve_name(TRAININGS[kind])(config, crops, folder, start, mark)
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
    """The sha256 of the package's reader of a script, from which one of this kind may start; "" if there is none."""
    if kind != COMPACT:
        return ""
    return packaged.reader_sha256(script) if script in packaged.available() else ""


def needs(kind: str, device: str = "") -> Needs:
    """What a worker must have to train or to read with readers of this kind on a `device`: "cpu", "cuda", or "" for a GPU."""
    return Needs(gpus=Choice.of(kind, device=device).gpus)


def device(kind: str, asked: str, runner: Runner) -> str:
    """Where the runner's workers train readers of this kind and read with them, as `Pretrained.device` has it: as `asked`, or, if
    that is "" and the runner has no GPU, on a processor, which the log says."""
    try:
        runner.num_workers(needs(kind, asked))
    except ValueError as error:
        if asked:
            raise
        log.warning("readers %s work on a processor: %s", kind, error)
        return "cpu"
    return asked


def reader(folder: str, sha256: str = "", engines: Engines = OPEN, device: str = "") -> Any:
    """The engine that reads with the reader in `folder` ("": those of the package), whose weights must be of `sha256` ("":
    any)."""
    if not folder:
        return engines.get(ANY)
    kind = kind_of(Folder(folder))
    on = {} if kind == COMPACT or not device else {"device": device}
    return engines.get(kind, folder=folder, sha256=sha256, **on)


@functools.cache
def engines(kind: str) -> dict[str, str]:
    """What decides, beside its weights, what a reader of this kind reads. It is asked for with each piece that is accepted."""
    names_to_versions: dict[str, str] = _of_engine(kind, "engines")()
    return names_to_versions


def weights_sha256(folder: Folder) -> str:
    """What the weights of the reader in `folder` are known as. Raises `ValueError` if there is none."""
    sha256: str = _of_engine(kind_of(folder), "weights_sha256")(folder)
    return sha256


def sizes(kind: str) -> Any:
    """The sizes of a network of this kind that is made here, as plain values; None where the weights that it starts from say
    them."""
    if kind != COMPACT:
        return None
    from datagen.engines.compact import CompactConfig  # which loads torch

    return describe(CompactConfig())


def weights_of(config: Fit, out: Folder) -> str:
    """Where the weights lie that trainings of the output `out` start from, or their name on a hub; "" if they start from none.

    A name without a slash is that of a training in the output. Raises `ValueError` if there is none that has finished.
    """
    if config.pretrained is None:
        return ""
    name = config.pretrained.weights
    if "/" in name:
        return name
    if not out.exists(f"{name}/metrics.json"):
        raise ValueError(f"weights is {name}: {out.url} has no training of that name that has finished")
    return out.sub(f"{name}/model").url


def known_as(config: Fit, out: Folder) -> dict[str, str]:
    """What the weights that trainings start from are known as, by the name that they are given by: another hash says that they
    were exchanged. Of weights on a hub the name is all. Nothing for trainings that start from none."""
    if config.pretrained is None:
        return {}
    from model.train.start import starts
    from model.train.step import Train, Weights

    return starts(Train(datasets=(), weights=Weights(start=config.pretrained.weights)), out)


def _of_engine(kind: str, name: str) -> Any:
    """The function `name` of the module of the kind's engine."""
    with needed_by(kind):
        return resolve_name(f"{ENGINES[kind].partition(':')[0]}:{name}")
