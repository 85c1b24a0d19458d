"""`make forget`: a source out of everything that an output holds, for good."""

import contextlib
import difflib
import json
import logging
import os
import posixpath
import re
import time
from dataclasses import replace

from datagen import dataset, manifest, marks, tombstones
from datagen import forget as datagen_forget
from datagen.alike import MarkAlike
from datagen.record import source_key
from datagen.shards import read_reports
from datagen.storage import Folder
from datagen.tombstones import Forgotten, Tombstone
from flywheel.step import clear_round, round_folders
from flywheel.trained import readers_trained_on
from recipes import called
from recipes.recipe import Report
from recipes.status import datasets
from recipes.steps import Place, mark, report
from recipes.steps.train import never_trained_on

log = logging.getLogger(__name__)

TRAIN = "train"


def forget(out: str, uri: str = "", sha256: str = "") -> str:
    """Take the source `uri`, or all with the content `sha256`, out of the output; says what went, and what had learned from it.

    Raises `ValueError` if the output has no such source.
    """
    if bool(uri) == bool(sha256):
        raise ValueError("forget needs one of uri=… and sha256=…: a sample's record has both, under origin")
    if sha256 and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256={sha256}: 64 digits in hex are needed, as in a sample's record, under origin")
    folder = Folder(out)
    found = datasets(out)
    if folder.exists("census"):
        raise ValueError(f"out={out} is a dataset: name the output folder that it lies in, so that no other part of it is missed")
    with dataset.lock(folder):
        finish(folder)
        known = {source for each in found for source in datagen_forget.sources(each, uri, sha256)}
        if not known and uri and "://" not in uri:  # relative to where the user is
            uri = os.path.abspath(uri)
            known = {source for each in found for source in datagen_forget.sources(each, uri)}
        if not known:
            raise ValueError(_unknown(found, out, uri, sha256))
        trained = _trained_on(folder, frozenset(s for _, s in known if s))
        held = tombstones.read(folder)
        tombstones.write(folder, [*held, Tombstone(uri, sha256, tuple(sorted(known)), trained, round(time.time(), 3))])
        num_removed = finish(folder)
    names = ", ".join(sorted({u for u, _ in known}))
    lines = [f"forgotten: {names}: {num_removed:,} samples taken out; {folder.path(tombstones.NAME)} keeps it out"]
    if trained:
        lines.append(f"trained on it, and not changed: {', '.join(trained)}; overwrite=1 makes them anew")
    copies = {u for each in found for _, s in known if s and uri for u, _ in datagen_forget.sources(each, sha256=s)} - {uri}
    if copies:
        (digest,) = {s for _, s in known if s}
        lines.append(f"the same content stays under {', '.join(sorted(copies))}: sha256={digest} forgets it everywhere")
    return "\n".join(lines)


def finish(out: Folder) -> int:
    """Do what was asked of the output and isn't done yet, whoever was killed at it; returns how many samples went. For the holder
    of the lock."""
    asked = tombstones.read(out)
    if all(t.done for t in asked):
        return 0
    gone, num_removed = Forgotten.of(asked), 0
    for folder in datasets(out.url):
        folder.sweep()
        num_removed += datagen_forget.forget(folder, gone)
    _forget_trainings(out, tuple(source_key(*source) for t in asked for source in t.sources if source[1]))
    _remake(out)
    tombstones.write(out, [replace(t, done=True) for t in asked])
    return num_removed


def _trained_on(out: Folder, sha256s: frozenset[str]) -> tuple[str, ...]:
    """What of the output had learned from these sources, when it still had them: readers of whole rounds, and the model."""
    return (*readers_trained_on(out, sha256s), *((f"{TRAIN}/model",) if _model_trained_on(out, sha256s) else ()))


def _model_trained_on(out: Folder, sha256s: frozenset[str]) -> bool:
    if not out.exists(f"{TRAIN}/metrics.json"):
        return False
    from model.loader import TASKS, find_datasets, is_held_out

    run = json.loads(out.read(f"{TRAIN}/run.json"))
    learned = {s for s in sha256s - never_trained_on(out) if not is_held_out(s, run["step"]["held_out_share"])}
    for name in find_datasets(out, run["step"]["datasets"]):
        folder = out.sub(name)
        for shard in (r.shard for r in read_reports(folder) if r.shard in run["shards"]):
            for row in manifest.read_part(folder, shard).to_pylist():
                if row["sha256"] in learned and row["verdict"] == "trusted" and row["task"] in TASKS:
                    return True
    return False


def _forget_trainings(out: Folder, keys: tuple[str, ...]) -> None:
    """A round or a training that isn't whole begins again. What a whole one shows of samples that it read loses those whose keys
    begin with `keys`."""
    for name in round_folders(out):
        if not out.exists(f"{name}/metrics.json"):
            clear_round(out.sub(name))
    folder = out.sub(TRAIN)
    if folder.exists("run.json") and not folder.exists("metrics.json"):
        from model.train import clear

        clear(folder)
    if folder.exists("readback.json"):
        rows = json.loads(folder.read("readback.json"))
        left = [row for row in rows if not row["key"].startswith(keys)]
        if len(left) < len(rows):
            folder.write("readback.json", json.dumps(left, indent=1, ensure_ascii=False).encode("utf-8", "replace"))


def _remake(out: Folder) -> None:
    """Marks and report without the source. Where nobody knows the recipe there are none until the next run: a report holds images
    of pages, and marks say which samples are alike."""
    with contextlib.suppress(ValueError):
        recipe = called.again(out)
        for step in recipe.steps:
            if isinstance(step, MarkAlike):
                mark.run(step, recipe.name, out, Place(out.url))
            elif isinstance(step, Report) and out.exists(f"{step.name}/index.html"):
                report.run(step, recipe.name, out, Place(out.url))
        return
    for folder in datasets(out.url):
        folder.remove(marks.NAME)
    if out.exists("report/index.html"):
        out.remove("report/index.html")
        log.warning("report: removed, since it shows pages; the next run makes it anew")


def _unknown(found: list[Folder], out: str, uri: str, sha256: str) -> str:
    if sha256:
        return f"sha256={sha256}: nothing in {out} has that content"
    known = {u for folder in found for r in read_reports(folder) for u in manifest.read_part(folder, r.shard)["uri"].to_pylist()}
    by_name = {posixpath.basename(u): u for u in sorted(known)}
    near = difflib.get_close_matches(posixpath.basename(uri), by_name, n=1)
    return f"uri={uri}: nothing in {out} comes from there" + (f"; the nearest is {by_name[near[0]]}" if near else "")
