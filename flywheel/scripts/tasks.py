"""Workers' tasks for the package's readers: gather a language's text, train the trunk, train and measure a script's reader.

A task has folders and values only, and leaves files. Existing files of the same values stay.
"""

import dataclasses
import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datagen.disk.storage import Folder
from datagen.engines import script_readers
from datagen.engines.compact import Reader
from datagen.engines.packaged import TRUNK
from datagen.work.specification import fingerprint
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop
from flywheel.pools import texts as pool_texts
from flywheel.pools.texts import Texts
from flywheel.readers.ctc_training import tidy
from flywheel.rounds.train_readers import budget
from flywheel.scripts import card, change, trunk
from flywheel.step import Fit

TEXTS = "texts"
FEWEST = 250
"""The fewest lines for a script's reader."""
VERSION = 1
"""Goes up whenever the same values would give another reader."""


@dataclass(frozen=True)
class TextTask:
    """At most `most` lines of a language's text in a script, in the file `texts/SCRIPT-LANG.json` of the folder `url`."""

    script: str
    lang: str
    most: int
    seed: int
    url: str

    @property
    def name(self) -> str:
        values = fingerprint([VERSION, list(pool_texts.PACKAGES), self.most, self.seed])
        return f"{TEXTS}/{self.script}-{self.lang}-{values[:8]}.json"


def run_text(task: TextTask) -> bool:
    """Whether there is text, and a typeface with its letters; if not, the file has null. Raises `ValueError` if there is no text
    because a package can't be had."""
    made = pool_texts.gather(task.lang, task.script, [], tuple(pool_texts.PACKAGES), task.most, task.seed)
    if made is None and (lacking := pool_texts.missing()):
        raise ValueError(f"no text in {task.lang}: {', '.join(lacking)} can't be had here")
    Folder(task.url).write(task.name, made.to_json() if made else b"null")
    return made is not None


@dataclass(frozen=True)
class TrunkTask:
    """The trunk, trained on the text in `texts` of the folder `url`, in the file trunk.safetensors there."""

    fit: Fit
    texts: tuple[str, ...]
    url: str

    def mark(self) -> str:
        """The identity of this trunk."""
        return fingerprint([VERSION, dataclasses.asdict(self.fit), _digest(Folder(self.url), self.texts)])


def run_trunk(task: TrunkTask) -> None:
    folder = Folder(task.url)
    started = time.process_time()
    crops = [crop for name in task.texts for crop in typeset_lines.to_train(_texts(folder, name))]
    mark = task.mark()
    work = folder.sub(f"training-{TRUNK}")
    reader = trunk.fit(task.fit, crops, work, mark)
    scripts = sorted({crop.script for crop in crops})
    weights = reader.net.state_dict() | {script_readers.FREQUENCIES: trunk.frequencies(crops, reader.alphabet, scripts)}
    packed = script_readers.pack(weights, reader.alphabet, reader.config)
    about = {"made_of": mark, "scripts": scripts, "lines": len(crops)}
    about |= card.training(task.fit, time.process_time() - started, len(packed))
    folder.write(f"{TRUNK}.json", json.dumps(about, ensure_ascii=False, indent=1).encode())
    folder.write(f"{TRUNK}.safetensors", packed)
    tidy(work)


@dataclass(frozen=True)
class ReaderTask:
    """The reader of a script, trained from the trunk on the text in `texts`, all in the folder `url`: SCRIPT.safetensors, and at
    last its card SCRIPT.json."""

    script: str
    fit: Fit
    texts: tuple[str, ...]
    max_test: int
    compared: int
    url: str

    def mark(self) -> str:
        """The identity of this reader."""
        folder = Folder(self.url)
        of_trunk = hashlib.sha256(folder.read(f"{TRUNK}.safetensors")).hexdigest()
        values = [VERSION, dataclasses.asdict(self.fit), self.max_test, self.compared]
        return fingerprint([*values, change.RANK, of_trunk, _digest(folder, self.texts)])

    def is_made(self) -> bool:
        folder = Folder(self.url)
        return folder.exists(f"{self.script}.json") and made_card(folder, self.script)["made_of"] == self.mark()


def run_reader(task: ReaderTask) -> dict[str, Any]:
    """Returns the card of the reader."""
    folder, mark = Folder(task.url), task.mark()
    texts = [_texts(folder, name) for name in task.texts]
    crops: list[Crop] = [crop for text in texts for crop in typeset_lines.to_train(text)]
    fit = budget(task.fit, len(crops))
    work = folder.sub(f"training-{task.script}")
    started = time.process_time()
    made, alphabet, network = change.fit(fit, crops, script_readers.load(TRUNK, Path(folder.url)), work, mark)
    seconds = time.process_time() - started
    packed = script_readers.pack(made, alphabet, network)
    folder.write(f"{task.script}.safetensors", packed)
    reader: Reader = script_readers.load(task.script, Path(folder.url), bf16=False)
    about = card.card(reader, texts, task.max_test, task.compared, task.fit.seed)
    about |= card.training(fit, seconds, len(packed)) | {"rank": change.RANK, "made_of": mark}
    folder.write(f"{task.script}.json", json.dumps(about, ensure_ascii=False, indent=1).encode())
    tidy(work)
    return about


def made_card(folder: Folder, name: str) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(folder.read(f"{name}.json"))
    return about


def num_lines(folder: Folder, name: str) -> int:
    """The number of training lines in a file of text."""
    text = json.loads(folder.read(name)) if folder.exists(name) else None
    return len(text["train"]) if text else 0


def _texts(folder: Folder, name: str) -> Texts:
    return Texts.from_json(folder.read(name))


def _digest(folder: Folder, names: tuple[str, ...]) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(folder.read(name)).digest() for name in names)).hexdigest()
