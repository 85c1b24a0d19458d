"""The lines of a page's image, found and read by whoever knows its script."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import langcodes
import numpy
from rapidfuzz.fuzz import ratio

from datagen.engines import Choice, Engines, Quad, Reader, tesseract
from datagen.reading.language import identify
from datagen.record import Box, Line
from datagen.writing.direction import is_rtl
from datagen.writing.scripts import main_script
from datagen.writing.vertical_lines import TURNED, UPRIGHT, laid

PPOCR, COMPACT, TESSERACT = "ppocr", "compact", "tesseract"
_PP_SCRIPTS = frozenset(
    ("Latn", "Hans", "Hant", "Hani", "Jpan", "Zyyy")
)  # which PP-OCR reads, but for the languages of Tesseract
_NUM_ASKED = 12  # lines that tell whether PP-OCR knows the script
SURE = 0.85  # its mean score on lines that it knows is higher, on others lower
_VERY_SURE = 0.95  # its score of a line
LIKE_LATIN = frozenset(("Cyrl", "Grek", "Copt", "Cher"))  # scripts with letters of the same shapes
_FAILED, _FAILED_SHARE, _FEW = 0.8, 0.12, 6  # lines with a lower score; such a share, and number, of them says that it doesn't
_SURE_LANGUAGE, _SURER = 0.7, 0.15  # the identifier's score; by how much it is higher for a language that is read instead
_NUM_TRIED = 3  # lines that are read in every script, where nobody knows it
_SAME_TEXT = 50.0  # of 100
_ROW, _MOST_ROWS = 36, 40  # pixels of a line, and lines, that Tesseract guesses the script by
_LETTERS = 0.5  # in a line's width as long as it is high, at least: of letters that it doesn't know, it is sure of the commas
_TALL, _VERY_TALL = 1.5, 3.0  # times as high as wide: may stand or lie on its side; is no single letter
_SKEW = 0.08  # of a line's height, from its one end to the other: it is cut out straight
_LANGUAGES = {"Arab": ("ar", "fa", "ur", "ps", "ug", "sd"), "Cyrl": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "mn")}
_UPRIGHT_SHARE = 0.5


@dataclass(frozen=True)
class PageLines:
    """The lines of a page, from top to bottom, none without text; how many more were found that nobody could read; the language
    and script that they are in; the engine that read them, by name, and the folder of its weights if it is the flywheel's."""

    lines: tuple[Line, ...]
    num_unread: int
    lang: str
    script: str
    by: str
    folder: str = ""

    @property
    def num_chars(self) -> int:
        return sum(len(line.text) for line in self.lines)

    @property
    def score(self) -> float | None:
        """The mean of the lines' scores, by character; None where the reader gives none."""
        return mean_score(self.lines)

    @property
    def direction(self) -> str:
        """Whether the page's text runs ltr, rtl, or ttb in lines from the right."""
        chars = {"ltr": 0, "rtl": 0, "ttb": 0}
        for line in self.lines:
            chars[line.direction] += len(line.text)
        return max(chars, key=lambda direction: chars[direction])


@dataclass(frozen=True)
class _Cut:
    """A line cut out of a page: where it lies, and (H, W) gray bytes that show it straight."""

    box: Box
    gray: numpy.ndarray
    quad: Quad
    is_skewed: bool

    @property
    def is_tall(self) -> bool:
        height, width = self.gray.shape
        return height > _TALL * width


