"""All measures of predictions over pages, each with the interval of its mean: what `make score` prints.

A measure of a page is a total and a weight, and over pages it is the sum of totals over the sum of weights. So `text` is the mean
of pages, `teds` the mean of tables. The interval is a percentile bootstrap over pages, seeded: pages are drawn anew, with what
they hold.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy
from rapidfuzz.distance import Levenshtein
from scipy.stats import bootstrap

from datagen.asking.loops import is_loop
from datagen.markdown import bare_latex
from datagen.score import formulas, layout, parts, symbols, tables
from datagen.score.matching import Match, Truth, best
from datagen.score.pages import PredictedPage, TruePage, as_coarse, paired
from datagen.score.text import bare, normalised_distance, plain


class Measure(NamedTuple):
    """What a number says, of what it is the mean, and which way is better."""

    says: str
    of: str
    less_is_better: bool = False


MEASURES = {
    "page": Measure("edit distance of the page's whole text, in reading order", "pages", True),
    "text": Measure("edit distance of text, block by block (quick match)", "pages", True),
    "order": Measure("edit distance of the blocks' order", "pages", True),
    "teds": Measure("TEDS of tables", "tables"),
    "teds_s": Measure("TEDS of tables without their text", "tables"),
    "formula": Measure("edit distance of formulas' LaTeX", "pages", True),
    "formula_same": Measure("formulas whose LaTeX is the same", "formulas"),
    "formula_cdm": Measure("symbols of formulas that are the same as drawn: our variant of CDM", "formulas"),
    "loops": Measure("repetition rate: predictions that go round and round", "predicted pages", True),
    "cut": Measure("share truncated: predictions that end within a table, a formula, code or a mark", "predicted pages", True),
    "blank": Measure("share blank: predictions without a letter of pages that have text", "predicted pages with text", True),
    "layout_f1": Measure("F1 of boxes with their labels, IoU 0.5", "boxes"),
    "layout_map": Measure("mAP of boxes, IoU 0.5 to 0.95", "labels"),
}
SEED, NUM_DRAWS, CONFIDENCE = 0, 1000, 0.95

Values = dict[str, tuple[float, float]]
"""A page's total and weight, by measure; a measure that the page says nothing about is missing."""


@dataclass(frozen=True)
class Mean:
    """`low` and `high` bound the mean; they are `value` where a single page is no base for bounds. `num_pages` have a say."""

    value: float
    low: float
    high: float
    num_pages: int


@dataclass(frozen=True)
class Scores:
    """`of_pages` are in the truth's order. `of_labels`: average precision, F1, how many boxes are true and predicted. `missing`
    are pages without a prediction, `unused` predictions without a page; by page, `broken_tables` are tables without cells, and
    `undrawn` the truth's formulas that can't be drawn, and have no CDM."""

    means: Mapping[str, Mean]
    of_pages: Mapping[str, Values]
    of_labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    broken_tables: Mapping[str, int] = field(default_factory=dict)
    undrawn: Mapping[str, int] = field(default_factory=dict)
    has_boxes: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "means": {name: vars(mean) | MEASURES[name]._asdict() for name, mean in self.means.items()},
            "pages": {
                page: {name: total / weight for name, (total, weight) in values.items()} for page, values in self.of_pages.items()
            },
            "labels": self.of_labels,
            **{name: getattr(self, name) for name in ("missing", "unused", "broken_tables", "undrawn", "has_boxes")},
        }


def score(truth: Sequence[TruePage], predicted: Sequence[PredictedPage]) -> Scores:
    """How good the predictions are. A true page without one counts as wrong in all it holds. Raises `ValueError` if no prediction
    is of a true page."""
    chosen, unused = paired(truth, predicted)
    if not any(chosen):
        names = "no page"
        if truth and predicted:
            names = f"the truth has {truth[0].name}, the predictions have {predicted[0].names[0]}"
        raise ValueError(f"no prediction is of a page of the ground truth ({names}): name each STEM.md as the page's image")
    has_boxes = any(page is not None and page.placed is not None for page in chosen)
    of_pages: dict[str, Values] = {}
    boxes: list[tuple[tuple[layout.Placed, ...], tuple[layout.Placed, ...]]] = []
    broken: dict[str, int] = {}
    undrawn: dict[str, int] = {}
    for true, page in zip(truth, chosen, strict=True):
        values, num_broken = of_page(true, page.markdown if page else "")
        if page:
            values |= _of_answer(true, page.markdown)
        if num_broken:
            broken[true.name] = num_broken
        if "formula_same" in values and (num_undrawn := int(values["formula_same"][1] - values["formula_cdm"][1])):
            undrawn[true.name] = num_undrawn
        placed = (page.placed if page else None) or ()
        boxes.append((true.placed, as_coarse(placed) if true.coarse else placed))
        if has_boxes:
            counts = layout.counts(*boxes[-1]).values()
            values["layout_f1"] = (
                2.0 * sum(c.num_same for c in counts),
                float(sum(c.num_true + c.num_predicted for c in counts)),
            )
        of_pages[true.name] = {name: value for name, value in values.items() if value[1]}
    means = {name: mean(of) for name in MEASURES if (of := [v[name] for v in of_pages.values() if name in v])}
    of_labels: dict[str, dict[str, float]] = {}
    if has_boxes:
        means["layout_map"], of_labels = _detection(boxes)
    return Scores(
        {name: means[name] for name in MEASURES if name in means},
        of_pages,
        of_labels,
        tuple(true.name for true, page in zip(truth, chosen, strict=True) if page is None),
        tuple(page.names[0] for page in unused),
        broken,
        undrawn,
        has_boxes,
    )


