"""`make retry`: reads items again that dropped for a reason, and nothing else."""

from collections import Counter
from typing import Annotated

from datagen.disk.storage import Folder
from datagen.work import dataset
from recipes.run import recipe_json
from recipes.run.execute import run
from recipes.steps import Place, runners


def retry(
    out: str,
    reason: Annotated[str, "NAME", "the reason to retry, from drops.jsonl: timeout, not_found…"] = "",
    passwords: str = "",
    on: str = "local",
    workers: int = 0,
) -> int:
    """Read again what dropped for a reason, reason=…, and nothing else. The output's own recipe does it, with these `passwords`
    in place of its own. The report is made anew. Returns the exit code of the run. Raises `ValueError` if nothing dropped for
    `reason`, or if the recipe or the inputs have changed."""
    folder, place = Folder(out), Place(out, on, workers)
    recipe = recipe_json.again(folder, **({"passwords": passwords} if passwords else {}))
    of_steps = runners(recipe, place)
    with dataset.lock(folder):
        reasons = sum((runner.retriable() for runner in of_steps), Counter())
        num_drops = sum(runner.retry(reason) for runner in of_steps)
    if not num_drops:
        if not reasons:
            raise ValueError(f"reason={reason or '…'}: nothing in {out} dropped that can be read again")
        known = ", ".join(f"{n} {name}" for name, n in reasons.most_common())
        if not reason:
            raise ValueError(f"retry needs reason=NAME; dropped are: {known}")
        raise ValueError(f"reason={reason}: nothing in {out} that can be read again dropped for that; dropped are: {known}")
    return run(recipe, place, steps=[step for runner in of_steps if (step := runner.after_retry())])
