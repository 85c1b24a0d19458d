"""What the last round's readings are worth: how far its readers' confidence can be trusted, which characters they take for which,
and what audits say of its labels.

Confidence is judged on the pieces of lines that calibrated the gates, as the round wrote them down; characters on held-out lines.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from datagen.disk.storage import Folder
from flywheel.labels import calibrated_scores, gate
from flywheel.step import CALIBRATION
from recipes.report import Section, asset, fill
from recipes.verbs.rounds import other_rates

_FEWEST = 20  # pieces that a share is told of
_DOTS = 8  # at most, on a curve of reliability
_LEAST_PRECISION = 0.8  # at the foot of a curve of precision
_TOLD = (0.99, 0.97, 0.95)  # precisions whose yield is told in numbers
_WIDTH, _HEIGHT = 190, 110

Metrics = Mapping[str, Any]


class Piece(NamedTuple):
    """A piece that calibrated a gate: in which `stratum` of its reader's it is judged, by which `score`, whether it is right, and
    how many characters it has."""

    lang: str
    stratum: str
    score: float
    is_right: bool
    num_chars: int


def readings_sections(name: str, metrics: Metrics, folder: Folder, audits: Metrics, precision: float) -> list[Section]:
    """Sections on the round of these `metrics`, in `folder`, whose gates promise this `precision`: on its readers' confidence and
    on their errors, and on `audits`; without those that there is nothing to say in."""
    css, number = asset("readings.css"), metrics["round"]
    sections = []
    if curves := [row for reader, of in pieces(folder).items() for row in _curves(reader, of, metrics["gates"], precision)]:
        size = {"width": _WIDTH, "height": _HEIGHT, "foot": _LEAST_PRECISION, "precision": precision, "fewest": _FEWEST}
        html = fill("confidence.html", rows=curves, **size)
        sections.append(Section(f"{name}-confidence", f"{name}: what confidence is worth, round {number}", html, css))
    if errors := [_errors(lang, row) for lang, row in sorted(metrics["languages"].items()) if row.get("confusions")]:
        html = fill("confusions.html", rows=errors)
        sections.append(Section(f"{name}-confusions", f"{name}: what is read wrong, round {number}", html, css))
    if audits:
        tables = [(sheet, found, {"all": found["all"]} | found["languages"]) for sheet, found in audits.items()]
        sections.append(Section(f"{name}-audits", f"{name}: audits", fill("audits.html", audits=tables), css))
    return sections


def pieces(folder: Folder) -> dict[str, list[Piece]]:
    """The pieces that calibrated the gates of a round, by reader; none of a round that wrote none down."""
    rows = json.loads(folder.read(CALIBRATION)) if folder.exists(CALIBRATION) else {}
    return {reader: [Piece(*row) for row in of_reader] for reader, of_reader in rows.items()}


def reliability(pieces: Sequence[Piece]) -> list[tuple[float, float, tuple[float, float], int]]:
    """Of as many pieces each, from the least sure on: their mean confidence, the share that is right, its 95% interval, and how
    many pieces there are. None of fewer than `_FEWEST`."""
    order = sorted(pieces, key=lambda piece: (piece.score, piece))
    num_dots = min(_DOTS, len(order) // _FEWEST)
    dots = []
    for n in range(num_dots):
        of_dot = order[len(order) * n // num_dots : len(order) * (n + 1) // num_dots]
        num_right, num_pieces = sum(piece.is_right for piece in of_dot), len(of_dot)
        mean = sum(piece.score for piece in of_dot) / num_pieces
        dots.append((mean, num_right / num_pieces, gate.interval(num_right, num_pieces), num_pieces))
    return dots


def yields(pieces: Sequence[Piece]) -> list[tuple[float, float]]:
    """What cutoffs at ever lower confidence would let through: the share of all characters, and the share of pieces that is
    right. Pieces of equal confidence pass together. None of fewer than `_FEWEST`."""
    total = sum(piece.num_chars for piece in pieces)
    num_chars = num_right = count = 0
    points = []
    for _, alike in groupby(sorted(pieces, key=lambda piece: -piece.score), key=lambda piece: piece.score):
        for piece in alike:
            count, num_chars, num_right = count + 1, num_chars + piece.num_chars, num_right + piece.is_right
        if count >= _FEWEST and total:
            points.append((num_chars / total, num_right / count))
    return points


def _curves(reader: str, pieces: Sequence[Piece], gates: Metrics, precision: float) -> Iterable[dict[str, Any]]:
    """A row for each stratum of a reader's gate."""
    for stratum in sorted({piece.stratum for piece in pieces}):
        of_stratum = [piece for piece in pieces if piece.stratum == stratum]
        shares = calibrated_scores.crossed([piece.score for piece in of_stratum], [piece.is_right for piece in of_stratum])
        of_worth = [piece._replace(score=share) for piece, share in zip(of_stratum, shares, strict=True)]
        points = yields(of_stratum)
        cutoff = gates.get(reader, {}).get(stratum, {}).get("confidence")
        passed = [piece for piece in of_stratum if cutoff is not None and piece.score >= cutoff]
        total = sum(piece.num_chars for piece in of_stratum)
        passed_share = sum(piece.num_chars for piece in passed) / max(1, total)
        yield {
            "reader": reader,
            "stratum": stratum,
            "languages": ", ".join(sorted({piece.lang for piece in of_stratum})),
            "num_pieces": len(of_stratum),
            "num_right": sum(piece.is_right for piece in of_stratum),
            "dots": _dots(of_stratum),
            "worth_dots": _dots(of_worth),
            "errors": [calibrated_scores.error([p.score for p in of], [p.is_right for p in of]) for of in (of_stratum, of_worth)],
            "curve": " ".join(f"{_x(share)},{_y_of(right)}" for share, right in _thinned(points) if right >= _LEAST_PRECISION),
            "told": [(told, max((share for share, right in points if right >= told), default=0.0)) for told in _TOLD],
            "cutoff": cutoff,
            "num_passed": len(passed),
            "right_passed": sum(piece.is_right for piece in passed),
            "passed_share": passed_share,
            "passed_at": _x(passed_share),
            "promise_at": _y_of(precision),
        }


def _dots(pieces: Sequence[Piece]) -> list[tuple[float, float, float, float, str]]:
    """The dots of a curve of reliability: where each stands, the ends of its interval, and what it says."""
    return [
        (_x(mean), _y(share), _y(high), _y(low), f"{mean:.3f}: {share:.1%} of {count} right")
        for mean, share, (low, high), count in reliability(pieces)
    ]


def _errors(lang: str, row: Metrics) -> dict[str, Any]:
    """A language's errors, with those rates that are much higher than the character error."""
    common = [(_visible(stands), _visible(read), count) for stands, read, count in row["confusions"]]
    return {**row, "lang": lang, "confusions": common, "others": other_rates(row)}


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
