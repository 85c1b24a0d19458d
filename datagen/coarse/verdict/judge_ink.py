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

# Nominal seconds on one core, of the order that each takes: a budget of time is a number of looks, and gives the same verdicts
# on every machine.
_DECODE_S, _LINEUP_S, _AGAIN_S, _LETTERS_S, _DETECT_S = 0.005, 0.07, 0.25, 1.0, 0.25
_READ_S = {"ppocr": (0.0, 0.075), "compact": (0.0, 0.005), "script": (0.1, 0.01), "tesseract": (0.1, 0.05)}  # once, and a line
_PP_ALPHABET = 0.99
_HAN = frozenset(("Hans", "Hant", "Hani", "Jpan"))
_FONTS_SHARE = 2 / 3  # of the budget; the rest is the detector's
_SMALL_SHARE = 0.05  # of the characters: a font with fewer is read only if it isn't alike
_MAX_LINEUP, _MORE, _ALIKE_SHARE = 12, 6, 0.5  # words; times as many; the share of these that are most alike
_FOR_FACE = 24  # words
_DRAWN, _LINES_A_PAGE = 3, 8  # lines to compare, to one to read


@dataclass(frozen=True)
class CompareInk(Stage):
    """Adds signals to every page: what the ink says of its fonts, and how much ink no text lies over.

    `ink_checked_share`  the share of the page's characters in fonts that could be told true from false
    `ink_lies_share`     the share in fonts whose text isn't what they show; `lies_by_*` is the share in fonts of which one of
                         `WITNESSES` says so, where there are any
    `lineup_margin`      the least margin of the page's fonts in the line-up of `datagen.coarse.verdict.ink_shapes`
    `reader_error`       the greatest error of the page's fonts, by a reader that knows the letters: PP-OCRv6, else the flywheel's
                         reader in the folder `reader`, else the package's reader of the script, else Tesseract with the data of
                         the language, or of one in its script
    `ink_recall`         of the area of text that the detector finds, the share that lies under the page's lines; on pages where
                         `uncovered_ink` is at least `min_uncovered`

    A font's margin and error count on pages that have `min_font_share` of their characters in it. Signals are absent where
    nothing was looked at. `seed` draws the lines: at most `lines_a_font` are read, and three times as many are cut into words.

    A document costs at most `budget_s` seconds at nominal rates; 0 means that the ink isn't looked at. Two thirds go to fonts,
    the one with most characters first, and each takes as much as it needs. The rest goes to the detector.
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
            cuts = [cut_out(decoded[i], line, batch[i].lang) for i, line in places]
            script = main_script("".join(cut.line.text for cut in cuts))[0]
            pieces = [piece for cut in cuts for piece in cut.parts(script) if telling(piece[1])]
            font = judged[name] = FontInk(ink_shapes.lineup(_inks(spread(pieces, _MAX_LINEUP)), script, self.seed))
            # Where it isn't clear, more of them, then the better half.
            for less, alike_share in ((SURELY_UNLIKE, 1.0), (UNLIKE, _ALIKE_SHARE)):
                if not font.lineup_is_clear(less) and len(pieces) > _MAX_LINEUP and budget >= _AGAIN_S:
                    budget -= _AGAIN_S
                    font.lineup = ink_shapes.lineup(_inks(spread(pieces, _MORE * _MAX_LINEUP)), script, self.seed, alike_share)
            if num < _SMALL_SHARE * chars.total() and font.opinion():
                continue  # it is alike, and a letter or two of it is little
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
            # Of ink that isn't like its text to begin with, letters tell nothing.
            if font.witnesses().get("lineup") and not font.reading_is_close and budget >= _LETTERS_S:
                budget -= _LETTERS_S
                words = _inks(pieces)
                # Single letters tell more in the face that is most like them.
                face, _ = ink_shapes.best_face(spread(words, _FOR_FACE), script, _FOR_FACE)
                font.num_swapped = ink_letters.num_swapped(words, script, face)
        return judged

    def _draw(self, batch: Sequence[Sample], font: str) -> list[tuple[int, Line]]:
        """Seeded lines of a font, with the index of their page. Of as few pages as give `_LINES_A_PAGE` each: a page's image
        takes longer to decode than its lines to compare."""

        def order(page: Sample, *place: object) -> bytes:
            # By content, not by key: a document's verdict mustn't hang on where it lies, nor on what regions its lines are in.
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
        """Who can read these lines, None for nobody, and in which language."""
        from datagen.engines import langid

        drawn = Counter(c for cut in cuts for c in cut.line.text if unicodedata.category(c)[0] in "LM")
        ((lang, _),) = Counter(cut.lang for cut in cuts).most_common(1)
        # Shifted Chinese is of characters too rare for its alphabet: it is asked in any case.
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
        """Puts into `font` what the reader makes of its lines, one after another, until it is plain that hardly a letter lies."""
        in_turn = [cut for first in range(_LINES_A_PAGE) for cut in cuts[first::_LINES_A_PAGE]]  # of all pages
        for cut in in_turn[: self.lines_a_font]:
            ((text, _),) = reader.read([cut.crop], lang)
            font.add(cut, text, script)
            if font.reading_is_clear:
                break

    def _weigh(self, font: FontInk, reader: Reader, lang: str, script: str) -> None:
        """Has the reader read the same lines drawn here, as they would be if they said what they show."""
        for cut in font.cuts:
            drawn = ink_shapes.drawn_line(cut.line.text, script, font.lineup.face, cut.crop.shape[0])
            font.weigh(cut, "" if drawn is None else reader.read([drawn], lang)[0][0], script)

    def _recalls(self, batch: Sequence[Sample], images: Sequence[bytes], engines: Engines) -> dict[int, float]:
        """`ink_recall` of pages by their index. Those with most uncovered ink are looked at; of the rest, as much of it is taken
        for text as on the worst of these."""
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
