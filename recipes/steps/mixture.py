"""Writing a mixture as a step: a training's datasets and their weights."""

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from datagen.disk import manifest, marks
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from flywheel.step import PAGES_OF_ROUNDS, ROUNDS
from model.data.mixture import GROUPS
from model.data.ours import find_datasets
from recipes.mixture import RECIPES_OF, Drawn, WriteMixture
from recipes.paper_mixture import PAPER
from recipes.recipe import Report, Step
from recipes.run import recipe_json
from recipes.scene import DRAWN
from recipes.steps import OK, Gone, StepRunner

if TYPE_CHECKING:
    from recipes.report import Section

log = logging.getLogger(__name__)

FILE = "mixture.json"
_PARTS = {part.key: part for part in PAPER}
# The names of each part's datasets in an output of its own recipe.
_IN_OUTPUT = {
    "pages": ("coarse*",),
    "fine": ("fin[e]",),
    "minority": (ROUNDS, PAGES_OF_ROUNDS),
    "scene": ("scene*", f"{DRAWN}*"),
}
_UNREAD_IS_CUT = ("fine", "minority")
_NOTE = (
    "Of each group, the shares of the parts are those of the paper; of a part that has several datasets, these come as often as "
    "they have samples to learn from."
)


class Share(NamedTuple):
    """A dataset's place in the mixture: its number of samples to learn, its group, its weight there (the paper's millions of
    samples), and its share of all draws."""

    part: str
    where: str
    num_samples: int
    group: str
    weight: float
    share: float


class MixtureRunner(StepRunner[WriteMixture]):
    def plan(self) -> str:
        named = [_PARTS[one.part] for one in self.step.drawn]
        groups = _shares_of({part.group for part in named})
        lines = [f"writes {self.out.path(FILE)}, of which a training draws"]
        for group, share in groups.items():
            parts = list(dict.fromkeys(part for part in named if part.group == group))
            total = sum(part.num_samples for part in parts)
            lines += [f"  {100 * share * part.num_samples / total:5.1f}%  {group:<6}  {part.key}: {part.name}" for part in parts]
        return "\n".join([*lines, *self._left_out()])

    def run(self) -> int:
        shares = self._shares()
        if not shares:
            raise ValueError("mixture: none of its datasets has a sample to learn from")
        for line in _lines(shares):
            log.info("%s: %s", self.step.name, line)
        for line in [*self._left_out(), *self._empty(shares)]:
            log.info("%s: %s", self.step.name, line.strip())
        content = json.dumps(_as_json(shares, self.out), indent=1, ensure_ascii=False).encode()
        if not self.out.exists(FILE) or self.out.read(FILE) != content:
            self.out.write(FILE, content)
        log.info("%s: %s: make recipe=train data=%s …", self.step.name, self.out.path(FILE), self.out.path(FILE))
        return OK

    def folders(self) -> list[str]:
        return []

    def status(self) -> list[str]:
        return [f"{self.step.name}: {line.strip()}" for line in _lines(self._shares())] if self.out.exists(FILE) else []

    def shown(self) -> Any:
        return self.out.read(FILE).decode() if self.out.exists(FILE) else None

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        if not self.out.exists(FILE):
            return []
        from recipes.report import Cell, Section, blocks, joined

        shares = self._shares()
        rows = [(Cell(f"{s.share:.1%}", "num"), s.group, s.part, s.where, s.num_samples) for s in shares]
        left_out = [line.strip() for line in (*self._left_out(), *self._empty(shares))]
        head = ("of all samples", "group", "part", "dataset", "samples")
        html = joined(blocks.note(_NOTE), blocks.table(head, rows), *map(blocks.note, left_out))
        return [Section("mixture", "What a training draws from", html)]

    def forget(self, gone: Gone) -> None:
        """A dataset without remaining samples leaves the mixture."""
        if self.out.exists(FILE) and self._shares():
            self.run()

    def after_retry(self) -> Step | None:
        return self.step

    def _left_out(self) -> list[str]:
        return [f"  left out, since it has no input: {key}" for key in self.step.left_out]

    def _empty(self, shares: list[Share]) -> list[str]:
        """The parts with an input that gave nothing to learn."""
        parts = dict.fromkeys(one.part for one in self.step.drawn)
        has = {share.part for share in shares}
        return [f"  left out, since it has no sample to learn from: {part}" for part in parts if part not in has]

    def _shares(self) -> list[Share]:
        """The datasets to learn from, in order, without empty ones. Raises `ValueError` if two parts name the same dataset."""
        counts = [(one.part, where, _num_samples(folder)) for one in self.step.drawn for where, folder in self._datasets(one)]
        counts = [count for count in counts if count[2]]
        part_of: dict[str, str] = {}
        for part, where, _ in counts:
            if (other := part_of.setdefault(where, part)) != part:
                raise ValueError(f"{other} and {part} name the same dataset, {where}: give it to one of them")
        groups = _shares_of({_PARTS[part].group for part, _, _ in counts})
        of_part: dict[str, int] = defaultdict(int)
        for part, _, num in counts:
            of_part[part] += num
        of_group: dict[str, float] = defaultdict(float)
        for part in of_part:
            of_group[_PARTS[part].group] += _PARTS[part].num_samples / 1e6
        shares = []
        for part, where, num in counts:
            group, weight = _PARTS[part].group, _PARTS[part].num_samples / 1e6 * num / of_part[part]
            shares.append(Share(part, where, num, group, round(weight, 4), groups[group] * weight / of_group[group]))
        return shares

    def _datasets(self, one: Drawn) -> list[tuple[str, Folder]]:
        """The folders of the named datasets, each under its name in the mixture's file."""
        if "/" not in one.where:
            return [(f"./{one.where}", self.out.sub(one.where))]
        folder = Folder(one.where)
        if folder.exists("shards"):
            return [(one.where, folder)]
        names = find_datasets(folder, _patterns(one.part, folder))
        datasets = [(f"{one.where}/{name}", folder.sub(name)) for name in names if folder.exists(f"{name}/shards")]
        if not datasets:
            raise ValueError(f"{one.part}={one.where}: that output has no dataset of this kind; name the dataset's own folder")
        return datasets


