"""The functions behind the verbs: each prints what it has to say and returns the exit code. Their parameters are their words."""

from typing import Annotated

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
    """What is done, left and dropped in an output, step by step."""
    print(reading.status(out))
    return 0


def report(out: str) -> int:
    """Make the report of an output anew, as far as a run has come.

    A run may be going on: what there is stays as it is."""
    place = Place(out)
    of_report = [runner for runner in runners(recipe_json.again(Folder(out)), place) if isinstance(runner.step, Report)]
    return max((runner.run() for runner in of_report), default=0)


def verify(out: str) -> int:
    """Re-read every shard of an output against its report.

    1 if a shard differs from it."""
    message, clean = reading.verify(out)
    print(message)
    return 0 if clean else 1


def forget(
    out: str,
    uri: Annotated[str, "URI", "where the source lies, as its samples' records have it under origin"] = "",
    sha256: Annotated[str, "HEX", "the content of the source, wherever it lies"] = "",
) -> int:
    """Take a source, uri=… or sha256=…, out of an output, and keep it out.

    1 if something could not be done yet, and is left to the next run."""
    message, done = forgetting.forget(out, uri, sha256)
    print(message)
    return 0 if done else 1


def retry(
    out: str,
    reason: Annotated[str, "NAME", "why documents or pages dropped, as drops.jsonl has it, such as timeout or not_found"] = "",
    passwords: str = "",
    on: str = "local",
    workers: int = 0,
) -> int:
    """Read again what dropped for a reason, reason=…, and nothing else.

    The exit code of the run that reads what dropped."""
    return retrying.retry(Place(out, on, workers), reason, passwords)


def read(
    reader: str,
    input: str,
    out: Annotated[str, "FILE", "a file of JSON lines on a local disk"],
    kind: Annotated[
        str,
        "WHAT",
        "what each image shows: line, page, or auto: a line is at most 160 px high, or 6 times as wide",
    ] = "auto",
    on: str = "local",
    workers: int = 0,
    overwrite: bool = False,
) -> int:
    """Read images of lines or pages with a round's reader, a JSON line each.

    1 if something failed that is no image's fault."""
    return image_reading.read(reader, input, out, kind, overwrite, on, workers)


def score(
    pred: Annotated[str, "DIR", "predictions: a folder of STEM.md, each called as its page's image, or a dataset"],
    gt: Annotated[str, "FILE", "the truth: OmniDocBench's JSON, a .jsonl of olmOCR-bench's tests, or a dataset's folder"],
    out: Annotated[str, "FILE", "a file for all of it as JSON, page by page"] = "",
) -> int:
    """How good predictions are, pred=DIR, against a ground truth, gt=FILE: text, order, tables, formulas, boxes."""
    print(scoring.score(pred, gt, out))
    return 0


def flywheel(
    out: str,
    rollback: Annotated[int, "N", "set aside all rounds of the flywheel after the round N; 0: all"] = -1,
    review: Annotated[
        int, "N", "write a page for a browser with the N refused lines that teach most when a person corrects them"
    ] = 0,
    audit: Annotated[int, "N", "write a page for a browser with N accepted lines to transcribe; it shows no reading"] = 0,
    gold: str = "",
) -> int:
    """The rounds of an output; rollback=N: back to an earlier one; review=N, audit=N: pages for a person to work on.

    What the rounds are, unless a word asks for something else: that is then said."""
    from recipes.verbs import ask

    said = [] if rollback < 0 else [rounds.rollback(out, rollback)]
    wheel = ask.wheel_of(out) if gold or review or audit else None
    if wheel:
        said += [ask.take(wheel, gold)] if gold else []
        said += [ask.ask_review(wheel, review)] if review else []
        said += [ask.ask_audit(wheel, audit)] if audit else []
    print("\n".join(said or [rounds.state(out)]))
    return 0
