"""The labelling of waiting pages in a round: the gates of its readers are calibrated, then the readers read lines behind them."""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from datagen.disk import manifest, marks
from datagen.disk.marks import Mark
from datagen.disk.storage import Folder
from datagen.work.pipeline import Pipeline
from datagen.work.samples_of import ShardsOf
from flywheel.labels import calibrate
from flywheel.labels.calibrate import CalibrateTask, JudgedPart, ReaderGate
from flywheel.labels.reading_pieces import STRATA
from flywheel.labels.relabel import Gate, LinesOf, ReadLines
from flywheel.pools.lineage import RoundReader
from flywheel.pools.page_lists import PlaceFile
from flywheel.pools.pools import Place, Pools
from flywheel.step import CALIBRATION, Flywheel, round_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageLines:
    """The pages in the file `chosen`, of the dataset `pages`, with their lines in the dataset `lines`."""

    chosen: PlaceFile
    pages: Folder
    lines: Folder


@dataclass(frozen=True)
class Labelling:
    """The labelling of round `number`, in `folder`, with its `readers`, whose weights have the sha256s `weights`.

    `served` are the pools of the round's languages, and `folds` has the pages of each fold. The lines of the pages to read are
    the dataset `lines`. Gates are calibrated on the pages `calibrating`, which may be of several datasets. Readers read on the
    `device`, as in `Pretrained`.
    """

    step: Flywheel
    number: int
    folder: Folder
    served: Sequence[Pools]
    readers: Sequence[RoundReader]
    weights: Mapping[str, str]
    folds: Mapping[str, PlaceFile]
    lines: Folder
    calibrating: Sequence[PageLines]
    device: str = ""

    def tasks(self) -> list[CalibrateTask]:
        """A task for each reader and each shard of lines that calibrate its gate."""
        tasks = []
        for source in self.calibrating:
            languages = source.chosen.keys()
            shard_of = {row["key"]: row["shard"] for row in manifest.rows(source.pages) if row["key"] in languages}
            shards: dict[tuple[str, str], set[str]] = defaultdict(set)
            for row in manifest.rows(source.lines):
                if row["parent"] in shard_of:
                    shards[row["script"], row["shard"]].add(shard_of[row["parent"]])
            for reader in self.readers:
                for (script, shard), page_shards in sorted(shards.items()):
                    if script == reader.script:
                        weights, readers = self.weights[reader.name], self.folder.sub("reader").url
                        lines, pages = (source.lines.url, shard), (source.pages.url, tuple(sorted(page_shards)))
                        where = (source.chosen, *lines, *pages, self.device)
                        tasks.append(CalibrateTask(reader.name, script, weights, readers, *where))
        return tasks

    def gates(self, judged: Iterable[tuple[CalibrateTask, list[JudgedPart]]], learned: frozenset[str]) -> "Gates":
        """Each reader's gate by the parts that the tasks `judged`. Writes the calibration pieces. Texts that readers `learned`
        calibrate nothing, and so do documents that the reader itself learned from."""
        parts: dict[str, list[JudgedPart]] = {reader.name: [] for reader in self.readers}
        taught = {reader.name: reader.learned_from for reader in self.readers}
        for task, of_task in judged:
            parts[task.name] += [part for part in of_task if part.sha256 not in taught[task.name]]
        pieces = {name: calibrate.counted(of_reader, learned) for name, of_reader in parts.items()}
        effects = calibrate.design_effects(pieces)
        gates = {name: calibrate.reader_gate(of_reader, self.step.precision, effects[name]) for name, of_reader in pieces.items()}
        for name, of_reader in gates.items():
            for stratum, cutoff in of_reader.cutoffs.items():
                opens = cutoff.reason or f"opens at {cutoff.confidence:.3f}"
                log.info("gate of %s, %s, design effect %.1f: %s", name, stratum, effects[name], opens)
        rows = {
            name: [[p.lang, p.stratum, p.score, p.is_right, p.num_chars] for p in of_reader] for name, of_reader in pieces.items()
        }
        self.folder.write(CALIBRATION, json.dumps(rows, separators=(",", ":")).encode())
        return Gates(gates, {name: calibrate.agreement(of_reader) for name, of_reader in parts.items()})

    def reading(self, gates: Mapping[str, ReaderGate]) -> Pipeline | None:
        """The pipeline that reads the lines of waiting pages, each with its fold's reader and that reader's gate; None without
        lines."""
        behind: list[Gate] = []
        keys: set[str] = set()
        for p in self.served:
            for reader in (r for r in self.readers if r.script == p.script):
                for fold in (fold for fold in reader.folds if p.fold(fold)):
                    of_reader = gates[reader.name]
                    agreed, alone = (of_reader.threshold(stratum, p.lang) for stratum in STRATA)
                    worth = tuple(of_reader.worth[stratum] for stratum in STRATA)
                    pages, weights = self.folds[fold], self.weights[reader.name]
                    behind.append(Gate(p.lang, p.script, pages, reader.name, weights, agreed, alone, worth))
                    keys |= {key for key, lang in pages.keys().items() if lang == p.lang}
        shards = dict.fromkeys(row["shard"] for row in manifest.rows(self.lines) if row["parent"] in keys)
        census = ShardsOf(self.lines.url, tuple(shards))
        source = LinesOf(pages=tuple((gate.lang, gate.pages) for gate in behind), round=self.number)
        read = ReadLines(self.folder.sub("reader").url, self.number, tuple(behind), self.step.reader, self.device)
        return Pipeline(round_name(self.number), census, source, (read,), max_drop=1.0) if shards else None


def mark_earlier(folder: Folder, earlier: Iterable[Folder], read: set[Place]) -> None:
    """Mark, in a round's dataset in `folder`, the samples of `earlier` rounds on pages that this round `read`. A place trains by
    its last reading alone, and not at all if that was refused."""
    rows = [row for before in earlier for row in manifest.rows(before, lambda row: (row["sha256"], row["page"]) in read)]
    marks.write(folder, [Mark(row["key"], "read_again", row["parent"], 1.0) for row in rows], "")


@dataclass(frozen=True)
class Gates:
    """The gate of each reader, and by reader and language the quality of pieces on which the existing reader agrees."""

    of_reader: Mapping[str, ReaderGate]
    agreement: Mapping[str, Mapping[str, object]]
