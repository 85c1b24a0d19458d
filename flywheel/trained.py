"""Which documents taught the readers of an output, and which only tested them."""

import json
from typing import Any

from datagen import manifest
from datagen.shards import read_reports
from datagen.storage import Folder
from flywheel.step import Flywheel, round_folders

TESTS, TEACHES = ("calibration", "test"), ("train", "unlabelled")
"""The pools whose documents measure readers, and those whose documents readers learn from or label."""


def held_out(step: Flywheel, out: Folder) -> frozenset[str]:
    """The sha256s of documents that only test the readers. A document whose other pages train them isn't one.

    Raises `ValueError` if there are rounds but nothing that says what they were tested on.
    """
    pools = _pools(step, out)
    tests, teaches = ({doc for pool in pools for name in names for doc, _ in pool[name]} for names in (TESTS, TEACHES))
    return frozenset(tests - teaches)


def readers_trained_on(step: Flywheel, out: Folder, sha256s: frozenset[str]) -> list[str]:
    """The folders of readers that learned from these documents: from crops of their lines, from lines that the round before read
    in them, or by starting from the weights of a reader that did. To be asked while their samples are in the output."""
    pools = _pools(step, out)
    scripts = {p["script"] for p in pools if not p["not_served"] and any(doc in sha256s for doc, _ in p["train"])}
    readers = []
    for name in round_folders(out):
        readers += [f"{name}/reader/{s}" for s in sorted(scripts) if out.exists(f"{name}/reader/{s}/config.json")]
        scripts |= _read_in(out.sub(name), sha256s)
    return readers


def _pools(step: Flywheel, out: Folder) -> list[dict[str, Any]]:
    """The pools as they were frozen; none before the first round. Raises `ValueError` if rounds have none."""
    name = f"{step.name}/pools.json"
    if not out.exists(name):
        if rounds := round_folders(out):
            raise ValueError(
                f"{out.url} has {rounds[0]} but no {name}, which says what its readers are tested on: "
                "give the flywheel its old name, or start a new output with out=…"
            )
        return []
    pools: list[dict[str, Any]] = json.loads(out.read(name))["pools"]
    return pools


def _read_in(folder: Folder, sha256s: frozenset[str]) -> set[str]:
    """The scripts of lines that a round read in the documents."""
    scripts: set[str] = set()
    for report in read_reports(folder):
        rows = manifest.read_part(folder, report.shard).select(["sha256", "script"]).to_pylist()
        scripts |= {row["script"] for row in rows if row["sha256"] in sha256s}
    return scripts
