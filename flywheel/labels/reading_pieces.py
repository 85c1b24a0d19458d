"""A line's reading, cut at spaces into pieces of sure words and parts of other words.

A word is sure if its letters say which script it is in, and it is no lone dash (readers don't tell `-` from `–`), and

    agreed    the existing reader of the language has the same word in its place, or
    alone     there is no such reader, but both views of the line have the word, `WORD` or more probably.

A piece is a run of sure words of one of these two strata. The score of a piece is CTC's probability of the whole run on its
frames. The score of a piece `alone` is the lower one of two views. Crops are cut from the view that the existing reader agrees
with more. Each stratum has its own cutoff (`datagen.risk.bounds`). A line is cut where the image shows paper between two words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.engines.compact import FolderReader, symbols_of
from datagen.engines.ctc_words import Spelling, probabilities
from datagen.writing import scripts
from datagen.writing.line_text import normalise
from datagen.writing.lookalikes import is_unsure, unsettled
from flywheel.labels.line_readings import FRAMES, DetectedLine, unfit

AGREED, ALONE = "agreed", "alone"
STRATA = (AGREED, ALONE)
WORD = 0.7
"""The probability that a word needs in both views to be sure without an existing reader."""
MIN_WORDS, MIN_CHARS = 3, 10
"""The fewest words of a piece. A part with fewer words is a piece if it has `MIN_CHARS` characters."""
MIN_LINE = 4
"""The characters that are enough for a piece if it is a whole line, and the existing reader agrees."""
VERSION = 2  # goes up whenever the code gives other pieces

_SIGNS = ".,;:!?()[]{}«»„“”‘’'\"…"
_DASHES = frozenset("-‐‑‒–—―−")
_INK = 0.08  # the share of a column's height above which the column is ink, not paper
_DIGITS = 5


@dataclass(frozen=True)
class Part:
    """The words of a line from `start` to `end`, exclusive, and their columns in its crop, from `left` to `right`. A piece has a
    `stratum`. Another part has a `reason`: why it can't be a label at any confidence. `score` is the probability that `text` is
    right, letter for letter."""

    start: int
    end: int
    text: str
    left: int
    right: int
    score: float
    stratum: str = ""
    reason: str = ""


@dataclass(frozen=True)
class LineReading:
    """A reader's reading of a line: its parts from left to right, at least one. `crop` is the line's image, with `inset` columns
    before the line's box."""

    line: DetectedLine
    crop: numpy.ndarray
    inset: int
    parts: tuple[Part, ...]
    merge: Callable[[Sequence[Part]], Part]
    """Makes one part of several neighbours. The part gets the reason that most of their characters have."""

    @property
    def chars(self) -> int:
        return sum(len(part.text) for part in self.parts)


class _View:
    """A reader's reading of one view of a line. If the reader has no frames, the whole line counts as one word."""

    def __init__(self, script: str, spelling: Spelling | None = None, decode: Callable[[Sequence[int]], str] | None = None):
        self.script, self.spelling, self._decode = script, spelling, decode
        self.words: list[str] = []
        self.score = 0.0

    @classmethod
    def whole(cls, script: str, text: str, score: float) -> "_View":
        view = cls(script)
        view.words, view.score = [text] if text else [], score
        return view

    @classmethod
    def spelled(cls, script: str, spelling: Spelling, symbols: str, decode: Callable[[Sequence[int]], str]) -> "_View":
        view = cls(script, spelling, decode)
        view.words = ["".join(symbols[c - 1] for c in spelling.of_words(i, i + 1)) for i in range(len(spelling.words))]
        return view

    def text(self, start: int, end: int) -> str:
        if self.spelling is None or self._decode is None:
            return " ".join(self.words[start:end])
        return normalise(self._decode(self.spelling.of_words(start, end)))

    def probability(self, ranges: Iterable[tuple[int, int]]) -> list[float]:
        return _probabilities([(self, start, end) for start, end in ranges])


def read_parts(lines: Sequence[DetectedLine], reader: FolderReader, script: str) -> list[LineReading]:
    """Each line's reading. Reading many lines in one call is faster."""
    plain, wide = (_views(reader, [line.shown(frame) for line in lines], script) for frame in FRAMES)
    sketches = [_Sketch(line, *views) for line, *views in zip(lines, plain, wide, strict=True)]
    asked = [(sketch, word) for sketch in sketches if sketch.line.vote is None for word in sketch.in_other]
    first = _probabilities([(sketch.view, word, word + 1) for sketch, word in asked])
    second = _probabilities([(sketch.other, sketch.in_other[word], sketch.in_other[word] + 1) for sketch, word in asked])
    for (sketch, word), *both in zip(asked, first, second, strict=True):
        sketch.sure[word] = min(both)
    parted = [(sketch, sketch.judged(part)) for sketch in sketches for part in sketch.parts()]
    first = _probabilities([(sketch.view, part.start, part.end) for sketch, part in parted])
    pieces = [i for i, (_, part) in enumerate(parted) if part.stratum == ALONE]
    ranges = [(parted[i][0].other, *parted[i][0].there(parted[i][1])) for i in pieces]
    second_of = dict(zip(pieces, _probabilities(ranges), strict=True))
    parts: dict[int, list[Part]] = {id(sketch): [] for sketch in sketches}
    for i, (sketch, part) in enumerate(parted):
        parts[id(sketch)].append(replace(part, score=round(min(first[i], second_of.get(i, 1.0)), _DIGITS)))
    return [LineReading(sketch.line, sketch.crop, sketch.inset, tuple(parts[id(sketch)]), sketch.merged) for sketch in sketches]


