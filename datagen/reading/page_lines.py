"""Reads the lines of a page's image with a reader that knows their script."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy

from datagen.engines import Choice, Quad, tesseract
from datagen.reading.cuts import (
    SURE,
    TALL,
    VERY_TALL,
    LineView,
    best,
    box_around,
    cut,
    on_its_side,
    padded,
    side_by_side,
    upside_down,
)
from datagen.reading.language import identify
from datagen.reading.line_readers import (
    LIKE_LATIN,
    PP_SCRIPTS,
    SCRIPT,
    TESSERACT,
    VERY_SURE,
    LineReaders,
    Reading,
    by_tesseract,
    sureness,
)
from datagen.reading.other_scripts import in_other_scripts
from datagen.record import Line
from datagen.writing.direction import is_rtl
from datagen.writing.languages import script_of
from datagen.writing.scripts import main_script
from datagen.writing.vertical_lines import TURNED, UPRIGHT, direction_of

_NUM_ASKED = 12  # lines on which PP-OCR is tried, to learn whether it knows the script
_FAILED, _FAILED_SHARE, _FEW = 0.8, 0.12, 6  # such a share, and number, of lines with a lower score shows an unknown script
_SURE_LANGUAGE, _SURER = 0.7, 0.15  # the identifier's least score; its lead for another language to be read instead
# Tesseract's confidence is 0.87 to 0.93 on lines in a script that it reads (three pages, in Hindi, Korean and Greek), and 0.1 to
# 0.7 on lines in another script. The package's readers must reach the same.
_CONFIDENT = 0.7
# Tesseract was so confident on all but one of the set pages in Arabic, Georgian and Greek, and read all of those better.
_CONFIDENT_OF_PRINT = 0.8
_DOUBTFUL = 0.45  # a reader with less confidence doesn't know the script
_NUM_COLUMNS = 6  # columns that are read to tell whether PP-OCR reads a page's columns
_LOST, _OF_PAGE = 0.6, 0.15  # PP-OCR's mean score on unknown scripts; a share of characters that shows another script
_NUM_TRIED, _NUM_SCRIPTS = 3, 4  # lines that are read in the likeliest scripts, if the script is unknown
LETTERS = 0.5  # for each line height of width, at least: among letters unknown to it, PP-OCR is sure of the commas
_STOPS = ".,:;-"  # signs at a line's end that the detector may have left out
_LANGUAGES = {"Arab": ("ar", "fa", "ur", "ps", "ug", "sd"), "Cyrl": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "mn")}

_Readings = dict[int, Reading]
"""Readings by the `id` of a line's view: the text, its score, and a reader's confidence if it gives no score."""


@dataclass(frozen=True)
class PageLines:
    """The lines of a page that have text, from top to bottom; the number of lines that could not be read; the language, the
    script and the reader. `sureness` is the number of surely read characters: each character counts as much as the score of its
    line, or as the confidence of a reader without scores. `others` has the readers of lines that the page's reader didn't
    read."""

    lines: tuple[Line, ...]
    num_unread: int
    lang: str
    script: str
    reader: Choice
    sureness: float = 0.0
    others: Mapping[Line, Choice] = field(default_factory=dict)

    @property
    def by(self) -> str:
        return self.reader.name

    def by_of(self, lines: Sequence[Line]) -> str:
        """The name of the reader of most of these lines."""
        readers = Counter(self.others.get(line, self.reader).name for line in lines)
        return max(readers, key=lambda name: readers[name], default=self.by)

    @property
    def num_chars(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def score(self) -> float | None:
        """The mean of the lines' scores, by character; None if the reader gives no scores."""
        return mean_score(self.lines)

    @property
    def direction(self) -> str:
        """The direction of the page's text: ltr, rtl, ttb (columns from the right), or `FROM_LEFT` (columns from the left)."""
        return direction_of(self.lines)


