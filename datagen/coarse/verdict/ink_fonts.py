"""What the ink says of one font: its lines cut out, and four witnesses of whether they say what they show."""

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

_AROUND = 0.2  # of a line's height: what is cut out with one that leans
_ALONE = 0.45  # the margin of a line-up of a script that nobody reads, at least
UNLIKE, SURELY_UNLIKE = 0.12, 0.06  # a lie's margin is less; a few words' is, where more would say the same
_MIN_READ, _ENOUGH_READ = 30, 150  # characters, to judge a font by; to read no more of it, if all but so many of them are right
_MIN_WRONG = 4  # characters: fewer are chance
_PLAIN_WRONG, _PLAIN_SHARE = 8, 0.75  # characters, and of those that differ: hardly any of a true text are
_HARDLY_WRONG, _SOME_READ = 0.01, 100  # of the characters, in the words of a reader that isn't close: of so many at least
_CLOSE = 0.1  # the error of a reading up to which its words tell of single letters
_TRUE, _FALSE = 0.2, 0.5  # the error of a reading of a true text, at most; of a false one, at least
_SAME = 0.15  # between readings of a line and of the same text drawn: the two show the same
_WORSE, _MORE = 0.3, 1.5  # than the text as it is drawn a lie is read: by so much, by so many times as many differing characters
_ANOTHER = 1.7  # times a word's length: a reading so long, or a word so much longer than its reading, is another word's
_PREFERRED = 0.03  # in likeness: less is the difference of two typefaces
_FEW_OF = 8  # a word of more than this times as many characters as differ is preferred for less


@dataclass(frozen=True)
class Cut:
    """A line's ink, (H, W) gray bytes, and `images` of its words, likewise, with their texts, from left to right; none where they
    don't stand apart."""

    crop: numpy.ndarray
    line: Line
    lang: str
    images: tuple[tuple[numpy.ndarray, str], ...]

    def parts(self, script: str) -> list[tuple[numpy.ndarray, str]]:
        """Words, and those of many letters in pieces, as the whole line where words don't stand apart. Of a line from right to
        left nothing, unless its words stand apart and are about as wide as they are drawn."""
        parts = self.images or ((self.crop, self.line.text),)
        if self.line.direction == "rtl":
            widths = ink_shapes.widths([text for _, text in self.images], script)
            return list(parts) if widths and cut_as_drawn(self.images, widths) else []

        def clusters(text: str) -> Sequence[tuple[int, float]]:
            return ink_shapes.clusters(text, script) if len(text) > MANY_CLUSTERS else ()

        return [p for image, text in parts for p in split_long(image, text, clusters(text))]

    def with_text(self, text: str) -> "Cut":
        """The same ink, with another text."""
        line = replace(self.line, text=without_leaders(text))
        return replace(self, line=line, images=tuple(split_words(self.crop, line)))

    def readings(self, reading: str, script: str) -> Iterator[tuple[ink_shapes.Ink, str]]:
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
            if (word := ink_shapes.ink(image, claimed)) is not None:
                yield word, read


def cut_out(page: numpy.ndarray, line: Line, lang: str) -> Cut:
    """A line of a page, (H, W) gray bytes, in `lang` (BCP-47), without leaders. One that has a polygon, as it leans or lies on a
    page that was turned, is cut out along that."""
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
    """The words of a line that could be matched with words of its reading: ink, text as it is compared, reading."""
    for word, read in cut.readings(text, script):
        claimed = bare(word.text)
        if claimed and 1 / _ANOTHER <= len(bare(read)) / len(claimed) <= _ANOTHER and "\ufffd" not in claimed:
            yield word, claimed, read


# Four ways to tell whether a font's text is what its ink shows. The line-up compares its words with ciphers of them. The reader
# reads its lines. Words lie where the ink is more like the reading than like the text, letters where it is more like others.
WITNESSES = ("lineup", "reader", "words", "letters")


