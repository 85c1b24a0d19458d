"""Verdicts on text layers, as a section of the report: for each reason a few seeded pages, the image beside what its text says.

Its styles are in `verdicts.css`.
"""

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from datagen.record import Sample
from recipes.report import Section, escape
from recipes.report.excerpts import (
    Excerpt,
    Weight,
    font_of_share,
    letters,
    marked,
    middle,
    mixed_words,
    picture,
    sheet,
    third_script,
    unseen,
)
from recipes.report.pages import Picked, Survey, seeded

EXAMPLES = 6
TRUSTED_A_SCRIPT = 2
MAX_EXAMPLES = 150
MAX_BYTES = 2_400_000
# An example's image; a whole page has room for two.
_IMAGE_BYTES = 20_000
# Long sides of whole pages, in pixels.
_SHEET_SIDE, _BLANK_SIDE = 560, 120


@dataclass(frozen=True)
class _Reason:
    """What a reason means, the signals that it rests on, and how a page shows it: whole, by the lines that `tells` finds the most
    characters in, by those of the font that has this share of the page's letters, or by those that weigh most."""

    says: str
    signals: tuple[str, ...] = ()
    whole: bool = False
    tells: Callable[[str], bool] | None = None
    font_share: Callable[[dict[str, float]], float] | None = None
    weight: Callable[[Sample], Weight] | None = None


_PICTURE = _Reason(
    "Images cover the page: any text there is lies under or over a picture, as a scan’s hidden layer does.",
    ("image_share",),
    True,
)
REASONS = {
    "ink_disagrees": _Reason(
        "The text of some fonts isn’t what they show: copied or extracted, it reads as other letters.",
        (
            *("ink_lies_share", "lies_by_lineup", "lies_by_reader", "lies_by_words", "lies_by_letters"),
            *("ink_checked_share", "lineup_margin", "reader_error"),
        ),
        font_share=lambda s: s.get("ink_lies_share", 1.0),
    ),
    "ink_unchecked": _Reason(
        "Too much of the page is in fonts of which it can’t be told whether their text is what they show.",
        ("ink_checked_share", "lineup_margin", "reader_error"),
        font_share=lambda s: 1.0 - s.get("ink_checked_share", 0.0),
    ),
    "spaces_unchecked": _Reason(
        "The text lacked spaces; they were put where gaps are, and nobody here reads the script to tell whether that is right.",
        ("spaces_added_share",),
    ),
    "ink_without_text": _Reason(
        "There is writing on the page over which no text lies.", ("ink_recall", "uncovered_ink", "image_share"), True
    ),
    "incomplete": _Reason(
        "The text is true as far as it goes, but it isn’t all that the page says.", ("ink_recall", "uncovered_ink"), True
    ),
    "formula_in_text": _Reason(
        "The page has formulas, and the order and levels of their signs are lost in its text.",
        ("math_share",),
        tells=lambda c: unicodedata.category(c) == "Sm" or 0x1D400 <= ord(c) <= 0x1D7FF,
    ),
    "unmapped_characters": _Reason(
        "The file doesn’t say which characters some of its glyphs are.", ("unmapped_share",), tells=lambda c: c == "\ufffd"
    ),
    "few_unmapped": _Reason(
        "The file doesn’t say which characters a few of its glyphs are; lines without these are good.",
        ("unmapped_share",),
        tells=lambda c: c == "\ufffd",
    ),
    "private_use": _Reason(
        "Some characters are private ones, which mean nothing outside their font.",
        ("private_use_share",),
        tells=lambda c: unicodedata.category(c) == "Co",
    ),
    "control_characters": _Reason(
        "There are control characters where letters should be.",
        ("control_share",),
        tells=lambda c: unicodedata.category(c) == "Cc",
    ),
    "silent_characters": _Reason("Soft hyphens stand where letters are drawn: the text lacks these letters.", ("silent_share",)),
    "presentation_forms": _Reason(
        "The text holds the shapes of Arabic letters in place of the letters.",
        ("presentation_share",),
        tells=lambda c: "\ufb50" <= c <= "\ufdff" or "\ufe70" <= c <= "\ufefc",
    ),
    "hidden_text": _Reason("Some of the text isn’t visible on the page.", ("hidden_share",), weight=unseen),
    "mixed_scripts": _Reason("Beside Latin the letters are of more than one script.", ("script_share", "lang_score")),
    "mixed_words": _Reason(
        "There are words with letters of two scripts that aren’t written together, as garbled text has.",
        ("script_share", "lang_score"),
        weight=lambda _: mixed_words,
    ),
    "unknown_language": _Reason(
        "There are letters enough to name the language, and it is none that the identifier knows.", ("lang_score", "script_share")
    ),
    "picture_page": _PICTURE,
    "blank": _Reason("The page has one colour and no text.", ("uncovered_ink",), True),
    "no_text": _Reason("The page shows something, but the file has no text for it.", ("image_share", "uncovered_ink"), True),
    "form": _Reason("The page has fields to fill in.", ("num_fields",), True),
    "cover": _Reason("A document’s first page, with little on it.", (), True),
    "": _Reason("The page isn’t trusted, and no reason is given."),
}
_TRUSTED = _Reason(
    "Nothing speaks against the text: it should be what the image shows, letter for letter. Two pages a script.",
    ("lang_score", "ink_checked_share", "ink_lies_share", "lineup_margin", "reader_error", "ink_recall"),
)
_OTHER = _Reason("")


