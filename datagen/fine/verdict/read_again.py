"""Second readings: some lines of a page are read again by other readers, and compared with the first reading and the ink.

Three readers have a majority: PP-OCR and Tesseract misread one word in 27 alike, the package's readers and Tesseract 5 of 1,668
(`datagen.agreement.families`).
"""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy
from rapidfuzz.distance import Levenshtein, Opcodes

from datagen.coarse.answers import BY
from datagen.coarse.verdict.ink_fonts import cut_out
from datagen.coarse.verdict.ink_lines import comparable
from datagen.engines import Choice, Engines, packaged, ppocr, tesseract
from datagen.fine.verdict.line_witness import Faces, spoken
from datagen.fine.verdict.region_witness import Witnesses, is_text, script_within
from datagen.markdown import markdown
from datagen.reading.line_readers import PPOCR, SCRIPT, TESSERACT, of_script
from datagen.record import Line, Region, Sample
from datagen.writing.lookalikes import one_sign, with_lone_capital
from datagen.writing.scripts import num_marks

_OTHERS_FASTER = 4  # Tesseract reads a line so many times faster than PP-OCR; a script's reader is even faster
_MANY = 4  # lines in another script than the page's, at least: a language's data takes long to load
_PP_ALPHABET = 0.99
_STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_MOSTLY = 4  # curved apostrophes for each straight one: a page uses one kind
_Drawn = tuple[int, Line, str]
"""The index of a region, a line of the region to read again, and the line's script."""
_CAN_READ = 0.12  # of a line's characters differ at most; in blackletter, a third to a half differ
_MOST_OF_WORD = 0.5


class Change(NamedTuple):
    """The index of a word in its line, and the word that two other readers have in its place."""

    place: int
    word: str


