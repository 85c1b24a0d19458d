"""The readers of a round, the documents that each learns from, and the pages that each reads.

No reader reads a document that it, or a reader that it descends from, learned from.

    round 1      Cyrl ───────── learns from trusted lines, reads both folds
                  ├───────────┐
    round 2      Cyrl-a      Cyrl-b      Cyrl-a learns what round 1 accepted in fold b, and reads fold a; Cyrl-b the reverse
                  │           │
    round 3      Cyrl-a      Cyrl-b

A script needs one reader while all its documents lie in one fold, or nothing of it was accepted. Adapting to scans learns no
label, and makes no second reader. Lines that a person corrected are learned like accepted lines. All readers learn the
corrections of documents that nobody reads. A script needs two readers as soon as a line of a document that waits is corrected:
one reader learns the line, and the other reads the document.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from datagen.disk.storage import Folder
from flywheel.pools.pools import FOLDS, Pools
from flywheel.step import LEARNED_FROM

Documents = frozenset[str]


@dataclass(frozen=True)
class RoundReader:
    """A reader of `script`: the folder `reader/NAME` of its round.

    The reader starts from the reader `start` of the round before ("": from nothing), and reads the pages in `folds`. It learns
    trusted lines, and the lines that the round before accepted in the fold `learns` ("": none). `learned_from` are all documents
    that this reader, and the readers that it descends from, learned from.
    """

    name: str
    script: str
    folds: tuple[str, ...]
    start: str
    learns: str
    learned_from: Documents


def of_round(
    script: str, served: Sequence[Pools], accepted: Documents, before: Mapping[str, Documents], gold: Documents = frozenset()
) -> list[RoundReader]:
    """The readers of a script in a round. `accepted` are the documents in which the round before accepted lines of the script.
    `before` maps the readers of that round to the documents that they learned from. Both are empty in a first round. A person
    corrected lines of the script in the documents `gold`."""
    pools = [p for p in served if p.script == script]
    trusted = frozenset(doc for p in pools for doc, _ in p.train)
    waiting = {fold: frozenset(doc for p in pools for doc, _ in p.fold(fold)) for fold in FOLDS}
    all_waiting = frozenset().union(*waiting.values())
    taught = trusted | (gold - all_waiting)
    is_parted = any(f"{script}-{fold}" in before for fold in FOLDS)
    whole = script if script in before else ""
    if not (is_parted or (accepted and all(waiting.values())) or gold & all_waiting):
        return [RoundReader(script, script, FOLDS, whole, "", taught | before.get(whole, frozenset()))]
    readers = []
    for fold, other in zip(FOLDS, reversed(FOLDS), strict=True):
        name = f"{script}-{fold}"
        start = name if name in before else whole
        learned_from = taught | ((accepted | gold) & waiting[other]) | before.get(start, frozenset())
        readers.append(RoundReader(name, script, (fold,), start, other, learned_from))
    return readers


def check(readers: Iterable[RoundReader], served: Sequence[Pools]) -> None:
    """Raise `AssertionError` if a reader reads, or calibrates its gate on, a document that it learned from."""
    for reader in readers:
        pools = [p for p in served if p.script == reader.script]
        to_read = {doc for p in pools for fold in reader.folds for doc, _ in p.fold(fold)}
        calibrating = {doc for p in pools for doc, _ in p.calibration}
        for doc in sorted(reader.learned_from & (to_read | calibrating)):
            raise AssertionError(f"{reader.name} learned from the document {doc}, which it is to read")


def write(folder: Folder, readers: Iterable[RoundReader]) -> None:
    documents = {reader.name: sorted(reader.learned_from) for reader in readers}
    folder.write(LEARNED_FROM, json.dumps(documents, indent=1).encode())


def read(folder: Folder) -> dict[str, Documents]:
    """The documents that the readers of the round in `folder` learned from, by the readers' names."""
    return {name: frozenset(documents) for name, documents in json.loads(folder.read(LEARNED_FROM)).items()}
