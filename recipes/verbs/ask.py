"""The words of `make flywheel` for people: sheets of lines to correct or to type, and their answers."""

import logging
from collections import Counter
from pathlib import Path
from typing import Any

from datagen.disk.storage import Folder
from datagen.work import dataset
from flywheel.people import audit, gold, gold_images, review
from flywheel.pools import questions
from flywheel.pools.questions import Sheet
from flywheel.step import Flywheel, round_metrics, round_name
from recipes.run import recipe_json
from recipes.steps import Place, StepRunner, runners

log = logging.getLogger(__name__)


def wheel_of(out: str) -> StepRunner[Flywheel]:
    """The runner of the output's flywheel. Raises `ValueError` if its recipe has none."""
    recipe = recipe_json.again(Folder(out))
    for runner in runners(recipe, Place(out)):
        if isinstance(runner.step, Flywheel):
            return runner
    raise ValueError(f"out={out}: its recipe {recipe.name} has no flywheel")


def ask_review(wheel: StepRunner[Flywheel], count: int) -> str:
    """Write a sheet of the `count` lines that teach most, and name its place. Raises `ValueError` if there is no line to ask
    about."""
    metrics = _last_round(wheel)
    number = metrics["round"]
    with dataset.lock(wheel.out):
        scripts = {lang: row["script"] for lang, row in metrics["languages"].items()}
        refused = review.candidates(wheel.out.sub(round_name(number)), wheel.out.sub(wheel.step.pages), scripts)
        lines = review.choose(refused, count, questions.answers(wheel.folder))
        if not lines:
            raise ValueError(f"review={count}: {round_name(number)} refused no line that a person could correct and hasn't yet")
        sheet = questions.add_sheet(wheel.folder, questions.REVIEW, number, review.NOTE, lines)
        return _written(wheel, sheet)


def ask_audit(wheel: StepRunner[Flywheel], count: int) -> str:
    """Write a sheet of `count` lines to transcribe, and name its place. Raises `ValueError` if no line passes the gates."""
    metrics = _last_round(wheel)
    with dataset.lock(wheel.out):
        lines, layers = audit.sample(wheel.step, wheel.out, metrics, count)
        if not lines:
            raise ValueError(
                f"audit={count}: the gates of {round_name(metrics['round'])} let no line through that isn't audited yet, "
                "so there is nothing to transcribe"
            )
        sheet = questions.add_sheet(wheel.folder, questions.AUDIT, metrics["round"], audit.note(layers), lines, layers)
        return f"{_written(wheel, sheet)}\n{audit.note(layers)}"


def take(wheel: StepRunner[Flywheel], file: str) -> str:
    """Take in a sheet's file, or a folder of images of lines, and report its effect. Raises `ValueError` if the file isn't a
    sheet's, or the folder has no line with its text."""
    with dataset.lock(wheel.out):
        if gold_images.is_folder(file):
            return f"gold: {gold_images.take(wheel.step, wheel.out, file)}"
        taken = gold.take(wheel.folder, wheel.out.sub(wheel.step.pages), file)
        results = audit.measure(wheel.folder)
    lines = [f"gold: {taken}"]
    for name in taken.audits:
        rows = {"all languages": results[name]["all"]} | results[name]["languages"]
        lines += [f"{name}, round {results[name]['round']}, {lang}: {_share(row)}" for lang, row in rows.items()]
    return "\n".join(lines)


def _share(row: dict[str, Any]) -> str:
    skipped = f", {row['num_skipped']} skipped" if row["num_skipped"] else ""
    counts = f"{row['num_right']} of {row['num_judged']} labels right ({row['num_asked']} asked{skipped})"
    if row["precision"] is None:
        return counts
    layer = f", {row['layer']}" if row.get("layer") else ""
    return f"{row['precision']:.1%} ({row['precision_low']:.1%} to {row['precision_high']:.1%}), {counts}{layer}"


def _written(wheel: StepRunner[Flywheel], sheet: Sheet) -> str:
    from recipes.look.sheets import write_sheet

    not_shown = write_sheet(wheel.folder, sheet, wheel.out.sub(wheel.step.pages))
    if not_shown:
        log.warning("%s: %d lines aren't shown, since their pages' images can't be read", sheet.name, len(not_shown))
    page = wheel.folder.path(f"{sheet.name}/index.html")
    address = Path(page).resolve().as_uri() if wheel.out.local else page
    languages = ", ".join(f"{count} {lang}" for lang, count in sorted(Counter(line.lang for line in sheet.lines).items()))
    return "\n".join(
        [
            f"{sheet.name}: {len(sheet.lines) - len(not_shown)} lines of {round_name(sheet.round)}, {languages}",
            f"open it in a browser: {address}",
            f"the patch that it saves goes back with make flywheel out={wheel.place.out} gold=FILE",
        ]
    )


def _last_round(wheel: StepRunner[Flywheel]) -> dict[str, Any]:
    rounds = round_metrics(wheel.out)
    if not rounds:
        raise ValueError(f"out={wheel.place.out}: no round of the flywheel is made yet")
    return rounds[-1]
