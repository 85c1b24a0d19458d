"""Judge scenes that a reader has read: which lines count, whether the text can be trusted, and which scenes are dropped."""

import math
import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy

from datagen.engines import Engines
from datagen.inputs.selection import seeded
from datagen.page.boxes import around
from datagen.reading.line_readers import PP_SCRIPTS, PPOCR
from datagen.reading.page_lines import mean_score
from datagen.record import Drop, Line, Polygon, Quality, Region, Sample
from datagen.scene.line_order import order_agreement
from datagen.scene.plausible_words import odd_share
from datagen.work.pipeline import Stage
from datagen.writing import scripts
from datagen.writing.lookalikes import ALIKE
from datagen.writing.scripts import main_script

_UNSPACED = f"{scripts.HAN}{scripts.PHRASED}{scripts.YI}"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W{_UNSPACED}]+")
_ALIKE = frozenset(ALIKE["Cyrl"][1]) - frozenset("sSjJiI")  # hardly any Cyrillic language has these
_LONG_WORD, _FEW_LETTERS = 4, 7  # letters
_ICONS = re.compile(f"([{scripts.IDEOGRAPHS}])\\1*")
_IDEOGRAPH = re.compile(f"[{scripts.IDEOGRAPHS}]")
_EAST_ASIAN = re.compile(f"[{scripts.IDEOGRAPHS}{scripts.KANA}{scripts.HANGUL}]")
_SEEN = 1024  # pixels
_EDGE = 2  # pixels
_ORDERED = 2 / 3  # of the lines: if fewer follow the same line in two orders, the order is in doubt
_PAGE_LINES, _PAGE_CHARS, _SMALL = 15, 400, 0.04  # the fewest of a page; the largest height of its lines, of its longer side


