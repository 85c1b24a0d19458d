"""Taking a patch into its dataset. All of it is checked first, then written in an order in which a kill does no harm.

    patches/SHA16.json ─> marks/people.parquet ─> census/ ─> shards ─> drops.jsonl, README.md

A mark is written before the new record: in between nobody trains on a label that a person called wrong. The same command finishes
an interrupted one; done again, it changes nothing.
"""

import logging
from dataclasses import dataclass

from datagen.disk import marks
from datagen.disk.shards import each_report
from datagen.disk.storage import Folder
from datagen.patching import check, form
from datagen.patching.check import Asked
from datagen.patching.form import Patch, PatchError
from datagen.work import dataset, patched
from datagen.work.pipeline import run_shard
from datagen.work.tombstones import NOTHING, Forgotten

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """The result of a patch: its requests, and the number of samples that were made now (0 if the patch had been taken
    before)."""

    patch: Patch
    asked: Asked
    num_made: int = 0


def take(folder: Folder, patch: Patch, forgotten: Forgotten = NOTHING) -> Taken:
    """Take a patch into the dataset in `folder`. For the holder of its output's lock. Raises `PatchError` before anything is
    written if the patch doesn't fit; else as `run_shard` does."""
    kept_patch = form.kept(folder, patch.digest)
    patch, is_kept = kept_patch or patch, kept_patch is not None  # the kept one lacks samples that were forgotten since
    asked = check.asked(folder, patch, is_kept)
    made = {report.shard for report in each_report(folder)}
    if not made:
        raise PatchError(f"{folder.url} has no shard yet: make the dataset first")
    name, description = min(made).rpartition("-")[0], dataset.read_run(folder)["description"]
    if not is_kept:
        form.keep(folder, patch)
    marks.add_of_people(folder, asked.marks)
    num_made = 0
    for shard in patched.add(folder, patch, asked.numbers):
        task = patched.task(name, folder, shard, description, forgotten)
        assert task is not None
        report = run_shard(task)
        num_made += report.num_samples if report.shard not in made else 0
    dataset.summarise(folder, name, (report.shard for report in each_report(folder)))
    return Taken(patch, asked, num_made)


def num_lacking(folder: Folder) -> int:
    """The number of corrected records that have a mark and no shard, after a kill."""
    successors = {mark.of for mark in marks.of_people(folder) if mark.mark == marks.CORRECTED}
    return len(successors - check.rows_of(folder, successors).keys())


def forget(folder: Folder, forgotten: Forgotten) -> None:
    """Remove forgotten samples from kept patches and people's marks. Shards are rewritten as all others are."""
    form.forget(folder, forgotten.holds_key)
    marks.forget_of_people(folder, forgotten.holds_key)
