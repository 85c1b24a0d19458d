"""General signs that a page's labels are doubtful. A sign doesn't tell which fault a page has.

Each neighbouring module knows one fault that somebody saw, but new pages have new faults. So the signs here ask what labels rest
on. Do the layout engine and the file's lines agree on each paragraph? Does the look of each short line confirm its label? Is each
list sign in a list? Did the reading order or a join of lines have to guess? A sign stays here if, among pages that people judged,
pages with the sign are wrong several times as often as right.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy

from datagen.fine.structure.looks import look_of, stands_out, usual_look
from datagen.fine.verdict.torn_regions import CLOSED
from datagen.fine.wording import MARK, TWO_LETTERS, plain
from datagen.labels import CAPTIONS, HEADINGS, PICTURES, RUNNING, TEXTS
from datagen.record import Box, Line, Region, Sample
from datagen.tables.cells import parse
from datagen.writing import scripts, signs

_WRITTEN = TEXTS | HEADINGS | CAPTIONS | {"footnote", "reference"}
_BELOW = TEXTS | {"table", "image", "code", "toc"}  # labels that may follow a heading
_GOES_ON = f"{signs.COMMAS}{signs.SEMICOLONS}-"
_MAX_LINE_CHARS, _MAX_HEADING_LINES, _SHORT_LINES = 80, 3, 2
_ITEM = re.compile(
    rf"(?:[{signs.ITEM_SIGNS}]|o\s)\s*\S|[①-⑳]|第[一二三四五六七八九十\d]+[条章]"
    r"|[(（\[]?(?:\d{1,3}(?:\.\d{1,2})*|[^\W\d_]|[ivxIVX]{1,5}|[一二三四五六七八九十]{1,3})\s?"
    r"(?:(?:\./|[.)）、．\]/])(?=\s|[^\W\d]|$)|[-–](?=\s))"
)
_LEADER = re.compile(r"(?:\. ?){4,}|…{2,}")
_UP, _NEAR_ACROSS, _NEAR_DOWN = 0.01, 0.03, 0.02  # of the page's longer side
_LEVEL, _SHORT_WITHIN = 0.6, 0.3  # of a line's height; of a region's width
_LONG_WORDS = 12  # characters: longer lines than a chart's labels
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_NEARLY = 0.8  # of the widest line of text
_SPACED = re.compile(r"(?:\b[^\W\d_] ){4,}")
_NUMBER_AT_WORD = re.compile(rf"(?:#+ )?[表図图圖]?\s?\d+(?:\.\d+)*[{scripts.IDEOGRAPHS}{scripts.KANA}]")
_ARABIC = re.compile("[يك]")
_BLANK = re.compile(r"_{3,}|\.{6,}|…{3,}")
_BESIDE_LATIN = re.compile(r"[A-Za-z][*@#+=/]|[*@#+=/][A-Za-z]|^[A-Za-z][\w.]* [\d.]+")
_PART_OF_NAME, _NAMED_ON = re.compile(r"[/\\_@=&?#]|\w\.\w|\.$"), re.compile(r"\w[./_]\w|^[\w-]+[./_]")
_ENDS_NAME, _ADDRESS_AT_END = re.compile(r"\w\.$"), re.compile(r"://\S*$")
_LATIN = re.compile(r"[A-Za-z]")
_PITCH, _MAX_END = 1.8, 5  # of a line's height; letters of a word's second half


def _agreement(page: Sample) -> int:
    """1 if the layout engine divides a paragraph of the file, else 0."""
    return int(page.quality.signals.get("layout_agreement", 1.0) < 1.0)


def _lone_lines(page: Sample) -> int:
    """The number of one-line texts that may be headings or captions: they end no sentence, are no addresses, and stand above a
    text, table or picture. A line as wide as the text may also continue in the text below; it counts unless that is unread."""
    body = _body(page)
    widest = max((line.box.x1 - line.box.x0 for region in body if region.label == "text" for line in region.lines), default=0)
    num = 0
    for region, below in itertools.pairwise(body):
        if region.label == "text" and _is_read(region) and len(region.lines) == 1 and below.label in _BELOW:
            text = _words(region)
            is_name = len(text) <= _MAX_LINE_CHARS and bool(TWO_LETTERS.search(text)) and text[-1] not in _GOES_ON
            goes_on = below.label == "text" and region.box.x1 - region.box.x0 > _NEARLY * widest
            is_name = is_name and not CLOSED.search(text) and not _ADDRESS.fullmatch(text)
            num += is_name and not (goes_on and below.is_unread)
    return num


def _looks(page: Sample) -> int:
    """The number of texts, items, running headers, footers and captions that look like the page's headings and not like its
    text."""
    usual = usual_look(page.regions)
    of_headings = {look_of(region.lines) for region in page.regions if region.label in HEADINGS and _is_read(region)}
    others = (r for r in page.regions if r.label in TEXTS | CAPTIONS | {"header", "footer"} and _is_read(r))
    looks = (look_of(region.lines) for region in others if len(region.lines) <= _MAX_HEADING_LINES)
    return sum(look is not None and look in of_headings and look != usual for look in looks)


def _running_looks(page: Sample) -> int:
    """The number of running headers and footers that stand out from the page's text like headings."""
    usual = usual_look(page.regions)
    looks = (look_of(region.lines) for region in page.regions if region.label in ("header", "footer") and _is_read(region))
    return sum(usual is not None and look is not None and stands_out(look, usual) for look in looks)


