"""Judge an answer against its page: by the page's ink, by a text layer that can be trusted or else a second reading, and by the
answer itself."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy

from datagen.asking.forms import Read
from datagen.coarse.uncovered_ink import uncovered_ink
from datagen.formulas import katex
from datagen.labelling.against_text import compared, jumps, squeezed
from datagen.labels import PICTURES, RUNNING
from datagen.page.boxes import area, shared
from datagen.page.paper import inked, paper_gray
from datagen.reading.language import identify
from datagen.record import Box, Quality, Region, Sample
from datagen.tables import cells
from datagen.writing import scripts

_TABLE = re.compile(r"<table.*?(?:</table>|\Z)", re.DOTALL)
_DISPLAYED = re.compile(r"\\\[(.*?)\\\]", re.DOTALL)
_BAND = 0.09  # of the page's height: running heads and feet stand there, which answers leave out
_LETTERS_PER_SIGN = {"Arab": (0.4, 9.0), "Deva": (0.4, 9.0), "Beng": (0.4, 9.0), "Mong": (0.4, 12.0)}
"""The least and the most letters for a piece of ink, in scripts that join letters. Other scripts have `_USUAL_LETTERS`."""
_USUAL_LETTERS, _HAN_LETTERS = (0.4, 2.6), (0.12, 1.6)
_HAN = frozenset({"Hans", "Hant", "Hani", "Jpan", "Kore", "Hang"})
_FEW_SIGNS, _FEW_REGIONS = 120, 2
_MOST_PARSED = 60  # tables, and formulas, of an answer: a hostile answer could have thousands
_OVER = 0.6  # of the smaller of two regions: regions that share more overlap


@dataclass(frozen=True)
class Limits:
    """The limits of an answer that counts as right. Measured on 1,020 typeset pages in ten scripts
    (`tests/bench/label/verdicts.py`)."""

    max_uncovered: float = 0.03
    max_missing: float = 0.01
    max_extra: float = 0.015
    max_altered: float = 0.08
    min_score: float = 0.9
    min_agreement: float = 0.9
    few_chars: int = 12


def judged(page: Sample, read: Read, score: float | None, image: numpy.ndarray, limits: Limits) -> Sample:
    """`page`, as its source and its judges left it, with the answer `read` in place of its own text, and a verdict on the answer.
    `score` is the model's own score, None if the model gives none. `image` is the page's, (H, W, 3) RGB bytes.

    The verdict is `trusted` if nothing speaks against the answer and something speaks for it: the page's own text, a second
    reading, or a score of at least `min_score`. The verdict is `none` without any text. It is `suspect` for the reasons of
    `reasons.DOUBTS` and for these:

    `ink_without_text`    some of the ink that looks like text lies in no region
    `regions_overlap`     regions lie on each other
    `order_in_doubt`      the regions, or the text layer's lines in the answer, aren't in the order of their places
    `readers_disagree`    a second reading has less than `min_agreement` in common with the answer
    `unscored_reading`    only the model's score could speak for the answer, and there is none
    `unsure_reading`      only the model's score could speak for the answer, and it is under `min_score`
    """
    lines = [line for region in page.regions for line in region.lines]
    signals = {name: value for name, value in page.quality.signals.items() if name != "uncovered_ink"}  # the layer's
    against = _by_ink(page, read, image, signals, limits) | _by_itself(read, signals)
    is_own = all(region.score is None for region in page.regions)  # the file's own text, which no engine read
    is_true = bool(lines) and is_own and page.quality.words_hold
    is_second = bool(lines) and not is_own
    speaks = False
    if is_true or is_second:
        hidden = [r.box for r in read.regions if r.label in PICTURES or r.label == "equation" or r.is_unread]
        result = compared(read.text, read.regions, lines, page.size, hidden)
        signals |= {"agreement": result.agreement, "layer_missing": result.missing, "layer_extra": result.extra}
        signals |= {"layer_altered": result.altered, "layer_digits": float(result.num_digits)}
        signals |= {"layer_jumps": float(result.num_jumps), "layer_cells": float(result.num_cells)}
        if is_true:
            few, is_out_of_order = limits.few_chars, against.get("order_in_doubt", False) or result.num_jumps > 0
            against |= {
                "text_added": result.extra > limits.max_extra and result.extra * result.num_chars >= few,
                "text_missing": result.missing > limits.max_missing and result.missing * result.num_chars >= few,
                "text_differs": result.num_digits > 0 or result.altered > limits.max_altered,
                "cells_misplaced": result.num_cells > 0,
                "order_in_doubt": is_out_of_order,
                "language_differs": result.agreement < limits.min_agreement and _language_differs(read.text, page),
            }
            speaks = True
        else:
            against["readers_disagree"] = result.agreement < limits.min_agreement
            speaks = not against["readers_disagree"]
        signals["worth"] = min(result.agreement, 1.0 - signals.get("uncovered_ink", 0.0))
    if score is not None:
        signals["reading_score"] = score
    if not speaks:
        against["unscored_reading"] = score is None
        against["unsure_reading"] = score is not None and score < limits.min_score
    reasons = tuple(reason for reason, holds in against.items() if holds)
    has_text = any(map(str.isalnum, read.text)) or any(region.label in PICTURES for region in read.regions)
    verdict = "none" if not has_text else "suspect" if reasons else "trusted"
    language = identify(read.text, page.lang)
    difficulty = 1.0 - signals["worth"] if "worth" in signals else -1.0
    return replace(
        page,
        text=read.text,
        regions=read.regions,
        lang=language.lang if language.lang != "und" else page.lang,
        script=language.script,
        quality=Quality(verdict, reasons, signals),
        difficulty=difficulty,
    )


def is_blank(image: numpy.ndarray) -> bool:
    """Whether nothing is written or drawn on a page. Apart from dust, the whole page has the paper's colour."""
    gray = image[::2, ::2, 1]
    share = float(inked(gray, 48, paper_gray(gray[::4])).mean())
    return share < 2e-5 or (share < 1e-3 and uncovered_ink(image, ()) == 0.0)


