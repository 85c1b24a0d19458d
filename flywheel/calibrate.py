"""The lines that calibrate a reader's gate.

The detector cuts them from page images, and the reader reads them, as it does with the lines to label. The text layer, which the
reader doesn't see, says which readings are right.

Each reader and shard is a task for a worker. A task names its pages by a file, and returns numbers and texts only.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datagen import manifest
from datagen.engines import OPEN
from datagen.engines.compact import normalise
from datagen.shards import read_records, read_samples
from datagen.storage import Folder
from flywheel import gate, score
from flywheel.places import PlaceFile
from flywheel.pools import Place, Pools
from flywheel.reading import read_lines


@dataclass(frozen=True)
class JudgedLine:
    """A line that nothing but its confidence may refuse. `truth` is what the layer has in its row, "" where it has nothing."""

    lang: str
    key: str
    score: float
    truth: str
    is_right: bool


@dataclass(frozen=True)
class CalibrateTask:
    """The reader `name` in the folder `readers`, whose weights are of `sha256`, on those pages of a shard that are in `pages`."""

    name: str
    script: str
    sha256: str
    readers: str
    pages: PlaceFile
    dataset: str
    shard: str


def run_calibrate(task: CalibrateTask) -> list[JudgedLine]:
    """The lines of the task's pages, in order. Lines that are refused whatever their confidence aren't among them."""
    reader = OPEN.get("compact", folder=f"{task.readers}/{task.name}", sha256=task.sha256)
    languages, dataset = task.pages.keys(), Folder(task.dataset)
    rows = [row for row in manifest.read_part(dataset, task.shard).to_pylist() if row["key"] in languages]
    judged = []
    for page in read_samples(dataset, [row for row in rows if row["script"] == task.script]):
        lang = languages[page.key]
        for number, line in enumerate(read_lines(page, reader, task.script)):
            if not line.refusal:
                truth, is_right = score.truth(page, line.box), score.is_right(page, line.box, line.text)
                judged.append(JudgedLine(lang, f"{page.key}-{number:04d}", line.score, truth, is_right))
    return judged


def pages(served: Iterable[Pools], most: int) -> dict[Place, str]:
    """The pages that calibrate gates, with their languages: at most `most` of a language, drawn by hashes.

    Scripts without a page to read need no gate.
    """
    served = list(served)
    scripts = {p.script for p in served if p.unlabelled}
    chosen: dict[Place, str] = {}
    for p in served:
        if p.script in scripts:
            drawn = sorted(p.calibration, key=lambda place: hashlib.sha256(f"{place[0]}/{place[1]}".encode()).digest())[:most]
            chosen |= dict.fromkeys(drawn, p.lang)
    return chosen


def accepted_texts(rounds: Iterable[Folder]) -> frozenset[str]:
    """The texts of the lines that these rounds accepted, as readers learn them."""
    return frozenset(normalise(record.text) for folder in rounds for record in read_records(folder, manifest.rows(folder)))


def counted(lines: Iterable[JudgedLine], learned: frozenset[str]) -> list[JudgedLine]:
    """The lines that calibrate: none whose row readers `learned`, and each row once, as lines that repeat aren't independent."""
    by_row: dict[str, JudgedLine] = {}
    for line in sorted(lines, key=lambda line: line.key):
        if line.truth not in learned:
            by_row.setdefault(line.truth or line.key, line)
    return list(by_row.values())


def cutoff(lines: Sequence[JudgedLine], precision: float) -> gate.Cutoff:
    """The confidence that a reader's lines need, by those that are `counted`. A line where the layer has nothing is wrong."""
    return gate.cutoff([line.score for line in lines], [line.is_right for line in lines], precision)