@dataclass(frozen=True)
class ReadAgain:
    """Reads lines of a page again: `lines_a_page` if all text is the file's own, else `read_lines_a_page`, and a quarter of this
    if the second reader is PP-OCR. `seed` draws among equals."""

    lines_a_page: int
    read_lines_a_page: int
    seed: int

    def witnesses(self, page: Sample, gray: numpy.ndarray, engines: Engines) -> tuple[Sample, dict[int, Witnesses]]:
        """The page, with words replaced that two other readers outvote; and for each region index, the evidence from second
        readings."""
        regions = [*page.regions]
        found: dict[int, Witnesses] = defaultdict(Witnesses)
        faces = Faces()
        drawn = self._drawn(page)
        for (reader, lang), lines in self._readers(page, drawn).items():
            most = self._most(page, reader)
            for i, line, script in lines[:most]:
                cut = cut_out(gray, line, page.lang)
                ((text, _),) = reader.opened(engines).read([cut.crop], lang)
                text = with_lone_capital(text, line.text)
                if (witness := spoken(cut, text, script, faces)).says_nothing:
                    continue
                if not witness.is_alike and (third := third_reader(regions[i].by, reader, script)):
                    ((again, _),) = third.opened(engines).read([cut.crop], lang)
                    again = with_lone_capital(again, line.text) if reads(line.text, again) else ""
                    changes = outvoted(line.text, text, again) if len(lines) <= most else []
                    if changes and (voted := mended(regions[i], line, changes)):
                        regions[i], line = voted
                        witness = spoken(cut_out(gray, line, page.lang), text, script, faces)
                    if confirmed(line.text, text, again):
                        witness = witness._replace(is_alike=True, kept=witness.differing)
                found[i].lines[script].append(witness)
        if regions != [*page.regions]:
            page = replace(page, regions=tuple(regions), text=markdown(regions))
        return page, dict(found)

    def _most(self, page: Sample, reader: Choice) -> int:
        """The number of lines that a second reader reads, at most."""
        if all(region.by == BY for region in page.regions if is_text(region)):
            return self.lines_a_page
        return max(1, self.read_lines_a_page // _OTHERS_FASTER) if reader.name == PPOCR else self.read_lines_a_page

    def _readers(self, page: Sample, drawn: Sequence[_Drawn]) -> dict[tuple[Choice, str], list[_Drawn]]:
        """For each second reader and its language, the lines that it can read and hasn't read yet, in the order of `drawn`."""
        by_script: dict[str, list[_Drawn]] = defaultdict(list)
        for entry in drawn:
            by_script[entry[2]].append(entry)
        readers: dict[tuple[Choice, str], list[_Drawn]] = defaultdict(list)
        for script, lines in by_script.items():
            is_own = script == page.script
            if is_own or len(lines) >= _MANY or len(by_script) == 1:
                regions = tuple(page.regions[i] for i in dict.fromkeys(i for i, _, _ in lines))
                lang, of = (page.lang, page.script) if is_own else ("und", script)
                asked = replace(page, regions=regions, lang=lang, script=of)
                reader, lang = second_reader(asked, [line for _, line, _ in lines])
                if reader:
                    readers[reader, lang] += lines
        return readers

    def _drawn(self, page: Sample) -> list[_Drawn]:
        """The lines to read again, in order. The first lines are one of each region, then a second one of each, and so on. Within
        a region, the line comes first of which its reader was least sure. Equal lines are in an order from the content."""
        lines: list[tuple[int, float, bytes, int, Line]] = []
        for i, region in enumerate(page.regions):
            if is_text(region):
                keys = (
                    (1.0 if line.score is None else line.score, order_of(self.seed, page, i, n), n)
                    for n, line in enumerate(region.lines)
                    if comparable(line)
                )
                for turn, (sure, key, n) in enumerate(sorted(keys)):
                    lines.append((turn, sure, key, i, region.lines[n]))
        ordered = sorted(lines, key=lambda entry: entry[:4])
        return [(i, line, script_within(line.text, page.script)) for _, _, _, i, line in ordered]


def order_of(seed: int, page: Sample, *place: int) -> bytes:
    """A sort key for parts of a page that are equal otherwise. The key follows from the content and the seed."""
    return hashlib.sha256("/".join(map(str, (seed, page.origin.sha256, page.origin.page, *place))).encode()).digest()


def second_reader(page: Sample, lines: Sequence[Line]) -> tuple[Choice | None, str]:
    """An engine that can read the lines and hasn't read the page, or None; and the language to read in."""
    letters = Counter(c for line in lines for c in line.text if c.isalpha())
    if not letters:
        return None, ""
    readers = {region.by for region in page.regions}
    if PPOCR not in readers and ppocr.alphabet_share(letters) >= _PP_ALPHABET:
        return Choice(PPOCR), page.lang
    written = "zh-Hant" if page.script == "Hant" and page.lang.split("-")[0] in ("zh", "und") else page.lang
    lang = tesseract.second_language(written, page.script)
    if lang and TESSERACT not in readers:
        return Choice(TESSERACT), lang
    return (of_script(page.script), page.lang) if SCRIPT not in readers else (None, "")


def third_reader(by: str, second: Choice, script: str) -> Choice | None:
    """The package's reader of the script, for lines on which the engine `by` and the `second` reader differ. None if one of the
    two is such a reader, if the text is the file's own, or if the package has no reader of this script."""
    is_one = by in (SCRIPT, BY) or second.name == SCRIPT
    return None if is_one or script not in packaged.available() else Choice.of(SCRIPT, script=script)


def as_drawn(page: Sample, found: Iterable[Witnesses]) -> Sample:
    """The page with curved apostrophes between letters, if the second reader saw most of them curved. Code and the file's own
    text stay as they are."""
    seen = [line.apostrophes for witnesses in found for line in witnesses.all_lines]
    curved, straight = (sum(column) for column in zip(*seen, strict=True)) if seen else (0, 0)
    if curved <= _MOSTLY * straight:
        return page
    regions = tuple(map(_curved, page.regions))
    return replace(page, regions=regions, text=markdown(regions))


def _curved(region: Region) -> Region:
    if region.by == BY or region.label == "code" or region.format == "latex":
        return region
    lines = tuple(replace(line, text=_STRAIGHT.sub("’", line.text)) for line in region.lines)
    return replace(region, text=_STRAIGHT.sub("’", region.text), lines=lines)


def reads(text: str, third: str) -> bool:
    """Whether the `third` reader can read this kind of print: its reading is nearly the line's `text`."""
    return Levenshtein.normalized_distance(_signs(text), _signs(third)) <= _CAN_READ


def outvoted(text: str, second: str, third: str) -> list[Change]:
    """The words on which the `second` and the `third` reader agree, and which differ from the line's `text`, in the line's order.

    Quotes, dashes, dots and widths don't count as differences. A word isn't changed if the readers join, divide, omit or add
    words there, if the new word is longer or shorter by more than one character, if it has other digits, or if it has a sign in
    the place of a letter. A word with a diacritic that the readers lack, or with a sign of formulas, stays, because the readers
    may not know it.
    """
    ours = text.split()
    by_second, by_third = (_others(ours, reading.split()) for reading in (second, third))
    return [
        Change(place, word)
        for place, word in by_second.items()
        if _signs(word) == _signs(by_third.get(place, "")) and _is_near(ours[place], word)
    ]


def confirmed(text: str, second: str, third: str) -> bool:
    """Whether the `third` reader confirms each word of a line's `text` that the `second` reader changes, omits or divides."""
    others = [edit for edit in _opcodes(text.split(), third.split()) if edit.tag != "equal"]
    return bool(third) and not any(
        edit.src_start <= other.src_end and other.src_start <= edit.src_end
        for edit in _opcodes(text.split(), second.split())
        if edit.tag != "equal"
        for other in others
    )


def mended(region: Region, line: Line, changes: Sequence[Change]) -> tuple[Region, Line] | None:
    """The region and its line with the `changes`, in the texts of both. None if a word and its neighbours don't stand exactly
    once in the region's text."""
    words, text = line.text.split(), region.text
    for place, word in changes:
        before, behind = words[max(0, place - 1) : place], words[place + 1 : place + 2]
        around = [r"\s+".join(map(re.escape, run)) for run in ([*before, words[place]], behind)]
        places = [*re.finditer(r"(?<!\S)" + r"\s+".join(filter(None, around)) + r"(?!\S)", text)]
        if len(places) != 1:
            return None
        text = text[: places[0].start()] + " ".join([*before, word, *behind]) + text[places[0].end() :]
        words[place] = word
    changed = replace(line, text=" ".join(words))
    return replace(region, text=text, lines=tuple(changed if one is line else one for one in region.lines)), changed


def _others(ours: Sequence[str], theirs: Sequence[str]) -> dict[int, str]:
    """The words of `theirs` that replace single words of `ours`, by index in `ours`."""
    others = dict[int, str]()
    for is_equal, group in groupby(_opcodes(ours, theirs), key=lambda edit: edit.tag == "equal"):
        first, *_ = together = [*group]
        start, end = first.src_start, together[-1].src_end
        words = theirs[first.dest_start : together[-1].dest_end]
        if not is_equal and end - start == len(words):
            others |= {start + n: word for n, word in enumerate(words)}
    return others


def _opcodes(ours: Sequence[str], theirs: Sequence[str]) -> Opcodes:
    return Levenshtein.opcodes([*map(_signs, ours)], [*map(_signs, theirs)])


def _is_near(word: str, other: str) -> bool:
    is_plain = all(char.isalnum() or unicodedata.category(char)[0] == "P" for char in word)
    has_as_much = [*filter(str.isdecimal, word)] == [*filter(str.isdecimal, other)] and _num_letters(word) <= _num_letters(other)
    if not is_plain or not has_as_much or abs(len(word) - len(other)) > 1 or num_marks(word) > num_marks(other):
        return False
    return Levenshtein.normalized_distance(word, other) <= _MOST_OF_WORD


def _num_letters(word: str) -> int:
    return sum(map(str.isalpha, word))


def _signs(word: str) -> str:
    return one_sign(unicodedata.normalize("NFKC", word))
