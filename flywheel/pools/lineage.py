"""Which readers a round has, what each learns from, and what it reads.

No reader reads a document that it, or a reader before it in its line, learned from.

    round 1      Cyrl ───────── learns from trusted lines, reads both folds
                  ├───────────┐
    round 2      Cyrl-a      Cyrl-b      learn from what round 1 accepted in the fold b, and in the fold a; each reads its own
                  │           │
    round 3      Cyrl-a      Cyrl-b

A script whose documents all lie in one fold, or of which nothing was accepted yet, needs no second reader. Lines that a person
corrected go the same way as accepted ones; what was corrected in a document that nobody reads, all readers learn. A script needs
two readers as soon as a line of a document that waits is corrected: one learns it, and the other reads the document.
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

    It starts from the reader `start` of the round before ("": from nothing), and reads the pages in `folds`. Beside trusted lines
    it learns what the round before accepted in the fold `learns` ("": nothing). `learned_from` are the documents of all that it,
    and the readers before it in its line, learned.
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
    """The readers of a script in a round.

    `accepted` are the documents in which the round before accepted lines of the script, and `before` maps that round's readers to
    what they learned from; both are empty in the first round. In the documents `gold` a person corrected lines of the script.
    """
    pools = [p for p in served if p.script == script]
    trusted = frozenset(doc for p in pools for doc, _ in p.train)
    waiting = {fold: frozenset(doc for p in pools for doc, _ in p.fold(fold)) for fold in FOLDS}
    all_waiting = frozenset().union(*waiting.values())
    taught = trusted | (gold - all_waiting)
    is_parted = any(f"{script}-{fold}" in before for fold in FOLDS)
    whole = script if script in before else ""
    if not is_parted and not (accepted and all(waiting.values())) and not gold & all_waiting:
        return [RoundReader(script, script, FOLDS, whole, "", taught | before.get(whole, frozenset()))]
    readers = []
    for fold, other in zip(FOLDS, reversed(FOLDS), strict=True):
        name = f"{script}-{fold}"
        start = name if name in before else whole
        learned_from = taught | ((accepted | gold) & waiting[other]) | before.get(start, frozenset())
        readers.append(RoundReader(name, script, (fold,), start, other, learned_from))
    return readers


def check(readers: Iterable[RoundReader], served: Sequence[Pools]) -> None:
    """No reader reads, or calibrates its gate on, a document that it learned from."""
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
    """What the readers of the round in `folder` learned from, by their names."""
    return {name: frozenset(documents) for name, documents in json.loads(folder.read(LEARNED_FROM)).items()}
