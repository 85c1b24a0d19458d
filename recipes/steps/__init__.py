"""The kinds of steps, a file a kind: planning, running, and answers to verbs, the report and later steps.

A step is a frozen dataclass of plain values, with a `name`. The table `RUNNERS` has the `StepRunner` of each kind. Nothing else
in the project lists the kinds.
"""

import json
import pkgutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from datagen.disk.storage import Folder
from datagen.work.tombstones import Forgotten
from recipes.recipe import Recipe, Report, Step

if TYPE_CHECKING:
    from recipes.report import Section

RUNNERS = {
    "Pipeline": "recipes.steps.pipeline:PipelineRunner",
    "Labelling": "recipes.steps.label:LabelRunner",
    "Agreeing": "recipes.steps.agree:AgreeRunner",
    "MarkAlike": "recipes.steps.mark:MarkRunner",
    "Flywheel": "recipes.steps.flywheel:FlywheelRunner",
    "CountLengths": "recipes.steps.lengths:LengthsRunner",
    "Train": "recipes.steps.train:TrainRunner",
    "HoldOut": "recipes.steps.holdout:HoldOutRunner",
    "Compare": "recipes.steps.compare:CompareRunner",
    "WriteMixture": "recipes.steps.mixture:MixtureRunner",
    "TallyWord": "recipes.steps.word:TallyRunner",
    "MeasureCompression": "recipes.steps.compression:CompressionRunner",
    "LineTexts": "recipes.steps.line_texts:LineTextsRunner",
    "InstallLines": "recipes.steps.install_lines:InstallLinesRunner",
    "ReadPages": "recipes.steps.read_pages:ReadPagesRunner",
    "TrainLayouts": "recipes.steps.layouts:LayoutsRunner",
    "Scripts": "recipes.steps.scripts:ScriptsRunner",
    "Report": "recipes.steps.report:ReportRunner",
}
"""The runner of each kind of step, "module:Class", by the name of the step's class. A file with a step of its own adds to it."""

OK, SHARD_FAILED, USAGE, OVER_MAX_DROP = 0, 1, 2, 3

S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class Place:
    """Where a recipe runs and writes. The output's bytes don't depend on it, except that trainings on several GPUs add numbers in
    another order. `gpus` and `nodes` are for trainings; 0: all GPUs, and this machine alone."""

    out: str
    on: str = "local"
    workers: int = 0
    overwrite: bool = False
    gpus: int = 0
    nodes: int = 0


class Gone(NamedTuple):
    """The sources that are being forgotten."""

    sources: Forgotten

    @classmethod
    def nothing(cls) -> "Gone":
        """No source: a step that forgets it only begins unfinished work again."""
        return cls(Forgotten.of([]))


@dataclass(frozen=True)
class StepRunner(Generic[S]):
    """Runs one step of a recipe, and answers for it. A new kind needs `plan` and `run`; the other methods do nothing by default.
    `recipe` is whole, so that a step can ask earlier ones."""

    step: S
    recipe: Recipe
    place: Place

    runs_after_failure: ClassVar[bool] = False
    """Whether the step runs although shards of a step before it failed."""

    @property
    def out(self) -> Folder:
        """The output of the whole recipe."""
        return Folder(self.place.out)

    @property
    def folder(self) -> Folder:
        """The step's folder in the output."""
        return self.out.sub(self.step.name)

    def kept(self, name: str) -> Any:
        """The contents of the file `name` in the step's folder, as JSON; None if it is missing."""
        return json.loads(self.folder.read(name)) if self.folder.exists(name) else None

    def earlier(self) -> "list[StepRunner[Any]]":
        """The runners of the steps before this one."""
        names = [step.name for step in self.recipe.steps]
        return runners(self.recipe, self.place)[: names.index(self.step.name)]

    def plan(self) -> str:
        """A description of `run`, for people. Writes nothing."""
        raise NotImplementedError

    def run(self) -> int:
        """Do the remaining work; returns the exit code. Raises `ValueError` for errors that the user must mend."""
        raise NotImplementedError

    def folders(self) -> list[str]:
        """The step's folders in the output."""
        return [self.step.name]

    def status(self) -> list[str]:
        """Finished and remaining work, in lines for people."""
        return []

    def shown(self) -> Any:
        """The state behind `sections`, in JSON's types. When it changes, the report is made again."""
        return None

    def sections(self, report: Report, max_bytes: int) -> "list[Section]":
        """The step's part of the report, in at most `max_bytes` of HTML and data."""
        return []

    def held_out(self) -> frozenset[str]:
        """The sha256s of documents, or the groups of samples, that no later step may train on."""
        return frozenset()

    def learned_from(self, sha256s: frozenset[str]) -> list[str]:
        """The folders of models and readers that learned from these documents. Asked while their samples are in the output."""
        return []

    def forget(self, gone: Gone) -> None:
        """Remove the step's files about these sources outside of its datasets, whose shards are rewritten before. Unfinished work
        begins again. A second call changes nothing. Raises `ValueError` or `OSError` if that fails; the request then stays
        open."""

    def retriable(self) -> Counter[str]:
        """The numbers of the step's drops that could be read again, by reason."""
        return Counter()

    def retry(self, reason: str) -> int:
        """Assign the items that dropped for `reason` to new shards, durably; returns the number of drops."""
        return 0

    def after_retry(self) -> Step | None:
        """The step as it runs after a retry; None if it doesn't."""
        return None


def runner_of(step: Step, recipe: Recipe, place: Place) -> StepRunner[Any]:
    runner: StepRunner[Any] = pkgutil.resolve_name(RUNNERS[type(step).__name__])(step, recipe, place)
    return runner


def runners(recipe: Recipe, place: Place, steps: Sequence[Step] | None = None) -> list[StepRunner[Any]]:
    """The runners of all steps of the recipe, or of these `steps`, in order."""
    return [runner_of(step, recipe, place) for step in (recipe.steps if steps is None else steps)]
