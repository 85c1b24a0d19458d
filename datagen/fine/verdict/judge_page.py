"""What a page's labels are worth: whether something speaks for each region, and whether all of the page's ink lies in one.

Where engines disagree, a label is wrong or the page is hard, and nobody needs to know which to keep the region back. So agreement
sorts regions, as cross-model consistency sorts pages for MinerU2.5-Pro (arXiv 2604.04771). Where readers share a weakness, and of
formulas, the ink is the second reader.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy

from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.coarse.verdict.ink_lines import comparable
from datagen.engines import Engines, packaged, versions
from datagen.fine.verdict import page_doubts
from datagen.fine.verdict.bold_ink import bold_alone
from datagen.fine.verdict.doubtful_regions import doubtful, scored, set_aside
from datagen.fine.verdict.heading_ink import with_heading_levels
from datagen.fine.verdict.page_shares import (
    hidden_share,
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
from datagen.fine.verdict.structure_doubts import SPACES, doubts
from datagen.fine.verdict.torn_regions import glued_in_columns
from datagen.formulas import drawing
from datagen.labels import PICTURES
from datagen.markdown import markdown
from datagen.page.images import pixels
from datagen.page.overlaps import overlap_share
from datagen.reading.line_readers import PPOCR, TESSERACT
from datagen.record import LACKING, Drop, Sample
from datagen.work.pipeline import Stage

_FORMULAS = frozenset({"formula_in_text", "incomplete"})
_PICTURED = _FORMULAS | {"ink_without_text"}
_OPINIONS = frozenset({"readers_disagree", "ink_disagrees", "spaces_disagree", "unsure_table"})
"""Reasons of which the first reader may be right: a second one fails, too, and so does the likeness of ink."""
_OF_TEXT = page_doubts.TEXT.keys() | {"scripts"}


@dataclass(frozen=True)
class WeighLabels(Stage):
    """Asks what speaks for each region, makes those unread that can't be believed, and says what the page's labels are worth.

    Some lines are read by a second reader, one that didn't read them first: PP-OCRv6 where it knows the letters, else Tesseract
    in a language of their script, or the script's reader that comes with the package. Of the file's own text these are
    `lines_a_page`, of what an engine read `read_lines_a_page`, and a quarter of that where PP-OCR reads them, which takes it
    longer. One of each region comes first, the one of which its reader was least sure; `seed` draws among equals. A region is
    worth the share of its characters that both readers have.

    - Where the two differ in letters, the ink of each word decides (`verdict.line_witness`), by which of the two it is more like,
      drawn in the typeface of this machine that is most like it. A font of the file's in which one letter is often read as one
      other, and is more like it in the mean, lies.
    - Of a line that two engines read otherwise, in letters or signs, the script's reader that comes with the package is asked,
      too, if it is neither of them. Where it has what the first one read, that stands; a word that it has as the second one
      does is written so, if all lines are read again (`majority`).
    - Two readers that share a weakness count as one. Letters that look alike are one letter. The gaps in the ink tell spaces. A
      line whose ink is much wider than its text would be says more than was read, such as letters that no reader knows. Ink of
      which a reader is surer turned over is a reflection, which is looked for in `mirrors_a_page` lines.
    - A region without such a line in its script is worth what those of its kind are: of one reader, font and script.
    - A table needs `min_table` of its own reader's score, and the letters of its lines in its cells.
    - A formula's LaTeX is drawn again, of at most `formulas_a_page`: it is worth the share of its signs that its ink has.
    - Of a line that its reader was sure of, a reading with hardly anything is none. Apostrophes are as the second reader sees,
      sub- and superscripts as the ink shows them, and headings that were read as deep as it and their numbers say.

    A region is doubted if it is worth less than `min_agreement` (of the file's own text, which `CompareInk` judged by its fonts,
    `min_file_agreement`) or the ink speaks against it. So is one that an engine read and nothing speaks for. What is doubted
    becomes `is_unread`. What is left has its worth as its score, times the score that it had. But if readers and their ink
    dispute, or leave unchecked, more than `max_disputed` of what engines read, all of that stays and the page is suspect: a
    second reader that fails takes nothing away. If more of it would be unread for all reasons together, it stays likewise.

    Signals:
    `agreement`     of the regions that are left, the mean worth by character, and of formulas the share of signs. Absent where no
                    second reader knows the script of any line
    `formula_agreement`  the same of formulas alone; absent where none was drawn
    `undrawn_`      with a reason of `NotDrawn`: the number of formulas that couldn't be compared, and have no agreement
    `doubted_`      with a reason, the number of doubted regions: `readers_disagree`, `ink_disagrees`, `ink_says_more`,
                    `spaces_disagree`, `unsure_table`, `mirrored`, `unchecked`, `structure`
    `doubted_share` the share of the lines' area in regions that the ink or a reader doubts
    `disputed_share`  the share in those of them of which the first reader may be right
    `ink_more_share`  the share in those whose ink says more than was read: of a page that was read in another script, much
    `unchecked_share`  the share in regions that an engine read and nothing speaks for
    `unlike_share`  of pages that engines read, the share of the text in lines of which two readers read any sign otherwise, and
                    the ink doesn't keep it; `unlike_regions_share`, in regions with such a line
    `contradiction_`  with a kind, how often the page contradicts itself: see `structure_doubts` and `page_doubts`. `heading` also
                    counts texts of a bold line (`bold_ink`), headings of unclear depth, and headings that look like text
                    (`heading_ink`). `glued` also counts paragraphs that their column's edge divides (`torn_regions`). `items`
                    also counts items whose sign only the second reader has. `scripts` counts regions whose ink has sub- or
                    superscripts that their text lacks (`raised_ink`). Absent where the doubted regions are unread
    `coverage`      the share of ink like text that lies in a region
    `beside_pictures`  the share in lines, pictures and what is unread; absent without pictures, or if most text lies in them
    `overlap_share` the share of lines that lie in the box of another region, too
    `pictured_share`  the share of the characters of lines that lie in what the layout has for pictures
    `unread_share`  the share of the regions' area that is unread
    `spared_share`  the share of what engines read that would be unread, if it is too much for that and stays
    `unread_text_share`  the share that came unread, and is neither a formula nor a table
    `worth`         the lesser one of agreement and coverage; absent where there is no agreement
    `level`         by agreement: 0 is easy, at least `easy`; 2 is hard, under `hard`; 1 is between; absent where there is none

    `difficulty` is 1 less `worth`. The verdict follows from the page's regions and from the ink outside of them. It is suspect if

    `readers_disagree`  more than `max_doubted` of it is doubted, more than `max_disputed` of what engines read disputed, or more
                    than `max_ink_more` says more than was read, or the file's own text agrees less than `min_file_page`
    `reading_unchecked`  likewise, by what is unchecked
    `readings_differ`  more than `max_unlike` isn't read alike, or more than `max_disputed` lies in such regions, else unread
    `structure_in_doubt`, `spaces_in_doubt`, `text_in_doubt`  it has such a doubt, or fonts don't tell code (`code_doubts`)
    `tables_unchecked`  an engine read a table, and nothing tells its cells a second time. If nothing but this and such doubts
                    speaks against the page, and none is left where at most `max_aside` of its text is unread (of what engines
                    read `max_disputed`), that is unread instead (`doubtful_regions`)
    `tables_as_text`  a table of it became text
    `text_in_pictures`  more than `max_pictured` of what engines read lies in pictures, which may be none; of the file's own text
                    more than `max_pictured_text`
    `incomplete`    less than `min_coverage` of its ink is in regions
    `regions_overlap`  more than `max_overlap` of its lines lie in two
    `unread_regions`  more than `max_unread_text` of it is text that nobody has read

    Else a page that an engine read is trusted, and so is one that lacked formulas alone, which are unread or read by now, or text
    in pictures (at most 1 - `min_recall` of its text: more may be a page's scan). Reasons that it had stay, and one with regions
    that nobody has read has the reason `unread_regions`.
    """

    version: ClassVar[int] = 20

    lines_a_page: int = 8
    read_lines_a_page: int = 60
    formulas_a_page: int = 8
    mirrors_a_page: int = 2
    easy: float = 0.98
    hard: float = 0.9
    min_agreement: float = 0.9
    min_file_agreement: float = 0.6
    min_table: float = 0.5
    max_doubted: float = 0.5
    max_disputed: float = 0.05
    max_ink_more: float = 0.2
    min_coverage: float = 0.97
    min_recall: float = 0.7
    max_overlap: float = 0.02
    max_pictured: float = 0.15
    max_pictured_text: float = 0.4
    max_unlike: float = 0.08
    max_unread_text: float = 0.15
    max_aside: float = 0.2
    min_file_page: float = 0.97
    seed: int = 0
    batch_size: int = 1

    @property
    def rate(self) -> str:
        return "fine.page_core_s"  # what all stages of an annotation cost

    def engines(self) -> dict[str, str]:
        return versions(PPOCR) | versions(TESSERACT) | packaged.versions() | drawing.versions()

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            yield self.weighed(sample, engines)

    def weighed(self, page: Sample, engines: Engines) -> Sample:
        """The page with its signals, scores, difficulty and verdict. Raises `SampleError` if its image can't be decoded."""
        if page.image is None or not page.regions:
            return page
        image = pixels(page.image)
        gray = numpy.asarray(image[:, :, 1])
        again = ReadAgain(self.lines_a_page, self.read_lines_a_page, self.mirrors_a_page, self.seed)
        page, found = again.witnesses(page, gray, engines)
        page, headings = with_heading_levels(as_drawn(page, found.values()), gray)
        page, flat = with_scripts(page, gray)
        weights = {i: size(region) for i, region in enumerate(page.regions) if is_text(region)}
        reasons, silent = doubted(page, found, self.min_agreement, self.min_file_agreement, self.min_table)
        opinions = {i for i in reasons if reasons[i] in _OPINIONS}
        shares_of = {
            name: sum(weights[i] for i in of) / max(1, sum(weights.values()))
            for name, of in (
                ("doubted", reasons.keys()),
                ("disputed", opinions),
                ("ink_more", [i for i in reasons if reasons[i] == "ink_says_more"]),
                ("unchecked", silent),
            )
        }
        counts = Counter(reasons.values())
        if shares_of["disputed"] + shares_of["unchecked"] > self._most_unread(page):
            reasons = {i: reason for i, reason in reasons.items() if i not in opinions}
        else:
            reasons |= dict.fromkeys(sorted(silent), "unchecked")
            counts["unchecked"] = len(silent)
        unlike = read_otherwise(page.regions, found, reasons)
        if by_engines := is_read(page):
            reasons |= dict.fromkeys(unlike[2] if self._are_alike(*unlike[:2]) else (), "readings_differ")
            counts["readings_differ"] = [*reasons.values()].count("readings_differ")
        formulas, undrawn = self._formulas(page, gray)
        shares = {i: (of.agreement, of.chars) for i, of in found.items() if of.lines} | formulas
        regions = tuple(scored(region, reasons.get(i, ""), shares.get(i)) for i, region in enumerate(page.regions))
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
        lacking = [i for i, of in found.items() if i not in reasons for line in of.all_lines if by_engines and line.lacks_sign]
        bold = [*bold_alone(page.regions, gray), *headings]
        glued = glued_in_columns(page.regions)
        contradictions = doubts(page) + page_doubts.doubts(page)
        contradictions += Counter(heading=len(bold), glued=len(glued), items=len(lacking), scripts=len(flat))
        if formulas:
            signals["formula_agreement"] = weighted_mean(list(formulas.values()))
        # Formulas alone don't speak for a text that nobody read again.
        left = [shares[i] for i in shares if i not in reasons]
        if left and (any(found[i].lines for i in found) or not _has_lines(page)):
            signals["agreement"] = weighted_mean(left)
            signals["worth"] = min(signals["agreement"], signals["coverage"])
            signals["level"] = float((signals["agreement"] < self.easy) + (signals["agreement"] < self.hard))
        difficulty = 1.0 - signals["worth"] if "worth" in signals else -1.0
        judged = replace(page, regions=regions, text=markdown(regions) if reasons else page.text, difficulty=difficulty)
        tables = {i for i, region in enumerate(regions) if by_engines and region.format == "html" and not region.is_unread}
        is_true_else = bool(contradictions or tables) and self._judged(set_aside(judged, tables), page, signals)[0] == "trusted"
        most_aside = min(self.max_aside, self._most_unread(page))
        aside = doubtful(judged, {*bold, *glued, *lacking, *flat, *tables}, most_aside) if is_true_else else None
        if aside is not None:
            judged = set_aside(judged, aside)
            signals |= {"doubted_structure": float(len(aside)), "unread_share": unread_share(judged.regions)}
        if by_engines and (share := hidden_share(page, judged)) > self.max_disputed:
            of_page = enumerate(zip(page.regions, judged.regions, strict=True))
            regions = tuple(scored(old, "", shares.get(i)) if is_text(old) else new for i, (old, new) in of_page)
            judged, aside = replace(judged, regions=regions, text=markdown(regions)), None
            signals.pop("doubted_structure", None)
            signals |= {"spared_share": share, "unread_share": unread_share(regions)}
        if aside is None:
            signals |= {f"contradiction_{kind}": float(num) for kind, num in sorted(contradictions.items())}
        verdict, why = self._judged(judged, page, signals)
        return judged.with_quality(verdict, why, **signals)

    def _are_alike(self, share_of_lines: float, share_of_regions: float) -> bool:
        return share_of_lines <= self.max_unlike and share_of_regions <= self.max_disputed

    def _most_unread(self, page: Sample) -> float:
        """The share of the page that its readers' disputes, and what they didn't check, may take out of its text."""
        return self.max_disputed if is_read(page) else self.max_doubted

    def _judged(self, page: Sample, before: Sample, signals: dict[str, float]) -> tuple[str, tuple[str, ...]]:
        """The verdict and reasons of the page, which was read as it was `before`."""
        by_engines = is_read(before)
        most = self._most_unread(before)
        wrong = {name.removeprefix("contradiction_") for name in signals if name.startswith("contradiction_")}
        wrong |= {"code"} if before.quality.signals.get("code_doubts") else set()
        against = {
            "structure_in_doubt": bool(wrong - SPACES - _OF_TEXT),
            "spaces_in_doubt": bool(wrong & SPACES),
            "text_in_doubt": bool(wrong & _OF_TEXT),
            "readings_differ": not self._are_alike(*(signals.get(f"unlike{of}_share", 0.0) for of in ("", "_regions"))),
            "tables_unchecked": by_engines and any(r.format == "html" and not r.is_unread for r in page.regions),
            "incomplete": signals["coverage"] < self.min_coverage,
            "unread_regions": signals["unread_text_share"] > self.max_unread_text,
            "regions_overlap": signals["overlap_share"] > self.max_overlap,
            "readers_disagree": signals["disputed_share"] > most
            or signals["doubted_share"] > self.max_doubted
            or signals["ink_more_share"] > self.max_ink_more
            or "spared_share" in signals
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
            verdict = "trusted"  # two readers know more than one that is unsure
        if not page.text:
            verdict = "none"
        elif any(against.values()):
            verdict = "suspect"
        more = [reason for reason, holds in against.items() if holds]
        more += ["unread_regions"] if any(region.is_unread for region in page.regions) else []
        return verdict, tuple(dict.fromkeys([*reasons, *more]))

    def _formulas(self, page: Sample, gray: numpy.ndarray) -> tuple[dict[int, tuple[float, int]], Counter[str]]:
        """By the index of a region: how like its ink its LaTeX is, and its number of signs; and why others weren't compared."""
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
