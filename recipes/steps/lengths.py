"""Counting lengths as a step: a task a shard, on workers."""

import hashlib
import logging

from datagen.disk.storage import Folder
from datagen.work.runner import InProcess, Runner, make_runner
from model.train.step import Train
from recipes.lengths import CountLengths
from recipes.run.progress import counted
from recipes.steps import OK, SHARD_FAILED, StepRunner

log = logging.getLogger(__name__)

_FEW = 4  # parts: one process counts so many before a cluster has started


class LengthsRunner(StepRunner[CountLengths]):
    def plan(self) -> str:
        return f"counts the tokens of {', '.join(one.where for one in self.step.datasets)} by the tokenizer in {self.step.start}"

    def run(self) -> int:
        training = Train(self.step.datasets).but(start=self.step.start)
        num_failed = count_lengths(training, self.out, make_runner(self.place.on, self.place.workers), self.step.name)
        return SHARD_FAILED if num_failed else OK

    def folders(self) -> list[str]:
        return []


def count_lengths(training: Train, out: Folder, runner: Runner, name: str) -> int:
    """Count the lengths of the training's samples, if it starts with a tokenizer. Returns the number of failed parts, which the
    log names. Raises `ValueError` for a missing dataset or start."""
    from model.data.counting import CountTask, count, uncounted
    from model.files.network_folder import TOKENIZER
    from model.train.data import open_all
    from model.train.start import tokenizer_at, tokenizer_folder, within

    folder = tokenizer_folder(within(training, out))
    if folder is None:
        return 0
    tokenizer, known_as = tokenizer_at(folder), hashlib.sha256(folder.read(TOKENIZER)).hexdigest()
    tasks = [CountTask(one, folder.url, known_as) for one in uncounted(open_all(training, out).whole, tokenizer)]
    num_rows = num_failed = 0
    runner = InProcess() if len(tasks) <= _FEW else runner
    for task, rows, error in counted(name, "parts", len(tasks), runner.map(count, tasks)):
        num_rows += rows or 0
        if error is not None and not isinstance(error, ValueError):
            num_failed += 1
            log.error("%s: %s: %s: %s", name, task.dataset.name, type(error).__name__, error)
    log.info("%s: %d rows in %d parts are counted", name, num_rows, len(tasks) - num_failed)
    return num_failed
