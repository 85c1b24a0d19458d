"""How often accepted regions are wrong, by the regions whose outcome is known: risk against yield, with intervals."""

from datagen.fine.verdict.judge_page import WeighLabels
from datagen.risk.bounds import NOBODY, design_effect, interval
from datagen.risk.region_outcomes import region_outcomes, threshold
from recipes.report import Cell, Section, blocks, joined

_SCORES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NOTE = (
    "These are regions of annotated pages with their file’s text, of repositories from which nothing was learned. A row says "
    "what holds for them if regions are accepted from this probability on: the share that is accepted, and the share of accepted "
    "ones with a wrong label, wrong lines or a wrong place in the order. The 95% interval allows for regions of one repository "
    "being alike. Yours may be easier or harder."
)


def risk_section(name: str, num_trusted: int, num_pages: int, seconds: float, stage: WeighLabels) -> Section:
    """The section for a dataset of `num_pages` pages, made in so many `seconds`, which `stage` weighed."""
    speed = f", {60 * num_trusted / seconds:,.1f} trusted pages a minute" if seconds else ""
    parts = [blocks.note(f"{num_trusted:,} of {num_pages:,} pages are trusted{speed}. {_asked(stage)}"), blocks.note(_NOTE)]
    head = ("from probability", "accepted", "regions", "wrong in structure", "")
    parts.append(blocks.table(head, [row for score in _SCORES if (row := _row(score))]))
    return Section(f"{name}-risk", f"{name}: risk and yield", joined(*parts))


def _asked(stage: WeighLabels) -> str:
    if not stage.risk:
        return f"No risk was asked for: whole pages are trusted from a structure_score of {stage.min_structure:g} on."
    chosen = threshold("pdf", stage.risk[1])
    of = f"{chosen.reason}." if chosen.confidence >= NOBODY else f"regions are accepted from {chosen.confidence:.3f} on."
    asked = f"Asked for: at most {stage.risk[1]:.0%} of accepted regions wrong in structure. Pages with their file’s text: {of}"
    return f"{asked} Pages that engines read are uncalibrated: no outcomes of theirs are known yet."


def _row(score: float) -> tuple[object, ...]:
    regions = [(s, right, page.document) for page in region_outcomes() if page.kind == "pdf" for s, right in page.regions]
    above = [(right, document) for s, right, document in regions if s >= score]
    if not above:
        return ()
    right = [right for right, _ in above]
    num_wrong, effect = right.count(False), design_effect([document for _, document in above], right)
    low, high = interval(num_wrong / effect, len(right) / effect)
    share = num_wrong / len(right)
    return (
        Cell(f"{score:g}", "num"),
        Cell(f"{len(right) / len(regions):.0%}", "num"),
        Cell(f"{len(right):,}", "num"),
        blocks.rate("cer", share, low, high, None),
        Cell(f"{share:.1%}", "num", f"({100 * low:.0f} to {100 * high:.0f})"),
    )
