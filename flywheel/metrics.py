"""metrics.json of a round: how well its readers read, where their gates stand, and how many of the labels are right."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from datagen import manifest
from datagen.shards import ShardReport, read_records, read_reports
from datagen.storage import Folder
from flywheel import gate, score
from flywheel.crops import Row
from flywheel.keep import Verdict
from flywheel.pools import Pools

_NOT_MEASURED = dict.fromkeys(("cer", "cer_low", "cer_high", "cluster_rate", "space_rate")) | {
    "num_chars": 0, "num_lines": 0, "num_exact": 0, "confusions": (),
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What a round's readers achieve on held-out pages.

    By language: the name of its `reader`, that reader's `errors`, and Tesseract's character error rate on the same lines. By
    reader: where its gate stands, and the languages of the lines that calibrated it. By language, the errors on
    `typeset` lines, and Tesseract's; those of the languages `alone` are their only ones.
    """

    reader: Mapping[str, str]
    errors: Mapping[str, gate.Errors]
    cutoffs: Mapping[str, gate.Cutoff]
    calibrated: Mapping[str, frozenset[str]]
    tesseract: Mapping[str, float | None]
    tesseract_typeset: Mapping[str, float | None] = field(default_factory=dict)
    typeset: Mapping[str, gate.Errors] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()

    def threshold(self, reader: str, lang: str) -> float:
        """The confidence that a reader's lines of a language need. Nobody passes in a language without a calibration line."""
        return self.cutoffs[reader].confidence if lang in self.calibrated[reader] else gate.NOBODY


@dataclass(frozen=True)
class Which:
    """The round `number`, which goes on from the round `comes_from` ("": from nothing), and the verdict on it."""

    number: int
    comes_from: str
    verdict: Verdict


def of_round(
    which: Which,
    pools: Sequence[Pools],
    weights: Mapping[str, str],
    measured: Measured,
    left_out: Mapping[str, str],
    pages: Folder,
    rows: Sequence[Row],
    labels: Folder,
) -> dict[str, Any]:
    """The metrics of a round whose accepted lines are the dataset `labels`.

    `rows` are the rows of the pages that it read in the dataset `pages`. Their text layers are looked at only here.
    """
    refused = _refused(read_reports(labels))
    counts = score.precision(read_records(pages, rows), read_records(labels, manifest.rows(labels)))
    languages = {p.lang: _language(p, measured, left_out, refused, counts.get(p.lang, (0, 0))) for p in pools}
    num_right, num_accepted = (sum(count) for count in zip((0, 0), *counts.values(), strict=True))
    return {
        "round": which.number,
        "from": which.comes_from,
        "verdict": which.verdict.to_dict(),
        "readers": dict(weights),
        "gates": {name: _gate(cutoff, measured.calibrated[name]) for name, cutoff in measured.cutoffs.items()},
        "labels": _share(num_right, num_accepted),
        "languages": languages,
    }


def _language(
    p: Pools, measured: Measured, left_out: Mapping[str, str], refused: Mapping[str, Counter[str]], counts: tuple[int, int]
) -> dict[str, Any]:
    errors = measured.errors.get(p.lang)
    return {
        "script": p.script,
        "alphabet_share": p.alphabet_share,
        "not_served": p.not_served or left_out.get(p.lang, ""),
        "reader": measured.reader.get(p.lang, ""),
        "tested_on": ("typeset" if p.lang in measured.alone else "documents") if errors else "",
        **(asdict(errors) if errors else _NOT_MEASURED),
        **_share(*counts),
        "rejected": dict(sorted(refused.get(p.lang, Counter()).items())),
        "tesseract_cer": measured.tesseract.get(p.lang),
        "typeset": asdict(measured.typeset[p.lang]) if p.lang in measured.typeset else None,
        "tesseract_typeset_cer": measured.tesseract_typeset.get(p.lang),
        "existing_is_better": _is_better(measured.tesseract.get(p.lang), errors),
        "pools": p.summary(),
    }


def _is_better(existing: float | None, errors: gate.Errors | None) -> bool:
    """Whether the existing reader's error rate is under the interval of ours."""
    return existing is not None and errors is not None and existing < errors.cer_low


def _gate(cutoff: gate.Cutoff, languages: frozenset[str]) -> dict[str, Any]:
    threshold = cutoff.confidence if cutoff.confidence <= 1 else None
    return {**asdict(cutoff), "confidence": threshold, "languages": sorted(languages)}


def _share(num_right: int, num_accepted: int) -> dict[str, Any]:
    """How many accepted lines are right by the hidden layer, with the 95% interval of the share; null if none was accepted."""
    low, high = gate.interval(num_right, num_accepted)
    share = {"precision": num_right / num_accepted, "precision_low": low, "precision_high": high} if num_accepted else {}
    shown = {name: round(share[name], 4) if share else None for name in ("precision", "precision_low", "precision_high")}
    return {"num_accepted": num_accepted, "num_right": num_right, **shown}


def _refused(reports: Iterable[ShardReport]) -> dict[str, Counter[str]]:
    """How many lines, and pages without a line, were refused for each reason, by language."""
    refused: dict[str, Counter[str]] = {}
    for drop in (drop for report in reports for drop in report.drops if drop.readings):
        refused.setdefault(drop.readings[0].lang, Counter())[drop.reason] += 1
    return refused
