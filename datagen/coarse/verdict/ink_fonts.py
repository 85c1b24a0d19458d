"""What the ink says of one font. Its lines are cut out, and four witnesses tell whether the text is what the ink shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy
from rapidfuzz.distance import Levenshtein

from datagen.coarse.verdict import ink_shapes
from datagen.coarse.verdict.ink_lines import (
    MANY_CLUSTERS,
    aligned,
    bare,
    cut_as_drawn,
    dark_on_white,
    laid_flat,
    split_long,
    split_words,
    text_error,
    whole,
    without_leader_ink,
    without_leaders,
)
from datagen.page.views import straightened
from datagen.record import Line

_AROUND = 0.2  # of a line's height: the margin that is cut out around a line that leans
_ALONE = 0.45  # the least margin of a line-up that proves a font which no engine reads
UNLIKE, SURELY_UNLIKE = 0.12, 0.06  # a wrong font's margin is less; below the second, a few words are enough
_MIN_READ, _ENOUGH_READ = 30, 150  # characters that a font is judged by; after so many, hardly one of them wrong, reading stops
_MIN_WRONG = 4  # characters: fewer are chance
_PLAIN_WRONG, _PLAIN_SHARE = 8, 0.75  # wrong characters, and their share of those that differ: a right text has hardly any
_HARDLY_WRONG, _SOME_READ = 0.01, 100  # of the characters; the fewest characters that show it of a reading that isn't close
_CLOSE = 0.1  # the error of a reading up to which its words tell of single letters
_TRUE, _FALSE = 0.2, 0.5  # the largest error of a reading of a right text; the least error of one of a wrong text
_SAME = 0.15  # error between readings of a line and of its text drawn: up to it, the two show the same
_WORSE, _MORE = 0.3, 1.5  # a wrong text is read worse than its drawing: error above it; times as many differing characters
_ANOTHER = 1.7  # times the length: a reading and a word whose lengths differ by more don't belong together
_PREFERRED = 0.03  # in likeness: two typefaces make a smaller difference
_FEW_OF = 8  # in a word of more than this times the differing characters, a smaller difference counts


@dataclass(frozen=True)
class Cut:
    """A line's ink, (H, W) gray bytes. `images` has the ink and the text of each word, from left to right; it is empty where the
    words don't stand apart."""

    crop: numpy.ndarray
    line: Line
    lang: str
    images: tuple[tuple[numpy.ndarray, str], ...]

    def parts(self, script: str) -> list[tuple[numpy.ndarray, str]]:
        """The line's words, long ones in pieces. If the words don't stand apart, the pieces of the whole line. A line from right
        to left has parts only if its words stand apart and are about as wide as drawn words."""
        parts = self.images or ((self.crop, self.line.text),)
        if self.line.direction == "rtl":
            widths = ink_shapes.widths([text for _, text in self.images], script)
            return list(parts) if widths and cut_as_drawn(self.images, widths) else []

        def clusters(text: str) -> Sequence[tuple[int, float]]:
            return ink_shapes.clusters(text, script) if len(text) > MANY_CLUSTERS else ()

        return [p for image, text in parts for p in split_long(image, text, clusters(text))]

    def readings(self, reading: str, script: str) -> Iterator[tuple[ink_shapes.Ink, str]]:
        """The line's `parts`, each with its share of `reading`, a reading of the whole line.

        If the text's words don't stand apart in the ink but the reading's words do, the reading's words are the parts. This is
        the only way to read a text that has a space in the place of a letter.
        """
        words = [] if self.images else split_words(self.crop, replace(self.line, text=reading))
        by_text = len(words) < 2
        parts = self.parts(script) if by_text else words
        if self.line.direction == "rtl":
            parts.reverse()
        ours = [text for _, text in parts]
        theirs = aligned(ours, reading if by_text else self.line.text)
        for (image, _), claimed, read in zip(parts, *((ours, theirs) if by_text else (theirs, ours)), strict=True):
            if (word := ink_shapes.ink(image, claimed)) is not None:
                yield word, read


