"""The languages that need a reader, and the pools of their documents: documents that train, that test, or that wait to be read.

A seed splits a language's documents into three pools. Lines of the pool *train* teach the reader. *Held-out* documents teach
nothing: they test readers and calibrate gates. The documents that wait are read as images. Their text layer only scores accepted
lines. They lie in two *folds*. A reader that learns what was read in one fold reads only the other fold.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from datagen.disk import manifest
from datagen.disk.marks import excluded, is_marked
from datagen.disk.shards import read_records, read_reports
from datagen.disk.storage import Folder
from datagen.record import words_hold
from datagen.writing import scripts, vertical_lines

Place = tuple[str, int]
"""A page: its file's sha256 and its number. Two copies of a file are one document here, under any names."""

POOLS = ("train", "held_out", "fold_a", "fold_b")
PLACES = (*POOLS, "scans")
FOLDS = ("a", "b")
_WITH_HAN = frozenset("Hani Hans Hant Jpan Kore".split())
_GAP = 0.1  # the share of pages between the training pages and the test pages of one document that belong to neither
_MIN_PAGES = 8  # a document with fewer pages is never read, and never cut into ranges


@dataclass(frozen=True)
class Language:
    """A language that the embedded reader can't read. `alphabet_share` is the share of the language's letters that the embedded
    reader's alphabet has. `documents` maps the sha256 of a document to its trusted pages, in order. `lines` maps the sha256 to
    the number of lines on these pages. `scans` maps the sha256 of a document without a valid text layer to its pages."""

    lang: str
    script: str
    alphabet_share: float
    documents: dict[str, list[int]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    scans: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Scan:
    """A document without a valid text layer, and its `pages`. Its lines were read best in this language and script, and have
    these `letters`. A language that people named, by `lang=` or by lines with their text, `is_named`. Typed lines have no page to
    read."""

    lang: str
    script: str
    sha256: str
    letters: Mapping[str, int]
    pages: list[int]
    is_named: bool = False


@dataclass(frozen=True)
class Pools:
    """A language's pages by pool. `not_served` says why the language gets no reader; "" if it gets one.

    `kind` says how the pages were split. `documents`: pools are whole documents. `page_ranges`: the language has one document.
    Its first pages train, and its last pages are held out, with a gap between; no page waits or calibrates a gate.
    `held_out_only`: no page trains, and the reader of the language's script reads its lines. `scans`: no page has a valid text
    layer. `text`: there is no page.

    `scans` are the pages in the folds that have no valid text layer. Nothing scores their labels.

    `num_text_lines` lines are typeset to train on. Their text is in the frozen file with the sha256 `text` ("": none).
    """

    lang: str
    script: str
    alphabet_share: float
    kind: str
    not_served: str
    train: tuple[Place, ...] = ()
    held_out: tuple[Place, ...] = ()
    fold_a: tuple[Place, ...] = ()
    fold_b: tuple[Place, ...] = ()
    scans: tuple[Place, ...] = ()
    text: str = ""
    num_text_lines: int = 0

    @property
    def unlabelled(self) -> tuple[Place, ...]:
        """The pages of both folds."""
        return self.fold_a + self.fold_b

    @property
    def calibration(self) -> tuple[Place, ...]:
        """The held-out pages of documents that no reader learns from."""
        return () if self.kind == "page_ranges" else self.held_out

    def fold(self, name: str) -> tuple[Place, ...]:
        """The pages of the fold `name`, one of `FOLDS`."""
        return self.fold_a if name == "a" else self.fold_b

    def without(self, documents: frozenset[str]) -> "Pools":
        """The pools without the pages of these documents."""
        left: dict[str, Any] = {name: tuple(p for p in getattr(self, name) if p[0] not in documents) for name in PLACES}
        return replace(self, **left)

    def summary(self) -> dict[str, Any]:
        """The entry for metrics.json: the kind of split, each pool's numbers of documents and pages, and the number of text
        lines."""
        pools: dict[str, tuple[Place, ...]] = {name: getattr(self, name) for name in POOLS}
        counts = {name: {"documents": len({d for d, _ in pool}), "pages": len(pool)} for name, pool in pools.items()}
        return {"kind": self.kind, **counts, "text": {"lines": self.num_text_lines}}


def survey(
    dataset: Folder, alphabet_share: Callable[[Mapping[str, int]], float], least: float, scans: Iterable[Scan] = ()
) -> list[Language]:
    """The languages in `dataset` whose letters the embedded reader doesn't know: its alphabet has less than the share `least` of
    them. Letters of other scripts aren't counted. The languages are sorted. A document belongs to the language of most of its
    trusted lines. Its pages in other languages are left out, so no document trains one language and tests another. `scans` are
    documents of these languages, or of others."""
    letters: manifest.Letters = defaultdict(Counter)
    pages: dict[tuple[str, str], dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    alike, marked = excluded(dataset), []  # a marked copy of a page that trains must not test
    for part in manifest.parts(dataset, [report.shard for report in read_reports(dataset)]):
        for written, counts in manifest.letters(part).items():
            letters[written].update(counts)
        for row in part.to_pylist():
            if is_marked(row["key"], alike):
                marked.append(row)
            elif row["lang"] != "und" and row["num_chars"] and words_hold(row["verdict"], row["reasons"]):
                pages[row["lang"], row["script"]][row["sha256"]][row["page"]] = _num_readable(row)
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
        share = alphabet_share(_own_letters(letters[lang, script], script))
        if share < least:
            documents = {
                doc: numbers
                for doc, numbers in sorted(pages[lang, script].items())
                if sum(numbers.values()) and max(of_document[doc], key=lambda w: (of_document[doc][w], w)) == (lang, script)
            }
            lines = {doc: sum(numbers.values()) for doc, numbers in documents.items()}
            languages.append(Language(lang, script, share, {doc: sorted(n) for doc, n in documents.items()}, lines))
    return _with_scans(languages, scans, alphabet_share, least)


def _with_scans(
    languages: list[Language], scans: Iterable[Scan], alphabet_share: Callable[[Mapping[str, int]], float], least: float
) -> list[Language]:
    """The languages with the documents that have no valid text layer. The letters of a language without other documents are those
    that were read. A language that people named needs a reader whatever its letters: OCR misreads letters that it knows in an old
    type."""
    of_language: dict[tuple[str, str], list[Scan]] = defaultdict(list)
    for scan in scans:
        of_language[scan.lang, scan.script].append(scan)
    by_name = {language.lang: language for language in languages}
    for (lang, script), of_lang in sorted(of_language.items()):
        letters: Counter[str] = Counter()
        for scan in of_lang:
            letters.update(scan.letters)
        name = lang if lang not in by_name or by_name[lang].script == script else f"{lang}-{script}"
        language = by_name.get(name) or Language(name, script, alphabet_share(_own_letters(letters, script)))
        if language.alphabet_share < least or any(scan.is_named for scan in of_lang):
            by_name[name] = replace(language, scans={scan.sha256: sorted(scan.pages) for scan in of_lang})
    return [by_name[name] for name in sorted(by_name)]


@dataclass(frozen=True)
class TextLines:
    """Lines of a language to typeset: the `sha256` of their file, the number that train, and the number that test."""

    sha256: str
    num_train: int
    num_held_out: int


def _num_readable(row: dict[str, Any]) -> int:
    """How many lines of a page a reader can read. These are all lines if the script runs from right to left or in columns, else
    the lines that run from left to right."""
    return (
        row["num_lines"]
        if row["script"] in scripts.RTL | vertical_lines.TURNED | vertical_lines.UPRIGHT
        else row["num_ltr_lines"]
    )


def _own_letters(letters: Mapping[str, int], script: str) -> dict[str, int]:
    """The letters of the language's own script. Other letters, as on a typeface's specimen page, don't belong to the language's
    alphabet."""
    own = scripts.EAST_ASIAN if script in _WITH_HAN else (script,)
    return {letter: n for letter, n in letters.items() if scripts.script(letter) in own}


def assign(
    languages: Iterable[Language], seed: int, min_train_lines: int, texts: Mapping[str, TextLines] = MappingProxyType({})
) -> list[Pools]:
    """The pools of each language. A language is served if its script has `min_train_lines` lines to train on, and the language
    has lines to test on. Lines of `texts`, by language, count."""
    languages = list(languages)
    parted = [_part(language, seed) for language in languages]
    parted = [_with_text(pools, texts[pools.lang]) if pools.lang in texts else pools for pools in parted]
    lines: Counter = Counter()
    for language, pools in zip(languages, parted, strict=True):
        lines[language.script] += num_train_lines(language, pools) + pools.num_text_lines
    in_second = _second_folds(parted, seed)
    tested = frozenset(lang for lang, of_lang in texts.items() if of_lang.num_held_out)
    return [_serve(_folded(pools, in_second), lines[pools.script], min_train_lines, pools.lang in tested) for pools in parted]


def num_train_lines(language: Language, pools: Pools) -> int:
    """About how many lines of the language's documents train."""
    return round(sum(language.lines[doc] / len(language.documents[doc]) for doc, _ in pools.train))


def _with_text(pools: Pools, text: TextLines) -> Pools:
    is_alone = pools.kind != "scans" and not any(getattr(pools, name) for name in POOLS)
    return replace(pools, kind="text" if is_alone else pools.kind, text=text.sha256, num_text_lines=text.num_train)


def _second_folds(parted: Iterable[Pools], seed: int) -> frozenset[str]:
    """The documents of the second folds. The seed orders a script's documents that wait. Each goes into the fold that has fewer
    pages so far."""
    waiting: dict[str, Counter[str]] = defaultdict(Counter)
    for pools in parted:
        waiting[pools.script].update(doc for doc, _ in pools.unlabelled)
    second: set[str] = set()
    for num_pages in waiting.values():
        sizes = [0, 0]
        for doc in sorted(num_pages, key=lambda doc: _drawn(doc, seed)):
            fold = int(sizes[1] < sizes[0])
            sizes[fold] += num_pages[doc]
            if fold:
                second.add(doc)
    return frozenset(second)


def _folded(pools: Pools, in_second: frozenset[str]) -> Pools:
    """The pools, with pages that wait moved into their document's fold."""
    first, second = (tuple(p for p in pools.unlabelled if (p[0] in in_second) == is_second) for is_second in (False, True))
    return replace(pools, fold_a=first, fold_b=second)


def _serve(pools: Pools, num_lines: int, least: int, has_text_to_test: bool) -> Pools:
    reason = ""
    if not pools.held_out and not has_text_to_test:
        reason = "no document of its own has a trusted page with a line to read, and no text is there to test with"
    elif num_lines < least:
        reason = f"{num_lines} lines of {pools.script} to train on, at least {least} are needed"
    return replace(pools, not_served=reason)


def _drawn(doc: str, seed: int) -> bytes:
    """The document's sort key for a seed."""
    return hashlib.sha256(f"{seed}/{doc}".encode()).digest()


def _part(language: Language, seed: int) -> Pools:
    """The language's pools. All documents that wait are in the first fold yet. The document with most lines trains. The seed
    orders the other documents. A document with few pages is never read. If there are two documents, the one with more lines
    trains, and the other is held out."""
    docs = sorted(language.documents, key=lambda doc: (-language.lines[doc], doc))
    pages = {doc: [(doc, n) for n in language.documents[doc]] for doc in docs}
    others = sorted(docs[1:], key=lambda doc: _drawn(doc, seed))
    train: list[Place] = []
    to_read: list[str] = []
    kind = "documents"
    if len(docs) >= 3:
        to_read = [doc for doc in others if len(pages[doc]) >= _MIN_PAGES][: max(1, len(docs) // 4)]
        chosen = frozenset(to_read)
        others = [doc for doc in others if doc not in chosen]
        num_held_out = max(1, len(docs) // 5)
        held_out = [p for doc in others[:num_held_out] for p in pages[doc]]
        train = [p for doc in [docs[0], *others[num_held_out:]] for p in pages[doc]]
    elif len(docs) == 2 and len(pages[docs[0]]) >= _MIN_PAGES:
        train, held_out = pages[docs[0]], pages[docs[1]]
    elif docs and len(pages[docs[0]]) >= _MIN_PAGES:
        kind = "page_ranges"
        train, held_out = _ranges(pages[docs[0]])
    else:
        kind = "held_out_only"
        held_out = [p for doc in docs for p in pages[doc]]
    scans = tuple((doc, page) for doc, of_doc in sorted(language.scans.items()) for page in of_doc)
    waiting = (*(p for doc in to_read for p in pages[doc]), *scans)
    kind = "scans" if scans and not docs else kind
    share = round(language.alphabet_share, 4)
    return Pools(language.lang, language.script, share, kind, "", tuple(train), tuple(held_out), waiting, scans=scans)


def _ranges(pages: list[Place]) -> tuple[list[Place], list[Place]]:
    """The pages of a document's first half, which train, and of its second half, which are held out. Between them is a gap."""
    middle, gap = len(pages) / 2, _GAP * len(pages)
    return pages[: max(1, round(middle - gap))], pages[round(middle) :]