@dataclass(frozen=True)
class JudgeScene(Stage):
    """Gives scenes that `ReadScene` has read their verdicts, takes doubtful lines out of their text, and drops useless scenes.

    A line counts if all of this holds:

    - Its score is at least `min_line_score`, and by its score at most `max_wrong` characters are wrong.
    - If PP-OCR has read the line, PP-OCR knows its script.
    - The picture's edge doesn't cut the line.
    - Its height is at least `min_height` pixels and `min_relative_height` of the picture's longer side. A model sees pictures at
      about a thousand pixels.
    - It isn't one ideograph, once or repeated, unless another line or the caption is Chinese, Japanese or Korean, too: PP-OCR
      takes icons and windows for ideographs (图, 田, 品).

    Other lines become blocks without text, `is_unread`.

    The verdict is `trusted`, or `suspect` for these reasons:

    `unscored_reading`   a reader gave no score
    `script_in_doubt`    half of the longer Latin words look like Cyrillic words: PP-OCR reads Cyrillic so
                         (TEXEPAH). Or fewer than `min_ideographs` ideographs stand beside more Latin letters: PP-OCR reads Hangul
                         and Devanagari so. Neither counts if the caption has some of the words
    `odd_words`          over `max_odd` of the letters are in Latin words that no language has (`plausible_words`): PP-OCR reads
                         letters that it doesn't know so. It doesn't count if the caption has some of the words
    `readings_disagree`  the signal `agreement` is under `min_agreement`
    `incomplete`         the text that counts covers less than `min_sure` of the area in which text was found: of all text, or of
                         text without the lines of numbers alone, which any reader reads
    `order_in_doubt`     there are `min_ordered` lines or more, and over a third of them follow another line than in the order of
                         a page (`datagen.page.region_order`), and over a third another line than row by row

    These drops are made:

    `no_text`          no line was found. A share `negatives` of such pictures, drawn by their keys and `seed`, is kept, trusted
                       and with an empty text: a model must learn that a picture may have no text
    `unread_text`      lines were found, and none counts
    `document`         the picture is a photograph of a document, or a screen full of text: over `max_lines` lines count, or the
                       lines are a page's (`_is_document`). The recipe `fine` reads such a picture with its layout
    `little_text`      the text covers less than `min_text_share` of the picture
    `much_text`        the text covers more than `max_text_share` of the picture
    `language_share`   there are too many scenes in the language. `languages` has the share of a language (BCP-47 without its
                       region, or `other`) that is kept, drawn by keys and `seed`. By default all are kept

    Signals: `text_share` is the share of the picture that text covers. `incomplete` rests on `sure_share`, `order_in_doubt` on
    `order_agreement`, `odd_words` on `odd_words`. `line_height` is the median in pixels. Where there is a caption,
    `caption_agreement` is the share of the text's words that the caption has; in scripts without spaces, of its characters.
    `difficulty` is 1 less the mean score. Scenes that nobody has read, such as drawn scenes, pass unchanged, except that
    `languages` may drop them.
    """

    version: ClassVar[int] = 2  # 2: by the area that was read surely

    min_line_score: float = 0.85
    max_wrong: float = 0.25
    min_height: float = 12.0
    min_relative_height: float = 0.006
    min_agreement: float = 0.9
    min_sure: float = 0.85
    max_odd: float = 0.35
    min_ideographs: int = 4
    min_ordered: int = 10
    max_lines: int = 40
    min_text_share: float = 0.001
    max_text_share: float = 1.0
    negatives: float = 0.05
    languages: tuple[tuple[str, float], ...] = ()
    seed: int = 0
    batch_size: int = 64

    def __post_init__(self) -> None:
        shares = [self.negatives, *(share for _, share in self.languages)]
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"shares of {type(self).__name__} are from 0 to 1, not {min(shares)} or {max(shares)}")

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        for sample in batch:
            if sample.task != "scene":
                yield sample
                continue
            judged = self._judged(sample) if "num_unread" in sample.quality.signals else sample
            if isinstance(judged, Sample) and not self._is_kept(judged):
                judged = judged.drop("language_share", type(self).__name__, judged.lang)
            yield judged

    def _judged(self, sample: Sample) -> Sample | Drop:
        name, signals = type(self).__name__, sample.quality.signals
        lines = [line for region in sample.regions for line in region.lines]
        if not lines:
            if num_unread := signals["num_unread"] + signals.get("num_faint", 0.0):
                return sample.drop("unread_text", name, f"{num_unread:.0f} lines that nobody could read")
            is_negative = self._drawn("negatives", sample) < self.negatives
            return sample.with_quality("trusted", text_share=0.0) if is_negative else sample.drop("no_text", name)
        least = max(self.min_height, self.min_relative_height * max(sample.size))
        # PP-OCR's alphabet has some letters of scripts that it doesn't know.
        known = [line for r in sample.regions for line in r.lines if r.by != PPOCR or main_script(line.text)[0] in PP_SCRIPTS]
        sure = [line for line in known if self._is_sure(line, sample.size) and _height(line) >= least]
        read = _without_icons(sure, sample.caption)
        counted = {id(line) for line in read}
        if not read:
            return sample.drop("unread_text", name, f"none of {len(lines)} lines counts")
        if len(read) > self.max_lines or _is_document(read, max(sample.size)):
            return sample.drop("document", name, f"{len(read)} lines: make recipe=fine reads it")
        text_share = _covered([line.corners for line in read], sample.size)
        if text_share < self.min_text_share:
            return sample.drop("little_text", name, f"{text_share:.2%} of the picture")
        if text_share > self.max_text_share:
            return sample.drop("much_text", name, f"{text_share:.0%} of the picture")
        regions = tuple(part for region in sample.regions for part in _parts(region, counted))
        text = "\n\n".join(region.text for region in regions if not region.is_unread)
        half = statistics.median(map(_height, read)) / 2
        # Lines that are much smaller than the text are no part of it, so they aren't lost.
        unread = [Line(region.box, "", polygon=region.polygon) for region in sample.regions if not region.lines]
        lost = [_area(line.corners) for line in (*lines, *unread) if id(line) not in counted and _height(line) >= half]
        signals = signals | {
            "text_share": text_share,
            "line_height": 2 * half,
            "sure_share": _sure_share(read, lost),
            "odd_words": odd_share(text),
            "order_agreement": order_agreement(read) if len(read) >= self.min_ordered else 1.0,
        }
        if sample.caption.strip():
            signals["caption_agreement"] = in_caption(text, sample.caption)
        if (score := mean_score(read)) is not None:
            signals["reading_score"] = score
        is_confirmed = bool(signals.get("caption_agreement"))
        reasons = {
            "unscored_reading": any(line.score is None for line in read),
            "script_in_doubt": not is_confirmed and (_may_be_cyrillic(text) or self._may_be_no_ideographs(text)),
            "odd_words": not is_confirmed and signals["odd_words"] > self.max_odd,
            "readings_disagree": signals.get("agreement", 1.0) < self.min_agreement,
            "incomplete": signals["sure_share"] < self.min_sure,
            "order_in_doubt": signals["order_agreement"] < _ORDERED,
        }
        given = tuple(reason for reason, holds in reasons.items() if holds)
        quality = Quality("suspect" if given else "trusted", given, signals)
        difficulty = -1.0 if score is None else 1 - score
        return replace(sample, text=text, regions=regions, quality=quality, difficulty=difficulty)

    def _may_be_no_ideographs(self, text: str) -> bool:
        """Whether a few ideographs stand beside more Latin letters."""
        few = len(_IDEOGRAPH.findall(text))
        return 0 < few < self.min_ideographs and sum(map(str.isalpha, text)) > 2 * few

    def _is_sure(self, line: Line, size: tuple[int, int]) -> bool:
        if line.score is None:
            return True
        wrong = (1 - line.score) * len(line.text)
        return line.score >= self.min_line_score and wrong <= self.max_wrong and not _is_cut(line, size)

    def _is_kept(self, sample: Sample) -> bool:
        shares = dict(self.languages)
        share = shares.get(sample.lang.split("-")[0], shares.get("other", 1.0))
        return self._drawn("language", sample) < share

    def _drawn(self, what: str, sample: Sample) -> float:
        """A number from 0 to 1 that depends on `what`, the seed and the sample's key alone."""
        return int.from_bytes(seeded(self.seed, what, sample.key)[:8]) / 2**64


