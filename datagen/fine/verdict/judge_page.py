"""The worth of a page's labels: whether something confirms each region, and whether all of the page's ink lies in regions.

If two engines disagree on a region, its label is wrong or the page is hard. In both cases the region is held back. So agreement
sorts regions, as cross-model consistency sorts pages for MinerU2.5-Pro (arXiv 2604.04771). The ink is the second reader of
formulas, and of text in which two readers may make the same mistake.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy

from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.coarse.verdict.ink_lines import comparable
from datagen.engines import Engines, packaged, versions
from datagen.fine.verdict.mark_formulas import unread
from datagen.fine.verdict.page_shares import (
    is_read,
    pictured_share,
    size,
    unread_share,
    unread_text_share,
    weighted_mean,
)
from datagen.fine.verdict.raised_ink import with_scripts
from datagen.fine.verdict.read_again import ReadAgain, as_drawn, order_of
from datagen.fine.verdict.region_witness import doubted, is_text, read_otherwise
from datagen.formulas import drawing
from datagen.labels import PICTURES
from datagen.layouts import labeller
from datagen.markdown import markdown
from datagen.page.images import pixels
from datagen.page.masked import masked
from datagen.page.overlaps import overlap_share
from datagen.reading.line_readers import PPOCR, TESSERACT
from datagen.record import LACKING, Drop, Region, Sample
from datagen.risk import bounds
from datagen.risk.region_outcomes import threshold
from datagen.risk.region_outcomes import versions as calibration
from datagen.work.pipeline import Stage

_FORMULAS = frozenset({"formula_in_text", "incomplete"})
_PICTURED = _FORMULAS | {"ink_without_text"}


@dataclass(frozen=True)
class WeighLabels(Stage):
    """Checks each region with a second reader and with the ink, makes doubted regions unread, and judges the page.

    A second reader reads some lines again. It is another reader than the first: PP-OCRv6 if it knows the letters, else Tesseract
    in a language of the script, or the package's reader of the script. `lines_a_page` lines are read again if the text is the
    file's own, `read_lines_a_page` if an engine read the text, and a quarter of this by PP-OCR, which is slower. The first lines
    chosen are one of each region: the line of which the first reader was least sure. `seed` draws among equals. The worth of a
    region is the share of its characters on which both readers agree.

    - If the two readers differ in a word, both readings are drawn in the most similar typeface of this machine. The first reading
      stands if its drawing is more like the ink (`verdict.line_witness`).
    - If two engines differ on a line, in letters or signs, the package's reader of the script is the third reader, unless it was
      one of the two. A reading that the third reader confirms stays. A word on which the second and the third reader agree
      replaces the first reader's word, if all lines are read again (`outvoted`).
    - Letters that look alike count as one letter.
    - If no line of a region was read again in its script, its worth is that of regions with the same reader, font and script.
    - A table's score must be at least `min_table`, and its cells must have the letters of its lines.
    - LaTeX is drawn, for at most `formulas_a_page` formulas. The worth of a formula is the share of its signs that the ink has.
    - A second reading with hardly any characters is ignored if the first reader was sure. Apostrophes follow the second reader.
      Sub- and superscripts follow the ink.

    A region is doubted if its worth is less than `min_agreement`. For the file's own text, which
    `CompareInk` has judged by fonts, the limit is `min_file_agreement`. A region that an engine read and that nothing confirms is
    doubted, too. A doubted region becomes `is_unread`. Every other region's score becomes its worth times its score so far. But
    if more than `max_disputed` of what engines read is disputed or unchecked, these regions stay, and the page is suspect: a
    second reader that fails removes no text.

    Signals:
    `agreement`     the mean worth, by character, of the regions that are left, with formulas by their signs; absent if no second
                    reader knows the script of any line
    `formula_agreement`  the mean worth of formulas; absent if no formula was drawn
    `undrawn_`      with a reason of `NotDrawn`: the number of formulas that couldn't be compared
    `doubted_`      with a reason: the number of doubted regions. Reasons: `readers_disagree`, `unsure_table`, `unchecked`,
                    `readings_differ`
    `disputed_share`  the share of the lines' area in regions that a reader doubts, though the first reader may be right
    `unchecked_share`  the share in regions that an engine read and nothing confirms
    `unlike_share`  for pages that engines read: the share of text in lines in which the readers differ in any sign, unless the
                    ink confirms the first; `unlike_regions_share`: the share in regions with such a line
    `coverage`      the share of text-like ink that lies in a region
    `beside_pictures`  the share of it in lines, pictures and unread regions; absent if there is no picture, or if pictures hold
                    more than 1 - `min_recall` of the text
    `overlap_share` the share of lines that also lie in the box of another region
    `pictured_share`  the share of the lines' characters in pictures
    `unread_share`  the share of the regions' area that is unread
    `unread_text_share`  the share of the area that was unread before this stage and is neither a formula nor a table
    `worth`         the lower of agreement and coverage; absent without agreement
    `level`         0 is easy: agreement is at least `easy`. 2 is hard: it is less than `hard`. 1 is between. Absent without it

    `difficulty` is 1 minus `worth`. The page is suspect for these reasons:

    `readers_disagree`  more than `max_doubted` of the file's own text is disputed, or more than `max_disputed` of what engines
                    read; or the agreement of the file's own text is below `min_file_page`
    `reading_unchecked`  more than `max_disputed` of what engines read is disputed or unchecked, and some of it is unchecked
    `readings_differ`  `unlike_share` exceeds `max_unlike`, or `unlike_regions_share` exceeds `max_disputed`; if neither does, the
                    regions with such lines are unread
    `structure_in_doubt`  without a `risk`: the labeller's `structure_score` is below `min_structure`. Pages of engines that make
                    regions themselves have no score: nothing vouches for their structure. With a `risk`: doubted regions can't
                    be masked, for one of the reasons of `datagen.page.masked`
    `uncalibrated`  a `risk` was asked for, and too few outcomes show from which probability on it holds, see `datagen.risk`
    `tables_unchecked`  an engine read a table, and nothing checks its cells
    `tables_as_text`  a table of the page became text
    `text_in_pictures`  more than `max_pictured` of what engines read lies in regions labelled pictures, which may be wrong; for
                    the file's own text the limit is `max_pictured_text`
    `incomplete`    less than `min_coverage` of the ink lies in regions
    `regions_overlap`  more than `max_overlap` of the lines lie in two regions
    `unread_regions`  more than `max_unread_text` of the page is unread text

    With a `risk` (text, structure), regions are accepted one by one. A region is doubted if it is unread, or if its `structure`
    is below the probability from which on at most the second share of accepted regions is wrong. A page without another reason
    is trusted without its doubted regions, which are `masked`, if at least the share `keep` of its text's ink is accepted.
    `accepted_share` is this share, and `num_masked` counts the masks. The first share isn't used: no outcomes of texts are known.

    Without such a reason, a page that an engine read is trusted. So is a page that lacked only formulas, or only formulas and
    text in pictures (at most 1 - `min_recall` of the text, since more may be a scan of a page). Earlier reasons stay. A page with
    an unread region always has the reason `unread_regions`.
    """

    version: ClassVar[int] = 26

    lines_a_page: int = 8
    read_lines_a_page: int = 60
    formulas_a_page: int = 8
    easy: float = 0.98
    hard: float = 0.9
    min_agreement: float = 0.9
    min_file_agreement: float = 0.6
    min_table: float = 0.5
    max_doubted: float = 0.5
    max_disputed: float = 0.05
    min_coverage: float = 0.97
    min_recall: float = 0.7
    max_overlap: float = 0.02
    max_pictured: float = 0.15
    max_pictured_text: float = 0.4
    max_unlike: float = 0.08
    max_unread_text: float = 0.15
    min_file_page: float = 0.97
    min_structure: float = 0.6
    risk: tuple[float, ...] = ()
    keep: float = 0.6
    seed: int = 0
    batch_size: int = 1

    @property
    def rate(self) -> str:
        return "fine.page_core_s"  # covers all stages of an annotation

    def engines(self) -> dict[str, str]:
        calibrated = calibration() if self.risk else {}
        asked = versions(PPOCR) | versions(TESSERACT) | packaged.versions() | drawing.versions()
        return asked | labeller.versions() | calibrated

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            yield self.weighed(sample, engines)

    def weighed(self, page: Sample, engines: Engines) -> Sample:
        """The page with its signals, scores, difficulty and verdict. Raises `SampleError` if its image can't be decoded."""
        if page.image is None or not page.regions:
            return page
        image = pixels(page.image)
        gray = numpy.asarray(image[:, :, 1])
        again = ReadAgain(self.lines_a_page, self.read_lines_a_page, self.seed)
        page, witnesses_of = again.witnesses(page, gray, engines)
        page = with_scripts(as_drawn(page, witnesses_of.values()), gray)
        weights = {i: size(region) for i, region in enumerate(page.regions) if is_text(region)}
        reasons, silent = doubted(page, witnesses_of, self.min_agreement, self.min_file_agreement, self.min_table)
        shares_of = {
            name: sum(weights[i] for i in of) / max(1, sum(weights.values()))
            for name, of in (("disputed", reasons.keys()), ("unchecked", silent))
        }
        counts = Counter(reasons.values())
        if shares_of["disputed"] + shares_of["unchecked"] > self._most_unread(page):
            reasons = {}
        else:
            reasons |= dict.fromkeys(sorted(silent), "unchecked")
            counts["unchecked"] = len(silent)
        unlike = read_otherwise(page.regions, witnesses_of, reasons)
        if by_engines := is_read(page):
            reasons |= dict.fromkeys(unlike[2] if self._are_alike(*unlike[:2]) else (), "readings_differ")
            counts["readings_differ"] = [*reasons.values()].count("readings_differ")
        formulas, undrawn = self._formulas(page, gray)
        shares = {i: (of.agreement, of.chars) for i, of in witnesses_of.items() if of.lines} | formulas
        regions = tuple(_scored(region, reasons.get(i, ""), shares.get(i)) for i, region in enumerate(page.regions))
        signals = {"coverage": 1.0 - uncovered_ink(image, (region.box for region in regions))}
        if page.quality.signals.get("ink_recall", 1.0) >= self.min_recall and any(r.label in PICTURES for r in regions):
            textless = [r.box for r in regions if r.is_unread or r.label in PICTURES]
            lines = [line.box for r in regions for line in r.lines]
            signals["beside_pictures"] = 1.0 - uncovered_ink(image, [*textless, *lines])
        signals["overlap_share"] = overlap_share(regions)
        signals["pictured_share"] = pictured_share(page)
        signals["unread_share"] = unread_share(regions)
        signals |= {f"undrawn_{reason}": float(num) for reason, num in sorted(undrawn.items())}
        signals |= {f"doubted_{reason}": float(num) for reason, num in sorted(counts.items()) if num}
        signals |= {f"{name}_share": share for name, share in shares_of.items()}
        signals["unread_text_share"] = unread_text_share(page.regions)
        if by_engines:
            signals["unlike_share"], signals["unlike_regions_share"], _ = unlike
        if formulas:
            signals["formula_agreement"] = weighted_mean(list(formulas.values()))
        # Formulas alone don't confirm a text that no second reader has read.
        left = [shares[i] for i in shares if i not in reasons]
        if left and (any(witnesses_of[i].lines for i in witnesses_of) or not _has_lines(page)):
            signals["agreement"] = weighted_mean(left)
            signals["worth"] = min(signals["agreement"], signals["coverage"])
            signals["level"] = float((signals["agreement"] < self.easy) + (signals["agreement"] < self.hard))
        difficulty = 1.0 - signals["worth"] if "worth" in signals else -1.0
        judged = replace(page, regions=regions, text=markdown(regions) if reasons else page.text, difficulty=difficulty)
        verdict, why = self._judged(judged, page, signals)
        judged = judged.with_quality(verdict, why, **signals)
        return self._at_risk(judged, "image" if by_engines else "pdf", reasons) if self.risk and verdict == "trusted" else judged

    def _at_risk(self, page: Sample, kind: str, reasons: Mapping[int, str]) -> Sample:
        """The trusted page without the regions that the `risk` refuses; suspect if it can't be had."""
        least, why = threshold(kind, self.risk[1]).confidence, page.quality.reasons
        if least >= bounds.NOBODY:
            return page.with_quality("suspect", (*why, "uncalibrated"))
        unsure = {i: "structure_in_doubt" for i, region in enumerate(page.regions) if (region.structure or 0.0) < least}
        unread = {i: reasons.get(i, "unread") for i, region in enumerate(page.regions) if region.is_unread}
        outcome = masked(page, unsure | unread, self.keep)
        share = {"accepted_share": outcome.accepted_share, "num_masked": float(len(outcome.page.masked))}
        if outcome.reason:
            return page.with_quality("suspect", (*why, "structure_in_doubt", outcome.reason), **share)
        return outcome.page.with_quality("trusted", tuple(reason for reason in why if reason != "unread_regions"), **share)

    def _are_alike(self, share_of_lines: float, share_of_regions: float) -> bool:
        return share_of_lines <= self.max_unlike and share_of_regions <= self.max_disputed

    def _most_unread(self, page: Sample) -> float:
        """The largest share of the page that may become unread because it is disputed or unchecked."""
        return self.max_disputed if is_read(page) else self.max_doubted

    def _judged(self, page: Sample, before: Sample, signals: dict[str, float]) -> tuple[str, tuple[str, ...]]:
        """The verdict and the reasons of the judged `page`. `before` is the page before regions became unread."""
        by_engines = is_read(before)
        most, score = self._most_unread(before), before.quality.signals.get("structure_score", 0.0)
        against = {
            "structure_in_doubt": not self.risk and score < self.min_structure,
            "readings_differ": not self._are_alike(*(signals.get(f"unlike{of}_share", 0.0) for of in ("", "_regions"))),
            "tables_unchecked": by_engines and any(r.format == "html" and not r.is_unread for r in page.regions),
            "incomplete": signals["coverage"] < self.min_coverage,
            "unread_regions": signals["unread_text_share"] > self.max_unread_text,
            "regions_overlap": signals["overlap_share"] > self.max_overlap,
            "readers_disagree": signals["disputed_share"] > most
            or (not by_engines and signals.get("agreement", 1.0) < self.min_file_page),
            "tables_as_text": "tables_as_text" in before.quality.signals,
            "text_in_pictures": signals["pictured_share"] > (self.max_pictured if by_engines else self.max_pictured_text),
            "reading_unchecked": signals["unchecked_share"] > 0 and signals["disputed_share"] + signals["unchecked_share"] > most,
        }
        verdict, reasons = page.quality.verdict, page.quality.reasons
        lacks = LACKING & set(reasons) if verdict == "suspect" and page.quality.words_hold else set()
        lacks_formulas = "formula_in_text" in lacks and lacks <= _FORMULAS
        is_pictured = lacks and lacks <= _PICTURED and signals.get("beside_pictures", 0.0) >= self.min_coverage
        if by_engines or lacks_formulas or is_pictured:
            verdict = "trusted"  # two readers that agree outweigh one reader's doubt
        if not page.text:
            verdict = "none"
        elif any(against.values()):
            verdict = "suspect"
        more = [reason for reason, holds in against.items() if holds]
        more += ["unread_regions"] if any(region.is_unread for region in page.regions) else []
        return verdict, tuple(dict.fromkeys([*reasons, *more]))

    def _formulas(self, page: Sample, gray: numpy.ndarray) -> tuple[dict[int, tuple[float, int]], Counter[str]]:
        """For the index of each compared formula: the likeness of LaTeX and ink, and the number of signs. Then the counts of
        reasons why other formulas weren't compared."""
        from datagen.formulas import compare_ink  # loads scipy and what draws

        likenesses, undrawn = dict[int, tuple[float, int]](), Counter[str]()
        read = [i for i, region in enumerate(page.regions) if region.format == "latex" and region.text and not region.is_unread]
        for i in sorted(read, key=lambda i: order_of(self.seed, page, i))[: self.formulas_a_page]:
            x0, y0, x1, y1 = page.regions[i].box
            try:
                likenesses[i] = compare_ink.compared(page.regions[i].text, gray[y0:y1, x0:x1])
            except drawing.NotDrawn as error:
                undrawn[error.reason] += 1
        return likenesses, undrawn


def _has_lines(page: Sample) -> bool:
    return any(is_text(region) and any(map(comparable, region.lines)) for region in page.regions)


def _scored(region: Region, reason: str, share: tuple[float, int] | None) -> Region:
    """The region with its score times its `share`; unread if there is a `reason` for doubt."""
    if share is not None:
        region = replace(region, score=share[0] * (1.0 if region.score is None else region.score))
    return unread(region) if reason else region
