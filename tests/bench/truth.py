"""How far a verdict on a text layer can be trusted: documents whose text is known, good and damaged, through the coarse recipe.

    python -m tests.bench.truth [--scripts Deva Latn] [--damages permuted] [--families 3] [--pages 4] [--each 6] [--seed 0]
                                [--workers 2] [--json FILE]

The Universal Declaration of Human Rights is typeset in many scripts and typefaces, a typeface a document, and damaged in the ways
of `tests/damage.py`: `--each` of them a typeface, in turn (0: all), so that a few typefaces of a script cover them. A page is
true if its text differs from the typeset one in at most `MAX_ERROR` of the characters, whatever was done to it: a damage that
extraction repairs is none. A document is damaged if more than half of its pages aren't true, and falsely trusted if more than
half of its pages are trusted and not true. What is wrong in an undamaged document, by its typesetter or in extraction, is counted
apart.
"""

import argparse
import contextlib
import itertools
import json
import math
import multiprocessing
import random
import re
import statistics
import sys
import tempfile
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from datagen.pipeline import Pipeline
from datagen.record import Drop, Quality
from datagen.stages.ink import WITNESSES
from datagen.stages.textlayer import JudgeTextLayer
from datagen.synth.typeset import Style, families, typeset
from recipes.coarse import coarse
from tests.bench.udhr import declaration
from tests.damage import KINDS, damage

MAX_ERROR = 0.02
CONFIDENCE = 0.95
SIZES_PT = (8, 14)
GOOD = "undamaged"
LIMIT = JudgeTextLayer().max_ink_lies_share
MILD = ("doubled", "off_page", "spaces_dropped")  # what is wrong then may be what was wrong before
_TEXTS = """
    Latn eng vie tur pol yor · Cyrl rus ukr srp_cyrl khk · Grek ell_monotonic ell_polytonic · Arab arb pes_1 urd uig_arab
    Deva hin mar nep · Hebr heb ydd · Ethi amh tir · Cans ike csw · Armn hye · Geor kat · Beng ben · Guru pan · Gujr guj
    Taml tam · Telu tel · Knda kan · Mlym mal · Sinh sin · Thai tha · Laoo lao · Khmr khm · Mymr mya · Tibt bod · Kore kor
    Hans cmn_hans · Hant cmn_hant · Jpan jpn · Cher chr_cased · Tfng zgh · Mong khk_mong · Thaa div · Syrc aii · Yiii iii
    Vaii vai · Adlm fuf_adlm · Java jav_java · Cakm ccp · Lana kkh_lana
"""
# Script to the declaration's texts in it.
LANGUAGES = {script: codes for script, *codes in (row.split() for row in re.split("[·\n]", _TEXTS.strip()))}


@dataclass(frozen=True)
class Task:
    """A typeface: a document in it, undamaged, and damaged in the first `num_kinds` of `kinds` that apply to it."""

    script: str
    code: str
    family: str
    size_pt: int
    kinds: tuple[str, ...]
    num_kinds: int
    pages: int
    seed: int


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


# Making and judging


def tasks(scripts: Sequence[str], kinds: Sequence[str], num_families: int, pages: int, each: int, seed: int) -> list[Task]:
    """Every script's typefaces; its languages take different ones where there are enough."""
    out: list[Task] = []
    for script in scripts:
        for i, code in enumerate(LANGUAGES[script]):
            text = declaration(code)
            found = families("\n".join(text.paragraphs), text.lang)
            if not found:
                print(f"{script} {code}: no installed typeface, left out", file=sys.stderr)
            for j in range(min(num_families, len(found))):
                family = found[(i * num_families + j) % len(found)]
                rng = random.Random(f"{seed}/{code}/{family}")
                first = len(out) * each % len(kinds)
                in_turn = (*kinds[first:], *kinds[:first])
                size_pt = rng.randint(*SIZES_PT)
                out.append(Task(script, code, family, size_pt, in_turn, each or len(kinds), pages, rng.getrandbits(32)))
    return out


