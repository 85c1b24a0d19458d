"""The training of a round's readers. Each training is a task for a worker. A task has folders and values only; the worker reads
the crops itself."""

import hashlib
import math
from dataclasses import dataclass, replace

from datagen.disk import manifest, marks
from datagen.disk.shards import read_samples
from datagen.disk.storage import Folder
from flywheel.lines import typeset_lines
from flywheel.lines.crops import Crop, read_crops, rows_of_pages
from flywheel.people import gold
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.texts import TextFile
from flywheel.readers import kinds
from flywheel.step import COMPACT, Fit, reader_name


@dataclass(frozen=True)
class FitTask:
    """The training of the reader `name` of `script`, for the round in the folder `round`.

    It learns from several lines: crops of the dataset `crops` on `pages`; lines that the round in the folder `before` accepted on
    the pages `accepted`; its own readings of lines of the dataset `detected` on the pages `scans`; typeset lines of `texts`;
    people's corrections in the dataset `gold` on `gold_pages`, more often; and last the lines that people typed, in the dataset
    `typed` on `typed_pages`.
    It starts from the reader `start` of the round before ("": from nothing). `mark` identifies the training. The reader is of
    this `kind`; a network from which it starts is at `weights`.
    """

    name: str
    script: str
    fit: Fit
    pages: PlaceFile
    crops: str
    round: str
    mark: str
    before: str = ""
    start: str = ""
    accepted: PlaceFile | None = None
    scans: PlaceFile | None = None
    detected: str = ""
    gold: str = ""
    gold_pages: PlaceFile | None = None
    typed: str = ""
    typed_pages: PlaceFile | None = None
    texts: tuple[TextFile, ...] = ()
    kind: str = COMPACT
    weights: str = ""

    def lines(self) -> list[Crop]:
        """The training lines: trusted ones, those that the round before accepted, text to typeset, and gold, `gold.TIMES`
        times."""
        lines = self._crops(self.crops, self.pages)
        corrected = marks.excluded(Folder(self.gold)) if self.gold else frozenset()
        lines += [crop for crop in self._crops(self.before, self.accepted) if crop.key not in corrected] if self.accepted else []
        for text in (file.read() for file in self.texts):
            lines = [typeset_lines.anew(line, text) if line.lang == text.lang else line for line in lines]
            lines += typeset_lines.to_train(text)
        return lines + gold.TIMES * self._crops(self.gold, self.gold_pages) if self.gold_pages else lines

    def typed_lines(self) -> list[Crop]:
        """The lines that people typed and that train."""
        return self._crops(self.typed, self.typed_pages) if self.typed_pages else []

    def unlabelled(self) -> list[Crop]:
        """Lines on the scans, at most `_MOST_UNLABELLED`, drawn by a hash."""
        keys = self.scans.keys() if self.scans else {}
        folder = Folder(self.detected)
        rows = [row for row in manifest.rows(folder) if row["parent"] in keys and row["script"] == self.script] if keys else []
        drawn = sorted(rows, key=lambda row: hashlib.sha256(row["key"].encode()).digest())[:_MOST_UNLABELLED]
        samples = read_samples(folder, sorted(drawn, key=lambda row: (row["shard"], row["offset"])))
        return [Crop(one.key, one.lang, one.script, "", one.image or b"", one.regions[0].box) for one in samples]

    def _crops(self, dataset: str, pages: PlaceFile) -> list[Crop]:
        folder = Folder(dataset)
        return read_crops(folder, rows_of_pages(folder, pages.languages(), self.script))


def run_fit(task: FitTask) -> str:
    """Train the task's reader, unless it is there; returns the sha256 of its weights."""
    folder = Folder(task.round).sub(reader_name(task.name))
    start = Folder(task.before).sub(reader_name(task.start)) if task.start else None
    config = task.fit
    if config.pretrained is not None:
        config = replace(config, pretrained=replace(config.pretrained, weights=task.weights))
    return kinds.fit(task.kind, config, task.lines(), folder, start, task.mark, task.unlabelled(), task.typed_lines())


_MOST_UNLABELLED = 4_000  # lines of scans that a reader adapts to
_ADAPTING, _ADAPTING_RATE = 600, 5e-4  # steps and rate of a reader that adapts to scans
_TEXT_ALONE = 10 / 3  # times the steps
_PACKAGED, _SLOWER = 0.1, 0.5  # of the steps and of the rate, for a reader that starts from the package's


def budget(
    fit: Fit,
    num_lines: int,
    num_text_lines: int = 0,
    least: int = 0,
    is_fresh: bool = False,
    packaged: str = "",
    adapts: bool = False,
) -> Fit:
    """The training for a script with `num_lines` lines of documents, and `num_text_lines` of text.

    Any number of lines can be typeset, so one counts for an eighth of a document's line; for half a line if documents have less
    than `least` lines. A fresh network that learns from text alone trains longer, since it has to read typefaces that it never
    sees: four times as many steps brought Hebrew from 8.2% of errors in such typefaces to 3.3%. A network that starts from the
    package's, of the sha256 `packaged`, has read many typefaces, and needs a tenth of the steps. One that adapts to scans needs
    `_ADAPTING` in each round.
    """
    if adapts and (packaged or not is_fresh):
        return replace(fit, steps=_ADAPTING, learning_rate=_ADAPTING_RATE, packaged=packaged if is_fresh else "")
    if is_fresh and packaged:
        of_fresh = budget(fit, num_lines, num_text_lines, least)
        steps, rate = max(1, round(_PACKAGED * of_fresh.steps)), _SLOWER * fit.learning_rate
        return replace(fit, steps=steps, learning_rate=rate, packaged=packaged)
    if is_fresh and num_text_lines and not num_lines and fit.pretrained is None:
        return replace(fit, steps=round(_TEXT_ALONE * fit.steps))
    num_lines += num_text_lines // (8 if num_lines >= least else 2)
    share = min(1.0, max(fit.least_share, math.sqrt(num_lines / fit.num_lines)))
    return replace(fit, steps=max(1, round(fit.steps * share)))
