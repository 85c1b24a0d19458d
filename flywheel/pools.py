"""Which languages need a reader of their own, and which of their documents train it, test it, or wait to be read.

A seed parts a language's documents into three pools. Lines of the pool *train* teach the reader. The *held-out* documents never
do: one part of them calibrates the gate, the other tests. The *unlabelled* documents are read as images; their text layer serves
only to score the accepted lines.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from datagen import manifest
from datagen.marks import excluded
from datagen.record import words_hold
from datagen.shards import read_records, read_reports
from datagen.storage import Folder

Place = tuple[str, int]
"""A page: its file's sha256 and its number. Two copies of a file are one document here, whatever they are called."""

POOLS = ("train", "calibration", "test", "unlabelled")
_GAP = 0.1  # of a document's pages, left out between pools that share it
_MIN_PAGES = 8  # of a document that is worth reading, or worth cutting into ranges


@dataclass(frozen=True)
class Language:
    """A language that the embedded reader can't read.

    `alphabet_share` is the share of its letters that are in that reader's alphabet. `documents` maps the sha256 of a document to
    its trusted pages, in order. `lines` maps it to the number of lines that these pages have.
    """

    lang: str
    script: str
    alphabet_share: float
    documents: dict[str, list[int]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pools:
    """A language's pages by pool. `not_served` says why the language gets no reader; "" if it gets one.

    `kind` says how the pages were parted. `documents`: pools are whole documents. `page_ranges`: some pools share a document, at
    a distance. `held_out_only`: no page trains, and the language's lines are read by its script's reader.
    """

    lang: str
    script: str
    alphabet_share: float
    kind: str
    not_served: str
    train: tuple[Place, ...] = ()
    calibration: tuple[Place, ...] = ()
    test: tuple[Place, ...] = ()
    unlabelled: tuple[Place, ...] = ()

    def summary(self) -> dict[str, Any]:
        """How the pools were made, and how many documents and pages each has: what metrics.json has of them."""
        pools: dict[str, tuple[Place, ...]] = {name: getattr(self, name) for name in POOLS}
        counts = {name: {"documents": len({d for d, _ in pool}), "pages": len(pool)} for name, pool in pools.items()}
        return {"kind": self.kind, **counts}


def survey(dataset: Folder, alphabet_share: Callable[[Mapping[str, int]], float], least: float) -> list[Language]:
    """The languages in `dataset` that have less than `least` of their letters in the embedded reader's alphabet, sorted.

    A document is of the language that most of its trusted lines are in. Its pages in other languages are left out, so that it
    can't train one language and test another.
    """
    letters: manifest.Letters = defaultdict(Counter)
    pages: dict[tuple[str, str], dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    alike, marked = excluded(dataset), []  # else a copy of what trains might test
    for part in manifest.parts(dataset, [report.shard for report in read_reports(dataset)]):
        for written, counts in manifest.letters(part).items():
            letters[written].update(counts)
        for row in part.to_pylist():
            if row["key"] in alike:
                marked.append(row)
            elif row["lang"] != "und" and row["num_chars"] and words_hold(row["verdict"], row["reasons"]):
                pages[row["lang"], row["script"]][row["sha256"]][row["page"]] = row["num_ltr_lines"]
    for sample in read_records(dataset, marked):  # a part counts the letters of all its samples
        letters[sample.lang, sample.script].subtract(c for c in sample.text if c.isalpha())
    letters = {written: +counts for written, counts in letters.items() if written[0] != "und" and counts.total()}
    of_document: dict[str, Counter] = defaultdict(Counter)
    for written, documents in pages.items():
        for doc, numbers in documents.items():
            of_document[doc][written] += sum(numbers.values())
    languages = []
    for lang in sorted({lang for lang, _ in letters}):
        script = max((w for w in letters if w[0] == lang), key=lambda w: letters[w].total())[1]
        share = alphabet_share(letters[lang, script])
        if share < least:
            documents = {
                doc: numbers
                for doc, numbers in sorted(pages[lang, script].items())
                if sum(numbers.values()) and max(of_document[doc], key=lambda w: (of_document[doc][w], w)) == (lang, script)
            }
            lines = {doc: sum(numbers.values()) for doc, numbers in documents.items()}
            languages.append(Language(lang, script, share, {doc: sorted(n) for doc, n in documents.items()}, lines))
    return languages


def assign(languages: Iterable[Language], seed: int, min_train_lines: int) -> list[Pools]:
    """The pools of each language. A language is served if its script has `min_train_lines` lines to train on."""
    languages = list(languages)
    parted = [_part(language, seed) for language in languages]
    lines: Counter = Counter()
    for language, pools in zip(languages, parted, strict=True):
        per_page = {d: language.lines[d] / len(language.documents[d]) for d in language.documents}
        lines[language.script] += round(sum(per_page[d] for d, _ in pools.train))
    return [_serve(pools, lines[pools.script], min_train_lines) for pools in parted]


def _serve(pools: Pools, num_lines: int, least: int) -> Pools:
    reason = ""
    if not pools.test:
        reason = "no document of its own has a trusted page with a left-to-right line"
    elif num_lines < least:
        reason = f"{num_lines} lines of {pools.script} to train on, at least {least} are needed"
    return Pools(**asdict(pools) | {"not_served": reason})


def _part(language: Language, seed: int) -> Pools:
    """The language's pools. The document with most lines always trains. The seed orders the others. A document with few pages is
    never in the pool to be read."""

    def drawn(doc: str) -> bytes:
        return hashlib.sha256(f"{seed}/{doc}".encode()).digest()

    docs = sorted(language.documents, key=lambda doc: (-language.lines[doc], doc))
    pages = {doc: [(doc, n) for n in language.documents[doc]] for doc in docs}
    biggest, others = docs[:1], sorted(docs[1:], key=drawn)
    train: list[Place] = []
    held_out: list[Place] = []
    unlabelled: list[Place] = []
    kind = "documents"
    if len(docs) >= 3:
        to_read = [doc for doc in others if len(pages[doc]) >= _MIN_PAGES][: max(1, len(docs) // 4)]
        others = [doc for doc in others if doc not in to_read]
        num_held_out = max(1, len(docs) // 5)
        unlabelled = [p for doc in to_read for p in pages[doc]]
        held_out = [p for doc in others[:num_held_out] for p in pages[doc]]
        train = [p for doc in [*biggest, *others[num_held_out:]] for p in pages[doc]]
    elif docs and len(pages[docs[0]]) >= _MIN_PAGES:
        kind = "page_ranges"
        if len(docs) == 2:
            held_out = pages[docs[1]]
            train, unlabelled = _ranges(pages[docs[0]], (0.7, 0.3))
        else:
            train, unlabelled, held_out = _ranges(pages[docs[0]], (0.5, 0.2, 0.3))
    else:
        kind = "held_out_only"
        held_out = [p for doc in docs for p in pages[doc]]
    calibration, test = ([], held_out) if kind == "held_out_only" else _halves(held_out)
    places = (tuple(train), tuple(calibration), tuple(test), tuple(unlabelled))
    return Pools(language.lang, language.script, round(language.alphabet_share, 4), kind, "", *places)


def _halves(held_out: list[Place]) -> tuple[list[Place], list[Place]]:
    """The pages that calibrate and those that test: whole documents if there are two, else halves of one. A single page tests."""
    docs = list(dict.fromkeys(doc for doc, _ in held_out))
    if len(docs) > 1:
        return [p for p in held_out if p[0] in docs[1::2]], [p for p in held_out if p[0] in docs[::2]]
    middle = len(held_out) // 2
    return held_out[:middle], held_out[middle:]


def _ranges(pages: list[Place], shares: tuple[float, ...]) -> list[list[Place]]:
    """`pages` cut at these shares, with a gap between the parts."""
    n, parts, start = len(pages), [], 0.0
    for i, share in enumerate(shares):
        stop = start + share * n
        gap = _GAP * n if i < len(shares) - 1 else 0.0
        parts.append(pages[round(start) : max(round(start) + 1, round(stop - gap))])
        start = stop
    return parts
