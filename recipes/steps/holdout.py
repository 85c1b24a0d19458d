"""A step that holds documents out of all later trainings."""

import logging
from pathlib import Path

import msgspec

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.record import SampleError
from recipes.ablate import HoldOut
from recipes.steps import OK, StepRunner

log = logging.getLogger(__name__)


class HoldOutRunner(StepRunner[HoldOut]):
    """The documents are read from the datasets at each question, so only existing ones are held out."""

    def plan(self) -> str:
        what = "all documents" if self.step.share == 1 else f"{self.step.share:.0%} of the documents"
        return f"no arm learns from {what} of {', '.join(self.step.datasets)}"

    def run(self) -> int:
        groups = self._groups()
        chosen = self._chosen(groups)
        log.info("%s: %d of %d documents, by which arms are measured", self.step.name, len(chosen), len(groups))
        return OK

    def folders(self) -> list[str]:
        return []

    def held_out(self) -> frozenset[str]:
        groups = self._groups()
        return frozenset(name for group in self._chosen(groups) for name in (group, *groups[group]))

    def _chosen(self, groups: dict[str, set[str]]) -> list[str]:
        """Raises `ValueError` if there is nothing to hold out, or nothing would be left."""
        from model.data.split import group_hash, is_held_out

        names = ", ".join(self.step.datasets)
        if not groups:
            raise ValueError(f"{names}: there is no sample with text to measure arms by: give another truth=DATASET")
        if self.step.share == 1:
            return sorted(groups)
        if len(groups) == 1:
            raise ValueError(f"{names}: all samples are of one document, so none could be held out: give a truth=DATASET")
        chosen = [group for group in sorted(groups) if is_held_out(group, self.step.share)]
        if len(chosen) in (0, len(groups)):
            return [min(groups, key=group_hash)]
        return chosen

    def _groups(self) -> dict[str, set[str]]:
        """The sha256s of the documents of each group of measurable samples."""
        documents: dict[str, set[str]] = {}
        for name in self.step.datasets:
            if name.endswith(".jsonl"):
                documents |= {group: set() for group in _groups_of_rows(name)}
                continue
            dataset = Folder(name) if "/" in name else self.out.sub(name)
            shards = [report.shard for report in read_reports(dataset)]
            if not shards:
                raise ValueError(f"{dataset.url} has no sample: a dataset that pagewheel wrote is needed, or a .jsonl file")
            for part in manifest.parts(dataset, shards, ["group", "sha256", *manifest.ANSWERABLE]):
                fit = part.filter(manifest.answerable(part))
                for row in fit.group_by(["group", "sha256"]).aggregate([]).to_pylist():
                    documents.setdefault(row["group"], set()).add(row["sha256"])
        return documents


def _groups_of_rows(name: str) -> set[str]:
    """Raises `ValueError` for a row without a group: whether an arm has its document would be unknown."""
    from model.data.conversations import row

    groups = set()
    try:
        lines = Path(name).read_bytes().splitlines()
    except OSError as error:
        raise ValueError(f"truth={name}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        try:
            group = row(msgspec.json.decode(line)).group if line.strip() else None
        except (ValueError, SampleError):
            continue  # the training counts and names the row
        if group == "":
            raise ValueError(f"truth={name} line {number} has no group: name its document, which no arm may learn from")
        if group:
            groups.add(group)
    return groups
