"""Scenes as a section of the report: each picture with the polygons and the order of its lines, beside what they say, the worst
first. It needs no script: polygons are SVG over the image."""

import math
import posixpath
from collections.abc import Callable, Sequence
from typing import Any

from datagen.record import Line, Region, Sample
from recipes.report import Section, asset, cut, fill
from recipes.report.pages import Survey, by_difficulty, direction, seeded, spread
from recipes.report.pictures import data_uri, decode
from recipes.report.reasons import REASONS, number

MOST_SHOWN = 60
WORST = 40  # of these, by difficulty; the others are drawn, in turn from each language and verdict
_SIDE, _QUALITY = 760, 58
_BADGE = 13  # pixels on the screen from where a line begins to the middle of its number
_MAX_LINES, _MAX_CHARS = 200, 4_000
_SIGNALS = ("reading_score", "agreement", "caption_agreement", "text_share", "line_height", "num_unread")
_METADATA = ("licence", "list", "url", "signs", "nsfw", "punsafe", "pwatermark", "similarity")


def scene_section(name: str, survey: Survey, load: Callable[[dict], Sample], seed: int, max_bytes: int) -> Section:
    """The gallery of the dataset called `name`, as much of it as fits into `max_bytes`; `load(row)` returns a row's sample."""
    shown, left = [], max_bytes
    for row in _picked(survey.rows, seed):
        card = _card(load(row))
        left -= sum(len(str(value).encode()) for value in card.values()) + 800
        if left < 0:
            break
        shown.append(card)
    html = fill("scenes.html", cards=shown, total=survey.tally.num_samples)
    return Section(f"{name}-scenes", f"{name}: pictures and their text", html, asset("scenes.css"))


def _picked(rows: Sequence[dict], seed: int) -> list[dict]:
    """The rows to show: those with the greatest difficulty, then others."""
    shuffled = sorted(rows, key=lambda row: (seeded(seed, row["key"]), row["key"]))
    worst = sorted((row for row in shuffled if row["difficulty"] >= 0), key=by_difficulty)[:WORST]
    others = spread(shuffled, lambda row: (row["lang"], row["verdict"]))
    picked = {row["key"]: row for row in [*worst, *others]}
    return list(picked.values())[:MOST_SHOWN]


def _card(sample: Sample) -> dict[str, Any]:
    """What the gallery shows of a scene."""
    image, signals, unit = decode(sample.image, _SIDE), sample.quality.signals, max(sample.size) / _SIDE
    facts = [(signal, number(signals[signal])) for signal in _SIGNALS if signal in signals]
    if sample.difficulty >= 0:
        facts.insert(0, ("difficulty", number(sample.difficulty)))
    metadata = {"licence": sample.origin.licence} | sample.metadata
    return {
        "image": data_uri(image, (_SIDE, _SIDE), _QUALITY) if image is not None else "",
        "size": sample.size,
        "unit": unit,
        "name": sample.metadata.get("name", "") or posixpath.basename(sample.origin.uri),
        "key": sample.key,
        "lang": sample.lang,
        "script": sample.script,
        "verdict": sample.quality.verdict,
        "reasons": [(reason, REASONS[reason].sentence) for reason in sample.quality.reasons],
        "caption": cut(sample.caption, 600),
        "facts": facts,
        "metadata": [(field, cut(metadata[field], 200)) for field in _METADATA if metadata.get(field)],
        "blocks": _blocks(sample, unit),
    }


def _blocks(sample: Sample, unit: float) -> list[dict[str, Any]]:
    """The blocks in reading order, each with the polygons of its lines. `unit`: how many pixels of the image one shown has."""
    blocks, left = [], _MAX_LINES
    for place, region in enumerate(sample.regions):
        lines = region.lines[: max(0, left)]
        left -= len(lines)
        polygons = [_points(line) for line in lines] or [_points(Line(region.box, "", polygon=region.polygon))]
        x, y = _before(region.lines[0] if lines else Line(region.box, "", polygon=region.polygon), unit)
        blocks.append(
            {
                "number": place + 1,
                "hue": place * 67 % 360,
                "polygons": polygons,
                "x": f"{x:.1f}",
                "y": f"{y:.1f}",
                "by": region.by,
                "score": "" if region.score is None else number(region.score),
                "dir": direction(region, sample.script),
                "lines": _texts(region),
                "unread": region.is_unread,
            }
        )
        if left <= 0:
            break
    return blocks


def _before(line: Line, unit: float) -> tuple[float, float]:
    """A place outside a line, where it begins: a number there hides no letter."""
    corners = line.corners
    half = len(corners) // 2
    first, other, below = (
        (corners[half - 1], corners[0], corners[half]) if line.direction == "rtl" else (*corners[:2], corners[-1])
    )
    if line.direction == "ttb":
        other, below = below, other
    away, length = _BADGE * unit, math.dist(first, other) or 1.0
    x, y = (first[0] + below[0]) / 2, (first[1] + below[1]) / 2
    return x + (first[0] - other[0]) / length * away, y + (first[1] - other[1]) / length * away


def _texts(region: Region) -> list[str]:
    return cut(region.text, _MAX_CHARS).split("\n") if region.text else []


def _points(line: Line) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in line.corners)
