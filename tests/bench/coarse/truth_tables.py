"""The tables that `tests.bench.coarse.truth` prints: what is falsely trusted, what is refused, and which reason earns its
place."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datagen.coarse.verdict.ink_fonts import WITNESSES
from datagen.risk.bounds import interval
from recipes.verbs.tables import aligned
from tests.inputs.damage import KINDS

MAX_ERROR = 0.02
CONFIDENCE = 0.95
GOOD = "undamaged"
_NO_EVIDENCE = {"incomplete", "cover", "form"}  # what follows from others, and kinds of pages
MILD = ("doubled", "off_page", "spaces_dropped")  # what is wrong then may be what was wrong before


@dataclass(frozen=True)
class Page:
    """A page's verdict, its reasons and who of the ink's witnesses spoke against it, and the character error of its text, also
    with spaces left out of both."""

    script: str
    code: str
    family: str
    size_pt: int
    kind: str
    page: int
    error: float
    error_unspaced: float
    verdict: str
    reasons: tuple[str, ...]
    witnesses: tuple[str, ...] = ()

    @property
    def true(self) -> bool:
        return self.error <= MAX_ERROR

    @property
    def trusted(self) -> bool:
        return self.verdict == "trusted"


Document = Sequence[Page]


def damaged(document: Document) -> bool:
    return sum(not page.true for page in document) * 2 > len(document)


def falsely_trusted(document: Document) -> bool:
    return sum(page.trusted and not page.true for page in document) * 2 > len(document)


def caught_by(document: Document, reason: str) -> bool:
    """Whether the document would not be falsely trusted if this were the only reason, or witness, there is."""
    return sum(not page.true and reason not in (*page.reasons, *page.witnesses) for page in document) * 2 <= len(document)


def report(pages: Sequence[Page]) -> str:
    """The tables, and the headline last."""
    documents: dict[tuple[str, str, str], list[Page]] = defaultdict(list)
    for page in pages:
        documents[page.kind, page.code, page.family].append(page)
    good = [d for (kind, *_), d in documents.items() if kind == GOOD]
    faulty = {(d[0].code, d[0].family) for d in good if damaged(d)}
    tried = [d for (kind, *font), d in documents.items() if kind != GOOD and not (kind in MILD and tuple(font) in faulty)]
    hurt = [d for d in tried if damaged(d)]
    return "\n\n".join(
        (
            "Damaged documents that are falsely trusted, of all\n" + _by_damage(hurt),
            "Undamaged pages that are trusted, of the true ones\n" + _by_script(good),
            "What each reason would do without the others, and of `ink_disagrees` each witness: damaged documents that it\n"
            "catches; those that nothing else does; undamaged true pages that it refuses\n" + _by_reason(hurt, good),
            _headline(hurt, good),
        )
    )


def _by_damage(hurt: Sequence[Document]) -> str:
    kinds = [kind for kind in KINDS if any(d[0].kind == kind for d in hurt)]
    scripts = sorted({d[0].script for d in hurt})
    rows = [["", *kinds, "all"]]
    for script in (*scripts, "all"):
        cells = []
        for kind in (*kinds, "all"):
            cell = [d for d in hurt if script in (d[0].script, "all") and kind in (d[0].kind, "all")]
            cells.append(f"{sum(map(falsely_trusted, cell))}/{len(cell)}" if cell else "·")
        rows.append([script, *cells])
    counts = [[d for d in hurt if kind in (d[0].kind, "all")] for kind in (*kinds, "all")]
    bounds = [interval(sum(map(falsely_trusted, cell)), len(cell)) for cell in counts]
    rows.append([f"{CONFIDENCE:.0%}", *(f"{low:.0%}-{high:.1%}" for low, high in bounds)])
    return _table(rows)


def _by_script(good: Sequence[Document]) -> str:
    rows = [["", "trusted", f"{CONFIDENCE:.0%} interval", "not trusted because of"]]
    pages = [p for d in good for p in d]
    for script in (*sorted({p.script for p in pages}), "all"):
        mine = [p for p in pages if script in (p.script, "all")]
        true = [p for p in mine if p.true]
        k, n = sum(p.trusted for p in true), len(true)
        low, high = interval(k, n)
        because = _reasons(p for p in true if not p.trusted)
        rows.append([script, f"{k}/{n}", f"{low:.0%} to {high:.0%}", because])
    return _table(rows)


def _by_reason(hurt: Sequence[Document], good: Sequence[Document]) -> str:
    true = [p for d in good for p in d if p.true]
    rows = [["", "catches", f"{CONFIDENCE:.0%} interval", "alone", "refuses", f"{CONFIDENCE:.0%} interval"]]

    def row(name: str, caught: int, alone: int, refused: int) -> None:
        shares = [f"{low:.1%} to {high:.1%}" for low, high in (interval(caught, len(hurt)), interval(refused, len(true)))]
        rows.append([name, f"{caught}/{len(hurt)}", shares[0], str(alone), f"{refused}/{len(true)}", shares[1]])

    if not hurt or not true:
        return "nothing to compare"
    names = _evidence(hurt, good)
    caught = {name: {i for i, d in enumerate(hurt) if caught_by(d, name)} for name in names}
    for name in names:
        group = WITNESSES if name in WITNESSES else [other for other in names if other not in WITNESSES]
        others = set().union(*(caught[other] for other in group if other != name and other in caught))
        refused = sum(not p.trusted and name in (*p.reasons, *p.witnesses) for p in true)
        row(name, len(caught[name]), len(caught[name] - others), refused)
    row("all", sum(not falsely_trusted(d) for d in hurt), 0, sum(not p.trusted for p in true))
    return _table(rows)


def _evidence(*groups: Sequence[Document]) -> list[str]:
    """The reasons that anything was refused for, then the ink's witnesses."""
    pages = [p for documents in groups for d in documents for p in d if not p.trusted]
    reasons = {reason for p in pages for reason in p.reasons} - _NO_EVIDENCE
    return [*sorted(reasons), *(witness for witness in WITNESSES if any(witness in p.witnesses for p in pages))]