def judge(task: Task) -> list[Page]:
    """The pages of a task's documents."""
    text = declaration(task.code)
    made = typeset(text.paragraphs, text.lang, Style(family=task.family, size_pt=task.size_pt), task.pages)
    truth = [page.text for page in made.pages]
    out: list[Page] = []
    with tempfile.TemporaryDirectory(prefix="pagewheel-truth-") as folder:
        for kind, pdf in itertools.islice(_documents(task, made.pdf), 1 + task.num_kinds):
            path = Path(folder) / f"{kind}.pdf"
            path.write_bytes(pdf)
            for number, quality, found in _verdicts(path, len(truth)):
                errors = error(found, truth[number]), error(_unspaced(found), _unspaced(truth[number]))
                against = tuple(w for w in WITNESSES if quality.signals.get(f"lies_by_{w}", 0.0) > LIMIT)
                what = task.script, task.code, task.family, task.size_pt, kind, number
                out.append(Page(*what, *errors, quality.verdict, quality.reasons, against))
    return out


def _documents(task: Task, pdf: bytes) -> Iterator[tuple[str, bytes]]:
    """The undamaged document, then what applies of the task's damages."""
    yield GOOD, pdf
    for kind in task.kinds:
        with contextlib.suppress(ValueError):
            yield kind, damage(pdf, kind, task.seed)


def _verdicts(path: Path, num_pages: int) -> Iterator[tuple[int, Quality, str]]:
    """Number, quality and text of each page; a dropped page is refused for the drop's reason."""
    pipeline = coarse(input=str(path)).steps[0]
    assert isinstance(pipeline, Pipeline)
    documents = tuple(pipeline.census.documents())
    for item in pipeline.process(documents, []):
        if not isinstance(item, Drop):
            yield item.origin.page, item.quality, item.text
        elif item.page >= 0:
            yield item.page, Quality("dropped", (item.reason,)), ""
        else:
            yield from ((number, Quality("dropped", (item.reason,)), "") for number in range(num_pages))


def error(text: str, truth: str) -> float:
    """Edits a character of `truth`, in NFC, with white space as single spaces."""
    text, truth = (" ".join(unicodedata.normalize("NFC", t).split()) for t in (text, truth))
    return Levenshtein.distance(text, truth) / max(1, len(truth))


def _unspaced(text: str) -> str:
    return "".join(text.split())


# Counting


def damaged(document: Document) -> bool:
    return sum(not page.true for page in document) * 2 > len(document)


def falsely_trusted(document: Document) -> bool:
    return sum(page.trusted and not page.true for page in document) * 2 > len(document)


def caught_by(document: Document, reason: str) -> bool:
    """Whether the document would not be falsely trusted if this were the only reason, or witness, there is."""
    return sum(not page.true and reason not in (*page.reasons, *page.witnesses) for page in document) * 2 <= len(document)


