"""The quality of the last round's readings: the reliability of its readers' confidence, their confusions, and the results of
audits.

Confidence is judged on the pieces that calibrated the gates, from the round's file; characters on held-out lines.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup

from datagen.disk.storage import Folder
from datagen.risk import bounds
from flywheel.labels import calibrated_scores
from flywheel.step import CALIBRATION
from recipes.report import Cell, Section, blocks, joined
from recipes.verbs.rounds import other_rates

_FEWEST = 20  # pieces for a meaningful share
_DOTS = 8  # at most, on a curve of reliability
_LEAST_PRECISION = 0.8  # at the foot of a curve of precision
_PRECISIONS = (0.99, 0.97, 0.95)  # the table has the share of characters that pass at each
_WIDTH, _HEIGHT = 190, 110
_CONFIDENCE = (
    "Pieces of lines on pages that no reader learned from, by their text layer. They calibrated the gates. Left: the share of "
    "pieces that is right, by confidence, with its 95% interval. Each dot is as many pieces; on the dashed line confidence would "
    "say the share exactly. Middle: the same by the score that a label gets for its confidence, which the other pieces say (each "
    "fifth of the pieces by the other four). Right: the share of the characters that a gate lets through as its cutoff falls, "
    f"and the precision that the pieces then have, from {_LEAST_PRECISION:.0%} up. "
    "The dashed line is the promise of {precision:.0%}, the upright one is where the gate stands."
)
_CURVES = ("reader, pieces", "reliability", "of scores", "yield against precision", "in numbers")
_CONFUSIONS = (
    "On held-out lines: what stands there, what was read, and how often; ∅ is nothing, ␣ a space. Beside the character error "
    "stand those rates that are much higher: by letters with their marks, and in spaces alone."
)
_AUDITS = (
    "People typed what stands on lines that the gate let through, without seeing a reading. Precision is the share of labels "
    "that agree letter for letter, with its 95% interval. Skipped lines, which nobody can read, are left out."
)
_AUDITED = ("language", "pages with", "right", "precision", "skipped")
_BREAK = Markup("<br>")

Metrics = Mapping[str, Any]


class Piece(NamedTuple):
    """A piece that calibrated a gate: its `stratum` in its reader's gate, its `score` there, whether it is right, and its number
    of characters."""

    lang: str
    stratum: str
    score: float
    is_right: bool
    num_chars: int


def readings_sections(name: str, metrics: Metrics, folder: Folder, audits: Metrics, precision: float) -> list[Section]:
    """Sections on the round of these `metrics`, in `folder`, whose gates promise this `precision`: on its readers' confidence, on
    their errors, and on `audits`; empty ones are left out."""
    number, sections = metrics["round"], []
    if curves := [row for reader, of in pieces(folder).items() for row in _curves(reader, of, metrics["gates"], precision)]:
        html = joined(blocks.note(_CONFIDENCE.format(precision=precision)), blocks.table(_CURVES, curves))
        sections.append(Section(f"{name}-confidence", f"{name}: what confidence is worth, round {number}", html))
    if errors := [_errors(lang, row) for lang, row in sorted(metrics["languages"].items()) if row.get("confusions")]:
        html = joined(blocks.note(_CONFUSIONS), blocks.table(("language", "character error", "commonest errors"), errors))
        sections.append(Section(f"{name}-confusions", f"{name}: what is read wrong, round {number}", html))
    if audits:
        parts = [blocks.note(_AUDITS)]
        for sheet, result in audits.items():
            people = ", ".join(f"{who} ({count:,})" for who, count in result["by"].items())
            rows: list[tuple[str | Cell, Metrics]] = [("all", result["all"])]
            rows += [(Cell(lang, "lang"), row) for lang, row in result["languages"].items()]
            parts.append(blocks.heading(sheet, f"round {result['round']}, by {people}"))
            parts.append(blocks.table(_AUDITED, [_audited(of, row) for of, row in rows]))
        sections.append(Section(f"{name}-audits", f"{name}: audits", joined(*parts)))
    return sections


def _audited(of: str | Cell, row: Metrics) -> tuple[Any, ...]:
    right = Cell(f"{row['num_right']:,} of {row['num_judged']:,}", "num", f"({row['num_asked']:,} asked)")
    return of, row.get("layer", ""), right, precision_of(row), row["num_skipped"]


def precision_of(row: Metrics) -> Cell:
    """The share of right labels with its interval; empty if none was judged."""
    if row["precision"] is None:
        return Cell("")
    return Cell(f"{row['precision']:.1%}", "num", f"({100 * row['precision_low']:.1f} to {100 * row['precision_high']:.1f})")


def pieces(folder: Folder) -> dict[str, list[Piece]]:
    """The pieces that calibrated the gates of a round, by reader; none if the round has no file of them."""
    rows = json.loads(folder.read(CALIBRATION)) if folder.exists(CALIBRATION) else {}
    return {reader: [Piece(*row) for row in of_reader] for reader, of_reader in rows.items()}


def reliability(pieces: Sequence[Piece]) -> list[tuple[float, float, tuple[float, float], int]]:
    """Groups of equal size, by rising confidence: their mean confidence, the share of right pieces, its 95% interval, and the
    number of pieces. No group has fewer than `_FEWEST`."""
    order = sorted(pieces, key=lambda piece: (piece.score, piece))
    num_dots = min(_DOTS, len(order) // _FEWEST)
    dots = []
    for n in range(num_dots):
        of_dot = order[len(order) * n // num_dots : len(order) * (n + 1) // num_dots]
        num_right, num_pieces = sum(piece.is_right for piece in of_dot), len(of_dot)
        mean = sum(piece.score for piece in of_dot) / num_pieces
        dots.append((mean, num_right / num_pieces, bounds.interval(num_right, num_pieces), num_pieces))
    return dots


def yields(pieces: Sequence[Piece]) -> list[tuple[float, float]]:
    """The yield of ever lower cutoffs: the share of all characters that pass, and the share of right pieces among them. Pieces of
    equal confidence pass together. No cutoff passes fewer than `_FEWEST`."""
    total = sum(piece.num_chars for piece in pieces)
    num_chars = num_right = count = 0
    points = []
    for _, alike in groupby(sorted(pieces, key=lambda piece: -piece.score), key=lambda piece: piece.score):
        for piece in alike:
            count, num_chars, num_right = count + 1, num_chars + piece.num_chars, num_right + piece.is_right
        if count >= _FEWEST and total:
            points.append((num_chars / total, num_right / count))
    return points


def _curves(reader: str, pieces: Sequence[Piece], gates: Metrics, precision: float) -> Iterable[tuple[Any, ...]]:
    """A row of the table for each stratum of a reader's gate."""
    for stratum in sorted({piece.stratum for piece in pieces}):
        of_stratum = [piece for piece in pieces if piece.stratum == stratum]
        num_right = sum(piece.is_right for piece in of_stratum)
        about = [
            blocks.show(Cell(reader, "code", stratum)),
            blocks.show(Cell("", note=", ".join(sorted({piece.lang for piece in of_stratum})))),
            blocks.show(Cell(f"{num_right:,} of {len(of_stratum):,} right", "num")),
        ]
        cutoff = gates.get(reader, {}).get(stratum, {}).get("confidence")
        passed = [piece for piece in of_stratum if cutoff is not None and piece.score >= cutoff]
        passed_share = sum(piece.num_chars for piece in passed) / max(1, sum(piece.num_chars for piece in of_stratum))
        facts = ["shut"]
        if cutoff is not None:
            facts = [f"opens at {cutoff:.3f}: {passed_share:.0%} of the characters,"]
            facts.append(f"{sum(piece.is_right for piece in passed):,} of {len(passed):,} pieces right")
        drawn: list[str] = ["too few pieces for a curve", "", ""]
        if len(of_stratum) >= _FEWEST:
            points = yields(of_stratum)
            for least in _PRECISIONS:
                share = max((share for share, right in points if right >= least), default=0.0)
                facts.append(f"{least:.0%} right: {share:.0%} of the characters")
            curve = " ".join(f"{_x(share)},{_y_of(right)}" for share, right in _thinned(points) if right >= _LEAST_PRECISION)
            of_gate = {"cutoff": cutoff, "passed_at": _x(passed_share), "promise_at": _y_of(precision), "curve": curve}
            right_of_axis = f"characters, 0 to 100%; right, {_LEAST_PRECISION:.0%} to 100%"
            drawn = [*_reliability(of_stratum), blocks.yields(of_gate, _WIDTH, _HEIGHT, right_of_axis)]
        yield _BREAK.join(about), *drawn, _BREAK.join(blocks.show(Cell(one, "num")) for one in facts)