def cut_out(page: numpy.ndarray, line: Line, lang: str) -> Cut:
    """A line of a page, (H, W) gray bytes, in `lang` (BCP-47), without leaders. A line with a polygon, which leans or lies on a
    turned page, is cut out along the polygon."""
    if line.polygon:
        margin = round(_AROUND * min(line.box.y1 - line.box.y0, line.box.x1 - line.box.x0))
        page, (line,) = straightened(page, line.polygon, [line], margin)
    if line.direction == "ttb":
        crop = laid_flat(dark_on_white(page, line.box), line.text)
    else:
        crop = dark_on_white(page, whole(page, line.box))
    text = without_leaders(line.text)
    if text != line.text:
        crop, line = without_leader_ink(crop), replace(line, text=text)
    return Cut(crop, line, lang, tuple(split_words(crop, line)))


def _matched(cut: Cut, text: str, script: str) -> Iterator[tuple[ink_shapes.Ink, str, str]]:
    """The words of a line that match words of its reading: the ink, the text in the compared form, the reading."""
    for word, read in cut.readings(text, script):
        claimed = bare(word.text)
        if claimed and 1 / _ANOTHER <= len(bare(read)) / len(claimed) <= _ANOTHER and "\ufffd" not in claimed:
            yield word, claimed, read


# Four witnesses of whether a font's text is what its ink shows. The line-up compares words with ciphers of them. The reader reads
# the lines. Words are wrong if the ink is more like the reading than the text. Letters are wrong if it is more like other
# letters.
WITNESSES = ("lineup", "reader", "words", "letters")