def read_lines(
    image: numpy.ndarray,
    quads: Sequence[Quad],
    lang: str,
    script: str,
    engines: Engines,
    readers: Sequence[str] = (),
    ppocr: Choice = Choice(PPOCR),  # noqa: B008  # a tuple
) -> PageLines:
    """The lines at `quads` of an image, (H, W, 3) RGB bytes, read.

    A declared language says who reads: of the flywheel's `readers` (their folders) the one of its script, else Tesseract where it
    has data of that language, else PP-OCR. If the language is `und`, PP-OCR reads a few lines; where it isn't sure of them, the
    script is what Tesseract takes such lines for, and the language what a first reading looks like. If PP-OCR then fails on many
    lines, or the text is in a language that Tesseract has data of, Tesseract reads the page anew, but for lines in Latin that
    PP-OCR is sure of. `ppocr` is which recogniser of PP-OCR's reads.
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    cuts = [_cut(gray, quad) for quad in quads]
    flat = [cut for cut in cuts if not cut.is_tall]
    script = script_of(lang) if lang != "und" and script in ("Zyyy", "") else script
    by, read_in = who(lang, script, engines, readers)
    known: dict[int, tuple[str, float | None]] = {}
    if lang == "und" and script in ("Zyyy", ""):
        by, read_in, script, known = _asked(flat, engines, readers, ppocr)
        if by != PPOCR and (known := _sure_latin(known, script)):
            rest = [cut for cut in flat if id(cut) not in known]
            read = ppocr.opened(engines).read([cut.gray for cut in rest])
            known |= _sure_latin(dict(zip(map(id, rest), read, strict=True)), script)
    reader = opened(by, script, engines, readers, ppocr)
    unknown = [cut for cut in flat if id(cut) not in known]
    readings = known | dict(zip(map(id, unknown), reader.read([cut.gray for cut in unknown], read_in), strict=True))
    if lang == "und" and by == PPOCR:
        other, in_other, of_script = _another(flat, readings, engines, readers)
        if other != PPOCR:
            by, read_in, script, reader = other, in_other, of_script, opened(other, of_script, engines, readers, ppocr)
            sure = _sure_latin(readings, script)
            others = [cut for cut in flat if id(cut) not in sure]
            readings = sure | dict(zip(map(id, others), reader.read([cut.gray for cut in others], read_in), strict=True))
    if lang == "und" and by == TESSERACT:
        others = [cut for cut in flat if readings[id(cut)][1] is None]
        again = _language(others, readings, read_in, script, reader)
        if again != read_in:
            read_in = again
            readings |= zip(map(id, others), reader.read([cut.gray for cut in others], read_in), strict=True)
    flat_script = main_script(" ".join(text for text, _ in readings.values()))[0] if flat else script
    directions: dict[int, str] = {}
    for cut in cuts:
        if id(cut) not in readings:
            *readings[id(cut)], directions[id(cut)] = _read_tall(cut, reader, read_in, script, flat_script)  # type: ignore[assignment]
    lines = []
    for cut in cuts:
        text, score = readings[id(cut)]
        if text.strip():
            direction = directions.get(id(cut)) or ("rtl" if is_rtl(text, main_script(text)[0]) else "ltr")
            polygon = cut.quad if cut.is_skewed else ()
            lines.append(Line(cut.box, text.strip(), direction=direction, score=score, polygon=polygon))
    text = "\n".join(line.text for line in lines)
    language = identify(text, lang if lang != "und" else read_in)
    read_as = language.lang if language.lang != "und" else lang
    folder = folder_of(script, engines, readers) if by == COMPACT else ""
    return PageLines(tuple(lines), len(cuts) - len(lines), read_as, language.script, by, folder)


def mean_score(lines: Sequence[Line]) -> float | None:
    """The mean of the lines' scores, by character; None where a line has none."""
    if any(line.score is None for line in lines):
        return None
    return sum((line.score or 0.0) * len(line.text) for line in lines) / max(1, sum(len(line.text) for line in lines))


def script_of(lang: str) -> str:
    """The script (ISO 15924) that a language (BCP-47) is usually written in."""
    return langcodes.Language.get(lang).maximize().script or "Zyyy"


def who(lang: str, script: str, engines: Engines, readers: Sequence[str]) -> tuple[str, str]:
    """Who reads a language in a script, and the language in which to read."""
    if folder_of(script, engines, readers):
        return COMPACT, lang
    if not (script in _PP_SCRIPTS and not tesseract.language(lang)):
        read_in = tesseract.reads(lang, script) or tesseract.reads(tesseract.FIRST_OF_SCRIPT.get(script, ""), script)
        if read_in:
            return TESSERACT, read_in
    return PPOCR, lang


def folder_of(script: str, engines: Engines, readers: Sequence[str]) -> str:
    """The folder of the flywheel's reader of a script, "" if there is none."""
    return next((folder for folder in readers if engines.get(COMPACT, folder=folder).script == script), "")


def opened(by: str, script: str, engines: Engines, readers: Sequence[str], ppocr: Choice) -> Reader:
    settings = {"folder": folder_of(script, engines, readers)} if by == COMPACT else {}
    reader: Reader = ppocr.opened(engines) if by == PPOCR else engines.get(by, **settings)
    return reader


