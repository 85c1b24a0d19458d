"""An ablation as sections of the report: the arms' errors with their intervals, how they learned, and what they read most
differently."""

import json
from typing import Any

from markupsafe import Markup

from datagen.disk.storage import Folder
from recipes.report import Section, asset, fill
from recipes.report.curve import chart
from recipes.report.train import TEXT_LIMIT, with_images


def ablation_sections(name: str, folder: Folder) -> list[Section]:
    """The sections of the comparison in `folder`; none if it isn't made yet."""
    if not folder.exists("table.json"):
        return []
    table = json.loads(folder.read("table.json"))
    worst = json.loads(folder.read("worst.json")) if folder.exists("worst.json") else {}
    css = "\n".join((asset("train.css"), asset("ablation.css")))
    truths = [(truth, list(with_images(rows))) for truth, rows in worst.items() if rows]
    return [
        Section(f"{name}-table", f"{name}: character errors of the arms", _table(table), css),
        Section(
            f"{name}-worst",
            f"{name}: what the arms read most differently",
            fill("ablation_worst.html", truths=truths, text_limit=TEXT_LIMIT),
            css,
        ),
    ]


def _table(table: dict[str, Any]) -> Markup:
    for of_truth in table["truths"].values():
        arms = of_truth["arms"].values()
        full = max([one["samples"][1] for one in arms] + [1e-9])
        for one in arms:
            places = {"at": one["error"], "low_at": one["samples"][0], "high_at": one["samples"][1]}
            one |= {place: min(1.0, value / full) for place, value in places.items()}
        curves = enumerate(of_truth["curve"].values())
        of_truth["chart"] = chart([(number, [tuple(point) for point in seed]) for number, seeds in curves for seed in seeds])
    return fill("ablation.html", table=table)