def of_page(truth: TruePage, markdown: str) -> tuple[Values, int]:
    """The measures of a page's Markdown, boxes aside, and how many of its tables are none. What nobody asked for counts as wrong:
    a table as one that was read wrongly, text and formulas by their length. A page with a block that `is_wrong` has no `page`."""
    whole = parts.parts(markdown)
    values: Values = {}
    if not any(block.is_wrong for block in truth.blocks):
        values["page"] = (normalised_distance(true_text(truth), predicted_text(whole)), 1.0)
    true_tables = [block for block in truth.blocks if block.kind == parts.TABLE]
    read = [part.text for part in whole if part.kind == parts.TABLE]
    scored = tables.scores([block.text for block in true_tables], read)
    counted = [score for score, block in zip(scored, true_tables, strict=True) if not block.is_wrong]
    num_tables = float(len(counted) + max(0, len(read) - len(true_tables)))
    values["teds"] = (sum(score.teds for score in counted), num_tables)
    values["teds_s"] = (sum(score.structure for score in counted), num_tables)
    return values | _of_blocks(truth, whole), sum(score.is_broken for score in scored)


def true_text(truth: TruePage) -> str:
    """The page's text as it is compared: blocks that have a place in reading order, cells of tables among them, and no displayed
    formulas."""
    return "".join(bare(block.text) for block in truth.blocks if block.order is not None and block.kind != parts.FORMULA)


def predicted_text(whole: Sequence[parts.Part]) -> str:
    """The same of a prediction."""
    return "".join(bare(part.text) for part in whole if part.kind != parts.FORMULA)


def _of_answer(truth: TruePage, markdown: str) -> Values:
    """What ails a prediction as a whole."""
    cut = parts.breaks_off(markdown)
    values: Values = {"loops": (float(is_loop(markdown, cut)), 1.0), "cut": (float(cut), 1.0)}
    if any(map(str.isalnum, "".join(block.text for block in truth.blocks))):
        values["blank"] = (float(not any(map(str.isalnum, markdown))), 1.0)
    return values


def _of_blocks(truth: TruePage, whole: Sequence[parts.Part]) -> Values:
    # What has neither letters nor digits, such as a row of dashes, is nothing to compare.
    blocks = [block for block in truth.blocks if block.kind != parts.TABLE and _compared(block.kind, block.text)]
    truths = [Truth(_compared(block.kind, block.text), block.beside, whole=block.kind == parts.FORMULA) for block in blocks]
    grains = [
        [part for part in grain if part.kind != parts.TABLE and _compared(part.kind, part.text)]
        for grain in (whole, parts.finer(list(whole)))
    ]
    number, matched = best(truths, [[_compared(part.kind, part.text) for part in grain] for grain in grains])
    read = grains[number]
    taken = {part for match in matched for part in match.parts}
    invented = [part for place, part in enumerate(read) if place not in taken]
    matched = [match for match in matched if not any(blocks[block].is_wrong for block in match.blocks)]
    of_text = [match for match in matched if any(_is_text(blocks[block]) for block in match.blocks)]
    of_formulas = [match for match in matched if any(blocks[block].kind == parts.FORMULA for block in match.blocks)]
    values: Values = {}
    for name, kind, group in (("text", parts.TEXT, of_text), ("formula", parts.FORMULA, of_formulas)):
        num_invented = sum(len(_compared(kind, part.text)) for part in invented if part.kind == kind)
        length = num_invented + sum(match.length for match in group)
        if group or num_invented:
            values[name] = ((num_invented + sum(match.distance for match in group)) / max(1, length), 1.0)
    num_invented = sum(part.kind == parts.FORMULA for part in invented)
    if of_formulas or num_invented:
        values["formula_same"] = (
            float(sum(match.distance == 0 for match in of_formulas)),
            float(len(of_formulas) + num_invented),
        )
        alike = [
            symbols.cdm(_below([blocks[i].text for i in match.blocks]), _below([read[i].text for i in match.parts]))
            for match in of_formulas
        ]
        drawn = [value for value in alike if value is not None]
        values["formula_cdm"] = (sum(drawn), float(len(drawn) + num_invented))
    ordered = [block.order for block in blocks if _is_text(block) and not block.is_wrong and block.order is not None]
    if ordered:
        values["order"] = (_order_distance(ordered, blocks, of_text), 1.0)
    return values