def _asked(
    cuts: Sequence[_Cut], engines: Engines, readers: Sequence[str], ppocr: Choice
) -> tuple[str, str, str, dict[int, tuple[str, float | None]]]:
    """Who reads a page of which nobody knows the language: the engine, the language in which to read, the script, and what
    PP-OCR has read of it."""
    if not cuts:
        return PPOCR, "und", "Zyyy", {}
    asked = _some(cuts)
    read = dict(zip(map(id, asked), ppocr.opened(engines).read([cut.gray for cut in asked]), strict=True))
    num_chars = sum(len(text) for text, _ in read.values())
    score = sum((score or 0.0) * len(text) for text, score in read.values()) / max(1, num_chars)
    num_letters = sum(c.isalnum() for text, _ in read.values() for c in text)
    is_whole = num_letters >= _LETTERS * sum(cut.gray.shape[1] / cut.gray.shape[0] for cut in asked)
    if score >= SURE and is_whole:
        return PPOCR, "und", "Zyyy", read
    script = guessed_script([cut.gray for cut in cuts], engines)
    by, read_in = who("und", script, engines, readers)
    if by == PPOCR and score < SURE:
        script = _tried(asked, engines)
        by, read_in = who("und", script, engines, readers)
    return (by, read_in, script, read) if by != PPOCR else (PPOCR, "und", "Zyyy", read)


def _sure_latin(readings: dict[int, tuple[str, float | None]], script: str) -> dict[int, tuple[str, float | None]]:
    """Those of PP-OCR's readings that it is sure of, and that are mostly Latin letters: lines in Latin on a page in another
    script, which no reader of that script reads as well. None where that script has letters that look like Latin ones."""
    if script in LIKE_LATIN:
        return {}
    return {
        cut: (text, score)
        for cut, (text, score) in readings.items()
        if (score or 0.0) >= _VERY_SURE and main_script(text)[0] == "Latn" and sum(c.isalpha() for c in text) >= len(text) / 2
    }


def _tried(cuts: Sequence[_Cut], engines: Engines) -> str:
    """The script in which Tesseract reads some of these lines as a language of that script, "Zyyy" if in none. Each script that
    it has data of is tried, which takes seconds."""
    surest, best = _SURE_LANGUAGE, "Zyyy"
    for script, lang in tesseract.of_scripts().items():
        readings = engines.get(TESSERACT).read([cut.gray for cut in cuts[:_NUM_TRIED]], lang)
        language = identify("\n".join(text for text, _ in readings))
        if language.script == script and language.score > surest:
            surest, best = language.score, script
    return best


def _another(
    cuts: Sequence[_Cut], readings: dict[int, tuple[str, float | None]], engines: Engines, readers: Sequence[str]
) -> tuple[str, str, str]:
    """Who reads a page that PP-OCR has read, and in which language and script; PP-OCR, if it reads it well."""
    unsure = [cut for cut in cuts if not readings[id(cut)][0] or (readings[id(cut)][1] or 0.0) < _FAILED]
    if len(unsure) >= max(_FEW, _FAILED_SHARE * len(cuts)):
        script = guessed_script([cut.gray for cut in unsure], engines)
        by, read_in = who("und", script, engines, readers)
        if by != PPOCR:
            return by, read_in, script
    language = identify("\n".join(text for text, _ in readings.values()))
    if language.score >= _SURE_LANGUAGE and language.lang != "und":
        return *who(language.lang, language.script, engines, readers), language.script
    return PPOCR, "und", "Zyyy"


