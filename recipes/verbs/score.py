"""`make score`: predictions against a ground truth, as a table for people, and as JSON. The words are files; datagen/score/ has
the measures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from recipes.verbs.tables import aligned
from recipes.words.values import BENCHMARKS

if TYPE_CHECKING:
    from datagen.score.pages import PredictedPage
    from datagen.score.scores import Mean

_MOST_NAMED = 5  # pages in one line


def score(
    pred: Annotated[str, "DIR", "predictions: a folder of NAME.md, named as the pages' images, or a dataset: out/label/label"],
    gt: Annotated[
        str,
        "FILE",
        "the truth: OmniDocBench's JSON, olmOCR-bench's .jsonl, a dataset's folder; or omnidocbench:DIR, fox:DIR, olmocr:DIR",
    ],
    out: Annotated[str, "FILE", "a file for all scores, page by page, as JSON"] = "",
    official: Annotated[
        str, "DIR", "a clone of the benchmark's own code, which says its own figures, too; `installed`: the package olmocr"
    ] = "",
    without: Annotated[str, "FILE", "what a benchmark has wrong: lines of a page's image, a tab and a block's number"] = "",
) -> str:
    """How good predictions are, pred=DIR, against a ground truth, gt=FILE: text, order, tables, formulas, boxes. The truth may be
    a benchmark as it is downloaded, such as gt=omnidocbench:DIR; official=DIR adds the figures of the benchmark's own code.

    Returns a message for people. Raises `ValueError`, one sentence, for unreadable files and if the two have no page in common.
    """
    if out and ("://" in out or Path(out).is_dir()):
        raise ValueError(f"out={out}: a file on a local disk is needed, such as scores.json")
    name, _, folder = gt.partition(":")
    is_benchmark = bool(folder) and name in BENCHMARKS
    for word, value in (("without", without), ("official", official)):
        if value and not is_benchmark:
            raise ValueError(f"{word}={value}: gt={gt} is no benchmark, such as omnidocbench:DIR")
    scorer = _facts if gt.endswith(".jsonl") or (is_benchmark and name == "olmocr") else _pages
    lines, everything, chosen = scorer(pred, gt, without)
    if official:
        from datagen.score.official import figures

        by_its_code = figures(name, folder, official, chosen)
        rows = [(measure, f"{value:.4f}") for measure, value in by_its_code.values.items()]
        lines += ["", f"by the code in {official}:", *aligned([("measure", "value"), *rows]), *by_its_code.notes]
        everything["official"] = dict(by_its_code.values)
    if out:
        path = Path(out).expanduser()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"pred": pred, "gt": gt} | everything, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return "\n".join(lines)


def _pages(pred: str, gt: str, without: str) -> "tuple[list[str], dict[str, Any], Mapping[str, PredictedPage]]":
    """The lines, the file's content, and the prediction of each page that has one, by the name of its image."""
    from datagen.score import pages, scores
    from datagen.score.benchmarks import excluded

    wrong = excluded(without)
    truth, predicted = pages.truths(gt, wrong), pages.predictions(pred)
    result = scores.score(truth, predicted)
    chosen = {true.names[-1]: page for true, page in zip(truth, pages.paired(truth, predicted)[0], strict=True) if page}
    lines = [f"{len(result.of_pages)} pages of {gt}, read by {pred}; 95% intervals by bootstrap over pages"]
    rows = []
    for name, mean in result.means.items():
        measure = scores.MEASURES[name]
        better = "less" if measure.less_is_better else "more"
        rows.append((*_mean(name, mean), f"{measure.says}; of {measure.of}; {better} is better"))
    lines += aligned([("measure", "mean", "interval", "pages", "what"), *rows])
    if gt.startswith("omnidocbench:") and (overall := scores.overall(result.means)) is not None:
        lines.append(f"Overall {overall:.1f} of 100: the mean of text, teds and formula_cdm")
    if without:
        num, known = sum(map(len, wrong.values())), sum(block.is_wrong for true in truth for block in true.blocks)
        lines.append(f"{known} blocks of {num} in the list without= are of these pages, and don't count")
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
    for pages_of, what in (
        (result.broken_tables, "predicted tables have no row with a cell, counted as 0"),
        (result.undrawn, "true formulas can't be drawn, and have no CDM"),
    ):
        if pages_of:
            lines.append(f"{sum(pages_of.values())} {what}: on {', '.join(pages_of)}")
    return lines, result.to_dict(), chosen


def _facts(pred: str, gt: str, without: str) -> "tuple[list[str], dict[str, Any], Mapping[str, PredictedPage]]":
    """The same for olmOCR-bench's tests; for each PDF, with `#` and the page's number, the first reading."""
    from datagen.score import facts, pages
    from datagen.score.benchmarks import excluded

    predicted = pages.predictions(pred)
    tests = facts.facts(gt) if gt.endswith(".jsonl") else facts.benchmark(gt.partition(":")[2], excluded(without))
    of_page = facts.readings(tests, predicted)
    outcomes = facts.check(tests, predicted)
    shares = facts.shares(outcomes)
    chosen = {f"{pdf}#{number}": of[0] for (pdf, number), of in of_page.items()}
    used = {id(page) for of in of_page.values() for page in of}
    unused = [page.names[0] for page in predicted if id(page) not in used]
    lines = [f"{len(outcomes)} tests of {gt}, on what {pred} says; 95% intervals by bootstrap over pages"]
    lines += aligned([("test", "hold", "interval", "pages"), *(_mean(kind, mean) for kind, mean in shares.items())])
    if "math" in shares:
        lines.append(
            "math compares normalised LaTeX; olmOCR-bench's own code compares formulas as KaTeX draws them: official=DIR"
        )
    failed = [outcome for outcome in outcomes if not outcome.holds and not outcome.is_missing]
    lines += [f"{outcome.fact.id} ({outcome.fact.type}): {outcome.why}" for outcome in failed[:_MOST_NAMED]]
    if len(failed) > _MOST_NAMED:
        lines.append(f"and {len(failed) - _MOST_NAMED} more that don't hold: out=FILE.json has them all")
    missing = dict.fromkeys(f"{o.fact.pdf} {o.fact.page}" for o in outcomes if o.is_missing)
    lines += _named(tuple(missing), "without a prediction: none of their tests holds")
    lines += _named(unused, "predicted, and in no test")
    everything = {
        "means": {kind: vars(mean) for kind, mean in shares.items()},
        "tests": [{"id": o.fact.id, "type": o.fact.type, "holds": o.holds, "why": o.why} for o in outcomes],
        "missing": list(missing),
        "unused": unused,
    }
    return lines, everything, chosen


def _mean(name: str, mean: "Mean") -> tuple[str, ...]:
    return name, f"{mean.value:.3f}", f"{mean.low:.3f} to {mean.high:.3f}", f"{mean.num_pages}"


def _named(names: Sequence[str], what: str) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return [f"{len(names)} pages {what}: {', '.join(names[:_MOST_NAMED])}{more}"]