def read_lines(image: numpy.ndarray, quads: Sequence[Quad], lang: str, script: str, readers: LineReaders) -> PageLines:
    """Reads the lines at `quads` of an image, (H, W, 3) RGB bytes.

    A declared language decides the reader: the flywheel's reader of its script, else Tesseract if it has data of the language,
    else PP-OCR. If the language is `und`, PP-OCR reads a few lines. If PP-OCR isn't sure of them, the images of the lines tell
    the script, and a first reading tells the language. If PP-OCR later fails on many lines, or the text is in a language that
    another reader knows better, that reader reads the page again, except Latin lines of which PP-OCR is sure. Lines in
    another script than the page's are read by the reader of their script (`in_other_scripts`).
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    size = image.shape[1], image.shape[0]
    cuts = [cut(gray, quad, drift(quad))._replace(padded=cut(gray, padded(quad, size), drift(quad)).image) for quad in quads]
    flat = [of for of in cuts if of.aspect <= TALL]
    script = script_of(lang) if lang != "und" and script in ("Zyyy", "") else script
    reader, read_in = readers.who(lang, script)
    readings: _Readings = {}
    is_unknown = lang == "und" and script in ("Zyyy", "")
    are_columns = is_unknown and _are_columns(cuts, readers)
    if are_columns:
        reader, read_in = readers.ppocr, "und"
    elif is_unknown and (turned := _of_turned_columns(cuts, readers)):
        reader, read_in, script = turned
    elif is_unknown:
        reader, read_in, script, readings = _asked(flat, readers)
        if reader != readers.ppocr and (readings := _sure_latin(readings, script)):
            readings |= _sure_latin(_read(_without(flat, readings), readers.ppocr, "und", readers), script)
    reader, read_in = _of_plain_print(flat, reader, read_in, script, readers)
    by = dict.fromkeys(readings, readers.ppocr)
    readings |= _read(_without(flat, readings), reader, read_in, readers)
    if lang == "und" and reader == readers.ppocr and not are_columns:
        other, in_other, of_script = _another(flat, readings, readers)
        if other != reader:
            script = of_script
            reader, read_in = _of_plain_print(flat, other, in_other, script, readers)
            readings = _sure_latin(readings, script)
            by = dict.fromkeys(readings, readers.ppocr)
            readings |= _read(_without(flat, readings), reader, read_in, readers)
    others = [of for of in flat if readings[id(of)][1] is None]
    if lang == "und" and reader.name == TESSERACT and others:
        again = _language(others, readings, read_in, script, reader, readers)
        if again != read_in:
            read_in = again
            readings |= _read(others, reader, read_in, readers)
    # Headers and notes beside columns are too small to tell their script.
    for line, reading, other in () if are_columns else in_other_scripts(flat, readings, reader, script, readers):
        readings[id(line)], by[id(line)] = reading, other
    of_others = main_script(" ".join(text for text, *_ in readings.values()))[0] if flat else script
    of_others = "Jpan" if are_columns else of_others
    lines, sureness = list[Line](), 0.0
    by_line = dict[Line, Choice]()
    for of in cuts:
        (text, score, sure), direction = readings.get(id(of), ("", None, 0.0)), ""
        if id(of) not in readings:
            text, score, sure, direction = _read_tall(of, reader, read_in, script, of_others, readers)
        if text.strip():
            direction = direction or ("rtl" if is_rtl(text, main_script(text)[0]) else "ltr")
            corners = padded(of.quad, size) if text.rstrip()[-1] in _STOPS else of.quad
            box, polygon = box_around(corners, size), corners if of.is_skewed else ()
            lines.append(Line(box, text.strip(), direction=direction, score=score, polygon=polygon))
            if id(of) in by:
                by_line[lines[-1]] = by[id(of)]
            sureness += sure * len(text.strip())
    text = "\n".join(line.text for line in lines)
    language = identify(text, lang if lang != "und" else read_in)
    read_as = language.lang if language.lang != "und" else lang
    return PageLines(tuple(lines), len(cuts) - len(lines), read_as, language.script, reader, sureness, by_line)


def mean_score(lines: Sequence[Line]) -> float | None:
    """The mean of the lines' scores, by character; None if a line has no score."""
    if any(line.score is None for line in lines):
        return None
    return sum((line.score or 0.0) * len(line.text) for line in lines) / max(1, sum(len(line.text) for line in lines))


def _read(cuts: Sequence[LineView], reader: Choice, lang: str, readers: LineReaders) -> _Readings:
    images = [of.padded if reader == readers.ppocr and of.padded is not None else of.image for of in cuts]
    return dict(zip(map(id, cuts), readers.read_surely(reader, images, lang), strict=True))


def _without(cuts: Sequence[LineView], readings: _Readings) -> list[LineView]:
    return [of for of in cuts if id(of) not in readings]


