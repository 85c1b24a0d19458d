"""Which readers learned from which documents."""

import json

from datagen import manifest
from datagen.shards import read_reports
from datagen.storage import Folder
from flywheel.step import round_folders

POOLS = "flywheel/pools.json"


def readers_trained_on(out: Folder, sha256s: frozenset[str]) -> list[str]:
    """The folders of readers that learned from these documents: from crops of their lines, from lines that the round before read
    in them, or by starting from the weights of a reader that did. To be asked while their samples are in the output."""
    if not out.exists(POOLS):
        return []
    pools = json.loads(out.read(POOLS))["pools"]
    scripts = {p["script"] for p in pools if not p["not_served"] and any(doc in sha256s for doc, _ in p["train"])}
    found = []
    for name in round_folders(out):
        found += [f"{name}/reader/{s}" for s in sorted(scripts) if out.exists(f"{name}/reader/{s}/config.json")]
        scripts |= _read_in(out.sub(name), sha256s)
    return found


def _read_in(folder: Folder, sha256s: frozenset[str]) -> set[str]:
    """The scripts of lines that a round read in the documents."""
    scripts: set[str] = set()
    for report in read_reports(folder):
        rows = manifest.read_part(folder, report.shard).select(["sha256", "script"]).to_pylist()
        scripts |= {row["script"] for row in rows if row["sha256"] in sha256s}
    return scripts