@dataclass
class FontInk:
    """What the ink says of a font.

    `texts` are a reader's readings of the lines `cuts`. `error` is the character error rate of the lines' own text if the reader
    is right; spaces don't count. A reader that `is_sure` hardly errs. `num_chars` counts the characters in words that match words
    of the reading. `num_differing` of these characters differ. `num_wrong` of the differing ones stand in `wrong_words`, whose
    ink is more like the reading than the text. `num_swapped` counts letters whose ink is more like another letter.

    A reader that is poor at something, such as code or small print, is no witness of it. So a reader that doubts the text is
    weighed: `drawn_texts` are its readings of the same texts drawn here. `num_drawn_chars` counts the characters in words that
    match words of these readings; `num_drawn_differing` of them differ.
    """

    lineup: ink_shapes.Lineup
    cuts: list[Cut] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_sure: bool = False
    num_chars: int = 0
    num_differing: int = 0
    num_wrong: int = 0
    wrong_words: set[str] = field(default_factory=set)
    drawn_texts: list[str] = field(default_factory=list)
    num_drawn_chars: int = 0
    num_drawn_differing: int = 0
    num_swapped: int = 0

    @property
    def error(self) -> float:
        return text_error([cut.line.text for cut in self.cuts], self.texts)

    def lineup_is_clear(self, less: float) -> bool:
        """Whether more words would change nothing: the text is right, or it is wrong by a margin under `less`."""
        says = self.witnesses().get("lineup")
        return says is True or (says is False and self.lineup.margin < less)

    def add(self, cut: Cut, text: str, script: str) -> None:
        """Adds a line with its reading."""
        self.cuts.append(cut)
        self.texts.append(text)
        for word, claimed, read in _matched(cut, text, script):
            differing = Levenshtein.distance(claimed, bare(read))
            self.num_chars += len(claimed)
            self.num_differing += differing
            least = _PREFERRED * min(1.0, _FEW_OF * differing / len(claimed))
            if differing and ink_shapes.preference(word, read, self.lineup.face) > least:
                self.num_wrong += differing
                self.wrong_words.add(claimed)

    def weigh(self, cut: Cut, text: str, script: str) -> None:
        """Adds the reading of the drawn text of the next line of `cuts`; "" where no face of this machine draws the text."""
        self.drawn_texts.append(text)
        for _, claimed, read in _matched(cut, text, script) if text else ():
            self.num_drawn_chars += len(claimed)
            self.num_drawn_differing += Levenshtein.distance(claimed, bare(read))

    def hardly_wrong(self, least: int) -> bool:
        """Whether so few of at least `least` characters are wrong that a twentieth of the font's characters can't be."""
        return self.num_chars >= least and self.num_wrong <= _HARDLY_WRONG * self.num_chars

    @property
    def reading_is_clear(self) -> bool:
        """Whether more lines would change nothing."""
        return self.hardly_wrong(_ENOUGH_READ) and self.error <= _CLOSE

    @property
    def reading_is_close(self) -> bool:
        """Whether the reading is so close that the reader would have seen swapped letters."""
        return self.error <= _CLOSE or (self.error <= 2 * _CLOSE and self.hardly_wrong(_SOME_READ))

    @property
    def reader_doubts(self) -> bool:
        """Whether the reader doesn't confirm the text, or finds wrong words."""
        opinions = self.witnesses()
        return not (opinions.get("reader", False) and opinions.get("words", True))

    def witnesses(self) -> dict[str, bool]:
        """For each of `WITNESSES` that can tell, whether the font's text is what its ink shows."""
        opinions = {"lineup": self._by_lineup(), "reader": self._by_reader(), "words": self._by_words()}
        opinions["letters"] = False if self.num_swapped else None
        return {witness: opinion for witness, opinion in opinions.items() if opinion is not None}

    def _by_lineup(self) -> bool | None:
        num_words, margin, deviation = self.lineup.num_words, self.lineup.margin, self.lineup.deviation
        if num_words >= 5 and margin >= 0.3 and deviation >= 3:
            return True
        return False if num_words >= 5 and margin < UNLIKE else None

    def _by_reader(self) -> bool | None:
        error = self.error
        if not self.cuts or error <= _TRUE:
            return True if self.cuts else None
        could_draw = [i for i, text in enumerate(self.drawn_texts) if text]
        if not could_draw:
            return False if error > _FALSE else None
        claims, texts, drawn = (
            [column[i] for i in could_draw] for column in ([c.line.text for c in self.cuts], self.texts, self.drawn_texts)
        )
        drawn_error = text_error(claims, drawn)
        if error <= _FALSE and (error <= drawn_error or text_error(drawn, texts) <= _SAME):
            return True
        return False if error > _FALSE and error - drawn_error > _WORSE else None

    def _by_words(self) -> bool | None:
        # One word says nothing: a reader of Cyrillic reads a Latin "pager" as Cyrillic letters of the same shapes.
        if self.num_chars < _MIN_READ or self.num_wrong < _MIN_WRONG or len(self.wrong_words) < 2:
            return None
        wrong, differing = self.num_wrong / self.num_chars, self.num_differing / self.num_chars
        if wrong > 0.03 and self.num_wrong >= 0.5 * self.num_differing:
            return False
        # Single letters are wrong, such as accents in an old encoding, and a good reader differs in hardly anything else.
        if wrong > 0.01 and self.num_wrong >= max(_PLAIN_WRONG, _PLAIN_SHARE * self.num_differing):
            return False
        # A poor reader misreads about as many letters of the drawn text.
        is_poor = self.num_drawn_chars and differing <= _MORE * self.num_drawn_differing / self.num_drawn_chars
        return False if wrong > 0.06 and self.error <= _FALSE and not is_poor else None

    def opinion(self) -> bool | None:
        """Whether the font's text is what its ink shows, by all witnesses together; None where they can't tell."""
        opinions = self.witnesses()
        if not opinions.get("words", True) or not opinions.get("letters", True):  # single letters, which the others don't see
            return False
        if self.is_sure and not opinions.get("reader", True):
            return False
        lineup, reader = opinions.get("lineup"), opinions.get("reader")
        # A text with some swapped letters keeps half of the margin, so the line-up alone needs a larger one.
        if reader or (lineup and (self.cuts or self.lineup.margin >= _ALONE)):
            return True
        # Ink cut in the wrong places isn't like its text either. But a text isn't wrong if a reader reads half of it so.
        is_read = bool(self.cuts) and self.error <= _FALSE
        return False if False in (lineup, reader) and not is_read else None
