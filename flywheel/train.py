"""Training a round's readers, one reader for each script.

Each training is a task for a worker. A task has folders and values only; the worker reads the crops itself.
"""

import math
from dataclasses import dataclass, replace

from datagen.engines.compact import weights_sha256
from datagen.storage import Folder
from flywheel.crops import Crop, read_accepted, read_crops, rows_of_pages
from flywheel.places import PlaceFile
from flywheel.readers.compact import fit
from flywheel.step import Fit, reader_name


@dataclass(frozen=True)
class FitTask:
    """The training of a reader of `script`, for the round in the folder `round`.

    It learns from the crops of the dataset `crops` whose pages are in the file `pages`, and from the lines that the round in the
    folder `before` accepted ("": there is none). `mark` tells this training from others.
    """

    script: str
    fit: Fit
    pages: PlaceFile
    crops: str
    before: str
    round: str
    mark: str

    def trusted(self) -> list[Crop]:
        folder = Folder(self.crops)
        return read_crops(folder, rows_of_pages(folder, self.pages.languages(), self.script))

    def accepted(self) -> list[Crop]:
        return read_accepted(Folder(self.before), self.script) if self.before else []


def run_fit(task: FitTask) -> str:
    """Train the task's reader, unless it is there; returns the sha256 of its weights."""
    crops = task.trusted() + task.accepted()
    folder = Folder(task.round).sub(reader_name(task.script))
    start = Folder(task.before).sub(reader_name(task.script)) if task.before else None
    fit(task.fit, crops, folder, start, task.mark)
    return weights_sha256(folder)


def budget(fit: Fit, num_lines: int) -> Fit:
    """The training for a script with so many lines."""
    share = min(1.0, max(fit.least_share, math.sqrt(num_lines / fit.num_lines)))
    return replace(fit, steps=max(1, round(fit.steps * share)))