def _lone_running(page: Sample) -> int:
    """The number of running headers and footers that no other page has. They may be headings, or the end of a letter."""
    num = sum(region.label in ("header", "footer") and _is_read(region) for region in page.regions)
    return min(num, int(page.quality.signals.get("lone_running", 0.0)))


def _upwards(page: Sample) -> int:
    """The number of regions that are read after a region below them, and don't begin the next column."""
    is_rtl = 2 * sum(line.direction == "rtl" for line in _lines(page.regions)) > sum(1 for _ in _lines(page.regions))
    num = 0
    for a, b in itertools.pairwise(region for region in _body(page) if region.label != "footnote"):
        is_beside = b.box.x1 <= a.box.x0 if is_rtl else b.box.x0 >= a.box.x1
        num += b.box.y0 < a.box.y0 - _UP * max(page.size) and not is_beside
    return num


def _level(page: Sample) -> int:
    """The number of pairs of short regions that stand side by side. They may be cells, or a line in two parts."""
    short = [
        region
        for region in _body(page)
        if _is_read(region) and len(region.lines) <= _SHORT_LINES and region.label not in PICTURES | {"table", "toc"}
    ]
    short.sort(key=lambda region: region.lines[0].box.y0)
    x0_N, x1_N = (numpy.array([region.box[side] for region in short]) for side in (0, 2))
    y0_N, y1_N = (numpy.array([region.lines[0].box[side] for region in short]) for side in (1, 3))
    num = 0
    for n, (x0, x1, y0, y1) in enumerate(zip(x0_N, x1_N, y0_N, y1_N, strict=True)):
        near = slice(n + 1, numpy.searchsorted(y0_N, y1))  # the regions that begin before this region ends
        common = numpy.minimum(y1_N[near], y1) - y0_N[near]
        is_level = common > _LEVEL * numpy.minimum(y1_N[near] - y0_N[near], y1 - y0)
        num += int((is_level & (x0_N[near] >= x1)).sum() + (is_level & (x1_N[near] <= x0)).sum())
    return num


def _signs(page: Sample) -> int:
    """The number of texts that begin like list items."""
    return sum(region.label == "text" and _is_read(region) and bool(_ITEM.match(_words(region))) for region in page.regions)


