"""Evidence for and against a region: from its own lines, from regions of the same kind, and from a table's cells."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from datagen.coarse.answers import BY
from datagen.fine.verdict.line_witness import Spoken
from datagen.labels import PICTURES
from datagen.record import Region, Sample
from datagen.tables.cells import parse
from datagen.writing.scripts import EAST_ASIAN, NO_SCRIPT, main_script

_WITH_HAN = EAST_ASIAN | {"Hans", "Hant", "Jpan"} - {"Hang"}

Kind = tuple[str, str, str]
"""A region's reader, its font (only for the file's own text), and its script. Regions of the same kind have the same worth."""

_LOST = 0.02  # of a table's letters: at most so many are only in its lines or only in its cells
_TAG = re.compile("</?su[bp]>")
_DOUBTED = 0.5  # of a kind's characters that were read again
_UNSURE = 0.85  # score of an unsure reading: regions of the same kind don't confirm it


@dataclass
class Witnesses:
    """Evidence about a region: the second readings of its lines, by script."""

    lines: dict[str, list[Spoken]] = field(default_factory=lambda: defaultdict(list))

    @property
    def all_lines(self) -> list[Spoken]:
        return [line for lines in self.lines.values() for line in lines]

    @property
    def chars(self) -> int:
        return sum(line.chars for line in self.all_lines)

    def chars_in(self, script: str) -> int:
        return sum(line.chars for line in self.lines[script])

    @property
    def agreement(self) -> float:
        return sum(line.agreement * line.chars for line in self.all_lines) / max(1, self.chars)

    def disagree(self, least: float) -> bool:
        """Whether the readers agree on less than this share of the characters."""
        return bool(self.lines) and self.agreement < least


def is_text(region: Region) -> bool:
    """Whether a region has text that a reader can judge. Formulas don't count. Nor does the file's text within pictures, because
    no label contains it."""
    is_in_picture = region.by == BY and region.label in PICTURES
    return bool(region.text) and not region.is_unread and region.format != "latex" and not is_in_picture


def script_within(text: str, script: str) -> str:
    """The script of a text on a page in `script`. It is the page's script if the text has no letters, or if both go together,
    such as Han and kana."""
    own, _ = main_script(text)
    return script if own in NO_SCRIPT or _family(own) == _family(script) else own


def _family(script: str) -> str:
    return "Hani" if script in _WITH_HAN else script


def kind_of(region: Region, script: str) -> Kind:
    """The region's kind on a page in `script`."""
    fonts = Counter[str]()
    for line in region.lines:
        fonts[line.font] += len(line.text)
    font = fonts.most_common(1)[0][0] if region.by == BY and fonts else ""
    return region.by, font, script_within("".join(line.text for line in region.lines) or region.text, script)


def doubted(
    page: Sample, found: Mapping[int, Witnesses], least: float, least_of_file: float, least_of_table: float
) -> tuple[dict[int, str], set[int]]:
    """The reasons of doubted regions, by region index; and the indices of regions that an engine read and nothing confirms.

    A region may have no line that was read again in its script. Such a region is doubted if more than half of the characters of
    its kind that were read again are doubted. Nothing confirms the region if no region of its kind was read again, or if its
    reader was unsure.
    """
    reasons: dict[int, str] = {}
    kinds: dict[int, Kind] = {}
    chars: dict[Kind, Counter[bool]] = defaultdict(Counter)
    for i, region in enumerate(page.regions):
        if not is_text(region):
            continue
        witnesses = found.get(i, Witnesses())
        reason = _of_table(region, least_of_table) if region.format == "html" else ""
        differ = witnesses.disagree(least_of_file if region.by == BY else least)
        if reason := reason or "readers_disagree" * differ:
            reasons[i] = reason
        kinds[i] = by, font, _ = kind_of(region, page.script)
        for script in witnesses.lines:
            chars[by, font, script][reason == "readers_disagree"] += witnesses.chars_in(script)
    silent: set[int] = set()
    for i, kind in kinds.items():
        if i in reasons or (i in found and kind[2] in found[i].lines):
            continue
        counts = chars[kind]
        if counts[True] > _DOUBTED * counts.total():
            reasons[i] = "readers_disagree"
        elif page.regions[i].by != BY and (not counts.total() or _is_unsure(page.regions[i])):
            silent.add(i)
    return reasons, silent


def read_otherwise(
    regions: Sequence[Region], found: Mapping[int, Witnesses], reasons: Mapping[int, str]
) -> tuple[float, float, frozenset[int]]:
    """How much of the running text was read differently by the second reader. Counted are regions with second readings that have
    none of `reasons`. Returned are the share of characters in lines that differ in any sign, the share of characters in regions
    with such a line, and the indices of these regions."""
    lines = {
        i: of.all_lines
        for i, of in found.items()
        if regions[i].format == "markdown" and not regions[i].is_unread and i not in reasons
    }
    others = frozenset(i for i, of in lines.items() if any(not line.is_alike for line in of))
    chars = max(1, sum(line.chars for of in lines.values() for line in of))
    of_lines = sum(line.chars for of in lines.values() for line in of if not line.is_alike)
    return of_lines / chars, sum(line.chars for i in others for line in lines[i]) / chars, others


def _is_unsure(region: Region) -> bool:
    return region.score is not None and region.score < _UNSURE


def _of_table(region: Region, least: float) -> str:
    """`unsure_table` if a table's score is below `least`, or its cells haven't the letters of its lines; else ""."""
    if region.score is not None and region.score < least:
        return "unsure_table"
    if not region.lines:
        return ""
    try:
        cells = _letters([cell.text for cell in parse(region.text).cells])
    except ValueError:
        return "unsure_table"
    lines = _letters([line.text for line in region.lines])
    lost = (lines - cells).total() + (cells - lines).total()
    return "unsure_table" if lost > max(1, _LOST * lines.total()) else ""


def _letters(texts: Sequence[str]) -> Counter[str]:
    """The counts of letters and digits in texts. Sub- and superscripts count as plain characters."""
    return Counter(c for text in texts for c in unicodedata.normalize("NFKC", _TAG.sub("", text)) if c.isalnum())
