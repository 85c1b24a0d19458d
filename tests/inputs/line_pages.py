"""Typeset pages of which it is known what stands on one visual line, and what stands beside it in another column or cell.

Each piece is placed by itself, so that nothing but its place tells what it belongs to. No word stands on a page twice.
"""

import functools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pymupdf

from datagen.coarse.answers import PageContent
from datagen.drawing.typefaces import files

_LATIN = ["ba", "co", "di", "fu", "ge", "ha", "ki", "lo", "mu", "ne", "po", "ri", "sa", "te", "vu", "wi", "jo", "xe", "zu", "ny"]
_HEBREW = ["אב", "גד", "הו", "זח", "טי", "כל", "מנ", "סע", "פצ", "קר", "שת", "לב", "נר", "דג"]
_HAN = [chr(c) for c in range(0x4E00, 0x5E00)]
_FONTS = ("helv", "hebo", "heit", "tiro", "tibo")
_PROSE_FONTS = (*_FONTS, "cour")

_advance = functools.cache(lambda font, char: font.text_length(char, 1))  # measured once: most time went into it

Pieces = Sequence[tuple[float, str]]  # where each piece of a line begins, and what it says


@dataclass
class LinePage:
    """A page in the making. `lines` are its visual lines, each as the words of each of its pieces."""

    font: pymupdf.Font
    size: float
    draw: random.Random
    syllables: list[str] = field(default_factory=lambda: _LATIN)
    lines: list[list[str]] = field(default_factory=list)
    beside: list[tuple[int, int]] = field(default_factory=list)  # pairs of neighbouring lines that have to stay apart
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.doc = pymupdf.open()
        self.page = self.doc.new_page(width=595, height=842)
        self.writer = pymupdf.TextWriter(self.page.rect)

    def words(self, num: int) -> str:
        """New words, with a space between each two."""
        words: list[str] = []
        while len(words) < num:
            word = "".join(
                self.draw.choices(self.syllables, k=self.draw.randint(1, 3) if len(self._said) < 40 else self.draw.randint(2, 4))
            )
            if word not in self._said:
                self._said.add(word)
                words.append(word)
        return " ".join(words)

    def width(self, text: str) -> float:
        return self.size * sum(_advance(self.font, char) for char in text)

    def line(self, y: float, *pieces: tuple[float, str], **font: pymupdf.Font | float) -> int:
        """Draw one visual line; its number. The order of its pieces in the file is any."""
        order = list(pieces)
        self.draw.shuffle(order)
        for x, text in order:
            shown = text[::-1] if text[0] in "".join(_HEBREW) else text
            self.writer.append((x, y), shown, **({"font": self.font, "fontsize": self.size} | font))
        self.lines.append([text for _, text in pieces])
        return len(self.lines) - 1

    def apart(self, *numbers: int) -> None:
        """Lines of one height, from left to right, that aren't one."""
        self.beside += pairwise(numbers)

    def pdf(self) -> bytes:
        self.writer.write_text(self.page)
        return self.doc.tobytes()


def contents(page: LinePage) -> None:
    """Numbers, titles, leaders of several kinds, and page numbers; chapters without leaders."""
    em, right = page.size, 520
    leader = page.draw.choice([". ", ".", "\u00b7 ", " . "])
    number = page.draw.randint(1, 9)
    for i in range(page.draw.randint(8, 26)):
        y = 90 + i * em * 1.5
        number += page.draw.randint(1, 9)
        is_chapter = i % 6 == 0
        label = f"{i // 6 + 1}" if is_chapter else f"{i // 6 + 1}.{i % 6}"
        title = page.words(page.draw.randint(1, 4))
        x = 72 + (0 if is_chapter else 1.5 * em)
        title_x = x + max(2.3 * em, page.width(label) + em)
        last = (right - page.width(str(number)), str(number))
        if is_chapter:
            page.line(y, (x, label), (title_x, title), last)
            continue
        start = title_x + page.width(title) + 0.9 * em
        num = int((last[0] - em - start) / page.width(leader))
        dots = (leader * max(5, num)).strip()
        page.line(y, (x, label), (title_x, title), (last[0] - em - page.width(dots), dots), last)