def _short_lines(page: Sample) -> int:
    """The number of lines within running text that are much shorter than the longest. A paragraph may end there."""
    num = 0
    for region in page.regions:
        if region.label in TEXTS and _is_read(region) and "\n" not in region.text:
            is_rtl, width = region.lines[0].direction == "rtl", region.box.x1 - region.box.x0
            ends = [-line.box.x0 if is_rtl else line.box.x1 for line in region.lines]
            num += sum(max(ends) - end > _SHORT_WITHIN * width for end in ends[:-1])
    return num


def _notes(page: Sample) -> int:
    """The number of footnotes without a mark."""
    notes = (region for region in page.regions if region.label == "footnote" and _is_read(region))
    return sum(not note.text.startswith("<sup>") and not MARK.match(_words(note)) for note in notes)


def _entries(page: Sample) -> int:
    """The number of lines of a table of contents with two leaders, which are two entries."""
    rows = (row for region in page.regions if region.label == "toc" for row in region.text.split("\n"))
    return sum(len(_LEADER.findall(row)) > 1 for row in rows)


def _near_pictures(page: Sample) -> int:
    """The number of pairs of pictures that are so near that they may be one picture, or share a caption."""
    boxes = [region.box for region in page.regions if region.label in PICTURES]
    return sum(_are_near(a, b, max(page.size)) for a, b in itertools.combinations(boxes, 2))


def _are_near(a: Box, b: Box, side: int) -> bool:
    across, down = (max(a[i], b[i]) - min(a[i + 2], b[i + 2]) for i in (0, 1))
    return (down < 0 and across < _NEAR_ACROSS * side) or (across < 0 and down < _NEAR_DOWN * side)


def _pictured_lines(page: Sample) -> int:
    """The number of pictures with a line longer than a chart's labels. The line may be the page's text."""
    pictures = (region for region in page.regions if region.label in PICTURES)
    return sum(any(len(line.text) > _LONG_WORDS for line in picture.lines) for picture in pictures)


def _spans(page: Sample) -> int:
    """The number of tables with cells that span rows or columns, since nothing can confirm such spans."""
    num = 0
    for table in (region for region in page.regions if region.format == "html" and not region.is_unread):
        try:
            num += any(cell.rows > 1 or cell.columns > 1 for cell in parse(table.text).cells)
        except ValueError:
            num += 1
    return num


def _names_cut(page: Sample) -> int:
    """How often an address, path or dotted name continues, or may continue, in the next line. A space there is a guess."""
    num = 0
    for a, b in _line_pairs(page):
        end, start = (a.text.split() or [""])[-1], (b.text.split() or [""])[0]
        goes_on = bool(_PART_OF_NAME.search(end) and _LATIN.search(end) and _NAMED_ON.search(start))
        is_open = end[-1:] in ("/", "_", "\\", "@", "=", "&", "?") and end.isascii()
        num += goes_on or is_open or bool(_ADDRESS_AT_END.search(end)) or (end.count(".") > 1 and bool(_ENDS_NAME.search(end)))
    return num


def _spaced_letters(page: Sample) -> int:
    """The number of lines with several spaced letters in a row, which may be one letterspaced word."""
    return sum(bool(_SPACED.search(line.text)) for line in _lines(page.regions))


def _numbers_at_words(page: Sample) -> int:
    """The number of headings and captions with a number right before Han or kana, without a space."""
    headings = (region for region in page.regions if region.label in HEADINGS | CAPTIONS)
    return sum(bool(_NUMBER_AT_WORD.match(region.text)) for region in headings)


def _arabic_letters(page: Sample) -> int:
    """The number of Arabic letters ye and kaf in Persian text. Persian has other letters, for which many files write these."""
    is_persian = page.lang.split("-")[0] == "fa"
    return sum(len(_ARABIC.findall(region.text)) for region in page.regions) if is_persian else 0


def _cut_words(page: Sample) -> int:
    """The number of words in tables that may be cut: a narrow cell may have a short end of the word on the next line."""
    return sum(_cut_in(region) for region in page.regions if region.label == "table")