@dataclass(frozen=True)
class _Group:
    """`num` pages of the same reasons, none for trusted ones; `rows` of those that were looked at."""

    reasons: tuple[str, ...]
    num: int
    rows: Sequence[dict]
    shown: Sequence[dict]


def verdicts_section(
    name: str, survey: Survey, picked: Picked, load: Callable[[dict], Sample], seed: int, budget_bytes: int
) -> Section:
    """The reasons of doubt, commonest first, then trusted pages by script, with as many examples as `budget_bytes` hold."""
    groups = [*_doubted(picked, seed), *_trusted(survey, seed)]
    in_viewer = {row["key"] for row in picked.rows}
    turns = sorted((turn, at) for at, group in enumerate(groups) for turn in range(len(group.shown)))
    examples: dict[int, list[str]] = defaultdict(list)
    left = min(budget_bytes, MAX_BYTES)
    for turn, at in turns[:MAX_EXAMPLES] if left > 0 else ():
        row = groups[at].shown[turn]
        html = _example(name, load(row), groups[at].reasons, row["key"] in in_viewer)
        if (size := len(html.encode("utf-8", "replace"))) > left:
            break
        left -= size
        examples[at].append(html)
    return Section(f"{name}-verdicts", f"{name}: verdicts on text layers", _html(name, picked, groups, examples))


def _doubted(picked: Picked, seed: int) -> list[_Group]:
    by_reason: dict[str, list[dict]] = defaultdict(list)
    for row, reasons in picked.doubts:
        for reason in dict.fromkeys(reasons or ("",)):
            by_reason[reason].append(row)
    # Reasons that always come together are told together.
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for reason, found in by_reason.items():
        together[tuple(row["key"] for row in found)].append(reason)
    used: Counter[str] = Counter()
    groups = []
    for names in sorted(together.values(), key=lambda names: (len(by_reason[names[0]]), names)):
        found = by_reason[names[0]]
        shown = _spread(found, EXAMPLES, seed, used)
        used.update(row["key"] for row in shown)
        groups.append(_Group(tuple(names), len(found), found, shown))
    return sorted(groups, key=lambda group: (-group.num, group.reasons))


def _trusted(survey: Survey, seed: int) -> list[_Group]:
    by_script: dict[str, list[dict]] = defaultdict(list)
    for row in survey.rows:
        if row["verdict"] == "trusted":
            by_script[row["script"]].append(row)
    counts = survey.tally.by("script", "verdict")
    ranked = sorted(by_script, key=lambda script: (-counts[script, "trusted"], script))
    return [
        _Group((), counts[script, "trusted"], found, _spread(found, TRUSTED_A_SCRIPT, seed, Counter()))
        for script, found in ((script, by_script[script]) for script in ranked)
    ]


def _spread(rows: Iterable[dict], most: int, seed: int, used: Counter[str]) -> list[dict]:
    """Up to `most` of `rows`, of different documents first, and of those not `used` yet. The same whatever their order."""
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int, dict]] = []
    for row in sorted(rows, key=lambda r: (used[r["key"]], seeded(seed, r["key"]), r["key"])):
        turns.append((seen[row["uri"]], len(turns), row))
        seen[row["uri"]] += 1
    return [row for _, _, row in sorted(turns, key=lambda turn: turn[:2])[:most]]


def _html(name: str, picked: Picked, groups: Sequence[_Group], examples: dict[int, list[str]]) -> str:
    if not groups:
        return '<p class="note">There is no page to judge.</p>'
    out = [
        '<p class="note">What each verdict rests on, with pages drawn by seed: the image beside what the text layer says for '
        "just these lines. Marked is what the reason is about; characters that don’t show stand as their code points.</p>"
        '<div class="verdicts">'
    ]
    if picked.num_probed < picked.num_doubtful:
        counted = f"Reasons are counted on a seeded {picked.num_probed:,} of {picked.num_doubtful:,} doubtful pages."
        out.append(f'<p class="note">{counted}</p>')
    doubted = [at for at, group in enumerate(groups) if group.reasons]
    longest = max((groups[at].num for at in doubted), default=1)
    for at in doubted:
        reasons, num = groups[at].reasons, groups[at].num
        names = " ".join(f"<code>{escape(reason or 'no reason', 60)}</code>" for reason in reasons)
        says = " ".join(REASONS.get(reason, _OTHER).says for reason in reasons).strip()
        shade = " Shaded is where the layer has text." if _whole(reasons) and "blank" not in reasons else ""
        link = f' <a href="{_viewer(name, reason=reasons[0])}">Such pages in the viewer</a>' if reasons[0] else ""
        out += [
            _summary(names, "reason", num, longest),
            f'<p class="note">{escape(says)}{shade}{link}</p>',
            f'<div class="examples{" sheets" if _whole(reasons) else ""}">{"".join(examples[at])}</div></details>',
        ]
    trusted = [at for at, group in enumerate(groups) if not group.reasons]
    num = sum(groups[at].num for at in trusted)
    if trusted:
        out += [_summary("<code>trusted</code>", "trusted", num, num), f'<p class="note">{_TRUSTED.says}</p>']
    for at in trusted:
        script = groups[at].rows[0]["script"]
        head = f'<code>{escape(script)}</code> <span data-script-name="{escape(script)}"></span>'
        out.append(f"<h4>{head} <small>{groups[at].num:,}</small></h4>")
        out.append(f'<div class="examples">{"".join(examples[at])}</div>')
    return "".join([*out, "</details>" if trusted else "", "</div>"])


