"""Training a round's readers, one a script, each a task for a worker: it holds folders and values, and reads its crops itself."""

import math
from dataclasses import dataclass, replace

from datagen.engines.compact import weights_sha256
from datagen.storage import Folder
from flywheel.crops import Crop, read_accepted, read_crops
from flywheel.pools import Place
from flywheel.readers.compact import fit
from flywheel.step import Fit


@dataclass(frozen=True)
class FitTask:
    """A reader to train on the crops of `script` whose pages are in `train` (language, pages), and on what the round in `before`
    ("": none) accepted. `url` is the round's folder."""

    script: str
    fit: Fit
    train: tuple[tuple[str, tuple[Place, ...]], ...]
    crops: str
    before: str
    url: str
    mark: str

    def trusted(self) -> list[Crop]:
        return read_crops(Folder(self.crops), {lang: frozenset(pages) for lang, pages in self.train})

    def accepted(self) -> list[Crop]:
        return [c for c in read_accepted(Folder(self.before)) if c.script == self.script] if self.before else []


def run_fit(task: FitTask) -> str:
    """Train the task's reader, unless it is there; returns the sha256 of its weights."""
    crops = task.trusted() + task.accepted()
    folder = Folder(task.url).sub(f"reader/{task.script}")
    start = Folder(task.before).sub(f"reader/{task.script}") if task.before else None

    fit(task.fit, crops, folder, start, task.mark)
    return weights_sha256(folder)


def budget(fit: Fit, num_lines: int) -> Fit:
    """The training that so many lines are worth."""
    share = min(1.0, max(fit.least_share, math.sqrt(num_lines / fit.num_lines)))
    return replace(fit, steps=max(1, round(fit.steps * share)))
