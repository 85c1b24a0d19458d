"""Stages that drop pages which aren't worth a place in a corpus. Each stage has a reason of its own.

Limits count characters, not words, so they suit scripts without spaces between words. No stage drops pages without text: the
verdicts of such pages say what they are.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datagen.engines import Engines
from datagen.record import Drop, Sample
from datagen.work.pipeline import DOCUMENT, Stage

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class DropRepetition(Stage):
    """Drops pages that say the same again and again, for the reason `repetition`.

    A page is dropped if more than `max_line_share` of its characters are in lines that repeat earlier lines, or if one run of
    `run` letters comes back and makes up more than `max_run_share` of the letters. The measures follow Gopher's repetition
    filters (Rae et al. 2021), by characters. The limits are ours.
    """

    max_line_share: float = 0.3
    max_run_share: float = 0.2
    run: int = 12
    min_chars: int = 200
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            detail = self._repeated(sample)
            yield sample.drop("repetition", type(self).__name__, detail) if detail else sample

    def _repeated(self, sample: Sample) -> str:
        if len(sample.text) < self.min_chars:
            return ""
        seen: Counter[str] = Counter(_dense(line) for line in _lines(sample))
        total = sum(len(line) * n for line, n in seen.items())
        again = sum(len(line) * (n - 1) for line, n in seen.items())
        if total and again / total > self.max_line_share:
            return f"{again / total:.0%} in lines that were there before"
        letters = "".join(c for c in sample.text if c.isalpha())
        runs = Counter(letters[i : i + self.run] for i in range(len(letters) - self.run + 1))
        ((often, num),) = runs.most_common(1) or [("", 0)]
        if num > 2 and num * self.run / len(letters) > self.max_run_share:
            return f"{often!r} {num} times"
        return ""


@dataclass(frozen=True)
class DropBoilerplate(Stage):
    """Drops pages that mostly repeat other pages of their document, for the reason `boilerplate`.

    A page is dropped if more than `max_share` of its characters are in lines that at least `min_pages` pages of the document
    have. Lines that differ only in numbers count as the same. The stage takes a document's pages together.
    """

    max_share: float = 0.8
    min_pages: int = 3
    batch_size: int = field(default=DOCUMENT, init=False)

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        pages = [[_DIGITS.sub("0", _dense(line)) for line in _lines(sample)] for sample in batch]
        having = Counter(line for lines in pages for line in set(lines))
        for sample, lines in zip(batch, pages, strict=True):
            total = sum(map(len, lines))
            shared = sum(len(line) for line in lines if having[line] >= self.min_pages)
            if total and shared / total > self.max_share:
                yield sample.drop("boilerplate", type(self).__name__, f"{shared / total:.0%} as on other pages")
            else:
                yield sample


@dataclass(frozen=True)
class DropLowInformation(Stage):
    """Drops pages with fewer letters than `min_letters`, or with a smaller share of letters than `min_letter_share`, for the
    reason `low_information`."""

    min_letters: int = 20
    min_letter_share: float = 0.3
    batch_size: int = 1

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            dense = _dense(sample.text)
            num = sum(unicodedata.category(c)[0] in "LM" for c in dense)
            if dense and (num < self.min_letters or num / len(dense) < self.min_letter_share):
                yield sample.drop("low_information", type(self).__name__, f"{num} letters of {len(dense)} characters")
            else:
                yield sample


def _lines(sample: Sample) -> list[str]:
    return [line.text for region in sample.regions for line in region.lines]


def _dense(text: str) -> str:
    return "".join(text.split())
