"""A published folder. It is made step by step, and shown only once it is whole.

    published.json              each file, its digest and origin, and the samples left out
    README.md                   the card; its YAML has the files and the number of rows of each table
    CONFIG/train-000000.parquet or, of the form `shards`, CONFIG/NAME-000000.tar
    bench_data/                 tests of them, if asked for
    .unfinished/                finished files of an unfinished publication; gone at the end

The same command goes on after a kill, and writes nothing if nothing changed. Files get their names when all are there. Until then
the card counts more rows than there are, and `datasets` refuses the folder.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping, Set
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import pyarrow.parquet as pq

from datagen.disk.storage import Folder
from datagen.publishing import card, files
from datagen.publishing.files import UNFINISHED, File, Survey, Tests, Written
from datagen.work.progress import OnState, State, ignore

NAME = "published.json"


def make(surveys: list[Survey], to: Folder, on_state: OnState = ignore, with_tests: bool = False) -> bool:
    """Make the missing files of the publication in the folder `to`, on this machine's disk; returns whether anything was written.
    `with_tests` gives the tables their `tests`. For the holder of the lock of `to`. Raises `ValueError` for a shard that differs
    from its report, and for a folder with other files; `OSError` if the disk is full."""
    known, tested = _known(to)
    to.sweep()
    total, done = sum(t.tally.num_samples for s in surveys for t in s.tables.values()), 0
    written: dict[str, Written] = {}
    staged: dict[str, str] = {}
    for each in surveys:
        sound: set[str] = set()
        of_tables: dict[str, list[File]] = {}
        for file in files.files(each):
            of_tables.setdefault(file.table.name, []).append(file)
            if to.exists(file.staged) or not _is_there(to, file.name, file.made_from, known):
                if not to.exists(file.staged):
                    files.check_shards(file, each, sound)
                    files.write(file, each, to)
                written[file.name] = _looked_at(to, file)
                staged[file.name] = file.staged
            else:
                written[file.name] = known[file.name]
            file.table.num_bytes += written[file.name].uncompressed
            file.table.file_bytes += written[file.name].num_bytes
            done += len(file.rows)
            on_state(State(done, total, "samples", f"{len(written)} files"))
        for name, table_files in of_tables.items() if with_tests else ():
            table_files[0].table.tests, added, waiting = _tests(name, table_files, each, to, known, tested)
            written |= added
            staged |= waiting
            on_state(State(done, total, "samples", f"tests of {name}"))
    return _give_names(surveys, to, known.keys() - written.keys(), written, staged)


def _tests(
    name: str, table_files: list[File], surveyed: Survey, to: Folder, known: Mapping[str, Written], tested: Mapping[str, Tests]
) -> tuple[Tests, dict[str, Written], dict[str, str]]:
    """The tests of a table, as `olmocr_bench.make` returns them. Existing tests of the same input aren't made again."""
    from datagen.publishing import olmocr_bench

    digest = olmocr_bench.made_from(table_files)
    there = {n: w for n, w in known.items() if olmocr_bench.is_of(n, name)}
    if name in tested and tested[name].made_from == digest and all(_is_there(to, n, digest, known) for n in there):
        return tested[name], there, {}
    return olmocr_bench.make(name, table_files, surveyed, to)


def _give_names(
    surveys: list[Survey], to: Folder, stale: Set[str], written: Mapping[str, Written], staged: Mapping[str, str]
) -> bool:
    """Remove the files that no table has any more, and give the new files their names. If it is interrupted, the next call ends
    it."""
    for name in sorted(stale):
        to.remove(name)
        with contextlib.suppress(OSError):  # other files are in it
            for folder in PurePosixPath(name).parents[:-1]:
                os.rmdir(to.path(str(folder)))
    left_out = {s.dataset: [[*why, n] for why, n in sorted(s.left_out.items())] for s in surveys}
    content: dict[str, Any] = {
        "form": surveys[0].form,
        "files": {n: asdict(w) for n, w in sorted(written.items())},
        "left_out": left_out,
    }
    if tests := {t.name: asdict(t.tests) for s in surveys for t in s.tables.values() if t.tests}:
        content["tests"] = tests
    changed = to.write(NAME, json.dumps(content, ensure_ascii=False, indent=1).encode())
    changed |= to.write("README.md", card.card(surveys, written).encode())
    for name, where in sorted(staged.items()):
        assert to.local is not None
        (to.local / name).parent.mkdir(parents=True, exist_ok=True)
        to.move(where, name)
    if to.exists(UNFINISHED):
        to.remove(UNFINISHED)
    return changed or bool(staged or stale)


def read(to: Folder) -> tuple[dict[str, Written], dict[str, Tests]]:
    """The files that published.json names, and the tests of each table. Raises `ValueError` if it is damaged."""
    try:
        content = json.loads(to.read(NAME))
        tests = {name: Tests(**values) for name, values in content.get("tests", {}).items()}
        return {name: Written(**values) for name, values in content["files"].items()}, tests
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{to.path(NAME)} is damaged ({error}): delete it, or publish to another folder") from None


def _known(to: Folder) -> tuple[dict[str, Written], dict[str, Tests]]:
    if to.exists(NAME):
        return read(to)
    if strange := [n for n in [*to.names(), *to.folders()] if n not in (".lock", UNFINISHED)]:
        raise ValueError(f"to={to.url}: {strange[0]} is in it, and no publication of pagewheel: name an empty folder")
    return {}, {}


def _is_there(to: Folder, name: str, made_from: str, known: Mapping[str, Written]) -> bool:
    """Whether an earlier publication made the file `name` of the same input, and the file has its full size."""
    before = known.get(name)
    if before is None or before.made_from != made_from or to.local is None:
        return False
    path = to.local / name
    return path.is_file() and path.stat().st_size == before.num_bytes


def _looked_at(to: Folder, file: File) -> Written:
    """A finished file under its staged name, measured."""
    with to.open(file.staged) as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()  # type: ignore[arg-type]
        num_bytes = opened.seek(0, 2)
    size = num_bytes
    if file.name.endswith(".parquet"):
        metadata = pq.read_metadata(to.path(file.staged))
        size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    return Written(file.made_from, sha256, num_bytes, len(file.rows), size)
