"""The functions behind the verbs: each prints what it has to say and returns the exit code. Their parameters are their words."""

from datagen.disk.storage import Folder
from recipes.recipe import Report
from recipes.run import recipe_json
from recipes.steps import Place, runners
from recipes.verbs import forget as forgetting
from recipes.verbs import read as image_reading
from recipes.verbs import retry as retrying
from recipes.verbs import rounds
from recipes.verbs import score as scoring
from recipes.verbs import status as reading


def status(out: str) -> int:
    print(reading.status(out))
    return 0


def report(out: str) -> int:
    """A run may be going on: what there is stays as it is."""
    place = Place(out)
    of_report = [runner for runner in runners(recipe_json.again(Folder(out)), place) if isinstance(runner.step, Report)]
    return max((runner.run() for runner in of_report), default=0)


def verify(out: str) -> int:
    """1 if a shard differs from its report."""
    message, clean = reading.verify(out)
    print(message)
    return 0 if clean else 1


def forget(out: str, uri: str = "", sha256: str = "") -> int:
    """1 if something could not be done yet, and is left to the next run."""
    message, done = forgetting.forget(out, uri, sha256)
    print(message)
    return 0 if done else 1


def retry(out: str, reason: str = "", passwords: str = "", on: str = "local", workers: int = 0) -> int:
    """The exit code of the run that reads what dropped."""
    return retrying.retry(Place(out, on, workers), reason, passwords)


def read(
    reader: str,
    input: str,
    out: str,
    kind: str = "auto",
    on: str = "local",
    workers: int = 0,
    overwrite: bool = False,
) -> int:
    """1 if something failed that is no image's fault."""
    return image_reading.read(reader, input, out, kind, overwrite, on, workers)


def score(pred: str, gt: str, out: str = "") -> int:
    """`out`: a file for all of it as JSON, page by page."""
    print(scoring.score(pred, gt, out))
    return 0


def flywheel(out: str, rollback: int = -1, review: int = 0, audit: int = 0, gold: str = "") -> int:
    """What the rounds are, unless a word asks for something else: that is then said."""
    from recipes.verbs import ask

    said = [] if rollback < 0 else [rounds.rollback(out, rollback)]
    wheel = ask.wheel_of(out) if gold or review or audit else None
    if wheel:
        said += [ask.take(wheel, gold)] if gold else []
        said += [ask.ask_review(wheel, review)] if review else []
        said += [ask.ask_audit(wheel, audit)] if audit else []
    print("\n".join(said or [rounds.state(out)]))
    return 0