def interval(k: int, n: int) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a share of which `k` of `n` were seen."""

    def tail(p: float, counts: Iterable[int]) -> float:
        if p in (0.0, 1.0):
            return float((0 if p == 0.0 else n) in counts)
        ways = (math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) for i in counts)
        return sum(math.exp(w + i * math.log(p) + (n - i) * math.log1p(-p)) for w, i in zip(ways, counts, strict=True))

    def solve(rises: Callable[[float], float]) -> float:
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if rises(middle) < 0 else (low, middle)
        return (low + high) / 2

    miss = (1 - CONFIDENCE) / 2
    lower = solve(lambda p: tail(p, range(k, n + 1)) - miss) if k else 0.0
    upper = solve(lambda p: miss - tail(p, range(k + 1))) if k < n else 1.0
    return lower, upper


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
            "Damages that left the text true, or that extraction repaired: trusted documents, of all\n" + _left_true(tried),
            "Undamaged pages that are trusted, of the true ones and of those with faults of the typesetter or extraction\n"
            + _by_script(good),
            "What each reason would do without the others, and of `ink_disagrees` each witness: damaged documents that it\n"
            "catches; those that nothing else does; undamaged true pages that it refuses\n" + _by_reason(hurt, good),
            "Damaged documents that each would catch, of all, by damage\n" + _reason_by_damage(hurt),
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


def _left_true(tried: Sequence[Document]) -> str:
    rows = [["", "trusted", "not trusted because of"]]
    for kind in KINDS:
        cell = [d for d in tried if d[0].kind == kind and not damaged(d)]
        trusted = [d for d in cell if sum(p.trusted for p in d) * 2 > len(d)]
        if cell:
            rows.append([kind, f"{len(trusted)}/{len(cell)}", _reasons(p for d in cell for p in d if not p.trusted)])
    return _table(rows)


def _by_script(good: Sequence[Document]) -> str:
    rows = [["", "trusted", f"{CONFIDENCE:.0%} interval", "own faults", "their error", "not trusted because of"]]
    pages = [p for d in good for p in d]
    for script in (*sorted({p.script for p in pages}), "all"):
        mine = [p for p in pages if script in (p.script, "all")]
        true, false = [p for p in mine if p.true], [p for p in mine if not p.true]
        k, n = sum(p.trusted for p in true), len(true)
        low, high = interval(k, n) if n else (0.0, 1.0)
        faults = f"{sum(p.trusted for p in false)}/{len(false)}" if false else ""
        errors = f"{statistics.median(p.error for p in false):.1%}" if false else ""
        because = _reasons(p for p in true if not p.trusted)
        rows.append([script, f"{k}/{n}", f"{low:.0%} to {high:.0%}", faults, errors, because])
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


def _reason_by_damage(hurt: Sequence[Document]) -> str:
    kinds = [kind for kind in KINDS if any(d[0].kind == kind for d in hurt)]
    rows = [["", *kinds]]
    for name in _evidence(hurt):
        cells = [[d for d in hurt if d[0].kind == kind] for kind in kinds]
        rows.append([name, *(f"{n}/{len(cell)}" if (n := sum(caught_by(d, name) for d in cell)) else "·" for cell in cells)])
    return _table(rows)


def _evidence(*groups: Sequence[Document]) -> list[str]:
    """The reasons that anything was refused for, then the ink's witnesses."""
    pages = [p for documents in groups for d in documents for p in d if not p.trusted]
    reasons = {reason for p in pages for reason in p.reasons}
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
    return f"{k / n:.1%}, {CONFIDENCE:.0%} upper bound {interval(k, n)[1]:.1%}" if n else "none"


def _reasons(pages: Iterable[Page]) -> str:
    counts = Counter(reason for page in pages for reason in page.reasons)
    return ", ".join(f"{reason} {n}" for reason, n in counts.most_common())


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scripts", nargs="+", default=list(LANGUAGES), choices=list(LANGUAGES), metavar="SCRIPT")
    parser.add_argument("--damages", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="DAMAGE")
    parser.add_argument("--families", type=int, default=3)
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--each", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    started = time.monotonic()
    try:
        todo = tasks(args.scripts, args.damages, args.families, args.pages, args.each, args.seed)
    except ValueError as missing:  # no npm, no network
        sys.exit(str(missing))
    done: dict[int, list[Page]] = {}
    with ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(judge, task): i for i, task in enumerate(todo)}
        for future in as_completed(futures):
            i = futures[future]
            done[i] = future.result()
            seconds = time.monotonic() - started
            print(f"{len(done)}/{len(todo)} {todo[i].script} {todo[i].code} {todo[i].family}, {seconds:.0f} s", file=sys.stderr)
    pages = [page for i in sorted(done) for page in done[i]]
    print(report(pages))
    print(f"{len(pages)} pages, measured in {time.monotonic() - started:.0f} s")
    if args.json:
        args.json.write_text(json.dumps([asdict(page) | {"true": page.true} for page in pages], ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
