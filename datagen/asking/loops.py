"""Whether an answer repeats itself as a model does that found no way out, and as no page does.

A page may well repeat: a table of equal cells, leaders of dots, empty lines of a form. What tells a loop from these is that it
has words in it and goes on for long, or that it fills all that was left of the answer, which came to no end.

A run is a part of the text that is the same a period later, found by where its own words come again. So is one whose numbers
alone change, as in a list that a model goes on numbering.
"""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_DET = r"<\|det\|>[\[\]\d,\s]*(?:<\|/det\|>|\Z)"
_PLACES = re.compile(rf"<\|ref\|>.{{0,200}}?<\|/ref\|>(?:{_DET})?|{_DET}", re.DOTALL)
_SPACE = re.compile(r"\s+")
_NUMBERS = re.compile(r"\d+")
_TABLE = re.compile(r"</?t[dhr]\b|<(?:fcel|ecel|lcel|ucel|nl)>|\||&|\\\\")
_TAGS, _WORDS = re.compile(r"<[^>]*>?|[a-z]*>"), re.compile(r"[^\W\d_]+")
_STEP, _SEED = 48, 20  # characters between places at which a run is looked for, and of what must come again there
_LONGEST_PERIOD = 2_500
_CUT_RUN, _CUT_TIMES = 160, 2.5  # characters and periods of a run at the end of an answer that was cut off
_SENTENCE, _SENTENCES, _SENTENCES_RUN = 12, 4.0, 120  # letters of what is repeated, how often, and over how many characters
_WORD_RUN, _WORDY = 320, 0.25  # characters over which a word or two may be repeated; the share of letters that makes a word
_ROW, _ROW_WORDS, _ROWS = 12, 3, 24.0  # letters and different words of a table's row that is repeated, and how often
_NUMBERED, _NUMBERED_TIMES, _NUMBERED_RUN = 12, 8.0, 320  # the same of what alone its numbers change
_SIGNS_RUN = 12_000  # characters of dots or empty cells: no page has so many
_TAIL, _SQUEEZED = 2_400, 9.0  # characters at the end of an answer that was cut off, and how many times smaller zlib makes them


class Run(NamedTuple):
    """Part of a text, from `start` to `stop`, that is repeated every `period` characters."""

    start: int
    stop: int
    period: int

    @property
    def times(self) -> float:
        return (self.stop - self.start) / self.period


def is_loop(text: str, is_cut: bool) -> bool:
    """Whether an answer is a loop. `is_cut`: it came to no end."""
    plain = " ".join((_PLACES.sub(" ", text) if "<|" in text else text).split())
    if is_cut and _is_mostly_places(text, plain):
        return True
    if any(_repeats(plain, run, is_cut) for run in _runs(plain)):
        return True
    numbered = _NUMBERS.sub("0", plain)
    if any(_goes_on_numbering(numbered, run, is_cut) for run in _runs(numbered)):
        return True
    tail = numbered[-_TAIL:].encode(errors="surrogatepass")
    return is_cut and len(tail) >= _TAIL // 2 and len(tail) > _SQUEEZED * len(zlib.compress(tail, 6))


def _is_mostly_places(text: str, plain: str) -> bool:
    """Whether an answer that was cut off ends in places of regions in which nothing stands, one after another."""
    tail = text[-_TAIL:]
    return len(tail) >= _TAIL and len(_SPACE.sub(" ", _PLACES.sub(" ", tail))) < _TAIL // 10 and bool(plain or tail)


def _runs(text: str) -> Iterator[Run]:
    """Runs that are as long as one must be, each once or more."""
    stop = 0
    for at in range(0, len(text) - _SEED, _STEP):
        if at + _STEP <= stop:
            continue
        again = text.find(text[at : at + _SEED], at + 1, at + _LONGEST_PERIOD + _SEED)
        if again < 0:
            continue
        run = _extended(text, at, again - at)
        if run.stop - run.start >= _SENTENCES_RUN:
            stop = max(stop, run.stop)
            yield run


def _extended(text: str, at: int, period: int) -> Run:
    """The run through `at` with this period, as far as it goes."""
    start, stop = at, at + period
    while stop < len(text) and text[stop] == text[stop - period]:
        stop += 1
    while start > 0 and text[start - 1] == text[start - 1 + period]:
        start -= 1
    return Run(start, stop, period)


def _repeats(text: str, run: Run, is_cut: bool) -> bool:
    unit, length = text[run.start : run.start + run.period], run.stop - run.start
    letters = sum(map(str.isalpha, unit))
    if is_cut and _reaches_end(text, run) and length >= _CUT_RUN and run.times >= _CUT_TIMES:
        return True
    if not letters:
        return length >= _SIGNS_RUN
    if _TABLE.search(unit):
        words = _WORDS.findall(_TAGS.sub(" ", unit))
        return run.times >= _ROWS and len(set(words)) >= _ROW_WORDS and sum(map(len, words)) >= _ROW
    if letters >= _SENTENCE:
        return run.times >= _SENTENCES and length >= _SENTENCES_RUN
    return length >= _WORD_RUN and run.times >= _CUT_TIMES and letters >= _WORDY * run.period


def _goes_on_numbering(text: str, run: Run, is_cut: bool) -> bool:
    unit, length = text[run.start : run.start + run.period], run.stop - run.start
    if length < _NUMBERED_RUN or run.times < _NUMBERED_TIMES:
        return False
    if is_cut and _reaches_end(text, run):
        return True
    return not _TABLE.search(unit) and sum(map(str.isalpha, unit)) >= _NUMBERED


def _reaches_end(text: str, run: Run) -> bool:
    return run.stop >= len(text) - min(run.period, _STEP)
