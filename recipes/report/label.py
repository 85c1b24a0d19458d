"""What a model was asked and what came of it: fates, speed, cost, and the pages that got no label, each beside its last
answer."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from datagen.asking.profiles import FATES, LABELLED
from datagen.labelling.reasons import FATES as SENTENCES
from datagen.record import Drop
from recipes.report import Section, asset, cut, fill
from recipes.report.pages import seeded, spread
from recipes.report.pictures import data_uri, decode

if TYPE_CHECKING:
    from recipes.steps.label import Sums

_SHOWN = 6  # dropped pages of a fate
_SIDE, _QUALITY = 560, 45
_ANSWER_CHARS = 1_600


def label_section(name: str, sums: "Sums", drops: Sequence[Drop], image: Callable[[Drop], bytes | None]) -> Section:
    """The section on labelling into the dataset `name`. `image` reads a dropped page again, None where that can't be done."""
    total = max(1, sums.num_pages)
    fates = [(fate, sums.tally.pages[fate], f"{sums.tally.pages[fate] / total:.2%}") for fate in FATES if sums.tally.pages[fate]]
    groups = []
    for fate in (fate for fate in FATES if fate != LABELLED):
        of_fate = [drop for drop in drops if drop.reason == fate]
        if of_fate:
            shown = spread(sorted(of_fate, key=lambda drop: seeded(0, drop.key)), lambda drop: drop.uri)[:_SHOWN]
            pages = [(drop, _page(image(drop)), _answer(drop)) for drop in shown]
            groups.append({"fate": fate, "sentence": SENTENCES[fate], "total": len(of_fate), "pages": pages})
    html = fill("label.html", facts=_facts(sums), fates=fates, groups=groups)
    return Section(f"{name}-asked", f"{name}: what the model was asked", html, asset("label.css"))


def _facts(sums: "Sums") -> list[tuple[str, str]]:
    tally, busy = sums.tally, max(1e-9, sums.busy_s)
    tries = ", ".join(f"{n:,} {fate}" for fate in FATES if (n := tally.tries[fate]))
    facts = [
        ("pages", f"{sums.num_pages:,}"),
        ("repetition rate", f"{sums.repetition_rate:.2%} of the first answers are loops"),
        ("speed", f"{sums.num_pages / busy:.2f} pages/s, {tally.tokens_written / busy:,.0f} tokens/s"),
        ("tokens", f"{tally.tokens_read:,} read, {tally.tokens_written:,} written"),
        ("answers", f"{tally.written:,} bought, {tally.found:,} from the ledger; by try: {tries or 'none'}"),
    ]
    if sums.price:
        million = sums.cost / max(1, sums.num_pages) * 1e6
        facts.append(("cost", f"{sums.cost:,.2f} so far, {million:,.0f} a million pages, at {sums.price:g} an hour of a server"))
    return facts


def _page(encoded: bytes | None) -> str:
    image = decode(encoded, _SIDE)
    return "" if image is None else data_uri(image, (_SIDE, _SIDE), _QUALITY)


def _answer(drop: Drop) -> str:
    return cut(drop.readings[0].text, _ANSWER_CHARS) if drop.readings else ""
