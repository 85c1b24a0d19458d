"""Labelling in the report: the pages' outcomes, speed, cost, and the pages without a label, each beside the model's last
answer."""

from collections.abc import Callable, Sequence

from datagen.asking.profiles import FATES, LABELLED
from datagen.labelling.reasons import FATES as SENTENCES
from datagen.labelling.sums import Sums
from datagen.record import Drop
from recipes.report import Card, Cell, Section, blocks, cut, joined
from recipes.report.pages import seeded, spread
from recipes.report.pictures import data_uri, decode

_SHOWN = 6  # dropped pages of a fate
_SIDE, _QUALITY = 560, 45
_ANSWER_CHARS = 1_600


def label_section(name: str, sums: Sums, drops: Sequence[Drop], image: Callable[[Drop], bytes | None]) -> Section:
    """The section on labelling into the dataset `name`. `image` reads a dropped page again, None where that can't be done."""
    total = max(1, sums.num_pages)
    counts = [(Cell(fate, "code"), n, Cell(f"{n / total:.2%}", "num")) for fate in FATES if (n := sums.tally.pages[fate])]
    parts = [blocks.table((), _facts(sums)), blocks.table((), counts)]
    for fate in (fate for fate in FATES if fate != LABELLED):
        if of_fate := [drop for drop in drops if drop.reason == fate]:
            shown = spread(sorted(of_fate, key=lambda drop: seeded(0, drop.key)), lambda drop: drop.uri)[:_SHOWN]
            few = f" {len(shown)} are shown." if len(shown) < len(of_fate) else ""
            cards = [_card(drop, image(drop)) for drop in shown]
            parts += [blocks.heading(fate, f"{len(of_fate):,}"), blocks.note(f"{SENTENCES[fate]}{few}"), blocks.cards(cards)]
    return Section(f"{name}-asked", f"{name}: what the model was asked", joined(*parts))


def _facts(sums: Sums) -> list[tuple[str, str]]:
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


def _card(drop: Drop, encoded: bytes | None) -> Card:
    image = decode(encoded, _SIDE)
    place = f"page {drop.part.first + 1}" if drop.part else ""
    answers = [("the last answer", cut(reading.text, _ANSWER_CHARS)) for reading in drop.readings[:1] if reading.text]
    facts = (Cell(cut(drop.uri, 120), note=place), cut(drop.detail, 400))
    return Card(data_uri(image, (_SIDE, _SIDE), _QUALITY) if image else "", facts, answers)
