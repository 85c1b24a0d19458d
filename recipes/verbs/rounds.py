"""`make flywheel`: the rounds of an output and their results, and going back to an earlier one."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

from datagen.disk.storage import Folder
from datagen.work import dataset
from flywheel.rounds import set_aside
from flywheel.step import Flywheel, next_number, numbers_aside, round_folders, round_metrics, round_name, whole_rounds
from recipes.run import recipe_json
from recipes.steps import Gone, Place, runners
from recipes.verbs.tables import aligned

log = logging.getLogger(__name__)

Metrics = dict[str, Any]

_TIMES, _LEAST_RATE = 1.5, 0.01  # another error rate is shown if it is so many times the character error, and so high


def flywheel(
    out: str,
    rollback: Annotated[int, "N", "set aside all rounds of the flywheel after the round N; 0: all"] = -1,
    review: Annotated[int, "N", "make a browser page with the N refused lines that are most worth correcting"] = 0,
    audit: Annotated[int, "N", "make a browser page with N accepted lines to type in, to measure how many labels are right"] = 0,
    gold: str = "",
) -> str:
    """The rounds of an output; rollback=N: back to an earlier one; review=N, audit=N: pages for a person to work on. Returns the
    actions for each of these words, for people; without such a word the rounds."""
    from recipes.verbs import ask

    done = [] if rollback < 0 else [roll_back(out, rollback)]
    wheel = ask.wheel_of(out) if gold or review or audit else None
    if wheel:
        done += [ask.take(wheel, gold)] if gold else []
        done += [ask.ask_review(wheel, review)] if review else []
        done += [ask.ask_audit(wheel, audit)] if audit else []
    return "\n".join(done or [state(out)])


def state(out: str) -> str:
    """The rounds of the output, and the errors of their readers, as tables for people. Raises `ValueError` if there is none."""
    folder = Folder(out)
    kept_rounds = round_metrics(folder)
    asides = set_aside.of(folder)
    if not kept_rounds and not asides:
        begun = [f"{name} has begun, and no round is whole" for name in round_folders(folder)]
        raise ValueError(f"out={out}: {begun[0] if begun else 'no round of a flywheel is there'}")
    gone = [metrics for a in asides if (metrics := set_aside.metrics(folder, a.number))]
    known = sorted([*kept_rounds, *gone], key=lambda metrics: metrics["round"])
    away = {a.number for a in asides}
    lines = [_summary(folder, kept_rounds, len(asides)), ""]
    head = ("round", "from", "", "pieces labelled", "right by the hidden layer", "gates")
    lines += aligned([head, *(_round(metrics, away) for metrics in known)])
    lines += set_aside.describe(asides)
    return "\n".join([*lines, "", *_errors(known, away, (kept_rounds or known)[-1])])


def roll_back(out: str, last: int) -> str:
    """Set aside all rounds after the round `last`; returns the actions, for people. Unfinished trainings begin again. Raises
    `ValueError` if there is no such round."""
    folder = Folder(out)
    if not round_folders(folder) and not numbers_aside(folder):
        raise ValueError(f"out={out}: no round of a flywheel is there")
    with dataset.lock(folder):
        later = set_aside.roll_back(folder, last)
        if folder.exists(recipe_json.NAME):
            try:
                recipe = recipe_json.again(folder)
                place = next((i for i, step in enumerate(recipe.steps) if isinstance(step, Flywheel)), len(recipe.steps))
                for runner in runners(recipe, Place(out), recipe.steps[place + 1 :]):  # steps that depend on rounds
                    runner.forget(Gone.nothing())
            except (ValueError, ImportError) as error:
                log.warning("the report stays as it is until its recipe runs again: %s", error)
    names = ", ".join(map(round_name, later)) or "no round"
    start = round_name(last) if last else "nothing"
    return f"set aside: {names}; the next round is {round_name(next_number(folder))}, from {start}"


def other_rates(row: Mapping[str, Any]) -> dict[str, float]:
    """The error rates in a language's row of metrics.json that are much higher than the character error, by name."""
    named = {"letters with their marks": row.get("cluster_rate"), "spaces": row.get("space_rate")}
    return {name: rate for name, rate in named.items() if rate is not None and rate > max(_LEAST_RATE, _TIMES * row["cer"])}


def _summary(out: Folder, kept_rounds: list[Metrics], num_aside: int) -> str:
    rounds = whole_rounds(out)
    number = round_name(next_number(out))
    begun = f"{number} has begun" if number in round_folders(out) else f"the next is {number}"
    away = f", {num_aside} set aside" if num_aside else ""
    return f"{len(kept_rounds)} rounds{away}; {begun}, from {rounds[-1] if rounds else 'nothing'}"


def _round(metrics: Metrics, away: set[int]) -> tuple[str, ...]:
    labels = metrics["labels"]
    share = labels["precision"]
    right = "" if share is None else f"{share:.1%} ({labels['precision_low']:.1%} to {labels['precision_high']:.1%})"
    opens = {name: [gate["confidence"] for gate in strata.values()] for name, strata in metrics["gates"].items()}
    gates = [f"{name} {' '.join('shut' if at is None else format(at, '.3f') for at in of)}" for name, of in opens.items()]
    number = metrics["round"]
    return (
        round_name(number),
        metrics.get("from", "?") or "nothing",
        "set aside" if number in away else "kept",
        f"{labels['num_accepted']:,}",
        right,
        ", ".join(gates),
    )


def _errors(known: list[Metrics], away: set[int], last: Metrics) -> list[str]:
    """The character errors by language and round, and the share of read characters that the last round labelled."""
    names = [round_name(m["round"]) + ("*" if m["round"] in away else "") for m in known]
    rows = [("language", "script", "Tesseract", *names, "labelled")]
    refused, better, others = [], [], []
    for lang, row in sorted(last["languages"].items(), key=lambda item: (item[1]["script"], item[0])):
        if row["not_served"]:
            refused.append(f"{lang} isn't served: {row['not_served']}")
            continue
        better += [lang] if row.get("existing_is_better") else []
        others += [f"{lang} {name} {_percent(rate)}" for name, rate in other_rates(row).items()]
        errors = [_percent(m["languages"].get(lang, {}).get("cer")) for m in known]
        num_read = row.get("chars_read", 0)
        share = f"{row['chars_accepted'] / num_read:.0%} of {num_read:,}" if num_read else ""
        rows.append((lang, row["script"], _percent(row["tesseract_cer"]), *errors, share))
    note = ["* set aside"] if away else []
    note += [f"Tesseract still reads better, beyond the interval of ours: {', '.join(better)}"] if better else []
    note += [f"much higher than by character: {', '.join(others)}"] if others else []
    head = "character error on held-out lines; characters labelled of those read, in the last round"
    return [head, *aligned(rows), *note, *refused]


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.2%}"