def _compared(kind: str, text: str) -> str:
    return formulas.normalised(text) if kind == parts.FORMULA else plain(text)


def _below(formulas: Sequence[str]) -> str:
    """Formulas below each other as one."""
    return formulas[0] if len(formulas) == 1 else r" \\ ".join(map(bare_latex, formulas))


def _is_text(block: Any) -> bool:
    return block.kind == parts.TEXT and not block.beside


def _order_distance(ordered: Sequence[float], blocks: Sequence[Any], matches: Sequence[Match]) -> float:
    """The edit distance, over the longer one's length, of the blocks' order and the order in which their readings stand."""
    read = sorted((match for match in matches if match.parts), key=lambda match: match.parts[0])
    orders = [
        blocks[block].order
        for match in read
        for block in match.blocks
        if _is_text(blocks[block]) and blocks[block].order is not None
    ]
    return Levenshtein.normalized_distance(sorted(ordered), orders)


def _detection(
    boxes: Sequence[tuple[Sequence[layout.Placed], Sequence[layout.Placed]]],
) -> tuple[Mean, dict[str, dict[str, float]]]:
    detection = layout.Detection(boxes)
    precision = detection.average_precision(range(len(boxes)))
    per_label: dict[str, list[layout.Counts]] = {}
    for truth, predicted in boxes:
        for label, counts in layout.counts(truth, predicted).items():
            per_label.setdefault(label, []).append(counts)
    of_labels = {
        label: {
            "ap": precision.get(label, 0.0),
            "f1": layout.f1(counts),
            "num_true": float(sum(c.num_true for c in counts)),
            "num_predicted": float(sum(c.num_predicted for c in counts)),
        }
        for label, counts in sorted(per_label.items())
    }
    value = detection.mean(range(len(boxes)))
    low, high = interval(detection.mean, len(boxes), 200)
    return Mean(value, low, high, len(boxes)), of_labels


def mean(values: Sequence[tuple[float, float]]) -> Mean:
    """Of pages' totals and weights."""
    totals, weights = numpy.array(values).T
    low, high = interval(lambda pages: float(totals[pages].sum() / weights[pages].sum()), len(values))
    return Mean(float(totals.sum() / weights.sum()), low, high, len(values))


def interval(statistic: Callable[[Any], float], num_pages: int, num_draws: int = NUM_DRAWS) -> tuple[float, float]:
    """The percentile bootstrap interval, at `CONFIDENCE`, of a `statistic` of page numbers, drawn by `SEED`. One page alone gives
    the statistic itself, twice."""
    pages = numpy.arange(num_pages)
    if num_pages < 2:
        return statistic(pages), statistic(pages)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where all draws are equal, it says that there is no interval
        result = bootstrap(
            (pages,), statistic, vectorized=False, n_resamples=num_draws, confidence_level=CONFIDENCE, method="percentile",
            rng=numpy.random.default_rng(SEED),
        )  # fmt: skip
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def overall(means: Mapping[str, Mean]) -> float | None:
    """OmniDocBench's Overall, of 100, with our variant of CDM: the mean of text, TEDS and CDM. None where one of them is
    missing."""
    if not {"text", "teds", "formula_cdm"} <= means.keys():
        return None
    return 100 * (1 - means["text"].value + means["teds"].value + means["formula_cdm"].value) / 3


def worst(scores: Scores, name: str, most: int = 5) -> list[tuple[str, float]]:
    """The pages that are worst by a measure, and what they have."""
    values = {page: v[name][0] / v[name][1] for page, v in scores.of_pages.items() if name in v}
    ranked = sorted(values.items(), key=lambda item: item[1], reverse=MEASURES[name].less_is_better)
    return ranked[:most]
