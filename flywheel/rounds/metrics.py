"""metrics.json of a round: the quality of its readers, their gates, and the share of right labels."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from datagen.disk import manifest
from datagen.disk.shards import ShardReport, read_records, read_reports
from datagen.disk.storage import Folder
from datagen.record import Sample
from datagen.risk import bounds
from flywheel.labels import error_rates, score_readings
from flywheel.labels.label_pages import Gates
from flywheel.lines.crops import Row
from flywheel.pools.pools import Pools
from flywheel.rounds.keep_rule import Verdict

_NOT_MEASURED = dict.fromkeys(("cer", "cer_low", "cer_high", "cluster_rate", "space_rate")) | {
    "num_chars": 0, "num_lines": 0, "num_exact": 0, "confusions": (),
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """The results of a round's readers on held-out pages.

    By language: the name of its `reader`, that reader's `errors`, and the character error rate of the `existing` reader on the
    same lines (`tesseract`, which it mostly is). By reader: its gate; `gates` is None if none was made. By language: the errors
    on `typeset` lines, and the existing reader's. The languages `alone` have only these. Those `on_gold` have lines that people
    typed, too.
    """

    reader: Mapping[str, str]
    errors: Mapping[str, error_rates.Errors]
    gates: Gates | None
    tesseract: Mapping[str, float | None]
    tesseract_typeset: Mapping[str, float | None] = field(default_factory=dict)
    typeset: Mapping[str, error_rates.Errors] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    existing: Mapping[str, str] = field(default_factory=dict)
    on_gold: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Which:
    """The round `number`, the round from which it comes (`comes_from`, "": nothing), and the verdict on it."""

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
    """The metrics of a round whose accepted lines are the dataset `labels`. `rows` are the rows of the pages with a text layer
    that it read in the dataset `pages`. Only here are their text layers used."""
    accepted = list(read_records(labels, manifest.rows(labels)))
    read = _read(accepted, read_reports(labels))
    keys = {row["key"] for row in rows}
    counts = score_readings.precision(read_records(pages, rows), (crop for crop in accepted if crop.origin.parent in keys))
    languages = {
        p.lang: _language(p, measured, left_out) | read.get(p.lang, _Read()).to_dict(counts.get(p.lang, (0, 0))) for p in pools
    }
    num_right, num_judged = (sum(count) for count in zip((0, 0), *counts.values(), strict=True))
    all_read = sum(read.values(), _Read())
    of_reader = measured.gates.of_reader if measured.gates else {}
    return {
        "round": which.number,
        "from": which.comes_from,
        "verdict": which.verdict.to_dict(),
        "readers": dict(weights),
        "gates": {name: of_gate.to_dict() for name, of_gate in of_reader.items()},
        "labels": all_read.counts((num_right, num_judged)),
        "languages": languages,
    }


@dataclass(frozen=True)
class _Read:
    """A round's readings in a language: accepted pieces and characters, and by reason the numbers of refused lines, or parts of
    lines, and characters."""

    num_accepted: int = 0
    chars_accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    chars_refused: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "_Read") -> "_Read":
        counts = self.rejected + other.rejected, self.chars_refused + other.chars_refused
        return _Read(self.num_accepted + other.num_accepted, self.chars_accepted + other.chars_accepted, *counts)

    def counts(self, judged: tuple[int, int]) -> dict[str, Any]:
        """The numbers of accepted pieces and characters. `judged`: the numbers of right ones, and of all, of the accepted pieces
        that a text layer judges."""
        chars = {"chars_read": self.chars_accepted + self.chars_refused.total(), "chars_accepted": self.chars_accepted}
        return bounds.share(*judged, "num_judged") | {"num_accepted": self.num_accepted} | chars

    def to_dict(self, judged: tuple[int, int]) -> dict[str, Any]:
        refused = {name: dict(sorted(getattr(self, name).items())) for name in ("rejected", "chars_refused")}
        return self.counts(judged) | refused


def _read(accepted: Iterable[Sample], reports: Iterable[ShardReport]) -> dict[str, _Read]:
    """A round's readings by language."""
    read: dict[str, _Read] = defaultdict(_Read)
    for crop in accepted:
        read[crop.lang] += _Read(1, len(crop.text))
    for drop in (drop for report in reports for drop in report.drops if drop.readings):
        (reading,) = drop.readings
        read[reading.lang].rejected[drop.reason] += 1
        read[reading.lang].chars_refused[drop.reason] += len(reading.text)
    return read


def _language(p: Pools, measured: Measured, left_out: Mapping[str, str]) -> dict[str, Any]:
    errors = measured.errors.get(p.lang)
    reader = measured.reader.get(p.lang, "")
    agreement = measured.gates.agreement.get(reader, {}) if measured.gates else {}
    return {
        "script": p.script,
        "alphabet_share": p.alphabet_share,
        "not_served": p.not_served or left_out.get(p.lang, ""),
        "reader": reader,
        "tested_on": _tested_on(p, measured) if errors else "",
        **(asdict(errors) if errors else _NOT_MEASURED),
        "agreement": agreement.get(p.lang),
        "existing_reader": measured.existing.get(p.lang, ""),
        "tesseract_cer": measured.tesseract.get(p.lang),
        "typeset": asdict(measured.typeset[p.lang]) if p.lang in measured.typeset else None,
        "tesseract_typeset_cer": measured.tesseract_typeset.get(p.lang),
        "existing_is_better": _is_better(measured.tesseract.get(p.lang), errors),
        "pools": p.summary(),
    }


def _tested_on(p: Pools, measured: Measured) -> str:
    return "gold" if p.lang in measured.on_gold else "typeset" if p.lang in measured.alone else "documents"


def _is_better(existing: float | None, errors: error_rates.Errors | None) -> bool:
    """Whether the existing reader's error rate is under the interval of ours."""
    return existing is not None and errors is not None and existing < errors.cer_low