def _by_ink(page: Sample, read: Read, image: numpy.ndarray, signals: dict[str, float], limits: Limits) -> dict[str, bool]:
    boxes = [region.box for region in read.regions]
    against = {}
    if boxes:
        signals["uncovered_ink"] = uncovered_ink(image, [*boxes, *_bands(boxes, page.size)])
        against["ink_without_text"] = signals["uncovered_ink"] > limits.max_uncovered
        bare = sum(_is_bare(image, region) for region in read.regions)
        signals["regions_without_ink"] = float(bare)
        against["text_without_ink"] = bare > 0
        against["regions_overlap"] = _overlaps(read.regions)
        signals["region_jumps"] = float(_region_jumps(read.regions))
        against["order_in_doubt"] = signals["region_jumps"] > 0
    else:
        signs, letters = _num_signs(image), len(squeezed(read.text))
        if signs >= _FEW_SIGNS:
            signals["letters_per_sign"] = letters / signs
            least, most = _LETTERS_PER_SIGN.get(page.script, _HAN_LETTERS if page.script in _HAN else _USUAL_LETTERS)
            against["length_disputed"] = not least <= letters / signs <= most
    return against


def _by_itself(read: Read, signals: dict[str, float]) -> dict[str, bool]:
    broken = _num_broken(read)
    if broken:
        signals["broken_markup"] = float(broken)
    if read.num_odd or read.num_lost:
        signals["odd_boxes"], signals["lost_blocks"] = float(read.num_odd), float(read.num_lost)
    return {"boxes_amiss": bool(read.num_odd or read.num_lost), "markup_broken": broken > 0}


def _bands(boxes: Sequence[Box], size: tuple[int, int]) -> list[Box]:
    """The strips above and below all regions, where running heads and feet stand."""
    width, height = size
    top, bottom = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
    above, below = min(top, round(_BAND * height)), max(bottom, round((1 - _BAND) * height))
    return [Box(0, 0, width, max(1, above)), Box(0, min(below, height - 1), width, height)]


def _is_bare(image: numpy.ndarray, region: Region) -> bool:
    """Whether a region with text has no ink."""
    if not region.text.strip() or region.label in PICTURES:
        return False
    x0, y0, x1, y1 = region.box
    part = image[y0:y1, x0:x1, 1]
    return int(part.max()) - int(part.min()) < 64


def _overlaps(regions: Sequence[Region]) -> bool:
    boxes = [region.box for region in regions if region.label not in PICTURES | RUNNING]
    return any(
        shared(one, other) > _OVER * min(area(one), area(other)) for i, one in enumerate(boxes) for other in boxes[i + 1 :]
    )


def _region_jumps(regions: Sequence[Region]) -> int:
    texts = [region for region in regions if region.label not in RUNNING | PICTURES and region.text.strip()]
    tall = sum(region.box.y1 - region.box.y0 > 2 * (region.box.x1 - region.box.x0) for region in texts)
    if tall > len(texts) / 2:  # vertical text
        return 0
    rtl = scripts.main_script("".join(region.text for region in texts))[0] in scripts.RTL
    return jumps([region.box for region in texts], rtl, _FEW_REGIONS)


def _num_signs(image: numpy.ndarray) -> int:
    """The number of pieces of ink on a page that are about as large as letters."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    _, _, stats, _ = cv2.connectedComponentsWithStats(inked(gray).astype(numpy.uint8), connectivity=8)
    high, wide = stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_WIDTH]
    usual = high[(high > 4) & (high < gray.shape[0] // 12)]
    if not len(usual):
        return 0
    middle = float(numpy.median(usual))
    return int(((high > 0.4 * middle) & (high < 4 * middle) & (wide < 12 * middle)).sum())


def _num_broken(read: Read) -> int:
    """The number of an answer's tables and displayed formulas that don't parse."""
    tables = [region.text for region in read.regions if region.format == "html"]
    formulas = [region.text for region in read.regions if region.format == "latex"]
    if not read.regions:
        tables, formulas = _TABLE.findall(read.text), _DISPLAYED.findall(read.text)

    def is_broken(of: Callable[[str], object], text: str) -> bool:
        try:
            return not of(text)
        except ValueError:
            return True

    num_tables = sum(is_broken(lambda text: cells.parse(text, is_strict=True).has_text, one) for one in tables[:_MOST_PARSED])
    return num_tables + sum(is_broken(katex.mathml, one) for one in formulas[:_MOST_PARSED])


def _language_differs(text: str, page: Sample) -> bool:
    if page.lang == "und" or len(text) < 200:
        return False
    found = identify(text, page.lang)
    return found.lang not in ("und", page.lang) and found.score > 0.8 and found.script != page.script
