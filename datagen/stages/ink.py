"""Does the text layer say what the ink shows? And is there ink that no text lies over?

A font whose map from codes to characters is wrong gives valid-looking wrong text, and only a look at the ink tells. It is the
font that lies, so it is fonts that are examined, on a seeded sample of a document's lines: in a page's average one broken font is
diluted.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.engines import Engines, Reader, letters, ppocr, shapes, tesseract, versions
from datagen.engines.lookalikes import fold
from datagen.engines.shapes import spread
from datagen.images import pixels
from datagen.pipeline import DOCUMENT
from datagen.record import Drop, Line, Sample
from datagen.runner import A_CORE, Needs
from datagen.scripts import main_script
from datagen.stages.ink_lines import (
    MANY_CLUSTERS,
    aligned,
    bare,
    comparable,
    covered_share,
    cut_as_drawn,
    dark_on_white,
    laid_flat,
    split_long,
    split_words,
    telling,
    text_error,
    whole,
)

# Nominal seconds on one core, of the order that each takes: a budget of time is a number of looks, and gives the same verdicts
# on every machine.
_DECODE_S, _LINEUP_S, _AGAIN_S, _LETTERS_S, _DETECT_S = 0.005, 0.07, 0.25, 1.0, 0.25
_READ_S = {"ppocr": (0.0, 0.075), "compact": (0.0, 0.005), "tesseract": (0.1, 0.05)}  # once, and a line
_PP_ALPHABET = 0.99
_HAN = frozenset(("Hans", "Hant", "Hani", "Jpan"))
_MIN_READ, _ENOUGH_READ = 30, 200  # characters, to judge a font by; to read no more of it, if all but so many of them are right
_HARDLY_WRONG, _SOME_READ = 0.01, 100  # of the characters, in the words of a reader that isn't close: of so many at least
_CLOSE = 0.1  # the error of a reading up to which its words tell of single letters
_ANOTHER = 1.7  # times a word's length: a reading so long, or a word so much longer than its reading, is another word's
_FONTS_SHARE = 2 / 3  # of the budget; the rest is the detector's
_SMALL_SHARE = 0.05  # of the characters: a font with fewer is read only if it isn't alike
_PREFERRED = 0.03  # in likeness: less is the difference of two typefaces
_FEW_OF = 8  # a word of more than this times as many characters as differ is preferred for less
_UNLIKE, _SURELY_UNLIKE = 0.12, 0.06  # a lie's margin is less; a few words' is, where more would say the same
_MAX_LINEUP, _MORE, _ALIKE_SHARE = 12, 6, 0.5  # words; times as many; the share of these that are most alike
_DRAWN, _LINES_A_PAGE = 3, 8  # lines to compare, to one to read


# Four ways to tell whether a font's text is what its ink shows. The line-up compares its words with ciphers of them. The reader
# reads its lines. Words lie where the ink is more like the reading than like the text, letters where it is more like others.
WITNESSES = ("lineup", "reader", "words", "letters")


@dataclass
class FontInk:
    """What the ink says of a font.

    `error` is the character error rate of its text in `num_lines` lines against what a reader read there, spaces apart. A reader
    that `is_sure` hardly errs. `num_chars` characters stand in words that could be matched with words of the reading.
    `num_differing` of them differ; `num_wrong` of these stand in words whose ink is more like the reading. `num_swapped` letters
    are more like another letter, in the words that they stand in.
    """

    lineup: shapes.Lineup
    error: float = 1.0
    num_lines: int = 0
    is_sure: bool = False
    num_chars: int = 0
    num_differing: int = 0
    num_wrong: int = 0
    num_swapped: int = 0

    def lineup_is_clear(self, less: float) -> bool:
        """Whether a look at more words would change nothing: they are alike, or less than `less` more than ciphers of them."""
        says = self.witnesses().get("lineup")
        return says is True or (says is False and self.lineup.margin < less)

    def count(self, readings: Iterable[tuple[shapes.Ink, str]]) -> None:
        """Adds up what of words, each with its reading, differs, and what of that the ink shows to be wrong."""
        for word, read in readings:
            claimed, read_bare = bare(word.text), bare(read)
            if not claimed or not 1 / _ANOTHER <= len(read_bare) / len(claimed) <= _ANOTHER or "\ufffd" in claimed:
                continue
            differing = Levenshtein.distance(claimed, read_bare)
            self.num_chars += len(claimed)
            if differing:
                self.num_differing += differing
                least = _PREFERRED * min(1.0, _FEW_OF * differing / len(claimed))
                if shapes.preference(word, read, self.lineup.face) > least:
                    self.num_wrong += differing

    def hardly_wrong(self, least: int) -> bool:
        """Whether so few letters are wrong, of `least` or more, that a twentieth can't be."""
        return self.num_chars >= least and self.num_wrong <= _HARDLY_WRONG * self.num_chars

    @property
    def reading_is_clear(self) -> bool:
        """Whether more lines would change nothing."""
        return self.error <= _CLOSE and self.hardly_wrong(_ENOUGH_READ)

    def witnesses(self) -> dict[str, bool]:
        """Whether the font says what it shows, by each of `WITNESSES` that can tell."""
        opinions = {}
        lineup = self.lineup
        if lineup.num_words >= 5 and lineup.margin >= 0.3 and lineup.deviation >= 3:
            opinions["lineup"] = True
        elif lineup.num_words >= 5 and lineup.margin < _UNLIKE:
            opinions["lineup"] = False
        if self.num_lines and not 0.2 < self.error <= 0.5:
            opinions["reader"] = self.error <= 0.2
        wrong = self.num_wrong / self.num_chars if self.num_chars >= _MIN_READ else 0.0
        # A poor reader misreads as many letters of a true text, but then the ink hardly ever takes its side.
        if (wrong > 0.06 and self.error <= 0.5) or (wrong > 0.03 and self.num_wrong >= 0.5 * self.num_differing):
            opinions["words"] = False
        if self.num_swapped:
            opinions["letters"] = False
        return opinions

    def opinion(self) -> bool | None:
        """Whether the font says what it shows, all in all; None where nobody can tell."""
        opinions = self.witnesses()
        if not opinions.get("words", True) or not opinions.get("letters", True):  # single letters, which the others don't see
            return False
        if self.is_sure and not opinions.get("reader", True):
            return False
        votes = {opinions.get("lineup"), opinions.get("reader")}
        return True if True in votes else False if False in votes else None