@dataclass
class FontInk:
    """What the ink says of a font.

    `texts` are what a reader read in the lines `cuts`, and `error` is their character error rate, spaces apart, if the reader is
    right. A reader that `is_sure` hardly errs. `num_chars` characters stand in words that could be matched with words of the
    reading. `num_differing` of them differ; `num_wrong` of these stand in `wrong_words`, whose ink is more like the reading.
    `num_swapped` letters are more like another letter, in the words that they stand in.

    A reader that is poor at something, such as code or small print, is no witness of it. So one that doubts the text is weighed:
    `drawn_texts` are what it reads in the same lines as they are drawn here. Of `num_drawn_chars` characters in words that could
    be matched with words of these, `num_drawn_differing` differ.
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
        """Whether a look at more words would change nothing: they are alike, or less than `less` more than ciphers of them."""
        says = self.witnesses().get("lineup")
        return says is True or (says is False and self.lineup.margin < less)

    def add(self, cut: Cut, text: str, script: str) -> None:
        """A line with its reading."""
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
        """The next line of `cuts`, with the reading of its text as it is drawn here; "" where no face of the machine draws it."""
        self.drawn_texts.append(text)
        for _, claimed, read in _matched(cut, text, script) if text else ():
            self.num_drawn_chars += len(claimed)
            self.num_drawn_differing += Levenshtein.distance(claimed, bare(read))

    def hardly_wrong(self, least: int) -> bool:
        """Whether so few letters are wrong, of `least` or more, that a twentieth can't be."""
        return self.num_chars >= least and self.num_wrong <= _HARDLY_WRONG * self.num_chars

    @property
    def reading_is_clear(self) -> bool:
        """Whether more lines would change nothing."""
        return self.hardly_wrong(_ENOUGH_READ) and self.error <= _CLOSE

    @property
    def reading_is_close(self) -> bool:
        """Whether letters that stand for others would have been seen by the reader."""
        return self.error <= _CLOSE or (self.error <= 2 * _CLOSE and self.hardly_wrong(_SOME_READ))

    @property
    def reader_doubts(self) -> bool:
        """Whether the reader doesn't confirm the text, or finds words to be others."""
        opinions = self.witnesses()
        return not (opinions.get("reader", False) and opinions.get("words", True))

    def witnesses(self) -> dict[str, bool]:
        """Whether the font says what it shows, by each of `WITNESSES` that can tell."""
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
        # One word says nothing: a reader of Cyrillic takes a Latin "pager" for letters of the same shapes.
        if self.num_chars < _MIN_READ or self.num_wrong < _MIN_WRONG or len(self.wrong_words) < 2:
            return None
        wrong, differing = self.num_wrong / self.num_chars, self.num_differing / self.num_chars
        if wrong > 0.03 and self.num_wrong >= 0.5 * self.num_differing:
            return False
        # Single letters, such as accents in an old encoding, where a good reader differs in nothing else.
        if wrong > 0.01 and self.num_wrong >= max(_PLAIN_WRONG, _PLAIN_SHARE * self.num_differing):
            return False
        # A poor reader misreads as many letters of a true text as it is drawn here. But then the ink hardly ever takes its side.
        is_poor = self.num_drawn_chars and differing <= _MORE * self.num_drawn_differing / self.num_drawn_chars
        return False if wrong > 0.06 and self.error <= _FALSE and not is_poor else None

    def opinion(self) -> bool | None:
        """Whether the font says what it shows, all in all; None where nobody can tell."""
        opinions = self.witnesses()
        if not opinions.get("words", True) or not opinions.get("letters", True):  # single letters, which the others don't see
            return False
        if self.is_sure and not opinions.get("reader", True):
            return False
        lineup, reader = opinions.get("lineup"), opinions.get("reader")
        # Of a text in which some letters stand for one another, half of the margin is left. A reader would tell.
        if reader or (lineup and (self.cuts or self.lineup.margin >= _ALONE)):
            return True
        # Ink that was cut in the wrong places isn't like its text. A lie isn't read as half of what it says.
        is_read = bool(self.cuts) and self.error <= _FALSE
        return False if False in (lineup, reader) and not is_read else None