def _asked(cuts: Sequence[LineView], readers: LineReaders) -> tuple[Choice, str, str, _Readings]:
    """For a page of unknown language: its reader, the language in which to read, the script, and PP-OCR's readings of a few
    lines."""
    if not cuts:
        return readers.ppocr, "und", "Zyyy", {}
    asked = _some(cuts)
    read = _read(asked, readers.ppocr, "und", readers)
    score, is_whole = _score(read), _is_whole(read, asked)
    if score >= SURE and is_whole:
        return readers.ppocr, "und", "Zyyy", read
    guess = script = readers.guessed_script([of.image for of in cuts])
    reader, read_in = readers.who("und", script)
    # A page in another script also has Latin lines, such as names and commands. PP-OCR is surer of Latin lines.
    few = sorted(asked, key=lambda of: (read[id(of)][2] >= SURE, -of.image.shape[1] / of.image.shape[0]))[:_NUM_TRIED]
    is_other = reader != readers.ppocr
    confidence = readers.confidence(reader, _images(few), read_in, script) if is_other else 1.0
    if (not is_other and score < SURE) or confidence < _CONFIDENT:
        script = _tried(few, readers)
        if script == "Zyyy" and is_other and (score < _LOST or max(score, _DOUBTFUL) < confidence):
            script = guess  # a poor image of a script that the reader knows, or handwriting that PP-OCR can't read
        reader, read_in = readers.who("und", script)
    return (reader, read_in, script, read) if reader != readers.ppocr else (reader, "und", "Zyyy", read)


def _of_plain_print(cuts: Sequence[LineView], reader: Choice, lang: str, script: str, readers: LineReaders) -> tuple[Choice, str]:
    """The reader and language, with Tesseract in place of the package's reader if Tesseract is confident. Tesseract reads plain
    modern print better, and old or poor print worse."""
    other = by_tesseract(lang, script) if cuts and reader.name == SCRIPT else None
    if other and readers.confidence(other[0], _images(_some(cuts)), other[1], script) >= _CONFIDENT_OF_PRINT:
        return other
    return reader, lang


def _are_columns(cuts: Sequence[LineView], readers: LineReaders) -> bool:
    """Whether most of a page's lines are vertical, and PP-OCR surely reads their characters as upright ones."""
    tall = [of for of in cuts if of.aspect > TALL]
    lengths = [max(of.image.shape) for of in cuts]
    if sum(of.image.shape[0] for of in tall) <= sum(lengths) / 2:
        return False
    asked = [side_by_side(of) for of in sorted(tall, key=lambda of: -of.image.shape[0])[: 2 * _NUM_COLUMNS : 2]]
    read = _read(asked, readers.ppocr, "und", readers)
    return _score(read) >= _FAILED and _is_whole(read, asked)


def _of_turned_columns(cuts: Sequence[LineView], readers: LineReaders) -> tuple[Choice, str, str] | None:
    """The reader, language and script of a page of columns whose letters lie on their side. None if most lines aren't vertical,
    or no reader of such a script is sure of them."""
    tall = [on_its_side(of) for of in cuts if of.aspect > TALL]
    if sum(of.image.shape[1] for of in tall) <= sum(max(of.image.shape) for of in cuts) / 2:
        return None
    if (script := readers.guessed_script(_images(tall))) not in TURNED:
        return None
    reader, read_in = readers.who("und", script)
    is_sure = reader != readers.ppocr and readers.confidence(reader, _images(_some(tall)), read_in, script) >= _CONFIDENT
    return (reader, read_in, script) if is_sure else None


def _score(read: _Readings) -> float:
    return sureness(list(read.values()))


def _is_whole(read: _Readings, cuts: Sequence[LineView]) -> bool:
    """Whether the readings have as many letters as lines of this length should have."""
    num_letters = sum(c.isalnum() for text, *_ in read.values() for c in text)
    return num_letters >= LETTERS * sum(of.image.shape[1] / of.image.shape[0] for of in cuts)


def _images(cuts: Sequence[LineView]) -> list[numpy.ndarray]:
    return [of.image for of in cuts]


def _sure_latin(readings: _Readings, script: str) -> _Readings:
    """PP-OCR's sure readings that are mostly Latin letters. On a page in another script, no reader of that script reads Latin
    lines as well. Empty if `script` has letters that look like Latin letters. Empty also if `script` is Latin: some languages
    have letters that PP-OCR reads as plain letters."""
    if script == "Latn" or script in LIKE_LATIN:
        return {}
    return {
        of: one
        for of, one in readings.items()
        if (one.score or 0.0) >= VERY_SURE
        and main_script(one.text)[0] == "Latn"
        and sum(map(str.isalpha, one.text)) >= len(one.text) / 2
    }


def _tried(cuts: Sequence[LineView], readers: LineReaders) -> str:
    """The script, among the likeliest ones, whose reader is surest of these lines; "Zyyy" if no reader is sure."""
    surest, of_surest = _CONFIDENT, "Zyyy"
    for script in readers.likely_scripts(_images(cuts), _NUM_SCRIPTS):
        reader, read_in = readers.who("und", script)
        if reader != readers.ppocr and (sure := readers.confidence(reader, _images(cuts), read_in, script)) > surest:
            surest, of_surest = sure, script
    return of_surest


