"""The documents from which an output's readers learned, and those that only tested them."""

from datagen.disk.storage import Folder
from flywheel.pools import lineage, pools_file
from flywheel.rounds import set_aside
from flywheel.step import LEARNED_FROM, Flywheel, has_reader, reader_name, round_folders


def held_out(step: Flywheel, out: Folder) -> frozenset[str]:
    """The sha256s of documents that only test the readers. A document with training pages isn't one. Raises `ValueError` if there
    are rounds without their pools."""
    frozen = pools_file.read(out.sub(step.name))
    if frozen is None and (rounds := round_folders(out)):
        raise ValueError(
            f"{out.url} has {rounds[0]} but no {step.name}/{pools_file.NAME}, which says what its readers are tested on: "
            "give the flywheel its old name, or start a new output with out=…"
        )
    pools = frozen.pools if frozen else ()
    tests = frozenset(doc for p in pools for doc, _ in p.held_out)
    return tests - frozenset(doc for p in pools for doc, _ in p.train + p.unlabelled)


def readers_trained_on(out: Folder, sha256s: frozenset[str]) -> list[str]:
    """The folders of readers that learned from these documents, also in rounds that are set aside. A reader learned from a
    document if it was trained on its lines, or on the round before's readings of it, or if it started from the weights of such a
    reader. The rounds' own files tell it."""
    readers = []
    for name in [*round_folders(out), *set_aside.folders(out)]:
        folder = out.sub(name)
        for reader, documents in lineage.read(folder).items() if folder.exists(LEARNED_FROM) else ():
            if documents & sha256s and has_reader(folder, reader):
                readers.append(f"{name}/{reader_name(reader)}")
    return readers
