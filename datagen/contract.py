"""The contract of every record in a shard. `tests/check_corpus.py` checks the same contract independently."""

import math
from collections.abc import Sequence

from datagen.record import DIRECTIONS, FORMATS, KEY, LABELS, TASKS, VERDICTS, Line, Region, Sample


def check(sample: Sample) -> None:
    """Raise `ValueError` if `sample` breaks the contract of shards. The stage that made such a sample has a bug."""
    if not KEY.fullmatch(sample.key):
        raise ValueError(f"key {sample.key!r}: allowed are a-z 0-9 _ -, at most 90 of them")
    _check_word(sample, "task", sample.task, TASKS)
    _check_word(sample, "verdict", sample.quality.verdict, VERDICTS)
    if sample.image is None and sample.task != "text":
        raise ValueError(f"{sample.key}: a {sample.task} sample needs an image")
    scored: list[Region | Line] = [*sample.regions, *(line for region in sample.regions for line in region.lines)]
    scores = [part.score for part in scored if part.score is not None]
    points = [x for part in scored for point in part.polygon for x in point]
    if not all(map(math.isfinite, (*sample.quality.signals.values(), *scores, *points, sample.difficulty))):
        raise ValueError(f"{sample.key}: a signal, score, polygon or difficulty is a number that is not finite")
    w, h = sample.size
    for mask in sample.masked:
        if not (0 <= mask.box[0] < mask.box[2] <= w and 0 <= mask.box[1] < mask.box[3] <= h):
            raise ValueError(f"{sample.key}: masked box {tuple(mask.box)} is empty or outside {w} x {h}")
    for region in sample.regions:
        _check_word(sample, "label", region.label, LABELS)
        _check_word(sample, "format", region.format, FORMATS)
        if region.is_unread and region.text:
            raise ValueError(f"{sample.key}: a region is_unread and has text")
        for line in region.lines:
            _check_word(sample, "direction", line.direction, DIRECTIONS)
        for box in (region.box, *[line.box for line in region.lines]):
            if not (0 <= box[0] < box[2] <= w and 0 <= box[1] < box[3] <= h):
                raise ValueError(f"{sample.key}: box {tuple(box)} is empty or outside {w} x {h}")


def _check_word(sample: Sample, name: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise ValueError(f"{sample.key}: {name} {word!r}: allowed are {', '.join(allowed)}")
