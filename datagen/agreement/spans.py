"""Lay several readings of one block beside its label, and find the stretches of words in which any reading differs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from datagen.agreement.words import Word, words
from datagen.record import Line

Opcode = tuple[str, int, int, int, int]
SPACES = re.compile(r"[-\u2010]?\s*\n\s*")
_FAILED = 0.5  # of the letters: a reading failed that shares fewer with the label and with each other voter's reading
_BRIDGE = 1  # equal words between two stretches that count as one


class Text(NamedTuple):
    """A text with its words, and the lines that it was read from. Each line comes with its start in the text."""

    text: str
    words: tuple[Word, ...]
    lines: tuple[tuple[int, Line], ...] = ()

    def line_at(self, word: int) -> tuple[int, Line] | None:
        """The line in which a word stands, with the line's start; None where no line is known."""
        at = self.words[word].start if word < len(self.words) else len(self.text)
        before = [placed for placed in self.lines if placed[0] <= at]
        return before[-1] if before else None


@dataclass(frozen=True)
class Reading:
    """What a voter read of a block. `datasets` are the datasets that have this reading."""

    voter: str
    datasets: tuple[str, ...]
    text: Text
    score: float | None = None


class Span(NamedTuple):
    """The label's words from `start` to `stop`, exclusive. `others` has, for each reading, the range of words in their place."""

    start: int
    stop: int
    others: tuple[tuple[int, int], ...]


def of_lines(lines: Sequence[Line], script: str) -> Text:
    """The lines below each other as one text."""
    placed, text = [], ""
    for line in lines:
        text += "\n" if text else ""
        placed.append((len(text), line))
        text += line.text
    return Text(text, words(text, script), tuple(placed))


def spans(label: Text, readings: Sequence[Text]) -> list[Span]:
    """The stretches in which a reading differs from the label, in order. Stretches don't overlap."""
    edits_of = [_edits(label.words, reading.words) for reading in readings]
    ranges = sorted({(a, b) for edits in edits_of for a, b, _, _ in edits})
    merged: list[list[int]] = []
    for a, b in ranges:
        before = merged[-1] if merged else [-1, -1]
        if a < before[1] or (a == before[1] and (a == b or before[0] == before[1])):
            before[1] = max(before[1], b)
        else:
            merged.append([a, b])
    return [Span(a, b, tuple((_at(edits, a, False), _at(edits, b, True)) for edits in edits_of)) for a, b in merged]


def _at(edits: Sequence[tuple[int, int, int, int]], word: int, is_end: bool) -> int:
    """The place in a reading at which the label's word `word` begins; with `is_end`, at which the word before it ends. `edits`
    are the reading's."""
    shift = 0
    for a, b, c, d in edits:
        if b < word or (b == word and (is_end or a < word)):
            shift = d - b
        elif a <= word and not is_end:
            return c + (word - a if a < word else 0)
        else:
            break
    return word + shift


def _edits(label: Sequence[Word], reading: Sequence[Word]) -> list[tuple[int, int, int, int]]:
    """The ranges in which the two differ: words of the label, then words of the reading. Ranges that touch are one range, but
    words that replace each other one for one stay apart."""
    a, b = [word.about for word in label], [word.about for word in reading]
    edits: list[tuple[int, int, int, int]] = []
    for tag, i, j, k, m in _slid(_opcodes(a, b), a, b):
        parts = [(i, j, k, m)]
        if j - i == m - k:
            parts = [(i + n, i + n + 1, k + n, k + n + 1) for n in range(j - i)]
        if tag == "equal":
            parts = [part for part in parts if label[part[0]].exactly != reading[part[2]].exactly]
        for part in parts:
            before = edits[-1] if edits else (-1, -1, -1, -1)
            is_even = before[1] - before[0] == before[3] - before[2] and part[1] - part[0] == part[3] - part[2]
            touches = part[0] == before[1] and part[2] == before[3] and not is_even and tag != "equal"
            if touches or (edits and _is_bridged(before, part, a)):
                edits[-1] = before[0], part[1], before[2], part[3]
            else:
                edits.append(part)
    return edits


def _opcodes(a: Sequence[str], b: Sequence[str]) -> list[Opcode]:
    return [(code.tag, code.src_start, code.src_end, code.dest_start, code.dest_end) for code in Levenshtein.opcodes(a, b)]