def table(page: LinePage, ruled: bool) -> None:
    """Cells of words and numbers, set to the left, the right or the middle of their columns."""
    em, num_columns, num_rows = page.size, page.draw.randint(2, 5), page.draw.randint(2, 12)
    pitch = em * page.draw.uniform(1.3, 2.2)
    is_number = [k > 0 and page.draw.random() < 0.4 for k in range(num_columns)]
    numbers = iter(page.draw.sample(range(100, 10000), 100))
    rows = [
        [
            str(next(numbers)) if is_number[k] and i else page.words(page.draw.randint(1, 3 if num_columns < 4 else 2))
            for k in range(num_columns)
        ]
        for i in range(num_rows)
    ]
    widths = [max(page.width(row[k]) for row in rows) for k in range(num_columns)]
    gap = min(em * page.draw.uniform(1.0, 4.0), (595 - 100 - sum(widths)) / num_columns)
    lefts = [60 + sum(widths[:k]) + k * gap for k in range(num_columns + 1)]
    align = [1.0 if is_number[k] else page.draw.choice([0.0, 0.0, 0.5]) for k in range(num_columns)]
    top = 100
    for i, row in enumerate(rows):
        y = top + i * pitch
        places = [(lefts[k] + align[k] * (widths[k] - page.width(cell)), cell) for k, cell in enumerate(row)]
        page.apart(*(page.line(y, place) for place in places))
    if ruled:
        for k in range(num_columns + 1):
            x = lefts[k] - gap / 2
            page.page.draw_line((x, top - em), (x, top + (num_rows - 1) * pitch + 0.4 * em), width=0.7)
        for i in range(num_rows + 1):
            y = top - em + i * pitch
            page.page.draw_line((lefts[0] - gap / 2, y), (lefts[-1] - gap / 2, y), width=0.7)


def columns(page: LinePage, even: bool) -> None:
    """Columns of prose, justified or ragged, with an indent now and then. `even`: their lines share baselines."""
    em, num = page.size, page.draw.choice([2, 2, 3])
    gutter = em * page.draw.uniform(1.4, 3.0)
    width = (595 - 120 - (num - 1) * gutter) / num
    leading = [em * 1.25 * (1 if even or k == 0 else page.draw.uniform(1.03, 1.2)) for k in range(num)]
    justified = page.draw.random() < 0.6
    number: dict[tuple[int, int], int] = {}
    for k in range(num):
        for i in range(int(500 / leading[k])):
            indent = 1.2 * em if page.draw.random() < 0.15 else 0.0
            number[k, i] = page.line(100 + i * leading[k], *_filled(page, 60 + k * (width + gutter), width, indent, justified))
    for k, i in number:
        beside = round(i * leading[k] / leading[k + 1]) if k + 1 < num else -1
        if (k + 1, beside) in number:
            page.apart(number[k, i], number[k + 1, beside])


def _filled(page: LinePage, x: float, width: float, indent: float, justified: bool) -> Pieces:
    """A line of prose that fills its column: as words with equal gaps between them, or as one piece."""
    words = [page.words(1)]
    while indent + page.width(" ".join(words)) < width:
        words.append(page.words(1))
    words = words[:-1] or words
    if not justified or len(words) < 2:
        return [(x + indent, " ".join(words))]
    space = (width - indent - sum(map(page.width, words))) / (len(words) - 1)
    starts = [x + indent + sum(map(page.width, words[:j])) + j * space for j in range(len(words))]
    return list(zip(starts, words, strict=True))


def stretched(page: LinePage) -> None:
    """Narrow columns with few words a line, whose spaces are as wide as it takes."""
    em = page.size
    width = em * page.draw.uniform(9, 14)
    number: dict[tuple[int, int], int] = {}
    for k in range(page.draw.choice([1, 2])):
        for i in range(24):
            x, num = 80 + k * (width + 3 * em), page.draw.randint(2, 4)
            words = page.words(num).split()
            space = (width - sum(map(page.width, words))) / (num - 1)
            if not 0.3 * em < space < 2.4 * em:
                words, space = page.words(2).split(), 0.0
            starts = [x + sum(map(page.width, words[:j])) + j * (space or 0.3 * em) for j in range(len(words))]
            number[k, i] = page.line(100 + i * 1.25 * em, *zip(starts, words, strict=True))
    for k, i in number:
        if (k + 1, i) in number:
            page.apart(number[k, i], number[k + 1, i])