def _another(cuts: Sequence[LineView], readings: _Readings, readers: LineReaders) -> tuple[Choice, str, str]:
    """The reader, language and script for a page that PP-OCR has read: PP-OCR again if it read the page well."""
    unsure = [of for of in cuts if not readings[id(of)][0] or (readings[id(of)][1] or 0.0) < _FAILED]
    if len(unsure) >= max(_FEW, _FAILED_SHARE * len(cuts)):
        script = readers.guessed_script([of.image for of in unsure])
        reader, read_in = readers.who("und", script)
        # A dark or blurred image has many such lines, too, so the other reader must be surer than PP-OCR.
        asked = _some(unsure)
        least = max(_CONFIDENT, _score({id(of): readings[id(of)] for of in asked}))
        if reader != readers.ppocr and readers.confidence(reader, _images(asked), read_in, script) >= least:
            return reader, read_in, script
    texts = [text for text, *_ in readings.values()]
    language = identify("\n".join(texts))
    if language.score >= _SURE_LANGUAGE and language.lang != "und":
        return *readers.who(language.lang, language.script), language.script
    # PP-OCR knows the letters of some scripts only without accents.
    chars = Counter[str]()
    for text in texts:
        chars[main_script(text)[0]] += len(text)
    script = max(chars.keys() - PP_SCRIPTS, key=lambda script: chars[script], default="Zyyy")
    if chars[script] > _OF_PAGE * chars.total():
        return *readers.who("und", script), script
    return readers.ppocr, "und", "Zyyy"


def _language(
    cuts: Sequence[LineView], readings: _Readings, read_in: str, script: str, reader: Choice, readers: LineReaders
) -> str:
    """The language in which Tesseract should read a page that it has read in `read_in`: the identified language, if there is data
    of it. If languages of the script have letters of their own, a few lines are read in each language, because a reader
    writes only letters of its language."""
    if script in _LANGUAGES:
        asked = _some(cuts)
        scores = {}
        for lang in _LANGUAGES[script]:
            if tesseract.language(lang):
                words = _read(asked, reader, lang, readers).values()
                language = identify("\n".join(text for text, *_ in words))
                scores[lang] = language.score if language.lang == lang else 0.0
        surest = max(scores, key=lambda lang: scores[lang] + (_SURER if lang == read_in else 0.0), default=read_in)
        return surest if scores.get(surest) else read_in
    language = identify("\n".join(readings[id(of)][0] for of in cuts), read_in)
    base = language.lang.split("-")[0]
    return base if language.script == script and tesseract.language(base) else read_in


def _some(cuts: Sequence[LineView]) -> Sequence[LineView]:
    """Up to `_NUM_ASKED` wide lines, spread over the page."""
    width = statistics.median(of.image.shape[1] for of in cuts)
    wide = [of for of in cuts if of.image.shape[1] >= width]
    return wide[:: max(1, len(wide) // _NUM_ASKED)][:_NUM_ASKED]


def _read_tall(
    tall: LineView, reader: Choice, lang: str, script: str, others: str, readers: LineReaders
) -> tuple[str, float | None, float, str]:
    """Reads a line that is higher than wide: a column of upright characters, a turned line, or a single letter. Returns the text,
    its score, its sureness and its direction. `others` is the script of the other lines."""
    if script in TURNED:
        views = [on_its_side(tall)._replace(direction="ttb")]
    else:
        views = [tall._replace(direction="")] if tall.aspect <= VERY_TALL else []
        beside = [side_by_side(tall)] if script in UPRIGHT or others in UPRIGHT or others == "Zyyy" else []
        if beside and others in UPRIGHT and tall.aspect > VERY_TALL:
            ((text, score, sure),) = readers.read_surely(reader, [beside[0].image], lang)
            if (score or 0.0) >= VERY_SURE:
                return text, score, sure, "ttb"
        views += [*beside, on_its_side(tall), upside_down(on_its_side(tall))]
    readings = readers.read_surely(reader, [view.image for view in views], lang)
    surest, stands = best([view._replace(text=t, score=s) for view, (t, s, _) in zip(views, readings, strict=True)])
    sure = max((sure for text, _, sure in readings if text == surest.text), default=0.0)
    return surest.text, surest.score, sure, "ltr" if len(surest.text) < 2 else "ttb" if stands else surest.direction


def drift(quad: Quad) -> float:
    """How many pixels a line's first side deviates from the page's nearest direction, across or down."""
    (x0, y0), (x1, y1) = quad[:2]
    return min(abs(y1 - y0), abs(x1 - x0))
