"""A dataset in the report: its counts, its drops and their reasons, and pages to look at."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from datagen.record import VERDICTS, Drop, Sample
from recipes.report import Section, asset, fill, render
from recipes.report.pages import Survey, pages_section, seeded, spread
from recipes.report.reasons import DROPS, REASONS

TOP = 40
EXAMPLES = 5
# Room for the caller's additions to the file: its title and its facts.
MARGIN_BYTES = 32_000


def corpus_sections(
    name: str,
    survey: Survey,
    drops: Sequence[Drop],
    load: Callable[[dict], Sample],
    seed: int = 0,
    max_bytes: int = 24_000_000,
) -> list[Section]:
    """Counts, drops, and a page viewer for the dataset called `name`. `load(row)` returns the sample of a row of its manifest.
    The pages depend on `seed` and the keys. A report of only these sections stays within `max_bytes`: pages take the room that
    the rest leaves."""
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
        reasons = Counter({(reason, "reason"): number for reason, number in survey.reasons.items()})
        note = "A page can have several reasons." if reasons else "No page has a reason of doubt."
        charts = [
            _chart(name, "lang", "Languages", tally.by("lang", "verdict")),
            _chart(name, "script", "Scripts", tally.by("script", "verdict")),
            _chart(name, "verdict", "Verdicts", verdicts),
            *([_chart(name, "task", "Tasks", tally.by("task", "verdict"))] if len(tasks) > 1 else []),
            _chart(name, "reason", "Reasons of doubt", reasons, note),
        ]
    return fill("counts.html", figures=figures, charts=charts, verdicts=VERDICTS, top=TOP)


def _chart(name: str, field: str, title: str, counts: Counter, note: str = "") -> dict[str, Any]:
    """A bar for each value of `field`, the longest first. `counts` is by value and colour. A bar's link is a state of the viewer,
    "" if the viewer has no such filter."""
    bars: list[dict[str, Any]] = []
    for value in {value for value, _ in counts}:
        parts = [(colour, number) for colour in (*VERDICTS, "reason") if (number := counts[value, colour])]
        link = "" if field == "task" else urlencode({"v": name, field: value}, errors="replace")
        sentence = REASONS[value].sentence if field == "reason" else ""
        total = sum(number for _, number in parts)
        bars.append({"value": value, "parts": parts, "total": total, "link": link, "sentence": sentence})
    bars.sort(key=lambda bar: (-bar["total"], bar["value"]))
    return {"field": field, "title": title, "bars": bars, "note": note}


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
