"""What a patch asks of a dataset, looked at against its records before anything is written."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from datagen.disk import manifest, marks
from datagen.disk.marks import CORRECTED, REJECTED, RESTORED, Mark
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.patching.apply import corrected
from datagen.patching.form import AUDIT, Patch, PatchedSample, PatchError, dataset_id
from datagen.record import Sample

Row = dict[str, Any]
_COLUMNS = ["key", "shard", "offset", "bytes", "record_offset", "record_bytes"]


@dataclass(frozen=True)
class Asked:
    """What a patch that fits its dataset asks for: `marks` of old samples, and the `numbers` of its samples that become records
    anew."""

    marks: tuple[Mark, ...] = ()
    numbers: tuple[int, ...] = ()
    audited: tuple[tuple[PatchedSample, Sample], ...] = field(default=(), repr=False)


def asked(folder: Folder, patch: Patch, is_kept: bool = False) -> Asked:
    """What a patch asks for, one that the dataset took before (`is_kept`) too.

    Raises `PatchError`, one sentence, if the patch is for another dataset, names a sample that isn't there or has changed since,
    or asks for what can't stand in a record.
    """
    known = dataset_id(folder)
    if patch.dataset.id != known:
        raise PatchError(
            f"the patch is for another dataset, {patch.dataset.name[:100]!r} with the id {patch.dataset.id[:32]}, and "
            f"{folder.url} has the id {known}: name the output that the page was made of"
        )
    rows = rows_of(folder, {sample.key for _, sample in patch.given()})
    done, restored = {mark.key: mark for mark in marks.of_people(folder)}, marks.restored(folder)
    new_marks, numbers, audited = list[Mark](), list[int](), list[tuple[PatchedSample, Sample]]()
    for number, answer in patch.given():
        try:
            sample = _record(folder, rows, answer, is_audit=patch.kind == AUDIT)
            if patch.kind == AUDIT:
                _refuse_answers(answer, sample)
                audited.append((answer, sample))
                continue
            new = corrected(sample, answer, patch.by)
            mark = Mark(answer.key, CORRECTED, new.key, 1.0) if new else None
            if answer.verdict in ("wrong", "restored"):
                mark = Mark(answer.key, REJECTED if answer.verdict == "wrong" else RESTORED, "", 1.0)
            if answer.key in restored and answer.verdict == "wrong" and not is_kept:
                raise PatchError("it was rejected and restored: correct it, or leave it")
            if answer.key not in restored and answer.verdict == "restored" and answer.key not in done:
                raise PatchError("it isn't rejected: make the look page anew, and answer there")
            if mark or not is_kept:  # what it left alone others may have corrected since
                _refuse_done(answer, done.get(answer.key), mark)
        except PatchError as error:
            raise PatchError(f"sample {answer.key}: {error}") from None
        new_marks += [mark] if mark else []
        numbers += [number] if new else []
    return Asked(tuple(new_marks), tuple(numbers), tuple(audited))


def rows_of(folder: Folder, keys: set[str]) -> dict[str, Row]:
    """The places of the samples with these keys that the dataset has, by key."""
    import pyarrow.compute as pc  # takes 0.1 s, which a plan needn't wait for

    rows: dict[str, Row] = {}
    wanted = pa.array(sorted(keys), pa.string())
    for part in manifest.parts(folder, [report.shard for report in read_reports(folder)], _COLUMNS) if keys else ():
        rows |= {row["key"]: row for row in part.filter(pc.is_in(part["key"], wanted)).to_pylist()}
    return rows


def _record(folder: Folder, rows: Mapping[str, Row], answer: PatchedSample, is_audit: bool) -> Sample:
    """The sample that is answered about, without its image."""
    row = rows.get(answer.key)
    if row is None:
        raise PatchError("the dataset has none of that key: make the look page anew, and answer there")
    start = row["record_offset"]
    (data,) = folder.read_ranges([(f"shards/{row['shard']}.tar", start, start + row["record_bytes"])])
    if answer.record != hashlib.sha256(data).hexdigest() and not (is_audit and not answer.record):
        raise PatchError("its record isn't the one that the page showed: make the look page anew, and answer there")
    return Sample.from_json(data)


def _refuse_done(answer: PatchedSample, earlier: Mark | None, mark: Mark | None) -> None:
    """Raise `PatchError` if an earlier patch did something else to the sample than this one."""
    is_restored = answer.verdict == "restored" and (earlier is None or earlier.mark == REJECTED)
    if earlier is None or earlier == mark or is_restored or answer.verdict == "skip":
        return
    now = f"corrected since: it is {earlier.of} now" if earlier.mark == CORRECTED else "rejected since"
    raise PatchError(f"it was {now}: make the look page anew, and answer there")


def _refuse_answers(answer: PatchedSample, sample: Sample) -> None:
    for given in answer.answers:
        if not -1 <= given.region < len(sample.regions):
            raise PatchError(f"it has no region {given.region}: make the audit page anew")
        if given.box is not None and given.region >= 0 and given.box != tuple(sample.regions[given.region].box):
            raise PatchError(f"its region {given.region} lies elsewhere now: make the audit page anew")


def given_again(folder: Folder, patch: Patch, first: int, stop: int) -> Iterator[tuple[PatchedSample, Row]]:
    """The samples `first` to `stop` of a kept patch with their places in the dataset, those that were forgotten left out."""
    samples = [sample for i, sample in patch.given() if first <= i < stop]
    rows = rows_of(folder, {sample.key for sample in samples})
    return ((sample, rows[sample.key]) for sample in samples if sample.key in rows)
