"""Marking samples that are alike, or like a benchmark's pages: signed shard by shard, then compared all with all."""

from collections import Counter
from dataclasses import dataclass

from datagen.curation import contamination as benchmarks
from datagen.curation import duplicates, signatures
from datagen.disk import marks
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work import patched
from datagen.work.runner import Runner
from datagen.work.specification import describe, fingerprint


@dataclass(frozen=True)
class MarkAlike:
    """A step that marks duplicates in each of `datasets`, and what is like a page in the folder `benchmarks`, if one is named.

    Two texts are near-duplicates from `similarity` on (Jaccard's, of 5-grams of letters), and a page is contaminated from
    `benchmark_similarity` on: a benchmark may have been read by an engine, which errs. So are two pictures of which at most
    `look_bits` of the 256 bits of their look differ, unless they say different things.
    """

    datasets: tuple[str, ...]
    similarity: float = 0.8
    benchmarks: str = ""
    benchmark_similarity: float = 0.5
    look_bits: int = 40
    name: str = "marks"


def mark(step: MarkAlike, folder: Folder, runner: Runner) -> Counter[str] | None:
    """Mark one dataset; returns how many samples have each mark. None, and nothing touched, if that is done for all its shards.

    Raises what signing a shard raised, and `ValueError` if the benchmarks can't be read.
    """
    people = patched.shards(folder)
    reports = sorted(read_reports(folder), key=lambda report: report.shard not in people)  # of copies, a person's stays
    names, hashes = benchmarks.read(step.benchmarks) if step.benchmarks else ([], benchmarks.NONE)
    values = {name: value for name, value in describe(step).items() if name not in ("datasets", "benchmarks")}
    digest = benchmarks.digest(names, hashes)
    state = fingerprint([values, digest, signatures.VERSION, duplicates.VERSION, [(r.shard, r.sha256) for r in reports]])
    if aside := marks.set_aside(folder):
        state = fingerprint([state, sorted(aside)])
    if marks.state(folder) == state:
        return None
    for _, _, error in runner.map(signatures.sign_shard, signatures.tasks(folder, [r.shard for r in reports])):
        if error is not None:
            raise error
    new_marks = [
        *duplicates.find(folder, reports, step.similarity, step.look_bits),
        *duplicates.find_contaminated(folder, reports, names, hashes, step.benchmark_similarity),
    ]
    marks.write(folder, new_marks, state)
    return Counter(m.mark for m in new_marks)