def headings(page: LinePage) -> None:
    """Headings with a number, in large type, over paragraphs."""
    em, y = page.size, 100.0
    large = 1.4 * em
    for i in range(1, 6):
        label = page.draw.choice([f"{i}", f"{i}.", f"{i}.{i + 1}", f"{i}.{i + 1}.{i + 2}"])
        x = 72 + page.font.text_length(label, large) + page.draw.uniform(0.9, 2.0) * large
        page.line(y, (72, label), (x, page.words(3)), fontsize=large)
        y += 2 * large
        for _ in range(page.draw.randint(2, 5)):
            page.line(y, *_filled(page, 72, 440, 0, page.draw.random() < 0.5))
            y += 1.3 * em
        y += em


def lists(page: LinePage) -> None:
    """Items of one or more lines behind bullets or numbers."""
    em, y = page.size, 100.0
    style = page.draw.choice(["\u2022", "-", "*", "1.", "1)", "(a)", "[1]"])
    gap = page.draw.uniform(0.9, 2.5) * em
    x = 72 + page.width("(a)") + gap
    for i in range(page.draw.randint(3, 12)):
        label = style.replace("1", str(i + 1)).replace("a", "abcdefghijkl"[i])
        page.line(y, (72, label), *_filled(page, x, 420, 0, page.draw.random() < 0.5))
        y += 1.3 * em
        for _ in range(page.draw.choice([0, 0, 1, 2])):
            page.line(y, (x, page.words(4)))
            y += 1.3 * em


def forms(page: LinePage) -> None:
    """Labels with a colon, and blanks or words behind them; two on a line here and there."""
    em, tab = page.size, page.draw.choice([0.0, 9.0, 12.0])
    for i in range(page.draw.randint(3, 10)):
        pieces: list[tuple[float, str]] = []
        x = 72.0
        for _ in range(page.draw.choice([1, 2]) if not tab else 1):
            label = page.words(1) + ":"
            pieces.append((x, label))
            x = max(72 + tab * em, x + page.width(label) + em)
            value = "_" * page.draw.randint(8, 20) if not tab or page.draw.random() < 0.4 else page.words(2)
            pieces.append((x, value))
            x += page.width(value) + 1.5 * em
        page.line(100 + i * 2.0 * em, *pieces)


def tab_stops(page: LinePage) -> None:
    """A line with a wide gap among lines without any."""
    em, y = page.size, 100.0
    for _ in range(8):
        left, right = page.words(2), page.words(2)
        page.line(y, (72, left), (72 + page.width(left) + page.draw.uniform(1, 8) * em, right))
        y += 1.3 * em
        for _ in range(3):
            page.line(y, *_filled(page, 72, 440, 0, False))
            y += 1.3 * em


def listing(page: LinePage) -> None:
    """Lines of code with words in columns, in letters of one width."""
    page.font = pymupdf.Font("cour")
    advance = page.width("x")
    stops = [0, 14, 26, 38][: page.draw.randint(2, 4)]
    for i in range(page.draw.randint(4, 20)):
        words = [page.words(2).replace(" ", "")[:10] for _ in stops]
        page.line(100 + i * 1.2 * page.size, *((72 + stop * advance, word) for stop, word in zip(stops, words, strict=True)))


def drop_capital(page: LinePage) -> None:
    """A paragraph that begins with a letter as high as two or three of its lines."""
    em, num = page.size, page.draw.choice([2, 3])
    leading = 1.25 * em
    large = (num - 1) * leading / 0.7 + em
    capital = page.draw.choice("BDEFGHKLMNOPRSTU")
    x = 72 + page.font.text_length(capital, large) + 0.25 * em
    first = page.words(1)
    page.writer.append((72, 100 + (num - 1) * leading), capital, font=page.font, fontsize=large)
    for i in range(9):
        left = x if i < num else 72
        line = _filled(page, left, 440 - left, 0, False)
        page.line(100 + i * leading, (left, f"{first} {line[0][1]}" if i == 0 else line[0][1]))
    page.lines[0] = [capital + page.lines[0][0]]


def vertical(page: LinePage) -> None:
    """Chinese from top to bottom, with gaps as wide as one and two characters."""
    em, page.font, page.syllables = page.size, pymupdf.Font("cjk"), _HAN
    for k in range(page.draw.randint(4, 9)):
        x, y, parts = 480 - k * 1.8 * em, 100.0, []
        for _ in range(3):
            part = page.words(page.draw.randint(2, 5)).replace(" ", "")
            for char in part:
                page.writer.append((x, y), char, font=page.font, fontsize=em)
                y += em
            y += em * page.draw.choice([0.0, 1.0, 2.0])
            parts.append(part)
        page.lines.append(parts)


