"""An ablation in the report: the arms' errors with their intervals, their training, and the readings that differ most."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from datagen.disk.storage import Folder
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.curve import chart
from recipes.report.train import TEXT_LIMIT, with_images

_NOTE = (
    "All arms are the same network, from the same start, in the same number of steps. None learned from a document of the truth. "
    "An error is Levenshtein’s distance over the length of the truth, the mean of the seeds. Intervals are of 95%: by a paired "
    "bootstrap over samples, by the same over whole documents where there are enough, and by Student’s t over the seeds’ "
    "differences. An arm is called better only where all of them leave out zero, both arms look at the images, and one of them "
    "reads."
)
_ARMS = ("arm", "samples", "each learned", "tokens of text", "steps", "seconds", "what differs")
_ERRORS = ("arm", "", "character errors", "over samples", "over documents", "each seed", "repetition rate")
_DIFFERENCES = ("difference, in points", "", "over samples", "over documents", "over seeds", "each seed", "")


def ablation_sections(name: str, folder: Folder) -> list[Section]:
    """The sections of the comparison in `folder`; none if it isn't made yet."""
    if not folder.exists("table.json"):
        return []
    table = json.loads(folder.read("table.json"))
    worst = json.loads(folder.read("worst.json")) if folder.exists("worst.json") else {}
    parts = [blocks.note(f"{warning}.", "Mind:") for warning in table["unlike"]]
    parts += [blocks.note(_NOTE), blocks.table(_ARMS, [_arm(arm, of) for arm, of in table["arms"].items()])]
    for truth, of_truth in table["truths"].items():
        parts += _of_truth(truth, of_truth)
    differing = [blocks.heading(truth) + blocks.cards(_cards(rows)) for truth, rows in worst.items() if rows]
    if not differing:
        differing = [blocks.note("No sample was read otherwise by two arms.")]
    return [
        Section(f"{name}-table", f"{name}: character errors of the arms", joined(*parts)),
        Section(f"{name}-worst", f"{name}: what the arms read most differently", joined(*differing)),
    ]


def _arm(arm: str, of: Mapping[str, Any]) -> tuple[Any, ...]:
    times = of["num_seen"] / max(1, of["num_train"])
    seconds = ", ".join(f"{s:.0f}" for s in of["seconds"])
    differs = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in of["differs"].items())
    return arm, of["num_train"], Cell(f"{times:.1f} times", "num"), of["num_tokens"], of["steps"], Cell(seconds, "num"), differs


def _of_truth(truth: str, of: Mapping[str, Any]) -> list[Markup]:
    """The arms' errors on a truth, their differences, the errors by language, and the losses over steps."""
    documents = f"{of['num_documents']:,} document{'s' if of['num_documents'] != 1 else ''}"
    arms, full = of["arms"], max([one["samples"][1] for one in of["arms"].values()] + [1e-9])
    errors = []
    for number, (arm, one) in enumerate(arms.items()):
        at, low, high = (min(1.0, value / full) for value in (one["error"], *one["samples"]))
        seeds = Cell(", ".join(f"{100 * rate:.1f}" for rate in one["by_seed"]), "num")
        intervals = (_between(one[over], "{:.1f}") for over in ("samples", "documents"))
        bar = blocks.rate(f"arm-{number}", at, low, high, None)
        errors.append((arm, bar, Cell(f"{one['error']:.1%}", "num"), *intervals, seeds, Cell(f"{one['loops']:.0%}", "num")))
    parts = [
        blocks.heading(truth, f"{of['num']:,} samples, {of['num_characters']:,} characters, {documents}"),
        blocks.table(_ERRORS, errors),
        blocks.table(_DIFFERENCES, [_difference(one) for one in of["differences"]]),
    ]
    if len(of["langs"]) > 1:
        langs = [
            (Cell(lang, "lang"), one["num"], one["num_characters"], *(Cell(f"{one[arm]:.1%}", "num") for arm in arms))
            for lang, one in of["langs"].items()
        ]
        parts.append(blocks.table(("language", "samples", "characters", *arms), langs))
    lines = [
        (f"arm-{number}", [tuple(point) for point in seed]) for number, seeds in enumerate(of["curve"].values()) for seed in seeds
    ]
    if drawn := chart(lines):
        legend = [(f"arm-{number}", arm) for number, arm in enumerate(arms)]
        parts.append(blocks.curve(drawn, f"Loss on {truth}", "nats a token of text, by step; a line a seed", legend))
    return parts


def _difference(one: Mapping[str, Any]) -> tuple[Any, ...]:
    verdict = f"{one['verdict']} is better" if one["verdict"] else "not told apart"
    intervals = (_between(one[over], "{:+.1f}") for over in ("samples", "documents", "seeds"))
    seeds = Cell(", ".join(f"{100 * value:+.1f}" for value in one["by_seed"]), "num")
    by_one = "" if one["seeds"] else ", by one seed"
    return f"{one['b']} less {one['a']}", Cell(f"{100 * one['value']:+.1f}", "num"), *intervals, seeds, f"{verdict}{by_one}"


def _between(bounds: Sequence[float] | None, form: str) -> Cell:
    return Cell(" to ".join(form.format(100 * bound) for bound in bounds) if bounds else "–", "num")


def _cards(rows: Sequence[dict[str, Any]]) -> list[Card]:
    cards = []
    for row, image in with_images(rows):
        readings = [(arm, cut(text, TEXT_LIMIT)) for arm in (row["a"], row["b"]) for text in row["readings"][arm]]
        facts = (Cell(row["lang"], "lang"), Cell(f"{row['edits']:+.1f} edits", "num"))
        cards.append(Card(image, facts, [("truth", cut(row["truth"], TEXT_LIMIT)), *readings]))
    return cards
