"""What a dataset holds, as sections of the report: its counts, what was dropped and why, and pages to look at."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlencode

from datagen.manifest import Tally
from datagen.record import VERDICTS, Drop, Sample
from recipes.report import Section, escape, render
from recipes.report.pages import Picked, Survey, pages_section, pick_pages, seeded
from recipes.report.verdicts import verdicts_section

TOP = 40
EXAMPLES = 5
# Room for what the caller adds to the file: its title and its facts.
MARGIN_BYTES = 32_000
# Examples of verdicts may take one in so many of the bytes; pages take what they leave.
VERDICTS_PART = 6


def corpus_sections(
    name: str,
    survey: Survey,
    drops: list[Drop],
    load: Callable[[dict], Sample],
    seed: int = 0,
    max_bytes: int = 24_000_000,
) -> list[Section]:
    """Counts, verdicts with examples, drops and a page viewer for the dataset called `name`.

    `load(row)` returns the sample of a row of its manifest. Which pages are shown follows from `seed` and the keys. A report of
    these sections alone stays within `max_bytes`: what the counts leave goes to pages. A row may carry `reasons`, a list; where
    rows don't, those of doubtful pages are read by `load`.
    """
    picked = pick_pages(survey, load, seed)
    counts = Section(f"{name}-counts", f"{name}: what it holds", _counts(name, survey.tally, drops, picked))
    dropped = Section(f"{name}-drops", f"{name}: what was dropped", _drops(drops, seed))
    verdicts = verdicts_section(name, survey, picked, load, seed, budget_bytes=0)
    empty = pages_section(name, survey.tally.num_samples, picked, load, budget_bytes=0)
    left = max_bytes - len(render(name, [], [counts, verdicts, dropped, empty])) - MARGIN_BYTES
    bare = len(verdicts.html.encode("utf-8", "replace"))
    verdicts = verdicts_section(name, survey, picked, load, seed, budget_bytes=left // VERDICTS_PART)
    left -= len(verdicts.html.encode("utf-8", "replace")) - bare
    return [counts, verdicts, dropped, pages_section(name, survey.tally.num_samples, picked, load, budget_bytes=left)]


def _counts(name: str, tally: Tally, drops: Sequence[Drop], picked: Picked) -> str:
    tasks = tally.by("task")
    tiles = [
        ("pages" if set(tasks) <= {"page"} else "samples", tally.num_samples),
        ("documents", tally.num_documents),
        ("languages", len(tally.by("lang"))),
        ("scripts", len(tally.by("script"))),
        ("characters", tally.num_chars),
        ("dropped", len(drops)),
    ]
    out = ['<ul class="tiles">']
    out += [f'<li title="{n:,} {label}"><b>{_short(n)}</b> {label}</li>' for label, n in tiles]
    out.append("</ul>")
    if not tally.num_samples:
        out.append('<p class="note">This dataset has no samples yet. The drops say what became of its inputs.</p>')
        return "".join(out)
    legend = "".join(f'<span><i class="{v}"></i>{v}</span>' for v in VERDICTS)
    out.append(f'<div class="charts"><p class="legend">Verdict on a page’s text: {legend}</p>')
    for field, title in (("lang", "Languages"), ("script", "Scripts")):
        out.append(_stacked(name, field, title, tally.by(field, "verdict")))
    verdicts = tally.by("verdict")
    out.append(_stacked(name, "verdict", "Verdicts", Counter({(v, v): n for v, n in verdicts.items()})))
    if len(tasks) > 1:
        out.append(_stacked(name, "task", "Tasks", tally.by("task", "verdict")))
    out.append(_reasons(name, picked))
    out.append("</div>")
    return "".join(out)


def _stacked(name: str, field: str, title: str, pairs: Counter) -> str:
    """A bar a value of `field`, longest first, each a link to its pages. `pairs` counts (value, verdict)."""
    totals: Counter = Counter()
    for (value, _), n in pairs.items():
        totals[value] += n
    ranked = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    bars = [_bar(name, field, v, [(w, pairs[v, w]) for w in VERDICTS if pairs[v, w]], ranked[0][1]) for v, _ in ranked]
    return _chart(title, f"{len(ranked):,}", bars)


def _reasons(name: str, picked: Picked) -> str:
    if not picked.num_probed:
        return _chart("Reasons of doubt", "0", [], "No page is in doubt.")
    ranked = sorted(picked.reasons.items(), key=lambda item: (-item[1], item[0]))
    bars = [_bar(name, "reason", reason, [("reason", n)], ranked[0][1]) for reason, n in ranked]
    whole = picked.num_probed == picked.num_doubtful
    of = f"{picked.num_probed:,}" if whole else f"a seeded {picked.num_probed:,} of {picked.num_doubtful:,}"
    return _chart("Reasons of doubt", f"{len(ranked):,}", bars, f"Counted on {of} pages that aren’t trusted.")


def _chart(title: str, count: str, bars: Sequence[str], note: str = "") -> str:
    more = ""
    if len(bars) > TOP:
        more = f"<details><summary>and {len(bars) - TOP:,} more</summary><ul>{''.join(bars[TOP:])}</ul></details>"
    note = f'<p class="note">{note}</p>' if note else ""
    return f'<div class="chart"><h3>{title} <small>{count}</small></h3>{note}<ul>{"".join(bars[:TOP])}</ul>{more}</div>'


def _bar(name: str, field: str, value: str, parts: Sequence[tuple[str, int]], longest: int) -> str:
    total = sum(n for _, n in parts)
    said = ", ".join(f"{n:,} {verdict}" for verdict, n in parts)
    # Parts are links to the viewer except where it has no such filter.
    href = "" if field == "task" else f' href="#{escape(urlencode({"v": name, field: value}, errors="replace"))}"'
    slices = "".join(f'<i class="{verdict}" style="flex-grow:{n}"></i>' for verdict, n in parts)
    return (
        f'<li><a{href} title="{escape(value)}: {said if field != "reason" else f"{total:,}"}">'
        f'<span class="value"><code>{escape(value, 60)}</code> <span data-{field}-name="{escape(value)}"></span></span>'
        f'<span class="track"><span class="bar" style="width:{100 * total / longest:.2f}%">{slices}</span></span>'
        f'<span class="num">{total:,}</span></a></li>'
    )


def _drops(drops: Sequence[Drop], seed: int) -> str:
    if not drops:
        return '<p class="note">Nothing was dropped: every input gave its pages.</p>'
    by_reason: dict[str, list[Drop]] = {}
    for drop in drops:
        by_reason.setdefault(drop.reason, []).append(drop)
    ranked = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    longest = len(ranked[0][1])
    out = ['<div class="drops">']
    for number, (reason, found) in enumerate(ranked):
        stages = ", ".join(escape(s) for s in sorted({d.stage for d in found}))
        out.append(
            f"<details{' open' if number < 4 else ''}><summary><code>{escape(reason)}</code>"
            f'<span class="track"><span class="bar" style="width:{100 * len(found) / longest:.2f}%">'
            f'<i class="drop" style="flex-grow:1"></i></span></span>'
            f'<span class="num">{len(found):,}</span></summary>'
            f"<p>in {stages}{f'; {EXAMPLES} of {len(found):,} shown' if len(found) > EXAMPLES else ''}</p><ul>"
        )
        out += [_example(drop) for drop in _spread(found, seed)]
        out.append("</ul></details>")
    return "".join([*out, "</div>"])


def _spread(drops: Iterable[Drop], seed: int) -> list[Drop]:
    """Up to `EXAMPLES` of `drops`, of different documents first. The same whatever their order."""
    ordered = sorted(drops, key=lambda d: (seeded(seed, f"{d.uri}#{d.page}"), d.key, d.detail))
    seen: Counter = Counter()
    turns: list[tuple[int, int, Drop]] = []
    for drop in ordered:
        turns.append((seen[drop.uri], len(turns), drop))
        seen[drop.uri] += 1
    return [drop for _, _, drop in sorted(turns, key=lambda t: t[:2])[:EXAMPLES]]


def _example(drop: Drop) -> str:
    page = f'<span class="page">{_place(drop)}</span>'
    detail = f"<q>{escape(drop.detail, 400)}</q>" if drop.detail else ""
    return f'<li>{page} <span class="uri" title="{escape(drop.uri, 2000)}">{escape(drop.uri, 160)}</span> {detail}</li>'


def _place(drop: Drop) -> str:
    """What of its document dropped."""
    if drop.page < 0:
        return "document"
    return f"page {drop.page + 1:,}" if drop.key else f"from page {drop.page + 1:,}"


def _short(n: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6)):
        if n >= 10 * size or (n >= size and unit == "G"):
            return f"{n / size:.1f} {unit}"
    return f"{n:,}"
