"""When the flywheel has turned enough."""

from collections import Counter
from typing import Any

from datagen.disk.storage import Folder
from flywheel.rounds import set_aside
from flywheel.rounds.set_aside import Aside
from flywheel.step import AUTO, Flywheel, round_metrics, whole_rounds

MOST = 20
"""With `AUTO`, the most rounds. The rule ends earlier: each round has to be better than the one before."""
_HOPELESS = ("too_small", "turned", "no_lines")


def enough(step: Flywheel, out: Folder) -> str:
    """Why no further round is to be made; "" if one is."""
    kept = round_metrics(out)
    refused = refused_rounds(out)
    if step.rounds != AUTO:
        away = f", {len(refused)} of them set aside by the rule" if refused else ""
        num_made = len(kept) + len(refused)
        return f"{num_made} rounds are made{away}" if num_made >= step.rounds else ""
    if refused and refused[-1].number > kept[-1]["round"]:
        return f"round-{refused[-1].number} brought nothing, so no other is tried: {refused[-1].reason}"
    if kept and not num_to_read(kept[-1]):
        return f"round-{kept[-1]['round']} left nothing more to read"
    return f"{MOST} rounds are made" if len(kept) + len(refused) >= MOST else ""


def refused_rounds(out: Folder) -> list[Aside]:
    """The rounds that the rule set aside and that came from a round that is still there. They count among those that exist, so
    that a number of rounds is reached in any case. What a person set aside doesn't count, nor what came from it."""
    there = frozenset(whole_rounds(out))
    return [a for a in set_aside.of(out) if a.by == set_aside.RULE and set_aside.metrics(out, a.number)["from"] in there]


def num_to_read(metrics: dict[str, Any]) -> int:
    """How many lines of a round's pages were refused that another reader might read."""
    rejected = sum((Counter(row["rejected"]) for row in metrics["languages"].values()), Counter())
    return sum(n for reason, n in rejected.items() if reason not in _HOPELESS)
