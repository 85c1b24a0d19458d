"""The files of a publication: the samples of each, and writing one."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from datagen.disk.manifest import Tally
from datagen.disk.shards import Place, ShardReport, ShardWriter, read_reports, read_samples
from datagen.disk.storage import Folder
from datagen.publishing import columns
from datagen.publishing.selection import Chosen, LeftOut, Wanted, chosen

PARQUET, SHARDS, PAIRS = "parquet", "shards", "pairs"
UNFINISHED = ".unfinished"
_COLUMNS = ("key", "shard", "offset", "bytes", "record_offset", "record_bytes")
Row = dict[str, Any]


@dataclass
class Tests:
    """The tests of a table (`olmocr_bench`): the number of each type, the number of samples with tests, and of samples without,
    by reason. The tests follow from the input whose digest is `made_from`."""

    made_from: str
    num_samples: int
    types: dict[str, int]
    without: dict[str, int]


@dataclass
class Table:
    """One table of the publication, with sums over its samples. `sources` counts the samples by licence and source."""

    name: str
    tally: Tally = field(default_factory=Tally)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    num_bytes: int = 0
    file_bytes: int = 0
    tests: Tests | None = None


@dataclass
class Survey:
    """A dataset's part of a publication, by its manifest alone: its tables, in the form `parquet` one for each task."""

    dataset: str
    folder: Folder
    wanted: Wanted
    form: str
    reports: list[ShardReport]
    tables: dict[str, Table]
    left_out: Counter[LeftOut]
    num_local: int

    def table(self, task: str) -> Table:
        return self.tables[task if self.form == PARQUET else ""]


@dataclass(frozen=True)
class File:
    """A file to make of these rows of the manifest. Its bytes follow from the input whose digest is `made_from`. In the form
    `shards` a file is made of one shard, `chosen`."""

    table: Table
    name: str
    made_from: str
    rows: list[Row]
    chosen: Chosen | None = None

    @property
    def staged(self) -> str:
        return f"{UNFINISHED}/{self.made_from[:32]}"


@dataclass(frozen=True)
class Written:
    """A file of the publication, as in published.json."""

    made_from: str
    sha256: str
    num_bytes: int
    num_samples: int
    uncompressed: int


def survey(dataset: str, folder: Folder, wanted: Wanted, form: str) -> Survey:
    """The tables of a dataset that is to be published. Raises `ValueError` or `OSError` for a dataset that can't be read."""
    reports = read_reports(folder)
    surveyed = Survey(dataset, folder, wanted, form, reports, {}, Counter(), 0)
    for each in chosen(folder, reports, wanted):
        surveyed.left_out += each.left_out
        for task, part in _by_task(each, form):
            table = surveyed.tables.setdefault(task, Table(dataset))
            table.tally.add(part)
            uris, licences = part["uri"].to_pylist(), part["licence"].to_pylist()
            table.sources.update(zip(licences, map(columns.source_of, uris), strict=True))
            surveyed.num_local += sum(columns.public_uri(uri) != uri for uri in uris)
    if len(surveyed.tables) > 1:
        for task, table in surveyed.tables.items():
            table.name = f"{dataset}-{task}"
    return surveyed


def _by_task(each: Chosen, form: str) -> Iterator[tuple[str, Any]]:
    if form != PARQUET:
        if len(each.part):
            yield "", each.part
        return
    tasks = each.part["task"].to_pylist()
    for task in sorted(set(tasks)):
        yield task, each.part.filter([t == task for t in tasks])


def files(surveyed: Survey) -> Iterator[File]:
    """The files of a dataset, in order. More shards give more files, and change only the last file of each table."""
    numbers: Counter[str] = Counter()
    pending: dict[str, list[Row]] = {}
    digests: dict[str, Any] = {}
    sizes: Counter[str] = Counter()

    def name(task: str) -> str:
        return f"{surveyed.table(task).name}/train-{numbers[task]:06d}.parquet"

    def file(task: str) -> File:
        made = File(surveyed.table(task), name(task), digests.pop(task).hexdigest(), pending.pop(task))
        numbers[task] += 1
        sizes[task] = 0
        return made

    for each in chosen(surveyed.folder, surveyed.reports, surveyed.wanted):
        for task, part in _by_task(each, surveyed.form):
            rows = part.select(_COLUMNS).to_pylist()
            if surveyed.form == SHARDS:
                tar = f"{surveyed.table(task).name}/{each.report.shard}.tar"
                what = f"{tar} {each.report.sha256} {[row['offset'] for row in rows]}"
                yield File(surveyed.table(task), tar, hashlib.sha256(what.encode()).hexdigest(), rows, each)
                continue
            for row in rows:
                if pending.get(task) and sizes[task] + row["bytes"] > columns.FILE_BYTES:
                    yield file(task)
                pending.setdefault(task, []).append(row)
                digest = digests.setdefault(task, hashlib.sha256(f"{name(task)} {columns.VERSION}".encode()))
                digest.update(f"\n{each.report.sha256} {row['offset']}".encode())
                if pairs := surveyed.wanted.pairs:
                    digest.update(pairs.digest(row["key"]))
                sizes[task] += row["bytes"]
    for task in list(pending):
        yield file(task)


def write(file: File, surveyed: Survey, to: Folder) -> None:
    """Make the file under its staged name. Raises `ValueError` for a sample that breaks the record's contract."""
    with to.create(file.staged) as opened:
        if file.chosen is None:
            pairs = surveyed.wanted.pairs
            fields, as_row = (columns.OF_PAIRS, pairs.row) if pairs else (columns.FIELDS, columns.row)
            columns.write(opened, read_samples(surveyed.folder, file.rows), fields, as_row)
            return
        with surveyed.folder.open(f"shards/{file.chosen.report.shard}.tar") as shard:
            if not file.chosen.left_out:
                shutil.copyfileobj(shard, opened)
                return
            writer = ShardWriter(opened)
            for row in file.rows:
                shard.seek(row["offset"])
                place = Place(row["offset"], row["bytes"], row["record_offset"], row["record_bytes"])
                writer.copy(row["key"], shard.read(row["bytes"]), place)
            writer.close()


def check_shards(file: File, surveyed: Survey, sound: set[str]) -> None:
    """Raise `ValueError` if a shard of the file differs from its report. `sound` are the shards that were checked before."""
    reports = {report.shard: report for report in surveyed.reports}
    for shard in dict.fromkeys(row["shard"] for row in file.rows):
        if shard not in sound:
            check_shard(surveyed.folder, reports[shard])
            sound.add(shard)


def check_shard(folder: Folder, report: ShardReport) -> None:
    """Raise `ValueError` if a shard differs from its report."""
    name = f"shards/{report.shard}.tar"
    try:
        with folder.open(name) as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
    except FileNotFoundError:
        digest = ""
    if digest != report.sha256:
        raise ValueError(
            f"{folder.path(name)} {'is damaged' if digest else 'is missing'}, so nothing is published: make verify says more; "
            "delete it with its report, and the recipe makes it again"
        )