def _summary(names: str, kind: str, num: int, longest: int) -> str:
    return (
        f'<details open><summary><span class="names">{names}</span><span class="track">'
        f'<span class="bar" style="width:{100 * num / longest:.2f}%"><i class="{kind}" style="flex-grow:1"></i></span></span>'
        f'<span class="num">{num:,} page{"" if num == 1 else "s"}</span></summary>'
    )


def _example(name: str, sample: Sample, reasons: Sequence[str], in_viewer: bool) -> str:
    found, tells = _excerpt(sample, reasons)
    origin, quality = sample.origin, sample.quality
    page = f"page {origin.page + 1:,}" if origin.page >= 0 else ""
    uri = f'<span class="uri" title="{escape(origin.uri, 2000)}">{escape(_file(origin.uri), 80)}</span>'
    where = f'<a href="{_viewer(name, key=sample.key)}">{uri} {page}</a>' if in_viewer else f"{uri} {page}"
    gone = tells is not None and not any(map(tells, sample.text))
    also = "".join(f" <code>{escape(r, 60)}</code>" for r in quality.reasons if r not in reasons)
    facts = [
        f'<span class="verdict {quality.verdict}">{quality.verdict}</span>' if reasons else "",
        where,
        f'<span><code>{escape(sample.lang, 40)}</code> <span data-lang-name="{escape(sample.lang, 40)}"></span></span>',
        *[f'<span class="num">{escape(key, 40)} {_number(quality.signals[key])}</span>' for key in _signals(sample, reasons)],
        "<small>none of them is left in the text</small>" if gone else "",
        f"<small>also{also}</small>" if also else "",
    ]
    alt = f"{'Page' if _whole(reasons) else 'Lines of page'} {origin.page + 1} of {_file(origin.uri)[-80:]}"
    image = picture(found.image, alt, _IMAGE_BYTES * (1 + _whole(reasons)))
    more = '<p class="note">…</p>' if found.cut else ""
    said = marked(found.lines, sample.lang, tells)
    pair = f'<div class="pair">{image}<div>{said}{more}</div></div>'
    return f"<article><header>{' '.join(filter(None, facts))}</header>{pair}</article>"


def _excerpt(sample: Sample, reasons: Sequence[str]) -> tuple[Excerpt, Callable[[str], bool] | None]:
    """What shows the first of the `reasons`, and which of its characters to mark."""
    if _whole(reasons):
        return sheet(sample, _BLANK_SIDE if reasons[0] == "blank" else _SHEET_SIDE), None
    reason = REASONS.get(reasons[0], _OTHER) if reasons else _TRUSTED
    by_letters = letters(sample)
    tells = third_script(sample) if "mixed_scripts" in reasons[:1] else reason.tells
    if tells is not None:
        is_telling = tells
        # A line's letters break ties, and choose where no line has what the signals counted.
        return middle(sample, lambda line: 1000.0 * sum(map(is_telling, line.text)) + by_letters(line)), tells
    weigh = reason.weight(sample) if reason.weight else by_letters
    if reason.font_share is not None:
        weigh = font_of_share(sample, reason.font_share(sample.quality.signals))
    return middle(sample, lambda line: 1000.0 * weigh(line) + by_letters(line)), None


def _whole(reasons: Sequence[str]) -> bool:
    return bool(reasons) and REASONS.get(reasons[0], _OTHER).whole


def _signals(sample: Sample, reasons: Sequence[str]) -> list[str]:
    """Those of the page's signals that the reasons rest on; a few of any, for a reason that isn't known here."""
    known = [REASONS.get(reason, _OTHER) for reason in reasons] or [_TRUSTED]
    wanted = list(dict.fromkeys(signal for reason in known for signal in reason.signals))
    signals = sample.quality.signals
    return [key for key in wanted if key in signals] if wanted else list(signals)[:5]


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)


def _file(uri: str) -> str:
    """A document's name with its folder's: in a corpus sorted by language, or by issue, that is part of it."""
    return "/".join(uri.rstrip("/").rsplit("/", 2)[-2:])


def _viewer(name: str, **state: str) -> str:
    return escape("#" + urlencode({"v": name, **state}, errors="replace"))
