"""The choice of lines that a person should correct first: those that teach most for their time.

The probability that a line is right gives the number of probably wrong characters: the negative logarithm of the line's
confidence. Lines are chosen by that number, with three corrections. Each was measured on the default run's second round, whose
pages have a hidden text layer:

    200 refused lines of six languages                      no text there   wrong characters a line
    by chance                                                     7%                 4.7
    least confidence of a character                              66%                 1.9
    most confident, just under the threshold                      3%                 0.0
    least confidence of the line                                 14%                15.8
    ... from each language as many                                9%                16.4
    ... whose characters are read with .85 on average             5%                16.5
    the whole rule                                                6%                16.6

The reader is least sure of things other than text: screenshots, rules, ornaments. So lines with less than `_LEGIBLE` mean
confidence of a character come last. The reason of a refusal shows whether readings disagree, and each reason gets its turn (Reul
and others 2018 choose lines on which voters disagree most). A line counts less for each chosen line of its document, height and
reason: another height is mostly another typeface or size, which an image doesn't tell otherwise. A line with a reading like a
chosen line's is left out.
"""

import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rapidfuzz import fuzz

from datagen.disk import manifest
from datagen.disk.shards import read_reports
from datagen.disk.storage import Folder
from flywheel.labels.labelled_pages import place_of
from flywheel.lines.crops import Row
from flywheel.pools.questions import Answer, Asked

NOTE = (
    "refused lines, as many of each language as there are; those first in which most characters are probably wrong, from "
    "documents, line heights and reasons in turn"
)
_LEGIBLE = 0.85
_LEAST_SCORE = 0.0005  # drops keep three decimals
_ALIKE = 80.0  # of 100, by rapidfuzz's comparison of two readings
_NEVER = frozenset({"too_small", "nothing_read", "no_lines", "turned"})  # no text to correct


def candidates(labels: Folder, pages: Folder, scripts: Mapping[str, str]) -> list[Asked]:
    """The refused lines in the round's dataset `labels`, on pages that the dataset `pages` has. `scripts` are languages'."""
    drops = [drop for report in read_reports(labels) for drop in report.drops if drop.readings and drop.key and drop.part]
    places = {(drop.uri, drop.part.first) for drop in drops if drop.part}
    rows: dict[str, Row] = {row["key"]: row for row in manifest.rows(pages) if (row["uri"], row["page"]) in places}
    lines = []
    for drop in drops:
        row = rows.get(place_of(drop.key)[0])
        (reading,) = drop.readings
        if row:
            place = (row["key"], row["uri"], row["sha256"], row["page"], reading.box)
            script = scripts.get(reading.lang, row["script"])
            lines.append(Asked(drop.key, *place, reading.lang, script, reading.text, reading.score, drop.reason))
    return [line for line in lines if line.reading.strip() and line.reason not in _NEVER]


def choose(lines: Iterable[Asked], count: int, answered: Iterable[Answer] = ()) -> list[Asked]:
    """At most `count` lines, evenly over languages, those that teach most first. Lines that were `answered` aren't asked again,
    whichever round read them."""
    known = {answer.image for answer in answered}
    by_language: dict[str, list[Asked]] = defaultdict(list)
    for line in lines:
        if line.image not in known:
            by_language[line.lang].append(line)
    turns = [_in_turn(by_language[lang]) for lang in sorted(by_language)]
    in_turns = itertools.chain.from_iterable(itertools.zip_longest(*turns))
    chosen = list(itertools.islice((line for line in in_turns if line), count))
    return sorted(chosen, key=lambda line: line.lang)


def expected_errors(line: Asked) -> float:
    """The expected number of wrong characters in the reading, by its confidence; negative if there is probably no text."""
    confidence = max(line.score, _LEAST_SCORE)
    of_character = confidence ** (1 / max(1, len(line.reading)))
    return -math.log(confidence) if of_character >= _LEGIBLE else of_character - 1


def _in_turn(lines: Sequence[Asked]) -> Iterator[Asked]:
    """The lines of a language, best first. A line's value falls with each chosen line of its kind, so the best line of the heap
    is valued anew before it is taken."""
    of_kind: Counter[tuple[Any, ...]] = Counter()
    heap = [(-expected_errors(line), line.id, line) for line in lines]
    heapq.heapify(heap)
    readings: list[str] = []
    while heap:
        value, key, line = heapq.heappop(heap)
        kinds = [("height", line.sha256, _height(line)), ("reason", line.reason), ("document", line.sha256)]
        worth = _worth(expected_errors(line), [of_kind[kind] for kind in kinds])
        if -worth > value and heap and -worth > heap[0][0]:
            heapq.heappush(heap, (-worth, key, line))
        elif not any(fuzz.ratio(line.reading, reading, score_cutoff=_ALIKE) for reading in readings):
            of_kind.update(kinds)
            readings.append(line.reading)
            yield line


def _worth(errors: float, counts: Sequence[int]) -> float:
    crowd = math.prod(1 + count / 8 for count in counts)
    return errors / crowd if errors > 0 else errors * crowd


def _height(line: Asked) -> int:
    return round(math.log(max(1, min(line.box.y1 - line.box.y0, line.box.x1 - line.box.x0))) / math.log(1.2))