def _headline(hurt: Sequence[Document], good: Sequence[Document]) -> str:
    false = [d for d in hurt if falsely_trusted(d)]
    spaces = sum(statistics.median(p.error_unspaced for p in d) <= MAX_ERROR for d in false)
    wrong = [p for d in hurt for p in d if not p.true]
    trusted = sum(p.trusted for p in wrong)
    by_script: dict[str, list[bool]] = defaultdict(list)
    for page in (p for d in good for p in d if p.true):
        by_script[page.script].append(page.trusted)
    least = min(by_script, key=lambda script: (statistics.mean(by_script[script]), script), default="")
    share = f"{least} {statistics.mean(by_script[least]):.0%} of {len(by_script[least])} pages" if least else "none"
    return (
        f"By page: {trusted} of {len(wrong)} falsely trusted ({_bound(trusted, len(wrong))}). "
        f"Of the falsely trusted documents {spaces} are right but for spaces.\n"
        f"{len(hurt)} damaged fonts over {len({d[0].script for d in hurt})} scripts, false trust {len(false)} "
        f"({_bound(len(false), len(hurt))}), lowest trusted share over scripts: {share}"
    )


def _bound(k: int, n: int) -> str:
    """A share with its two-sided interval, and the bound that it is under with the same confidence."""
    if not n:
        return "none"
    low, high = interval(k, n)
    upper = interval(k, n, 2 * (1 - CONFIDENCE))[1]
    return f"{k / n:.1%}, {CONFIDENCE:.0%} interval {low:.1%} to {high:.1%}, one-sided upper bound {upper:.2%}"


def _reasons(pages: Iterable[Page]) -> str:
    counts = Counter(reason for page in pages for reason in page.reasons)
    return ", ".join(f"{reason} {n}" for reason, n in counts.most_common())


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(aligned(rows))
