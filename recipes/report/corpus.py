"""A dataset, as sections of the report: its counts, what was dropped and why, and pages to look at."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from markupsafe import Markup

from datagen.record import VERDICTS, Drop, Sample
from recipes.report import Section, asset, fill, render
from recipes.report.pages import Survey, pages_section, seeded, spread
from recipes.report.reasons import DROPS, REASONS

TOP = 40
EXAMPLES = 5
# Room for what the caller adds to the file: its title and its facts.
MARGIN_BYTES = 32_000


@dataclass(frozen=True)
class Bar:
    """`parts` are pairs of a colour and a number. `link` is the state that the viewer goes to, "" if it has no such filter."""

    value: str
    parts: Sequence[tuple[str, int]]
    summary: str
    link: str
    sentence: str = ""

    @property
    def total(self) -> int:
        return sum(number for _, number in self.parts)


@dataclass(frozen=True)
class Chart:
    """The counts of a field's values, largest first."""

    field: str
    title: str
    bars: Sequence[Bar]
    note: str = ""

    @property
    def longest(self) -> int:
        return self.bars[0].total


def corpus_sections(
    name: str,
    survey: Survey,
    drops: Sequence[Drop],
    load: Callable[[dict], Sample],
    seed: int = 0,
    max_bytes: int = 24_000_000,
) -> list[Section]:
    """Counts, drops, and a page viewer for the dataset called `name`.

    `load(row)` returns the sample of a row of its manifest. Which pages are shown follows from `seed` and the keys. A report of
    these sections alone stays within `max_bytes`: pages take what the rest leaves.
    """
    css = asset("corpus.css")
    sections = [
        Section(f"{name}-counts", f"{name}: counts", _counts(name, survey, len(drops)), css),
        Section(f"{name}-drops", f"{name}: what was dropped", fill("drops.html", groups=_groups(drops, seed)), css),
    ]
    without_pages = render(name, [], [*sections, pages_section(name, survey, load, seed, budget_bytes=0)])
    left = max_bytes - len(without_pages) - MARGIN_BYTES
    return [*sections, pages_section(name, survey, load, seed, budget_bytes=left)]


def _counts(name: str, survey: Survey, num_drops: int) -> Markup:
    tally = survey.tally
    tasks = tally.by("task")
    figures = [
        (_short(tally.num_samples), "pages" if set(tasks) <= {"page"} else "samples"),
        (_short(tally.num_documents), "documents"),
        (_short(len(tally.by("lang"))), "languages"),
        (_short(len(tally.by("script"))), "scripts"),
        (_short(tally.num_chars), "characters"),
        (_short(num_drops), "dropped"),
    ]
    charts = []
    if tally.num_samples:
        verdicts = Counter({(verdict, verdict): number for verdict, number in tally.by("verdict").items()})
        charts = [
            _by_verdict(name, "lang", "Languages", tally.by("lang", "verdict")),
            _by_verdict(name, "script", "Scripts", tally.by("script", "verdict")),
            _by_verdict(name, "verdict", "Verdicts", verdicts),
            *([_by_verdict(name, "task", "Tasks", tally.by("task", "verdict"))] if len(tasks) > 1 else []),
            _reasons(name, survey.reasons),
        ]
    return fill("counts.html", figures=figures, charts=charts, verdicts=VERDICTS, top=TOP)


def _by_verdict(name: str, field: str, title: str, counts: Counter) -> Chart:
    """A bar for each value of `field`; `counts` is by value and verdict."""
    bars = []
    for value in {value for value, _ in counts}:
        parts = [(verdict, counts[value, verdict]) for verdict in VERDICTS if counts[value, verdict]]
        summary = ", ".join(f"{number:,} {verdict}" for verdict, number in parts)
        bars.append(Bar(value, parts, summary, "" if field == "task" else _link(name, field, value)))
    return Chart(field, title, sorted(bars, key=lambda bar: (-bar.total, bar.value)))


def _reasons(name: str, counts: Counter[str]) -> Chart:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    bars = [
        Bar(reason, [("reason", number)], f"{number:,}", _link(name, "reason", reason), REASONS[reason].sentence)
        for reason, number in ranked
    ]
    note = "A page can have several reasons." if bars else "No page has a reason of doubt."
    return Chart("reason", "Reasons of doubt", bars, note)


def _link(name: str, field: str, value: str) -> str:
    return urlencode({"v": name, field: value}, errors="replace")


def _groups(drops: Sequence[Drop], seed: int) -> list[dict]:
    """The drops of each reason, commonest first: their number, the stages, and examples of different documents."""
    by_reason: dict[str, list[Drop]] = {}
    for drop in drops:
        by_reason.setdefault(drop.reason, []).append(drop)
    groups = []
    for reason, dropped in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        shuffled = sorted(dropped, key=lambda d: (seeded(seed, f"{d.uri}#{d.part}"), d.key, d.detail))
        examples = spread(shuffled, lambda drop: drop.uri)[:EXAMPLES]
        groups.append(
            {
                "reason": reason,
                "sentence": DROPS.get(reason, ""),
                "total": len(dropped),
                "stages": sorted({drop.stage for drop in dropped}),
                "drops": [(_place(drop), drop) for drop in examples],
            }
        )
    return groups


def _place(drop: Drop) -> str:
    """The part of its document that dropped."""
    if drop.part is None:
        return "document"
    first, stop = drop.part
    if stop == first + 1:
        return f"page {first + 1:,}"
    return f"pages {first + 1:,} to {stop:,}" if stop >= 0 else f"from page {first + 1:,}"


def _short(number: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6)):
        if number >= 10 * size or (number >= size and unit == "G"):
            return f"{number / size:.1f} {unit}"
    return f"{number:,}"