def _slid(codes: list[Opcode], a: Sequence[str], b: Sequence[str]) -> list[Opcode]:
    """The opcodes with each insertion and deletion as late as possible. Then, of two equal words, all readings lack the same
    one."""
    out: list[Opcode] = []
    for tag, i, j, k, m in codes:
        if out and tag == "equal" and out[-1][0] in ("insert", "delete"):
            before, p, q, r, s = out[-1]
            side, first, last = (a, p, q) if before == "delete" else (b, r, s)
            steps = 0
            while steps < j - i and side[first + steps] == side[last + steps]:
                steps += 1
            if steps:
                out[-1] = "equal", p, p + steps, r, r + steps
                out.append((before, p + steps, q + steps, r + steps, s + steps))
                i, k = i + steps, k + steps
        if i < j or k < m:
            out.append((tag, i, j, k, m))
    return out


def _is_bridged(before: tuple[int, int, int, int], behind: tuple[int, int, int, int], label: Sequence[str]) -> bool:
    """Whether hardly anything stands between two edits of different lengths. Then a word was cut otherwise, or the words between
    agree by chance."""
    between = label[before[1] : behind[0]]
    uneven = before[1] - before[0] != before[3] - before[2] and behind[1] - behind[0] != behind[3] - behind[2]
    return len(between) <= _BRIDGE and uneven and len("".join(between)) <= 3


def aligned_words(label: Sequence[Word], reading: Sequence[Word]) -> list[int | None]:
    """For each word of a reading the number of the label's word that is about the same, in order; None where none is."""
    owners: list[int | None] = [None] * len(reading)
    for tag, i, j, k, _ in _opcodes([word.about for word in label], [word.about for word in reading]):
        if tag == "equal":
            owners[k : k + j - i] = range(i, j)
    return owners


def exactly_at(text: Text, place: tuple[int, int]) -> str:
    """The letters and digits of the words from one number to another."""
    return "".join(word.exactly for word in text.words[place[0] : place[1]])


def about_at(text: Text, place: tuple[int, int]) -> str:
    return "".join(word.about for word in text.words[place[0] : place[1]])


def alike(one: Text, other: Text) -> float:
    """How much of their letters and digits two texts share, from 0 to 1."""
    a, b = (about_at(text, (0, len(text.words))) for text in (one, other))
    return Levenshtein.normalized_similarity(a, b)


def able(label: Text, others: Sequence[Reading], is_cell: bool) -> list[Reading]:
    """The other voters' readings that say something: each is like the label, or like another voter's reading. An empty reading
    counts unless another voter has most of the label; then its voter overlooked the block. All readings of a cell count, since
    a cell is short."""
    able_ones = []
    with_label = [alike(reading.text, label) for reading in others]
    for reading, likeness in zip(others, with_label, strict=True):
        rivals = [n for n, other in enumerate(others) if other.voter != reading.voter]
        if not reading.text.words:
            is_able = all(with_label[n] < _FAILED for n in rivals)
        else:
            is_able = max((likeness, *(alike(reading.text, others[n].text) for n in rivals))) >= _FAILED
        if is_cell or is_able:
            able_ones.append(reading)
    return able_ones


def flat(text: Text, place: tuple[int, int]) -> str:
    """The text of these words, on one line."""
    start, stop = extent(text, place, False)
    return " ".join(SPACES.sub(" ", text.text[start:stop]).split()) if place[0] < place[1] else ""


def extent(text: Text, place: tuple[int, int], is_whole: bool) -> tuple[int, int]:
    """The start and end of these words in the text. With `is_whole` the range reaches to the neighbouring words."""
    first, last = place
    if first < last and not is_whole:
        return text.words[first].start, text.words[last - 1].stop
    start = text.words[first - 1].stop if first else 0
    stop = text.words[last].start if last < len(text.words) else len(text.text)
    return start, stop


def part_of(text: Text, place: tuple[int, int]) -> Text:
    """These words as a text of their own."""
    start, stop = extent(text, place, False)
    inside = tuple(w._replace(start=w.start - start, stop=w.stop - start) for w in text.words[place[0] : place[1]])
    lines = tuple((at - start, line) for at, line in text.lines)
    return Text(text.text[start:stop], inside, lines)


def lines_at(text: Text, first: int, last: int) -> list[tuple[int, Line]]:
    """The lines in which these words stand."""
    line_of = {placed[0]: placed for word in range(first, last) if (placed := text.line_at(word)) is not None}
    return [line_of[at] for at in sorted(line_of)]


def line_around(text: Text, place: tuple[int, int]) -> tuple[int, int, Line] | None:
    """The start and end of these words in their line, and the line. None if the words stand in several lines or in none."""
    lines = lines_at(text, *place) if place[0] < place[1] else [p for p in [text.line_at(max(0, place[0] - 1))] if p]
    if len(lines) != 1:
        return None
    ((at, line),) = lines
    start, stop = extent(text, place, place[0] == place[1])
    inside = max(0, start - at), min(stop - at, len(line.text))
    if inside[0] > inside[1] or line.text[slice(*inside)].split() != text.text[start:stop].split():
        return None  # the text has markup where the line has none
    return *inside, line
