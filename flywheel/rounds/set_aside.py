"""Rounds that are set aside, and the end of the flywheel.

No later round, training or report uses a round that is set aside. None of its files is deleted.

The file aside.json in a round's folder sets the round aside, and gives the reason. Then the folder is moved from `round-3` to
`aside-round-3`; no pattern of rounds matches this name. The dataset of pages that the round labelled is moved likewise. After a
kill, `finish` moves the rest. The round's number stays taken.
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from datagen.disk.storage import Folder
from flywheel.step import (
    ASIDE,
    AUTO,
    METRICS,
    Flywheel,
    aside_name,
    clear_round,
    is_whole,
    numbers,
    numbers_aside,
    pages_name,
    round_metrics,
    round_name,
    whole_rounds,
)

ROLLBACK, RULE = "rollback", "rule"
"""Who sets a round aside: a person, or the rule that keeps rounds."""
MOST = 20
"""The most rounds with `AUTO`. Usually the rule ends earlier, since each round must be better than the round before."""
_HOPELESS = ("too_small", "turned", "no_lines")


@dataclass(frozen=True)
class Aside:
    """The round `number` was set aside `by` a person or the rule, at `time`, in seconds since 1970, for a `reason`."""

    number: int
    by: str
    reason: str
    time: float


def of(out: Folder) -> list[Aside]:
    """The rounds that are set aside, in the order of their numbers."""
    return [Aside(**json.loads(_folder(out, number).read(ASIDE))) for number in numbers_aside(out)]


def metrics(out: Folder, number: int) -> dict:
    """The contents of metrics.json of a round that is set aside; empty if the file is missing."""
    folder = _folder(out, number)
    return json.loads(folder.read(METRICS)) if folder.exists(METRICS) else {}


def folders(out: Folder) -> list[str]:
    """The names of the folders of rounds that are set aside, and of their datasets of pages."""
    names = [name for number in numbers_aside(out) for name in _names(number)]
    return [folder for name in names for folder in (aside_name(name), name) if out.exists(folder)]


def set_aside(out: Folder, number: int, by: str, reason: str) -> None:
    """Set a whole round aside."""
    assert is_whole(out.sub(round_name(number)))
    aside = Aside(number, by, reason, round(time.time(), 3))
    out.sub(round_name(number)).write(ASIDE, json.dumps(asdict(aside), ensure_ascii=False, indent=1).encode())
    finish(out)


def finish(out: Folder) -> None:
    """Move the folders of rounds that are set aside, if they haven't moved yet."""
    for number in numbers_aside(out):
        for name in _names(number):
            if out.exists(name):
                out.move(name, aside_name(name))


def roll_back(out: Folder, last: int) -> list[int]:
    """Set aside all rounds after the round `last` (0: all rounds), the latest first. Returns their numbers. An unfinished round
    is deleted, since nothing came of it. After a kill the same call sets aside the remaining rounds. Raises `ValueError` if there
    is no round `last`."""
    finish(out)
    known = numbers(out)
    if last and last not in known:
        what = "is set aside already" if last in numbers_aside(out) else "isn't there"
        rounds = ", ".join(str(number) for number in known) or "none"
        raise ValueError(f"rollback={last}: round {last} {what}; rounds that can be gone back to are 0 (from nothing), {rounds}")
    later = [number for number in known if number > last]
    for number in reversed(later):
        if is_whole(out.sub(round_name(number))):
            set_aside(out, number, ROLLBACK, f"rolled back to {round_name(last) if last else 'nothing'}")
        else:
            clear_round(out, number)
    return later


def clear(out: Folder) -> None:
    """Delete all rounds that are set aside."""
    for name in folders(out):
        out.remove(name)


def _names(number: int) -> tuple[str, str]:
    """The names of a round's folders. The folder with aside.json comes last, so that it is moved last."""
    return pages_name(round_name(number)), round_name(number)


def _folder(out: Folder, number: int) -> Folder:
    moved = out.sub(aside_name(round_name(number)))
    return moved if moved.exists(ASIDE) else out.sub(round_name(number))


def describe(asides: Sequence[Aside]) -> list[str]:
    """A line for each round, for people."""
    days = [time.strftime("%Y-%m-%d %H:%M", time.localtime(a.time)) for a in asides]
    return [f"{round_name(a.number)} was set aside on {day}: {a.reason}" for a, day in zip(asides, days, strict=True)]


def enough(step: Flywheel, out: Folder) -> str:
    """Why no further round is made; "" if another round is made."""
    rounds = round_metrics(out)
    refused = refused_rounds(out)
    if step.rounds != AUTO:
        away = f", {len(refused)} of them set aside by the rule" if refused else ""
        num_made = len(rounds) + len(refused)
        return f"{num_made} rounds are made{away}" if num_made >= step.rounds else ""
    if refused and refused[-1].number > rounds[-1]["round"]:
        return f"round-{refused[-1].number} brought nothing, so no other is tried: {refused[-1].reason}"
    if rounds and not num_to_read(rounds[-1]):
        return f"round-{rounds[-1]['round']} left nothing more to read"
    return f"{MOST} rounds are made" if len(rounds) + len(refused) >= MOST else ""


def refused_rounds(out: Folder) -> list[Aside]:
    """The rounds that the rule set aside, unless the round from which they came is set aside. They count towards the number of
    rounds, so that it is always reached. Rounds that a person set aside, and rounds that came from these, don't count."""
    there = frozenset(whole_rounds(out))
    return [a for a in of(out) if a.by == RULE and metrics(out, a.number)["from"] in there]


def num_to_read(measured: dict[str, Any]) -> int:
    """How many lines the round refused that a better reader might read."""
    rejected = sum((Counter(row["rejected"]) for row in measured["languages"].values()), Counter())
    return sum(n for reason, n in rejected.items() if reason not in _HOPELESS)