def _patterns(part: str, output: Folder) -> list[str]:
    """The names of a part's datasets in another output: all that its own recipe made, or those of its name."""
    recipe = json.loads(output.read(recipe_json.NAME)).get("recipe") if output.exists(recipe_json.NAME) else ""
    return ["*"] if recipe and recipe == RECIPES_OF.get(part) else [*_IN_OUTPUT.get(part, (f"{part}*",))]


def _num_samples(dataset: Folder) -> int:
    """The number of a dataset's samples to learn: those with an answer, and without a mark."""
    excluded = marks.excluded(dataset)
    num = 0
    for report in read_reports(dataset):
        part = manifest.read_part(dataset, report.shard)
        num += sum(not marks.is_marked(key, excluded) for key in part.filter(manifest.answerable(part))["key"].to_pylist())
    return num


def _shares_of(groups: set[str]) -> dict[str, float]:
    """The shares of the present groups, in all 1."""
    total = sum(share for group, share in GROUPS.items() if group in groups)
    return {group: share / total for group, share in GROUPS.items() if group in groups}


def _lines(shares: list[Share]) -> list[str]:
    return [f"{100 * s.share:5.1f}%  {s.group:<6}  {s.where}: {s.num_samples:,} samples ({s.part})" for s in shares]


def _as_json(shares: list[Share], out: Folder) -> dict[str, Any]:
    datasets = []
    for share in shares:
        unread = {"unread": "cut"} if share.part in _UNREAD_IS_CUT else {}
        datasets.append({"where": share.where, "group": share.group, "weight": share.weight} | unread)
    return {"groups": {group: GROUPS[group] for group in GROUPS}, "datasets": datasets}