def right_to_left(page: LinePage, kind: str) -> None:
    """Hebrew: contents, items behind bullets, or two columns."""
    page.font, page.syllables, em = pymupdf.Font(fontfile=files()["DejaVuSans.ttf"]), _HEBREW, page.size
    number = page.draw.randint(10, 30)
    for i in range(page.draw.randint(5, 16)):
        y, text = 100 + i * 1.5 * em, page.words(2)
        if kind == "contents":
            number += page.draw.randint(1, 7)
            left, start = 80 + page.width(str(number)) + em, 500 - page.width(text)
            dots = ". " * int((start - em - left) / page.width(". "))
            page.line(y, (start, text), (left, dots.strip()), (80, str(number)))
        elif kind == "list":
            page.line(y, (500, "\u2022"), (500 - page.draw.uniform(1.0, 1.2) * em - page.width(text), text))
        else:
            other = page.words(2)
            page.apart(*(page.line(y, (edge - page.width(cell), cell)) for edge, cell in ((270, text), (500, other))))


KINDS: dict[str, Callable[[LinePage], None]] = {
    "contents": contents,
    "ruled table": lambda page: table(page, ruled=True),
    "plain table": lambda page: table(page, ruled=False),
    "even columns": lambda page: columns(page, even=True),
    "uneven columns": lambda page: columns(page, even=False),
    "stretched": stretched,
    "headings": headings,
    "list": lists,
    "form": forms,
    "tab stops": tab_stops,
    "listing": listing,
    "drop capital": drop_capital,
    "vertical": vertical,
    "right to left, contents": lambda page: right_to_left(page, "contents"),
    "right to left, list": lambda page: right_to_left(page, "list"),
    "right to left, columns": lambda page: right_to_left(page, "columns"),
}


def pages(kind: str, num: int, seed: int = 0) -> Iterator[LinePage]:
    """Pages of a kind in several typefaces and sizes."""
    for i in range(num):
        draw = random.Random(f"{kind}/{seed}/{i}")
        # Cells and justified words in letters of one width can't be told from a listing.
        font = draw.choice(_FONTS if kind in ("plain table", "even columns", "uneven columns", "stretched") else _PROSE_FONTS)
        page = LinePage(pymupdf.Font(font), draw.choice([8.0, 9.0, 10.0, 11.0, 12.0]), draw)
        KINDS[kind](page)
        yield page


def compare(page: LinePage, content: PageContent) -> dict[str, int]:
    """How many gaps are `within` lines, how many of these lines are `broken`; how many are `between` lines, how many `joined`.

    A line is broken by each further line that has words of it, or if its text isn't what was typeset. Two lines are joined if a
    line or a region has words of both.
    """
    owner: dict[str, int] = {}
    for i, line in enumerate(page.lines):
        for token in _tokens(" ".join(line)):
            owner[token] = -1 if token in owner else i
    counts = {"within": 0, "broken": 0, "between": len(page.beside)}
    joined: set[tuple[int, int]] = set()
    lines: list[list[str]] = [[] for _ in page.lines]
    for region in content.regions:
        together: set[int] = set()
        for text in (line.text for line in region.lines):
            owners = {owner.get(token, -1) for token in _tokens(text)} - {-1}
            joined |= set(pairwise(sorted(owners)))
            together |= owners
            for i in owners:
                lines[i].append(text)
        joined |= {(min(a, b), max(a, b)) for a, b in page.beside if a in together and b in together}
    counts["joined"] = len(joined)
    for pieces, read in zip(page.lines, lines, strict=True):
        if len(pieces) > 1 or len(read) != 1:
            expected = "".join(_as_one(piece) for piece in pieces)
            counts["within"] += max(1, len(pieces) - 1)
            counts["broken"] += len(read) - 1 if len(read) > 1 else "".join(read).replace(" ", "") != expected
    return counts


def _tokens(text: str) -> list[str]:
    return list(text.replace(" ", "")) if text[0] in _HAN else text.split()


def _as_one(piece: str) -> str:
    kind = set(piece.replace(" ", ""))
    return "_____" if kind == {"_"} else "....." if kind <= {".", "\u00b7"} else piece.replace(" ", "")
