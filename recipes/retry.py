"""`make retry`: what dropped for a reason, read again, and nothing else."""

from collections import Counter
from dataclasses import replace

from datagen import dataset
from datagen import retry as datagen_retry
from datagen.alike import MarkAlike
from datagen.census import Known
from datagen.pipeline import Pipeline
from datagen.runner import InProcess
from datagen.shards import read_reports
from datagen.storage import Folder
from datagen.tombstones import Forgotten, read
from recipes import called
from recipes.recipe import Report
from recipes.run import Place, run


def retry(place: Place, reason: str, passwords: str = "") -> int:
    """Read again, by the recipe that the output was made with, and make the report anew; returns the exit code. `passwords`: a
    file of them, in place of the one that the recipe had.

    Raises `ValueError` if nothing dropped for `reason`, or if the recipe or the inputs have changed.
    """
    out = Folder(place.out)
    recipe = called.again(out, **({"passwords": passwords} if passwords else {}))
    datasets = [step for step in recipe.steps if isinstance(step, Pipeline) and out.exists(f"{step.name}/census")]
    with dataset.lock(out):
        found: Counter[str] = Counter()
        num_drops = 0
        for step in datasets:
            folder, documents = out.sub(step.name), step.census.documents()
            drops = [d for report in read_reports(folder) for d in report.drops]
            found.update(d.reason for d in drops)
            uris = {d.uri for d in drops if d.reason == reason}
            if uris:  # refuse now what the run would refuse, but for files that were put right
                others = [d for d in documents if d.uri not in uris]
                dataset.plan(step, folder, others, InProcess(), commit=False, forgotten=Forgotten.of(read(out)))
                num_drops += datagen_retry.retry(step, folder, documents, reason)
    if not num_drops:
        known = ", ".join(f"{n} {name}" for name, n in found.most_common()) or "nothing dropped at all"
        raise ValueError(f"reason={reason or '…'}: nothing in {place.out} dropped for that; dropped are: {known}")
    steps = [
        replace(step, census=Known(step.census, out.sub(step.name).url)) if isinstance(step, Pipeline) else step
        for step in recipe.steps
        if step in datasets or isinstance(step, (MarkAlike, Report))
    ]
    return run(replace(recipe, steps=tuple(steps)), place)
