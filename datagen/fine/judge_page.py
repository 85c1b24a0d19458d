"""What a page's labels are worth: whether another reader agrees with them, and whether all of the page's ink has one.

Where engines disagree, a label is wrong or the page is hard, and nobody needs to know which to keep the page back. So agreement
sorts pages, as cross-model consistency does for MinerU2.5-Pro (arXiv 2604.04771). A formula is drawn again, and its ink is the
second reader.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy

from datagen.coarse.answers import BY
from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.coarse.verdict.ink_lines import comparable, text_error
from datagen.engines import Engines, ppocr, tesseract, versions
from datagen.formulas import compare_ink, render
from datagen.formulas.render import NotDrawn
from datagen.page.boxes import area
from datagen.page.images import pixels
from datagen.page.overlaps import overlap_share
from datagen.record import Drop, Line, Sample
from datagen.work.pipeline import Stage
from datagen.writing.lookalikes import fold

_PP_ALPHABET = 0.99


@dataclass(frozen=True)
class WeighLabels(Stage):
    """Has a second reader read some lines of every page, and says what the page's labels are worth.

    Of each page `lines_a_page` lines are read, drawn by `seed`, each of another region while there are some. The second reader is
    one that didn't read the text itself: PP-OCRv6 where it knows the letters, else Tesseract. A region of which lines were read
    gets their agreement as its score, times the score that it had. A formula's LaTeX is drawn again, of at most
    `formulas_a_page`, and the share of its signs that are those of its ink is its agreement: see `formula_ink`.

    Signals:
    `agreement`     of the lines that were read twice, the share of characters that both readers have, and of formulas the
                    share of signs. Absent where no second reader knows the script of the lines that are there
    `formula_agreement`  the same of formulas alone; absent where none was drawn
    `undrawn_`      with a reason of `NotDrawn`: the number of formulas that couldn't be compared, and have no agreement
    `coverage`      the share of ink like text that lies in a region
    `overlap_share` the share of lines that lie in the box of another region, too
    `unread_share`  the share of the regions' area that no engine has read
    `worth`         the lesser one of agreement and coverage; absent where there is no agreement
    `level`         by agreement: 0 is easy, at least `easy`; 2 is hard, under `hard`; 1 is between; absent where there is none

    `difficulty` is 1 less `worth`. Reasons: a page of which less than `min_coverage` of the ink has a region is `incomplete`, and
    suspect. So is a page of whose lines more than `max_overlap` lie in two regions (`regions_overlap`), and one that an engine
    read, if agreement is under `min_agreement` (`readers_disagree`) or absent (`reading_unchecked`). Two readers who agree are
    believed, however unsure one of them is. A page with regions that nobody has read keeps its verdict, and has the reason
    `unread_regions`.
    """

    version: ClassVar[int] = 3

    lines_a_page: int = 8
    formulas_a_page: int = 8
    easy: float = 0.98
    hard: float = 0.9
    min_agreement: float = 0.8
    min_coverage: float = 0.97
    max_overlap: float = 0.02
    seed: int = 0
    batch_size: int = 1

    @property
    def rate(self) -> str:
        return "fine.page_core_s"  # what all stages of an annotation cost

    def engines(self) -> dict[str, str]:
        return versions("ppocr") | versions("tesseract") | render.versions()

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            yield self.weighed(sample, engines)

    def weighed(self, page: Sample, engines: Engines) -> Sample:
        """The page with its signals, scores, difficulty and verdict. Raises `SampleError` if its image can't be decoded."""
        if page.image is None or not page.regions:
            return page
        image = pixels(page.image)
        agreements = self._agreements(page, image, engines)
        formulas, undrawn = self._formulas(page, image)
        if agreements or not self._drawn(page):  # formulas alone don't speak for a text that nobody read again
            agreements |= formulas
        signals = {"coverage": 1.0 - uncovered_ink(image, (region.box for region in page.regions))}
        signals["overlap_share"] = overlap_share(page.regions)
        areas = {is_unread: sum(area(r.box) for r in page.regions if r.is_unread is is_unread) for is_unread in (True, False)}
        signals["unread_share"] = areas[True] / max(1, areas[True] + areas[False])
        signals |= {f"undrawn_{reason}": float(num) for reason, num in sorted(undrawn.items())}
        if formulas:
            signals["formula_agreement"] = _mean([pair for of_region in formulas.values() for pair in of_region])
        if agreements:
            signals["agreement"] = _mean([pair for of_region in agreements.values() for pair in of_region])
            signals["worth"] = min(signals["agreement"], signals["coverage"])
            signals["level"] = float((signals["agreement"] < self.easy) + (signals["agreement"] < self.hard))
        agreements |= formulas
        regions = tuple(
            replace(region, score=_mean(agreements[i]) * (1.0 if region.score is None else region.score))
            if i in agreements
            else region
            for i, region in enumerate(page.regions)
        )
        difficulty = 1.0 - signals["worth"] if "worth" in signals else -1.0
        verdict, reasons = self._judged(page, signals)
        return replace(page, regions=regions, difficulty=difficulty).with_quality(verdict, reasons, **signals)

    def _judged(self, page: Sample, signals: dict[str, float]) -> tuple[str, tuple[str, ...]]:
        by_engine = sum(len(region.text) for region in page.regions if region.by != BY)
        is_read = 2 * by_engine > sum(len(region.text) for region in page.regions)
        doubts = {
            "incomplete": signals["coverage"] < self.min_coverage,
            "regions_overlap": signals["overlap_share"] > self.max_overlap,
        }
        verdict, reasons = page.quality.verdict, page.quality.reasons
        if is_read:
            doubts["reading_unchecked"] = "agreement" not in signals
            doubts["readers_disagree"] = signals.get("agreement", 1.0) < self.min_agreement
            if "agreement" in signals:  # two readers know more than one that is unsure
                verdict, reasons = "trusted", ()
        if not page.text:
            verdict = "none"
        elif any(doubts.values()):
            verdict = "suspect"
        more = [reason for reason, holds in doubts.items() if holds]
        more += ["unread_regions"] if any(region.is_unread for region in page.regions) else []
        return verdict, tuple(dict.fromkeys([*reasons, *more]))

    def _agreements(self, page: Sample, image: numpy.ndarray, engines: Engines) -> dict[int, list[tuple[float, int]]]:
        """By the index of a region: of its lines that were read again, the agreement and the number of characters."""
        drawn = self._drawn(page)
        name, lang = second_reader(page, [line for _, line in drawn])
        if not name:
            return {}
        gray = numpy.asarray(image[:, :, 1])
        reader = engines.get(name)
        agreements: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for i, line in drawn:
            cut = cut_out(gray, line, page.lang)
            ((text, _),) = reader.read([cut.crop], lang)
            # A reader takes letters that look alike in two scripts for either.
            error = text_error([fold(cut.line.text, page.script)], [fold(text, page.script)])
            agreements[i].append((1.0 - error, len(cut.line.text)))
        return agreements

    def _formulas(self, page: Sample, image: numpy.ndarray) -> tuple[dict[int, list[tuple[float, int]]], Counter[str]]:
        """By the index of a region: how like its ink its LaTeX is, and its number of signs; and why others weren't compared."""
        gray = numpy.asarray(image[:, :, 1])
        likenesses: dict[int, list[tuple[float, int]]] = {}
        undrawn: Counter[str] = Counter()
        read = [i for i, region in enumerate(page.regions) if region.format == "latex" and region.text and not region.is_unread]
        for i in sorted(read, key=lambda i: self._order(page, i))[: self.formulas_a_page]:
            x0, y0, x1, y1 = page.regions[i].box
            try:
                likenesses[i] = [compare_ink.compared(page.regions[i].text, gray[y0:y1, x0:x1])]
            except NotDrawn as error:
                undrawn[error.reason] += 1
        return likenesses, undrawn

    def _order(self, page: Sample, *place: int) -> bytes:
        named = "/".join(map(str, (self.seed, page.origin.sha256, page.origin.page, *place)))
        return hashlib.sha256(named.encode()).digest()

    def _drawn(self, page: Sample) -> list[tuple[int, Line]]:
        """Lines to read, with the index of their region: one of each region first, in an order that follows from the content."""

        lines: list[tuple[int, bytes, int, Line]] = []
        for i, region in enumerate(page.regions):
            if region.text and not region.is_unread and region.format != "latex":
                of_region = sorted((self._order(page, i, n), n) for n, line in enumerate(region.lines) if comparable(line))
                lines += [(turn, key, i, region.lines[n]) for turn, (key, n) in enumerate(of_region)]
        return [(i, line) for _, _, i, line in sorted(lines, key=lambda entry: entry[:3])[: self.lines_a_page]]


def second_reader(page: Sample, lines: Sequence[Line]) -> tuple[str, str]:
    """The name of an engine that can read these lines and didn't, "" for none, and the language to read in."""
    letters = Counter(c for line in lines for c in line.text if c.isalpha())
    if not letters:
        return "", ""
    readers = {region.by for region in page.regions}
    if "ppocr" not in readers and ppocr.alphabet_share(letters) >= _PP_ALPHABET:
        return "ppocr", page.lang
    lang = tesseract.second_language(page.lang, page.script)
    return ("tesseract", lang) if lang and "tesseract" not in readers else ("", "")


def _mean(weighted: Sequence[tuple[float, int]]) -> float:
    return sum(value * weight for value, weight in weighted) / max(1, sum(weight for _, weight in weighted))