def _cut_in(table: Region) -> int:
    words = sorted((line for line in table.lines if len(line.text.split()) == 1), key=lambda line: line.box.y0)
    texts = [line.text.strip() for line in words]
    numbers: dict[str, int] = {}  # of texts that may be the end of a word
    end_N = numpy.array(
        [numbers.setdefault(text, len(numbers)) if text[0].islower() and len(text) <= _MAX_END else -1 for text in texts]
    )
    x0_N, y0_N, x1_N, y1_N = numpy.array([line.box for line in words]).reshape(-1, 4).T
    num, behind = 0, dict[str, list[int]]()
    for text, x0, y0, x1, y1 in zip(texts, x0_N, y0_N, x1_N, y1_N, strict=True):
        below = slice(*numpy.searchsorted(y0_N, (y0 + 1, y0 + _PITCH * (y1 - y0))))
        is_below = (numpy.minimum(x1_N[below], x1) > numpy.maximum(x0_N[below], x0)) & (end_N[below] >= 0)
        if text[-1].isalpha() and is_below.any():
            if text not in behind:
                behind[text] = [numbers[end] for end in _ends_behind(text, table.text) if end in numbers]
            num += int((is_below & numpy.isin(end_N[below], behind[text])).sum())
    return num


def _ends_behind(word: str, text: str) -> set[str]:
    """What follows `word` and a space in `text`: the first letter, the first two letters, and so on."""
    places, at = [], text.find(f"{word} ")
    while at >= 0:
        places.append(at + len(word) + 1)
        at = text.find(f"{word} ", at + 1)
    return {text[place : place + num] for place in places for num in range(1, _MAX_END + 1)}


def _blanks(page: Sample) -> int:
    """The number of lines with blanks to fill in, which divide lines and sentences."""
    return sum(bool(_BLANK.search(line.text)) for region in page.regions if region.label != "toc" for line in region.lines)


def _signs_at_latin(page: Sample) -> int:
    """The number of right-to-left lines with a sign beside Latin letters, or with a number behind a Latin word at the beginning.
    In such lines the order is a guess."""
    return sum(line.direction == "rtl" and bool(_BESIDE_LATIN.search(line.text)) for line in _lines(page.regions))


def _by_name(*of_page: Callable[[Sample], int]) -> dict[str, Callable[[Sample], int]]:
    return {doubt.__name__.removeprefix("_"): doubt for doubt in of_page}


STRUCTURE = _by_name(
    *(_agreement, _lone_lines, _looks, _running_looks, _lone_running, _upwards, _level, _signs, _short_lines, _notes, _entries),
    *(_near_pictures, _pictured_lines, _spans),
)
"""Functions that count a page's signs of doubtful structure, by name."""
TEXT = _by_name(_names_cut, _spaced_letters, _numbers_at_words, _arabic_letters, _cut_words, _blanks, _signs_at_latin)
"""Functions that count a page's signs of doubtful text, by name."""


def doubts(page: Sample) -> Counter[str]:
    """The counts of a page's signs of `STRUCTURE` and `TEXT`, without those that it doesn't show."""
    return +Counter({name: doubt(page) for name, doubt in (STRUCTURE | TEXT).items()})


def _body(page: Sample) -> list[Region]:
    return [region for region in page.regions if region.label not in RUNNING]


def _is_read(region: Region) -> bool:
    """Whether a region is read and its lines are horizontal."""
    return bool(region.lines) and not region.is_unread and region.lines[0].direction != "ttb"


def _words(region: Region) -> str:
    return plain(region).strip()


def _lines(regions: Sequence[Region]) -> Iterator[Line]:
    return (line for region in regions for line in region.lines)


def _line_pairs(page: Sample) -> Iterator[tuple[Line, Line]]:
    written = (region for region in page.regions if region.label in _WRITTEN and _is_read(region))
    return (pair for region in written for pair in itertools.pairwise(region.lines))
