"""Compare the text layer with the ink: does the text say what the ink shows, and does text cover all ink?

A font with a wrong map from codes to characters gives wrong text that looks valid. Only the ink tells. The error belongs to a
font, so each font is examined, on a seeded sample of a document's lines. An average over the page would dilute one broken font.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy

from datagen.coarse.verdict import ink_letters, ink_shapes
from datagen.coarse.verdict.ink_fonts import SURELY_UNLIKE, UNLIKE, WITNESSES, Cut, FontInk, cut_out
from datagen.coarse.verdict.ink_lines import comparable, covered_share, telling, without_leaders
from datagen.coarse.verdict.ink_shapes import spread
from datagen.engines import Choice, Engines, Reader, packaged, ppocr, tesseract, versions
from datagen.markdown import all_text
from datagen.page.images import pixels
from datagen.reading.line_readers import of_script
from datagen.record import Drop, Line, Sample
from datagen.work.pipeline import DOCUMENT, Stage
from datagen.work.specification import PLACE
from datagen.writing.lookalikes import fold
from datagen.writing.scripts import main_script

# Nominal seconds on one core, about what each step takes. The budget counts nominal time, so every machine gives the same
# verdicts.
_DECODE_S, _LINEUP_S, _AGAIN_S, _LETTERS_S, _DETECT_S = 0.005, 0.07, 0.25, 1.0, 0.25
_READ_S = {"ppocr": (0.0, 0.075), "compact": (0.0, 0.005), "script": (0.1, 0.01), "tesseract": (0.1, 0.05)}  # once, and per line
_PP_ALPHABET = 0.99
_HAN = frozenset(("Hans", "Hant", "Hani", "Jpan"))
_FONTS_SHARE = 2 / 3  # of the budget; the rest is the detector's
_SMALL_SHARE = 0.05  # of the characters: a font with fewer is read only if the line-up leaves doubt
_MAX_LINEUP, _MORE, _ALIKE_SHARE = 12, 6, 0.5  # words of a first look; times as many for another; the share that counts then
_FOR_FACE = 24  # words
_DRAWN, _LINES_A_PAGE = 3, 8  # lines to compare, for each line to read; lines from one page


@dataclass(frozen=True)
class CompareInk(Stage):
    """Adds signals to every page: what the ink says of the page's fonts, and how much ink no text covers.

    `ink_checked_share`  the share of the page's characters in fonts that were found to be right or wrong
    `ink_lies_share`     the share in fonts whose text isn't what the ink shows; where there are any, `lies_by_*` is the share in
                         fonts that are wrong by one of `WITNESSES`
    `lineup_margin`      the least margin of the page's fonts in the line-up of `datagen.coarse.verdict.ink_shapes`
    `reader_error`       the greatest error of the page's fonts, by a reader that knows the letters: PP-OCRv6, else the flywheel's
                         reader in the folder `reader`, else the package's reader of the script, else Tesseract with the data of
                         the language, or of another language in its script
    `ink_recall`         of the area in which the detector finds text, the share under the page's lines; only on pages with an
                         `uncovered_ink` of `min_uncovered` or more

    A font's margin and error count on a page that has at least `min_font_share` of its characters in the font. Signals are absent
    where nothing was examined. `seed` draws the lines: at most `lines_a_font` of a font are read, and three times as many are cut
    into words.

    A document costs at most `budget_s` seconds at nominal rates; with 0 no ink is examined. Two thirds of the budget go to fonts,
    those with most characters first; each font takes what it needs. The rest goes to the detector.
    """

    version: ClassVar[int] = 9

    budget_s: float = 9.0
    lines_a_font: int = 12
    min_font_share: float = 0.02
    min_uncovered: float = 0.02
    reader: str = field(default="", metadata=PLACE)
    seed: int = 0
    batch_size: int = field(default=DOCUMENT, init=False)

    @property
    def rate(self) -> str:
        return "coarse.ink_core_s" if self.budget_s else ""

    def engines(self) -> dict[str, str]:
        asked = (
            ink_shapes.engines() | versions("ppocr-detector") | versions("ppocr") | versions("tesseract") | packaged.versions()
        )
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
        """What the ink says of a document's fonts, by name. Fonts beyond the budget are absent."""
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
            cuts = [cut_out(decoded[i], line, batch[i].lang) for i, line in places]
            script = main_script("".join(cut.line.text for cut in cuts))[0]
            pieces = [piece for cut in cuts for piece in cut.parts(script) if telling(piece[1])]
            font = judged[name] = FontInk(ink_shapes.lineup(_inks(spread(pieces, _MAX_LINEUP)), script, self.seed))
            # If the line-up isn't clear, compare more words, then only the half of these that is most alike.
            for less, alike_share in ((SURELY_UNLIKE, 1.0), (UNLIKE, _ALIKE_SHARE)):
                if not font.lineup_is_clear(less) and len(pieces) > _MAX_LINEUP and budget >= _AGAIN_S:
                    budget -= _AGAIN_S
                    font.lineup = ink_shapes.lineup(_inks(spread(pieces, _MORE * _MAX_LINEUP)), script, self.seed, alike_share)
            if num < _SMALL_SHARE * chars.total() and font.opinion():
                continue  # a letter or two that are wrong in so small a font matter little
            choice, lang = self._engine(cuts, script, engines)
            if choice:
                once_s, line_s = _READ_S[choice.name]
                if once_s + line_s * min(len(cuts), self.lines_a_font) <= budget:
                    reader = choice.opened(engines)
                    self._read(font, cuts, reader, lang, script)
                    budget -= once_s + line_s * len(font.cuts)
                    if font.reader_doubts and line_s * len(font.cuts) <= budget:
                        self._weigh(font, reader, lang, script)
                        budget -= line_s * len(font.cuts)
                    font.is_sure = choice.name == "ppocr"
            # Single letters tell nothing if the ink isn't like the text as a whole.
            if font.witnesses().get("lineup") and not font.reading_is_close and budget >= _LETTERS_S:
                budget -= _LETTERS_S
                words = _inks(pieces)
                # Single letters tell more in the face that is most like them.
                face, _ = ink_shapes.best_face(spread(words, _FOR_FACE), script, _FOR_FACE)
                font.num_swapped = ink_letters.num_swapped(words, script, face)
        return judged

    def _draw(self, batch: Sequence[Sample], font: str) -> list[tuple[int, Line]]:
        """Seeded lines of a font, with the index of their page. The lines come from few pages, `_LINES_A_PAGE` from each: a
        page's image takes longer to decode than its lines to compare."""

        def order(page: Sample, *place: object) -> bytes:
            # By content, not by key: a verdict must not depend on the document's address, nor on the regions of its lines.
            return hashlib.sha256("/".join(map(str, (self.seed, page.origin.sha256, page.origin.page, *place))).encode()).digest()

        candidates: list[tuple[int, bytes, int, Line]] = []
        for i, page in enumerate(batch):
            page_order = order(page)
            lines = [
                (order(page, *line.box), line)
                for region in page.regions
                for line in region.lines
                if line.font == font and comparable(line)
            ]
            by_hash = sorted(lines, key=lambda entry: entry[0])
            # Pages with fewer lines come in the second round.
            first = 0 if len(lines) >= _LINES_A_PAGE else 1
            candidates += [(first + k // _LINES_A_PAGE, page_order, i, line) for k, (_, line) in enumerate(by_hash)]
        candidates.sort(key=lambda entry: entry[:3])
        return [(i, line) for _, _, i, line in candidates[: _DRAWN * self.lines_a_font]]

    def _engine(self, cuts: Sequence[Cut], script: str, engines: Engines) -> tuple[Choice | None, str]:
        """The engine that can read these lines, None if there is none, and the language that it reads them in."""
        from datagen.engines import langid

        drawn = Counter(c for cut in cuts for c in cut.line.text if unicodedata.category(c)[0] in "LM")
        ((lang, _),) = Counter(cut.lang for cut in cuts).most_common(1)
        # Chinese from a shifted map has characters too rare for PP-OCR's alphabet, so PP-OCR reads Chinese in any case.
        if ppocr.alphabet_share(drawn) >= _PP_ALPHABET or script in _HAN:
            return Choice("ppocr"), lang
        if self.reader:
            alphabet = engines.get("compact", folder=self.reader).alphabet
            if alphabet.script == script and set(fold("".join(drawn), script)) <= set(alphabet.symbols):
                return Choice.of("compact", folder=self.reader), lang
        # With any language Tesseract reads English, too.
        read_in = tesseract.reads(lang if script == "Latn" or langid.writes(lang, script) else "", script)
        own = of_script(script)
        if own and (not read_in or packaged.is_first(script)):
            alphabet = own.opened(engines).alphabet
            if set(fold("".join(drawn), script)) <= set(alphabet.symbols):
                return own, lang
        return (Choice("tesseract"), read_in) if read_in else (None, "")

    def _read(self, font: FontInk, cuts: Sequence[Cut], reader: Reader, lang: str, script: str) -> None:
        """Reads lines into `font`, one after another, until it is clear that hardly a letter is wrong."""
        in_turn = [cut for first in range(_LINES_A_PAGE) for cut in cuts[first::_LINES_A_PAGE]]  # lines of all pages in turn
        for cut in in_turn[: self.lines_a_font]:
            ((text, _),) = reader.read([cut.crop], lang)
            font.add(cut, text, script)
            if font.reading_is_clear:
                break

    def _weigh(self, font: FontInk, reader: Reader, lang: str, script: str) -> None:
        """Has the reader read the same texts as lines drawn here, which surely show their text."""
        for cut in font.cuts:
            drawn = ink_shapes.drawn_line(cut.line.text, script, font.lineup.face, cut.crop.shape[0])
            font.weigh(cut, "" if drawn is None else reader.read([drawn], lang)[0][0], script)

    def _recalls(self, batch: Sequence[Sample], images: Sequence[bytes], engines: Engines) -> dict[int, float]:
        """`ink_recall` of pages by their index. The detector sees the pages with most uncovered ink. On the other pages, the
        share of uncovered ink that is text is taken to be as large as on the worst page that the detector saw."""
        uncovered = {i: page.quality.signals.get("uncovered_ink", 0.0) for i, page in enumerate(batch) if all_text(page)}
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
        if errors := [font.error for font in counted if font.cuts]:
            signals["reader_error"] = max(errors)
        return signals


def _inks(pieces: Iterable[tuple[numpy.ndarray, str]]) -> list[ink_shapes.Ink]:
    return [ink for image, text in pieces if (ink := ink_shapes.ink(image, text)) is not None]


def _chars_by_font(pages: Sequence[Sample]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in (line for page in pages for region in page.regions for line in region.lines):
        counts[line.font] += len(without_leaders(line.text).replace(" ", ""))
    return +counts
