"""`make forget`: removes a source from everything in an output, for good."""

import difflib
import logging
import os
import posixpath
import re
import time
from dataclasses import replace
from typing import Annotated, NamedTuple

from datagen.curation import forget as datagen_forget
from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from datagen.work import dataset, tombstones
from datagen.work.tombstones import Forgotten, Tombstone
from recipes.recipe import Recipe
from recipes.run import recipe_json
from recipes.steps import Gone, Place, report, runners
from recipes.verbs.publish import STAGED
from recipes.verbs.status import datasets

log = logging.getLogger(__name__)

Sources = set[tuple[str, str]]
"""Each a uri and a sha256."""


class Finished(NamedTuple):
    """The number of removed samples, and a sentence for each problem. While there is a problem, the request stays open and every
    later run tries again."""

    num_removed: int
    problems: list[str]


def forget(
    out: str,
    uri: Annotated[str, "URI", "the address of the source, as origin.uri of its samples has it"] = "",
    sha256: Annotated[str, "HEX", "the sha256 of the source's bytes, as origin.sha256 has it, wherever the source lies"] = "",
    *,
    recipe: Recipe | None = None,
) -> tuple[str, bool]:
    """Take a source, uri=… or sha256=…, out of an output, and keep it out.

    `uri` is a file with all of its parts; `sha256` is any file with that content. Returns the removed sources and the models that
    learned from them, for people, and whether all of it is done: if not, the next run goes on. `recipe` made the output, if
    recipe.json doesn't name it. Raises `ValueError` if the output has no such source.
    """
    if bool(uri) == bool(sha256):
        raise ValueError("forget needs one of uri=… and sha256=…: a sample's record has both, under origin")
    if sha256 and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise ValueError(f"sha256={sha256}: 64 digits in hex are needed, as in a sample's record, under origin")
    folder = Folder(out)
    folders = datasets(out)
    if folder.exists("census"):
        raise ValueError(f"out={out} is a dataset: name the output folder that it lies in, so that no other part of it is missed")
    with dataset.lock(folder):
        unknown = ""
        try:
            recipe = recipe or recipe_json.again(folder)
        except (ValueError, OSError, ImportError) as error:
            unknown = str(error)
        finish(folder, recipe, unknown)
        sources: Sources = {source for each in folders for source in datagen_forget.sources(each, uri, sha256)}
        if not sources and uri and "://" not in uri:  # relative to the user's folder
            uri = os.path.abspath(uri)
            sources = {source for each in folders for source in datagen_forget.sources(each, uri)}
        if not sources:
            raise ValueError(_unknown_source(folders, out, uri, sha256))
        trained = _learned_from(folder, recipe, frozenset(s for _, s in sources if s))
        earlier = tombstones.read(folder)
        meant = sources if sha256 or len(sources) == 1 else {(uri, "")}  # not an entry for each row of a file
        request = Tombstone(uri, sha256, tuple(sorted(meant)), trained, round(time.time(), 3))
        tombstones.write(folder, [*earlier, request])
        finished = finish(folder, recipe, unknown)
    return _message(folder, folders, uri, sources, trained, finished), not finished.problems


def finish(out: Folder, recipe: Recipe | None, unknown: str = "") -> Finished:
    """Do the output's unfinished requests, also after a kill. For the holder of the lock. `recipe` made the output; without it,
    `unknown` tells why it is unknown. Marks that keep samples out of a training stay until others replace them."""
    requests = tombstones.read(out)
    if all(t.done for t in requests):
        return Finished(0, [])
    gone = Gone(Forgotten.of(requests))
    num_removed, folders = 0, [f for f in map(out.sub, out.folders()) if f.exists("census")]
    for folder in folders:
        folder.sweep()
        num_removed += datagen_forget.forget(folder, gone.sources)
    for name in out.sub("look").folders():
        if out.exists(f"look/{name}/look.js"):
            out.remove(f"look/{name}")
            log.warning("look/%s: removed, since it shows samples; make look makes it anew", name)
    out.remove(STAGED)
    problems = _forget_in_steps(out, recipe, gone) if recipe else _forget_reports(out, unknown)
    if not problems:
        tombstones.write(out, [replace(t, done=True) for t in requests])
    return Finished(num_removed, problems)


def _forget_in_steps(out: Folder, recipe: Recipe, gone: Gone) -> list[str]:
    """Ask every step of the recipe; returns the problems."""
    problems = []
    of_steps = runners(recipe, Place(out.url))
    for runner in of_steps:
        try:
            runner.forget(gone)
        except (ValueError, OSError, ImportError) as error:
            problems.append(f"{runner.step.name}: {error}")
    claimed = {name for runner in of_steps for name in runner.folders()}
    for name in out.folders():
        if name not in claimed and out.exists(f"{name}/run.json") and not out.exists(f"{name}/census"):
            problems.append(f"{name}: no step of {recipe.name} makes it: delete the folder, or run the recipe that made it")
    return problems


def _forget_reports(out: Folder, unknown: str) -> list[str]:
    """Without a known recipe only reports are deleted, since they show pages. Returns the reason why the rest stays."""
    for name in out.folders():
        if report.remove(out.sub(name)):
            log.warning("%s: removed, since it shows pages; the next run makes it anew", name)
    return [f"marks, rounds and trainings are as they were, until its recipe runs again: {unknown}"]


def _learned_from(out: Folder, recipe: Recipe | None, sha256s: frozenset[str]) -> tuple[str, ...]:
    """The output's readers of whole rounds, and its models, that learned from these sources, when it still had them."""
    names = []
    for runner in runners(recipe, Place(out.url)) if recipe else []:
        try:
            names += runner.learned_from(sha256s)
        except (ValueError, OSError) as error:  # the samples go in any case
            names.append(f"{runner.step.name}, perhaps ({error})")
    return tuple(names)


def _message(out: Folder, folders: list[Folder], uri: str, sources: Sources, trained: tuple[str, ...], done: Finished) -> str:
    names = ", ".join(sorted({u for u, _ in sources}))
    lines = [f"forgotten: {names}: {done.num_removed:,} samples taken out; {out.path(tombstones.NAME)} keeps it out"]
    if trained:
        lines.append(f"trained on it, and not changed: {', '.join(trained)}; overwrite=1 makes them anew")
    digest = next(iter(sources))[1] if uri and len(sources) == 1 else ""
    if copies := {u for each in folders for u, _ in datagen_forget.sources(each, sha256=digest) if digest} - {uri}:
        lines.append(f"the same content stays under {', '.join(sorted(copies))}: sha256={digest} forgets it everywhere")
    lines += [f"not finished: {problem}" for problem in done.problems]
    if done.problems:
        lines.append("the next run of the recipe, or of forget, goes on with it")
    return "\n".join(lines)


def _unknown_source(folders: list[Folder], out: str, uri: str, sha256: str) -> str:
    if sha256:
        return (
            f"sha256={sha256}: nothing in {out} has that content; a row of a table, or a picture in an archive, has its own: "
            "uri=… forgets the whole file"
        )
    parts = (manifest.read_part(folder, r.shard) for folder in folders for r in read_reports(folder))
    by_name = {posixpath.basename(u): u for u in sorted({u for part in parts for u in part["uri"].to_pylist()})}
    near = difflib.get_close_matches(posixpath.basename(uri), by_name, n=1)
    hint = f"the nearest is {by_name[near[0]]}" if near else "a sample's record has its uri, under origin"
    return f"uri={uri}: nothing in {out} comes from there; {hint}"
