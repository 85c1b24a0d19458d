"""How often trusted pages are wrong, by the pages that were judged: risk against yield, with intervals."""

from collections.abc import Sequence

from markupsafe import Markup

from datagen.risk.bounds import NOBODY, interval
from datagen.risk.judged import KINDS, CurvePoint, curve, threshold
from recipes.report import Cell, Section, blocks, joined

_SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NAMES = {"pdf": "Pages with their file’s text", "image": "Pages that engines read"}
_NOTE = (
    "A vision model judged pages one by one, strictly, before any threshold was chosen. A row says what holds for those pages if "
    "pages are trusted from this structure_score on: the share that is trusted, and the share of documents with a trusted page "
    "that is wrong, with its 95% interval. Yours may be easier or harder."
)


def risk_section(name: str, num_trusted: int, num_pages: int, seconds: float, risk: Sequence[float], least: float) -> Section:
    """The section for a dataset of `num_pages` pages, made in so many `seconds`. `risk` is what was asked for, in text and
    structure; without it pages are trusted from the `structure_score` `least` on."""
    speed = f", {60 * num_trusted / seconds:,.1f} trusted pages a minute" if seconds else ""
    parts = [blocks.note(f"{num_trusted:,} of {num_pages:,} pages are trusted{speed}. {_asked(risk, least)}"), blocks.note(_NOTE)]
    for kind in KINDS:
        points = curve(kind, _SCORES)
        if any(point.num_documents for point in points):
            rows = [_row(point) for point in points if point.num_documents]
            head = ("from score", "trusted", "documents", "wrong in text", "", "wrong in structure", "")
            parts += [blocks.heading(_NAMES[kind]), blocks.table(head, rows)]
    return Section(f"{name}-risk", f"{name}: risk and yield", joined(*parts))


def _asked(risk: Sequence[float], least: float) -> str:
    if not risk:
        return f"No risk was asked for: pages are trusted from a structure_score of {least:g} on."
    sentence = f"Asked for: at most {risk[0]:.0%} wrong in text, at most {risk[1]:.0%} in structure."
    for kind in KINDS:
        found = threshold(kind, *risk)
        name = _NAMES[kind]
        sentence += f" {name}: {found.reason}." if found.confidence >= NOBODY else f" {name}: from {found.confidence:.3f} on."
    return sentence


def _row(point: CurvePoint) -> tuple[object, ...]:
    cells: list[object] = [
        Cell(f"{point.score:g}", "num"),
        Cell(f"{point.share:.1%}", "num"),
        Cell(f"{point.num_documents}", "num"),
    ]
    for wrong in (point.wrong_text, point.wrong_structure):
        cells += [*_rate(wrong, point.num_documents)]
    return tuple(cells)


def _rate(num_wrong: int, num_documents: int) -> tuple[Markup, Cell]:
    low, high = interval(num_wrong, num_documents)
    bar: Markup = blocks.rate("cer", num_wrong / num_documents, low, high, None)
    return bar, Cell(f"{num_wrong / num_documents:.0%}", "num", f"({100 * low:.0f} to {100 * high:.0f})")