@dataclass(frozen=True)
class CompareInk:
    """Adds signals to every page: what the ink says of its fonts, and how much ink no text lies over.

    `ink_checked_share`  the share of the page's characters in fonts that could be told true from false
    `ink_lies_share`     the share in fonts whose text isn't what they show; `lies_by_*` is the share in fonts of which one of
                         `WITNESSES` says so, where there are any
    `lineup_margin`      the least margin of the page's fonts in the line-up of `datagen.engines.shapes`
    `reader_error`       the greatest error of the page's fonts, by a reader that knows the letters: PP-OCRv6, else the flywheel's
                         reader in the folder `reader`, else Tesseract with the data of the language, or of one in its script
    `ink_recall`         of the area of text that the detector finds, the share that lies under the page's lines; on pages where
                         `uncovered_ink` is at least `min_uncovered`

    A font's margin and error count on pages that have `min_font_share` of their characters in it. Signals are absent where
    nothing was looked at. `seed` draws the lines: at most `lines_a_font` are read, and three times as many are cut into words.

    A document costs at most `budget_s` seconds at nominal rates; 0 means that the ink isn't looked at. Two thirds go to fonts,
    the one with most characters first, and each takes as much as it needs. The rest goes to the detector.
    """

    version: ClassVar[int] = 5
    needs: ClassVar[Needs] = A_CORE

    budget_s: float = 9.0
    lines_a_font: int = 12
    min_font_share: float = 0.02
    min_uncovered: float = 0.02
    reader: str = ""
    seed: int = 0
    batch_size: int = field(default=DOCUMENT, init=False)

    @property
    def rate(self) -> str:
        return "coarse.ink_core_s" if self.budget_s else ""

    def engines(self) -> dict[str, str]:
        asked = shapes.engines() | versions("ppocr-detector") | versions("ppocr") | versions("tesseract")
        return asked | (versions("compact", folder=self.reader) if self.reader else {})

    def __call__(self, batch: Sequence[Sample], engines: Engines) -> Iterator[Sample | Drop]:
        if not self.budget_s:
            yield from batch
            return
        images = [page.image or b"" for page in batch]
        fonts = self.fonts(batch, images, engines)
        recalls = self._recalls(batch, images, engines)
        for i, page in enumerate(batch):
            signals = self._signals(page, fonts) | ({"ink_recall": recalls[i]} if i in recalls else {})
            yield replace(page, quality=replace(page.quality, signals=page.quality.signals | signals))

    def fonts(self, batch: Sequence[Sample], images: Sequence[bytes], engines: Engines) -> dict[str, FontInk]:
        """What the ink says of a document's fonts, by name; of those that the budget reached."""
        budget = _FONTS_SHARE * self.budget_s
        chars = _chars_by_font(batch)
        decoded: dict[int, numpy.ndarray] = {}
        judged: dict[str, FontInk] = {}
        for name, num in sorted(chars.items(), key=lambda item: (-item[1], item[0])):
            places = self._draw(batch, name)
            if not places:
                continue
            budget -= _LINEUP_S + _DECODE_S * len({i for i, _ in places} - decoded.keys())
            if budget < 0:
                break
            decoded |= {i: pixels(images[i], "L") for i in {i for i, _ in places} - decoded.keys()}
            cuts = [_cut(decoded[i], line, batch[i].lang) for i, line in places]
            script = main_script("".join(cut.line.text for cut in cuts))[0]
            pieces = [piece for cut in cuts for piece in cut.parts(script) if telling(piece[1])]
            font = judged[name] = FontInk(shapes.lineup(_inks(spread(pieces, _MAX_LINEUP)), script, self.seed))
            # Where it isn't clear, more of them, then the better half.
            for less, alike_share in ((_SURELY_UNLIKE, 1.0), (_UNLIKE, _ALIKE_SHARE)):
                if not font.lineup_is_clear(less) and len(pieces) > _MAX_LINEUP and budget >= _AGAIN_S:
                    budget -= _AGAIN_S
                    font.lineup = shapes.lineup(_inks(spread(pieces, _MORE * _MAX_LINEUP)), script, self.seed, alike_share)
            if num < _SMALL_SHARE * chars.total() and font.opinion():
                continue  # it is alike, and a letter or two of it is little
            engine, lang = self._engine(cuts, script, engines)
            if engine:
                once_s, line_s = _READ_S[engine]
                if once_s + line_s * min(len(cuts), self.lines_a_font) <= budget:
                    self._read(font, cuts, self._reader(engine, engines), lang, script)
                    budget -= once_s + line_s * font.num_lines
                    font.is_sure = engine == "ppocr"
            # Of ink that isn't like its text to begin with, letters tell nothing.
            is_close = font.error <= _CLOSE or (font.error <= 2 * _CLOSE and font.hardly_wrong(_SOME_READ))
            if font.witnesses().get("lineup") and not is_close and budget >= _LETTERS_S:
                budget -= _LETTERS_S
                font.num_swapped = letters.num_swapped(_inks(pieces), script, font.lineup.face)
        return judged

    def _draw(self, batch: Sequence[Sample], font: str) -> list[tuple[int, Line]]:
        """Seeded lines of a font, with the index of their page. Of as few pages as give `_LINES_A_PAGE` each: a page's image
        takes longer to decode than its lines to compare."""

        def order(page: Sample, *place: int) -> bytes:
            # By content, not by key: a document's verdict mustn't hang on where it lies.
            return hashlib.sha256("/".join(map(str, (self.seed, page.origin.sha256, page.origin.page, *place))).encode()).digest()

        candidates: list[tuple[int, bytes, int, Line]] = []
        for i, page in enumerate(batch):
            page_order = order(page)
            lines = [
                (order(page, r, n), line)
                for r, region in enumerate(page.regions)
                for n, line in enumerate(region.lines)
                if line.font == font and comparable(line)
            ]
            by_hash = sorted(lines, key=lambda entry: entry[0])
            # Pages with fewer lines come in the second round.
            first = 0 if len(lines) >= _LINES_A_PAGE else 1
            candidates += [(first + k // _LINES_A_PAGE, page_order, i, line) for k, (_, line) in enumerate(by_hash)]
        candidates.sort(key=lambda entry: entry[:3])
        return [(i, line) for _, _, i, line in candidates[: _DRAWN * self.lines_a_font]]

    def _engine(self, cuts: Sequence["_Cut"], script: str, engines: Engines) -> tuple[str, str]:
        """Who can read these lines, "" for nobody, and in which language."""
        from datagen.engines import langid

        drawn = Counter(c for cut in cuts for c in cut.line.text if unicodedata.category(c)[0] in "LM")
        ((lang, _),) = Counter(cut.lang for cut in cuts).most_common(1)
        # Shifted Chinese is of characters too rare for its alphabet: it is asked in any case.
        if ppocr.alphabet_share(drawn) >= _PP_ALPHABET or script in _HAN:
            return "ppocr", lang
        if self.reader:
            alphabet = engines.get("compact", folder=self.reader).alphabet
            if alphabet.script == script and set(fold("".join(drawn), script)) <= set(alphabet.symbols):
                return "compact", lang
        # With any language Tesseract reads English, too.
        read_in = tesseract.reads(lang if script == "Latn" or langid.writes(lang, script) else "", script)
        return "tesseract" if read_in else "", read_in

    def _reader(self, engine: str, engines: Engines) -> Reader:
        reader: Reader = engines.get(engine, **{"folder": self.reader} if engine == "compact" else {})
        return reader

    def _read(self, font: FontInk, cuts: Sequence["_Cut"], reader: Reader, lang: str, script: str) -> None:
        """Puts into `font` what the reader makes of its lines, one after another, until it is plain that hardly a letter lies."""
        in_turn = [cut for first in range(_LINES_A_PAGE) for cut in cuts[first::_LINES_A_PAGE]]  # of all pages
        texts: list[str] = []
        for i, cut in enumerate(in_turn[: self.lines_a_font]):
            ((text, _),) = reader.read([cut.crop], lang)
            texts.append(text)
            font.error, font.num_lines = text_error([c.line.text for c in in_turn[: i + 1]], texts), len(texts)
            font.count(cut.readings(text, script))
            if font.reading_is_clear:
                break

    def _recalls(self, batch: Sequence[Sample], images: Sequence[bytes], engines: Engines) -> dict[int, float]:
        """`ink_recall` of pages by their index. Those with most uncovered ink are looked at; of the rest, as much of it is taken
        for text as on the worst of these."""
        uncovered = {i: page.quality.signals.get("uncovered_ink", 0.0) for i, page in enumerate(batch) if page.text}
        doubtful = sorted((i for i, share in uncovered.items() if share >= self.min_uncovered), key=lambda i: (-uncovered[i], i))
        seen = doubtful[: int((1 - _FONTS_SHARE) * self.budget_s / _DETECT_S)]
        recalls = {}
        for i in seen:
            (lines,) = engines.get("ppocr-detector").detect([pixels(images[i])])
            quads = [quad for quad, _ in lines]
            recalls[i] = covered_share(quads, batch[i])
        textlike = max(((1 - recalls[i]) / uncovered[i] for i in seen), default=0.0)
        return recalls | {i: max(0.0, 1 - textlike * uncovered[i]) for i in doubtful[len(seen) :]}

    def _signals(self, page: Sample, fonts: dict[str, FontInk]) -> dict[str, float]:
        chars = _chars_by_font([page])
        total = chars.total()
        if not total:
            return {}
        opinions = {name: fonts[name].opinion() for name in chars if name in fonts}
        signals = {
            "ink_checked_share": sum(chars[name] for name, says in opinions.items() if says is not None) / total,
            "ink_lies_share": sum(chars[name] for name, says in opinions.items() if says is False) / total,
        }
        witnesses = {name: fonts[name].witnesses() for name in opinions}
        for witness in WITNESSES:
            if lies := sum(chars[name] for name in witnesses if not witnesses[name].get(witness, True)):
                signals[f"lies_by_{witness}"] = lies / total
        counted = [fonts[name] for name, n in chars.items() if name in fonts and n >= self.min_font_share * total]
        if margins := [font.lineup.margin for font in counted if font.lineup.num_words]:
            signals["lineup_margin"] = min(margins)
        if errors := [font.error for font in counted if font.num_lines]:
            signals["reader_error"] = max(errors)
        return signals


@dataclass(frozen=True)
class _Cut:
    """A line's ink, (H, W) gray bytes, and `images` of its words, likewise, with their texts, from left to right; none where they
    don't stand apart."""

    crop: numpy.ndarray
    line: Line
    lang: str
    images: tuple[tuple[numpy.ndarray, str], ...]

    def parts(self, script: str) -> list[tuple[numpy.ndarray, str]]:
        """Words, and those of many letters in pieces, as the whole line where words don't stand apart."""
        parts = self.images or ((self.crop, self.line.text),)
        if self.line.direction == "rtl":
            widths = shapes.widths([text for _, text in self.images], script)
            return list(parts) if widths and cut_as_drawn(self.images, widths) else []

        def clusters(text: str) -> Sequence[tuple[int, float]]:
            return shapes.clusters(text, script) if len(text) > MANY_CLUSTERS else ()

        return [p for image, text in parts for p in split_long(image, text, clusters(text))]

    def readings(self, reading: str, script: str) -> Iterator[tuple[shapes.Ink, str]]:
        """The line's `parts`, each with its share of `reading`, a reading of the whole line.

        Where the text's words don't stand apart in the ink, but the words that were read do, these are the parts: a text that
        has a space in the place of a letter can be read no other way.
        """
        words = [] if self.images else split_words(self.crop, replace(self.line, text=reading))
        by_text = len(words) < 2
        parts = self.parts(script) if by_text else words
        if self.line.direction == "rtl":
            parts.reverse()
        ours = [text for _, text in parts]
        theirs = aligned(ours, reading if by_text else self.line.text)
        for (image, _), claimed, read in zip(parts, *((ours, theirs) if by_text else (theirs, ours)), strict=True):
            if (word := shapes.ink(image, claimed)) is not None:
                yield word, read


def _cut(page: numpy.ndarray, line: Line, lang: str) -> _Cut:
    if line.direction == "ttb":
        crop = laid_flat(dark_on_white(page, line.box), line.text)
    else:
        crop = dark_on_white(page, whole(page, line.box))
    return _Cut(crop, line, lang, tuple(split_words(crop, line)))


def _inks(pieces: Iterable[tuple[numpy.ndarray, str]]) -> list[shapes.Ink]:
    return [ink for image, text in pieces if (ink := shapes.ink(image, text)) is not None]


def _chars_by_font(pages: Sequence[Sample]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in (line for page in pages for region in page.regions for line in region.lines):
        counts[line.font] += len(line.text.replace(" ", ""))
    return +counts