def in_caption(text: str, caption: str) -> float:
    """The share of a text's words that its caption has; in scripts without spaces between words, of its characters."""
    words, there = _words(text), _words(caption)
    return (words & there).total() / max(1, words.total())


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _may_be_cyrillic(text: str) -> bool:
    """Whether half of a text's longer Latin words have only letters that look Cyrillic."""
    words = [word for word in _WORD.findall(text) if len(word) >= _LONG_WORD and word.isalpha() and word.isascii()]
    alike = [word for word in words if _ALIKE.issuperset(word)]
    return 2 * len(alike) >= len(words) and sum(map(len, alike)) >= _FEW_LETTERS


def _is_cut(line: Line, size: tuple[int, int]) -> bool:
    """Whether a line begins or ends at the picture's edge, where some of its letters may be missing."""
    x0, y0, x1, y1 = line.box
    if line.direction == "ttb" or y1 - y0 > x1 - x0:
        return y0 <= _EDGE or y1 >= size[1] - _EDGE
    return x0 <= _EDGE or x1 >= size[0] - _EDGE


def _is_document(lines: Sequence[Line], side: int) -> bool:
    """Whether the lines are a page's: many, small, and with much text. `side` is the picture's longer side."""
    is_small = statistics.median(map(_height, lines)) <= _SMALL * side
    return len(lines) >= _PAGE_LINES and is_small and sum(len(line.text) for line in lines) >= _PAGE_CHARS


def _sure_share(read: Sequence[Line], lost: Sequence[float]) -> float:
    """The share of the area of all text that the lines `read` cover, with or without lines that have no letter: the smaller
    share. `lost` has the areas of unread lines."""
    areas = [(_area(line.corners), any(map(str.isalpha, line.text))) for line in read]
    with_letters = sum(area for area, has_letters in areas if has_letters)
    shares = [area / max(1e-9, area + sum(lost)) for area in (sum(area for area, _ in areas), with_letters) if area]
    return min(shares)


def _area(corners: Polygon) -> float:
    return float(cv2.contourArea(numpy.array(corners, numpy.float32)))


def _without_icons(lines: list[Line], caption: str) -> list[Line]:
    """The lines. Lines of one ideograph, once or repeated, are left out if neither another line nor the caption is East Asian."""
    if _EAST_ASIAN.search(caption) or any(len(set(_EAST_ASIAN.findall(line.text))) > 1 for line in lines):
        return lines
    return [line for line in lines if not _ICONS.fullmatch(line.text)]


def _parts(region: Region, counted: Collection[int]) -> Iterator[Region]:
    """A block with the lines that count, and a block without text for the other lines. An unread block stays as it is."""
    if region.is_unread:
        yield region
        return
    read = tuple(line for line in region.lines if id(line) in counted)
    lost = [line for line in region.lines if id(line) not in counted]
    if read and lost:
        text, box = "\n".join(line.text for line in read), around([line.box for line in read])
        polygon = read[0].polygon if len(read) == 1 else ()
        yield replace(region, box=box, polygon=polygon, text=text, score=mean_score(read), lines=read)
    elif read:
        yield region
    if lost:
        box = around([line.box for line in lost])
        yield replace(region, box=box, polygon=(), text="", score=None, lines=(), is_unread=True)


def _height(line: Line) -> float:
    """The height of a line's letters in pixels: its shorter side."""
    corners = line.corners
    half = len(corners) // 2
    across = math.dist(corners[0], corners[-1]) + math.dist(corners[half - 1], corners[half])
    along = math.dist(corners[0], corners[half - 1]) + math.dist(corners[half], corners[-1])
    return min(across, along) / 2


def _covered(polygons: Sequence[Polygon], size: tuple[int, int]) -> float:
    """The share of a picture that polygons cover together, as if it were `_SEEN` pixels long."""
    scale = _SEEN / max(size)
    mask = numpy.zeros((max(1, round(size[1] * scale)), max(1, round(size[0] * scale))), numpy.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [numpy.round(numpy.array(polygon) * scale).astype(numpy.int32)], (1,))
    return float(mask.mean())