def _reliability(pieces: Sequence[Piece]) -> Iterable[Markup]:
    """The curves of reliability by confidence, and by the resulting score of labels."""
    shares = calibrated_scores.crossed([piece.score for piece in pieces], [piece.is_right for piece in pieces])
    of_worth = [piece._replace(score=share) for piece, share in zip(pieces, shares, strict=True)]
    for name, of in (("confidence", pieces), ("score", of_worth)):
        error = calibrated_scores.error([piece.score for piece in of], [piece.is_right for piece in of])
        caption = f"{name}, 0 to 1; off by {100 * error:.1f} points"
        dots = [
            (_x(mean), _y(share), _y(high), _y(low), f"{mean:.3f}: {share:.1%} of {count} right")
            for mean, share, (low, high), count in reliability(of)
        ]
        yield blocks.reliability(dots, _WIDTH, _HEIGHT, f"share right by {name}", caption)


def _errors(lang: str, row: Metrics) -> tuple[Cell, Cell, Markup]:
    """A language's row: its errors, with the error rates that are much higher than the character error."""
    others = [f"{name} {rate:.2%}" for name, rate in other_rates(row).items()]
    common = blocks.confusions([(_visible(stands), _visible(read), count) for stands, read, count in row["confusions"]])
    rates = "; ".join([f"of {row['num_chars']:,}", *others])
    return Cell(lang, "lang"), Cell(f"{row['cer']:.2%}", "num", rates), common


def _thinned(points: Sequence[tuple[float, float]], most: int = 120) -> Sequence[tuple[float, float]]:
    step = max(1, len(points) // most)
    return [*points[::step], points[-1]] if points else []


def _x(share: float) -> float:
    return round(share * _WIDTH, 1)


def _y(share: float) -> float:
    return round((1 - share) * _HEIGHT, 1)


def _y_of(precision: float) -> float:
    return round(min(1.0, (1 - precision) / (1 - _LEAST_PRECISION)) * _HEIGHT, 1)


def _visible(char: str) -> str:
    if not char:
        return "∅"
    if char.isspace():
        return "␣"
    return f"◌{char}" if unicodedata.category(char)[0] == "M" else char
