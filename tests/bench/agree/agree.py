"""Wrong labels among right ones: which are found, which right ones are touched, and whether what replaces a wrong one is right.

    python -m tests.bench.agree.agree [--seeds 114,115]

Typeset pages in ten scripts, with tables and formulas. Each has a label of which half of the blocks are wrong, in one of seven
ways. Two real readers and a simulated one, which shares most of the first one's errors, read them; formulas are read by two
simulated ones. What readers of one family are is measured on other seeds. Rules were made on the seeds 0 to 2 and 100 to 113."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein
from scipy.stats import binomtest

from datagen.agreement import families
from datagen.agreement.agree_page import DECISIONS, NO_REGION, Agreement
from datagen.agreement.blocks import Page
from datagen.agreement.formulas import same_formula
from datagen.agreement.spans import aligned_words
from datagen.agreement.words import exactly, words
from datagen.page.boxes import area, shared
from datagen.record import Region, Sample
from datagen.tables import cells
from tests.bench.agree.plant import KINDS, RIGHT, Item, planted
from tests.bench.agree.readers import FIRST, SECOND, SIMULATED, Read, formula_readers, read, simulated
from tests.bench.agree.typeset import SCRIPTS
from tests.bench.bars import at_least, at_most
from tests.bench.measuring import options

MEASURED_ON = (0, 1)
"""Seeds that tell which readers err alike."""
FOUND, TOUCHED, RIGHTLY = 0.9, 0.01, 0.98
LEFT, OPEN, CHANGED = "left", "open", "changed"


class Fate(NamedTuple):
    """What became of an item: it was left as it was, is open, or was changed; and whether that is right."""

    item: Item
    script: str
    what: str
    is_right: bool


def fates(one: Read, seed: int) -> Iterator[Fate]:
    """What becomes of the items of a page."""
    label, items = planted(one.known, seed)
    pages = [Page(FIRST, one.first), Page(SECOND, one.second), Page(SIMULATED, simulated(one.known, one.first, seed))]
    pages += _formula_pages(one, seed)
    agreed = Agreement(Page("label", label), pages).sample()
    entries = json.loads(agreed.metadata[DECISIONS])
    for item in items:
        what, is_right = _order(item, agreed, entries) if item.form == "order" else _block(item, agreed, entries)
        yield Fate(item, one.known.page.script, what, is_right)


def _formula_pages(one: Read, seed: int) -> list[Page]:
    made = []
    for name, formulas in formula_readers(one.known, seed).items():
        regions = tuple(replace(one.known.truth[n], text=text, by=name) for n, text in formulas.items())
        engines = {f"label {name}": "1"}
        sample = replace(one.first, regions=regions, stage="label", origin=replace(one.first.origin, engines=engines))
        made.append(Page(f"{name} formulas", sample))
    return made


def _block(item: Item, agreed: Sample, entries: Sequence[dict]) -> tuple[str, bool]:
    here = [region for region in agreed.regions if region.box == item.box]
    truth = item.truth
    if item.label is None and truth is not None:  # a paragraph that the label lacks
        here = [r for r in agreed.regions if shared(r.box, truth.box) > 0.5 * area(r.box)]
        true_words = exactly(truth.text, agreed.script)
        if not here:
            gone = [r["text"] for entry in entries if entry["region"] == NO_REGION for r in entry["readings"]]
            is_known = any(Levenshtein.normalized_similarity(exactly(text, agreed.script), true_words) > 0.5 for text in gone)
            return (OPEN, True) if is_known else (LEFT, False)
        return CHANGED, exactly(" ".join(region.text for region in here), agreed.script) == true_words
    if not here:
        return CHANGED, truth is None
    if any(region.is_unread for region in here):
        return OPEN, True
    assert item.label is not None
    if item.kind == "doubled" and item.label.text == (truth.text if truth else ""):
        return (LEFT, False) if len(here) > 1 else (CHANGED, same(here[0], truth, agreed.script))
    if same(here[0], item.label, agreed.script):
        return LEFT, item.kind == RIGHT
    return CHANGED, truth is not None and same(here[0], truth, agreed.script)


def same(one: Region, other: Region | None, script: str) -> bool:
    """Whether two regions have the same letters and digits, in the same cells; or draw the same formula."""
    if other is None:
        return False
    if one.format == "latex":
        return same_formula(one.text, other.text)
    if one.format == "html":
        a, b = cells.parse(one.text).cells, cells.parse(other.text).cells
        return [exactly(c.text, script) for c in a] == [exactly(c.text, script) for c in b]
    return exactly(one.text, script) == exactly(other.text, script)


def _order(item: Item, agreed: Sample, entries: Sequence[dict]) -> tuple[str, bool]:
    boxes = [region.box for region in agreed.regions]
    entry = next((e for e in entries if e["why"].startswith(("order", "two_read_it"))), {"outcome": ""})
    if item.box not in boxes or item.other not in boxes:
        return LEFT, item.kind == RIGHT
    # `item.box` is first in the truth.
    is_right = boxes.index(item.box) < boxes.index(item.other)
    if item.kind == RIGHT:
        return (LEFT, True) if is_right else (CHANGED, False)
    if is_right:
        return CHANGED, True
    return (OPEN, True) if entry["outcome"] == "unread" else (LEFT, False)


def shared_errors(reads: Sequence[tuple[int, Read]]) -> dict[frozenset[str], tuple[int, int]]:
    """For each two readers: of the words that one of them misreads, how many there are, and how many both misread alike."""
    counts: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for seed, one in reads:
        script = one.known.page.script
        truth = words("\n".join(r.text for r in one.known.truth if r.format == "markdown"), script)
        wrong: dict[str, dict[int, str]] = {}
        for sample in (one.first, one.second, simulated(one.known, one.first, seed)):
            name = families.voter(sample.regions[0].by if sample.regions else "", sample)
            wrong[name] = _errors(truth, sample, one, script)
        for a, b in itertools.combinations(sorted(wrong), 2):
            both = wrong[a].keys() & wrong[b].keys()
            counts[frozenset((a, b))]["either"] += len(wrong[a].keys() | wrong[b].keys())
            counts[frozenset((a, b))]["alike"] += sum(wrong[a][n] == wrong[b][n] for n in both)
    return {pair: (count["either"], count["alike"]) for pair, count in counts.items()}


def _errors(truth: Sequence, sample: Sample, one: Read, script: str) -> dict[int, str]:
    """The words of the truth that a reader has otherwise, with what it has."""
    units = []
    for region in one.known.truth:
        if region.format == "markdown":
            units += [
                r.text
                for r in sample.regions
                if shared(r.box, region.box) > 0.5 * min(area(r.box), area(region.box)) and r.format == "markdown"
            ]
    read_words = words("\n".join(units), script)
    owners = aligned_words(truth, read_words)
    place_of = {owner: n for n, owner in enumerate(owners) if owner is not None}
    errors = {}
    for n in range(len(truth)):
        if n in place_of:
            if read_words[place_of[n]].exactly != truth[n].exactly:
                errors[n] = read_words[place_of[n]].exactly
            continue
        before, behind = place_of.get(n - 1), place_of.get(n + 1)
        if before is not None and behind is not None and behind == before + 2:
            errors[n] = read_words[before + 1].exactly
    return errors


def interval(k: int, n: int) -> str:
    """A share with its 95% interval (Wilson)."""
    if not n:
        return "none"
    low, high = binomtest(k, n).proportion_ci(method="wilson")
    return f"{k} of {n}, {k / n:.1%} ({low:.1%} to {high:.1%})"


def table(found: Sequence[Fate], of: str) -> list[str]:
    """A line a kind of error, and one for what is right."""
    lines = [f"{of}"]
    for kind in (*KINDS, "all"):
        wrong = [fate for fate in found if fate.item.kind and kind in (fate.item.kind, "all")]
        if wrong:
            hits = [fate for fate in wrong if fate.what != LEFT]
            changed = [fate for fate in hits if fate.what == CHANGED]
            lines.append(
                f"  {kind:9} found {interval(len(hits), len(wrong)):40} left open {len(hits) - len(changed):4}  "
                f"replaced rightly {interval(sum(fate.is_right for fate in changed), len(changed))}"
            )
    right = [fate for fate in found if not fate.item.kind]
    touched = [fate for fate in right if fate.what != LEFT]
    opened = sum(fate.what == OPEN for fate in touched)
    lines.append(f"  right     touched {interval(len(touched), len(right))}, {opened} of them left open, the others changed")
    return lines


def bars(found: Sequence[Fate]) -> str:
    wrong, right = [f for f in found if f.item.kind], [f for f in found if not f.item.kind]
    hits, changed = [f for f in wrong if f.what != LEFT], [f for f in found if f.what == CHANGED]
    share = len(hits) / max(1, len(wrong))
    touched = sum(f.what != LEFT for f in right) / max(1, len(right))
    rightly = sum(f.is_right for f in changed) / max(1, len(changed))
    return (
        f"found {share:.1%} ({at_least(share, FOUND)}), right ones touched {touched:.1%} ({at_most(touched, TOUCHED)}), "
        f"of all changes right {rightly:.1%} ({at_least(rightly, RIGHTLY)})"
    )


def main() -> None:
    args = options(__doc__, seeds="114,115").parse_args()
    tuned = [(seed, read(seed, *of)) for seed in MEASURED_ON for of in SCRIPTS]
    for pair, (either, alike) in shared_errors(tuned).items():
        print(f"errors alike of {' and '.join(sorted(pair))}: {interval(alike, either)}")
    all_fates = [fate for seed in map(int, args.seeds.split(",")) for of in SCRIPTS for fate in fates(read(seed, *of), seed)]
    for form in ("text", "table", "formula", "order"):
        print("\n".join(table([f for f in all_fates if f.item.form == form], form)))
    print("\n".join(table(all_fates, "all")))
    print(bars(all_fates))
    for script, _ in SCRIPTS:
        print(f"{script}: {bars([f for f in all_fates if f.script == script])}")


if __name__ == "__main__":
    main()