def guessed_script(lines: Sequence[numpy.ndarray], engines: Engines) -> str:
    """The script that Tesseract takes these lines for, (H, W) gray bytes each, set below each other."""
    rows = [cv2.resize(line, (max(1, line.shape[1] * _ROW // line.shape[0]), _ROW)) for line in lines[:_MOST_ROWS]]
    width = max((row.shape[1] for row in rows), default=0) + 2 * _ROW
    page = numpy.full((_ROW + 2 * _ROW * len(rows), width), 255, numpy.uint8)
    for n, row in enumerate(rows):
        page[_ROW + 2 * n * _ROW : 2 * (n + 1) * _ROW, _ROW : _ROW + row.shape[1]] = row
    guess: str = engines.get(TESSERACT).script(page)
    return guess


def _language(
    cuts: Sequence[_Cut], readings: dict[int, tuple[str, float | None]], read_in: str, script: str, reader: Reader
) -> str:
    """The language in which Tesseract reads a page that it has read in `read_in`: what the text looks like, if there is data of
    it. Where languages of a script have letters of their own, a few lines are read in each: a reader writes what it knows."""
    if script in _LANGUAGES:
        asked = _some(cuts)
        scores = {}
        for lang in _LANGUAGES[script]:
            if tesseract.language(lang):
                words = "\n".join(text for text, _ in reader.read([cut.gray for cut in asked], lang))
                language = identify(words)
                scores[lang] = language.score if language.lang == lang else 0.0
        surest = max(scores, key=lambda lang: scores[lang] + (_SURER if lang == read_in else 0.0), default=read_in)
        return surest if scores.get(surest) else read_in
    best = identify("\n".join(readings[id(cut)][0] for cut in cuts), read_in)
    base = best.lang.split("-")[0]
    return base if best.script == script and tesseract.language(base) else read_in


def _some(cuts: Sequence[_Cut]) -> Sequence[_Cut]:
    """A few of the wider lines, from all over the page."""
    width = statistics.median(cut.gray.shape[1] for cut in cuts)
    wide = [cut for cut in cuts if cut.gray.shape[1] >= width]
    return wide[:: max(1, len(wide) // _NUM_ASKED)][:_NUM_ASKED]


def _read_tall(cut: _Cut, reader: Reader, lang: str, script: str, others: str) -> tuple[str, float | None, str]:
    """The text of a line that is higher than wide, its score, and the direction that it runs in: characters one below the other,
    a line that was turned, or a single letter. `others` is the script of the lines that lie flat."""
    height, width = cut.gray.shape
    views: list[tuple[numpy.ndarray, str]] = []
    if script in TURNED:
        views.append((numpy.rot90(cut.gray), "ttb"))
    else:
        if height <= _VERY_TALL * width:
            views.append((cut.gray, ""))
        if script in UPRIGHT or others in UPRIGHT or others == "Zyyy":
            views.append((laid(cut.gray, Box(0, 0, width, height), "Jpan")[0], "ttb"))
        views += [(numpy.rot90(cut.gray), "ltr"), (numpy.rot90(cut.gray, 3), "ltr")]
    read = reader.read([numpy.ascontiguousarray(view) for view, _ in views], lang)
    best = max(range(len(views)), key=lambda n: (read[n][1] or 0.0, len(read[n][0]), -n))
    text, score = read[best]
    # PP-OCR reads a column that was turned, too. What its characters say that were set side by side tells that it is one.
    stands = any(direction == "ttb" and ratio(read[n][0], text) > _SAME_TEXT for n, (_, direction) in enumerate(views))
    return text, score, "ltr" if len(text) < 2 else "ttb" if stands else views[best][1]


def _cut(gray: numpy.ndarray, quad: Quad) -> _Cut:
    """The line at `quad`, straight."""
    height, width = gray.shape
    xs, ys = [x for x, _ in quad], [y for _, y in quad]
    x0, y0 = max(0, min(width - 1, int(min(xs)))), max(0, min(height - 1, int(min(ys))))
    box = Box(x0, y0, max(x0 + 1, min(width, round(max(xs)))), max(y0 + 1, min(height, round(max(ys)))))
    corners = numpy.array(quad, numpy.float32)
    wide = float(max(numpy.linalg.norm(corners[1] - corners[0]), numpy.linalg.norm(corners[2] - corners[3])))
    high = float(max(numpy.linalg.norm(corners[3] - corners[0]), numpy.linalg.norm(corners[2] - corners[1])))
    off = min(abs(ys[1] - ys[0]), abs(xs[1] - xs[0]))
    if off <= 1 + _SKEW * min(wide, high):
        return _Cut(box, gray[box.y0 : box.y1, box.x0 : box.x1], quad, False)
    size = max(1, round(wide)), max(1, round(high))
    straight = numpy.array([(0, 0), (size[0], 0), size, (0, size[1])], numpy.float32)
    turn = cv2.getPerspectiveTransform(corners, straight)
    line = cv2.warpPerspective(gray, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _Cut(box, line, quad, True)
