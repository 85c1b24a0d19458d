"""`make retry`: what dropped for a reason, read again, and nothing else."""

from collections import Counter

from datagen.disk.storage import Folder
from datagen.work import dataset
from recipes.run import recipe_json
from recipes.run.execute import run
from recipes.steps import Place, runners


def retry(place: Place, reason: str, passwords: str = "") -> int:
    """Read again, by the recipe that the output was made with, and make the report anew; returns the exit code. `passwords`: a
    file of them, in place of the one that the recipe had.

    Raises `ValueError` if nothing dropped for `reason`, or if the recipe or the inputs have changed.
    """
    out = Folder(place.out)
    recipe = recipe_json.again(out, **({"passwords": passwords} if passwords else {}))
    of_steps = runners(recipe, place)
    with dataset.lock(out):
        reasons = sum((runner.retriable() for runner in of_steps), Counter())
        num_drops = sum(runner.retry(reason) for runner in of_steps)
    if not num_drops:
        if not reasons:
            raise ValueError(f"reason={reason or '…'}: nothing in {place.out} dropped that can be read again")
        known = ", ".join(f"{n} {name}" for name, n in reasons.most_common())
        if not reason:
            raise ValueError(f"retry needs reason=NAME; dropped are: {known}")
        raise ValueError(f"reason={reason}: nothing in {place.out} that can be read again dropped for that; dropped are: {known}")
    return run(recipe, place, steps=[step for runner in of_steps if (step := runner.after_retry())])
