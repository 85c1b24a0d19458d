"""`make score`: predictions against a ground truth, as a table for people, and as JSON.

The words are files; what is measured, and how, is in datagen/score/.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from recipes.verbs.tables import aligned
from recipes.words.values import BENCHMARKS

_MOST_NAMED = 5  # pages in one line


def score(
    pred: Annotated[str, "DIR", "predictions: a folder of NAME.md, named as the pages' images, or a dataset: out/label/label"],
    gt: Annotated[
        str,
        "FILE",
        "the truth: OmniDocBench's JSON, olmOCR-bench's .jsonl, a dataset's folder; or omnidocbench:DIR, fox:DIR, olmocr:DIR",
    ],
    out: Annotated[str, "FILE", "a file for all scores, page by page, as JSON"] = "",
    cdm: Annotated[str, "DIR", "a clone of OmniDocBench's code: CDM by it, with TeX, for Overall as it is published"] = "",
    without: Annotated[str, "FILE", "what a benchmark has wrong: lines of a page's image, a tab and a block's number"] = "",
) -> str:
    """How good predictions are, pred=DIR, against a ground truth, gt=FILE: text, order, tables, formulas, boxes. A benchmark's
    name before its folder, as it is downloaded, gives its official figures beside corrected ones.

    Returns what there is to say, for people. Raises `ValueError`, one sentence, for what can't be read and where the two have no
    page in common."""
    if out and ("://" in out or Path(out).is_dir()):
        raise ValueError(f"out={out}: a file on a local disk is needed, such as scores.json")
    name, _, folder = gt.partition(":")
    is_benchmark = bool(folder) and name in BENCHMARKS
    if without and not is_benchmark:
        raise ValueError(f"without={without}: gt={gt} is no benchmark with rules of its own, such as omnidocbench:DIR")
    if cdm and name != "omnidocbench":
        raise ValueError(f"cdm={cdm}: only gt=omnidocbench:DIR has CDM")
    if is_benchmark:
        lines, everything = _official(pred, gt, without, cdm)
    else:
        lines, everything = _facts(pred, gt) if gt.endswith(".jsonl") else _pages(pred, gt)
    if out:
        path = Path(out).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"pred": pred, "gt": gt} | everything, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return "\n".join(lines)


def _official(pred: str, gt: str, without: str, cdm: str) -> tuple[list[str], dict[str, Any]]:
    from datagen.score import pages, scores
    from datagen.score.official import benchmarks
    from datagen.score.official.report import excluded

    name, _, folder = gt.partition(":")
    predicted = pages.predictions(pred)
    scored = benchmarks.BENCHMARKS[name].report(folder, predicted, excluded(without), **({"cdm": cdm} if cdm else {}))
    ails = scores.ails([page.markdown for page in predicted if page.names[0] not in set(scored.unused)])
    rows = (*scored.rows, *((measure, None, share, _explained(scores.MEASURES[measure])) for measure, share in ails.items()))
    figures = [(name, *("-" if value is None else f"{value:.4f}" for value in sides), what) for name, *sides, what in rows]
    lines = [f"{scored.rules}: {gt}, read by {pred}"]
    lines += [*aligned([("measure", "official", "corrected", "what"), *figures]), scored.differs, *scored.notes]
    lines += _named(scored.missing, "without a prediction: official, left out; corrected, counted as all wrong")
    lines += _named(scored.unused, "predicted, and not in the benchmark")
    both = {name: {"official": official, "corrected": corrected} for name, official, corrected, _ in rows}
    return lines, {"means": both, "pages": scored.of_pages, "missing": scored.missing, "unused": scored.unused}


def _pages(pred: str, gt: str) -> tuple[list[str], dict[str, Any]]:
    from datagen.score import pages, scores

    result = scores.score(pages.truths(gt), pages.predictions(pred))
    lines = [f"{len(result.of_pages)} pages of {gt}, read by {pred}; 95% intervals by bootstrap over pages"]
    rows = [
        (name, f"{mean.value:.3f}", f"{mean.low:.3f} to {mean.high:.3f}", f"{mean.num_pages}", _explained(scores.MEASURES[name]))
        for name, mean in result.means.items()
    ]
    lines += aligned([("measure", "mean", "interval", "pages", "what"), *rows])
    if result.has_boxes:
        per_label = [
            (label, f"{v['ap']:.3f}", f"{v['f1']:.3f}", f"{v['num_true']:.0f}", f"{v['num_predicted']:.0f}")
            for label, v in result.of_labels.items()
        ]
        lines += ["", *aligned([("label", "AP", "F1", "true", "predicted"), *per_label])]
    else:
        lines.append("layout isn't scored: plain Markdown has no boxes; a dataset has, and so has a grounded answer")
    if "formula_cdm" in result.means:
        lines.append("formula_cdm is our variant of CDM, drawn without TeX: near the published one, and no substitute for it")
    for name in ("page", "text"):
        worst = [(page, value) for page, value in scores.worst(result, name, _MOST_NAMED) if value > 0]
        if worst:
            lines.append(f"worst by {name}: " + ", ".join(f"{page} {value:.3f}" for page, value in worst))
    lines += _named(result.missing, "without a prediction, counted as all wrong")
    lines += _named(result.unused, "predicted, and not in the truth")
    if result.broken_tables:
        num = sum(result.broken_tables.values())
        lines.append(f"{num} predicted tables have no row with a cell, counted as 0: on {', '.join(result.broken_tables)}")
    if result.undrawn:
        num = sum(result.undrawn.values())
        lines.append(f"{num} true formulas can't be drawn, and have no CDM: on {', '.join(result.undrawn)}")
    return lines, result.to_dict()


def _facts(pred: str, gt: str) -> tuple[list[str], dict[str, Any]]:
    from datagen.score import facts, pages

    outcomes = facts.check(facts.facts(gt), pages.predictions(pred))
    shares = facts.shares(outcomes)
    lines = [f"{len(outcomes)} tests of {gt}, on what {pred} says; 95% intervals by bootstrap over pages"]
    count = {kind: sum(kind in ("all", outcome.fact.type) for outcome in outcomes) for kind in shares}
    rows = [(kind, f"{mean.value:.3f}", f"{mean.low:.3f} to {mean.high:.3f}", f"{count[kind]}") for kind, mean in shares.items()]
    lines += aligned([("test", "hold", "interval", "tests"), *rows])
    if "math" in shares:
        lines.append("math compares normalised LaTeX; gt=olmocr:DIR compares formulas as KaTeX draws them, as olmOCR-bench does")
    failed = [outcome for outcome in outcomes if not outcome.holds and not outcome.is_missing]
    lines += [f"{outcome.fact.id} ({outcome.fact.type}): {outcome.why}" for outcome in failed[:_MOST_NAMED]]
    if len(failed) > _MOST_NAMED:
        lines.append(f"and {len(failed) - _MOST_NAMED} more that don't hold: out=FILE.json has them all")
    missing = dict.fromkeys(f"{o.fact.pdf} {o.fact.page}" for o in outcomes if o.is_missing)
    lines += _named(tuple(missing), "without a prediction: none of their tests holds")
    everything = {
        "means": {kind: vars(mean) for kind, mean in shares.items()},
        "tests": [{"id": o.fact.id, "type": o.fact.type, "holds": o.holds, "why": o.why} for o in outcomes],
        "missing": list(missing),
    }
    return lines, everything


def _explained(measure: Any) -> str:
    return f"{measure.says}; of {measure.of}; {'less' if measure.less_is_better else 'more'} is better"


def _named(names: Sequence[str], what: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return [f"{len(names)} pages {what}: {', '.join(names[:_MOST_NAMED])}{more}"]