class _Sketch:
    """A line before it is cut into parts. `view` is the view that is cut, and `other` the other one. `in_other` and `in_vote` map
    words of `view` to equal words of `other` and of the existing reader; `sure` has their probabilities."""

    def __init__(self, line: DetectedLine, plain: _View, wide: _View):
        self.line, self.script = line, plain.script
        vote = normalise(line.vote or "")
        theirs = symbols_of(vote, plain.script).split(" ") if plain.spelling else [vote]
        in_vote = [_places(view.words, theirs) if vote else {} for view in (plain, wide)]
        agreed = [sum(len(view.words[word]) for word in places) for view, places in zip((plain, wide), in_vote, strict=True)]
        best = int(agreed[1] > agreed[0])
        self.view, self.other = (wide, plain) if best else (plain, wide)
        margin = FRAMES[best].margin
        self.crop, self.inset = line.view(margin), line.inset(margin)
        self.count = len(self.view.words)
        self.text = self.view.text(0, self.count)
        self.reason = unfit(line.inner, self.text)
        self.in_other = {} if self.reason else _places(self.view.words, self.other.words)
        self.in_vote = {} if self.reason else in_vote[best]
        self.sure: dict[int, float] = {}
        ours, raw = self.text.split(" "), vote.split(" ")
        # If a word looks alike in two scripts, the existing reader must read it in the same script.
        is_told = len(ours) == self.count and len(raw) == len(theirs)
        self.other_script = frozenset(
            word
            for word, there in self.in_vote.items()
            if is_told and is_unsure(ours[word], self.script) and ours[word] != raw[there]
        )

    def parts(self) -> list[Part]:
        """The parts, without their scores."""
        if self.reason:
            return [Part(0, self.count, self.text, 0, self.crop.shape[1], 0.0, "", self.reason)]
        tokens = self.text.split(" ") if len(self.text.split(" ")) == self.count else []
        unsure = frozenset(unsettled(self.text, self.script)) | self.other_script
        unsure |= {word for word in range(self.count) if _DASHES.issuperset(self.view.words[word])}
        unsure |= {word for word, token in enumerate(tokens) if is_letter(token, self.script, tokens[word - 1] if word else "")}
        if unsure and self.view.spelling is None:
            unsure = frozenset({0})  # without frames the line is one word
        kinds = [self._kind(word, word in unsure) for word in range(self.count)]
        parts: list[Part] = []
        for start, end in self._runs(kinds):
            stratum, reason = kinds[start]
            parts += self._pieces(start, end, stratum) if stratum else [self._part(start, end, "", reason)]
        return parts

    def judged(self, part: Part) -> Part:
        """The part itself; or, if it is a piece of another script, the same part refused."""
        is_refused = part.stratum and is_foreign(part.text, self.script)
        return replace(part, stratum="", reason="other_script") if is_refused else part

    def there(self, part: Part) -> tuple[int, int]:
        """The range of words of a piece in the other view."""
        return self.in_other[part.start], self.in_other[part.end - 1] + 1

    def merged(self, parts: Sequence[Part]) -> Part:
        start, end = parts[0].start, parts[-1].end
        by_reason: dict[str, int] = {}
        for part in parts:
            by_reason[part.reason] = by_reason.get(part.reason, 0) + len(part.text)
        reason = max(by_reason, key=lambda name: (by_reason[name], name))
        if len(parts) == 1:
            return replace(parts[0], stratum="", reason=reason)
        (score,) = self.view.probability([(start, end)])
        text = self.view.text(start, end)
        return Part(start, end, text, parts[0].left, parts[-1].right, round(score, _DIGITS), "", reason)

    def _kind(self, word: int, is_unsure: bool) -> tuple[str, str]:
        """A word's stratum, or the reason why the word has none."""
        if is_unsure:
            return "", "look_alike"
        if word in self.in_vote:
            return AGREED, ""
        if word not in self.in_other:
            return "", "views_differ"
        if self.line.vote is not None:
            return "", "disagrees"
        return (ALONE, "") if self.sure[word] >= WORD else ("", "low_confidence")

    def _runs(self, kinds: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """Ranges of words of one kind. The words of a piece must be neighbours in the other reading, too."""

        def follows(word: int) -> bool:
            if kinds[word] != kinds[word - 1]:
                return False
            places = {AGREED: self.in_vote, ALONE: self.in_other}.get(kinds[word][0])
            return places is None or places[word] == places[word - 1] + 1

        starts = [word for word in range(self.count) if not word or not follows(word)]
        return list(zip(starts, [*starts[1:], self.count], strict=True))

    def _pieces(self, start: int, end: int, stratum: str) -> list[Part]:
        """A run of sure words as a piece, and the parts that are taken off. A word at the end is taken off if the image can't be
        cut there. A word is taken off if its script isn't sure without its neighbours. The rest may be too short for a piece."""
        left, right = start, end
        while left < right and self._paper(left) is None:
            left += 1
        while left < right and self._paper(right) is None:
            right -= 1
        off = [self._part(*at, "", "no_gap") for at in ((start, left), (right, end)) if at[0] < at[1]]
        inner: list[Part] = []
        if left < right:
            unsure = frozenset(unsettled(self.view.text(left, right), self.script))
            is_whole = (left, right) == (0, self.count)
            if unsure and not is_whole:
                for is_off, run in groupby(range(left, right), lambda word: word - left in unsure):
                    words = list(run)
                    at = words[0], words[-1] + 1
                    inner += [self._part(*at, "", "look_alike")] if is_off else self._pieces(*at, stratum)
            else:
                piece = self._part(left, right, stratum, "")
                least = MIN_LINE if is_whole and stratum == AGREED else MIN_CHARS
                is_short = right - left < MIN_WORDS and len(piece.text) < least
                inner = [self._part(left, right, "", "too_short") if is_short else piece]
        return sorted([*off, *inner], key=lambda part: part.start)

    def _part(self, start: int, end: int, stratum: str, reason: str) -> Part:
        left, right = (self._column(word) for word in (start, end))
        return Part(start, end, self.view.text(start, end), left, max(left + 1, right), 0.0, stratum, reason)

    def _column(self, word: int) -> int:
        """The column where the crop is cut in front of a word: 0 for the first word, the crop's width behind the last word."""
        paper = self._paper(word)
        if paper is not None:
            return paper
        x0, x1 = self._gap(word)
        return min(self.crop.shape[1] - 1, (x0 + x1) // 2)

    def _gap(self, word: int) -> tuple[int, int]:
        """The columns of the gap in front of a word, between the letters on both sides."""
        assert self.view.spelling is not None
        first, stop = self.view.spelling.gap(word)
        scale = self.crop.shape[1] / self.view.spelling.num_frames
        return int(first * scale), max(int(first * scale) + 1, round(stop * scale))

    def _paper(self, word: int) -> int | None:
        """The middle column of the widest paper in the gap in front of a word. None if the gap is full of ink. The edges of a
        line count as paper."""
        if word in (0, self.count):
            return 0 if not word else self.crop.shape[1]
        x0, x1 = self._gap(word)
        low, high = numpy.percentile(self.crop, (2, 90))
        dark = (high - self.crop[:, x0:x1].astype(numpy.float32)).clip(0) / max(1.0, high - low)
        ink = dark.mean(axis=0) > _INK
        runs: list[tuple[int, int]] = []
        at = x0
        for is_ink, run in groupby(ink.tolist()):
            length = len(list(run))
            if not is_ink:
                runs.append((length, at))
            at += length
        length, at = max(runs, key=lambda run: run[0], default=(0, 0))
        return at + length // 2 if length >= 2 else None


def is_letter(token: str, script: str, before: str) -> bool:
    """Whether a token is a single letter that looks alike in two scripts, and whose script nothing tells. At the start of a line,
    where `before` is "", any such letter counts, since a bullet looks like a letter. Behind the token `before`, a capital counts,
    unless it begins a sentence."""
    letter = token.strip(_SIGNS)
    if len(letter) != 1 or not is_unsure(letter, script):
        return False
    return not before or (letter.isupper() and before[-1] not in ".!?:…")


def is_foreign(text: str, script: str) -> bool:
    """Whether most letters of a piece are Latin in a text of another script. The script's reader knows few Latin words."""
    letters = [char for char in text if char.isalpha()]
    return script != "Latn" and 2 * sum(scripts.script(char) == "Latn" for char in letters) > len(letters)


def _places(ours: Sequence[str], theirs: Sequence[str]) -> dict[int, int]:
    """The places of `ours` that have an equal word in `theirs`, mapped to its place, by the alignment with the fewest edits."""
    places: dict[int, int] = {}
    for op in Levenshtein.opcodes(ours, theirs):
        if op.tag == "equal":
            places |= zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True)
    return places


def _views(reader: FolderReader, crops: Sequence[numpy.ndarray], script: str) -> list[_View]:
    if hasattr(reader, "spell"):
        alphabet = reader.alphabet
        return [_View.spelled(script, spelling, alphabet.symbols, alphabet.decode) for spelling in reader.spell(crops)]
    return [_View.whole(script, text, score) for text, score in reader.read(crops)]


def _probabilities(asked: Sequence[tuple[_View, int, int]]) -> list[float]:
    framed = [(view.spelling, start, end) for view, start, end in asked if view.spelling and start < end]
    of_framed = iter(probabilities(framed))
    return [
        next(of_framed) if view.spelling and start < end else view.score if start < end else 0.0 for view, start, end in asked
    ]
