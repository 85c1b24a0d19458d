"""Which documents the readers of an output learned from, and which only tested them."""

from collections.abc import Iterable

from datagen import manifest
from datagen.shards import read_reports
from datagen.storage import Folder
from flywheel import frozen
from flywheel.pools import Place, Pools
from flywheel.step import Flywheel, has_reader, reader_name, round_folders


def held_out(step: Flywheel, out: Folder) -> frozenset[str]:
    """The sha256s of documents that only test the readers. A document whose other pages train them isn't one.

    Raises `ValueError` if there are rounds but nothing that says what they were tested on.
    """
    pools = _pools(step, out)
    tests = _documents(place for p in pools for place in p.calibration + p.test)
    teaches = _documents(place for p in pools for place in p.train + p.unlabelled)
    return tests - teaches


def readers_trained_on(step: Flywheel, out: Folder, sha256s: frozenset[str]) -> list[str]:
    """The folders of readers that learned from these documents.

    A reader learned from a document if it was trained on lines of it, or on lines that the round before read in it, or if it
    started from the weights of such a reader. Ask while the documents' samples are in the output.
    """
    scripts = {p.script for p in _pools(step, out) if not p.not_served and _documents(p.train) & sha256s}
    readers = []
    for name in round_folders(out):
        readers += [f"{name}/{reader_name(s)}" for s in sorted(scripts) if has_reader(out.sub(name), s)]
        scripts |= _scripts_read(out.sub(name), sha256s)
    return readers


def _documents(places: Iterable[Place]) -> frozenset[str]:
    return frozenset(doc for doc, _ in places)


def _pools(step: Flywheel, out: Folder) -> tuple[Pools, ...]:
    """The pools as they were frozen; none before the first round. Raises `ValueError` if rounds have none."""
    pools = frozen.read(out.sub(step.name))
    if pools is None and (rounds := round_folders(out)):
        raise ValueError(
            f"{out.url} has {rounds[0]} but no {step.name}/{frozen.NAME}, which says what its readers are tested on: "
            "give the flywheel its old name, or start a new output with out=…"
        )
    return pools.pools if pools else ()


def _scripts_read(folder: Folder, sha256s: frozenset[str]) -> set[str]:
    """The scripts of the lines that a round read in the documents."""
    scripts: set[str] = set()
    for part in manifest.parts(folder, [report.shard for report in read_reports(folder)]):
        scripts |= {row["script"] for row in part.select(["sha256", "script"]).to_pylist() if row["sha256"] in sha256s}
    return scripts
