"""The contents of an output, from its shards' reports alone, so they are true during a run, after it, and after a kill."""

from pathlib import Path

from datagen.disk.storage import Folder
from datagen.work import dataset, tombstones
from recipes.recipe import Recipe, Report
from recipes.run import recipe_json
from recipes.steps import Place, runners
from recipes.steps.pipeline import dataset_status


def datasets(out: str) -> list[Folder]:
    """The dataset folders of an output, or `out` itself if it is a dataset. Raises `ValueError` if there is none."""
    folder = Folder(out)
    if folder.exists("census"):
        return [folder]
    inside = [f for f in (folder.sub(name) for name in folder.folders()) if f.exists("census")]
    if not inside:
        raise ValueError(f"out={out}: no output of pagewheel there; name the folder that a recipe wrote, such as out/coarse")
    return inside


def by_name(out: str, named: str = "") -> dict[str, Folder]:
    """The dataset folders of an output by name: those in `named`, as "A,B", or all. Raises `ValueError` as `datasets`, and for a
    missing dataset."""
    folders = {Path(folder.url).name: folder for folder in datasets(out)}
    names = list(filter(None, named.split(","))) or list(folders)
    if unknown := [name for name in names if name not in folders]:
        raise ValueError(f"dataset={named}: {out} has no {unknown[0]}; it has {', '.join(folders)}")
    return {name: folders[name] for name in names}


def status(out: str, *, recipe: Recipe | None = None) -> str:
    """What is done, left and dropped in an output, step by step. A paragraph a step: done, left, pages/s, dropped by reason.
    `recipe` made the output, if recipe.json doesn't name it. Without a known recipe only datasets are listed."""
    folder, notes = Folder(out), []
    # A recipe that only trains has no dataset.
    has_datasets = any(folder.exists(f"{name}/census") for name in folder.folders())
    folders = datasets(out) if has_datasets or not folder.exists(recipe_json.NAME) else []
    if recipe is None and not folder.exists(recipe_json.NAME):
        notes = [f"only datasets are listed until the first step is done, which writes {recipe_json.NAME}"]
    elif recipe is None:
        try:
            recipe = recipe_json.again(folder)
        except ValueError as error:
            notes = [f"only datasets are listed: {error}"]
    of_steps = runners(recipe, Place(out)) if recipe else []
    lines = [line for runner in of_steps for line in runner.status()]
    claimed = {name for runner in of_steps for name in runner.folders()}
    lines += [line for f in folders if Path(f.url).name not in claimed for line in dataset_status(f)]
    return "\n".join(lines + _forgotten(folder) + notes)


def verify(out: str) -> tuple[str, bool]:
    """Re-read every shard of an output against its report. Returns a line for every difference, and whether none exists."""
    lines: list[str] = []
    clean = True
    for folder in datasets(out):
        num_shards = num_faults = 0
        for shard, faults in dataset.verify(folder):
            num_shards += bool(shard)
            num_faults += len(faults)
            lines.extend(f"{Path(folder.url).name}: {fault}" for fault in faults)
        lines.append(f"{Path(folder.url).name}: {num_shards} shards read, {num_faults} faults")
        clean = clean and not num_faults
    return "\n".join(lines), clean


def report(out: str) -> int:
    """Make the report of an output anew, as far as a run has come. A run may be going on: existing files stay. Returns the exit
    code."""
    of_report = [runner for runner in runners(recipe_json.again(Folder(out)), Place(out)) if isinstance(runner.step, Report)]
    return max((runner.run() for runner in of_report), default=0)


def _forgotten(out: Folder) -> list[str]:
    """A line for each source that was taken out."""
    lines = []
    for tombstone in tombstones.read(out):
        what = f"uri={tombstone.uri}" if tombstone.uri else f"sha256={tombstone.sha256}"
        learned = f"; had learned from it: {', '.join(tombstone.trained)}" if tombstone.trained else ""
        lines.append(f"forgotten: {what}{'' if tombstone.done else ' (under way: run again)'}{learned}")
    return lines
