"""The choice of samples to pass on, and the reasons against the others."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from datagen.disk import manifest, marks
from datagen.disk.shards import ShardReport
from datagen.disk.storage import Folder
from datagen.publishing import licences
from datagen.record import VERDICTS
from datagen.work.tombstones import NOTHING, Forgotten

if TYPE_CHECKING:
    from datagen.publishing.pairs import Pairs

LARGEST = 250_000_000
"""The most bytes of a sample, image and record. The viewer shows no row group of over 286 MiB, and a group has at least one
sample."""


class LeftOut(NamedTuple):
    """Why a sample isn't passed on. `reason` is licence, mark, verdict, forgotten, too_large, or a reason of `pairs`. `which` is
    the licence in its source's words, the mark or the verdict."""

    reason: str
    which: str


@dataclass(frozen=True)
class Marked:
    """The marks of all datasets of an output, as trainings heed them: `names` by key, and `excluded` keys."""

    names: Mapping[str, str]
    excluded: frozenset[str]

    @classmethod
    def of(cls, folders: Iterable[Folder]) -> "Marked":
        names: dict[str, str] = {}
        excluded = frozenset[str]()
        for folder in folders:
            marked = marks.read(folder)
            names |= dict(zip(marked["key"].to_pylist(), marked["mark"].to_pylist(), strict=True))
            excluded |= marks.excluded(folder)
        return cls(names, excluded)

    def mark(self, key: str) -> str:
        """The mark of a sample, of the page from which it was cut, or of the sample that a person corrected; "" for none."""
        if not marks.is_marked(key, self.excluded):
            return ""
        keys = itertools.accumulate(key.split("-"), "{}-{}".format)
        return next((self.names[k] for k in reversed(list(keys)) if k in self.names), "marked")


@dataclass(frozen=True)
class Wanted:
    """The owner's choice: samples of these `verdicts`, under a free licence or one of `licences` (names as of `licences.simple`,
    `unstated`, or `all`). With `pairs`, only samples that give one."""

    verdicts: tuple[str, ...] = VERDICTS
    licences: frozenset[str] = frozenset()
    forgotten: Forgotten = field(default=NOTHING)
    marked: Marked = field(default_factory=lambda: Marked.of(()))
    pairs: "Pairs | None" = None

    def may_pass_on(self, licence: str) -> bool:
        if "all" in self.licences or licences.is_free(licence):
            return True
        return (licences.simple(licence) if licence else licences.UNSTATED) in self.licences

    def left_out(self, row: Mapping[str, Any]) -> LeftOut | None:
        """Why the sample of a manifest's `row` isn't passed on; None if it is."""
        if self.forgotten.origin(row["uri"], row["sha256"]):
            return LeftOut("forgotten", "")
        if mark := self.marked.mark(row["key"]):
            return LeftOut("mark", mark)
        if row["verdict"] not in self.verdicts:
            return LeftOut("verdict", row["verdict"])
        if not self.may_pass_on(row["licence"]):
            return LeftOut("licence", row["licence"])
        if row["bytes"] > LARGEST:
            return LeftOut("too_large", "")
        return LeftOut(why, "") if self.pairs and (why := self.pairs.why_none.get(row["key"])) else None


@dataclass
class Chosen:
    """The chosen samples of one shard, as a part of the manifest, and the counts of the others."""

    report: ShardReport
    part: pa.Table
    left_out: Counter[LeftOut]


def chosen(folder: Folder, reports: list[ShardReport], wanted: Wanted) -> Iterator[Chosen]:
    """The choice shard by shard, in order. Raises as `manifest.parts` does."""
    for report, part in zip(reports, manifest.parts(folder, [report.shard for report in reports]), strict=True):
        why = [wanted.left_out(row) for row in part.to_pylist()]
        left_out = Counter(reason for reason in why if reason)
        yield Chosen(report, part.filter(pa.array([reason is None for reason in why], pa.bool_())), left_out)
