"""The paper's table of compression (arXiv 2510.18234, table 2): how much of a page's text comes back out of few vision tokens.

Pages of 600 to 1,299 text tokens, in bins of a hundred, read in the modes tiny and small, whose images are 64 and 100 tokens. Of
each bin: how many text tokens a vision token stands for, and the precision. The paper doesn't say how it counts that. Here stands
what Fox's code calls precision, by sets of words, and beside it 1 - the edit distance over the longer text's length, which knows
of order, of what was invented and of what is missing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from rapidfuzz.distance import Levenshtein

from datagen.score import benchmarks
from datagen.score.benchmarks import FoxPage
from datagen.score.scores import mean

BINS = range(600, 1300, 100)
"""Where bins begin; each ends where the next one begins."""
VISION_TOKENS = {"tiny": 64, "small": 100, "base": 256, "large": 400}
"""Of an image in each mode, as the paper counts them: without newlines and the separator (table 1)."""
_SPACE = re.compile(r"\s+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


@dataclass(frozen=True)
class PageReading:
    """What a model read on a page in a mode: `truth` and `answer` are plain text, `num_tokens` are the truth's, by the model's
    tokenizer."""

    page: str
    mode: str
    num_tokens: int
    truth: str
    answer: str

    @property
    def bin(self) -> int:
        """Where the page's bin begins; 0 of a page that is in none."""
        begin = self.num_tokens // BINS.step * BINS.step
        return begin if begin in BINS else 0

    @property
    def precision(self) -> float:
        """What Fox's code calls so: the share of the truth's different words that the answer has, since that code exchanges the
        two. Characters stand for words where a language parts none by spaces."""
        truth = set(words(self.truth))
        return len(truth & set(words(self.answer))) / len(truth) if truth else 0.0

    @property
    def likeness(self) -> float:
        """1 - the edit distance over the longer one's length; runs of white space count as one space."""
        return Levenshtein.normalized_similarity(_flat(self.truth), _flat(self.answer))


def words(text: str) -> list[str]:
    """The words of a text; where it has signs of Chinese, Japanese or Thai, its characters."""
    return list(_SPACE.sub("", text)) if _WIDE.search(text) else text.split()


def table(readings: Sequence[PageReading]) -> list[dict[str, Any]]:
    """A row for each bin that has pages, and one of all, 0, behind them: `bin`, `num_pages`, and by mode `compression`,
    `precision` and `likeness`, each with an interval of 95% by bootstrap over pages."""
    modes = list(dict.fromkeys(reading.mode for reading in readings))
    rows = []
    for begin in (*BINS, 0):
        chosen = [reading for reading in readings if reading.bin and begin in (0, reading.bin)]
        if not chosen:
            continue
        of_modes = {mode: [reading for reading in chosen if reading.mode == mode] for mode in modes}
        cells = {mode: _cell(of_mode) for mode, of_mode in of_modes.items() if of_mode}
        rows.append({"bin": begin, "num_pages": len({reading.page for reading in chosen}), "modes": cells})
    return rows


def _cell(readings: Sequence[PageReading]) -> dict[str, Any]:
    of_mode = VISION_TOKENS[readings[0].mode]
    cell: dict[str, Any] = {"compression": fmean(reading.num_tokens for reading in readings) / of_mode}
    for name in ("precision", "likeness"):
        of_mode_and_bin = mean([(getattr(reading, name), 1.0) for reading in readings])
        cell |= {name: of_mode_and_bin.value, f"{name}_low": of_mode_and_bin.low, f"{name}_high": of_mode_and_bin.high}
    return cell


def lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The table for people, a line for each bin and mode: text tokens over vision tokens, and both measures with intervals."""
    text = []
    for row in rows:
        begin = f"{row['bin']}-{row['bin'] + BINS.step}" if row["bin"] else "all"
        for mode, cell in row["modes"].items():
            vision, ratio = VISION_TOKENS[mode], cell["compression"]
            words, edits = (_percent(cell, name) for name in ("precision", "likeness"))
            tokens = f"{ratio * vision:.0f}/{vision} = {ratio:.1f}x"
            text.append(f"{begin:>9} {row['num_pages']:>4} pages, {mode} {tokens}: {words} by words, {edits} by edits")
    return text


def _percent(cell: Mapping[str, Any], name: str) -> str:
    return f"{100 * cell[name]:.1f}% ({100 * cell[f'{name}_low']:.1f} to {100 * cell[f'{name}_high']:.1f})"


def fox_pages(folder: str, lang: str) -> list[FoxPage]:
    """The pages of Fox's task page OCR in the language `en` or `cn`. Raises `ValueError` if there are none, or images lack."""
    pages = benchmarks.fox_pages(folder, "input", (f"{lang}_page_ocr.json",))
    if missing := [page.image.name for page in pages if not page.image.is_file()]:
        raise ValueError(f"input=fox:{folder}: {len(missing)} images are missing, {missing[0]} the first")
    return pages


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
